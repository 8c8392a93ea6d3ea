"""The report as YAML."""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from webhook.report.model import Report
from webhook.yaml.writer import dump


def render(report: Report) -> str:
    """The report as YAML, with the same values as ``-o json``."""
    return "".join(parts(report))


def parts(report: Report) -> Iterator[str]:
    """The parts of this text. No part holds all objects, unless they are in memory."""
    if isinstance(report.objects, list) or not report.objects:
        yield dump(msgspec.to_builtins(report))
        return
    for key, value in msgspec.to_builtins(replace(report, objects=[])).items():
        if key == "objects":
            yield "objects:\n"
            for judged in report.objects:
                yield dump({key: [msgspec.to_builtins(judged)]}).partition("\n")[2]
        else:
            yield dump({key: value})
