"""
The instancetypes and preferences that KubeVirt itself deploys (common-instancetypes), by release.

Sources: ``pkg/virt-operator/resource/apply/reconcile.go`` commonInstancetypesDeploymentEnabled, v1.1.0 to v1.9.0, and the
bundles in ``bundled_objects.json``, which ``tools/bundled_objects.py`` writes. Up to 1.3, KubeVirt deploys them only if a
feature gate is on. From 1.4 on, KubeVirt deploys them unless the KubeVirt CR disables this.
"""

from functools import cache

import msgspec

from webhook.facts.unknown import Unknown
from webhook.kubevirt.cluster import Cluster
from webhook.kubevirt.releases import Release, Version
from webhook.objects.instancetype import InstancetypeSpec, PreferenceSpec

GATE = "CommonInstancetypesDeploymentGate"
_FIRST = Release(1, 1)
_ON_BY_DEFAULT = Release(1, 4)
_NEWEST_PATCH = 999


class Deployed(msgspec.Struct, frozen=True):
    """A spec, and the KubeVirt releases that deploy it: from ``since`` on, and before ``before`` (None: all later releases)."""

    since: str
    before: str | None
    spec: msgspec.Raw


class Objects(msgspec.Struct, frozen=True):
    """All bundled objects, by name."""

    source: str
    instancetypes: dict[str, list[Deployed]]
    preferences: dict[str, list[Deployed]]


_INSTANCETYPE = msgspec.json.Decoder(InstancetypeSpec)
_PREFERENCE = msgspec.json.Decoder(PreferenceSpec)


class Bundle(msgspec.Struct, frozen=True):
    """The objects that one release deploys."""

    version: Version

    def instancetype(self, name: str) -> InstancetypeSpec | None:
        """The spec of the VirtualMachineClusterInstancetype of this name, or None if the bundle has no such object."""
        spec = self._find(_objects().instancetypes, name)
        return _INSTANCETYPE.decode(spec) if spec is not None else None

    def preference(self, name: str) -> PreferenceSpec | None:
        """The spec of the VirtualMachineClusterPreference of this name, or None if the bundle has no such object."""
        spec = self._find(_objects().preferences, name)
        return _PREFERENCE.decode(spec) if spec is not None else None

    def _find(self, objects: dict[str, list[Deployed]], name: str) -> msgspec.Raw | None:
        own = tuple(self.version)
        for deployed in objects.get(name, ()):
            if _numbers(deployed.since) <= own and (deployed.before is None or own < _numbers(deployed.before)):
                return deployed.spec
        return None


def bundle_of(cluster: Cluster, release: Release) -> Bundle | None:
    """
    The objects that ``release`` deploys, or None if it deploys none.

    If the configuration is not known, the deployment is assumed to be on. If the patch release is not known, the newest patch
    release of ``release`` is assumed.
    """
    if release < _FIRST or not _is_deployed(cluster, release):
        return None
    patch = cluster.patch_of(release)
    return Bundle(Version(*release, _NEWEST_PATCH if patch is None else patch))


def _is_deployed(cluster: Cluster, release: Release) -> bool:
    configuration = cluster.configuration
    if isinstance(configuration, Unknown):
        return True
    if release < _ON_BY_DEFAULT:
        developer = configuration.developer_configuration
        return developer is not None and GATE in (developer.feature_gates or ())
    deployment = configuration.common_instancetypes_deployment
    return deployment is None or deployment.enabled is not False


@cache
def _objects() -> Objects:
    with open(f"{__file__.removesuffix('.py')}_objects.json", "rb") as file:  # noqa: PTH123 - pathlib is slow to import
        return msgspec.json.decode(file.read(), type=Objects)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
