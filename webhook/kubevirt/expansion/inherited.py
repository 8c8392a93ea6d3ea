"""
What a VirtualMachine does not say itself: what its instancetype, its preference and its templates' DataSources bring.

Sources: ``pkg/instancetype/apply`` and ``pkg/instancetype/preference/apply``, v1.9.0; up to 1.4
``pkg/instancetype/instancetype.go``.
"""

from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.expansion.inferred import Named
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


class Brought(msgspec.Struct, frozen=True):
    """What instancetype, preference and DataSources bring to the VMI in one group of releases."""

    instancetype: InstancetypeSpec = NO_INSTANCETYPE
    instancetype_name: str = ""
    preference: PreferenceSpec = _NO_PREFERENCE
    variant: Releases = KNOWN
    """The group of releases."""
    hidden: Unknown | None = None
    hidden_field: str = ""
    hidden_preference: Unknown | None = None
    source_architecture: str = ""

    @property
    def origin(self) -> str:
        """How to name the instancetype."""
        return f"instancetype {self.instancetype_name!r}"

    @property
    def hidden_instancetype(self) -> Unknown | None:
        """Set where the instancetype itself is not known."""
        return self.hidden if self.hidden is not self.hidden_preference else None

    @property
    def architecture(self) -> str | None:
        """What the preference, else a template's DataSource says of it, where the release asks them."""
        if self.variant & _PREFERRED_ARCHITECTURE and self.preference.preferred_architecture:
            return self.preference.preferred_architecture
        return self.source_architecture or None if self.variant & _SOURCE_ARCHITECTURE else None

    def annotations(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """The VMI's annotations; what is brought never overrides its ``own``."""
        added = (self.preference.annotations, self.instancetype.annotations)
        if not self.variant & _ANNOTATIONS or not any(added):
            return own
        return {**(added[0] or {}), **(added[1] or {}), **own}


def brought_to(subject: Subject, world: World, releases: Releases) -> Iterator[Brought]:
    """What is brought, once for every group of ``releases`` in which it differs, oldest first."""
    vm, source = subject.vm, _source_architecture(subject, world)
    if vm.instancetype is None and vm.preference is None:
        yield from _grouped(Brought(source_architecture=source), releases)
        return
    status = subject.vm_status
    noted = status is not None and (status.instancetype_ref is not None or status.preference_ref is not None)
    with_status = releases & _STATUS_REFERENCES if noted else NONE
    if releases & ~with_status:
        yield from _grouped(_found(subject, world, False, source), releases & ~with_status)
    if with_status:
        yield from _grouped(_found(subject, world, True, source), with_status)


def _grouped(brought: Brought, releases: Releases) -> Iterator[Brought]:
    return (replace(brought, variant=group) for group in split(releases, _changes(brought)))


def _changes(brought: Brought) -> Iterator[Release]:
    """
    The releases from which on what is brought acts in another way.

    1.0 adds masquerade beside any binding and knows no annotations; ``preferredArchitecture`` counts from 1.7,
    ``preferredLaunchSecurity`` from 1.9 (``pkg/instancetype/preference/apply``), a DataSource's label from 1.6.
    """
    preference, devices = brought.preference, brought.preference.devices
    masquerade = devices is not None and devices.preferred_interface_masquerade is not None
    if masquerade or preference.annotations or brought.instancetype.annotations:
        yield Release(1, 1)
    if brought.source_architecture:
        yield Release(1, 6)
    if preference.preferred_architecture:
        yield Release(1, 7)
    if preference.preferred_launch_security is not None:
        yield Release(1, 9)


def _found(subject: Subject, world: World, with_status: bool, source: str) -> Brought:
    vm, status = subject.vm, subject.vm_status if with_status else None
    named = Named(world, subject.namespace, subject.spec, subject.data_volumes)
    instancetype, its_name = find_instancetype(named, vm.instancetype, status.instancetype_ref if status else None)
    preference, _ = find_preference(named, vm.preference, status.preference_ref if status else None)
    hidden_preference = preference if isinstance(preference, Unknown) else None
    hidden = instancetype if isinstance(instancetype, Unknown) else hidden_preference
    return Brought(
        instancetype if isinstance(instancetype, InstancetypeSpec) else NO_INSTANCETYPE,
        its_name,
        preference if isinstance(preference, PreferenceSpec) else _NO_PREFERENCE,
        hidden=hidden,
        hidden_field="instancetype" if hidden is not hidden_preference else "preference",
        hidden_preference=hidden_preference,
        source_architecture=source,
    )


def _source_architecture(subject: Subject, world: World) -> str:
    """
    The architecture that the label of a template's DataSource names; empty if none does, or nobody showed it.

    Source: ``pkg/defaults/defaults.go`` setDefaultArchitectureFromDataSource, v1.6.6 and v1.9.0.
    """
    if subject.spec.architecture:
        return ""
    for template in subject.vm.data_volume_templates or ():
        ref = template.spec.source_ref if template.spec is not None else None
        if ref is None or ref.kind.lower() != "datasource":
            continue
        found = world.find(DataSource, ref.namespace or subject.namespace, ref.name)
        further = found.spec.source.data_source if isinstance(found, DataSource) and found.spec.source else None
        if further is not None:
            found = world.find(DataSource, further.namespace or "", further.name)
        named = (found.meta.labels or {}).get(ARCHITECTURE_LABEL) if isinstance(found, DataSource) else None
        if named in ARCHITECTURES:
            return named
    return ""
