"""The active policy, release and KubeVirt namespace. All three values are replaced together when their sources change."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from webhook.check.check import ReleaseChoice, choose_release
from webhook.errors import WebhookError
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import SUPPORTED
from webhook.manifests.policy_file import parse_policy
from webhook.objects.kubevirt import KubeVirt
from webhook.policy.policy import Policy
from webhook.processes.followed_policy import FollowedPolicy
from webhook.surfaces.admission.endpoint import ActiveConfiguration

ANY = ReleaseChoice(SUPPORTED, "any")


class ConfigurationSource:
    """Supplies the current ``ActiveConfiguration``. If the policy file becomes invalid, the previous policy still applies."""

    def __init__(
        self, policy_file: Path | None, release: str, world: Callable[[], World], today: Callable[[], str]
    ) -> None:
        self._followed = FollowedPolicy(policy_file, partial(parse_policy, source=str(policy_file)))
        self._release = release
        self._world = world
        self._today = today
        if release:
            choose_release(release, world())  # raises an error for an unsupported release
        self._cached: tuple[object, ActiveConfiguration] | None = None
        self._seen: Sequence[KubeVirt] = ()
        """The KubeVirt CRs of the last successful lookup."""

    @property
    def policy(self) -> Policy:
        """The active policy."""
        return self._followed.policy

    @property
    def policy_problem(self) -> str:
        """Why the policy file does not apply (empty if it applies)."""
        return self._followed.problem

    def refresh(self) -> bool:
        """Reads the policy file. Returns True if a new policy applies. One thread at a time calls this method."""
        return self._followed.refresh()

    def __call__(self) -> ActiveConfiguration:
        """
        Returns the active configuration.

        If the KubeVirt CR is unknown because its watch is late, the last known release and namespace apply. Otherwise requests
        would be judged for all releases, and KubeVirt's own accounts would be treated as tenants.
        """
        policy = self.policy
        resources = self._world().every(KubeVirt)
        seen = self._seen if isinstance(resources, Unknown) else resources
        self._seen = seen  # `seen` is read once, because other threads also call this method
        today = self._today()
        kubevirt = seen[0] if seen else None
        key = (kubevirt, today)
        if self._cached is not None and self._cached[0] == key and self._cached[1].policy is policy:
            return self._cached[1]
        try:
            chosen = choose_release(self._release, ObjectsWorld(seen))
        except WebhookError:  # the status of the CR has an unsupported version
            chosen = ANY
        namespace = kubevirt.namespace if kubevirt is not None else ""
        configuration = ActiveConfiguration(policy, chosen, namespace, today)
        self._cached = (key, configuration)
        return configuration
