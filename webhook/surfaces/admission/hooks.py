"""
The webhooks as data: the requests for which API servers call this server.

Rules and conditions exclude operations that must never wait for this server or fail because of it. The API server evaluates
rules and conditions, so they apply even if no replica runs. `deploy/generate.py` writes the webhooks for kustomize and
Helm.

The webhooks never receive VMI heartbeats, migrations, pods, evictions or nodes. For the kinds below, they do not receive
updates that only start, stop or scale an object or change its metadata. Updates of an object that is being deleted are sent
only if its judged part changes. So a finalizer cannot hide a change to the spec.
"""

from dataclasses import dataclass
from typing import Final

from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.objects.hyper_converged import HYPER_CONVERGED_GROUP
from webhook.objects.kinds import BY_GROUP_KIND, KUBEVIRT_GROUP, PATCHED_COPIES, POOL_GROUP, Kind
from webhook.surfaces.admission.conditions import (
    BY_CONTROLLER,
    BY_VIRT_API,
    OWNED,
    POOLED_BY,
    RECEIVER,
    RESTORING,
    WRITES_VMIS,
    WRITES_VMS,
    Condition,
    account,
    annotated,
    changed,
    created_or,
    may_everywhere,
    only_removes_volumes,
)
from webhook.surfaces.admission.judged_part import KUBEVIRT_FIELDS
from webhook.surfaces.admission.kubevirt_accounts import HYPER_CONVERGED_OPERATOR

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"


@dataclass(frozen=True, slots=True)
class Rule:
    """The operations on one resource, in some of its versions."""

    kind: Kind
    operations: tuple[str, ...]
    subresource: str = ""

    @property
    def resource(self) -> str:
        """The plural name of the kind, and the subresource if there is one."""
        return f"{self.kind.plural}/{self.subresource}" if self.subresource else self.kind.plural

    @property
    def versions(self) -> list[str]:
        """
        The versions of the rule. If the kind has v1, the only version is v1, because API servers convert objects to v1.
        Otherwise the rule has all versions that KubeVirt releases serve. HyperConverged serves v1 only from 1.18 on.
        """
        only_v1 = "v1" in self.kind.versions and self.kind.group != HYPER_CONVERGED_GROUP
        return ["v1"] if only_v1 else list(self.kind.versions)


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook of a configuration."""

    name: str
    rules: tuple[Rule, ...]
    conditions: tuple[Condition, ...]
    seconds: int
    """The timeout in seconds for the API server."""
    why: str = ""
    in_platform: bool = False
    """Whether objects in excluded namespaces (``Installation.platform``) are judged, too."""
    only_with: str = ""
    """The policy key that this webhook needs. Without the key the webhook is left out."""
    may_fail: bool = False
    """Whether the failurePolicy may be Fail. It is never Fail for a status, a deletion or a default."""
    late_denies: bool = False
    """Whether a request is denied if it cannot be judged in time. failurePolicy Ignore would admit such a request."""

    @property
    def cluster_wide(self) -> bool:
        """Whether the kinds of the webhook are cluster-scoped."""
        return not any(rule.kind.namespaced for rule in self.rules)


def rule(kind: str, *operations: str, group: str = KUBEVIRT_GROUP, subresource: str = "") -> Rule:
    """A rule for a judged kind."""
    return Rule(BY_GROUP_KIND[group, kind], operations, subresource)


NOT_BEING_DELETED: Final = Condition("not-being-deleted", created_or("!has(oldObject.metadata.deletionTimestamp)"))
UPDATE_NOT_BEING_DELETED: Final = Condition("not-being-deleted", "!has(oldObject.metadata.deletionTimestamp)")
SPEC: Final = ("dataVolumeTemplates", "instancetype", "preference")
VM_CHANGED: Final = Condition(
    "judged-part-changed",
    created_or("object.spec.template != oldObject.spec.template || " + changed(*(f"spec.{field}" for field in SPEC))),
)
POOLED: Final = "spec.virtualMachineTemplate.spec"
NOT_BY_THE_OPERATOR: Final = Condition(
    "not-by-the-operator",
    "request.userInfo.username != 'system:serviceaccount:' + request.namespace + ':kubevirt-operator'",
    "The operator runs in the namespace of the KubeVirt resource.",
)
BY_HYPER_CONVERGED: Final = (
    f"request.userInfo.username == 'system:serviceaccount:' + request.namespace + ':{HYPER_CONVERGED_OPERATOR}'"
)
KUBEVIRT_CHANGED: Final = Condition(
    "judged-part-changed", created_or(changed(*(f"spec.{field}" for field in KUBEVIRT_FIELDS)))
)
CONFIGURATION_CHANGED: Final = Condition(
    "configuration-changed",
    created_or(changed("spec.configuration")),
    "The default values are those of spec.configuration.",
)
NAD_GROUP: Final = "k8s.cni.cncf.io"
POLICY_GROUP: Final = "migrations.kubevirt.io"

VALIDATING_HOOKS: Final = (
    # webhooks with may_fail come first: kustomize puts patched webhooks before the others
    Hook(
        "virtualmachine.validate.migratable",
        (rule("VirtualMachine", CREATE, UPDATE),),
        (
            VM_CHANGED,
            Condition(
                "not-only-removing-volumes",
                created_or(
                    f"({changed(*(f'spec.{field}' for field in SPEC))}) || !({only_removes_volumes('spec.template')})"
                ),
                "Removing volumes is always allowed: it adds no violation.",
            ),
            Condition(
                "not-written-by-kubevirt",
                f"!({account('kubevirt-(controller|apiserver)')} && {WRITES_VMS})",
                "virt-controller creates the VMs of pools, and writes volumes and the instancetype revision into a VM that"
                " starts. virt-api removes volumes. None of these writes may wait for this webhook. A service account with that"
                " name in a tenant's namespace does not have this right in every namespace.",
            ),
        ),
        5,
        may_fail=True,
    ),
    Hook(
        "virtualmachineinstancereplicaset.validate.migratable",
        (rule("VirtualMachineInstanceReplicaSet", CREATE, UPDATE),),
        (Condition("judged-part-changed", created_or("object.spec.template != oldObject.spec.template")),),
        5,
        may_fail=True,
    ),
    Hook(
        "virtualmachinepool.validate.migratable",
        (rule("VirtualMachinePool", CREATE, UPDATE, group=POOL_GROUP),),
        (
            Condition(
                "judged-part-changed",
                created_or(
                    f"has(object.{POOLED}) != has(oldObject.{POOLED}) || (has(object.{POOLED}) && ("
                    f"object.{POOLED}.template != oldObject.{POOLED}.template || "
                    + changed(*(f"{POOLED}.{field}" for field in SPEC))
                    + "))"
                ),
                "The schema requires spec.virtualMachineTemplate, but not spec.virtualMachineTemplate.spec.",
            ),
        ),
        5,
        may_fail=True,
    ),
    Hook(
        "virtualmachineinstance.validate.migratable",
        (rule("VirtualMachineInstance", CREATE),),
        (
            Condition(
                "not-made-by-kubevirt",
                f"!({BY_CONTROLLER} && {OWNED} && {may_everywhere('create', 'virtualmachineinstances')})",
                "A VM that was created before Migratable was installed must be able to restart. A tenant can forge the name and"
                " the owner, but not the right to create VMIs in every namespace.",
            ),
        ),
        5,
        may_fail=True,
    ),
    Hook(
        "kubevirt.validate.migratable",
        (rule("KubeVirt", CREATE, UPDATE),),
        (
            NOT_BY_THE_OPERATOR,
            Condition(
                "not-by-hyperconverged",
                f"!({BY_HYPER_CONVERGED})",
                "HyperConverged's operator has a separate webhook, whose failurePolicy is always Ignore.",
            ),
            KUBEVIRT_CHANGED,
        ),
        5,
        in_platform=True,
        may_fail=True,
    ),
    Hook(
        "hyperconverged.validate.migratable",
        (rule("HyperConverged", CREATE, UPDATE, group=HYPER_CONVERGED_GROUP),),
        (
            Condition(
                "not-by-hyperconverged",
                f"!({BY_HYPER_CONVERGED})",
                "The operator runs in the namespace of the HyperConverged CR, and changes old fields during its upgrade.",
            ),
            Condition("spec-changed", created_or(changed("spec"))),
        ),
        5,
        in_platform=True,
        may_fail=True,
    ),
    Hook(
        "migrationpolicy.validate.migratable",
        (rule("MigrationPolicy", CREATE, UPDATE, group=POLICY_GROUP),),
        (Condition("spec-changed", created_or(changed("spec"))),),
        5,
        may_fail=True,
    ),
    Hook(
        "networkattachmentdefinition.validate.migratable",
        (rule("NetworkAttachmentDefinition", CREATE, UPDATE, group=NAD_GROUP),),
        (
            Condition(
                "config-changed",
                created_or(
                    f"has(object.spec) != has(oldObject.spec) || (has(object.spec) && ({changed('spec.config')}))"
                ),
                "The schema does not require spec.",
            ),
        ),
        5,
        in_platform=True,
        may_fail=True,
    ),
    Hook(
        "kubevirt-by-hyperconverged.validate.migratable",
        (rule("KubeVirt", CREATE, UPDATE),),
        (
            Condition(
                "by-hyperconverged",
                BY_HYPER_CONVERGED,
                "The operator runs in the namespace of the KubeVirt CR. No tenant has an account there.",
            ),
            KUBEVIRT_CHANGED,
        ),
        2,
        "HyperConverged's operator only gets warnings. The failurePolicy is always Ignore, because an outage of this"
        " webhook must not stop the operator.",
        in_platform=True,
    ),
    Hook(
        "networkattachmentdefinition-delete.validate.migratable",
        (rule("NetworkAttachmentDefinition", DELETE, group=NAD_GROUP),),
        (
            UPDATE_NOT_BEING_DELETED,
            Condition(
                "not-cleaning-up",
                "!(request.userInfo.username in ['system:serviceaccount:kube-system:namespace-controller',"
                " 'system:serviceaccount:kube-system:generic-garbage-collector'])",
            ),
        ),
        2,
        "A NetworkAttachmentDefinition cannot be deleted while it is the migration network of the KubeVirt CR. The"
        " failurePolicy is always Ignore, because no deletion (also of a namespace) may wait for this webhook.",
        in_platform=True,
    ),
    Hook(
        "virtualmachine-on-behalf.validate.migratable",
        (rule("VirtualMachine", CREATE, UPDATE),),
        (
            VM_CHANGED,
            Condition(
                "asked-of-kubevirt",
                f"({BY_VIRT_API} || ({BY_CONTROLLER} && (request.operation == 'CREATE' ? !{POOLED_BY} : {RESTORING})))"
                f" && {WRITES_VMS}",
                "A clone or a restore contains a tenant's patches, and `addvolume` adds a tenant's volume. The VMs of a"
                " pool are excluded, because the pool is judged.",
            ),
        ),
        2,
        "Writes by KubeVirt's accounts on behalf of a user: clones, restores, and volumes plugged in through the"
        " subresource API. The failurePolicy is always Ignore, because an outage of this webhook must not block KubeVirt's"
        " accounts.",
        late_denies=True,
    ),
    Hook(
        "patched-virtualmachine.validate.migratable",
        tuple(Rule(kind, (CREATE,)) for kind in PATCHED_COPIES),
        (
            Condition(
                "has-patches",
                "has(object.spec) && has(object.spec.patches) && object.spec.patches.size() > 0",
            ),
            Condition(
                "not-made-for-a-clone",
                f"!({BY_CONTROLLER} && {WRITES_VMS})",
                "virt-controller creates a restore for each clone. The clone already produced a warning.",
            ),
        ),
        2,
        "Patches outside the spec, labels and annotations are denied. Other patches only produce a warning, because the"
        " patched VM is judged when virt-controller creates it.",
        late_denies=True,
    ),
    Hook(
        "virtualmachineinstance-update.validate.migratable",
        (rule("VirtualMachineInstance", UPDATE),),
        (
            UPDATE_NOT_BEING_DELETED,
            Condition(
                "verdict-may-change",
                f"({changed('spec.volumes')} || ({annotated('oldObject', BRIDGE_OVERRIDE)}"
                f" && !{annotated('object', BRIDGE_OVERRIDE)}))"
                f" && !({BY_CONTROLLER} && {WRITES_VMIS})",
                "Heartbeats change neither volumes nor annotations. virt-controller only copies changes that were"
                " already judged in the VM. The authorizer check is last, so that it runs only for virt-controller's"
                " account.",
            ),
        ),
        2,
        "Two changes to a VMI can block migration: a new volume (`addvolume` of the VMI), and the removal of the"
        " annotation that allows a bridge. The failurePolicy is always Ignore, so that an outage of this webhook"
        " never blocks a status update of a VMI.",
        late_denies=True,
    ),
    Hook(
        "virtualmachine-hotplug.validate.migratable",
        (rule("VirtualMachine", UPDATE, subresource="status"),),
        (
            UPDATE_NOT_BEING_DELETED,
            Condition(
                "volume-requested",
                "has(object.status) && has(object.status.volumeRequests)"
                " && object.status.volumeRequests.exists(wanted, has(wanted.addVolumeOptions)"
                " && (object.status.volumeRequests.size() > 100"
                " || !has(oldObject.status) || !has(oldObject.status.volumeRequests)"
                " || !(wanted in oldObject.status.volumeRequests)))",
                "Comparing two long lists exceeds the cost limit of a condition, so updates with long lists are always"
                " sent.",
            ),
        ),
        2,
        "Adding a disk to a running VM writes the status of the VM. The failurePolicy is always Ignore, because no"
        " status may wait for this webhook.",
        late_denies=True,
    ),
)

MUTATING_HOOKS: Final = (
    Hook(
        "virtualmachine.default.migratable",
        (
            rule("VirtualMachine", CREATE),
            rule("VirtualMachineInstance", CREATE),
            rule("VirtualMachineInstanceReplicaSet", CREATE),
            rule("VirtualMachinePool", CREATE, group=POOL_GROUP),
        ),
        (
            Condition(
                "not-a-receiver",
                f"!(request.resource.resource == 'virtualmachineinstances' && {RECEIVER} && {BY_CONTROLLER} && {WRITES_VMIS})",
                "In a migration between clusters, virt-controller makes the receiving VMI match the sending VMI.",
            ),
        ),
        2,
        only_with="defaultEvictionStrategy",
    ),
    Hook(
        "kubevirt.default.migratable",
        (rule("KubeVirt", CREATE, UPDATE),),
        (NOT_BEING_DELETED, NOT_BY_THE_OPERATOR, CONFIGURATION_CHANGED),
        2,
        in_platform=True,
    ),
)
