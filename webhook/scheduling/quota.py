"""
Whether ResourceQuotas refuse the creation of one more pod or claim, in the words of the API server.

``Quotas`` holds the quotas of all namespaces. ``quotas.pod(pod)`` and ``quotas.claim(claim)`` return an ``Answer``:

- ``answer.refusals``: the quotas that refuse. The API server reports one of them. ``text`` is the part of its message after
  ``is forbidden: ``, such as ``exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=4``.
- ``answer.missing``: the facts that are not known, if they decide.
- ``answer.admits``: True, False, or None if it is not known.

In a rehearsal, ``charge`` counts an object that was created, and ``release`` gives back an object that has gone. ``copy`` is
cheap. The pod must be as the API server stores it: see ``webhook.scheduling.pod_defaults.stored``.

Source: ``pkg/admission/plugin/resourcequota/controller.go`` of k8s.io/apiserver v0.34.2. Quotas that an AdmissionConfiguration
requires (``limitedResources``) are not modelled.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Literal, TypeVar

import msgspec

from webhook.objects.meta import Kubernetes
from webhook.objects.pods import Pod
from webhook.objects.quotas import ResourceQuota
from webhook.scheduling.amounts import ZERO, Amount, ResourceList, amounts, shown, total_of
from webhook.scheduling.quota_usage import (
    Claim,
    claim_is_in,
    claim_usage,
    limits_claims,
    limits_pods,
    pod_is_in,
    pod_usage,
    scopes_of,
    unspecified,
)

K = TypeVar("K", bound=Kubernetes)


class Refusal(msgspec.Struct, frozen=True):
    """A quota that refuses an object."""

    quota: str
    reason: Literal["mustSpecify", "statusUnknown", "exceeded"]
    resources: tuple[str, ...]
    """The resources that are exceeded, not specified or not known, sorted."""
    text: str
    """The message of the API server after ``is forbidden: ``."""


class Answer(msgspec.Struct, frozen=True):
    """The answer of all quotas of a namespace to one object."""

    refusals: tuple[Refusal, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def admits(self) -> bool | None:
        """Whether all quotas admit the object, or None if that is not known."""
        if self.refusals:
            return False
        return None if self.missing else True


class _Quota(msgspec.Struct, frozen=True):
    """A quota with its parsed limits. ``used`` is None if the usage is not known."""

    object: ResourceQuota
    hard: ResourceList
    used_by_pods: ResourceList | None
    used_by_claims: ResourceList | None


class Quotas:
    """The quotas of all namespaces, and the usage that a rehearsal has added."""

    def __init__(
        self,
        quotas: Iterable[ResourceQuota] | None,
        pods: Iterable[Pod] | None = None,
        claims: Iterable[Claim] | None = None,
    ) -> None:
        """
        ``quotas``, ``pods`` and ``claims`` are all objects of the cluster, or None if they are not known.

        Pods and claims are only needed for quotas without a status.
        """
        self._known = quotas is not None
        listed = list(quotas or ())
        counted = {quota.namespace for quota in listed if not _has_status(quota)}
        pods_of = _by_namespace(pods, counted)
        claims_of = _by_namespace(claims, counted)
        self._quotas: dict[str, list[_Quota]] = {}
        for quota in sorted(listed, key=lambda quota: quota.name):
            self._quotas.setdefault(quota.namespace, []).append(_parsed(quota, pods_of, claims_of))
        self._added: dict[tuple[str, str], dict[str, int]] = {}

    def copy(self) -> "Quotas":
        """A copy with the same usage. Later changes of one do not change the other."""
        copied = object.__new__(Quotas)
        copied._known, copied._quotas = self._known, self._quotas
        copied._added = {key: dict(added) for key, added in self._added.items()}
        return copied

    def pod(self, pod: Pod) -> Answer:
        """The answer to the creation of a pod."""
        matching = [quota for quota in self._quotas.get(pod.namespace, ()) if _matches_pod(quota, pod)]
        answer = self._answer(matching, pod_usage(pod), limits_pods, lambda names: unspecified(pod, names))
        return self._with_doubt(answer)

    def claim(self, claim: Claim) -> Answer:
        """The answer to the creation of a claim. A claim without a class must already have the default class."""
        matching = [quota for quota in self._quotas.get(claim.namespace, ()) if _matches_claim(quota, claim)]
        return self._with_doubt(self._answer(matching, claim_usage(claim), limits_claims, lambda _: ""))

    def charge(self, created: Pod | Claim) -> None:
        """Counts a pod or claim that was created."""
        self._change(created, 1)

    def release(self, gone: Pod | Claim) -> None:
        """Gives back the usage of a pod or claim that has gone."""
        self._change(gone, -1)

    def _change(self, changed: Pod | Claim, sign: int) -> None:
        quotas = self._quotas.get(changed.namespace)
        if not quotas:
            return
        usage = pod_usage(changed) if isinstance(changed, Pod) else claim_usage(changed)
        for quota in quotas:
            if _matches_pod(quota, changed) if isinstance(changed, Pod) else _matches_claim(quota, changed):
                added = self._added.setdefault((changed.namespace, quota.object.name), {})
                for name in usage.keys() & quota.hard.keys():
                    added[name] = added.get(name, 0) + sign * usage[name].nano

    def _answer(
        self,
        quotas: list[_Quota],
        usage: ResourceList,
        limits: Callable[[str], bool],
        check: Callable[[list[str]], str],
    ) -> Answer:
        """The answer of matching quotas (``CheckRequest``). Quotas are first checked alone, and then against the usage."""
        early: list[Refusal] = []
        for quota in quotas:
            early += _early_refusals(quota, sorted(filter(limits, quota.hard)), check)
        if early:
            return Answer(tuple(early))
        refusals: list[Refusal] = []
        missing: list[str] = []
        requested = {name: amount for name, amount in usage.items() if amount.nano}
        for quota in quotas:
            used = quota.used_by_pods if limits is limits_pods else quota.used_by_claims
            names = sorted(requested.keys() & quota.hard.keys())
            if used is None:
                missing += [_missing(quota, limits)] if names else []
                continue
            now = {name: self._used(quota, used, name) for name in names}
            over = [name for name in names if now[name].plus(requested[name]).nano > quota.hard[name].nano]
            if over:
                refusals.append(_exceeded(quota, over, requested, now))
        return Answer(tuple(refusals), tuple(missing))

    def _used(self, quota: _Quota, used: ResourceList, name: str) -> Amount:
        base = used.get(name, ZERO)
        added = self._added.get((quota.object.namespace, quota.object.name), {}).get(name, 0)
        if not added:
            return base
        return Amount(base.nano + added, base.format if base.nano else quota.hard[name].format)

    def _with_doubt(self, answer: Answer) -> Answer:
        return answer if self._known else Answer(answer.refusals, (*answer.missing, "ResourceQuotas"))


def _early_refusals(quota: _Quota, limited: list[str], check: Callable[[list[str]], str]) -> Iterator[Refusal]:
    """The refusals that do not depend on the amounts: nothing is specified, or a quota has no usage yet."""
    name, status = quota.object.name, quota.object.status
    if problem := check(limited):
        resources = tuple(sorted(part.partition(" for: ")[0] for part in problem[len("must specify ") :].split("; ")))
        yield Refusal(name, "mustSpecify", resources, f"failed quota: {name}: {problem}")
    elif _has_status(quota.object) and status is not None:
        used = status.used or {}
        if any(resource not in used for resource in limited):
            text = f"status unknown for quota: {name}, resources: {','.join(limited)}"
            yield Refusal(name, "statusUnknown", tuple(limited), text)


def _exceeded(quota: _Quota, over: list[str], requested: ResourceList, used: ResourceList) -> Refusal:
    lists = (
        shown({name: requested[name] for name in over}),
        shown({name: used[name] for name in over}),
        shown({name: quota.hard[name] for name in over}),
    )
    text = f"exceeded quota: {quota.object.name}, requested: {lists[0]}, used: {lists[1]}, limited: {lists[2]}"
    return Refusal(quota.object.name, "exceeded", tuple(over), text)


def _missing(quota: _Quota, limits: Callable[[str], bool]) -> str:
    kind = "pods" if limits is limits_pods else "PersistentVolumeClaims"
    return f"status.used of ResourceQuota {quota.object.namespace}/{quota.object.name}, or all {kind} of the namespace"


def _matches_pod(quota: _Quota, pod: Pod) -> bool:
    return any(map(limits_pods, quota.hard)) and pod_is_in(pod, quota.object)


def _matches_claim(quota: _Quota, claim: Claim) -> bool:
    return any(map(limits_claims, quota.hard)) and claim_is_in(claim, quota.object)


def _has_status(quota: ResourceQuota) -> bool:
    """Whether the quota controller has written limits into the status. A quota without a status is from a manifest."""
    return quota.status is not None and bool(quota.status.hard)


def _parsed(
    quota: ResourceQuota,
    pods_of: dict[str, list[Pod]] | None,
    claims_of: dict[str, list[Claim]] | None,
) -> _Quota:
    if _has_status(quota) and quota.status is not None:
        used = amounts(quota.status.used)
        return _Quota(quota, amounts(quota.status.hard), used, used)
    hard = amounts(quota.spec.hard)
    by_pods = by_claims = None
    if pods_of is not None:
        by_pods = total_of(pod_usage(pod) for pod in pods_of.get(quota.namespace, ()) if pod_is_in(pod, quota))
    if claims_of is not None and all(scope.scope_name != "VolumeAttributesClass" for scope in scopes_of(quota)):
        claims = claims_of.get(quota.namespace, ())
        by_claims = total_of(claim_usage(claim) for claim in claims if claim_is_in(claim, quota))
    return _Quota(quota, hard, by_pods, by_claims)


def _by_namespace(objects: Iterable[K] | None, namespaces: set[str]) -> dict[str, list[K]] | None:
    """The objects of some namespaces, by namespace, or None if the objects are not known."""
    if objects is None:
        return None
    found: dict[str, list[K]] = {}
    if namespaces:
        for listed in objects:
            if listed.namespace in namespaces:
                found.setdefault(listed.namespace, []).append(listed)
    return found
