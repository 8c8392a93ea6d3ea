"""The options of the server."""

from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from webhook.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Options:
    """The flags of ``migratable serve``, with the same names."""

    host: str = "127.0.0.1"
    admission_port: int = 9443
    """0 means that the server has no admission webhook."""
    api_port: int = 8443
    health_port: int = 8080
    cert_dir: Path = Path("dev/certs")
    client_ca: Path | None = None
    client_names: tuple[str, ...] = ("kube-apiserver",)
    """A client certificate must contain one of these common names or DNS names."""
    allowed_hosts: tuple[str, ...] = ()
    """Host names to accept for API, page, health and metrics, in addition to the names in the certificate."""
    policy_file: Path | None = None
    release: str = ""
    facts: tuple[str, ...] = ()
    kubeconfig: Path | None = None
    context: str | None = None
    in_cluster: bool = False
    fleet: tuple[str, ...] = ()
    fleet_from_cluster: bool = False
    drain_seconds: float = 10.0

    @property
    def has_cluster(self) -> bool:
        """Whether objects are read from a cluster instead of from manifests."""
        return self.in_cluster or self.kubeconfig is not None

    @property
    def has_fleet(self) -> bool:
        """Whether there are pages for operators."""
        return bool(self.fleet) or self.fleet_from_cluster

    @property
    def shows_fleet_to_all(self) -> bool:
        """Whether other machines can reach pages for operators that have no sign-in."""
        return bool(self.fleet) and not _is_loopback(self.host)

    def check(self) -> None:
        """Raises Misconfigured for options that contradict each other."""
        if self.fleet and self.fleet_from_cluster:
            raise Misconfigured(
                "--fleet and --fleet-from-cluster are two sources of one fleet", remedy="Set only one of them."
            )
        if self.fleet_from_cluster and not self.has_cluster:
            raise Misconfigured(
                "--fleet-from-cluster needs a cluster", remedy="Also set --in-cluster, or --kubeconfig FILE."
            )
        if self.fleet and self.has_cluster:
            raise Misconfigured(
                "--fleet shows files to each caller, also with --in-cluster or --kubeconfig",
                remedy="Set --fleet-from-cluster instead, or remove the options for a cluster.",
            )
        if "-" in self.fleet:
            raise Misconfigured("--fleet -: standard input cannot be read again", remedy="Name a file or a folder.")


def _is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
