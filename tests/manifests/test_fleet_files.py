"""The objects of a cluster are read from YAML documents and JSON Lists, for the rehearsal of a drain."""

import io
import json
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webhook.manifests.fleet_files import FleetInput, Stream, read_fleet
from webhook.manifests.yaml_items import begins_list
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.meta import Json
from webhook.objects.nad import Node
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI
from webhook.objects.volumes import ClusterVolume, VolumeClaim
from webhook.yaml import writer

NODE = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}, "spec": {"unschedulable": True}}
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "p", "namespace": "lab"},
    "spec": {"nodeName": "n1", "containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}]},
}
VMI = {
    "apiVersion": "kubevirt.io/v1",
    "kind": "VirtualMachineInstance",
    "metadata": {"name": "vm", "namespace": "lab"},
    "spec": {"domain": {"devices": {}}},
    "status": {"nodeName": "n1"},
}
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "lab"}}
QUOTA = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "q", "namespace": "lab"}}
RANGE = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "r", "namespace": "lab"},
    "spec": {"limits": [{"type": "Pod"}, {"type": "Container", "max": {"cpu": "x"}}]},
}
OBJECTS = [NODE, POD, VMI, SECRET]


def read(*files: str | bytes) -> FleetInput:
    contents = [file.encode() if isinstance(file, str) else file for file in files]
    return read_fleet((f"file{number}", content) for number, content in enumerate(contents))


def as_list(*objects: Json, **more: Json) -> str:
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects), **more})


def as_documents(*objects: Json) -> str:
    return "---\n".join(writer.dump(one) for one in objects)


@settings(max_examples=20, deadline=None)
@given(st.permutations(OBJECTS))
def test_a_json_list_and_yaml_documents_give_the_same_objects(objects: list[Json]) -> None:
    """
    The form and the order of objects do not matter.
    """
    first, second = read(as_list(*OBJECTS)), read(*map(as_documents, objects))

    assert first.problems == second.problems == []
    assert first.objects == second.objects
    assert first.fleet().provided == {Node, Pod, RunningVMI, LauncherVMI}
    assert first.ignored == second.ignored == {"Secret": 1}


BROKEN = POD | {"spec": {"containers": "none"}, "metadata": {"name": "broken", "namespace": "lab"}}
WITH_NULL = POD | {"metadata": {"name": "null", "namespace": "lab", "labels": {"a": None}}}
FORMS = st.sampled_from(
    [
        {"kind": "List", "items": []},
        {"items": [], "kind": "List"},
        {"kind": "PodList", "apiVersion": "v1", "items": []},
        {"items": [], "kind": "PodList", "apiVersion": "v1"},
        {"items": [], "kind": "PodList", "apiVersion": "v1", "metadata": {"continue": "x"}},
    ]
)


@settings(max_examples=60, deadline=None)
@given(FORMS, st.lists(st.sampled_from([*OBJECTS, BROKEN, WITH_NULL]), max_size=4), st.booleans(), st.integers(1, 60))
def test_a_stream_gives_the_same_objects_as_its_content(
    form: Json, objects: list[Json], drops_kind: bool, size: int
) -> None:
    """
    Large files are streams. Items of a typed list have no kind.
    """
    if drops_kind and form["kind"] == "PodList":
        objects = [{"metadata": one["metadata"]} for one in objects if one["kind"] == "Pod"]
    content = json.dumps(form | {"items": objects}, indent=1).encode()

    whole = read(content)
    streamed = read_fleet([("file0", Stream(content[:size], io.BytesIO(content[size:])))])

    assert streamed.objects == whole.objects
    assert streamed.ignored == whole.ignored
    assert streamed.complete == whole.complete
    assert [(one.path, one.line) for one in streamed.problems] == [(one.path, one.line) for one in whole.problems]


@pytest.mark.parametrize("size", [40, 10_000])
def test_a_broken_object_in_a_yaml_stream_is_reported_with_its_line(size: int) -> None:
    """
    The other objects are kept.
    """
    whole: Json = {"apiVersion": "v1", "items": [POD, BROKEN, NODE], "kind": "List"}
    content = writer.dump(whole).replace("\n  ", "\n")
    assert begins_list(content.encode())

    result = read_fleet([("pods.yaml", Stream(content.encode()[:size], io.BytesIO(content.encode()[size:])))])

    line = content.splitlines().index("    containers: none") + 1
    assert [(one.path, one.line, one.document) for one in result.problems] == [("spec.containers", line, 0)]
    assert set(result.objects) == {Node, Pod}


def test_a_stream_that_is_not_json_is_reported_with_its_line() -> None:
    """
    The objects before the error are kept.
    """
    content = as_list(NODE).encode()[:-2] + b",\n{]"

    result = read_fleet([("nodes.json", Stream(content, io.BytesIO()))])

    assert [(problem.source, problem.line) for problem in result.problems] == [("nodes.json", 2)]
    assert [node.name for node in result.fleet().given(Node)] == ["n1"]


def test_a_page_of_a_typed_list_does_not_provide_its_kind() -> None:
    """
    The API server has more objects than the file.
    """
    page = {"apiVersion": "v1", "kind": "PodList", "metadata": {"continue": "x"}, "items": []}

    assert Pod not in read(json.dumps(page)).fleet().provided


@pytest.mark.parametrize(
    ("broken", "path"),
    [
        (NODE | {"status": {"allocatable": {"cpu": "8 cores"}}}, "status.allocatable.cpu"),
        (
            POD | {"spec": {"containers": [{"resources": {"requests": {"memory": "1 GB"}}}]}},
            "spec.containers[0].resources.requests.memory",
        ),
        (
            POD | {"spec": {"initContainers": [{"resources": {"limits": {"cpu": "x"}}}]}},
            "spec.initContainers[0].resources.limits.cpu",
        ),
        (POD | {"spec": {"overhead": {"cpu": "x"}}}, "spec.overhead.cpu"),
        (POD | {"spec": {"resources": {"limits": {"cpu": ""}}}}, "spec.resources.limits.cpu"),
        (QUOTA | {"spec": {"hard": {"pods": "many"}}}, "spec.hard.pods"),
        (QUOTA | {"status": {"hard": {"pods": "1"}, "used": {"pods": "x"}}}, "status.used.pods"),
        (RANGE, "spec.limits[1].max.cpu"),
    ],
)
def test_a_value_that_is_not_a_quantity_is_reported(broken: Json, path: str) -> None:
    """
    Otherwise it counts as zero, and everything fits.
    """
    for result in (
        read(as_list(broken)),
        read(as_documents(broken)),
        read_fleet([("file0", Stream(as_list(broken).encode(), io.BytesIO()))]),
    ):
        assert [(problem.message, problem.path) for problem in result.problems] == [("not a quantity", path)]
        assert not result.objects


def test_items_of_a_typed_list_have_the_kind_of_the_list() -> None:
    """
    API servers leave out apiVersion and kind of such items.
    """
    item = {key: value for key, value in POD.items() if key in ("metadata", "spec")}
    content = json.dumps({"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": [item]})

    pods = read(content).fleet().given(Pod)

    assert [(pod.kind, pod.name) for pod in pods] == [("Pod", "p")]


def test_an_empty_typed_list_provides_its_kind() -> None:
    """
    An empty PodList says that there is no pod.
    """
    fleet = read('{"apiVersion": "v1", "kind": "PodList", "items": []}').fleet()

    assert fleet.every(Pod) == ()


def test_a_wrong_type_is_reported_with_document_and_path() -> None:
    """
    The other objects of the file are kept.
    """
    broken = POD | {"spec": {"containers": "none"}}

    for content in (as_list(NODE, broken), as_documents(NODE, broken)):
        result = read(content)

        assert [problem.path for problem in result.problems] == ["spec.containers"]
        assert set(result.objects) == {Node}


def test_an_object_without_a_name_is_reported() -> None:
    """
    The error names the missing field.
    """
    problem = read(as_list(NODE | {"metadata": {}})).problems[0]

    assert problem.message == "metadata.name is missing"


def test_two_different_objects_with_one_name_are_reported() -> None:
    """
    Equal objects are one object.
    """
    other = NODE | {"spec": {}}

    assert read(as_list(NODE), as_list(NODE)).problems == []
    assert [problem.message for problem in read(as_list(NODE), as_list(other)).problems] == [
        "Node n1 is given twice, with different content"
    ]


def test_an_object_that_was_read_twice_is_one_object() -> None:
    """
    Only its resourceVersion differs.
    """
    both = [NODE | {"metadata": {"name": "n1", "resourceVersion": version}} for version in ("1", "2")]

    result = read(as_list(both[0]), as_documents(both[1]))

    assert result.problems == []
    assert len(result.fleet().given(Node)) == 1


def test_a_snapshot_provides_the_kinds_that_it_completes() -> None:
    """
    Its objects are read, too.
    """
    snapshot = {
        "apiVersion": "migratable/v1",
        "kind": "Snapshot",
        "complete": ["KubeVirt", "Node"],
        "objects": [{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1"}}],
    }

    fleet = read(writer.dump(snapshot)).fleet()

    assert [node.name for node in fleet.given(Node)] == ["n1"]
    assert fleet.every(KubeVirt) == ()


def streamed(text: str) -> FleetInput:
    return read_fleet([("file0", Stream(text.encode(), io.BytesIO()))])


def test_an_invalid_snapshot_is_reported() -> None:
    """
    The other files are read.
    """
    result = read('{"apiVersion": "migratable/v1", "kind": "Snapshot", "complete": ["Nodes"]}', as_list(NODE))

    assert [problem.message for problem in result.problems] == [
        "file0:1: complete[0]: unknown kind 'Nodes'; did you mean Node?"
    ]
    assert set(result.objects) == {Node}


def test_a_snapshot_in_json_is_read() -> None:
    """
    Each claim is also read with the fields that kube-scheduler compares.
    """
    claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c", "namespace": "lab"}}
    snapshot = {
        "apiVersion": "migratable/v1",
        "kind": "Snapshot",
        "complete": ["PersistentVolumeClaim", "PersistentVolume"],
        "objects": [claim],
    }

    fleet = read(json.dumps(snapshot)).fleet()

    assert [one.name for one in fleet.given(VolumeClaim)] == ["c"]
    assert fleet.every(ClusterVolume) == ()


def test_user_data_of_cloud_init_is_not_kept() -> None:
    """
    A report can contain nothing that was not read. A problem names the types of values and no value.
    """
    canary = "canary-3f9d"
    with_data = {"name": "c", "cloudInitNoCloud": {"userData": canary}}
    vmi = VMI | {"spec": {"domain": {"devices": {}}, "volumes": [with_data]}}
    broken = vmi | {"metadata": {"name": "broken"}, "spec": {"domain": 7, "volumes": [with_data]}}

    for result in (read(as_list(vmi, broken)), read(as_documents(vmi, broken)), streamed(as_list(vmi, broken))):
        assert set(result.objects) == {RunningVMI, LauncherVMI}
        assert len(result.problems) == 1
        assert canary not in repr(result.objects) + repr([vars(problem) for problem in result.problems])


def test_a_stream_needs_less_memory_than_its_text() -> None:
    """
    20,000 pods of 100 MB fit into 40 MiB, because equal parts of pods are kept once.
    """
    padding = [{"name": f"VARIABLE_{number}", "value": "x" * 100} for number in range(100)]
    pods = [
        POD | {"metadata": {"name": f"p{number}"}, "spec": POD["spec"] | {"hostAliases": padding}}  # type: ignore[operator]
        for number in range(1_000)
    ]
    text = as_list(*pods).encode()
    stream = Stream(text[:100], io.BytesIO(text[100:]))

    tracemalloc.start()
    try:
        result = read_fleet([("pods.json", stream)])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert len(result.fleet().given(Pod)) == 1_000
    assert most < len(text) / 2
