"""
Settings that a VirtualMachine inherits from its instancetype, its preference and its templates' DataSources.

Sources: ``pkg/instancetype/apply`` and ``pkg/instancetype/preference/apply``, v1.9.0; up to 1.4
``pkg/instancetype/instancetype.go``.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.inferred import Scope
from webhook.kubevirt.expansion.instancetypes import find_instancetype, find_preference
from webhook.kubevirt.releases import KNOWN, NONE, Release, Releases, since, split
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeSpec, PreferenceSpec
from webhook.objects.storage import DataSource

NO_INSTANCETYPE = InstancetypeSpec()
_NO_PREFERENCE = PreferenceSpec()
_ANNOTATIONS: Releases = since(Release(1, 1))
_STATUS_REFERENCES: Releases = since(Release(1, 5))
_SOURCE_ARCHITECTURE: Releases = since(Release(1, 6))
_PREFERRED_ARCHITECTURE: Releases = since(Release(1, 7))
ARCHITECTURE_LABEL = "template.kubevirt.io/architecture"
ARCHITECTURES = ("amd64", "arm64", "s390x")


class Inherited(msgspec.Struct, frozen=True):
    """The settings that a VMI inherits in one group of releases."""

    instancetype: InstancetypeSpec = NO_INSTANCETYPE
    instancetype_name: str = ""
    preference: PreferenceSpec = _NO_PREFERENCE
    releases: Releases = KNOWN
    """The releases in which the VMI inherits these settings."""
    unknown: Unknown | None = None
    unknown_field: str = ""
    unknown_preference: Unknown | None = None
    source_architecture: str = ""

    @property
    def origin(self) -> str:
        """The instancetype's name in messages."""
        return f"instancetype {self.instancetype_name!r}"

    @property
    def unknown_instancetype(self) -> Unknown | None:
        """The reason why the instancetype is not known, or None if it is known."""
        return self.unknown if self.unknown is not self.unknown_preference else None

    @property
    def architecture(self) -> str | None:
        """
        The architecture in the preference, or in the label of a template's DataSource if the preference has no architecture.

        The result is None in releases that read neither the preference nor the label.
        """
        if self.releases & _PREFERRED_ARCHITECTURE and self.preference.preferred_architecture:
            return self.preference.preferred_architecture
        return self.source_architecture or None if self.releases & _SOURCE_ARCHITECTURE else None

    def annotations(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """The VMI's annotations. The VMI's ``own`` annotations have precedence over inherited annotations."""
        added = (self.preference.annotations, self.instancetype.annotations)
        if not self.releases & _ANNOTATIONS or not any(added):
            return own
        return {**(added[0] or {}), **(added[1] or {}), **own}


def inherited_by(subject: Subject, world: World, releases: Releases) -> Iterator[Inherited]:
    """Yields the inherited settings, once for each group of ``releases`` with the same settings, oldest group first."""
    vm, source = subject.vm, _source_architecture(subject, world)
    if vm.instancetype is None and vm.preference is None:
        yield from _grouped(Inherited(source_architecture=source), releases)
        return
    status = subject.vm_status
    has_references = status is not None and (status.instancetype_ref is not None or status.preference_ref is not None)
    with_status = releases & _STATUS_REFERENCES if has_references else NONE
    if releases & ~with_status:
        yield from _grouped(_inherited(subject, world, False, source), releases & ~with_status)
    if with_status:
        yield from _grouped(_inherited(subject, world, True, source), with_status)


def _grouped(inherited: Inherited, releases: Releases) -> Iterator[Inherited]:
    return (replace(inherited, releases=group) for group in split(releases, _changes(inherited)))


def _changes(inherited: Inherited) -> Iterator[Release]:
    """
    The releases in which the effect of the inherited settings changes.

    KubeVirt 1.0 adds masquerade even to an interface with another binding, and ignores inherited annotations. KubeVirt reads a
    DataSource's label from 1.6 on, ``preferredArchitecture`` from 1.7 on, and ``preferredLaunchSecurity`` from 1.9 on
    (``pkg/instancetype/preference/apply``).
    """
    preference, devices = inherited.preference, inherited.preference.devices
    masquerade = devices is not None and devices.preferred_interface_masquerade is not None
    if masquerade or preference.annotations or inherited.instancetype.annotations:
        yield Release(1, 1)
    if inherited.source_architecture:
        yield Release(1, 6)
    if preference.preferred_architecture:
        yield Release(1, 7)
    if preference.preferred_launch_security is not None:
        yield Release(1, 9)


def _inherited(subject: Subject, world: World, with_status: bool, source: str) -> Inherited:
    vm, status = subject.vm, subject.vm_status if with_status else None
    scope = Scope(world, subject.namespace, subject.spec, subject.data_volumes)
    instancetype, its_name = find_instancetype(scope, vm.instancetype, status.instancetype_ref if status else None)
    preference, _ = find_preference(scope, vm.preference, status.preference_ref if status else None)
    unknown_preference = preference if isinstance(preference, Unknown) else None
    unknown = instancetype if isinstance(instancetype, Unknown) else unknown_preference
    return Inherited(
        instancetype if isinstance(instancetype, InstancetypeSpec) else NO_INSTANCETYPE,
        its_name,
        preference if isinstance(preference, PreferenceSpec) else _NO_PREFERENCE,
        unknown=unknown,
        unknown_field="instancetype" if unknown is not unknown_preference else "preference",
        unknown_preference=unknown_preference,
        source_architecture=source,
    )


def _source_architecture(subject: Subject, world: World) -> str:
    """
    The architecture in the label of a template's DataSource.

    The result is empty if the DataSource has no such label or is not known.

    Source: ``pkg/defaults/defaults.go`` setDefaultArchitectureFromDataSource, v1.6.6 and v1.9.0.
    """
    if subject.spec.architecture:
        return ""
    for template in subject.vm.data_volume_templates or ():
        ref = template.spec.source_ref if template.spec is not None else None
        if ref is None or ref.kind.lower() != "datasource":
            continue
        data_source = world.find(DataSource, ref.namespace or subject.namespace, ref.name)
        source = data_source.spec.source if isinstance(data_source, DataSource) else None
        further = source.data_source if source else None
        if further is not None:
            data_source = world.find(DataSource, further.namespace or "", further.name)
        labels = (data_source.meta.labels or {}) if isinstance(data_source, DataSource) else {}
        architecture = labels.get(ARCHITECTURE_LABEL)
        if architecture in ARCHITECTURES:
            return architecture
    return ""
