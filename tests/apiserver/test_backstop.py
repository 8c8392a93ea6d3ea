"""
Policies that the API server evaluates itself refuse what the engine denies on the strength of the object alone.

``MIGRATABLE_BACKSTOP`` says how many generated objects are sent with each set of definitions.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.apiserver import crds
from tests.apiserver.backstopping import LOADER, PATHS, TENANT, Answer, Caller, Manifest, install, wait_in_force
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
from webhook.surfaces.admission.responses import cause_of
from webhook.surfaces.admission.validate import JudgingContext, Outcome
from webhook.surfaces.backstop.parameters import IN_CEL, parameters
from webhook.surfaces.backstop.policies import MOST_ENTRIES, policies
from webhook.surfaces.backstop.variables import MOST_PORTS, MOST_RANGES

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
NAMESPACE = "tenant"
LOADING = Account(
    LOADER, reason="stores what was there before", owner="tests", until="2099-01-01", at_most=Action.AUDIT
)
NUMBERS = count()


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
    install(plane, parameters(Policy(accounts=[LOADING]), SUPPORTED, TODAY), failing=True)
    wait_in_force(plane, NAMESPACE)
    yield loader, tenant
    loader.close()
    tenant.close()


def vm(name: str = "vm", *, devices: Manifest) -> Manifest:
    spec = {"domain": {"devices": devices}, "networks": [{"name": "default", "pod": {}}]}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"runStrategy": "Halted", "template": {"spec": spec}},
    }


def context() -> JudgingContext:
    """What the engine knows of the cluster: nothing."""
    return JudgingContext(ObjectsWorld((), ()), SUPPORTED, Policy(), TODAY, "kubevirt")


def in_words(outcome: Outcome) -> str:
    """The causes of a denial as the engine tells them, of the rules that are in the policies."""
    causes = [cause_of(each) for each in outcome.decisions if each.action is Action.DENY and each.finding.rule.cel]
    return "; ".join(f"{each.field}: {each.message}" for each in causes)


def denied(found: set[tuple[str, str]]) -> set[str]:
    """The rules of denials, of those that are in the policies."""
    return {rule for rule, _ in found} & IN_POLICIES


def stored(answer: Answer) -> Manifest:
    """The object as the API server would store it; an example that it does not take is none."""
    assume(answer.status in (200, 201))
    return answer.document


@GENERATED
@given(st.one_of(objects(), objects(), carriers()))
def test_a_creation_is_refused_for_the_rules_for_which_the_engine_denies_it(
    callers: tuple[Caller, Caller], manifest: Manifest
) -> None:
    """
    VMs, VMIs, replica sets, pools and KubeVirt CRs are refused exactly for the object-only rules that the engine denies.
    """
    loader, tenant = callers
    made = stored(loader.create(manifest))

    answer = tenant.create(manifest)

    assert answer.rules == denied(denials(create(made, context())))


@GENERATED
@given(pairs())
def test_an_update_is_refused_for_what_the_old_object_did_not_have(
    callers: tuple[Caller, Caller], pair: tuple[Manifest, Manifest]
) -> None:
    """
    The ratchet is the engine's. Only what an old object took from an instancetype or a preference is not held against it.
    """
    loader, tenant = callers
    name = f"object-{next(NUMBERS)}"
    before, changed = (each | {"metadata": each["metadata"] | {"name": name}} for each in pair)
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
def test_a_refusal_says_what_the_engine_says(callers: tuple[Caller, Caller], rule: Rule, example: Example) -> None:
    """
    Each example of a rule, in every kind: field path, what is wrong, remedy and rule, word by word.
    """
    loader, tenant = callers
    for wrap in wraps(rule, example):
        manifest = wrap(example)
        made = loader.create(manifest)
        if made.status == 201:  # the real definitions refuse some examples themselves
            answer = tenant.create(manifest)
            said = in_words(create(made.document, context()))
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
    for each in (lawful, bridge):
        each["spec"]["template"]["metadata"] = {"annotations": annotations}

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


MANY = 3000


def device(index: int) -> Manifest:
    return {"name": f"device-{index}", "deviceName": "vendor.com/x"}


def masquerade(name: str = "default", **more: object) -> Manifest:
    return {"name": name, "masquerade": {}} | more


AROUND = range(49_153, 49_153 + MOST_RANGES)


def long_names(size: int, prefix: str = "old") -> list[Manifest]:
    """GPUs that fill an object of 1.5 MB, whose names are as long as those that are compared."""
    length = min(253, 1_000_000 // size) // 2
    return [{"name": f"{prefix}{at:05}" + "x" * length, "deviceName": "y" * length} for at in range(size)]


def interface(**more: Any) -> Manifest:
    return {"interfaces": [masquerade(**more)]}


def ports(*numbers: int) -> list[Manifest]:
    return [{"port": number} for number in numbers]


def ranges(count: int) -> list[Manifest]:
    return [{"start": at, "end": at + 1, "protocol": "TCP"} for at in range(49_000, 49_000 + count)]


LONG_LISTS = {
    "GPUs": ({"gpus": [device(index) for index in range(MANY)]}, {"LM302"}),
    "host devices": ({"hostDevices": [device(index) for index in range(2 * MANY)]}, {"LM301"}),
    "filesystems": ({"filesystems": [{"name": f"fs-{index}", "virtiofs": {}} for index in range(2 * MANY)]}, {"LM203"}),
    "ports": ({"interfaces": [masquerade(ports=ports(*range(1, MOST_PORTS + 1)))]}, set()),
    "the last of many ports": ({"interfaces": [masquerade(ports=ports(*range(1, MOST_PORTS), 49152))]}, {"LM103"}),
    "more ports than can be checked": ({"interfaces": [masquerade(ports=ports(*range(1, MOST_PORTS + 2)))]}, {"LM103"}),
    "a port among too many": (
        {"interfaces": [masquerade(ports=ports(*range(1, 2500), 49152, *range(2500, 5001)))]},
        {"LM103"},
    ),
    "too many ports of a bridge": (
        {"interfaces": [{"name": "red", "bridge": {}, "ports": ports(*range(1, MOST_PORTS + 2))}]},
        set(),
    ),
    "interfaces": ({"interfaces": [masquerade(f"net-{at}", ports=ports(*range(1, 19))) for at in range(256)]}, set()),
    "port ranges": ({"interfaces": [masquerade(portRanges=ranges(MOST_RANGES))]}, {"LM103"}),
    "more port ranges than can be checked": (
        {"interfaces": [masquerade(portRanges=ranges(MOST_RANGES + 1))]},
        {"LM103"},
    ),
    "port ranges of many interfaces": (
        {"interfaces": [masquerade(f"net-{at}", portRanges=ranges(1)) for at in range(256)]},
        set(),
    ),
    "ports and ranges of many interfaces": (
        {"interfaces": [masquerade(f"n-{at}", ports=ports(*range(1, 19)), portRanges=ranges(1)) for at in range(256)]},
        set(),
    ),
    "a long protocol": (
        {"interfaces": [masquerade(portRanges=[{"start": 1, "end": 2, "protocol": "x" * 900_000}, *ranges(200)])]},
        {"LM103"},
    ),
    "a long name": ({"gpus": [{"name": "x" * 900_000, "deviceName": "y" * 400_000}]}, {"LM302"}),
    "long names": (
        {"gpus": [{"name": f"{at:05}" + "x" * 200, "deviceName": "y" * 100} for at in range(MANY)]},
        {"LM302"},
    ),
    "long names of interfaces": (
        {"interfaces": [masquerade("x" * 500_000, portRanges=ranges(MOST_RANGES), ports=ports(49152))]},
        {"LM103"},
    ),
}


@pytest.mark.parametrize(("devices", "rules"), LONG_LISTS.values(), ids=LONG_LISTS)
def test_long_lists_stay_within_the_budget(callers: tuple[Caller, Caller], devices: Manifest, rules: set[str]) -> None:
    """
    No expression costs more than an API server spends, whatever a list holds. A list that is too long to check is refused.
    """
    _, tenant = callers

    answer = tenant.create(vm(devices=devices))

    assert answer.status in (201, 422), answer.document["message"]
    assert answer.rules == rules


UPDATED_SIZES = [
    pytest.param(0, 2 * MANY, True, id="many where there were none"),
    pytest.param(400, 401, True, id="one more"),
    pytest.param(400, 400, True, id="another"),
    pytest.param(1, MANY, True, id="many where there was one"),
    pytest.param(1, MOST_ENTRIES + 1, True, id="too many where there was one"),
    pytest.param(400, 501, True, id="too many pairs"),
    pytest.param(447, 448, True, id="too many pairs by one entry"),
    pytest.param(448, 448, False, id="too many before"),
    pytest.param(448, 2 * MANY, False, id="too many before, and more"),
    pytest.param(MANY, 1, True, id="fewer"),
    pytest.param(2 * MANY, 1, False, id="fewer than too many"),
]


@pytest.mark.parametrize(("old", "new", "refused"), UPDATED_SIZES)
def test_a_list_that_outgrows_what_can_be_compared_is_refused(
    callers: tuple[Caller, Caller], old: int, new: int, refused: bool
) -> None:
    """
    Padding hides no entry: a list that grows beyond what can be compared is refused. One that was too long before may change.
    """
    loader, tenant = callers

    answer = replaced(loader, tenant, {"gpus": entries("gpus", "old", old)}, {"gpus": entries("gpus", "new", new)})

    assert answer.rules == ({"LM302"} if refused else set())


@pytest.mark.parametrize(
    ("key", "size"), [("gpus", 400), ("gpus", 450), ("hostDevices", MOST_ENTRIES), ("filesystems", 2 * MANY)]
)
def test_a_list_that_stays_the_same_passes(callers: tuple[Caller, Caller], key: str, size: int) -> None:
    """
    Whatever its length. So does one that loses an entry.
    """
    loader, tenant = callers
    before = {key: entries(key, "old", size)}

    assert replaced(loader, tenant, before, before | {"rng": {}}).status == 200
    assert replaced(loader, tenant, before, {key: before[key][:-1]}).status == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"gpus": long_names(1)}, {"gpus": long_names(MOST_ENTRIES, "new")}),
        ({"gpus": long_names(50)}, {"gpus": long_names(MOST_ENTRIES, "new")}),
        ({"gpus": long_names(MOST_ENTRIES)}, {"gpus": long_names(50, "new")}),
        ({"gpus": long_names(447)}, {"gpus": long_names(447, "new")}),
        (
            {"interfaces": [masquerade("x" * 253, portRanges=ranges(MOST_RANGES))]},
            {"interfaces": [masquerade("y" * 253, portRanges=ranges(MOST_RANGES))]},
        ),
        (
            {"interfaces": [masquerade(portRanges=[{"start": 1, "end": at, "protocol": "TCP"} for at in AROUND])]},
            {"interfaces": [masquerade(portRanges=[{"start": 2, "end": at, "protocol": "TCP"} for at in AROUND])]},
        ),
        (
            {"interfaces": [masquerade(f"x{at}", ports=ports(*range(1, 19), 49152)) for at in range(256)]},
            {"interfaces": [masquerade(f"y{at}", ports=ports(*range(1, 19), 49152)) for at in range(256)]},
        ),
    ],
    ids=[
        "1 by 4000",
        "50 by 4000",
        "4000 by 50",
        "447 by 447",
        "300 ranges",
        "300 ranges of both ports",
        "256 interfaces",
    ],
)
def test_updates_at_the_bounds_stay_within_the_budget(
    callers: tuple[Caller, Caller], old: Manifest, new: Manifest
) -> None:
    """
    The longest lists that are compared, with the longest names, are compared in full.
    """
    assert replaced(*callers, old, new).rules


TOO_MANY_PORTS = interface(ports=ports(*range(1, MOST_PORTS + 2)))
TOO_MANY_RANGES = interface(portRanges=ranges(MOST_RANGES + 1))


@pytest.mark.parametrize(
    ("before", "fewer"),
    [(TOO_MANY_PORTS, interface(ports=ports(49152))), (TOO_MANY_RANGES, interface(portRanges=ranges(200)))],
    ids=["ports", "portRanges"],
)
def test_an_object_with_too_many_ports_may_change(
    callers: tuple[Caller, Caller], before: Manifest, fewer: Manifest
) -> None:
    """
    What it had cannot be told, so nothing in it is new. A lawful VM is refused the same list.
    """
    loader, tenant = callers

    assert replaced(loader, tenant, before, before | {"rng": {}}).status == 200
    assert replaced(loader, tenant, before, fewer).status == 200
    assert replaced(loader, tenant, interface(), before).rules == {"LM103"}


def test_a_refusal_for_a_long_list_says_so(callers: tuple[Caller, Caller]) -> None:
    """
    The list, its bound and the rule that cannot be checked.
    """
    loader, tenant = callers
    at = "spec.template.spec.domain.devices"

    said = [
        answer.document["message"].partition(" denied request: ")[2]
        for answer in (
            tenant.create(vm(devices=TOO_MANY_PORTS)),
            tenant.create(vm(devices=TOO_MANY_RANGES)),
            replaced(loader, tenant, {"gpus": entries("gpus", "old", 400)}, {"gpus": entries("gpus", "new", 501)}),
        )
    ]

    assert said == [
        f"{at}.interfaces: more than 5,000 ports cannot be checked. Shorten the list. [LM103 migration-ports-listed]",
        f"{at}.interfaces: more than 300 port ranges cannot be checked. Shorten the list. [LM103 migration-ports-listed]",
        f"{at}.gpus: 501 entries cannot be compared with the 400 of the old object. Shorten the list. [LM302 gpu]",
    ]


def entries(key: str, prefix: str, size: int) -> list[Manifest]:
    """Entries of a list that are violations; each differs from those with another prefix."""
    entry: Manifest = {"virtiofs": {}} if key == "filesystems" else {"deviceName": "vendor.com/x"}
    return [{"name": f"{prefix}-{index}"} | entry for index in range(size)]


def replaced(loader: Caller, tenant: Caller, old: Manifest, new: Manifest) -> Answer:
    """The answer to an update that replaces the devices of a stored VM."""
    before, after = (vm(f"replaced-{next(NUMBERS)}", devices=each) for each in (old, new))
    after["metadata"] = before["metadata"] | {}
    made = loader.create(before, dry=False)
    assert made.status == 201, made.document["message"]
    after["metadata"]["resourceVersion"] = made.document["metadata"]["resourceVersion"]
    return tenant.update(after)


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

    found = [tenant.create(vm(devices=each)) for each in (ranged, listed, devices, odd)]
    found += [replaced(loader, tenant, {"rng": {}}, each) for each in (ranged, listed, devices, odd)]

    assert [each.rules for each in found] == [{"LM103"}, {"LM103"}, {"LM203", "LM302"}, {"LM301"}] * 2
    assert all(PRINTABLE.fullmatch(each.document["message"]) for each in found)
    for each in (ranged, listed, devices, odd):
        assert replaced(loader, tenant, each, each | {"rng": {}}).status == 200


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


def test_type_checking_warns_of_nothing(plane: ControlPlane, callers: tuple[Caller, Caller]) -> None:
    """
    `status.typeChecking` of every policy stays empty, also if each variable is checked as part of a validation.

    An API server reports nothing about variables. A field that no definition has is reported here, so it would be.
    """
    if (why := missing_binaries(["typecheck"])) is not None:
        pytest.skip(why)
    checked = {f"checked.{each['metadata']['name']}": each for each in policies()}
    for name, policy in checked.items():
        policy["metadata"]["name"] = name
        sizes = (f"[dyn({each['expression']})].size()" for each in policy["spec"]["variables"])
        expressions = (f"{' + '.join(sizes)} > 0", "has(object.spec.nosuch)")
        policy["spec"]["validations"] = [{"expression": each} for each in expressions]
        plane.client.create(PATHS["ValidatingAdmissionPolicy"], policy)

    done = subprocess.run(
        [find_binary("typecheck"), plane.client.kubeconfig()], capture_output=True, text=True, check=True
    )

    warnings = json.loads(done.stdout)
    for name in checked:
        (found,) = warnings.pop(name) or [None]
        assert found is not None
        assert found["fieldRef"] == "spec.validations[1].expression"
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
def test_a_range_is_refused_for_the_ports_that_it_holds(
    callers: tuple[Caller, Caller], start: int, end: int, refused: bool
) -> None:
    """
    Both ends count; a range that ends before it starts holds nothing.
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
def test_an_update_is_refused_by_what_stays_the_same(
    callers: tuple[Caller, Caller], old: Manifest, new: Manifest, refused: bool
) -> None:
    """
    Identity is rule, interface and port, range or device, never an index.
    """
    loader, tenant = callers
    name = f"update-{next(NUMBERS)}"
    before, after = vm(name, devices=old), vm(name, devices=new)
    after["metadata"]["resourceVersion"] = loader.create(before, dry=False).document["metadata"]["resourceVersion"]

    answer = tenant.update(after)

    assert bool(answer.rules) is refused
