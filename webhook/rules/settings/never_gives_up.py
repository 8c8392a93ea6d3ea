"""The value 0 disables a timeout."""

from collections.abc import Collection, Iterator, Mapping

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import COMPLETION_TIMEOUT, PROGRESS_TIMEOUT, written
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import MONITOR_SOURCE, SETTINGS_GUIDE, at, cr, setting_path

MEANING = {
    COMPLETION_TIMEOUT: "a migration never ends if the guest writes faster than the network transfers",
    PROGRESS_TIMEOUT: "a stuck migration never ends",
}


def disabled_timeouts(
    base: FieldPath, values: Mapping[str, Json], names: Collection[str] = tuple(MEANING)
) -> Iterator[Violation]:
    """A violation for each of ``names`` that is 0 in the settings under ``base``."""
    for name in names:
        if values.get(name) == 0:
            message = (
                f"{name} is 0 (no limit), so {MEANING[name]}, and it counts against the limit of parallel migrations"
            )
            yield at(base, name, 0, message)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from disabled_timeouts(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM613",
    name="migration-never-given-up",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A timeout is 0, so a migration might never end.",
    rationale=(
        "The value 0 disables a timeout. Without the completion timeout, KubeVirt also does not start post-copy or "
        "pause the guest."
    ),
    remediation=(
        "Write seconds. The defaults are 150 for both timeouts (800 for completionTimeoutPerGiB in 1.3 and earlier)."
    ),
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("the defaults", cr("allowPostCopy: true")),
        Example("one second", cr("completionTimeoutPerGiB: 1")),
        Example("two timeouts", cr("completionTimeoutPerGiB: 150, progressTimeout: 150")),
        Example(
            "no completion timeout",
            cr("completionTimeoutPerGiB: 0"),
            violates=(setting_path("completionTimeoutPerGiB"),),
        ),
        Example("no progress timeout", cr("progressTimeout: 0"), violates=(setting_path("progressTimeout"),)),
        Example(
            "no timeouts",
            cr("completionTimeoutPerGiB: 0, progressTimeout: 0"),
            violates=(setting_path("completionTimeoutPerGiB"), setting_path("progressTimeout")),
        ),
    ),
)
