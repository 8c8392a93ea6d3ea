"""A migration network in the range of the cluster's Services cuts virt-handler off from the API server."""

from collections.abc import Iterator
from ipaddress import ip_address

from webhook.cni.migration_network import hides_apiserver, hiding
from webhook.facts.network import NetworkFacts
from webhook.rules.example import service_cidr
from webhook.rules.migration_network._network import NAMED, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

_INSIDE = '"type": "whereabouts", "range": "10.96.0.0/24"'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    for pool, taken in hiding(facts):
        if hides_apiserver(pool, taken):
            address = ip_address(taken.apiserver or 0)
            message = f"{pool.place} {pool.network} holds {address}, the API server's address inside the cluster"
            yield Violation(facts.path, message, "apiserver")


RULE = Rule(
    id="LM721",
    name="migration-range-hides-apiserver",
    about=About.NETWORK,
    summary="The migration network holds the address under which pods reach the API server.",
    rationale=(
        "The interface brings a route for its whole range. virt-handler then looks for the API server on the migration network, "
        "finds nobody there, and no VM of the node is looked after any more."
    ),
    remediation="Use a range that the cluster does not use for anything else, neither for Services nor for pods.",
    source=(
        "plugins v1.9.1 pkg/ipam ConfigureIface; kube-apiserver v1.34 gives the API server the first address of Services; "
        "virt-handler v1.9.0 has a network namespace of its own (daemonsets.go NewHandlerDaemonSet)"
    ),
    reference="https://kubernetes.io/docs/reference/networking/virtual-ips/#ip-address-objects",
    check=check,
    examples=(
        Example(
            "a range of its own",
            addressed('"type": "whereabouts", "range": "10.1.1.0/24"'),
            world=(NAMED, service_cidr("10.96.0.0/12")),
        ),
        Example(
            "the beginning of Services",
            addressed(_INSIDE),
            world=(NAMED, service_cidr("10.96.0.0/12")),
            violates=("config",),
        ),
        Example("nobody knows the addresses of Services", addressed(_INSIDE), world=(NAMED,)),
        Example("another network in that range", addressed(_INSIDE), world=(service_cidr("10.96.0.0/12"),)),
    ),
)
