"""Migrations that have not ended, and their target pods."""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Final

from webhook.drain.evictions import Key, domain_of, is_launcher
from webhook.drain.inputs import Inputs
from webhook.kubevirt.releases import Version
from webhook.objects.pods import Pod
from webhook.objects.running import Migration

_ADDS_SELECTORS: Final = Version(1, 6, 0)
"""The first release with ``spec.addedNodeSelector`` of a migration."""


class UnderWay:
    """The migrations of a cluster that have not ended. KubeVirt creates no second migration for their VMIs."""

    def __init__(self, inputs: Inputs) -> None:
        self._inputs = inputs

    def added_selector(self, key: Key, node: str) -> Mapping[str, str]:
        """The node selector that the migration of a VMI from ``node`` adds to its target pod."""
        migration = self._migrations.get(key)
        if migration is None or not self._runs_on(key, node) or self._inputs.version < _ADDS_SELECTORS:
            return {}
        return migration.spec.added_node_selector or {}

    def target(self, key: Key, node: str, excluded: Collection[str]) -> Pod | None:
        """The target pod to which a VMI is being migrated from ``node``, if it has a node that is not ``excluded``."""
        if not self._runs_on(key, node):
            return None
        if Migration in self._inputs.fleet.provided and key not in self._migrations:
            return None
        away = {*excluded, node}
        return next((pod for pod in self._launchers.get(key, ()) if pod.spec.node_name not in away), None)

    def _runs_on(self, key: Key, node: str) -> bool:
        """Whether the VMI runs on the node now, and not only in a later step of a rolling drain."""
        vmi = self._inputs.vmis.get(key)
        return vmi is not None and vmi.node == node

    @cached_property
    def _migrations(self) -> Mapping[Key, Migration]:
        every = self._inputs.fleet.given(Migration)
        return {(one.namespace, one.spec.vmi_name): one for one in every if not one.is_final}

    @cached_property
    def _launchers(self) -> Mapping[Key, list[Pod]]:
        """The launchers with a node that have not finished and are not being deleted, by VMI."""
        found: dict[Key, list[Pod]] = {}
        for pod in self._inputs.pods:
            name = domain_of(pod) if is_launcher(pod) and pod.spec.node_name and not pod.is_finished else None
            if name is not None and pod.meta.deletion_timestamp is None:
                found.setdefault((pod.namespace, name), []).append(pod)
        return found
