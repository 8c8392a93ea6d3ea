"""
The API server evaluates the policies of the backstop itself. They refuse what the engine denies for the object alone.

``MIGRATABLE_BACKSTOP`` is the number of generated objects for each set of definitions.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.apiserver import crds
from tests.apiserver.backstop_objects import (
    NAMESPACE,
    NUMBERS,
    entries,
    interface,
    masquerade,
    ports,
    ranges,
    replaced,
    stored,
    vm,
)
from tests.apiserver.backstopping import LOADER, PATHS, TENANT, Caller, Manifest, install, wait_in_force
from tests.apiserver.binaries import find_binary, missing_binaries
from tests.apiserver.controlplane import ControlPlane
from tests.generating import carriers
from tests.generating.object_only import objects, pairs
from tests.properties.supply import TODAY, create, denials, update
from tests.wrapping import wraps
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.releases import SUPPORTED
from webhook.policy.policy import Account, Action, Policy
from webhook.rules.rule import Example, Rule
from webhook.surfaces.admission.responses import CONSEQUENCE, cause_of, lead_of
from webhook.surfaces.admission.validate import JudgingContext, Outcome
from webhook.surfaces.backstop.parameters import IN_CEL, parameters
from webhook.surfaces.backstop.policies import policies

pytestmark = pytest.mark.apiserver


EXAMPLES = int(os.environ.get("MIGRATABLE_BACKSTOP", "500"))


GENERATED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    derandomize=EXAMPLES <= 500,
    suppress_health_check=list(HealthCheck),
)


IN_POLICIES = {rule.id for rule in IN_CEL}


LOADING = Account(
    LOADER, reason="stores what was there before", owner="tests", until="2099-01-01", at_most=Action.AUDIT
)


HELP = "https://wiki.example/it's#migration"


@pytest.fixture(scope="module", params=["own", "real"])
def plane(request: pytest.FixtureRequest) -> Iterator[ControlPlane]:
    """With the project's own definitions, and with those that KubeVirt installs, where they are at hand."""
    definitions = crds.OWN if request.param == "own" else crds.real()
    if not definitions:
        pytest.skip(crds.NO_REAL)
    with ControlPlane(crds=definitions) as running:
        for name in ("migratable", NAMESPACE, "kubevirt"):
            running.client.create("/api/v1/namespaces", {"metadata": {"name": name}})
        yield running


@pytest.fixture(scope="module")
def callers(plane: ControlPlane) -> Iterator[tuple[Caller, Caller]]:
    """The loader and a tenant, with the policies in force under profile strict."""
    loader, tenant = Caller(plane, LOADER), Caller(plane, TENANT)
    install(plane, parameters(Policy(accounts=[LOADING], help=HELP), SUPPORTED, TODAY), failing=True)
    wait_in_force(plane, NAMESPACE)
    yield loader, tenant
    loader.close()
    tenant.close()


def context() -> JudgingContext:
    """The context of an empty cluster."""
    return JudgingContext(ObjectsWorld((), ()), SUPPORTED, Policy(), TODAY, "kubevirt")


def in_words(outcome: Outcome) -> str:
    """The causes of a denial by the engine, for the rules that the policies have."""
    causes = [
        cause_of(decision)
        for decision in outcome.decisions
        if decision.action is Action.DENY and decision.finding.rule.cel
    ]
    return "; ".join(f"{cause.field}: {cause.message}" for cause in causes)


def denied(findings: set[tuple[str, str]]) -> set[str]:
    """The rules of denials, of those that are in the policies."""
    return {rule for rule, _ in findings} & IN_POLICIES


@GENERATED
@given(st.one_of(objects(), objects(), carriers()))
def test_a_new_object_is_refused_for_the_rules_that_the_engine_denies(
    callers: tuple[Caller, Caller], manifest: Manifest
) -> None:
    """
    VMs, VMIs, replica sets, pools and KubeVirt CRs are refused exactly for the object-only rules that the engine
    denies.
    """
    loader, tenant = callers
    made = stored(loader.create(manifest))

    answer = tenant.create(manifest)

    assert answer.rules == denied(denials(create(made, context())))


@GENERATED
@given(pairs())
def test_an_update_is_refused_for_new_violations(
    callers: tuple[Caller, Caller], pair: tuple[Manifest, Manifest]
) -> None:
    """
    The backstop compares old and new findings as the engine does, except that it does not know what the old object took
    from an instancetype or a preference.
    """
    loader, tenant = callers
    name = f"object-{next(NUMBERS)}"
    before, changed = (manifest | {"metadata": manifest["metadata"] | {"name": name}} for manifest in pair)
    old = stored(loader.create(before, dry=False))
    changed["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
    new = stored(loader.update(changed))

    answer = tenant.update(changed)

    expected = denied(denials(update(old, new, context())))
    assert answer.rules <= expected
    assert expected - answer.rules <= ({"LM101"} if refers(old) else set())


def refers(manifest: Manifest) -> bool:
    """Whether a VM refers to an instancetype or a preference."""
    spec = manifest["spec"]
    if manifest["kind"] == "VirtualMachinePool":
        spec = spec["virtualMachineTemplate"].get("spec", {})
    return "instancetype" in spec or "preference" in spec


EXAMPLES_IN_CEL = [
    pytest.param(rule, example, id=f"{rule.id}: {example.title}")
    for rule in IN_CEL
    for example in rule.examples
    if not example.world
]


@pytest.mark.parametrize(("rule", "example"), EXAMPLES_IN_CEL)
def test_a_refusal_has_the_message_of_the_engine(callers: tuple[Caller, Caller], rule: Rule, example: Example) -> None:
    """
    Each example of a rule, in every kind: opening sentence, help line, field path, problem, remedy and rule, word by word.
    """
    loader, tenant = callers
    for wrap in wraps(rule, example):
        manifest = wrap(example)
        made = loader.create(manifest)
        if made.status == 201:  # the real definitions refuse some examples themselves
            answer = tenant.create(manifest)
            outcome = create(made.document, context())
            said = in_words(outcome)
            if said:
                lead = lead_of(manifest["kind"], outcome.decisions)
                is_said = "cannot be live-migrated, so" in lead  # the first cause then does not repeat it
                said = f"{lead} {said.replace(f'{CONSEQUENCE}.', '.', 1) if is_said else said} Help: {HELP}"
            assert said == answer.document.get("message", "").partition(" denied request: ")[2]


BRIDGE = {"interfaces": [{"name": "default", "bridge": {}}]}


HOSTILE = {
    "a number": 5,
    "text": BRIDGE_OVERRIDE,
    "a list": [BRIDGE_OVERRIDE],
    "a deep object": {"note": {"note": {"note": {}}}},
    "nothing": None,
}


@pytest.mark.parametrize("annotations", HOSTILE.values(), ids=HOSTILE)
def test_metadata_of_any_type_is_no_error(callers: tuple[Caller, Caller], annotations: object) -> None:
    """
    Definitions leave the metadata of a template open. Whatever it holds excuses no bridge and refuses no lawful VM.
    """
    _, tenant = callers
    lawful, bridge = vm(devices={}), vm(devices=BRIDGE)
    for machine in (lawful, bridge):
        machine["spec"]["template"]["metadata"] = {"annotations": annotations}

    assert (tenant.create(lawful).status, tenant.create(bridge).rules) == (201, {"LM101"})


@pytest.mark.parametrize("value", ["", "false", 5, None])
def test_the_key_of_the_annotation_allows_a_bridge(callers: tuple[Caller, Caller], value: object) -> None:
    """
    Whatever its value, as in KubeVirt.
    """
    _, tenant = callers
    made = vm(devices=BRIDGE)
    made["spec"]["template"]["metadata"] = {"annotations": {BRIDGE_OVERRIDE: value}}

    assert tenant.create(made).status == 201


HOSTILE_NAMES = {
    "blanks and line breaks": "a\n0 0 x y z",
    "a line of the ports": "0 0 49152 49152",
    "a line break": "\n",
    "a carriage return": "a\r\nb",
    "ESC": "\x1b[31mred\x1b[0m",
    "NUL": "a\x00b",
    "DEL": "\x7f",
    "not ASCII": "g\u00fc\U0001f600\u202e",
    "quotes": 'it\'s "quoted" \\',
    "braces": "{it.name}",
    "nothing": "",
    "254 characters": "x" * 254,
}


PRINTABLE = re.compile(r"[ -~…]*")


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_no_name_makes_an_expression_fail(callers: tuple[Caller, Caller], name: str) -> None:
    """
    Definitions bound no name. Whatever one holds, violations beside it are refused, and messages are printable.
    """
    loader, tenant = callers
    ranged = {"interfaces": [masquerade(name, portRanges=ranges(1)), masquerade("b", ports=ports(49152))]}
    listed = {"interfaces": [masquerade(name, ports=ports(49153)), masquerade("b", portRanges=ranges(200))]}
    devices = {key: [entry | {"name": name} for entry in entries(key, "x", 1)] for key in ("gpus", "filesystems")}
    odd = {"hostDevices": [{"name": "x", "deviceName": name}]}

    replies = [tenant.create(vm(devices=device_fields)) for device_fields in (ranged, listed, devices, odd)]
    replies += [
        replaced(loader, tenant, {"rng": {}}, device_fields) for device_fields in (ranged, listed, devices, odd)
    ]

    assert [reply.rules for reply in replies] == [{"LM103"}, {"LM103"}, {"LM203", "LM302"}, {"LM301"}] * 2
    assert all(PRINTABLE.fullmatch(reply.document["message"]) for reply in replies)
    for device_fields in (ranged, listed, devices, odd):
        assert replaced(loader, tenant, device_fields, device_fields | {"rng": {}}).status == 200


@pytest.mark.parametrize("name", HOSTILE_NAMES.values(), ids=HOSTILE_NAMES)
def test_no_name_of_a_bridge_makes_an_expression_fail(callers: tuple[Caller, Caller], name: str) -> None:
    """
    The interface on the pod network is found by the name of its network.
    """
    _, tenant = callers
    made = vm(devices={"interfaces": [{"name": name, "bridge": {}}]})
    made["spec"]["template"]["spec"]["networks"] = [{"name": name, "pod": {}}]

    answer = tenant.create(made)

    assert answer.rules == {"LM101"}
    assert PRINTABLE.fullmatch(answer.document["message"])


def test_type_checking_gives_no_warnings(plane: ControlPlane, callers: tuple[Caller, Caller]) -> None:
    """
    `status.typeChecking` of every policy stays empty, also if each variable is checked as part of a validation.

    An API server reports nothing about variables. A field that no definition has is reported here, so it would be.
    """
    if (why := missing_binaries(["typecheck"])) is not None:
        pytest.skip(why)
    checked = {f"checked.{policy_object['metadata']['name']}": policy_object for policy_object in policies()}
    for name, policy in checked.items():
        policy["metadata"]["name"] = name
        sizes = (f"[dyn({variable['expression']})].size()" for variable in policy["spec"]["variables"])
        expressions = (f"{' + '.join(sizes)} > 0", "has(object.spec.nosuch)")
        policy["spec"]["validations"] = [{"expression": expression} for expression in expressions]
        plane.client.create(PATHS["ValidatingAdmissionPolicy"], policy)

    done = subprocess.run(
        [find_binary("typecheck"), plane.client.kubeconfig()], capture_output=True, text=True, check=True
    )

    warnings = json.loads(done.stdout)
    for name in checked:
        (warning,) = warnings.pop(name) or [None]
        assert warning is not None
        assert warning["fieldRef"] == "spec.validations[1].expression"
    assert set(warnings.values()) == {None}


def between(start: int, end: int) -> Manifest:
    return interface(portRanges=[{"start": start, "end": end, "protocol": "TCP"}])


@pytest.mark.parametrize(
    ("start", "end", "refused"),
    [
        (49152, 49152, True),
        (49153, 49153, True),
        (1, 49152, True),
        (49153, 65535, True),
        (1, 49151, False),
        (49154, 65535, False),
        (49153, 49152, False),
    ],
)
def test_a_range_is_refused_for_the_ports_that_it_contains(
    callers: tuple[Caller, Caller], start: int, end: int, refused: bool
) -> None:
    """
    The range includes both ends. A range that ends before it starts contains no port.
    """
    assert callers[1].create(vm(devices=between(start, end))).rules == ({"LM103"} if refused else set())


GPU = {"name": "gpu", "deviceName": "vendor.com/x"}


OTHER_GPU = GPU | {"name": "other"}


UPDATES = {
    "the same ports": (interface(ports=ports(49152)), interface(ports=ports(22, 49152)), False),
    "the other port": (interface(ports=ports(49152)), interface(ports=ports(49153)), True),
    "one more port": (interface(ports=ports(49152)), interface(ports=ports(49152, 49153)), True),
    "the port of another interface": (
        interface(ports=ports(49152)),
        {"interfaces": [masquerade("b", ports=ports(49152))]},
        True,
    ),
    "a port that bridged before": (BRIDGE, interface(ports=ports(49152)), True),
    "the same range": (between(1, 49152), between(1, 49152) | {"rng": {}}, False),
    "a wider range": (between(1, 49152), between(1, 49153), True),
    "GPUs in another order": ({"gpus": [GPU, OTHER_GPU]}, {"gpus": [OTHER_GPU, GPU]}, False),
    "another device behind a name": ({"gpus": [GPU]}, {"gpus": [GPU | {"deviceName": "vendor.com/y"}]}, True),
    "a GPU instead of a host device": ({"hostDevices": [GPU]}, {"gpus": [GPU]}, True),
    "the same bridge": (BRIDGE, BRIDGE | {"rng": {}}, False),
    "a bridge that becomes masquerade, too": (
        BRIDGE,
        {"interfaces": [{"name": "default", "bridge": {}, "masquerade": {}}]},
        False,
    ),
}


@pytest.mark.parametrize(("old", "new", "refused"), UPDATES.values(), ids=UPDATES)
def test_an_update_is_compared_by_identity_and_not_by_index(
    callers: tuple[Caller, Caller], old: Manifest, new: Manifest, refused: bool
) -> None:
    """
    Identity is the rule with the interface and port, the range, or the device, never an index.
    """
    loader, tenant = callers
    name = f"update-{next(NUMBERS)}"
    before, after = vm(name, devices=old), vm(name, devices=new)
    after["metadata"]["resourceVersion"] = loader.create(before, dry=False).document["metadata"]["resourceVersion"]

    answer = tenant.update(after)

    assert bool(answer.rules) is refused
