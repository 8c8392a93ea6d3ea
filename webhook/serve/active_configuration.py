"""What is in force: policy, release, install namespace. Read afresh when its sources change, swapped whole."""

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
    """Gives the ``ActiveConfiguration`` of this moment; a bad policy file keeps the last good one in force."""

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
        """Why that content cannot be used."""
        if release:
            choose_release(release, world())  # refuses to start with a release that cannot be judged
        self._cached: tuple[object, ActiveConfiguration] | None = None
        self._seen: Sequence[KubeVirt] = ()
        """The KubeVirt CRs that were seen last."""

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self._policy

    def refresh(self) -> bool:
        """Reads the policy file again if it changed, in any thread. Raises Misconfigured as long as it cannot be used."""
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
        What is in force now.

        Release and namespace of a KubeVirt CR stay while nobody can tell them, because its watch is late: to judge for any
        release would refuse what the one that runs can migrate, and KubeVirt's own accounts would be taken for tenants.
        """
        policy = self._policy
        found = self._world().every(KubeVirt)
        seen = self._seen if isinstance(found, Unknown) else found
        self._seen = seen  # read only once: confirming threads come here, too
        today = self._today()
        kubevirt = seen[0] if seen else None
        key = (kubevirt, today)
        if self._cached is not None and self._cached[0] == key and self._cached[1].policy is policy:
            return self._cached[1]
        try:
            chosen = choose_release(self._release, ObjectsWorld(seen))
        except WebhookError:  # a version in the CR's status that cannot be judged
            chosen = ANY
        namespace = kubevirt.namespace if kubevirt is not None else ""
        configuration = ActiveConfiguration(policy, chosen, namespace, today)
        self._cached = (key, configuration)
        return configuration


def _replacement(content: bytes, source: str) -> Policy:
    """The policy that takes the place of one in force. Raises Misconfigured."""
    if not content.strip():  # somebody is about to write it, or the disk is full: nobody is refused for that
        raise Misconfigured(f"policy file {source} is empty", remedy="Write {} for the built-in policy.")
    return parse_policy(content, source)
