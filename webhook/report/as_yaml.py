"""The report as YAML."""

import msgspec

from webhook.report.model import Report
from webhook.yaml.writer import dump


def render(report: Report) -> str:
    """The report as YAML, with the same values as ``-o json``."""
    return dump(msgspec.to_builtins(report))
