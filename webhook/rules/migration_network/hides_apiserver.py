"""A migration network inside the range of Services can cut virt-handler off from the API server."""

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
            message = f"{pool.place} {pool.network} contains {address}, the API server's address inside the cluster"
            yield Violation(facts.path, message, "apiserver")


RULE = Rule(
    id="LM721",
    name="migration-range-hides-apiserver",
    about=About.NETWORK,
    summary="The migration network contains the API server's address inside the cluster.",
    rationale=(
        "The interface adds a route for its whole range. Requests from virt-handler to the API server then go to the "
        "migration network and get no answer. As a result, virt-handler no longer manages the VMs of the node."
    ),
    remediation="Use a range that the cluster uses neither for Services nor for pods.",
    source=(
        "plugins v1.9.1 pkg/ipam ConfigureIface; kube-apiserver v1.34 gives the API server the first address of Services; "
        "virt-handler v1.9.0 has a network namespace of its own (daemonsets.go NewHandlerDaemonSet)"
    ),
    reference="https://kubernetes.io/docs/reference/networking/virtual-ips/#ip-address-objects",
    check=check,
    examples=(
        Example(
            "a dedicated range",
            addressed('"type": "whereabouts", "range": "10.1.1.0/24"'),
            world=(NAMED, service_cidr("10.96.0.0/12")),
        ),
        Example(
            "the first range of Services",
            addressed(_INSIDE),
            world=(NAMED, service_cidr("10.96.0.0/12")),
            violates=("config",),
        ),
        Example(
            "all of Services",
            addressed('"type": "whereabouts", "range": "10.96.0.0/12"'),
            world=(NAMED, service_cidr("10.96.0.0/12")),
            violates=("config",),
        ),
        Example(
            "IPv6",
            addressed('"type": "whereabouts", "range": "fd00:96::/112"'),
            world=(NAMED, service_cidr("fd00:96::/112")),
            violates=("config",),
        ),
        Example("no ServiceCIDR provided", addressed(_INSIDE), world=(NAMED,)),
        Example("another network in that range", addressed(_INSIDE), world=(service_cidr("10.96.0.0/12"),)),
    ),
)
