"""Numbers have the range of the Go type that reads them."""

from collections.abc import Iterator, Mapping

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import MAX_DOWNTIME, SETTINGS, Type, written
from webhook.objects.meta import Json
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule
from webhook.rules.settings._words import SETTINGS_GUIDE, TYPES_SOURCE, cr, in_cel, setting, spot

RANGES = {Type.UINT32: (0, 2**32 - 1), Type.INT64: (-(2**63), 2**63 - 1), Type.UINT64: (0, 2**64 - 1)}
DOWNTIME = (1, 2_000_000)
"""The CRD's own bounds of ``maxDowntimeMs``."""

BOUNDS = {each.name: RANGES[each.type] for each in SETTINGS.values() if each.type in RANGES} | {MAX_DOWNTIME: DOWNTIME}


def out_of_range(values: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Name and message of each number that its field cannot hold."""
    for name, value in values.items():
        least, most = BOUNDS.get(name, (0, 0))
        if name in BOUNDS and not least <= value <= most:
            yield name, f"{name} is {shown(value)}, expected a whole number from {least} to {most}"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    for name, message in out_of_range(values):
        yield setting(name, values[name], message)


RULE = Rule(
    id="LM610",
    name="migration-setting-out-of-range",
    about=About.SETTINGS,
    summary="A number is outside of what its field can hold.",
    rationale="KubeVirt cannot read such a CR; where the API server accepts it, every component fails to decode it.",
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
        Example(
            "a negative count",
            cr("parallelMigrationsPerCluster: -1"),
            violates=(spot("parallelMigrationsPerCluster"),),
        ),
        Example(
            "more than 32 bits",
            cr("parallelMigrationsPerCluster: 4294967296"),
            violates=(spot("parallelMigrationsPerCluster"),),
        ),
        Example("no downtime at all", cr("maxDowntimeMs: 0"), violates=(spot("maxDowntimeMs"),)),
    ),
)
