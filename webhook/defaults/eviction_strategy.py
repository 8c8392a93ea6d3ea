"""Sets evictionStrategy, so that a node drain live-migrates the VM, if the policy says so."""

from collections.abc import Iterator

from webhook.defaults.default import Default, DefaultFacts, Set
from webhook.kubevirt.subject import subject_of


def fill(facts: DefaultFacts) -> Iterator[Set]:
    strategy = facts.options.eviction_strategy
    subject = subject_of(facts.object)
    if strategy is None or subject is None or facts.refused or subject.spec.eviction_strategy is not None:
        return
    yield Set((*subject.base, "evictionStrategy"), strategy, "the policy says so and the VM can be live-migrated")


DEFAULT = Default(
    name="eviction-strategy",
    summary="evictionStrategy of a VM whose verdict is not False: the policy file's `defaultEvictionStrategy`.",
    source="pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go, v1.9.0: else the CR's value, else None",
    fill=fill,
)
