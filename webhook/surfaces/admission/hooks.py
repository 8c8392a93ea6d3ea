"""
What API servers are asked to call us about, and when: the webhook configurations, as data.

What must never wait for us or fail for our sake is kept out here, by rules and conditions that the API server evaluates
itself: they hold even when no replica of ours is left. `deploy/generate.py` writes this down for kustomize and Helm.

Never seen: updates of a VirtualMachineInstance (each heartbeat of virt-handler is one), migrations, pods, evictions, nodes;
and of the kinds below, changes of metadata alone, starting, stopping and scaling. That covers what happens to an object
that is being deleted (finalizers), unless its judged part changes: a finalizer must not let a spec change unseen.
"""

from dataclasses import dataclass
from typing import Final

from webhook.objects.kinds import BY_GROUP_KIND, KUBEVIRT_GROUP, Kind

CREATE, UPDATE, DELETE = "CREATE", "UPDATE", "DELETE"


@dataclass(frozen=True, slots=True)
class Condition:
    """A CEL expression without which the webhook is not called, and why it is there."""

    name: str
    expression: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Operations on one resource, in the versions that it is asked for in."""

    kind: Kind
    operations: tuple[str, ...]
    subresource: str = ""

    @property
    def resource(self) -> str:
        """The plural, and the subresource behind it."""
        return f"{self.kind.plural}/{self.subresource}" if self.subresource else self.kind.plural

    @property
    def versions(self) -> list[str]:
        """v1 where there is one, for API servers convert to it; else each version that a KubeVirt release may serve."""
        return ["v1"] if "v1" in self.kind.versions else list(self.kind.versions)


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook of a configuration."""

    name: str
    rules: tuple[Rule, ...]
    conditions: tuple[Condition, ...]
    seconds: int
    """How long the API server waits."""
    why: str = ""
    in_platform: bool = False
    """Whether objects in the namespaces of KubeVirt and CDI are judged, too."""
    may_fail: bool = False
    """Whether failurePolicy Fail is possible; never where a status, a deletion or a default would wait for us."""

    @property
    def cluster_wide(self) -> bool:
        """Whether its objects are in no namespace."""
        return not any(rule.kind.namespaced for rule in self.rules)


def rule(kind: str, *operations: str, group: str = KUBEVIRT_GROUP, subresource: str = "") -> Rule:
    """A rule for one of the kinds that we judge."""
    return Rule(BY_GROUP_KIND[group, kind], operations, subresource)


def changed(*paths: str) -> str:
    """True where one of these optional places came, went or is another; their parents must be there."""
    return " || ".join(
        f"has({new}) != has({old}) || (has({new}) && {new} != {old})"
        for new, old in ((f"object.{path}", f"oldObject.{path}") for path in paths)
    )


def created_or(expression: str) -> str:
    """True for what is created, else what the expression says."""
    return f"request.operation == 'CREATE' || {expression}"


def account(name: str) -> str:
    """Whether a service account of this name asks, in whatever namespace; any tenant can make one."""
    return f"request.userInfo.username.matches('^system:serviceaccount:[^:]+:{name}$')"


def may_everywhere(verb: str, resource: str) -> str:
    """Whether who asks has this right in every namespace, which no tenant has."""
    return f"authorizer.group('kubevirt.io').resource('{resource}').check('{verb}').allowed()"


RECEIVER: Final = (
    "has(object.metadata.annotations) && 'kubevirt.io/create-migration-target' in object.metadata.annotations"
    " && object.metadata.annotations['kubevirt.io/create-migration-target'] == 'true'"
)
OWNED: Final = (
    "has(object.metadata.ownerReferences) && object.metadata.ownerReferences.exists(owner, owner.kind in"
    " ['VirtualMachine', 'VirtualMachineInstanceReplicaSet', 'VirtualMachinePool'])"
)
STAYS: Final = Condition("not-being-deleted", created_or("!has(oldObject.metadata.deletionTimestamp)"))
SPEC: Final = ("dataVolumeTemplates", "instancetype", "preference")
POOLED: Final = "spec.virtualMachineTemplate.spec"
NOT_BY_THE_OPERATOR: Final = Condition(
    "not-by-the-operator",
    "request.userInfo.username != 'system:serviceaccount:' + request.namespace + ':kubevirt-operator'",
    "The operator runs in the namespace of the KubeVirt resource.",
)
BY_HYPER_CONVERGED: Final = (
    "request.userInfo.username == 'system:serviceaccount:' + request.namespace + ':hyperconverged-cluster-operator'"
)
CONFIGURATION_CHANGED: Final = Condition("configuration-changed", created_or(changed("spec.configuration")))
NAD_GROUP: Final = "k8s.cni.cncf.io"
POLICY_GROUP: Final = "migrations.kubevirt.io"
POOL_GROUP: Final = "pool.kubevirt.io"

VALIDATING_HOOKS: Final = (
    Hook(
        "virtualmachine.validate.migratable",
        (rule("VirtualMachine", CREATE, UPDATE),),
        (
            Condition(
                "judged-part-changed",
                created_or(
                    "object.spec.template != oldObject.spec.template || " + changed(*(f"spec.{each}" for each in SPEC))
                ),
            ),
            Condition(
                "not-kept-by-kubevirt",
                created_or(f"!({account('kubevirt-controller')} && {may_everywhere('update', 'virtualmachines')})"),
                "Starting a VM makes virt-controller write to it (the revision of its instancetype, volumes); no start may"
                " hang on us. A service account of that name in a tenant's namespace has no such right in the whole"
                " cluster.",
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
                    + changed(*(f"{POOLED}.{each}" for each in SPEC))
                    + "))"
                ),
                "The schema demands spec.virtualMachineTemplate, and a template in its spec, but not that spec.",
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
                f"!({account('kubevirt-controller')} && {OWNED} && "
                f"{may_everywhere('create', 'virtualmachineinstances')})",
                "A VM that was admitted before us must always start again. Name and owner can be forged by a tenant, the"
                " right to create instances in every namespace cannot.",
            ),
            Condition(
                "not-a-receiver",
                f"!({RECEIVER})",
                "The receiving side of a migration between clusters runs only what another cluster sends.",
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
                "not-by-hyperconverged", f"!({BY_HYPER_CONVERGED})", "Its operator has a webhook that is always Ignore."
            ),
            CONFIGURATION_CHANGED,
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
                "The operator runs in the namespace of the KubeVirt resource; no tenant has an account there.",
            ),
            CONFIGURATION_CHANGED,
        ),
        2,
        "HyperConverged's operator is only warned. Always Ignore: an outage of ours must not stop it.",
        in_platform=True,
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
                "The schema demands no spec.",
            ),
        ),
        5,
        in_platform=True,
        may_fail=True,
    ),
    Hook(
        "networkattachmentdefinition-delete.validate.migratable",
        (rule("NetworkAttachmentDefinition", DELETE, group=NAD_GROUP),),
        (
            Condition("not-being-deleted", "!has(oldObject.metadata.deletionTimestamp)"),
            Condition(
                "not-cleaning-up",
                "!(request.userInfo.username in ['system:serviceaccount:kube-system:namespace-controller',"
                " 'system:serviceaccount:kube-system:generic-garbage-collector'])",
            ),
        ),
        2,
        "Refused while the KubeVirt resource migrates over it. Always Ignore: no deletion may wait for us, and none of a"
        " namespace.",
        in_platform=True,
    ),
    Hook(
        "virtualmachine-hotplug.validate.migratable",
        (rule("VirtualMachine", UPDATE, subresource="status"),),
        (
            Condition("not-being-deleted", "!has(oldObject.metadata.deletionTimestamp)"),
            Condition(
                "volume-requested",
                "has(object.status) && has(object.status.volumeRequests)"
                " && object.status.volumeRequests.exists(wanted, has(wanted.addVolumeOptions))"
                " && (!has(oldObject.status) || !has(oldObject.status.volumeRequests)"
                " || object.status.volumeRequests.size() > oldObject.status.volumeRequests.size())",
            ),
        ),
        2,
        "A disk that is added while a VM runs arrives as a write of status. Always Ignore: no status may wait for us.",
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
                f"!(request.resource.resource == 'virtualmachineinstances' && {RECEIVER})",
                "The receiving side of a migration between clusters is made to fit the sending side.",
            ),
        ),
        2,
    ),
    Hook(
        "kubevirt.default.migratable",
        (rule("KubeVirt", CREATE, UPDATE),),
        (STAYS, NOT_BY_THE_OPERATOR, CONFIGURATION_CHANGED),
        2,
        in_platform=True,
    ),
)
