"""Makes whole objects of rules' examples. Builders only: no logic of the product is repeated here."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from msgspec.structs import replace

from webhook.manifests.objects import ManifestObject
from webhook.objects.meta import Kubernetes
from webhook.rules.example import NAMESPACE
from webhook.rules.register import RULES
from webhook.rules.rule import About, Example, Rule
from webhook.yaml.document import read_documents

Wrap: TypeAlias = Callable[[Example], dict[str, Any]]
"""An example as a manifest."""


def objects_in(manifests: Iterable[ManifestObject]) -> Iterator[Kubernetes]:
    """The objects of kinds that are read."""
    return (manifest.object for manifest in manifests if manifest.object is not None)


def spec_of(example: Example) -> dict[str, Any]:
    """The example's YAML, read."""
    return _read(example.spec, example.title)


def _read(text: str, title: str) -> dict[str, Any]:
    value = read_documents(text.encode(), title)[0].value
    assert isinstance(value, dict)
    return value


def inner(example: Example) -> dict[str, Any]:
    """The metadata of the VMI or its template."""
    return {"annotations": dict(example.annotations)} | ({"labels": dict(example.labels)} if example.labels else {})


def as_vmi(example: Example) -> dict[str, Any]:
    """A VirtualMachineInstance."""
    metadata = {"name": "example", "namespace": NAMESPACE} | inner(example)
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": metadata,
        "spec": spec_of(example),
    }


def as_vm(example: Example) -> dict[str, Any]:
    """A VirtualMachine with the example as its template."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "example", "namespace": NAMESPACE, "annotations": dict(example.outer_annotations)},
        "spec": {
            "runStrategy": "Always",
            "template": {"metadata": inner(example), "spec": spec_of(example)},
            **_read(example.vm_spec or "{}", example.title),
        },
    }


def as_replica_set(example: Example) -> dict[str, Any]:
    """A VirtualMachineInstanceReplicaSet with the example as its template."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstanceReplicaSet",
        "metadata": {"name": "example", "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "template": {"metadata": inner(example), "spec": spec_of(example)},
        },
    }


def as_pool(example: Example) -> dict[str, Any]:
    """A VirtualMachinePool whose machines are the example."""
    vm = as_vm(example)
    return {
        "apiVersion": "pool.kubevirt.io/v1alpha1",
        "kind": "VirtualMachinePool",
        "metadata": {"name": "example", "namespace": NAMESPACE},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"a": "b"}},
            "virtualMachineTemplate": {"metadata": {}, "spec": vm["spec"]},
        },
    }


def _whole(kind: str, api_version: str, namespace: str | None, name: str) -> Wrap:
    def wrap(example: Example) -> dict[str, Any]:
        metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
        return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec_of(example)}

    return wrap


as_kubevirt = _whole("KubeVirt", "kubevirt.io/v1", "kubevirt", "kubevirt")
as_nad = _whole("NetworkAttachmentDefinition", "k8s.cni.cncf.io/v1", "kubevirt", "migration-network")
as_policy = _whole("MigrationPolicy", "migrations.kubevirt.io/v1alpha1", None, "example")


def as_running(example: Example) -> dict[str, Any]:
    """A VirtualMachine that has a VMI."""
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachine",
        "metadata": {"name": "example", "namespace": NAMESPACE},
        "spec": spec_of(example),
        "status": {"created": True},
    }


PREFIX: dict[Any, str] = {
    as_vmi: "spec.",
    as_vm: "spec.template.spec.",
    as_replica_set: "spec.template.spec.",
    as_pool: "spec.virtualMachineTemplate.spec.template.spec.",
    as_kubevirt: "spec.",
    as_nad: "spec.",
    as_policy: "spec.",
    as_running: "spec.",
    spec_of: "",
}
"""What each wrapping puts before an example's paths."""


def wraps(rule: Rule, example: Example) -> tuple[Wrap, ...]:
    """The ways in which an example of ``rule`` can be a manifest."""
    if rule.about in (About.VMI, About.DRAIN, About.BUDGET, About.STORAGE, About.TARGET):
        return (as_vm,) if example.needs_vm else (as_vmi, as_vm, as_replica_set, as_pool)
    by_about: dict[str, Wrap] = {
        About.SETTINGS: as_kubevirt,
        "migration network": as_kubevirt,
        About.NETWORK: as_nad,
        About.VM_CHANGE: as_running,
        About.NETWORK_CHANGE: as_nad,
        About.MIGRATION_NETWORK_CHANGE: as_kubevirt,
        About.POLICY: as_policy,
        About.MANIFEST: spec_of,
    }
    return (by_about[rule.about],)


def before_of(example: Example) -> Example:
    """The example as it was before its update."""
    return replace(example, spec=example.before)


def every_example() -> list[tuple[Rule, Example, Wrap]]:
    """All examples of all rules in all wrappings."""
    return [(rule, example, wrap) for rule in RULES for example in rule.examples for wrap in wraps(rule, example)]
