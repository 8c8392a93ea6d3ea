"""Snapshots have the facts of the cluster's objects, and nothing else (webhook.manifests.snapshot)."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from tests.wrapping import Wrap, every_example, objects_in
from webhook.check.check import Settings, check
from webhook.errors import Misconfigured
from webhook.facts.objects_world import ObjectsWorld, Snapshot
from webhook.facts.unknown import ABSENT, Unknown
from webhook.manifests import snapshot
from webhook.manifests.objects import read_manifests
from webhook.manifests.snapshot import ALWAYS, CLAIMS, NODES, parse, render
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.meta import Kubernetes
from webhook.objects.nad import NetworkAttachmentDefinition
from webhook.objects.storage import PersistentVolumeClaim, StorageClass
from webhook.rules.rule import Example, Rule
from webhook.yaml.document import MAX_BYTES

KINDS = (*ALWAYS, *CLAIMS, *NODES)


def objects(*raw: Any) -> list[Kubernetes]:
    return [known for value in raw for known in objects_in(read_manifests(json.dumps(value).encode(), "w").objects)]


def text_of(cluster: Iterable[Kubernetes], *, whole: bool = True) -> str:
    members = list(cluster)
    return render({kind: tuple(known for known in members if type(known) is kind) for kind in KINDS}, whole=whole)


def recorded() -> list[Any]:
    """The examples whose worlds have only kinds that snapshots record."""
    return [
        pytest.param(rule, example, wrap, id=f"{rule.id}-{wrap.__name__}-{example.title}")
        for rule, example, wrap in every_example()
        if example.world and all(type(known) in KINDS for known in objects(*example.world))
    ]


def test_a_hyperconverged_cr_is_reduced_to_its_settings() -> None:
    """
    The settings that its operator copies to the KubeVirt CR, its release, and the annotation with a JSON patch.
    """
    raw = {
        "apiVersion": "hco.kubevirt.io/v1",
        "kind": "HyperConverged",
        "metadata": {
            "name": "kubevirt-hyperconverged",
            "namespace": "cnv",
            "annotations": {"kubevirt.kubevirt.io/jsonpatch": "[]", "note": "hunter2"},
        },
        "spec": {
            "security": {"certConfig": {"ca": {"duration": "48h"}}},
            "virtualization": {"liveMigrationConfig": {"network": "mig"}, "tuningPolicy": "annotation"},
        },
        "status": {"versions": [{"name": "operator", "version": "1.18.1"}], "systemHealthStatus": "healthy"},
    }

    text = text_of(objects(raw))
    (kept,) = parse(text.encode(), "cluster.yaml").objects

    assert not any(word in text for word in ("hunter2", "certConfig", "tuningPolicy", "systemHealthStatus"))
    (written,) = objects(raw)
    assert (kept.meta.annotations, getattr(kept, "spec", None), getattr(kept, "status", None)) == (
        {"kubevirt.kubevirt.io/jsonpatch": "[]"},
        getattr(written, "spec", None),
        getattr(written, "status", None),
    )


@pytest.mark.parametrize(("rule", "example", "wrap"), recorded())
def test_a_snapshot_gives_the_same_findings_as_the_objects(rule: Rule, example: Example, wrap: Wrap) -> None:
    """
    The snapshot has every field that rules read: verdict and findings are those of the objects themselves.
    """
    inputs = [read_manifests(json.dumps(wrap(example)).encode(), "x")]
    background = [item for value in example.world for item in read_manifests(json.dumps(value).encode(), "w").objects]
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


def test_only_fields_that_rules_read_are_recorded() -> None:
    """
    A recorded object has its name, the fields that rules read, and labels and annotations of KubeVirt and Kubernetes.
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
        "      volumeName: pvc-1\n"
        "      resources:\n"
        "        requests:\n"
        '          storage: "1Gi"\n'
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
    Values of keys that look like secrets are left out. Other text stays as it is, also if it is not JSON.
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
    Objects are sorted by kind, namespace and name, so two snapshots can be compared with ``diff``.
    """
    others = [{**CLAIM, "metadata": {"name": name, "namespace": space}} for name, space in (("a", "z"), ("b", "a"))]

    assert text_of(objects(CLAIM, *others)) == text_of(objects(*reversed(others), CLAIM))


def test_an_object_that_is_not_in_a_whole_snapshot_does_not_exist() -> None:
    """
    In a snapshot of one namespace, a claim of another namespace is unknown.
    """
    whole = parse(text_of(objects(CLAIM)).encode(), "s")
    part = parse(text_of(objects(CLAIM), whole=False).encode(), "s")

    from_whole, from_part = (
        ObjectsWorld(snapshot.objects, snapshot.complete).find(PersistentVolumeClaim, "other", "os")
        for snapshot in (whole, part)
    )

    assert from_whole is ABSENT
    assert isinstance(from_part, Unknown)
    assert StorageClass in part.complete


def test_kinds_that_could_not_be_read_are_named_and_not_complete() -> None:
    """
    A kind that the user may not read is unknown, and the file has the reason.
    """
    text = render({KubeVirt: (), PersistentVolumeClaim: Unknown("may not read claims")}, whole=True)

    assert "unread:\n  PersistentVolumeClaim: may not read claims\n" in text
    assert parse(text.encode(), "s").complete == {KubeVirt}


HEAD = "kind: Snapshot\napiVersion: migratable/v1\n"
CLASS = "kind: StorageClass, apiVersion: storage.k8s.io/v1"


@pytest.mark.parametrize(
    ("text", "message"),
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
def test_a_file_that_is_not_a_valid_snapshot_is_an_error(text: str, message: str) -> None:
    """
    The error names the file, the line and the field, and has a remedy.
    """
    with pytest.raises(Misconfigured) as raised:
        parse(text.encode(), "s.yaml")

    assert raised.value.message == message
    assert raised.value.remedy


def claims(count: int) -> list[Kubernetes]:
    template = {**CLAIM, "metadata": {**CLAIM["metadata"], "annotations": None, "labels": None}}
    return objects(
        *({**template, "metadata": {"name": f"claim-{number}", "namespace": "tenant"}} for number in range(count))
    )


def test_a_snapshot_of_a_large_cluster_is_read() -> None:
    """
    A snapshot of 70,000 claims, larger than the limit for manifests, has all objects.
    """
    thousand = text_of(claims(1_000))
    head, _, one = thousand.partition("objects:\n")
    text = f"{head}objects:\n{one * 70}".encode()

    read = parse(text, "s.yaml")

    assert len(text) > MAX_BYTES
    assert len(read.objects) == 70_000
    assert read.objects[:1_000] == read.objects[-1_000:] == parse(thousand.encode(), "s").objects
    assert read.complete == parse(thousand.encode(), "s").complete


def test_a_snapshot_that_is_read_in_parts_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The worlds of all examples read the same in parts of any size.
    """
    known = [member for _, example, _ in every_example() for member in objects(*example.world) if type(member) in KINDS]
    text = text_of(known).encode()
    whole = parse(text, "s")

    for size in (1, 100, 5_000):
        monkeypatch.setattr(snapshot, "_PART", size)
        assert parse(text, "s") == whole
    assert len(list(snapshot._parts(text))) > 5


def test_an_error_in_a_large_snapshot_names_the_line_in_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Line and index count from the start of the file, also in later parts.
    """
    lines = text_of(claims(50)).splitlines()
    at = lines.index("      name: claim-31")
    broken, wrong = [*lines[:at], "      name: [", *lines[at + 1 :]], [*lines[:at], "      name: 1", *lines[at + 1 :]]

    messages = []
    for size in (1 << 20, 500):
        monkeypatch.setattr(snapshot, "_PART", size)
        for text in (broken, wrong):
            with pytest.raises(Misconfigured) as raised:
                parse("\n".join(text).encode(), "s.yaml")
            messages.append(raised.value.message)

    assert messages[:2] == messages[2:]
    assert messages[0] == f"s.yaml:{at + 3}: invalid YAML: did not find expected ',' or ']'"
    number = [*filter(is_name, lines)].index(lines[at])
    assert messages[1] == f"s.yaml:{at + 1}: objects[{number}].metadata.name: expected a string, got an integer"


def is_name(line: str) -> bool:
    return line.startswith("      name: ")


def test_the_error_for_a_snapshot_that_is_too_large_says_how_to_shrink_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The file is not read, and the remedy names --claims.
    """
    monkeypatch.setattr(snapshot, "MOST_BYTES", 1 << 20)

    with pytest.raises(Misconfigured) as raised:
        parse(b"#" * (1 << 20) + b"\n", "s.yaml")

    assert raised.value.message == "snapshot s.yaml is larger than 1 MiB"
    assert "--claims" in raised.value.remedy
