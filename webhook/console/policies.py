"""MigrationPolicies, and the VMs for which each of them decides. This module does no I/O."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

import msgspec
from msgspec.structs import replace

from webhook.console.state import MatchedPolicy
from webhook.facts.fleet import Fleet
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.settings.policies import settings_of
from webhook.kubevirt.settings.policy_index import indexed
from webhook.kubevirt.settings.selectors import (
    Labels,
    Match,
    contenders,
    malformed,
    matches_of,
    selectors_of,
)
from webhook.kubevirt.settings.time_allowed import space_labels
from webhook.objects.kubevirt import MigrationPolicy
from webhook.objects.meta import Json, Kubernetes
from webhook.objects.path import dotted
from webhook.objects.running import RunningVMI
from webhook.objects.shown import shown
from webhook.objects.vm import VirtualMachine
from webhook.report.printable import printable

_NAMESPACE: Final = "namespace"
_VMI: Final = "vmi"
_NO_SELECTORS: Final = "it has no selectors, so KubeVirt never applies it"


Stored: TypeAlias = Kubernetes | Unknown


class Labelled(msgspec.Struct, frozen=True):
    """A VM, and the labels of its VMI: of the running VMI, or of the template."""

    namespace: str
    name: str
    labels: Labels


class _Ranked(msgspec.Struct, frozen=True):
    """The policies for the VMs of one namespace with the same labels."""

    candidates: tuple[Match | None, ...]
    matches: Sequence[Match]


class _Lists(msgspec.Struct):
    decides: list[tuple[str, str]] = msgspec.field(default_factory=list)
    loses: list[tuple[str, str, str]] = msgspec.field(default_factory=list)
    unknown: list[tuple[str, str]] = msgspec.field(default_factory=list)


def labelled(vms: Iterable[Stored], vmis: Iterable[Stored]) -> Iterator[Labelled]:
    """VirtualMachines and VMIs with the labels that policies select. A VMI has precedence over its VirtualMachine."""
    seen: set[tuple[str, str]] = set()
    for one in (*vmis, *vms):
        if isinstance(one, Unknown) or (key := (one.namespace, one.name)) in seen:
            continue
        seen.add(key)
        if isinstance(one, VirtualMachine):
            template = one.spec.template
            meta = template.metadata if template is not None else None
            yield Labelled(*key, (meta.labels if meta is not None else None) or {})
        else:
            yield Labelled(*key, one.meta.labels or {})


def labelled_in(fleet: Fleet) -> Iterator[Labelled]:
    """The VMs of a fleet, as ``migratable explain`` sees them: a VMI that has ended counts only without a VirtualMachine."""
    vms = fleet.given(VirtualMachine)
    names = {(vm.namespace, vm.name) for vm in vms}
    return labelled(
        vms, (vmi for vmi in fleet.given(RunningVMI) if not vmi.is_final or (vmi.namespace, vmi.name) not in names)
    )


def labels_by_namespace(policies: Sequence[MigrationPolicy], world: World) -> Callable[[str], Fact[Labels]]:
    """The labels of namespaces, as far as the policies need them."""
    return lambda namespace: space_labels(policies, namespace, world)


def matched_policies(
    policies: Sequence[MigrationPolicy], vms: Iterable[Labelled], labels_of: Callable[[str], Fact[Labels]]
) -> tuple[MatchedPolicy, ...]:
    """
    Each policy with the VMs for which it decides, loses or may decide, sorted by name.

    ``labels_of`` gives the labels of a namespace.
    """
    if not policies:
        return ()
    keys = sorted({key for policy in policies if (found := selectors_of(policy)) for key in found.vmi or ()})
    known: dict[tuple[str | None, ...], _Ranked] = {}
    spaces: dict[str, Fact[Labels]] = {}
    lists = {policy.name: _Lists() for policy in policies}
    for vm in sorted(vms, key=lambda vm: (vm.namespace, vm.name)):
        group = (vm.namespace, *(vm.labels.get(key) for key in keys))
        ranked = known.get(group)
        if ranked is None:
            if vm.namespace not in spaces:
                spaces[vm.namespace] = labels_of(vm.namespace)
            space = spaces[vm.namespace]
            given = indexed(policies).candidates(vm.labels, space), vm.labels, space, vm.namespace
            ranked = known[group] = _Ranked(contenders(*given), matches_of(*given))
        _note(vm, ranked, lists)
    return with_ties(_matched(policy, lists[policy.name]) for policy in sorted(policies, key=lambda one: one.name))


def _note(vm: Labelled, ranked: _Ranked, lists: dict[str, _Lists]) -> None:
    """Adds a VM to the lists of the policies that match it."""
    first, *others = ranked.candidates
    if first is None:
        return
    if others:
        for match in filter(None, ranked.candidates):
            lists[match.policy.name].unknown.append((vm.namespace, vm.name))
        return
    lists[first.policy.name].decides.append((vm.namespace, vm.name))
    for match in ranked.matches:
        if match.certain and match.policy.name != first.policy.name:
            lists[match.policy.name].loses.append((vm.namespace, vm.name, first.policy.name))


def _matched(policy: MigrationPolicy, lists: _Lists) -> MatchedPolicy:
    selectors = selectors_of(policy)
    wanted = ((_NAMESPACE, selectors.namespace or {}), (_VMI, selectors.vmi or {})) if selectors is not None else ()
    return MatchedPolicy(
        printable(policy.name),
        tuple(sorted((printable(name), _text(value)) for name, value in settings_of(policy).items())),
        tuple((of, printable(key), printable(labels[key])) for of, labels in wanted for key in sorted(labels)),
        _problem(policy),
        tuple(lists.decides),
        tuple(lists.loses),
        (),
        tuple(lists.unknown),
    )


def _problem(policy: MigrationPolicy) -> str:
    """Why the policy matches no VM for a reason of its own."""
    fault = next(malformed(policy), None)
    if fault is not None:
        path, message, _ = fault
        return printable(f"{dotted(path)}: {message}")
    return _NO_SELECTORS if selectors_of(policy) is None else ""


def _text(value: Json) -> str:
    return printable(value if isinstance(value, str) else shown(value))


def with_ties(policies: Iterable[MatchedPolicy]) -> tuple[MatchedPolicy, ...]:
    """
    The policies with ``tied_with``, from the other fields. So a caller who may not see all VMs gets the ties of the visible VMs.

    A policy matches with all its labels, so equal numbers of labels are a tie.
    """
    given = tuple(policies)
    matching: dict[tuple[str, str], list[MatchedPolicy]] = {}
    for policy in given:
        for namespace, name, *_ in (*policy.decides, *policy.loses):
            matching.setdefault((namespace, name), []).append(policy)
    groups = {tuple(policy.name for policy in group): group for group in matching.values() if len(group) > 1}
    ties: dict[str, set[str]] = {policy.name: set() for policy in given}
    for group in groups.values():
        for one in group:
            ties[one.name] |= {other.name for other in group if other is not one and _weight(other) == _weight(one)}
    return tuple(replace(policy, tied_with=tuple(sorted(ties[policy.name]))) for policy in given)


def _weight(policy: MatchedPolicy) -> tuple[int, int]:
    """The number of labels, and of labels of the VMI. If both are equal, only the names decide."""
    return len(policy.selectors), sum(of == _VMI for of, _, _ in policy.selectors)
