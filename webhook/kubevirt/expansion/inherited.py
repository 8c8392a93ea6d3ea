"""
Settings that a VirtualMachine inherits from its instancetype, its preference and its templates' DataSources.

Sources: ``pkg/instancetype/apply`` and ``pkg/instancetype/preference/apply``, v1.9.0; up to 1.4
``pkg/instancetype/instancetype.go``.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.cluster import cluster_of
from webhook.kubevirt.expansion.source_architecture import NONE, SourceArchitecture, source_architecture
from webhook.kubevirt.releases import KNOWN, Release, Releases, before, since, split
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeSpec, PreferenceSpec

if TYPE_CHECKING:
    from webhook.kubevirt.expansion.references import References

NO_INSTANCETYPE = InstancetypeSpec()
NO_PREFERENCE = PreferenceSpec()
_ANNOTATIONS: Releases = since(Release(1, 1))
_PREFERRED_ARCHITECTURE: Releases = since(Release(1, 7))


class Inherited(msgspec.Struct, frozen=True):
    """The settings that a VMI inherits in one group of releases."""

    instancetype: InstancetypeSpec = NO_INSTANCETYPE
    instancetype_name: str = ""
    preference: PreferenceSpec = NO_PREFERENCE
    releases: Releases = KNOWN
    """The releases in which the VMI inherits these settings."""
    unknown: Unknown | None = None
    unknown_field: str = ""
    unknown_preference: Unknown | None = None
    source: SourceArchitecture = NONE
    assumptions: tuple[str, ...] = ()
    """Assumptions about objects and about the patch release, if the input does not contain them."""

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
        return self.source.architecture or None if self.releases & self.source.releases else None

    def annotations(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """The VMI's annotations. The VMI's ``own`` annotations have precedence over inherited annotations."""
        added = (self.preference.annotations, self.instancetype.annotations)
        if not self.releases & _ANNOTATIONS or not any(added):
            return own
        return {**(added[0] or {}), **(added[1] or {}), **own}


def inherited_by(subject: Subject, world: World, releases: Releases) -> Iterator[Inherited]:
    """Yields the inherited settings, once for each group of ``releases`` with the same settings, oldest group first."""
    vm = subject.vm
    names_objects = vm.instancetype is not None or vm.preference is not None
    if not names_objects and not vm.data_volume_templates:
        yield Inherited(releases=releases)
        return
    cluster = cluster_of(world)
    source = source_architecture(subject, world, cluster) if not subject.spec.architecture else NONE
    if not names_objects:
        yield from _grouped(Inherited(source=source, releases=releases))
        return
    from webhook.kubevirt.expansion.references import references_of  # noqa: PLC0415 - most VMs have no instancetype

    for references in references_of(subject, world, releases, cluster):
        yield from _grouped(_inherited(references, source))


def _grouped(inherited: Inherited) -> Iterator[Inherited]:
    for group in split(inherited.releases, _changes(inherited)):
        assumptions = (*inherited.assumptions, *inherited.source.assumptions(group))
        yield replace(inherited, releases=group, assumptions=assumptions)


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
    if inherited.source.architecture:
        yield Release(1, 6)
        if inherited.source.releases & before(Release(1, 7)) == 0:
            yield Release(1, 7)
    if preference.preferred_architecture:
        yield Release(1, 7)
    if preference.preferred_launch_security is not None:
        yield Release(1, 9)


def _inherited(references: "References", source: SourceArchitecture) -> Inherited:
    unknown = references.unknown_instancetype or references.unknown_preference
    return Inherited(
        references.instancetype or NO_INSTANCETYPE,
        references.instancetype_name,
        references.preference or NO_PREFERENCE,
        references.releases,
        unknown=unknown,
        unknown_field="instancetype" if unknown is not references.unknown_preference else "preference",
        unknown_preference=references.unknown_preference,
        source=source,
        assumptions=references.assumptions,
    )
