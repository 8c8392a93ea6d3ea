"""Names that are not quite what KubeVirt calls them."""

import re
from collections.abc import Callable, Iterator, Mapping

from webhook.engine import Finding
from webhook.fixes.fix import Fix, find, rename, replace
from webhook.objects.meta import Json

_MEANT = re.compile(r"(?:Did you mean|Write kind:) ([A-Za-z0-9]+)[?.]")
"""How rules say what was probably meant."""


def _value(finding: Finding, raw: Json) -> Iterator[Fix]:
    """The place holds the name."""
    meant = _MEANT.search(finding.remedy)
    written = find(raw, finding.path)
    if meant is not None and isinstance(written, str):
        yield Fix(
            f"write {meant[1]} instead of {written!a}",
            replace(raw, finding.path, meant[1]),
            is_safe=_is_same(written, meant[1]),
        )


def _key(finding: Finding, raw: Json) -> Iterator[Fix]:
    """The place is named so."""
    meant = _MEANT.search(finding.remedy)
    written = finding.path[-1]
    if meant is not None and isinstance(written, str) and (patch := rename(raw, finding.path, meant[1])):
        yield Fix(f"write {meant[1]} instead of {written!a}", patch, is_safe=_is_same(written, meant[1]))


def _is_same(written: str, meant: str) -> bool:
    """Whether only capitals differ: then nothing else can have been meant."""
    return written.lower() == meant.lower()


FIXES: Mapping[str, Callable[[Finding, Json], Iterator[Fix]]] = {
    "LM502": _value,
    "LM602": _key,
    "LM621": _value,
    "LM625": _value,
    "LM646": _key,
    "LM801": _value,
}
