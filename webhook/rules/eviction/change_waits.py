"""KubeVirt applies most changes to a running VM by a live migration."""

from collections.abc import Iterator

from webhook.facts.live_change import LiveChangeFacts
from webhook.rules.example import claim, kubevirt
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_DEVICES = "interfaces: [{name: lan, bridge: {}}]"
_NETWORKS = "networks: [{name: lan, multus: {networkName: lan}}]"


def check(facts: LiveChangeFacts) -> Iterator[Outcome]:
    for change in facts.changes:
        reason = (
            "KubeVirt needs a live migration for it, and this VM cannot be live-migrated"
            if change.migrates
            else "KubeVirt does not apply it to a running VM"
        )
        yield Violation(
            change.path,
            f"the change to {change.name} waits until the VM restarts: {reason}",
            change.name,
            releases=change.releases,
        )


def _vm(domain: str = "", volumes: str = "", interfaces: str = _DEVICES, networks: str = _NETWORKS) -> str:
    """The spec of a VM with a PVC that is not shared."""
    disk = "{name: os, persistentVolumeClaim: {claimName: data}}"
    return f"{{template: {{spec: {{domain: {{{domain}devices: {{{interfaces}}}}}, {networks}, volumes: [{disk}{volumes}]}}}}}}"


_LIVE = kubevirt(vmRolloutStrategy="LiveUpdate")
_RWO = (_LIVE, claim("data", "ReadWriteOnce"))
_RWX = (_LIVE, claim("data", "ReadWriteMany"))
_ONE, _TWO = "cpu: {sockets: 1}, ", "cpu: {sockets: 2}, "
_NICS = ("template.spec.domain.devices.interfaces",)
_SOCKETS = ("template.spec.domain.cpu.sockets",)
RULE = Rule(
    id="LM508",
    name="change-waits-for-restart",
    about=About.VM_CHANGE,
    severity=Severity.WARNING,
    summary="A change to a running VM waits for a restart, because the VM cannot be live-migrated.",
    rationale=(
        "With vmRolloutStrategy LiveUpdate, new sockets, memory and interfaces reach a running VM by a live "
        "migration, also if they come from another instancetype. If the VM cannot be live-migrated, KubeVirt sets "
        "condition RestartRequired, or the change waits indefinitely. From KubeVirt 1.4 on, new interfaces need a live "
        "migration even without LiveUpdate. From 1.9 on, so does another NetworkAttachmentDefinition. Other changes always "
        "need a restart: maxGuest, cores, a preference, a changed or removed interface, and a volume that is not "
        "hotplugged."
    ),
    remediation="Restart the VM at a suitable time (`virtctl restart`), or correct what prevents the live migration first.",
    source=(
        "pkg/virt-controller/watch/vm/vm.go syncRestartRequired, handleCPUChangeRequest, handleMemoryHotplugRequest and "
        "validLiveUpdateVolumes, pkg/network/vmliveupdate/restart.go IsRestartRequired, v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/user_workloads/vm_rollout_strategies/",
    check=check,
    examples=(
        Example("the same sockets", _vm(_ONE), before=_vm(_ONE), world=_RWO),
        Example("more sockets of a VM that can be live-migrated", _vm(_TWO), before=_vm(_ONE), world=_RWX),
        Example(
            "more sockets, staged", _vm(_TWO), before=_vm(_ONE), world=(kubevirt(vmRolloutStrategy="Stage"), _RWO[1])
        ),
        Example(
            "more sockets in 1.5, where Stage is the default",
            _vm(_TWO),
            before=_vm(_ONE),
            world=(kubevirt(), _RWO[1]),
            release="1.5",
        ),
        Example("more sockets, and a PVC that was not provided", _vm(_TWO), before=_vm(_ONE), world=(_LIVE,)),
        Example(
            "a hotplugged volume",
            _vm(volumes=", {name: h, persistentVolumeClaim: {claimName: h, hotpluggable: true}}"),
            before=_vm(),
            world=_RWO,
        ),
        Example("more sockets", _vm(_TWO), before=_vm(_ONE), world=_RWO, violates=_SOCKETS),
        Example(
            "more sockets in 1.9, where LiveUpdate is the default",
            _vm(_TWO),
            before=_vm(_ONE),
            world=(kubevirt(), _RWO[1]),
            violates=_SOCKETS,
        ),
        Example("fewer sockets", _vm(_ONE), before=_vm(_TWO), world=_RWO, violates=_SOCKETS),
        Example(
            "more memory",
            _vm("memory: {guest: 4Gi}, "),
            before=_vm("memory: {guest: 2Gi}, "),
            world=_RWO,
            violates=("template.spec.domain.memory.guest",),
        ),
        Example(
            "the same memory in another unit",
            _vm("memory: {guest: 2048Mi}, "),
            before=_vm("memory: {guest: 2Gi}, "),
            world=_RWO,
        ),
        Example(
            "one more interface",
            _vm(
                interfaces="interfaces: [{name: lan, bridge: {}}, {name: new, bridge: {}}]",
                networks="networks: [{name: lan, multus: {networkName: lan}}, {name: new, multus: {networkName: new}}]",
            ),
            before=_vm(),
            world=_RWO,
            violates=("template.spec.domain.devices.interfaces[1]",),
        ),
        Example(
            "one more volume",
            _vm(volumes=", {name: more, persistentVolumeClaim: {claimName: more}}"),
            before=_vm(),
            world=_RWO,
            violates=("template.spec.volumes[1]",),
        ),
        Example(
            "another instancetype",
            "{instancetype: {name: large}, " + _vm()[1:],
            before="{instancetype: {name: small}, " + _vm()[1:],
            world=_RWO,
            violates=("instancetype",),
        ),
        Example(
            "a removed interface", _vm(interfaces="", networks="networks: []"), before=_vm(), world=_RWO, violates=_NICS
        ),
        Example(
            "another maximum of memory",
            _vm("memory: {guest: 2Gi, maxGuest: 8Gi}, "),
            before=_vm("memory: {guest: 2Gi, maxGuest: 4Gi}, "),
            world=_RWO,
            violates=("template.spec.domain.memory.maxGuest",),
        ),
    ),
)
