"""
The instancetype and the preference of a VirtualMachine, by release.

Sources: ``pkg/instancetype/find/revision.go`` and ``pkg/instancetype/preference/find/revision.go``, v1.5.1, v1.5.2 and v1.9.0.
KubeVirt reads the revision in the VM's status from 1.5 on. Up to 1.5.1, KubeVirt does not compare the name of the copied
object.
"""

from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from webhook.facts.unknown import NotGiven, Unknown
from webhook.facts.world import World
from webhook.kubevirt.cluster import Cluster
from webhook.kubevirt.expansion.bundled import Bundle, bundle_of
from webhook.kubevirt.expansion.inferred import Scope
from webhook.kubevirt.expansion.instancetypes import find_instancetype, find_preference
from webhook.kubevirt.releases import NONE, Release, Releases, behaviours, only, since
from webhook.kubevirt.subject import Subject
from webhook.objects.instancetype import InstancetypeSpec, PreferenceSpec

_STATUS: Releases = since(Release(1, 5))
_BY_PATCH = Release(1, 5)
_FIRST_PATCH = 2


class References(msgspec.Struct, frozen=True):
    """
    The specs of the objects that the VM refers to, in one group of releases. ``unknown`` is the first reason why a spec is
    unknown.
    """

    releases: Releases
    instancetype: InstancetypeSpec | None
    instancetype_name: str
    preference: PreferenceSpec | None
    preference_name: str
    unknown_instancetype: Unknown | None
    unknown_preference: Unknown | None
    assumptions: tuple[str, ...] = ()

    @property
    def is_given(self) -> bool:
        """Whether the input contains each object that is looked up."""
        return not isinstance(self.unknown_instancetype, NotGiven) and not isinstance(self.unknown_preference, NotGiven)


def references_of(subject: Subject, world: World, releases: Releases, cluster: Cluster) -> Iterator[References]:
    """Yields the specs once for each group of ``releases`` with the same specs, oldest group first."""
    status = subject.vm_status
    has_references = status is not None and (status.instancetype_ref is not None or status.preference_ref is not None)
    with_status = releases & _STATUS if has_references else NONE
    lookup = _Lookup(subject, world, cluster)
    if releases & ~with_status:
        yield from lookup.by_release(releases & ~with_status)
    if with_status:
        yield from lookup.with_status(with_status)


class _Lookup(msgspec.Struct, frozen=True):
    subject: Subject
    world: World
    cluster: Cluster

    def with_status(self, releases: Releases) -> Iterator[References]:
        """The specs for releases that read the revisions in the VM's status."""
        early, patch = releases & only(_BY_PATCH), self.cluster.patch_of(_BY_PATCH)
        if not early or (patch is not None and patch >= _FIRST_PATCH):
            yield from self.by_release(releases, with_status=True)
            return
        unnamed = self._find(early, with_status=True, any_revision=True)
        if unnamed == self._find(early, with_status=True):
            yield from self.by_release(releases, with_status=True)
            return
        if patch is not None:
            yield unnamed
        else:
            assumed = f"the patch release of KubeVirt {_BY_PATCH} is {_BY_PATCH}.{_FIRST_PATCH} or later"
            for found in self.by_release(early, with_status=True):
                yield replace(found, assumptions=(*found.assumptions, assumed))
        if releases & ~early:
            yield from self.by_release(releases & ~early, with_status=True)

    def by_release(self, releases: Releases, *, with_status: bool = False) -> Iterator[References]:
        """
        The specs for each group of releases. Objects that the input does not contain come from the bundle of each release.
        """
        given = self._find(releases, with_status=with_status)
        if given.is_given:
            yield given
            return
        group: References | None = None
        for behaviour in behaviours(releases):
            release = only(behaviour.release)
            bundle = bundle_of(self.cluster, behaviour.release)
            found = self._find(release, with_status=with_status, bundle=bundle) if bundle is not None else given
            found = replace(found, releases=release, assumptions=_assumed(given, found))
            if group is not None and replace(group, releases=release) != found:
                yield group
                group = None
            group = found if group is None else replace(group, releases=group.releases | release)
        if group is not None:
            yield group

    def _find(
        self, releases: Releases, *, with_status: bool, any_revision: bool = False, bundle: Bundle | None = None
    ) -> References:
        subject = self.subject
        vm, status = subject.vm, subject.vm_status if with_status else None
        scope = Scope(self.world, subject.namespace, subject.spec, subject.data_volumes, bundle, any_revision)
        instancetype, its_name = find_instancetype(scope, vm.instancetype, status.instancetype_ref if status else None)
        preference, name = find_preference(scope, vm.preference, status.preference_ref if status else None)
        return References(
            releases,
            instancetype if isinstance(instancetype, InstancetypeSpec) else None,
            its_name,
            preference if isinstance(preference, PreferenceSpec) else None,
            name,
            instancetype if isinstance(instancetype, Unknown) else None,
            preference if isinstance(preference, Unknown) else None,
        )


def _assumed(given: References, found: References) -> tuple[str, ...]:
    """The assumptions about objects that only ``found`` contains."""
    pairs = (
        (f"instancetype {found.instancetype_name!r}", given.unknown_instancetype, found.unknown_instancetype),
        (f"preference {found.preference_name!r}", given.unknown_preference, found.unknown_preference),
    )
    return tuple(
        f"{what} is the one that KubeVirt deploys"
        for what, before, after in pairs
        if before is not None and after is None
    )
