"""T24, T27: no response depends on objects that its author may not read, except that it can be a denial."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.properties.supply import EXAMPLES, PROPERTY
from tests.surfaces.admission.foreign import (
    IMAGES,
    OTHERS,
    POSTED,
    Readers,
    claim,
    cloning,
    data_source,
    guarded,
    inferring,
    instancetype,
    kubevirt,
    labelled,
    named,
    network,
    tenants_network,
)
from tests.surfaces.admission.reviews import TENANT, Manifest, review, vm
from tests.surfaces.asgi import call
from webhook.policy.policy import Action, Policy

PROPERTY_OF_A_DOOR = settings(PROPERTY, max_examples=max(EXAMPLES // 8, 1))
"""Each example makes two doors and sends a request through each."""
CANARY = "canary"
Request = tuple[Manifest, str]
TYPES = ("canary-small", "canary-gpu", "canary-nowhere")
COMMON = (
    instancetype("canary-small"),
    instancetype("canary-gpu", "nvidia.com/A10"),
    kubevirt(f"{TENANT}/migration"),
    data_source("own", cloning("golden")["source"], TENANT),
    data_source("own-chain", {"dataSource": {"name": "image", "namespace": IMAGES}}, TENANT),
)
"""Objects that the author may read: cluster-scoped ones, and those of the author's namespace."""


def marked(made: Manifest) -> st.SearchStrategy[Manifest]:
    """The object with labels that lead somewhere, or with none."""
    labels = st.fixed_dictionaries(
        {}, optional={"instancetype": st.sampled_from(TYPES), "preference": st.sampled_from(TYPES)}
    )
    architecture = st.sampled_from([{}, {"template.kubevirt.io/architecture": "arm64"}])
    return st.builds(lambda some, more: with_labels(labelled(made, **some), more), labels, architecture)


def with_labels(made: Manifest, more: dict[str, str]) -> Manifest:
    return made | {"metadata": made["metadata"] | {"labels": made["metadata"]["labels"] | more}}


SOURCES = st.sampled_from(
    [
        cloning("golden")["source"],
        {"pvc": {"name": f"{CANARY}-claim", "namespace": OTHERS}},
        {"snapshot": {"name": "s", "namespace": OTHERS}},
    ]
)
FOREIGN = st.tuples(
    st.lists(marked(claim("golden")), max_size=1),
    st.lists(marked(claim(f"{CANARY}-claim", OTHERS)), max_size=1),
    st.lists(SOURCES.flatmap(lambda source: marked(data_source("image", source))), max_size=1),
    st.lists(
        st.builds(
            network,
            st.sampled_from([f"{CANARY}-a", f"{CANARY}-b"]),
            st.just(OTHERS),
            st.sampled_from(["10.1.7.0/24", "10.9.0.0/16"]),
        ),
        max_size=2,
    ),
).map(lambda groups: [member for group in groups for member in group])
DISKS = st.sampled_from(
    [
        cloning("golden"),
        {"sourceRef": {"kind": "DataSource", "name": "image", "namespace": IMAGES}},
        {"sourceRef": {"kind": "DataSource", "name": "own"}},
        {"sourceRef": {"kind": "DataSource", "name": "own-chain"}},
        {"source": {"snapshot": {"name": "golden", "namespace": IMAGES}}},
    ]
)
OBJECTS = st.one_of(
    st.builds(inferring, DISKS, st.sampled_from(["instancetype", "preference"])),
    st.builds(lambda disk: inferring(disk, inferFromVolumeFailurePolicy="Ignore"), DISKS),
    st.builds(lambda disk: pool(inferring(disk)), DISKS),
    st.sampled_from(["10.1.0.0/16", "10.2.0.0/16"]).map(tenants_network),
)
REQUESTS = st.tuples(OBJECTS, st.sampled_from(["created", "changed", "touched"]))
"""An object, and what is done with it."""
POLICIES = st.builds(
    Policy,
    unproven=st.sampled_from(Action),
    default_eviction_strategy=st.sampled_from([None, "LiveMigrate"]),
    at_most=st.sampled_from([Action.DENY, Action.WARN]),
)


def pool(machine: Manifest) -> Manifest:
    """A VirtualMachinePool of these machines."""
    template = {"metadata": {}, "spec": machine["spec"]}
    spec = {"replicas": 1, "selector": {}, "virtualMachineTemplate": template}
    return named("pool.kubevirt.io/v1beta1", "VirtualMachinePool", "pool", TENANT, spec=spec)


def posted(request: Request) -> bytes:
    """A creation, an update of something plain, or one that leaves the spec as it is."""
    made, how = request
    if how == "created":
        return review("CREATE", made)
    if how == "touched":
        touched = made | {"metadata": made["metadata"] | {"annotations": {"touched": "yes"}}}
        return review("UPDATE", touched, made)
    plain = {
        "VirtualMachine": vm(),
        "VirtualMachinePool": pool(vm()),
        "NetworkAttachmentDefinition": tenants_network("10.3.0.0/16"),
    }
    return review("UPDATE", made, plain[made["kind"]])


def answer(request: Request, foreign: list[Manifest], policy: Policy, path: str, *readable: str) -> Any:
    door = guarded([*COMMON, *foreign], Readers(readable), policy)
    return call(door, "POST", path, posted(request), POSTED).json["response"]


@PROPERTY_OF_A_DOOR
@given(REQUESTS, FOREIGN, FOREIGN, POLICIES)
def test_clusters_that_look_alike_to_the_author_give_the_same_response(
    request: Request, one: list[Manifest], other: list[Manifest], policy: Policy
) -> None:
    """
    Answers with the same decision are the same bytes, whatever is in other namespaces, and hold no word of it.
    """
    first, second = (answer(request, cluster, policy, "/validate") for cluster in (one, other))

    assert CANARY not in str(first)
    if first["allowed"] == second["allowed"]:
        assert first == second


@PROPERTY_OF_A_DOOR
@given(REQUESTS, FOREIGN, POLICIES)
def test_an_author_with_fewer_rights_is_not_allowed_more(
    request: Request, foreign: list[Manifest], policy: Policy
) -> None:
    """
    A denial for an author with all rights is a denial for an author without rights in other namespaces.
    """
    reader = answer(request, foreign, policy, "/validate", IMAGES, OTHERS)
    other = answer(request, foreign, policy, "/validate")

    assert reader["allowed"] or not other["allowed"]


@PROPERTY_OF_A_DOOR
@given(REQUESTS, FOREIGN, FOREIGN, POLICIES)
def test_defaults_depend_only_on_objects_that_the_author_may_read(
    request: Request, one: list[Manifest], other: list[Manifest], policy: Policy
) -> None:
    """
    A patch contains no facts about other namespaces.
    """
    assert answer(request, one, policy, "/mutate") == answer(request, other, policy, "/mutate")


@PROPERTY_OF_A_DOOR
@given(OBJECTS, FOREIGN, POLICIES)
def test_hidden_objects_block_no_update_of_an_admitted_object(
    made: Manifest, foreign: list[Manifest], policy: Policy
) -> None:
    """
    P1 holds for the author's view too: an object whose spec does not change passes.
    """
    assert answer((made, "touched"), foreign, policy, "/validate")["allowed"]
