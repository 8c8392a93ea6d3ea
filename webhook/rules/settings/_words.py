"""What the rules about migration settings share: paths, short words, and the release groups of a predicate. Not a rule."""

from collections.abc import Callable, Iterator

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import KNOWN, Behaviour, Releases, each, only
from webhook.kubevirt.settings.settings import in_force
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.objects.shown import shown
from webhook.rules.cel import Cel
from webhook.rules.rule import Violation

SETTINGS_GUIDE = "https://kubevirt.io/user-guide/compute/live_migration/#changing-cluster-wide-migration-limits"
POLICY_GUIDE = "https://kubevirt.io/user-guide/cluster_admin/migration_policies/"
GATES_GUIDE = "https://kubevirt.io/user-guide/cluster_admin/activating_feature_gates/"
TYPES_SOURCE = "staging/src/kubevirt.io/api/core/v1/types.go MigrationConfiguration, v1.9.0"
MONITOR_SOURCE = "pkg/virt-launcher/virtwrap/live-migration-source.go migrationMonitor, v1.9.0"
POLICY_BASE: FieldPath = ("spec",)


def at(
    base: FieldPath, name: str, value: Json, message: str, remedy: str = "", releases: Releases = KNOWN
) -> Violation:
    """A violation at the setting ``name`` under ``base``; changing the value makes it another one."""
    return Violation((*base, name), message, f"{name} {shown(value)}", remedy, releases)


def setting(name: str, value: Json, message: str, remedy: str = "", releases: Releases = KNOWN) -> Violation:
    """A violation at a setting of the KubeVirt CR."""
    return at(MIGRATIONS, name, value, message, remedy, releases)


def in_cel(name: str, message: str, violates: str, joint: str = ":") -> Cel:
    """A violation at a setting of the KubeVirt CR, for API servers to find."""
    return Cel(name, dotted((*MIGRATIONS, name)), f"{name} is {{it}}{joint} {message}", f"{name} {{it}}", violates)


def spot(name: str) -> str:
    """The setting's path in an example, relative to the CR's spec."""
    return dotted((*MIGRATIONS[1:], name))


def cr(migrations: str, more: str = "") -> str:
    """An example: the spec of a KubeVirt CR with these migration settings, in YAML."""
    return f"{{configuration: {{migrations: {{{migrations}}}{', ' if more else ''}{more}}}}}"


def by_release(
    releases: Releases, judge: Callable[[Behaviour], tuple[FieldPath, str, str, int] | None]
) -> Iterator[Violation]:
    """What ``judge`` says (path, message, subject, harm) of each release; releases that say the same make one violation."""
    said: dict[tuple[FieldPath, str, str, int], Releases] = {}
    for behaviour in each(releases):
        if (outcome := judge(behaviour)) is not None:
            said[outcome] = said.get(outcome, 0) | only(behaviour.release)
    for (path, message, subject, harm), holding in said.items():
        yield Violation(path, message, subject, releases=holding, harm=harm)


def values_of(facts: SettingsFacts, behaviour: Behaviour) -> dict[str, Json]:
    """The CR's settings in force in a release."""
    return in_force(facts.migrations, behaviour)
