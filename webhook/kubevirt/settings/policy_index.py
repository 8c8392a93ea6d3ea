"""
MigrationPolicies by their labels, so that the work for one VM or one policy does not grow with the number of policies.

This module does no I/O.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from webhook.facts.derived import Derived
from webhook.facts.policy import Selectors
from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.settings.selectors import Labels, malformed, selectors_of
from webhook.kubevirt.settings.settings import BANDWIDTH
from webhook.objects.kubevirt import MigrationPolicy

Label: TypeAlias = tuple[str, str]


class PolicyIndex:
    """
    The policies of one list. A policy is filed under one label that a VM, or the VM's namespace, needs to match it.

    Policies with invalid selectors never match.
    """

    def __init__(self, policies: Sequence[MigrationPolicy]) -> None:
        self._policies = policies
        self._by_label: dict[Label, list[int]] = {}
        self._by_namespace_label: dict[Label, list[int]] = {}
        self._without_labels: list[int] = []
        self._ties: _Ties | None = None
        every = [selectors_of(policy) for policy in policies]
        self.selects_namespaces = any(one is not None and one.namespace for one in every)
        """Whether a policy selects VMs by labels of their namespaces."""
        self.limits_bandwidth = any(policy.spec.get(BANDWIDTH) is not None for policy in policies)
        self._file([(number, one) for number, one in enumerate(every) if one is not None and self._is_valid(number)])

    def _is_valid(self, number: int) -> bool:
        return next(malformed(self._policies[number]), None) is None

    def _file(self, selecting: Sequence[tuple[int, Selectors]]) -> None:
        """Files each policy under the label with the fewest policies, so that no list is longer than necessary."""
        counts = Counter(label for _, selectors in selecting for label in (selectors.vmi or {}).items())
        in_namespaces = Counter(label for _, selectors in selecting for label in (selectors.namespace or {}).items())
        for number, selectors in selecting:
            if selectors.vmi:
                self._by_label.setdefault(min(selectors.vmi.items(), key=counts.__getitem__), []).append(number)
            elif selectors.namespace:
                rarest = min(selectors.namespace.items(), key=in_namespaces.__getitem__)
                self._by_namespace_label.setdefault(rarest, []).append(number)
            else:
                self._without_labels.append(number)

    def candidates(self, vmi: Labels, namespace: Fact[Labels]) -> Sequence[MigrationPolicy]:
        """The policies that can match a VMI with these labels, in their order. Unknown labels of a namespace can match."""
        numbers = [number for label in vmi.items() for number in self._by_label.get(label, ())]
        by_label = self._by_namespace_label
        found = by_label.values() if isinstance(namespace, Unknown) else map(by_label.get, namespace.items())
        numbers += [number for listed in found for number in listed or ()]
        return [self._policies[number] for number in sorted((*numbers, *self._without_labels))]

    def tied_with(self, name: str, selectors: Selectors) -> tuple[tuple[str, Selectors], ...]:
        """The policies of other names that can match the same VM as closely as a policy with these selectors, by name."""
        if self._ties is None:
            self._ties = _Ties((one.name, found) for one in self._policies if (found := selectors_of(one)) is not None)
        return tuple(self._ties.of(name, selectors))


class _Ties:
    """Policies by the numbers of their labels. Only policies with the same numbers can be tied."""

    def __init__(self, policies: Iterable[tuple[str, Selectors]]) -> None:
        self._groups: dict[tuple[int, ...], _Group] = {}
        for name, selectors in sorted(policies, key=lambda policy: policy[0]):
            self._groups.setdefault(_size(selectors), _Group()).add(name, selectors)

    def of(self, name: str, selectors: Selectors) -> Iterator[tuple[str, Selectors]]:
        group = self._groups.get(_size(selectors))
        return group.tied_with(name, selectors) if group is not None else iter(())


class _Group:
    """
    Policies with the same number of labels of each kind. One VM can match two of them if no label has two values.

    A set of policies is an integer with one bit for each policy, because intersections of sets take most of the time.
    """

    def __init__(self) -> None:
        self._policies: list[tuple[str, Selectors]] = []
        self._named: dict[str, int] = {}
        self._with_key: dict[tuple[int, str], int] = {}
        self._with_label: dict[tuple[int, str, str], int] = {}

    def add(self, name: str, selectors: Selectors) -> None:
        bit = 1 << len(self._policies)
        self._policies.append((name, selectors))
        self._named[name] = self._named.get(name, 0) | bit
        for side, key, value in _labels(selectors):
            self._with_key[side, key] = self._with_key.get((side, key), 0) | bit
            self._with_label[side, key, value] = self._with_label.get((side, key, value), 0) | bit

    def tied_with(self, name: str, selectors: Selectors) -> Iterator[tuple[str, Selectors]]:
        different = self._named.get(name, 0)
        for side, key, value in _labels(selectors):
            different |= self._with_key.get((side, key), 0) & ~self._with_label.get((side, key, value), 0)
        tied = ((1 << len(self._policies)) - 1) & ~different
        while tied:
            yield self._policies[(tied & -tied).bit_length() - 1]
            tied &= tied - 1


def _labels(selectors: Selectors) -> Iterator[tuple[int, str, str]]:
    for side, labels in enumerate(_sides(selectors)):
        for key, value in labels.items():
            yield side, key, value


def _size(selectors: Selectors) -> tuple[int, ...]:
    return tuple(map(len, _sides(selectors)))


def _sides(selectors: Selectors) -> tuple[Mapping[str, str], Mapping[str, str]]:
    return selectors.namespace or {}, selectors.vmi or {}


_INDEX: Final = Derived(PolicyIndex)


def indexed(policies: Sequence[MigrationPolicy]) -> PolicyIndex:
    """The index of the policies."""
    return _INDEX.of(policies)
