"""A PVC can list ReadWriteMany although its volume serves only one node."""

from collections.abc import Iterator

from webhook.facts.storage import BackedClaim, StorageFacts
from webhook.kubevirt.storage.provisioners import Limit, is_local, limit_of
from webhook.objects.meta import Json
from webhook.rules.example import claim, node, persistent_volume, storage_class, storage_profile
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Undetermined, Violation
from webhook.rules.storage._access_modes import SHARED, listed

NO_PROVISIONER = "kubernetes.io/no-provisioner"
_OTHER_VOLUME = "Use storage that all nodes can reach, such as a network filesystem or a shared block device."


def check(facts: StorageFacts) -> Iterator[Outcome]:
    for backed in facts.claims:
        subject = f"volume {backed.volume} claim {backed.claim}"
        limit = _limit(backed)
        if limit is not None:
            yield Violation(
                backed.path,
                f"PVC {backed.claim!r} is {listed(backed.modes)}, but a live migration of the VM can fail: {limit.why}",
                subject,
                limit.remedy,
            )
        elif backed.provisioner == NO_PROVISIONER and not backed.persistent_volume:
            yield Undetermined(
                backed.path,
                f"StorageClass {backed.storage_class!r} of PVC {backed.claim!r} has no provisioner, so the PersistentVolume "
                "decides whether two nodes can use it",
                "pass the PVC with its volumeName, and the PersistentVolume",
                subject,
            )


def _limit(claim: BackedClaim) -> Limit | None:
    volume = f"PersistentVolume {claim.persistent_volume!r}"
    if claim.usable_nodes is not None:
        nodes = f"only node {claim.usable_nodes[0]!r}" if claim.usable_nodes else "none of the known nodes"
        return Limit(f"{nodes} can use {volume} (nodeAffinity)", _OTHER_VOLUME)
    if claim.is_on_a_node:
        return Limit(f"{volume} is a folder or disk of a node (hostPath or local)", _OTHER_VOLUME)
    if SHARED not in claim.modes:
        return limit_of(claim.provisioner, None, "", None) if is_local(claim.provisioner) else None
    return limit_of(claim.provisioner, claim.parameters, claim.storage_class, claim.volume_mode) or _not_offered(claim)


def _not_offered(claim: BackedClaim) -> Limit | None:
    """The limit if the StorageProfile does not offer ReadWriteMany, or does not offer it with the claim's volume mode."""
    if claim.offered is None:
        return None
    modes = {mode for access_modes, mode in claim.offered if SHARED in access_modes}
    if not modes:
        remedy = "Use a storage class that offers ReadWriteMany, or correct claimPropertySets of the StorageProfile."
        return Limit(f"StorageProfile {claim.storage_class!r} does not offer {SHARED}", remedy)
    if claim.volume_mode is None or claim.volume_mode in modes or None in modes:
        return None
    [mode, *_] = sorted(mode for mode in modes if mode)
    why = f"StorageProfile {claim.storage_class!r} offers {SHARED} with volumeMode {mode}, not {claim.volume_mode}"
    return Limit(why, f"Write `volumeMode: {mode}`.")


def _claim(storage_class: str = "fast", mode: str = "Block", volume: str = "") -> Json:
    made = claim("os", SHARED)
    made["spec"] |= {"storageClassName": storage_class, "volumeMode": mode}
    made["spec"] |= {"volumeName": volume} if volume else {}
    return made


_ON_A_CLAIM = "{domain: {devices: {}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}"
_ON_A_TEMPLATE = "{domain: {devices: {}}, volumes: [{name: os, dataVolume: {name: os}}]}"
_TEMPLATE = (
    "{dataVolumeTemplates: [{metadata: {name: os}, spec: {storage: "
    "{storageClassName: fast, accessModes: [ReadWriteMany]}}}]}"
)
_AT = ("volumes[0]",)
_LONGHORN, _RBD, _LINSTOR = "driver.longhorn.io", "rook-ceph.rbd.csi.ceph.com", "linstor.csi.linbit.com"
RULE = Rule(
    id="LM210",
    name="volume-for-one-node",
    about=About.STORAGE,
    severity=Severity.WARNING,
    summary="A PVC is ReadWriteMany, but its storage serves only one node.",
    rationale=(
        "KubeVirt looks only at the access modes of the PVC, and reports the VM as live-migratable. Kubernetes does not "
        "check that the storage supports these modes. The pod on the target node waits for its volume until the migration "
        "fails, or two nodes write to the same filesystem."
    ),
    remediation=_OTHER_VOLUME,
    source=(
        "pkg/virt-handler/vm.go checkVolumesForMigration, v1.9.0, which reads access modes only; the sources about "
        "provisioners are in webhook/kubevirt/storage/provisioners.py"
    ),
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("a Ceph RBD volume with volumeMode Block", _ON_A_CLAIM, world=(_claim(), storage_class("fast", _RBD))),
        Example(
            "a provisioner that is not known to Migratable", _ON_A_CLAIM, world=(_claim(), storage_class("fast", "x"))
        ),
        Example("a StorageClass that was not provided", _ON_A_CLAIM, world=(_claim(),)),
        Example(
            'a Longhorn class with `migratable: "true"`',
            _ON_A_CLAIM,
            world=(_claim(), storage_class("fast", _LONGHORN, migratable="true")),
        ),
        Example(
            "a PersistentVolume that two nodes can use",
            _ON_A_CLAIM,
            world=(_claim(volume="pv1"), persistent_volume("pv1", "n1", "n2")),
        ),
        Example(
            "a PersistentVolume that one node can use",
            _ON_A_CLAIM,
            world=(_claim(volume="pv1"), persistent_volume("pv1", "n1")),
            violates=_AT,
        ),
        Example(
            "a PersistentVolume that is reserved for the PVC (`claimRef`), and that one node can use",
            _ON_A_CLAIM,
            world=(_claim(), persistent_volume("pv1", "n1", claim="os")),
            violates=_AT,
        ),
        Example(
            "a Longhorn class without `migratable`",
            _ON_A_CLAIM,
            world=(_claim(), storage_class("fast", _LONGHORN, numberOfReplicas="3")),
            violates=_AT,
        ),
        Example(
            'a Longhorn class with `migratable: "true"`, and a PVC with volumeMode Filesystem',
            _ON_A_CLAIM,
            world=(_claim(mode="Filesystem"), storage_class("fast", _LONGHORN, migratable="true")),
            violates=_AT,
        ),
        Example(
            "a Ceph RBD volume with volumeMode Filesystem",
            _ON_A_CLAIM,
            world=(_claim(mode="Filesystem"), storage_class("fast", _RBD)),
            violates=_AT,
        ),
        Example(
            "a LINSTOR volume with volumeMode Filesystem, which depends on its NFS export",
            _ON_A_CLAIM,
            world=(_claim(mode="Filesystem"), storage_class("fast", _LINSTOR)),
            violates=_AT,
        ),
        Example(
            "a class whose volumes are folders of a node",
            _ON_A_CLAIM,
            world=(_claim(), storage_class("fast", "kubevirt.io.hostpath-provisioner")),
            violates=_AT,
        ),
        Example(
            "an ephemeral volume over such a PVC",
            _ON_A_CLAIM.replace(
                "{name: os, persistentVolumeClaim: {claimName: os}}",
                "{name: os, ephemeral: {persistentVolumeClaim: {claimName: os}}}",
            ),
            world=(_claim(), storage_class("fast", "kubevirt.io.hostpath-provisioner")),
            violates=_AT,
        ),
        Example(
            "a StorageProfile that offers ReadWriteMany",
            _ON_A_TEMPLATE,
            vm_spec=_TEMPLATE,
            world=(storage_profile("fast", SHARED, volume_mode="Block"),),
        ),
        Example(
            "a StorageProfile that does not offer ReadWriteMany",
            _ON_A_TEMPLATE,
            vm_spec=_TEMPLATE,
            world=(storage_profile("fast", "ReadWriteOnce", volume_mode="Block"),),
            violates=("spec.template.spec.volumes[0]",),
        ),
        Example(
            "a class without a provisioner, and a PersistentVolume that was not provided",
            _ON_A_CLAIM,
            world=(_claim(), storage_class("fast", NO_PROVISIONER)),
            undetermined=_AT,
        ),
        Example(
            "a PersistentVolume in a zone that has one of two nodes",
            _ON_A_CLAIM,
            world=(
                _claim(volume="pv1"),
                persistent_volume("pv1", "a", label="topology.kubernetes.io/zone"),
                node("n1", **{"topology.kubernetes.io/zone": "a"}),
                node("n2", **{"topology.kubernetes.io/zone": "b"}),
            ),
            violates=_AT,
        ),
    ),
)
