"""
What to write instead, as JSON Patches (RFC 6902): one file a family of rules. This package does no I/O.

A fix is *safe* where nothing else can have been meant, such as a name in the wrong case: ``migratable check --fix`` writes
those. Everything that changes what a VM or a cluster does is an option, for somebody to choose.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from webhook.finding import Finding
from webhook.fixes import machines, settings, spelling
from webhook.fixes.fix import Fix
from webhook.objects.meta import Json

Maker: TypeAlias = Callable[[Finding, Json], Iterator[Fix]]
"""The fixes for a finding about an object, the best first; it never raises, whatever the object."""

FIXES: Mapping[str, Maker] = {**spelling.FIXES, **machines.FIXES, **settings.FIXES}
"""By rule id; a rule that is not here has no fix that could be written without knowing more."""


def fixes_of(finding: Finding, raw: Json) -> tuple[Fix, ...]:
    """The fixes for one finding about the object ``raw``; none for what is undetermined."""
    maker = FIXES.get(finding.rule.id)
    return () if maker is None or finding.undetermined else tuple(maker(finding, raw))
