"""The pages for operators of the chart on a real API server: their pod runs as a process, with the rights of its account."""

import http.client
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.fleet.visiting import ACCOUNTS
from tests.deploy.accounts_log import AccountsLog
from tests.deploy.charts import template
from tests.deploy.granted import rights_of_account
from tests.deploy.helming import Helm
from tests.deploy.kubelet import Kubelet, Pod, kubelet
from tests.deploy.manifests import CRDS, NAMESPACE
from tests.deploy.tenants import MACHINES, TENANT, make_world
from tests.waiting import wait_until

pytestmark = [pytest.mark.apiserver, pytest.mark.helm]

CONSOLE = "migratable-console"
VALUES = {"console": {"enabled": True}}
VMS = f"/apis/kubevirt.io/v1/namespaces/{TENANT}/virtualmachines"


@dataclass
class Installed:
    """A cluster with the chart and the pod of the pages, and a visitor who has the role for people."""

    kubelet: Kubelet
    log: AccountsLog
    pod: Pod
    token: str

    def page(self, path: str, host: str = "localhost") -> tuple[int, str]:
        """A page as the visitor gets it. The certificate is not verified, because its names are those of Services."""
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        connection = http.client.HTTPSConnection("127.0.0.1", self.pod.ports["api"], context=trust, timeout=60)
        try:
            connection.request("GET", path, headers={"Host": host, "Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    folder = tmp_path_factory.mktemp("console")
    log = AccountsLog(folder)
    with ControlPlane(crds=CRDS, apiserver_flags=log.flags) as plane:
        client = plane.client
        make_world(client)
        client.create("/api/v1/nodes", {"metadata": {"name": "node-1"}})
        for vm in MACHINES:
            client.create(VMS, vm)
        Helm(client, folder / "helm").install(VALUES)
        # the webhook has no pod here
        client.kubectl("delete", "validatingwebhookconfiguration", "migratable-validate")
        client.create("/api/v1/namespaces", {"metadata": {"name": ACCOUNTS}})
        client.kubectl("create", "serviceaccount", "operator", "-n", ACCOUNTS)
        binding = ("create", "clusterrolebinding", "operators", f"--clusterrole={CONSOLE}-viewer")
        client.kubectl(*binding, f"--serviceaccount={ACCOUNTS}:operator")
        with kubelet(plane, folder, NAMESPACE) as node:
            node.start("migratable-rotator")
            log.skip()
            pod = node.start(CONSOLE)
            yield Installed(node, log, pod, client.token(ACCOUNTS, "operator"))


def test_granted_rights_equal_used_rights(installed: Installed) -> None:
    """
    Each right is used when a visitor reads the pages. No request is refused, and none writes.
    """
    stored = installed.kubelet.client.api("GET", VMS).document["items"]
    names = [vm["metadata"]["name"] for vm in stored]
    wait_until(lambda: all(name in installed.page("/fleet/vms")[1] for name in names), 60, "the VMs to be judged")
    wait_until(lambda: "/fleet/nodes/node-1" in installed.page("/fleet/nodes")[1], 60, "the nodes to be rehearsed")
    pages = {path: installed.page(f"/fleet{path}")[0] for path in ("", "/policies", f"/vms/{TENANT}/{names[0]}")}

    granted = rights_of_account(template(VALUES), CONSOLE)[""]
    used = {right for right in installed.log.used(CONSOLE) if not right.startswith("get /api")}
    assert set(pages.values()) == {200}
    assert sorted(granted - used) == []
    assert sorted(used - granted) == []
    assert installed.log.refused(CONSOLE) == []


def test_the_pages_answer_to_the_name_of_their_service(installed: Installed) -> None:
    """
    And to localhost, as with kubectl port-forward. Another name gets 421, which prevents DNS rebinding.
    """
    statuses = {
        host: installed.page("/fleet", host)[0] for host in (f"{CONSOLE}.{NAMESPACE}.svc", "localhost", "evil.example")
    }

    assert statuses == {f"{CONSOLE}.{NAMESPACE}.svc": 200, "localhost": 200, "evil.example": 421}
