"""The time that the migration of one VMI takes, from the settings in force."""

from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from webhook.drain.plan import Seconds
from webhook.facts.world import World
from webhook.kubevirt.expansion.expand import expand
from webhook.kubevirt.releases import Behaviour, only
from webhook.kubevirt.settings.explain import Case, Ending, Explained, explain_vm
from webhook.kubevirt.subject import subject_of
from webhook.objects.meta import Kubernetes
from webhook.objects.pods import Pod

COUNT_LINK = " Write --link to count it."
"""The end of ``UNLIMITED`` for a user of the command line."""
UNLIMITED = f"No bandwidth limit is set, so the best case counts no time for copying memory.{COUNT_LINK}"
_GRACE: Final = 30
"""The grace period that the API server gives to a pod without one, in seconds."""
NO_MEMORY = "The memory of a VMI is unknown, so its time is unknown."


class Times(msgspec.Struct, frozen=True):
    """The time of one migration, and the MigrationPolicy in force."""

    seconds: Seconds | None
    """The range, or None if it is unknown."""
    policy: str = ""
    assumptions: tuple[str, ...] = ()


def time_of(judged: Kubernetes, world: World, behaviour: Behaviour, link: int) -> Times:
    """
    The time of one migration of a VM or VMI. ``link`` is the bandwidth of a node's migration link in bytes per second, or 0.

    The best case is one pass over all memory at full bandwidth. The worst case is the completion timeout, after which KubeVirt
    cancels the migration, pauses the guest, or switches to post-copy.
    """
    subject = subject_of(judged)
    if subject is None:
        return Times(None)
    facts = [*expand(subject, world, only(behaviour.release))][-1]
    explained = explain_vm(facts, world, behaviour, link)
    ranges = [*_ranges(explained)]
    policy = explained.cases[0].policy if len(explained.cases) == 1 else ""
    if not ranges:
        return Times(None, policy, (NO_MEMORY,))
    limits = [one.worst for one in ranges]
    known = [limit for limit in limits if limit is not None]
    worst = max(known) if len(known) == len(limits) else None
    is_unlimited = any(not case.budget.rate() for case in explained.cases)
    return Times(Seconds(min(one.best for one in ranges), worst), policy, (UNLIMITED,) if is_unlimited else ())


def with_shutdowns(seconds: Seconds | None, launchers: Iterable[Pod | None]) -> Seconds | None:
    """
    The time of a drain in which these launchers are also evicted, all at once. A guest can shut down immediately, and has until
    the end of the grace period of its pod, which KubeVirt sets (``renderLaunchManifest`` of
    ``pkg/virt-controller/services/template.go``, v1.3.0 to v1.9.0).
    """
    if seconds is None or seconds.worst is None:
        return seconds
    periods = [_GRACE if pod is None else pod.spec.termination_grace_period_seconds or _GRACE for pod in launchers]
    return Seconds(seconds.best, max(seconds.worst, *periods, 0))


def _ranges(explained: Explained) -> Iterator[Seconds]:
    for case in explained.cases:
        outlook = explained.outlook(case)
        if outlook is not None:
            best = outlook.duration or 0
            yield Seconds(best, _limit(case, outlook.counted, outlook.allowed, best))


def _limit(case: Case, counted: int, allowed: int | None, best: int) -> int | None:
    """
    The most seconds until the migration has ended. After the timeout, post-copy needs about the time of one more pass.
    """
    if case.ending is Ending.POST_COPY:
        return max(case.budget.timeout, 0) * counted + best if case.budget.rate() else None
    return max(allowed, best) if allowed is not None else None
