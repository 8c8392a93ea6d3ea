"""The parameters of the backstop enforce the policy file as far as they can, and never more."""

from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import msgspec
import pytest

from tests.apiserver import crds
from tests.apiserver.backstopping import TENANT, Caller, Manifest, bind_only, install
from tests.apiserver.controlplane import ControlPlane
from tests.properties.supply import TODAY, create, read
from tests.waiting import PATIENCE_SECONDS, wait_until
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import NEWEST, Release, only
from webhook.policy.policy import Account, Action, Exemption, NamespacePolicy, Policy, Profile
from webhook.surfaces.admission.responses import certain_lead
from webhook.surfaces.admission.validate import JudgingContext, Outcome
from webhook.surfaces.backstop.parameters import parameters

pytestmark = pytest.mark.apiserver

HERE = "here"
"""The placeholder in a policy for the namespace of the case."""
ELSEWHERE = "elsewhere"
LABELS = {"env": "dev", "tier": "a"}
NUMBERS = count()
UNSURE = "plugin"
"""The VM of which the engine knows more in some releases: an interface with two bindings, which KubeVirt itself refuses."""
ONE = {"name": "one", "deviceName": "vendor.com/x"}
TWO = ONE | {"name": "two"}


def vm(name: str, strategy: str = "LiveMigrate", **devices: object) -> Manifest:
    spec = {
        "domain": {"devices": devices},
        "networks": [{"name": "default", "pod": {}}],
        "evictionStrategy": strategy,
    }
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name},
        "spec": {"runStrategy": "Halted", "template": {"spec": spec}},
    }


def interface(**more: object) -> Manifest:
    return {"interfaces": [{"name": "default"} | more]}


VMS: tuple[Manifest, ...] = (
    vm("gpus", gpus=[ONE, TWO]),
    vm("gpu", gpus=[ONE]),
    vm("stays", "None", gpus=[ONE]),
    vm("device", hostDevices=[ONE]),
    vm("filesystem", filesystems=[{"name": "cm", "virtiofs": {}}]),
    vm("ports", **interface(masquerade={}, ports=[{"port": 49152}])),
    vm("bridge", **interface(bridge={})),
    vm(UNSURE, **interface(bridge={}, binding={"name": "plugin"})),
    vm("lawful", **interface(masquerade={})),
)


def until(day: str = "2099-01-01") -> dict[str, Any]:
    return {"reason": "tested", "owner": "tests", "until": day}


POLICIES = {
    "as it comes": Policy(),
    "exact": Policy(profile=Profile.EXACT),
    "actions": Policy(actions={"LM302": Action.WARN, "host-device": Action.AUDIT, "LM203": Action.OFF}),
    "an action of profile exact": Policy(profile=Profile.EXACT, actions={"gpu": Action.DENY}),
    "at most warn": Policy(at_most=Action.WARN),
    "exemptions": Policy(
        exemptions=[
            Exemption("LM302", namespace=HERE, name="gpu", **until()),
            Exemption("host-device", kind="VirtualMachine", **until()),
            Exemption("LM103", kind="VirtualMachineInstance", **until()),
            Exemption("LM203", namespace=ELSEWHERE, **until()),
            Exemption("LM101", **until("2020-01-01")),
        ]
    ),
    "a namespace by name": Policy(namespaces=[NamespacePolicy(names=[HERE], actions={"gpu": Action.OFF})]),
    "namespaces by labels": Policy(
        namespaces=[
            NamespacePolicy(labels={"env": "prod"}, at_most=Action.AUDIT),
            NamespacePolicy(labels=LABELS, profile=Profile.EXACT),
            NamespacePolicy(names=[HERE], at_most=Action.AUDIT),
        ]
    ),
    "labels of which one is missing": Policy(
        namespaces=[NamespacePolicy(labels=LABELS | {"tier": "b"}, at_most=Action.AUDIT)]
    ),
    "evictionStrategy is honoured": Policy(honour_eviction_strategy=True),
    "an account": Policy(accounts=[Account(TENANT, at_most=Action.WARN, namespace=HERE, **until())]),
    "an account elsewhere": Policy(accounts=[Account(TENANT, namespace=ELSEWHERE, **until())]),
    "an account of the past": Policy(accounts=[Account(TENANT, **until("2020-01-01"))]),
}
SILENT = {"exact", "an action of profile exact", "namespaces by labels", "evictionStrategy is honoured"}
"""Policies under which the engine warns of some violations that pass in silence here."""


@pytest.fixture(scope="module")
def tenant() -> Iterator[Caller]:
    """A caller of a control plane that has the policies, and no parameters yet."""
    with ControlPlane(crds=crds.OWN) as plane:
        install(plane, [], failing=True)
        caller = Caller(plane, TENANT)
        yield caller
        caller.close()


@pytest.fixture(scope="module", params=[Release(1, 4), NEWEST], ids=str)
def cases(request: pytest.FixtureRequest, tenant: Caller) -> dict[str, tuple[str, JudgingContext]]:
    """A namespace for each policy, in which it is in force, and what the engine goes by there."""
    made = {}
    releases = only(request.param)
    for name, policy in POLICIES.items():
        space = f"case-{next(NUMBERS)}"
        for namespace, labels in ((space, LABELS), (f"{space}-parameters", {})):
            tenant.plane.client.create("/api/v1/namespaces", {"metadata": {"name": namespace, "labels": labels}})
        here = _at(policy, space)
        bind_only(tenant.plane, parameters(here, releases, TODAY), space, f"{space}-parameters")
        world = ObjectsWorld(
            [read({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": space, "labels": LABELS}})], ()
        )
        made[name] = (space, JudgingContext(world, releases, here, TODAY, "kubevirt"))
    return made


def _at(policy: Policy, space: str) -> Policy:
    """The policy with the case's namespace instead of ``here``."""
    text = msgspec.json.encode(policy).replace(f'"{HERE}"'.encode(), f'"{space}"'.encode())
    return msgspec.json.decode(text, type=Policy)


@pytest.mark.parametrize("name", POLICIES)
def test_the_backstop_enforces_the_policy_file_without_the_webhook(
    tenant: Caller, cases: dict[str, tuple[str, JudgingContext]], name: str
) -> None:
    """
    The policies deny and warn like the engine, as far as the object alone decides: by profile, action, exemption,
    namespace, account and evictionStrategy.
    """
    space, context = cases[name]
    for machine in VMS:
        manifest = machine | {"metadata": machine["metadata"] | {"namespace": space}}
        outcome = create(manifest, context, user=TENANT)
        denied, warned = (_rules(outcome, action) for action in (Action.DENY, Action.WARN))

        what = f"{manifest['metadata']['name']}: {denied} denied, {warned} warned of"
        wait_until(partial(_is_as_decided, tenant, name, manifest, denied, warned), PATIENCE_SECONDS, what)


def _is_as_decided(tenant: Caller, name: str, manifest: Manifest, denied: set[str], warned: set[str]) -> bool:
    answer = tenant.create(manifest)
    if name not in SILENT:
        return (answer.rules, answer.warned_of) == (denied, warned)
    refused = answer.rules <= denied if manifest["metadata"]["name"] == UNSURE else answer.rules == denied
    return refused and answer.warned_of <= warned


def _rules(outcome: Outcome, action: Action) -> set[str]:
    """The rules of violations with this action, of those that are in the policies."""
    findings = [decision.finding for decision in outcome.decisions if decision.action is action]
    return {finding.rule.id for finding in findings if finding.rule.cel and not finding.undetermined}


def test_labels_of_a_namespace_make_no_expression_fail(tenant: Caller) -> None:
    """
    A user who may label a namespace cannot disable the policies in it with many labels.
    """
    space = f"case-{next(NUMBERS)}"
    labels = {f"l{index}": "" for index in range(90_000)} | LABELS
    for name, held in ((space, labels), (f"{space}-parameters", {})):
        tenant.plane.client.create("/api/v1/namespaces", {"metadata": {"name": name, "labels": held}})
    policy = Policy(namespaces=[NamespacePolicy(labels=LABELS, actions={"gpu": Action.OFF})])
    bind_only(tenant.plane, parameters(policy, only(NEWEST), TODAY), space, f"{space}-parameters")
    device, gpu = vm("device", hostDevices=[ONE]), vm("gpu", gpus=[ONE])
    for manifest in (device, gpu):
        manifest["metadata"]["namespace"] = space

    wait_until(lambda: tenant.create(device).status == 422, PATIENCE_SECONDS, "the policy to be in force")

    assert (tenant.create(device).rules, tenant.create(gpu).rules) == ({"LM301"}, set())


@pytest.mark.parametrize(
    ("action", "line", "length"),
    [
        (Action.DENY, "https://wiki.example/migration", 1),
        (Action.DENY, "\u00e9\U0001f600" * 100, 30),
        (Action.WARN, "https://wiki.example/migration", 1),
    ],
)
def test_the_help_line_is_in_denials_and_warnings(tenant: Caller, action: Action, line: str, length: int) -> None:
    """
    Both end with the line. A denial opens as the webhook's denials; a warning refuses nothing.

    The longest message with the longest line is not dropped.
    """
    space = f"case-{next(NUMBERS)}"
    for name in (space, f"{space}-parameters"):
        tenant.plane.client.create("/api/v1/namespaces", {"metadata": {"name": name}})
    policy = Policy(at_most=action, help=line)
    bind_only(tenant.plane, parameters(policy, only(NEWEST), TODAY), space, f"{space}-parameters")
    gpus = [{"name": f"{index:02}{'x' * 250}", "deviceName": "vendor.com/x"} for index in range(length)]
    manifest = vm("gpus", gpus=gpus)
    manifest["metadata"]["namespace"] = space

    def message() -> str:
        answer = tenant.create(manifest)
        return " ".join([str(answer.document.get("message", "")), *answer.warnings])

    wait_until(lambda: "gpus[0]" in message(), PATIENCE_SECONDS, "the policy to be in force")

    opening = f"{certain_lead('VirtualMachine')} "
    said = message()
    first = "spec.template.spec.domain.devices.gpus[0]: "
    if action is Action.DENY:
        assert f" denied request: {opening}{first}" in said
        assert said.rstrip().endswith(f" Help: {line}")
    else:
        assert opening not in said
        assert f": {first}" in said
        assert said.endswith(f' [LM302 gpu] Help: {line}"')
