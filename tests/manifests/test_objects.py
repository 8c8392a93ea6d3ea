"""Objects in manifests and problems, both with their positions (webhook.manifests.objects)."""

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
    (only,) = read.problems
    return only


def place(error: BadInput) -> tuple[Any, ...]:
    return error.source, error.document, error.line, error.column, error.path


def test_an_object_knows_its_lines() -> None:
    """
    It knows its first line and the line of each field. An absent field has the line of its nearest ancestor.
    """
    (vm,) = read_manifests(VM.encode(), "vm.yaml").objects

    assert isinstance(vm.object, VirtualMachine)
    assert vm.line == 2
    assert vm.mark(("spec", "template", "spec", "volumes", 0))[:2] == (12, 9)
    assert vm.mark(("spec", "template", "spec", "evictionStrategy"))[:2] == vm.mark(("spec", "template", "spec"))[:2]


def test_documents_count_from_the_first_one() -> None:
    """
    Empty documents count. Every object names its document.
    """
    read = read_manifests(f"---\n# nothing\n---\n{VM}---\n{VM}".encode(), "vm.yaml")

    assert [(item.document.index, item.line) for item in read.objects] == [(1, 5), (2, 19)]


def test_items_of_lists_are_objects_with_their_own_lines() -> None:
    """
    This holds for a List inside a List. The path of an item leads to it.
    """
    inner = "".join(f"    {line}\n" for line in VM.splitlines())
    text = f"apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  -\n{inner}- {{kind: 5}}\n"

    read = read_manifests(text.encode(), "list.yaml")

    (vm,) = read.objects
    assert (vm.at, vm.line) == (("items", 0, "items", 0), 9)
    assert [(error.path, error.line) for error in read.problems] == [("items[1]", 21)]


def test_items_of_a_typed_list_share_their_version_and_kind() -> None:
    """
    In the output of ``kubectl get --raw``, only the list has apiVersion and kind.
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
def test_a_value_that_is_not_an_object_is_a_problem_with_a_place(
    text: str, message: str, where: tuple[Any, ...]
) -> None:
    """
    The problem names file, document, line and column.
    """
    error = problem(text)

    assert (error.message, place(error)) == (message, where)
    assert error.remedy


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
def test_a_wrong_type_is_a_problem_with_its_field(old: str, new: str, message: str, line: int, path: str) -> None:
    """
    The message names the expected and the actual type, never the value. The path includes keys of free maps.
    """
    error = problem(VM.replace(old, new, 1))

    assert (error.message, error.line, error.path) == (f"wrong type: {message}", line, path)


def test_null_in_metadata_is_not_a_wrong_type() -> None:
    """
    An API server accepts ``app:`` in the labels of a template, and Go reads an empty string. Elsewhere ``null`` is an error.
    """
    labelled = VM.replace("  template:\n", "  template:\n    metadata: {labels: {app: }, annotations: {}, name: }\n")

    (vm,) = read_manifests(labelled.encode(), "vm.yaml").objects

    assert isinstance(vm.object, VirtualMachine)
    assert vm.object.spec.template is not None
    assert vm.object.spec.template.metadata == ObjectMeta(labels={"app": ""}, annotations={})
    assert problem(VM.replace("claimName: os", "claimName: ")).message == "wrong type: expected a string, got null"
    wrong = problem(labelled.replace("annotations: {}", "annotations: {a: true}"))
    assert wrong.message == "wrong type: expected a string, got a boolean"


def test_the_wrong_key_among_many_is_found() -> None:
    """
    A map may have thousands of keys.
    """
    many = ", ".join(f"k{index}: v" for index in range(5000))

    error = problem(VM.replace("{a: b}", f"{{{many}, wrong: 1, {many.replace('k', 'm')}, later: 1}}"))

    assert error.path == "metadata.annotations.wrong"


@pytest.mark.parametrize(
    ("api_version", "kind", "relevant"),
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
def test_objects_are_relevant_if_findings_can_be_about_them(api_version: str, kind: str, relevant: bool) -> None:
    """
    Judged kinds are relevant, and misspelled kinds of their groups. Claims are only looked up.
    """
    (item,) = read_manifests(f"apiVersion: {api_version}\nkind: {kind}\n".encode(), "-").objects

    assert is_relevant(item) is relevant


@settings(deadline=None, max_examples=60)
@given(carriers(), worlds())
def test_json_and_yaml_give_the_same_objects(vm: Manifest, world: list[Manifest]) -> None:
    """
    The objects are equal, whether they are in files of their own, in a stream or in a List.
    """
    manifests = [vm, *world]

    stream, listed = read_manifests(as_yaml(*manifests), "s"), read_manifests(as_json(*manifests), "l")
    single = [item for manifest in manifests for item in read_manifests(as_json(manifest), "o").objects]

    assert (stream.problems, listed.problems) == ((), ())
    assert [item.object for item in stream.objects] == [item.object for item in listed.objects]
    assert [item.object for item in stream.objects] == [item.object for item in single]
    assert [item.raw for item in stream.objects] == manifests


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=10,
    ),
    st.sampled_from(("VirtualMachine", "KubeVirt", "StorageProfile", "List", "NoSuchKind")),
)
def test_every_document_becomes_an_object_or_a_problem(spec: Any, kind: str) -> None:
    """
    This holds for any content.
    """
    manifest = {"apiVersion": "kubevirt.io/v1", "kind": kind, "metadata": spec, "spec": spec}

    read = read_manifests(json.dumps(manifest).encode(), "-")

    assert len(read.objects) + len(read.problems) == 1
