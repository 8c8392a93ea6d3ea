"""inferFromVolume: the labels behind a volume, and why there are none (webhook.kubevirt.expansion.inferred)."""

from collections.abc import Sequence

import msgspec
import pytest

from tests.kubevirt.building import EVERYTHING, Manifest, named, spec, world, yaml
from webhook.facts.unknown import ABSENT, Found, Unknown, Unread
from webhook.facts.unknown_world import UnknownWorld
from webhook.kubevirt.expansion.inferred import Scope, infer
from webhook.objects.meta import Kubernetes
from webhook.objects.storage import DataVolumeSpec, PersistentVolumeClaim
from webhook.objects.vm import Matcher
from webhook.objects.vmi import VMISpec

NAME, KIND = "instancetype.kubevirt.io/default-instancetype", "instancetype.kubevirt.io/default-instancetype-kind"
LABELS = {NAME: "small", KIND: "VirtualMachineInstancetype"}
SMALL = Matcher(name="small", kind="VirtualMachineInstancetype")
ON_CLAIM = "{volumes: [{name: other}, {name: d, persistentVolumeClaim: {claimName: c}}]}"
ON_DV = "{volumes: [{name: d, dataVolume: {name: dv}}]}"
CDI = "cdi.kubevirt.io/v1beta1"


def claim(name: str = "c", labels: dict[str, str] | None = None, namespace: str = "tenant") -> Manifest:
    made = named("PersistentVolumeClaim", name, "v1", LABELS if labels is None else labels, spec={})
    made["metadata"]["namespace"] = namespace
    return made


def data_volume(text: str = "{}", labels: dict[str, str] | None = None) -> Manifest:
    return named("DataVolume", "dv", CDI, labels, spec=yaml(text))


def data_source(text: str = "{}", labels: dict[str, str] | None = None, namespace: str = "tenant") -> Manifest:
    made = named("DataSource", "ds", CDI, labels, spec={"source": yaml(text)})
    made["metadata"]["namespace"] = namespace
    return made


def inferred(
    volumes: str,
    *around: Manifest,
    template: str = "",
    policy: str = "",
    complete: Sequence[type[Kubernetes]] = EVERYTHING,
) -> Found[Matcher]:
    """What is inferred from volume d in a world where only these kinds are known to be complete."""
    templates = {"dv": msgspec.convert(yaml(template), DataVolumeSpec)} if template else {}
    place = Scope(world(*around, complete=complete), "tenant", msgspec.convert(spec(volumes), VMISpec), templates)
    return infer(place, "instancetype", Matcher(infer_from_volume="d", infer_from_volume_failure_policy=policy or None))


@pytest.mark.parametrize(
    ("volumes", "template", "around"),
    [
        (ON_CLAIM, "", [claim()]),
        (ON_DV, "", [data_volume(labels=LABELS)]),
        (ON_DV, "", [claim("dv")]),
        (ON_DV, "", [data_volume("{source: {pvc: {name: c}}}"), claim()]),
        (ON_DV, "", [data_volume("{source: {pvc: {name: c, namespace: images}}}"), claim(namespace="images")]),
        (ON_DV, "{source: {pvc: {name: c}}}", [claim(), data_volume(labels={NAME: "other"})]),
        (ON_DV, "{sourceRef: {kind: DataSource, name: ds}}", [data_source(labels=LABELS)]),
        (ON_DV, "{sourceRef: {kind: DataSource, name: ds}}", [data_source("{pvc: {name: c}}"), claim()]),
        (
            ON_DV,
            "{sourceRef: {kind: DataSource, name: ds, namespace: images}}",
            [data_source("{pvc: {name: c}}", namespace="images"), claim(namespace="images")],
        ),
    ],
)
def test_a_label_is_followed_to_where_the_disk_comes_from(volumes: str, template: str, around: list[Manifest]) -> None:
    """
    The labels of the claim, of the DataVolume, of its source and of a DataSource count, each where the one before has none.
    """
    assert inferred(volumes, *around, template=template) == SMALL


def test_a_label_without_kind_means_the_cluster_scoped_one() -> None:
    """
    The kind is inferred too, where a label names it.
    """
    assert inferred(ON_CLAIM, claim(labels={NAME: "small"})) == Matcher(name="small")


UNLABELLED = [
    (ON_CLAIM, "", [claim(labels={})], f"PVC 'c' does not have the label {NAME}"),
    (ON_CLAIM, "", [claim(labels={"a": "b"})], f"PVC 'c' does not have the label {NAME}"),
    (ON_DV, "", [claim("dv", {})], f"PVC 'dv' does not have the label {NAME}"),
    (
        "{volumes: [{name: d, containerDisk: {image: i}}]}",
        "",
        [],
        "the volume is neither a PVC nor a DataVolume",
    ),
    (
        ON_DV,
        "{source: {blank: {}}}",
        [],
        "the source of its DataVolume is neither a PVC nor a snapshot nor a DataSource",
    ),
    (
        ON_DV,
        "{sourceRef: {kind: Other, name: x}}",
        [],
        "the sourceRef of its DataVolume has kind Other, not DataSource",
    ),
    (ON_DV, "{sourceRef: {name: x}}", [], "the sourceRef of its DataVolume has kind (none), not DataSource"),
    (
        ON_DV,
        "{sourceRef: {kind: DataSource, name: ds}}",
        [data_source()],
        f"neither DataSource 'ds' nor its source has the label {NAME}",
    ),
]


@pytest.mark.parametrize(("volumes", "template", "around", "why"), UNLABELLED)
def test_a_missing_label_is_a_failure_that_may_be_ignored(
    volumes: str, template: str, around: list[Manifest], why: str
) -> None:
    """
    With failure policy Ignore the VM gets no instancetype; otherwise KubeVirt refuses it.
    """
    refused = Unknown(f"the instancetype is inferred from volume 'd', but {why}", "set the name of the instancetype")

    assert inferred(volumes, *around, template=template) == refused
    assert inferred(volumes, *around, template=template, policy="Reject") == refused
    assert inferred(volumes, *around, template=template, policy="Ignore") is ABSENT


@pytest.mark.parametrize(
    ("volumes", "template", "why", "settle"),
    [
        ("{}", "", "the template has no volume of that name", "use the name of a volume in the template"),
        (ON_CLAIM, "", "PVC 'c' does not exist", "create the PVC"),
        (ON_DV, "", "PVC 'dv' does not exist", "create the PVC"),
        (
            ON_DV,
            "{source: {snapshot: {name: s}}}",
            "the labels of VolumeSnapshot 's' are not known",
            "set the name instead of inferFromVolume",
        ),
        (
            ON_DV,
            "{sourceRef: {kind: DataSource, name: ds}}",
            "DataSource 'ds' does not exist",
            "correct sourceRef of the DataVolume",
        ),
    ],
)
def test_other_failures_than_a_missing_label_are_never_ignored(
    volumes: str, template: str, why: str, settle: str
) -> None:
    """
    KubeVirt refuses a missing object under any failure policy, and the advice names it.
    """
    expected = Unknown(f"the instancetype is inferred from volume 'd', but {why}", settle)

    assert inferred(volumes, template=template, policy="Ignore") == expected


@pytest.mark.parametrize(
    ("volumes", "template", "what"),
    [
        (ON_CLAIM, "", "PVC 'c'"),
        (ON_DV, "", "DataVolume 'dv'"),
        (ON_DV, "{sourceRef: {kind: DataSource, name: ds}}", "DataSource 'ds'"),
        (ON_DV, "{source: {pvc: {name: c}}}", "PVC 'c'"),
    ],
)
def test_an_object_that_was_not_provided_is_the_missing_input(volumes: str, template: str, what: str) -> None:
    """
    Without the cluster nothing is known of the labels, and the message names the missing object.
    """
    reference = inferred(volumes, template=template, complete=(), policy="Ignore")

    assert isinstance(reference, Unknown)
    assert what in reference.why


def test_a_claim_replaces_a_data_volume_that_was_not_provided() -> None:
    """
    CDI removes a DataVolume when its claim exists, so the labels of the claim are enough.
    """
    complete = [PersistentVolumeClaim]

    assert inferred(ON_DV, claim("dv"), complete=complete) == SMALL
    assert isinstance(inferred(ON_DV, complete=complete), Unknown)


def unlabelled(manifest: Manifest) -> Manifest:
    """The same without any labels in its metadata."""
    del manifest["metadata"]["labels"]
    return manifest


@pytest.mark.parametrize(
    ("volumes", "template", "around"),
    [
        (ON_CLAIM, "", [unlabelled(claim())]),
        (ON_DV, "", [unlabelled(data_volume())]),
        (ON_DV, "{sourceRef: {kind: DataSource, name: ds}}", [unlabelled(data_source())]),
    ],
)
def test_an_object_may_have_no_labels_at_all(volumes: str, template: str, around: list[Manifest]) -> None:
    """
    Absent labels are a failure that may be ignored, as other labels are.
    """
    assert inferred(volumes, *around, template=template, policy="Ignore") is ABSENT


def test_references_without_a_namespace_stay_in_their_own() -> None:
    """
    A DataSource and a claim of the same name in another namespace are others.
    """
    template = "{sourceRef: {kind: DataSource, name: ds}}"
    elsewhere = [
        data_source(labels={NAME: "large"}, namespace="images"),
        claim(labels={NAME: "large"}, namespace="images"),
    ]

    assert inferred(ON_DV, data_source(labels=LABELS), *elsewhere, template=template) == SMALL
    assert inferred(ON_DV, data_source("{pvc: {name: c}}"), claim(), *elsewhere, template=template) == SMALL
    assert inferred(ON_DV, claim(), *elsewhere, template="{source: {pvc: {name: c}}}") == SMALL


def test_a_data_volume_that_could_not_be_read_decides() -> None:
    """
    Its own labels would have precedence, so the claim proves nothing.
    """
    unread = Unread("DataVolume 'dv' could not be read")
    place = Scope(UnknownWorld(unread), "tenant", msgspec.convert(spec(ON_DV), VMISpec), {})

    reference = infer(place, "instancetype", Matcher(infer_from_volume="d"))

    assert reference == unread.within(
        "the instancetype is inferred from volume 'd', but DataVolume 'dv' could not be read"
    )
