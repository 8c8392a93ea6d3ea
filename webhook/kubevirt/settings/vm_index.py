"""
The known VMs by their labels, so that the work for one MigrationPolicy does not grow with the number of VMs.

This module does no I/O.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from webhook.facts.derived import Derived
from webhook.facts.policy import LabelledVM, Selectors
from webhook.facts.unknown import Fact, Unknown
from webhook.facts.world import World
from webhook.kubevirt.settings.selectors import Labels, has_labels, in_namespace
from webhook.kubevirt.subject import VM_KINDS, subject_of
from webhook.objects.meta import Kubernetes


class VMIndex:
    """VMs by each label of the VMI, and by each label of the VM itself."""

    def __init__(self, vms: Iterable[LabelledVM]) -> None:
        self.vms = tuple(vms)
        self.all_have_namespaces = all(vm.namespace for vm in self.vms)
        self._by_label = _by_label((vm, vm.labels) for vm in self.vms)
        self._by_outer_label = _by_label((vm, vm.outer_labels) for vm in self.vms)
        self._namespaces: dict[frozenset[tuple[str, str]], Collection[str]] = {}
        self._mislabelled: dict[frozenset[tuple[str, str]], LabelledVM | None] = {}

    def selects_any(self, selectors: Selectors, labels_of: Callable[[str], Fact[Labels]]) -> bool | None:
        """
        Whether the selectors match a VM, or None if this depends on unknown labels.

        ``labels_of`` returns the labels of a namespace.
        """
        wanted, maybe = selectors.namespace or {}, False
        for namespace in self._namespaces_with(selectors.vmi or {}):
            within = in_namespace(wanted, labels_of(namespace), namespace) if wanted else True
            if within:
                return True
            maybe = maybe or within is None
        return None if maybe else False

    def mislabelled(self, selectors: Selectors) -> LabelledVM | None:
        """The first VM, by namespace and name, that has the labels in its own metadata and not in its template."""
        wanted = selectors.vmi or {}
        if not wanted:
            return None
        key = frozenset(wanted.items())
        if key not in self._mislabelled:
            near = [vm for vm in _with_all(wanted, self._by_outer_label) if not has_labels(vm.labels, wanted)]
            first = min(near, key=lambda vm: (vm.namespace, vm.name, vm.kind), default=None)
            self._mislabelled[key] = first
        return self._mislabelled[key]

    def _namespaces_with(self, wanted: Labels) -> Collection[str]:
        """The namespaces of the VMIs that have these labels."""
        key = frozenset(wanted.items())
        if key not in self._namespaces:
            vms = _with_all(wanted, self._by_label) if wanted else self.vms
            self._namespaces[key] = dict.fromkeys(vm.namespace for vm in vms)
        return self._namespaces[key]


_ByLabel = Mapping[tuple[str, str], Sequence[tuple[LabelledVM, Labels]]]


def _by_label(labelled: Iterable[tuple[LabelledVM, Labels]]) -> _ByLabel:
    by_label: dict[tuple[str, str], list[tuple[LabelledVM, Labels]]] = {}
    for vm, labels in labelled:
        for label in labels.items():
            by_label.setdefault(label, []).append((vm, labels))
    return by_label


def _with_all(wanted: Labels, by_label: _ByLabel) -> Iterable[LabelledVM]:
    """The VMs with all of these labels. The label with the fewest VMs is looked up."""
    fewest = min((by_label.get(label, ()) for label in wanted.items()), key=len)
    return (vm for vm, labels in fewest if has_labels(labels, wanted))


def _index(*lists: Iterable[Kubernetes]) -> VMIndex:
    subjects = (subject_of(one) for listed in lists for one in listed)
    return VMIndex(
        LabelledVM(found.kind, found.name, found.namespace, found.meta.labels or {}, found.outer.labels or {})
        for found in subjects
        if found is not None
    )


_INDEX: Final = Derived(_index)


def known_vms(world: World) -> VMIndex:
    """The VMs of a world."""
    every = (world.every(kind) for kind in VM_KINDS)
    return _INDEX.of(*(() if isinstance(known, Unknown) else known for known in every))
