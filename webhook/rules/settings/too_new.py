"""A setting of a later release does nothing in this one."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.releases import KNOWN, newest
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import SETTINGS_GUIDE, TYPES_SOURCE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if not isinstance(facts.migrations, dict):
        return
    for name, value in facts.migrations.items():
        known = SETTINGS.get(name)
        if known is not None and facts.releases & ~known.releases:
            missing = KNOWN & ~known.releases
            last = newest(missing).release
            yield setting(name, value, f"{name} does not exist up to KubeVirt {last}; it is ignored there", "", missing)


RULE = Rule(
    id="LM603",
    name="migration-setting-too-new",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A migration setting that this KubeVirt release does not have yet.",
    rationale="The API server of an older release drops the field, so what was meant never takes effect.",
    remediation="Remove the field until the cluster runs a release that has it.",
    source=TYPES_SOURCE + " and the same file at v1.4.1, v1.5.3, v1.7.4, v1.8.4",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("in its first release", cr("allowWorkloadDisruption: true, allowPostCopy: true"), release="1.5"),
        Example(
            "one release early",
            cr("allowWorkloadDisruption: true"),
            violates=(spot("allowWorkloadDisruption"),),
            release="1.4",
        ),
        Example("from 1.8 on", cr("utilityVolumesTimeout: 150"), release="1.8"),
        Example(
            "not in 1.7",
            cr("utilityVolumesTimeout: 150"),
            violates=(spot("utilityVolumesTimeout"),),
            release="1.7",
        ),
        Example("not in 1.8", cr("maxDowntimeMs: 900"), violates=(spot("maxDowntimeMs"),), release="1.8"),
    ),
)
