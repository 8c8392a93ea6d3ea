"""Each number must fit the Go type of its field."""

from collections.abc import Iterator, Mapping

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import MAX_DOWNTIME, SETTINGS, Type, written
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Violation
from webhook.rules.settings._setting import SETTINGS_GUIDE, TYPES_SOURCE, at, cr, in_cel, setting_path

RANGES = {Type.UINT32: (0, 2**32 - 1), Type.INT64: (-(2**63), 2**63 - 1), Type.UINT64: (0, 2**64 - 1)}
DOWNTIME = (1, 2_000_000)
"""The CRD's bounds of ``maxDowntimeMs``."""

BOUNDS = {known.name: RANGES[known.type] for known in SETTINGS.values() if known.type in RANGES} | {
    MAX_DOWNTIME: DOWNTIME
}


def out_of_range(base: FieldPath, values: Mapping[str, Json]) -> Iterator[Violation]:
    """A violation for each number in the settings under ``base`` that does not fit its field."""
    for name, value in values.items():
        least, most = BOUNDS.get(name, (0, 0))
        if name in BOUNDS and not least <= value <= most:
            message = f"{name} is {shown(value)}, expected a whole number from {least} to {most}"
            yield at(base, name, value, message)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from out_of_range(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM610",
    name="migration-setting-out-of-range",
    about=About.SETTINGS,
    summary="A number does not fit its field.",
    rationale="The API server refuses the CR, or KubeVirt's components fail to decode it.",
    remediation="Write a number within the range.",
    source=TYPES_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    cel=tuple(
        in_cel(name, f"expected a whole number from {least} to {most}", f"it < {least} || it > {most}", ",")
        for name, (least, most) in BOUNDS.items()
    ),
    examples=(
        Example("small numbers", cr("parallelMigrationsPerCluster: 5, maxDowntimeMs: 900")),
        Example("the largest count", cr("parallelMigrationsPerCluster: 4294967295")),
        Example("a negative timeout, which fits its field", cr("progressTimeout: -1")),
        Example(
            "a negative count",
            cr("parallelMigrationsPerCluster: -1"),
            violates=(setting_path("parallelMigrationsPerCluster"),),
        ),
        Example(
            "a number of more than 32 bits",
            cr("parallelMigrationsPerCluster: 4294967296"),
            violates=(setting_path("parallelMigrationsPerCluster"),),
        ),
        Example("a downtime of 0", cr("maxDowntimeMs: 0"), violates=(setting_path("maxDowntimeMs"),)),
    ),
)
