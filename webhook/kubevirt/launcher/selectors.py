"""
The node selectors of a launcher pod and of the target pod of a live migration.

Source: ``pkg/virt-controller/services/nodeselectorrenderer.go`` and ``template.go``, v1.3.1 to v1.9.0. The table of the selectors
is not complete: most Hyper-V features are missing, and confidential computing, with which a VM cannot be live-migrated.
``node_selector.py`` has all selectors of a stored VMI, without the fields that require them.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import KNOWN, NONE, Release, Releases, before, since
from webhook.objects.nad import CPU_FEATURE_LABEL, SCHEDULABLE
from webhook.objects.path import FieldPath
from webhook.objects.scheduling import NodeTerm

REQUIRED: Final[FieldPath] = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
CPU_MODEL_LABEL: Final = "cpu-model.node.kubevirt.io/"
MACHINE_TYPE_LABEL: Final = "machine-type.node.kubevirt.io/"
TSC_FREQUENCY_LABEL: Final = "scheduling.node.kubevirt.io/"
HYPERV_LABEL: Final = "hyperv.node.kubevirt.io/"
REALTIME: Final = "kubevirt.io/realtime"
HOST_MODELS: Final = frozenset(("host-model", "host-passthrough"))
"""CPU models that KubeVirt does not translate to a node label."""
MACHINE_TYPE: Releases = since(Release(1, 5))
"""From 1.5.1 on, the machine type is a node selector."""
_LABELLER: Final = ".node.kubevirt.io"
_WITH_VALUE = Release(1, 5)
"""The release from which the label for realtime must have the value ``true``. Before, the value is empty."""
_RENAMED = Release(1, 8)
"""The release that renames the label of nodes with a static CPU manager."""


@lru_cache(maxsize=1024)
def family_of(key: str) -> str:
    """The prefix of a label of KubeVirt's node labeller, such as ``cpu-model.node.kubevirt.io/``. The key of any other label."""
    prefix, slash, _ = key.partition("/")
    return prefix + slash if prefix.endswith(_LABELLER) else key


def is_from_labeller(key: str) -> bool:
    """Whether KubeVirt's node labeller sets the label (``pkg/virt-handler/node-labeller/node_labeller.go``, v1.9.0)."""
    return key.partition("/")[0].endswith(_LABELLER)


class Selector(msgspec.Struct, frozen=True):
    """A label that the node must have, and the field that requires it."""

    key: str
    value: str
    path: FieldPath
    releases: Releases = KNOWN

    @property
    def family(self) -> str:
        """The family of the label (``family_of``)."""
        return family_of(self.key)


def own_selectors(facts: MigrationFacts) -> Iterator[Selector]:
    """The ``nodeSelector`` of the VMI."""
    selector = facts.node_selector
    if selector is not None:
        is_own = not selector.origin
        for key, value in selector.value.items():
            yield Selector(key, value, (*selector.path, key) if is_own else selector.path)


def selectors(facts: MigrationFacts) -> Iterator[Selector]:
    """All known node selectors of the pod. A label in the VMI's ``nodeSelector`` replaces the same label in the KubeVirt CR."""
    yield Selector(SCHEDULABLE, "true", facts.base)
    yield from own_selectors(facts)
    own = facts.node_selector.value.keys() if facts.node_selector is not None else ()
    for key, value in _of_the_cluster(facts).items():
        if key not in own:
            yield Selector(key, value, facts.base)
    if not facts.architecture_assumed and facts.hidden_architecture is None:
        yield Selector("kubernetes.io/arch", facts.architecture.lower(), facts.at("architecture"))
    yield from _cpu(facts)
    yield from _realtime(facts)
    yield from _reenlightenment(facts)
    domain = facts.spec.domain
    machine = domain.machine.type if domain is not None and domain.machine is not None else None
    if machine:
        yield Selector(MACHINE_TYPE_LABEL + machine, "true", facts.at("domain", "machine", "type"), MACHINE_TYPE)


_CHANGES: Final = tuple(
    (release, frozenset((since(release), before(release)))) for release in (Release(1, 5), _RENAMED)
)
"""The releases in which selectors change, each with the releases of selectors that begin or end there."""


def groups(wanted: Sequence[Selector]) -> tuple[Release, ...]:
    """The releases in which these selectors of a VMI change."""
    limited = {selector.releases for selector in wanted if selector.releases != KNOWN}
    return tuple(release for release, ends in _CHANGES if not limited.isdisjoint(ends)) if limited else ()


def _of_the_cluster(facts: MigrationFacts) -> Mapping[str, str]:
    if isinstance(facts.configuration, Unknown):
        return {}
    developer = facts.configuration.developer_configuration
    return (developer.node_selectors if developer is not None else None) or {}


def _cpu(facts: MigrationFacts) -> Iterator[Selector]:
    model = facts.written_cpu_model
    name = model.value if model is not None else facts.cpu_model
    path = model.path if model is not None else facts.at("domain")
    if not isinstance(name, Unknown) and name not in HOST_MODELS and facts.hidden is None:
        yield Selector(CPU_MODEL_LABEL + name, "true", path)
    for index, feature in enumerate(facts.cpu_features):
        if feature.policy in {None, "", "require"}:
            yield Selector(CPU_FEATURE_LABEL + feature.name, "true", facts.at("domain", "cpu", "features", index))
    cpu = facts.spec.domain.cpu if facts.spec.domain is not None else None
    if cpu is not None and cpu.dedicated_cpu_placement:
        at = facts.at("domain", "cpu", "dedicatedCpuPlacement")
        yield Selector("cpumanager", "true", at, before(_RENAMED))
        yield Selector("kubevirt.io/cpumanager", "true", at, since(_RENAMED))


def _realtime(facts: MigrationFacts) -> Iterator[Selector]:
    cpu = facts.spec.domain.cpu if facts.spec.domain is not None else None
    if cpu is not None and cpu.realtime is not None:
        at = facts.at("domain", "cpu", "realtime")
        yield Selector(REALTIME, "", at, before(_WITH_VALUE))
        yield Selector(REALTIME, "true", at, since(_WITH_VALUE))


def _reenlightenment(facts: MigrationFacts) -> Iterator[Selector]:
    """
    The TSC frequency, and the Hyper-V feature itself with the gate HypervStrictCheck. The VMI gets the frequency when it is
    created.
    """
    wanted, frequency = facts.reenlightenment, facts.tsc_frequency
    if wanted is None:
        return
    if not isinstance(frequency, Unknown) and frequency > 0:
        yield Selector(f"{TSC_FREQUENCY_LABEL}tsc-frequency-{frequency}", "true", wanted.path)
    developer = facts.configuration.developer_configuration if not isinstance(facts.configuration, Unknown) else None
    if developer is not None and "HypervStrictCheck" in (developer.feature_gates or ()):
        yield Selector(HYPERV_LABEL + "reenlightenment", "true", wanted.path)


def in_releases(wanted: Sequence[Selector], releases: Releases) -> tuple[Selector, ...]:
    """The selectors in these releases, which must be one of the groups of ``groups``."""
    return tuple(selector for selector in wanted if selector.releases & releases != NONE)


def required_terms(facts: MigrationFacts) -> tuple[NodeTerm, ...] | None:
    """The terms of the required node affinity of the VMI, or None if it has none."""
    affinity = facts.spec.affinity.node_affinity if facts.spec.affinity is not None else None
    if affinity is None or affinity.required is None:
        return None
    return tuple(affinity.required.node_selector_terms or ())
