"""
The architecture that KubeVirt reads from the label of a template's DataSource.

Source: ``pkg/defaults/defaults.go`` setDefaultArchitectureFromDataSource, v1.6.4 to v1.9.0. v1.6.3 does not have this function.
"""

import msgspec

from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.cluster import Cluster
from webhook.kubevirt.releases import Release, Releases, newest, only, since
from webhook.kubevirt.subject import Subject
from webhook.objects.storage import DataSource

LABEL = "template.kubevirt.io/architecture"
ARCHITECTURES = ("amd64", "arm64", "s390x")
_FIRST = Release(1, 6)
_FIRST_PATCH = 4


class SourceArchitecture(msgspec.Struct, frozen=True):
    """The architecture (empty if no label sets one) and the releases that read the label."""

    architecture: str = ""
    releases: Releases = since(_FIRST)
    is_assumed: bool = False
    """Whether the label counts in 1.6 only because the newest patch release is assumed."""
    unknown: str = ""
    """The name of the first DataSource that was not provided and that might have the label."""

    def assumptions(self, releases: Releases) -> tuple[str, ...]:
        """The assumptions on which the newest of ``releases`` depends."""
        release = newest(releases).release
        if self.unknown and release >= _FIRST:
            return (f"DataSource {self.unknown!r}, which was not provided, does not have the label {LABEL}",)
        if not self.is_assumed or release != _FIRST:
            return ()
        return (f"the patch release of KubeVirt {_FIRST} is {_FIRST}.{_FIRST_PATCH} or later",)


NONE = SourceArchitecture()


def source_architecture(subject: Subject, world: World, cluster: Cluster) -> SourceArchitecture:
    """The architecture in the label of the first DataSource that has one."""
    architecture, unknown = _label(subject, world)
    if not architecture:
        return SourceArchitecture(unknown=unknown) if unknown else NONE
    patch = cluster.patch_of(_FIRST)
    if patch is not None and patch < _FIRST_PATCH:
        return SourceArchitecture(architecture, since(_FIRST) & ~only(_FIRST))
    return SourceArchitecture(architecture, is_assumed=patch is None)


def _label(subject: Subject, world: World) -> tuple[str, str]:
    """
    The value of the label, and the first DataSource that is not known. Each of them can be an empty text.
    """
    unknown = ""
    for template in subject.vm.data_volume_templates or ():
        ref = template.spec.source_ref if template.spec is not None else None
        if ref is None or ref.kind.lower() != "datasource":
            continue
        data_source = world.find(DataSource, ref.namespace or subject.namespace, ref.name)
        source = data_source.spec.source if isinstance(data_source, DataSource) else None
        further = source.data_source if source else None
        if further is not None:
            data_source = world.find(DataSource, further.namespace or "", further.name)
        if isinstance(data_source, Unknown):
            unknown = unknown or (further.name if further is not None else ref.name)
        labels = (data_source.meta.labels or {}) if isinstance(data_source, DataSource) else {}
        architecture = labels.get(LABEL)
        if architecture in ARCHITECTURES:
            return architecture, unknown
    return "", unknown
