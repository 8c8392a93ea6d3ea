"""The pages for operators show a visitor what the API server lets the visitor list."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.fleet.visiting import BROWSER, OWN_VMS, Fleet, Page, bind, visited
from tests.waiting import wait_until

pytestmark = pytest.mark.apiserver

SECONDS = 60


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with ControlPlane(crds=crds.OWN) as plane, visited(plane, tmp_path_factory.mktemp("serve")) as fleet:
        yield fleet


def test_the_role_for_people_shows_everything(fleet: Fleet) -> None:
    """
    All VMs, nodes, policies and settings.
    """
    pages = {path: fleet.page("operator", f"/fleet{path}") for path in ("", "/vms", "/nodes", "/policies")}

    assert {page.status for page in pages.values()} == {200}
    assert all(f"/fleet/vms/{vm}" in pages["/vms"].text for vm in ("erp/ledger", "shop/db", "shop/web"))
    assert "/fleet/nodes/node-1" in pages["/nodes"].text
    assert fleet.page("operator", "/fleet/vms/erp/ledger").status == 200
    assert fleet.page("operator", "/fleet/nodes/node-1").status == 200
    assert "system:serviceaccount:visitors:operator" in pages[""].text


def test_a_tenant_sees_exactly_its_namespace(fleet: Fleet) -> None:
    """
    No page names a VM or namespace of another tenant, and no count includes it.
    """
    pages = [fleet.page("tenant", f"/fleet{path}") for path in ("", "/vms", "/vms/shop/db", "/vms?q=e")]

    assert [page.status for page in pages] == [200] * 4
    assert all(f"/fleet/vms/shop/{name}" in pages[1].text for name in ("web", "db"))
    assert not any(word in page.text for page in pages for word in ("ledger", "erp", "node-1"))


def test_a_hidden_vm_and_a_missing_vm_have_the_same_page(fleet: Fleet) -> None:
    """
    So do a namespace that the visitor may not see, and one that does not exist.
    """
    hidden, absent, nowhere = (
        fleet.page("tenant", f"/fleet/vms/{vm}") for vm in ("erp/ledger", "erp/absent", "nowhere/ledger")
    )

    assert (hidden.status, hidden.text) == (absent.status, absent.text) == (nowhere.status, nowhere.text)
    assert hidden.status == 404


@pytest.mark.parametrize("visitor", ["tenant", "lister"])
def test_nodes_need_the_right_to_list_them(fleet: Fleet, visitor: str) -> None:
    """
    A node that exists and one that does not have the same page.
    """
    pages = [fleet.page(visitor, f"/fleet/nodes{path}") for path in ("/node-1", "/node-2")]

    assert [page.status for page in pages] == [404, 404]
    assert pages[0].text == pages[1].text
    assert fleet.page(visitor, "/fleet/nodes").status == 404
    assert "node-1" not in fleet.page(visitor, "/fleet/vms").text


@pytest.mark.parametrize("visitor", ["half", "stranger"])
def test_a_visitor_who_may_list_nothing_gets_403(fleet: Fleet, visitor: str) -> None:
    """
    A namespace is visible only if both its VMs and its VMIs may be listed.
    """
    page = fleet.page(visitor, "/fleet/vms")

    assert page.status == 403
    assert not any(word in page.text for word in ("ledger", "erp", "shop", "web"))


def test_changes_of_hidden_objects_do_not_change_a_page(fleet: Fleet) -> None:
    """
    A request with the ETag gets 304, unless the page shows a later minute. A change of a visible object appears.
    """
    before = fleet.page("tenant", "/fleet/vms")
    tag = {"If-None-Match": before.headers["etag"]}

    fleet.add_vm("erp", "payroll", "probe")
    wait_until(lambda: "payroll" in fleet.page("operator", "/fleet/vms").text, SECONDS, "the hidden VM")
    unchanged = fleet.page("tenant", "/fleet/vms", **tag)
    fleet.add_vm("shop", "cache")
    wait_until(lambda: "cache" in fleet.page("tenant", "/fleet/vms").text, SECONDS, "the visible VM")

    assert "payroll" not in fleet.page("tenant", "/fleet").text
    assert unchanged.status == 304 or minute(unchanged) != minute(before)
    assert fleet.page("tenant", "/fleet/vms", **tag).status == 200


def minute(page: Page) -> str:
    """The minute in which the cluster was read, which each page shows."""
    return page.text.partition("as of <time")[2].partition("</time>")[0]


def test_a_revoked_right_ends_within_seconds(fleet: Fleet) -> None:
    """
    A visitor with a page open gets no more of it.
    """
    client = fleet.client
    client.create("/api/v1/namespaces/visitors/serviceaccounts", {"metadata": {"name": "guest"}})
    binding = bind(client, "guest", OWN_VMS, "erp")
    fleet.tokens["guest"] = client.token("visitors", "guest")
    assert "ledger" in fleet.page("guest", "/fleet/vms").text

    assert client.api("DELETE", binding).status == 200

    wait_until(lambda: fleet.page("guest", "/fleet/vms").status == 403, SECONDS, "the end of the right")


def test_a_deleted_account_is_signed_out(fleet: Fleet) -> None:
    """
    Its token is no longer valid. The browser gets the form.
    """
    client = fleet.client
    client.create("/api/v1/namespaces/visitors/serviceaccounts", {"metadata": {"name": "leaver"}})
    bind(client, "leaver", OWN_VMS, "shop")
    signed = fleet.sign_in(client.token("visitors", "leaver"))
    browser = {"Cookie": signed.headers["set-cookie"].partition(";")[0], **BROWSER}
    assert fleet.request("GET", "/fleet/vms", browser).status == 200

    client.api("DELETE", "/api/v1/namespaces/visitors/serviceaccounts/leaver")

    wait_until(lambda: fleet.request("GET", "/fleet/vms", browser).status == 303, SECONDS, "the end of the token")
    assert fleet.request("GET", "/fleet/vms", browser).headers["location"] == "/sign-in?to=%2Ffleet%2Fvms&ended=1"


def test_a_browser_signs_in_and_out(fleet: Fleet) -> None:
    """
    The form leads back to the page that was asked for.
    """
    sent = fleet.request("GET", "/fleet/vms?q=web", BROWSER)
    assert (sent.status, sent.headers["location"]) == (303, "/sign-in?to=%2Ffleet%2Fvms%3Fq%3Dweb")

    signed = fleet.sign_in(fleet.tokens["tenant"], "/fleet/vms?q=web")
    assert (signed.status, signed.headers["location"]) == (303, "/fleet/vms?q=web")
    cookie = {"Cookie": signed.headers["set-cookie"].partition(";")[0]}
    page = fleet.request("GET", "/fleet/vms?q=web", BROWSER | cookie)
    assert (page.status, "/fleet/vms/shop/web" in page.text) == (200, True)

    out = fleet.request("POST", "/sign-out", BROWSER | cookie | {"Sec-Fetch-Site": "same-origin"})
    assert out.headers["set-cookie"].endswith("Max-Age=0")


@pytest.mark.parametrize("token", ["junk", "a.b.c", "x" * 3000])
def test_the_api_server_decides_about_a_token(fleet: Fleet, token: str) -> None:
    """
    An invalid token gives the form again.
    """
    signed = fleet.sign_in(token)

    assert (signed.status, "set-cookie" in signed.headers) == (401, False)
    assert token not in signed.text


def test_impersonation_headers_have_no_effect(fleet: Fleet) -> None:
    """
    The user is the user of the token.
    """
    asked = {"Impersonate-User": "administrator", "Impersonate-Group": "system:masters"}

    assert "ledger" not in fleet.page("tenant", "/fleet/vms", **asked).text


def test_no_token_reaches_the_log_the_metrics_or_the_process_of_the_pages(fleet: Fleet) -> None:
    """
    The process gets the name of the user and what the user may see.
    """
    texts = [
        Path(fleet.server.log).read_text(),
        fleet.server.metrics(),
        *((fleet.console() / name).read_bytes().decode(errors="replace") for name in ("cmdline", "environ")),
        fleet.page("tenant", "/fleet").text,
    ]

    assert not [text for text in texts for token in fleet.tokens.values() if token in text]
