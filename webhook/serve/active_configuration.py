"""The active policy, release and KubeVirt namespace. All three values are replaced together when their sources change."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from webhook.check.check import ReleaseChoice, choose_release
from webhook.errors import Misconfigured, WebhookError
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.facts.world import World
from webhook.kubevirt.releases import SUPPORTED
from webhook.manifests.policy_file import parse_policy, read_policy
from webhook.objects.kubevirt import KubeVirt
from webhook.policy.policy import Policy
from webhook.surfaces.admission.endpoint import ActiveConfiguration

log = logging.getLogger("migratable.policy")

ANY = ReleaseChoice(SUPPORTED, "any")


class ConfigurationSource:
    """Supplies the current ``ActiveConfiguration``. If the policy file becomes invalid, the previous policy still applies."""

    def __init__(
        self, policy_file: Path | None, release: str, world: Callable[[], World], today: Callable[[], str]
    ) -> None:
        self._file = policy_file
        self._release = release
        self._world = world
        self._today = today
        self._policy = read_policy(policy_file) if policy_file is not None else Policy()
        self._content: bytes | None = policy_file.read_bytes() if policy_file is not None else b""
        self._problem: Misconfigured | None = None
        """The error in the content of the policy file, if the content is invalid."""
        if release:
            choose_release(release, world())  # raises an error for an unsupported release
        self._cached: tuple[object, ActiveConfiguration] | None = None
        self._seen: Sequence[KubeVirt] = ()
        """The KubeVirt CRs of the last successful lookup."""

    @property
    def policy(self) -> Policy:
        """The active policy."""
        return self._policy

    def refresh(self) -> bool:
        """Reload the policy file if it has changed. Raises Misconfigured while the file is invalid. Thread-safe."""
        if self._file is None:
            return False
        try:
            content = self._file.read_bytes()
        except OSError as error:
            self._content = None
            raise Misconfigured(f"policy file {self._file} cannot be read", remedy="Restore the file.") from error
        if content == self._content:
            if self._problem is not None:
                raise self._problem
            return False
        self._content = content
        try:
            self._policy = _replacement(content, str(self._file))
        except Misconfigured as problem:
            self._problem = problem
            raise
        self._problem = None
        log.info("policy reloaded")
        return True

    def __call__(self) -> ActiveConfiguration:
        """
        Returns the active configuration.

        If the KubeVirt CR is unknown because its watch is late, the last known release and namespace apply. Otherwise requests
        would be judged for all releases, and KubeVirt's own accounts would be treated as tenants.
        """
        policy = self._policy
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


def _replacement(content: bytes, source: str) -> Policy:
    """Returns the policy in ``content``, which replaces the active policy. Raises Misconfigured."""
    if not content.strip():  # the file is being written, or the disk is full
        raise Misconfigured(f"policy file {source} is empty", remedy="Write {} for the built-in policy.")
    return parse_policy(content, source)
