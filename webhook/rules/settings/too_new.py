"""A setting has no effect in releases that do not have it."""

from collections.abc import Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import SETTINGS_GUIDE, TYPES_SOURCE, cr, setting_path, too_new


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if not isinstance(facts.migrations, dict):
        return
    for name, value in facts.migrations.items():
        if name in SETTINGS:
            yield from too_new(MIGRATIONS, name, value, SETTINGS[name].releases, facts.releases)


RULE = Rule(
    id="LM603",
    name="migration-setting-too-new",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A migration setting is newer than this KubeVirt release.",
    rationale="In an older release, the API server drops the field, so the field has no effect.",
    remediation="Remove the field until the cluster runs a release that has it.",
    source=TYPES_SOURCE + " and the same file at v1.4.1, v1.5.3, v1.7.4, v1.8.4",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example(
            "the first release of a setting", cr("allowWorkloadDisruption: true, allowPostCopy: true"), release="1.5"
        ),
        Example(
            "one release earlier",
            cr("allowWorkloadDisruption: true"),
            violates=(setting_path("allowWorkloadDisruption"),),
            release="1.4",
        ),
        Example("a setting of all releases", cr("allowPostCopy: true"), release="1.3"),
        Example("utilityVolumesTimeout in 1.8", cr("utilityVolumesTimeout: 150"), release="1.8"),
        Example(
            "utilityVolumesTimeout in 1.7",
            cr("utilityVolumesTimeout: 150"),
            violates=(setting_path("utilityVolumesTimeout"),),
            release="1.7",
        ),
        Example(
            "maxDowntimeMs in 1.8", cr("maxDowntimeMs: 900"), violates=(setting_path("maxDowntimeMs"),), release="1.8"
        ),
    ),
)
