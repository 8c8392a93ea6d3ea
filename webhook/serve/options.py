"""What the server is told at start."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """The flags of ``migratable serve``, by the same names."""

    host: str = "127.0.0.1"
    admission_port: int = 9443
    api_port: int = 8443
    health_port: int = 8080
    cert_dir: Path = Path("dev/certs")
    client_ca: Path | None = None
    client_names: tuple[str, ...] = ("kube-apiserver",)
    """Common or DNS names; a client certificate must bear one of them."""
    allowed_hosts: tuple[str, ...] = ()
    """Names beside those of the certificate under which API, page, health and metrics may be called."""
    policy_file: Path | None = None
    release: str = ""
    facts: tuple[str, ...] = ()
    kubeconfig: Path | None = None
    context: str | None = None
    in_cluster: bool = False
    drain_seconds: float = 10.0

    @property
    def has_cluster(self) -> bool:
        """Whether facts come from a cluster and not from manifests."""
        return self.in_cluster or self.kubeconfig is not None
