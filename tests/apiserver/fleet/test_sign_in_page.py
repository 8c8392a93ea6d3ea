"""The sign-in of the pages for operators in Chromium, with a real API server."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.apiserver import crds
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.fleet.visiting import ACCOUNTS, Fleet, visited
from tests.surfaces.api.page.watched import Watched

pytestmark = [pytest.mark.apiserver, pytest.mark.browser]


@pytest.fixture(scope="module")
def fleet(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    assert browser.is_connected()  # without Chromium, no API server is started
    with ControlPlane(crds=crds.OWN) as plane, visited(plane, tmp_path_factory.mktemp("serve")) as fleet:
        yield fleet


@pytest.fixture
def visit(browser: Browser, fleet: Fleet) -> Iterator[Watched]:
    context = browser.new_context(ignore_https_errors=True)
    yield Watched.of(context, f"https://localhost:{fleet.server.api_port}/")
    context.close()


def test_a_visitor_signs_in_and_out_with_the_keyboard(fleet: Fleet, visit: Watched) -> None:
    """
    The page that was asked for follows. After the sign-out, the browser has no token, and the way back shows no page.
    """
    page = visit.open("fleet/vms?q=web").page
    page.keyboard.press("Tab")
    for _ in range(10):
        if page.evaluate("document.activeElement.id") == "token":
            break
        page.keyboard.press("Tab")
    page.keyboard.insert_text(fleet.tokens["tenant"])
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{visit.url}fleet/vms?q=web")
    expect(page.get_by_role("link", name="web", exact=True)).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    visit.assert_clean()

    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{visit.url}sign-in")
    assert page.context.cookies() == []
    visit.open("fleet")
    expect(page.get_by_label("Bearer token")).to_be_visible()


def test_a_wrong_token_gives_an_error_beside_the_field(visit: Watched) -> None:
    """
    The field is empty again, and a valid token then leads to the page.
    """
    page = visit.open("fleet/vms").page
    page.get_by_label("Bearer token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("alert")).to_contain_text("does not accept this token")
    expect(page.get_by_label("Bearer token")).to_have_value("")
    assert "problem" in (page.get_by_label("Bearer token").get_attribute("aria-describedby") or "")


def test_a_page_of_another_origin_cannot_sign_a_visitor_in(fleet: Fleet, visit: Watched) -> None:
    """
    Its form gets 403, and sets no cookie.
    """
    page = visit.page
    address = f"{visit.url}sign-in"
    page.set_content(
        f'<form method="post" action="{address}"><input name="token" value="{fleet.tokens["tenant"]}"><button>go</button></form>'
    )

    with page.expect_response(address) as answer:
        page.get_by_role("button", name="go").click()

    assert answer.value.status == 403
    assert page.context.cookies() == []


def test_a_token_with_its_own_audience_is_enough(fleet: Fleet, visit: Watched) -> None:
    """
    The command on the page creates it. The API server itself does not accept this token.
    """
    made = fleet.client.kubectl("create", "token", "tenant", "--namespace", ACCOUNTS, "--audience", "migratable")
    page = visit.open("fleet/vms").page
    page.get_by_label("Bearer token").fill(made.stdout.strip())
    page.get_by_role("button", name="Sign in").click()

    expect(page.get_by_role("link", name="db", exact=True)).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("view", ["sign-in?ended=1", "sign-out", "fleet"])
def test_axe_finds_nothing(fleet: Fleet, browser: Browser, view: str, scheme: str) -> None:
    """
    Nothing is wider than a phone. The last view is that of a user who may see nothing.
    """
    context = browser.new_context(
        ignore_https_errors=True,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": 390, "height": 800},
    )
    context.add_cookies(
        [
            {
                "name": "__Host-migratable",
                "value": fleet.tokens["stranger"],
                "url": f"https://localhost:{fleet.server.api_port}/",
                "secure": True,
            }
        ]
    )
    page = Watched.of(context, f"https://localhost:{fleet.server.api_port}/").open(view).page

    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    context.close()
