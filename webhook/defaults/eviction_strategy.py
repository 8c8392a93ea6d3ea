"""Sets evictionStrategy if the policy file has a default for it, so that a node drain live-migrates the VM."""

from collections.abc import Iterator

from webhook.defaults.default import Default, DefaultFacts, Set
from webhook.kubevirt.subject import subject_of


def fill(facts: DefaultFacts) -> Iterator[Set]:
    strategy = facts.options.eviction_strategy
    subject = subject_of(facts.object)
    if strategy is None or subject is None or facts.refused or subject.spec.eviction_strategy is not None:
        return
    yield Set(
        (*subject.base, "evictionStrategy"),
        strategy,
        "the policy file sets defaultEvictionStrategy, and the verdict on the VM is not False",
    )


DEFAULT = Default(
    name="eviction-strategy",
    summary="Sets evictionStrategy of a VM whose verdict is not False to `defaultEvictionStrategy` of the policy file.",
    source="pkg/virt-api/webhooks/mutating-webhook/mutators/vmi-mutator.go, v1.9.0: KubeVirt sets the CR's value, else None",
    fill=fill,
)
