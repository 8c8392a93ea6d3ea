"""
The settings in which the KubeVirt CR differs from the CR that HyperConverged's operator writes.

KubeVirt reads only its own CR. A difference is a change that the operator has not made yet, or that it will undo.
"""

from collections.abc import Iterator, Mapping

from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.hyperconverged.translate import written_kubevirt
from webhook.kubevirt.releases import Behaviour, Releases, newest
from webhook.kubevirt.settings.hyper_converged import LIVE_MIGRATION, hyper_converged_place
from webhook.kubevirt.settings.settings import in_force
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import Configuration, KubeVirt
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.objects.shown import shown

_CONFIGURATION: FieldPath = ("spec", "configuration")
_METHODS: FieldPath = ("spec", "workloadUpdateStrategy", "workloadUpdateMethods")


def differences(judged: HyperConverged, world: World, releases: Releases) -> tuple[str, ...]:
    """One sentence for each such setting. The result is empty if one of the two CRs is unknown."""
    known, behaviour = world.every(KubeVirt), newest(releases)
    if isinstance(known, Unknown) or not known:
        return ()
    written = written_kubevirt(judged, behaviour.release).kubevirt
    return () if isinstance(written, Unknown) else tuple(_differences(judged, known[0], written, behaviour))


def _differences(judged: HyperConverged, kubevirt: KubeVirt, written: KubeVirt, behaviour: Behaviour) -> Iterator[str]:
    actual, expected = _values(kubevirt, behaviour), _values(written, behaviour)
    for path, value in expected.items():
        place = hyper_converged_place(path)
        is_unknown = value is None and path[-1] == "evictionStrategy"
        if place is None or is_unknown or actual[path] == value:
            continue
        field = dotted(place.v1 if judged.is_v1 else place.v1beta1)
        yield (
            f"the KubeVirt CR has {dotted(path)} {_shown(actual[path])}, but {field} of the HyperConverged CR gives "
            f"{_shown(value)}; VMs are judged with the KubeVirt CR"
        )


def _values(kubevirt: KubeVirt, behaviour: Behaviour) -> Mapping[FieldPath, Json]:
    """The settings in force that HyperConverged has a field for."""
    configuration, update = kubevirt.spec.configuration or Configuration(), kubevirt.spec.workload_update_strategy
    migrations = in_force(configuration.migrations, behaviour)
    return {
        **{(*_CONFIGURATION, "migrations", name): migrations.get(name) for name in LIVE_MIGRATION},
        (*_CONFIGURATION, "evictionStrategy"): configuration.eviction_strategy,
        (*_CONFIGURATION, "cpuModel"): configuration.cpu_model or None,
        (*_CONFIGURATION, "vmStateStorageClass"): configuration.vm_state_storage_class or None,
        _METHODS: sorted((update.workload_update_methods if update is not None else None) or ()),
    }


def _shown(value: Json) -> str:
    return f"[{', '.join(value)}]" if isinstance(value, list) else shown(value)
