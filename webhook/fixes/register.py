"""
The fixes of all rules.

A fix is *safe* if only one correction is possible, for example for a name in the wrong case. ``migratable check --fix`` applies
safe fixes. Fixes that change the behaviour of a VM or a cluster are options, from which the user must choose.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeAlias

from webhook.fixes import machines, spelling
from webhook.fixes.fix import Fix
from webhook.judging.finding import Finding
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath

FixesOf: TypeAlias = Callable[[Finding, Json], Iterator[Fix]]
"""Returns the fixes for a finding about an object, the best one first. Never raises, whatever the object contains."""

_JSON_PATCH: FieldPath = ("metadata", "annotations", "kubevirt.kubevirt.io/jsonpatch")
"""A finding at HyperConverged's annotation concerns a part of the annotation's JSON patch. Fixes do not edit this patch."""


def fixes_of(finding: Finding, raw: Json) -> tuple[Fix, ...]:
    """Returns the fixes for one finding about the object ``raw``. Returns no fix for an undetermined finding."""
    fixes = fixes_for_rule(finding.rule.id)
    if fixes is None or finding.undetermined or finding.path == _JSON_PATCH:
        return ()
    return tuple(fixes(finding, raw))


@cache
def fixes_for_rule(rule: str) -> FixesOf | None:
    """Returns the function that creates the fixes of a rule, or None if the rule has no fixes."""
    fixes = spelling.FIXES.get(rule) or machines.FIXES.get(rule)
    if fixes is None and rule.startswith("LM6"):
        from webhook.fixes import settings  # noqa: PLC0415 - most findings are about VMs

        fixes = settings.FIXES.get(rule)
    return fixes
