"""The schedulable nodes by label, to find node selectors that few of them satisfy."""

from collections.abc import Iterable, Mapping
from typing import Final

from webhook.kubevirt.launcher.selectors import family_of, is_from_labeller
from webhook.objects.nad import SCHEDULABLE, Node

Pair = tuple[str, str]
"""The key and value of a label."""

_OTHERS: Final = "kubevirt.io/"
_OLD_NAMES: Final = frozenset(("cpumanager",))


def is_from_kubevirt(key: str) -> bool:
    """Whether KubeVirt sets the label on nodes according to what the node supports."""
    return is_from_labeller(key) or (key.startswith(_OTHERS) and key != SCHEDULABLE) or key in _OLD_NAMES


class LabelledNodes:
    """The nodes of a cluster that can run VMs now, by their labels from KubeVirt."""

    def __init__(self, nodes: Iterable[Node]) -> None:
        listed = list(nodes)
        is_reported = any(SCHEDULABLE in (node.meta.labels or {}) for node in listed)
        self.names: set[str] = set()
        """The names of the schedulable nodes."""
        self._with: dict[Pair, set[str]] = {}
        self._families: set[str] = set()
        for node in listed:
            labels = node.meta.labels or {}
            self._families.update(family_of(key) for key in labels)
            if is_reported and labels.get(SCHEDULABLE) != "true":
                continue
            if node.spec is not None and node.spec.unschedulable:
                continue
            self.names.add(node.name)
            for pair in labels.items():
                if is_from_kubevirt(pair[0]):
                    self._with.setdefault(pair, set()).add(node.name)

    def having(self, pair: Pair) -> frozenset[str]:
        """The schedulable nodes with a label."""
        return frozenset(self._with.get(pair, ()))

    def having_all(self, pairs: Iterable[Pair]) -> set[str]:
        """The schedulable nodes with all the labels."""
        names = set(self.names)
        for pair in pairs:
            names &= self._with.get(pair, set())
        return names

    def reported(self, selector: Mapping[str, str]) -> list[Pair]:
        """The selectors for labels from KubeVirt, without those of which no node has a label of the same kind."""
        return [
            (key, value)
            for key, value in sorted(selector.items())
            if is_from_kubevirt(key) and family_of(key) in self._families
        ]
