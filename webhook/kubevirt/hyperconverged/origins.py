"""The object and the field that set each migration setting, in a cluster with HyperConverged."""

from collections.abc import Mapping
from typing import Final

from webhook.facts.settings import MIGRATIONS
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.hyperconverged.translate import Written, settings_of, written_kubevirt
from webhook.kubevirt.releases import Release
from webhook.kubevirt.settings.explain import THE_CR
from webhook.kubevirt.settings.hyper_converged import JSON_PATCH, hyper_converged_place, where_in_hyper_converged
from webhook.kubevirt.settings.settings import SETTINGS, written
from webhook.objects.hyper_converged import HyperConverged
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.path import dotted

_DEFAULT: Final = "default"


def origins_of(world: World, release: Release, *, is_owned: bool) -> Mapping[str, str]:
    """
    The origin of each setting that HyperConverged sets. The result is empty in a cluster without HyperConverged.

    HyperConverged's operator writes the KubeVirt CR. If the input has this CR, its values are in force. ``is_owned`` is
    whether HyperConverged's operator has written it.
    """
    kubevirts = world.every(KubeVirt)
    if not isinstance(kubevirts, Unknown) and kubevirts:
        if not is_owned:
            return {}
        return {name: f"{THE_CR} ({where_in_hyper_converged((*MIGRATIONS, name))})" for name in SETTINGS}
    owners = world.every(HyperConverged)
    if isinstance(owners, Unknown) or not owners:
        return {}
    made = written_kubevirt(owners[0], release)
    chosen = written(settings_of(owners[0]).migrations)
    return {
        name: f"HyperConverged {owners[0].name!r} ({_field(name, owners[0], made, is_chosen=name in chosen)})"
        for name in SETTINGS
    }


def _field(name: str, owner: HyperConverged, made: Written, *, is_chosen: bool) -> str:
    path = (*MIGRATIONS, name)
    if any(path[: len(changed)] == changed or changed[: len(path)] == path for changed in made.patched):
        return f"annotation {JSON_PATCH}"
    place = hyper_converged_place(path)
    if place is None or not is_chosen:
        return _DEFAULT
    return dotted(place.v1 if owner.is_v1 else place.v1beta1)
