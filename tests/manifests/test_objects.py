"""Objects out of manifests: each with its place, and whatever is none becomes a problem with its place."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, carriers, worlds
from tests.surfaces.doors import as_json, as_yaml
from webhook.errors import BadInput
from webhook.manifests.objects import is_relevant, read_manifests
from webhook.objects.meta import ObjectMeta
from webhook.objects.vm import VirtualMachine

VM = """\
# a comment
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata:
  name: web
  annotations: {a: b}
spec:
  template:
    spec:
      domain: {}
      volumes:
      - name: os
        persistentVolumeClaim: {claimName: os}
"""


def problem(text: str) -> BadInput:
    read = read_manifests(text.encode(), "vm.yaml")
    (found,) = read.problems
    return found


def place(found: BadInput) -> tuple[Any, ...]:
    return found.source, found.document, found.line, found.column, found.path


def test_an_object_knows_its_lines() -> None:
    """
    The object's first line, a field's own, and that of the nearest ancestor where a field is not written.
    """
    (vm,) = read_manifests(VM.encode(), "vm.yaml").objects

    assert isinstance(vm.object, VirtualMachine)
    assert vm.line == 2
    assert vm.mark(("spec", "template", "spec", "volumes", 0))[:2] == (12, 9)
    assert vm.mark(("spec", "template", "spec", "evictionStrategy"))[:2] == vm.mark(("spec", "template", "spec"))[:2]


def test_documents_are_counted_from_the_first() -> None:
    """
    Empty ones count, and every object names its own.
    """
    read = read_manifests(f"---\n# nothing\n---\n{VM}---\n{VM}".encode(), "vm.yaml")

    assert [(each.document.index, each.line) for each in read.objects] == [(1, 5), (2, 19)]


def test_items_of_lists_are_objects_with_their_own_lines() -> None:
    """
    Also of a List in a List; the place of an item leads to it.
    """
    inner = "".join(f"    {line}\n" for line in VM.splitlines())
    text = f"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  -\n{inner}- {{kind: 5}}\n"

    read = read_manifests(text.encode(), "list.yaml")

    (vm,) = read.objects
    assert (vm.at, vm.line) == (("items", 0, "items", 0), 9)
    assert [(each.path, each.line) for each in read.problems] == [("items[1]", 21)]


def test_items_of_a_typed_list_share_their_version_and_kind() -> None:
    """
    As ``kubectl get --raw`` prints them: only the list says what they are.
    """
    items = [{"metadata": {"name": "os"}, "spec": {"accessModes": ["ReadWriteMany"]}}]
    text = json.dumps({"apiVersion": "v1", "kind": "PersistentVolumeClaimList", "items": items})

    (claim,) = read_manifests(text.encode(), "-").objects

    assert (claim.api_version, claim.kind) == ("v1", "PersistentVolumeClaim")
    assert claim.object is not None


@pytest.mark.parametrize(
    ("text", "message", "where"),
    [
        ("[1]", "not a Kubernetes object", ("vm.yaml", 0, 1, 1, "")),
        ("text", "not a Kubernetes object", ("vm.yaml", 0, 1, 1, "")),
        (
            "a: 1\nb: 2",
            "not a Kubernetes object: apiVersion is missing or not a string",
            ("vm.yaml", 0, 1, 1, ""),
        ),
        ("apiVersion: v1", "not a Kubernetes object: kind is missing or not a string", ("vm.yaml", 0, 1, 1, "")),
        (
            "apiVersion: v1\nkind: ''",
            "not a Kubernetes object: kind is missing or not a string",
            ("vm.yaml", 0, 1, 1, ""),
        ),
        (
            f"---\na: b\n---\n{VM}",
            "not a Kubernetes object: apiVersion is missing or not a string",
            ("vm.yaml", 0, 2, 1, ""),
        ),
        ("a: [", "invalid YAML: did not find expected node content", ("vm.yaml", None, 1, 5, "")),
    ],
)
def test_what_is_no_object_is_told_with_its_place(text: str, message: str, where: tuple[Any, ...]) -> None:
    """
    File, document, line and column.
    """
    found = problem(text)

    assert (found.message, place(found)) == (message, where)
    assert found.remedy


@pytest.mark.parametrize(
    ("old", "new", "message", "line", "path"),
    [
        ("name: web", "name: 5", "expected a string, got an integer", 5, "metadata.name"),
        ("domain: {}", "domain: []", "expected a mapping, got a list", 10, "spec.template.spec.domain"),
        (
            "claimName: os",
            "claimName: true",
            "expected a string, got a boolean",
            13,
            "spec.template.spec.volumes[0].persistentVolumeClaim.claimName",
        ),
        ("{a: b}", "{a: b, c/d: 1.5}", "expected a string, got a number", 6, "metadata.annotations[c/d]"),
        ("{a: b}", "{a: b, c: 'd', e: [], f: 1}", "expected a string, got a list", 6, "metadata.annotations.e"),
        ("spec:\n  template:", "spec: text\nx:\n  template:", "expected a mapping, got a string", 7, "spec"),
    ],
)
def test_a_wrong_type_is_told_in_words_with_its_field(old: str, new: str, message: str, line: int, path: str) -> None:
    """
    What is expected and what is there, the key of a free map included; never the value.
    """
    found = problem(VM.replace(old, new, 1))

    assert (found.message, found.line, found.path) == (f"wrong type: {message}", line, path)


def test_null_in_metadata_is_no_wrong_type() -> None:
    """
    An API server lets ``app:`` pass in a template's labels, and Go reads it as empty text; elsewhere it refuses ``null``.
    """
    labelled = VM.replace("  template:\n", "  template:\n    metadata: {labels: {app: }, annotations: {}, name: }\n")

    (given,) = read_manifests(labelled.encode(), "vm.yaml").objects

    assert isinstance(given.object, VirtualMachine)
    assert given.object.spec.template is not None
    assert given.object.spec.template.metadata == ObjectMeta(labels={"app": ""}, annotations={})
    assert problem(VM.replace("claimName: os", "claimName: ")).message == "wrong type: expected a string, got null"
    wrong = problem(labelled.replace("annotations: {}", "annotations: {a: true}"))
    assert wrong.message == "wrong type: expected a string, got a boolean"


def test_the_wrong_key_among_many_is_found() -> None:
    """
    Also where a map holds thousands.
    """
    many = ", ".join(f"k{index}: v" for index in range(5000))

    found = problem(VM.replace("{a: b}", f"{{{many}, wrong: 1, {many.replace('k', 'm')}, later: 1}}"))

    assert found.path == "metadata.annotations.wrong"


@pytest.mark.parametrize(
    ("api_version", "kind", "ours"),
    [
        ("kubevirt.io/v1", "VirtualMachine", True),
        ("kubevirt.io/v1alpha3", "VirtualMachine", True),
        ("kubevirt.io/v1", "Kubevirt", True),
        ("k8s.cni.cncf.io/v1", "NetworkAttachmentDefinitions", True),
        ("v1", "PersistentVolumeClaim", False),
        ("v1", "ConfigMap", False),
        ("example.org/v1", "VirtualMachine", False),
    ],
)
def test_only_what_something_can_be_said_about_is_ours(api_version: str, kind: str, ours: bool) -> None:
    """
    Judged kinds, and whatever is written under their groups; claims are only looked up.
    """
    (given,) = read_manifests(f"apiVersion: {api_version}\nkind: {kind}\n".encode(), "-").objects

    assert is_relevant(given) is ours


@settings(deadline=None, max_examples=60)
@given(carriers(), worlds())
def test_json_and_yaml_hold_the_same_objects(machine: Manifest, world: list[Manifest]) -> None:
    """
    However objects are written, one by one, as a stream or as a List, the same is read.
    """
    every = [machine, *world]

    stream, listed = read_manifests(as_yaml(*every), "s"), read_manifests(as_json(*every), "l")
    single = [each for one in every for each in read_manifests(as_json(one), "o").objects]

    assert (stream.problems, listed.problems) == ((), ())
    assert [each.object for each in stream.objects] == [each.object for each in listed.objects]
    assert [each.object for each in stream.objects] == [each.object for each in single]
    assert [each.raw for each in stream.objects] == every


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=10,
    ),
    st.sampled_from(("VirtualMachine", "KubeVirt", "StorageProfile", "List", "NoSuchKind")),
)
def test_nothing_is_lost(spec: Any, kind: str) -> None:
    """
    Every document becomes an object or a problem, whatever it holds.
    """
    manifest = {"apiVersion": "kubevirt.io/v1", "kind": kind, "metadata": spec, "spec": spec}

    read = read_manifests(json.dumps(manifest).encode(), "-")

    assert len(read.objects) + len(read.problems) == 1
