"""Snapshots: they say what the cluster's objects say, and nothing that nobody reads."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.wrapping import Wrap, every_example
from webhook.check.check import Settings, check
from webhook.errors import Misconfigured
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.snapshot import Snapshot
from webhook.facts.unknown import ABSENT, Unknown
from webhook.manifests import snapshot
from webhook.manifests.objects import objects_in, read_manifests
from webhook.manifests.snapshot import ALWAYS, CLAIMS, NODES, parse, render
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import PersistentVolumeClaim, StorageClass
from webhook.rules.rule import Example, Rule
from webhook.yaml.document import MAX_BYTES

KINDS = (*ALWAYS, *CLAIMS, *NODES)


def objects(*raw: Any) -> list[Kubernetes]:
    return [each for one in raw for each in objects_in(read_manifests(json.dumps(one).encode(), "w").objects)]


def text_of(given: Iterable[Kubernetes], *, whole: bool = True) -> str:
    found = list(given)
    return render({kind: tuple(each for each in found if type(each) is kind) for kind in KINDS}, whole=whole)


def recorded() -> list[Any]:
    """The examples whose worlds hold only what snapshots record."""
    return [
        pytest.param(rule, example, wrap, id=f"{rule.id}-{wrap.__name__}-{example.title}")
        for rule, example, wrap in every_example()
        if example.world and all(type(each) in KINDS for each in objects(*example.world))
    ]


@pytest.mark.parametrize(("rule", "example", "wrap"), recorded())
def test_a_snapshot_gives_the_same_findings_as_the_objects(rule: Rule, example: Example, wrap: Wrap) -> None:
    """
    Whatever rules read of other objects stands in the snapshot: verdict and findings are those of the objects themselves.
    """
    inputs = [read_manifests(json.dumps(wrap(example)).encode(), "x")]
    background = [given for each in example.world for given in read_manifests(json.dumps(each).encode(), "w").objects]
    snapshot = parse(text_of(objects(*example.world)).encode(), "snapshot.yaml")

    by_objects = check(inputs, Settings(release=example.release), background)
    by_snapshot = check(inputs, Settings(release=example.release), snapshot=Snapshot(snapshot.objects))

    assert by_snapshot == by_objects


CLAIM = {
    "apiVersion": "v1",
    "kind": "PersistentVolumeClaim",
    "metadata": {
        "name": "os",
        "namespace": "tenant",
        "uid": "1",
        "resourceVersion": "7",
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "labels": {"owner": "jane@example.com", "cdi.kubevirt.io/applyStorageProfile": "true"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2", "note": "hunter2"},
    },
    "spec": {"accessModes": ["ReadWriteMany"], "volumeName": "pvc-1", "resources": {"requests": {"storage": "1Gi"}}},
}


def test_only_what_is_read_is_recorded() -> None:
    """
    Of an object stay its name, the fields that rules read, and labels and annotations of KubeVirt and Kubernetes.
    """
    assert text_of(objects(CLAIM)).partition("objects:\n")[2] == (
        "  - apiVersion: v1\n"
        "    kind: PersistentVolumeClaim\n"
        "    metadata:\n"
        "      name: os\n"
        "      namespace: tenant\n"
        "      labels:\n"
        '        cdi.kubevirt.io/applyStorageProfile: "true"\n'
        "    spec:\n"
        "      accessModes:\n"
        "        - ReadWriteMany\n"
    )


@pytest.mark.parametrize(
    ("config", "kept"),
    [
        ('{"type": "macvlan", "master": "eth1"}', '{"type": "macvlan", "master": "eth1"}'),
        ('{"a": [{"etcd": {"password": "hunter2"}}]}', '{"a": [{"etcd": {"password": "(left out)"}}]}'),
        ('{"kubernetes": {"kubeconfig": "hunter2"}}', '{"kubernetes": {"kubeconfig": "(left out)"}}'),
        ("password: hunter2", "(left out)"),
        ("not json", "not json"),
    ],
)
def test_secrets_in_a_networks_configuration_are_left_out(config: str, kept: str) -> None:
    """
    Values of keys that sound like a secret are left out; all else stays letter by letter, also what is no JSON.
    """
    network = {
        "apiVersion": "k8s.cni.cncf.io/v1",
        "kind": "NetworkAttachmentDefinition",
        "metadata": {"name": "n", "namespace": "tenant"},
        "spec": {"config": config},
    }

    text = text_of(objects(network))

    assert "hunter2" not in text
    (read,) = parse(text.encode(), "s").objects
    assert isinstance(read, NetworkAttachmentDefinition)
    assert read.spec.config == kept


def test_the_same_cluster_gives_the_same_text_in_any_order() -> None:
    """
    Objects are sorted by kind, namespace and name, so that two snapshots can be compared line by line.
    """
    others = [{**CLAIM, "metadata": {"name": name, "namespace": space}} for name, space in (("a", "z"), ("b", "a"))]

    assert text_of(objects(CLAIM, *others)) == text_of(objects(*reversed(others), CLAIM))


def test_what_was_read_whole_is_known_to_be_absent() -> None:
    """
    A claim that a whole snapshot does not hold does not exist; one of another namespace than was read is unknown.
    """
    whole = parse(text_of(objects(CLAIM)).encode(), "s")
    part = parse(text_of(objects(CLAIM), whole=False).encode(), "s")

    found = [
        ObjectsWorld(each.objects, each.complete).find(PersistentVolumeClaim, "other", "os") for each in (whole, part)
    ]

    assert found[0] is ABSENT
    assert isinstance(found[1], Unknown)
    assert StorageClass in part.complete


def test_kinds_that_could_not_be_read_are_named_and_not_complete() -> None:
    """
    A kind that the user may not read stays unknown, and the file says why.
    """
    text = render({KubeVirt: (), PersistentVolumeClaim: Unknown("may not read claims")}, whole=True)

    assert "unread:\n  PersistentVolumeClaim: may not read claims\n" in text
    assert parse(text.encode(), "s").complete == {KubeVirt}


HEAD = "kind: Snapshot\napiVersion: migratable/v1\n"
CLASS = "kind: StorageClass, apiVersion: storage.k8s.io/v1"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [\n", "s.yaml:2: invalid YAML: did not find expected node content"),
        ("kind: Pod\napiVersion: v1\nspec: {}\n", "s.yaml is not a snapshot: it is v1 Pod"),
        ("kind: Snapshot\napiVersion: migratable/v2\n", "s.yaml is not a snapshot: it is migratable/v2 Snapshot"),
        (
            "- a\n",
            "s.yaml is not a snapshot: it does not start with apiVersion: migratable/v1 and kind: Snapshot",
        ),
        (
            "kind: Snapshot\n",
            "s.yaml is not a snapshot: it does not start with apiVersion: migratable/v1 and kind: Snapshot",
        ),
        ("", "s.yaml is not a snapshot: it is empty"),
        (f"{HEAD}---\n{HEAD}", "s.yaml is not a snapshot: it has 2 documents"),
        (f"{HEAD}object: []\n", "s.yaml:3: object: unknown key; did you mean objects?"),
        (f"{HEAD}objects: {{}}\n", "s.yaml:3: objects: expected a list, got a mapping"),
        (f"{HEAD}objects:\n  - a\n", "s.yaml:4: objects[0]: expected a mapping, got a string"),
        (f"{HEAD}unread: {{a: b, c: 1}}\n", "s.yaml:3: unread.c: expected a string, got an integer"),
        (
            f"{HEAD}complete: [DataVolume, StorageClas]\n",
            "s.yaml:3: complete[1]: unknown kind 'StorageClas'; did you mean StorageClass?",
        ),
        (
            f"{HEAD}objects: [{{kind: Secret, apiVersion: v1}}]\n",
            "s.yaml:3: objects[0]: secret of v1 does not belong in a snapshot",
        ),
        (f"{HEAD}objects: [{{kind: StorageClass}}]\n", "s.yaml:3: objects[0]: apiVersion is missing or not a string"),
        (
            f"{HEAD}objects:\n  - {{{CLASS}}}\n  - {{{CLASS},\n     metadata: {{name: 1}}}}\n",
            "s.yaml:6: objects[1].metadata.name: expected a string, got an integer",
        ),
        (
            f"{HEAD}objects: [{{{CLASS}, metadata: {{name: a, labels: {{a: b, c.d/e: []}}}}}}]\n",
            "s.yaml:3: objects[0].metadata.labels[c.d/e]: expected a string, got a list",
        ),
    ],
)
def test_what_is_no_snapshot_is_refused(text: str, told: str) -> None:
    """
    Another file, another version and a broken one are named, with line, field and what to do, in words of manifests.
    """
    with pytest.raises(Misconfigured) as refused:
        parse(text.encode(), "s.yaml")

    assert refused.value.message == told
    assert refused.value.remedy


def claims(count: int) -> list[Kubernetes]:
    template = {**CLAIM, "metadata": {**CLAIM["metadata"], "annotations": None, "labels": None}}
    return objects(
        *({**template, "metadata": {"name": f"claim-{number}", "namespace": "tenant"}} for number in range(count))
    )


def test_a_snapshot_of_a_large_cluster_is_read() -> None:
    """
    What ``migratable snapshot --claims`` writes of 70,000 claims, more than any manifest may be, is read object by object.
    """
    thousand = text_of(claims(1_000))
    head, _, one = thousand.partition("objects:\n")
    text = f"{head}objects:\n{one * 70}".encode()

    read = parse(text, "s.yaml")

    assert len(text) > MAX_BYTES
    assert len(read.objects) == 70_000
    assert read.objects[:1_000] == read.objects[-1_000:] == parse(thousand.encode(), "s").objects
    assert read.complete == parse(thousand.encode(), "s").complete


def test_parts_are_read_as_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the file is cut makes no difference: every world of every example reads the same in small parts.
    """
    found = [each for _, example, _ in every_example() for each in objects(*example.world) if type(each) in KINDS]
    text = text_of(found).encode()
    whole = parse(text, "s")

    for size in (1, 100, 5_000):
        monkeypatch.setattr(snapshot, "_PART", size)
        assert parse(text, "s") == whole
    assert len(list(snapshot._parts(text))) > 5


def test_a_fault_in_a_large_snapshot_is_found_in_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Also behind what was read before: the line is the file's, and the object's number counts from the first.
    """
    lines = text_of(claims(50)).splitlines()
    at = lines.index("      name: claim-31")
    broken, wrong = [*lines[:at], "      name: [", *lines[at + 1 :]], [*lines[:at], "      name: 1", *lines[at + 1 :]]

    told = []
    for size in (1 << 20, 500):
        monkeypatch.setattr(snapshot, "_PART", size)
        for text in (broken, wrong):
            with pytest.raises(Misconfigured) as refused:
                parse("\n".join(text).encode(), "s.yaml")
            told.append(refused.value.message)

    assert told[:2] == told[2:]
    assert told[0] == f"s.yaml:{at + 3}: invalid YAML: did not find expected ',' or ']'"
    number = [*filter(is_name, lines)].index(lines[at])
    assert told[1] == f"s.yaml:{at + 1}: objects[{number}].metadata.name: expected a string, got an integer"


def is_name(line: str) -> bool:
    return line.startswith("      name: ")


def test_a_snapshot_that_is_too_large_says_what_to_leave_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Neither is it read, nor a mystery what to do.
    """
    monkeypatch.setattr(snapshot, "MOST_BYTES", 1 << 20)

    with pytest.raises(Misconfigured) as refused:
        parse(b"#" * (1 << 20) + b"\n", "s.yaml")

    assert refused.value.message == "snapshot s.yaml is larger than 1 MiB"
    assert "--claims" in refused.value.remedy
