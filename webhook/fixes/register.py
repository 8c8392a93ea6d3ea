"""
What to write instead, as JSON Patches (RFC 6902): one file a family of rules. This package does no I/O.

A fix is *safe* where nothing else can have been meant, such as a name in the wrong case: ``migratable check --fix`` writes
those. Everything that changes what a VM or a cluster does is an option, for somebody to choose.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from webhook.fixes import machines, spelling
from webhook.fixes.fix import Fix
from webhook.judging.finding import Finding
from webhook.objects.meta import Json

Maker: TypeAlias = Callable[[Finding, Json], Iterator[Fix]]
"""The fixes for a finding about an object, the best first; it never raises, whatever the object."""


def fixes_of(finding: Finding, raw: Json) -> tuple[Fix, ...]:
    """The fixes for one finding about the object ``raw``; none for what is undetermined."""
    maker = maker_of(finding.rule.id)
    return () if maker is None or finding.undetermined else tuple(maker(finding, raw))


@cache
def maker_of(rule: str) -> Maker | None:
    """What makes a rule's fixes; None where nothing could be written without knowing more."""
    maker = spelling.FIXES.get(rule) or machines.FIXES.get(rule)
    if maker is None and rule.startswith("LM6"):
        from webhook.fixes import settings  # noqa: PLC0415 - most findings are about VMs

        maker = settings.FIXES.get(rule)
    return maker
