"""Links, paths, examples and violations by release that the rules about migration settings share. Not a rule."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.releases import KNOWN, Behaviour, Releases, behaviours, newest, only
from webhook.kubevirt.schema.spelling import close_matches
from webhook.kubevirt.settings.settings import SETTINGS, Setting, in_force, well_typed
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.objects.shown import shown
from webhook.rules.cel import Cel
from webhook.rules.rule import Violation

SETTINGS_GUIDE = "https://kubevirt.io/user-guide/compute/live_migration/#changing-cluster-wide-migration-configuration"
POLICY_GUIDE = "https://kubevirt.io/user-guide/cluster_admin/migration_policies/"
GATES_GUIDE = "https://kubevirt.io/user-guide/cluster_admin/activating_feature_gates/"
TYPES_SOURCE = "staging/src/kubevirt.io/api/core/v1/types.go MigrationConfiguration, v1.9.0"
MONITOR_SOURCE = "pkg/virt-launcher/virtwrap/live-migration-source.go migrationMonitor, v1.9.0"
POLICY_SETTINGS: Mapping[str, Setting] = {name: known for name, known in SETTINGS.items() if known.policy}
"""The settings that a MigrationPolicy has."""


def at(
    base: FieldPath, name: str, value: Json, message: str, remedy: str = "", releases: Releases = KNOWN
) -> Violation:
    """A violation at the setting ``name`` under ``base``. The violation's identity includes the value."""
    return Violation((*base, name), message, f"{name} {shown(value)}", remedy, releases)


def setting(name: str, value: Json, message: str) -> Violation:
    """A violation at a setting of the KubeVirt CR."""
    return at(MIGRATIONS, name, value, message)


def wrong_type(base: FieldPath, known: Setting, value: Json) -> Iterator[Violation]:
    """A violation for a value whose JSON type is not the type of its setting."""
    if not well_typed(known, value):
        yield at(base, known.name, value, f"{known.name} is {shown(value)}, expected {known.type.value}")


def unknown_name(base: FieldPath, name: str, value: Json, owner: str, names: Iterable[str]) -> Violation:
    """A violation for a field that ``owner`` does not have. The remedy names the closest of the owner's ``names``."""
    lower = {known.lower(): known for known in names}
    close = close_matches(name.lower(), lower)
    remedy = f"Did you mean {lower[close[0]]}?" if close else ""
    return at(base, name, value, f"{owner} has no field {shown(name)}, so KubeVirt ignores it", remedy)


def too_new(base: FieldPath, name: str, value: Json, having: Releases, judged: Releases) -> Iterator[Violation]:
    """A violation for a setting that some ``judged`` releases lack. ``having`` are the releases that have the setting."""
    if judged & ~having:
        missing = KNOWN & ~having
        last = newest(missing).release
        message = f"{name} does not exist in KubeVirt {last} and earlier, which ignore it"
        yield at(base, name, value, message, "", missing)


def in_cel(name: str, message: str, violates: str, joint: str = ", so") -> Cel:
    """The CEL form of a violation at a setting of the KubeVirt CR, for API servers."""
    return Cel(name, dotted((*MIGRATIONS, name)), f"{name} is {{it}}{joint} {message}", f"{name} {{it}}", violates)


def setting_path(name: str) -> str:
    """The setting's path in an example, relative to the CR's spec."""
    return dotted((*MIGRATIONS[1:], name))


def cr(migrations: str, more: str = "") -> str:
    """An example: the spec of a KubeVirt CR with these migration settings, in YAML."""
    return f"{{configuration: {{migrations: {{{migrations}}}{', ' if more else ''}{more}}}}}"


def by_release(
    releases: Releases, judge: Callable[[Behaviour], tuple[FieldPath, str, str, int] | None]
) -> Iterator[Violation]:
    """
    Yields one violation for each result of ``judge`` (path, message, subject, harm), with all releases that give this result.
    """
    results: dict[tuple[FieldPath, str, str, int], Releases] = {}
    for behaviour in behaviours(releases):
        if (result := judge(behaviour)) is not None:
            results[result] = results.get(result, 0) | only(behaviour.release)
    for (path, message, subject, harm), holding in results.items():
        yield Violation(path, message, subject, releases=holding, harm=harm)


def values_of(facts: SettingsFacts, behaviour: Behaviour) -> dict[str, Json]:
    """The settings of the CR that are in force in a release."""
    return in_force(facts.migrations, behaviour)
