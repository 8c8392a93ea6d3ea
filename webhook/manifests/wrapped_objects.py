"""Reads an object inside another object: default values of parameters, placeholders, and the object that reports show."""

from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from webhook.errors import BadInput
from webhook.fixes.fix import find
from webhook.manifests.objects import ManifestObject
from webhook.manifests.parameters import placeholder, placeholders_in, with_defaults
from webhook.manifests.typed import locate
from webhook.manifests.wrappers import Wrapped
from webhook.objects.kinds import Kind, find_kind, group_of
from webhook.objects.meta import NO_META, Json
from webhook.objects.path import FieldPath, dotted
from webhook.objects.vm import VirtualMachine
from webhook.objects.vmi import VMITemplate
from webhook.yaml.document import Document

CLUSTER_API: Final = "infrastructure.cluster.x-k8s.io"
MACHINE_NAME: Final = "capk.cluster.x-k8s.io/kubevirt-machine-name"
_Read: TypeAlias = Callable[[Json, Document, FieldPath], ManifestObject]


def read_wrapped(wrapped: Wrapped, value: Json, at: FieldPath, document: Document, read: _Read) -> ManifestObject:
    """
    Returns the object inside another object.

    Raises BadInput for an object that cannot be read. A placeholder in a field of another type is not an error.
    """
    parameters = wrapped.parameters
    used: tuple[str, ...] = ()
    placeholders: tuple[tuple[FieldPath, str], ...] = ()
    if parameters.is_templated:
        value, used = with_defaults(value, parameters)
        placeholders = tuple(placeholders_in(value))
        value = _without_misfits(value, len(placeholders))
    try:
        manifest = read(value, document, at)
    except BadInput as problem:
        if not problem.path.startswith(dotted(at)):
            problem.path = f"{dotted(at)}.{problem.path}"
        raise
    manifest = replace(
        manifest,
        within=at,
        placeholders=placeholders,
        defaults=tuple(f"{name}={parameters.values[name]}" for name in used),
    )
    if wrapped.owner is None or manifest.object is None:
        return manifest
    api_version, kind, namespace, name = wrapped.owner
    meta = manifest.object.meta
    named = replace(meta, name=name, namespace=meta.namespace or namespace or None)
    vm = replace(manifest.object, metadata=named)
    if group_of(api_version) == CLUSTER_API and isinstance(vm, VirtualMachine):
        vm = _with_machine_label(vm, name)
    return replace(manifest, api_version=api_version, kind=kind, object=vm)


def _with_machine_label(vm: VirtualMachine, name: str) -> VirtualMachine:
    """The VM with the label that Cluster API's provider for KubeVirt adds to its template."""
    template = vm.spec.template or VMITemplate()
    meta = template.metadata or NO_META
    labelled = replace(meta, labels={**(meta.labels or {}), MACHINE_NAME: name})
    return replace(vm, spec=replace(vm.spec, template=replace(template, metadata=labelled)))


def _without_misfits(value: Json, most: int) -> Json:
    """Leaves out each placeholder in a field that has another type than string."""
    known = find_kind(str(value.get("apiVersion")), str(value.get("kind"))) if isinstance(value, dict) else None
    for _ in range(most):
        if known is None:
            break
        place = _wrong_type(value, known)
        if not place or not placeholder(str(find(value, place))):
            break
        value = without(value, place)
    return value


def _wrong_type(value: Json, known: Kind) -> FieldPath:
    """The path of the first field with a wrong type, or an empty path."""

    def convert(value: Json) -> object:
        return msgspec.convert(value, known.reads)

    try:
        convert(value)
    except msgspec.ValidationError as error:
        return locate(value, error, convert).place
    return ()


def without(value: Json, path: FieldPath) -> Json:
    """A copy of ``value`` without the field or list item at ``path``."""
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        if not rest:
            return [item for index, item in enumerate(value) if index != step]
        return [without(item, rest) if index == step else item for index, item in enumerate(value)]
    if not rest:
        return {key: member for key, member in value.items() if key != step}
    return {key: without(member, rest) if key == step else member for key, member in value.items()}


def put(value: Json, path: FieldPath, new: Json) -> Json:
    """A copy of ``value`` with ``new`` at ``path``. The parents of the field must exist."""
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [(put(item, rest, new) if rest else new) if index == step else item for index, item in enumerate(value)]
    return {**value, step: put(value[step], rest, new) if rest else new}
