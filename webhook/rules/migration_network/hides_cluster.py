"""virt-handler cannot reach pods and Services whose addresses are in the migration network."""

from collections.abc import Iterator

from webhook.cni.migration_network import hides_apiserver, hiding
from webhook.facts.network import NetworkFacts
from webhook.rules.example import node_with_pods, service_cidr
from webhook.rules.migration_network._network import NAMED, NETWORK_GUIDE, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_RANGE = '"type": "whereabouts", "range": "10.244.1.0/24"'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    overlaps = [(pool, taken) for pool, taken in hiding(facts) if not hides_apiserver(pool, taken)]
    if overlaps:
        pool, taken = overlaps[0]
        more = f" and {len(overlaps) - 1} more" if len(overlaps) > 1 else ""
        message = f"{pool.place} {pool.network} overlaps {taken.network} of {taken.name}{more}"
        yield Violation(facts.path, message, "taken")


RULE = Rule(
    id="LM722",
    name="migration-range-overlaps-cluster",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="The migration network overlaps the addresses of pods or Services.",
    rationale=(
        "The interface adds a route for its whole range, so virt-handler no longer reaches pods and Services in it. A "
        "pod and virt-handler on another node can also get the same address."
    ),
    remediation="Use a range that the cluster uses neither for Services nor for pods.",
    source="plugins v1.9.1 pkg/ipam ConfigureIface; Node.spec.podCIDRs and ServiceCIDR of Kubernetes v1.34",
    reference=NETWORK_GUIDE,
    check=check,
    examples=(
        Example(
            "a dedicated range",
            addressed('"type": "whereabouts", "range": "10.1.1.0/24"'),
            world=(NAMED, node_with_pods("a", "10.244.1.0/24"), service_cidr("10.96.0.0/12")),
        ),
        Example(
            "pods of a node",
            addressed(_RANGE),
            world=(NAMED, node_with_pods("a", "10.244.1.0/24")),
            violates=("config",),
        ),
        Example(
            "a part of the Service range",
            addressed('"type": "whereabouts", "range": "10.100.1.0/24"'),
            world=(NAMED, service_cidr("10.96.0.0/12")),
            violates=("config",),
        ),
        Example(
            "the pods of two nodes",
            addressed('"type": "whereabouts", "range": "10.244.0.0/16"'),
            world=(NAMED, node_with_pods("a", "10.244.1.0/24"), node_with_pods("b", "10.244.2.0/24")),
            violates=("config",),
        ),
        Example("another network in that range", addressed(_RANGE), world=(node_with_pods("a", "10.244.1.0/24"),)),
        Example("no nodes provided", addressed(_RANGE), world=(NAMED,)),
    ),
)
