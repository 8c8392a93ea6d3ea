"""KubeVirt moves a running VM to other claims only under some settings of the cluster."""

from collections.abc import Iterator

from webhook.facts.storage import StorageFacts, VolumeMigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.feature_gates import gate_is_on
from webhook.kubevirt.releases import Release, Releases, before, since
from webhook.objects.kubevirt import Configuration
from webhook.objects.meta import Json
from webhook.rules.example import claim, kubevirt
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

GATES = ("VolumesUpdateStrategy", "VolumeMigration")
LIVE_UPDATE_GATE = "VMLiveUpdateFeatures"
LIVE_UPDATE = "LiveUpdate"
LIVE_MIGRATE = "LiveMigrate"
LIVE_UPDATE_BY_DEFAULT: Releases = since(Release(1, 6))
NEEDS_GATES: Releases = before(Release(1, 5))


def check(facts: StorageFacts) -> Iterator[Outcome]:
    moving = facts.volume_migration
    if moving is None:
        return
    for reasons, releases in moving.other_reasons.items():
        yield Violation(
            moving.path,
            "KubeVirt does not migrate the volumes, because condition StorageLiveMigratable is False "
            f"({', '.join(reasons)})",
            "StorageLiveMigratable",
            "Remove the cause of these reasons.",
            releases,
        )
    if not isinstance(moving.configuration, Unknown):
        yield from _settings(moving, moving.configuration)


def _settings(moving: VolumeMigrationFacts, configuration: Configuration) -> Iterator[Violation]:
    gated = moving.releases & NEEDS_GATES
    missing = [gate for gate in GATES if gate_is_on(configuration, gate, gated) != gated]
    if missing:
        yield Violation(
            moving.path,
            f"KubeVirt 1.4 and earlier refuses updateVolumesStrategy Migration without feature gate {' and '.join(missing)}",
            "feature gates",
            f"List {' and '.join(missing)} in developerConfiguration.featureGates of the KubeVirt CR.",
            gated,
        )
    staged, why = _not_live(moving, configuration)
    if staged:
        yield Violation(
            moving.path,
            f"KubeVirt does not migrate the volumes before the VM restarts, because {why}",
            "vmRolloutStrategy",
            "Set vmRolloutStrategy to LiveUpdate in the KubeVirt CR (up to 1.4 with feature gate VMLiveUpdateFeatures).",
            staged,
        )
    live = moving.releases & ~staged
    if live and LIVE_MIGRATE not in moving.workload_update_methods:
        stops = "Evict" in moving.workload_update_methods
        what = "stops the VM" if stops else "does not start the migration"
        yield Violation(
            moving.path,
            f"KubeVirt {what} when the volumes change, because workloadUpdateMethods has no LiveMigrate",
            "workloadUpdateMethods",
            "Add LiveMigrate to spec.workloadUpdateStrategy.workloadUpdateMethods of the KubeVirt CR.",
            live,
        )


def _not_live(moving: VolumeMigrationFacts, configuration: Configuration) -> tuple[Releases, str]:
    """The releases in which the rollout strategy is not LiveUpdate, and the reason."""
    written, releases = configuration.vm_rollout_strategy, moving.releases
    if written is not None and written != LIVE_UPDATE:
        return releases, f"vmRolloutStrategy is {written!r}"
    if written is None and releases & ~LIVE_UPDATE_BY_DEFAULT:
        return releases & ~LIVE_UPDATE_BY_DEFAULT, "vmRolloutStrategy is Stage by default up to KubeVirt 1.5"
    gated = releases & NEEDS_GATES
    off = gated & ~gate_is_on(configuration, LIVE_UPDATE_GATE, gated)
    return off, f"feature gate {LIVE_UPDATE_GATE} is off"


def _kubevirt(*methods: str, gates: tuple[str, ...] = (), **configuration: Json) -> Json:
    made = kubevirt(developerConfiguration={"featureGates": list(gates)}, **configuration)
    made["spec"]["workloadUpdateStrategy"] = {"workloadUpdateMethods": list(methods)}
    return made


_VOLUMES = "volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]"
_ON_A_CLAIM = f"{{domain: {{devices: {{autoattachPodInterface: false}}}}, {_VOLUMES}}}"
_MIGRATION = "{updateVolumesStrategy: Migration}"
_SHARED = claim("os", "ReadWriteMany")
_AT = ("spec.updateVolumesStrategy",)
_ALL = (*GATES, LIVE_UPDATE_GATE)
RULE = Rule(
    id="LM212",
    name="volume-migration-blocked",
    about=About.STORAGE,
    severity=Severity.WARNING,
    summary="The VM has `updateVolumesStrategy: Migration`, but KubeVirt does not migrate its volumes.",
    rationale=(
        "With `updateVolumesStrategy: Migration`, KubeVirt copies the volumes of a running VM to other PVCs. This "
        "needs rollout strategy LiveUpdate and workload update method LiveMigrate. Up to 1.4, this also needs "
        "feature gates. Otherwise, the VM uses the new PVCs, without the data, after its next restart."
    ),
    remediation="Correct the setting in the KubeVirt CR.",
    source=(
        "pkg/virt-controller/watch/vm/vm.go handleVolumeUpdateRequest, v1.3.1 to v1.9.0; "
        "pkg/virt-config/virt-config.go IsVMRolloutStrategyLiveUpdate; "
        "pkg/virt-controller/watch/workload-updater/workload-updater.go getUpdateData"
    ),
    reference="https://kubevirt.io/user-guide/storage/volume_migration/",
    check=check,
    examples=(
        Example(
            "the default rollout strategy since 1.6, and method LiveMigrate",
            _ON_A_CLAIM,
            vm_spec=_MIGRATION,
            world=(_SHARED, _kubevirt(LIVE_MIGRATE)),
        ),
        Example(
            "another strategy",
            _ON_A_CLAIM,
            vm_spec="{updateVolumesStrategy: Replacement}",
            world=(_SHARED, _kubevirt()),
        ),
        Example("no KubeVirt CR provided", _ON_A_CLAIM, vm_spec=_MIGRATION, world=(_SHARED,)),
        Example(
            "all feature gates and rollout strategy LiveUpdate in 1.4",
            _ON_A_CLAIM,
            vm_spec=_MIGRATION,
            world=(_SHARED, _kubevirt(LIVE_MIGRATE, gates=_ALL, vmRolloutStrategy=LIVE_UPDATE)),
            release="1.4",
        ),
        Example(
            "rollout strategy Stage",
            _ON_A_CLAIM,
            vm_spec=_MIGRATION,
            world=(_SHARED, _kubevirt(LIVE_MIGRATE, vmRolloutStrategy="Stage")),
            violates=_AT,
        ),
        Example(
            "the default rollout strategy in 1.5",
            _ON_A_CLAIM,
            vm_spec=_MIGRATION,
            world=(_SHARED, _kubevirt(LIVE_MIGRATE)),
            release="1.5",
            violates=_AT,
        ),
        Example(
            "no feature gate in 1.4",
            _ON_A_CLAIM,
            vm_spec=_MIGRATION,
            world=(_SHARED, _kubevirt(LIVE_MIGRATE, gates=(LIVE_UPDATE_GATE,), vmRolloutStrategy=LIVE_UPDATE)),
            release="1.4",
            violates=_AT,
        ),
        Example(
            "method Evict, with which KubeVirt stops the VM",
            _ON_A_CLAIM,
            vm_spec=_MIGRATION,
            world=(_SHARED, _kubevirt("Evict")),
            violates=_AT,
        ),
        Example(
            "a host device, so that StorageLiveMigratable is False",
            _ON_A_CLAIM.replace("autoattachPodInterface: false", "hostDevices: [{name: u, deviceName: x/usb}]"),
            vm_spec=_MIGRATION,
            world=(_SHARED, _kubevirt(LIVE_MIGRATE, network={"defaultNetworkInterface": "masquerade"})),
            violates=_AT,
        ),
    ),
)
