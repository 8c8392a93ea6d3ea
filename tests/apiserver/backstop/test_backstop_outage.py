"""
While every replica is stopped and failurePolicy is Ignore, the backstop refuses violations visible in the object itself.

It refuses nothing else.

The requests that are never blocked are those of ``test_never_blocked``, run against the backstop.
"""

import copy
import json

import pytest

from tests.apiserver.admission import test_never_blocked as script
from tests.apiserver.admission.test_never_blocked import plane, standin
from tests.apiserver.backstopping import RULE, install, wait_in_force
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.standin import StandIn
from tests.apiserver.unavailable import KUBEVIRT, Dark, Manifest, fill, pool, replica_set, vm, vmi
from tests.properties.supply import TODAY
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.kubevirt.releases import SUPPORTED
from webhook.policy.policy import Policy
from webhook.surfaces.backstop.parameters import parameters

__all__ = ["plane", "standin"]

pytestmark = pytest.mark.apiserver

HOOKS = "/apis/admissionregistration.k8s.io/v1/{}webhookconfigurations/migratable-{}"


@pytest.fixture(scope="module")
def dark(plane: ControlPlane, standin: StandIn) -> Dark:
    """No replica, failurePolicy Ignore, the backstop in force, and a namespace that was filled before it."""
    client = plane.client
    namespace = client.create_namespace("outage")
    standin.become("dead")
    for names in (("validating", "validate"), ("mutating", "default")):
        configuration = client.api("GET", HOOKS.format(*names)).document
        for hook in configuration["webhooks"]:
            hook["failurePolicy"] = "Ignore"
        assert client.api("PUT", HOOKS.format(*names), configuration).status == 200
    path = f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines?dryRun=All"
    wait_until(lambda: client.api("POST", path, vm("probe")).status == 201, PATIENCE_SECONDS, "requests to pass")
    fill(plane, namespace)
    client.create(path.partition("?")[0], vm("changing"))
    install(plane, parameters(Policy(), SUPPORTED, TODAY), platform=(KUBEVIRT, "cdi"))
    wait_in_force(plane, namespace)
    return Dark(plane, standin, namespace)


def devices(**more: object) -> Manifest:
    """The devices of a VM that can be live-migrated, and more."""
    return {"interfaces": [{"name": "default", "masquerade": {}}], **more}


def interface(**more: object) -> Manifest:
    return devices(interfaces=[{"name": "default", **more}])


LAWFUL = devices()
VIOLATIONS = [
    ("LM101", interface(bridge={})),
    ("LM103", interface(masquerade={}, ports=[{"port": 49152}])),
    ("LM103", interface(masquerade={}, ports=[{"port": 49153}])),
    ("LM203", devices(filesystems=[{"name": "os", "virtiofs": {}}])),
    ("LM301", devices(hostDevices=[{"name": "usb", "deviceName": "kubevirt.io/usb"}])),
    ("LM302", devices(gpus=[{"name": "gpu", "deviceName": "nvidia.com/A10"}])),
]
KINDS = {"vm": vm, "vmi": vmi, "vmirs": replica_set, "vmpool": pool}


def made(kind: str, name: str, wanted: Manifest) -> Manifest:
    """An object of this kind, its VMI with these devices."""
    manifest = copy.deepcopy(KINDS[kind](name))
    spec = manifest["spec"]
    if kind == "vmpool":
        spec = spec["virtualMachineTemplate"]["spec"]
    spec = spec if kind == "vmi" else spec["template"]["spec"]
    spec["domain"]["devices"] = wanted
    spec["networks"] = [{"name": "default", "pod": {}}]
    return manifest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("rule", "wanted"), VIOLATIONS)
def test_violations_that_the_object_alone_shows_are_refused(dark: Dark, kind: str, rule: str, wanted: Manifest) -> None:
    """
    VMs, VMIs, replica sets and pools with violations of the object-only rules are refused. The output of kubectl names
    the rule.
    """
    done = dark.kubectl("create", "-f", "-", stdin=made(kind, "refused", wanted))

    assert done.returncode == 1, done.stdout
    assert RULE.findall(done.stderr) == [rule]


@pytest.mark.parametrize("kind", KINDS)
def test_objects_without_visible_violations_pass(dark: Dark, kind: str) -> None:
    """
    Objects that only the webhook could judge also pass: they name a claim or an instancetype, or have an interface that
    KubeVirt fills in.
    """
    dark.assert_passes("create", "-f", "-", stdin=made(kind, f"lawful-{kind}", LAWFUL))
    dark.assert_passes("create", "-f", "-", stdin=made(kind, f"bare-{kind}", {}))


def test_an_update_may_keep_or_remove_old_violations(dark: Dark) -> None:
    """
    A VM with an old host device may change. A second host device is refused, and so is a GPU beside it.
    """
    path = "/spec/template/spec/domain/devices"

    def status(*operations: Manifest) -> int:
        return dark.kubectl("patch", "vm/changing", "--type=json", "-p", json.dumps(operations)).returncode

    device = {"name": "second", "deviceName": "kubevirt.io/usb"}
    assert status({"op": "add", "path": f"{path}/hostDevices/-", "value": device}) == 1
    assert status({"op": "add", "path": f"{path}/gpus", "value": [device]}) == 1
    assert status({"op": "add", "path": f"{path}/rng", "value": {}}) == 0
    assert status({"op": "remove", "path": f"{path}/hostDevices"}) == 0


def test_a_setting_out_of_range_is_refused(dark: Dark) -> None:
    """
    In the KubeVirt CR, from any user but its operator.
    """
    wrong = json.dumps({"spec": {"configuration": {"migrations": {"parallelMigrationsPerCluster": 0}}}})

    done = dark.kubectl("-n", KUBEVIRT, "patch", "kubevirt/kubevirt", "--type=merge", "-p", wrong)

    assert done.returncode == 1
    assert RULE.findall(done.stderr) == ["LM609"]


def test_a_refusal_appears_once(dark: Dark) -> None:
    """
    While the webhook responds, requests that the backstop refuses do not reach the webhook. Requests that pass the
    backstop reach it.
    """
    dark.standin.become("junk")
    try:
        before = dark.standin.reviews
        refused = dark.kubectl("create", "-f", "-", stdin=made("vm", "refused", interface(bridge={})))
        between = dark.standin.reviews
        dark.kubectl("create", "-f", "-", "--dry-run=server", stdin=made("vm", "asked", LAWFUL))
    finally:
        dark.standin.become("dead")

    assert RULE.findall(refused.stderr) == ["LM101"]
    assert dark.standin.reviews > between
    assert between - before <= 2  # the defaulting webhook, which may be called twice


globals().update({name: value for name, value in vars(script).items() if name.startswith("test_n")})
