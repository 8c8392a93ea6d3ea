"""The pages for operators in Chromium: of a whole server with files, and with a sign-in."""

import itertools
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import Browser, expect

from certs import dev
from tests.apiserver.processes import free_ports
from tests.console.states import SOURCE
from tests.serve.alone import Alone, alone
from tests.surfaces.api.console.visiting import EVERYTHING, Cluster
from tests.surfaces.api.page.watched import Watched
from tests.waiting import wait_until
from webhook.console.pages.router import render
from webhook.surfaces.api.console.messages import NamespacesReply, PageReply, PageRequest
from webhook.surfaces.api.console.routes import add_fleet
from webhook.surfaces.api.console.sight import RESOURCES, Sights
from webhook.surfaces.api.http import add_headers_and_errors
from webhook.surfaces.api.page.routes import Defaults, add_pages

pytestmark = pytest.mark.browser

POLL = 5_000
POLICY = "profile: {}\n"


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("policy") / "policy.yaml"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, policy: Path) -> Iterator[Alone]:
    policy.write_text(POLICY.format("strict"))
    flags = ("--fleet", "examples/fleet", "--policy", str(policy))
    with alone(tmp_path_factory.mktemp("fleet"), *flags) as running:
        yield running


def test_an_operator_goes_from_the_check_page_to_a_blocked_drain(browser: Browser, server: Alone) -> None:
    """
    Over the overview, the filtered list, the VM and its node, with the content security policy of the server.
    """
    context = browser.new_context(ignore_https_errors=True)
    watched = Watched.of(context, server.url).open()
    page = watched.page

    page.get_by_role("link", name="Fleet", exact=True).click()
    expect(page.locator(".origin")).to_contain_text("examples/fleet")
    page.get_by_role("link", name="2 cannot be live-migrated").click()
    expect(page.locator(".found")).to_have_text("2 of 30 VMs")
    page.get_by_role("searchbox", name="Name").fill("erp")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".found")).to_have_text("1 of 30 VMs")
    page.get_by_role("link", name="archive", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("erp/archive")
    page.get_by_role("link", name="Drain of worker-3").click()
    expect(page.get_by_role("img", name=re.compile("migrations, at most 2 at the same time"))).to_be_visible()
    page.get_by_role("link", name="Rules", exact=True).click()
    expect(page.get_by_role("link", name="Fleet", exact=True)).to_be_visible()
    watched.assert_clean()
    context.close()


def test_a_change_of_the_policy_appears_on_the_open_page(browser: Browser, server: Alone, policy: Path) -> None:
    """
    The files are judged again.
    """
    context = browser.new_context(ignore_https_errors=True)
    watched = Watched.of(context, server.url)
    watched.page.clock.install()
    watched.open("fleet")
    expect(watched.page.locator(".origin")).to_contain_text("profile strict")

    policy.write_text(POLICY.format("exact"))

    def has_changed() -> bool:
        watched.page.clock.run_for(POLL)
        return "profile exact" in watched.page.locator(".origin").inner_text()

    wait_until(has_changed, 60, "the page to show the profile")
    expect(watched.page.locator(".unseen[role=status]")).to_have_text(re.compile("^Updated at "))
    watched.assert_clean()
    context.close()


class Console:
    """Renders the pages in this process."""

    async def page(self, request: PageRequest) -> PageReply:
        return PageReply(*render(SOURCE, request), await self.version())

    async def namespaces(self) -> NamespacesReply:
        return NamespacesReply(("blue", "red"))

    async def version(self) -> str:
        return "none"


USERS = {
    "everything": {kind["resource"]: [EVERYTHING] for kind in RESOURCES},
    "blue": {"virtualmachines": ["blue"], "virtualmachineinstances": ["blue"]},
}


@dataclass
class Guarded:
    """A server with a cluster. The token of a user is its name."""

    url: str
    cluster: Cluster


@contextmanager
def guarded(folder: Path) -> Iterator[Guarded]:
    """Runs the server with a development certificate. A result of a review is never cached."""
    dev.ensure(folder, datetime.now(UTC))
    cluster = Cluster({f"token-of-{name}": name for name in USERS}, USERS)
    app = FastAPI(redirect_slashes=False)
    add_pages(app, lambda: Defaults("strict", ""), prepare, has_cluster=True, has_fleet=True)
    ticks = itertools.count(0, 1000)
    add_fleet(app, Console(), Sights(cluster, lambda: float(next(ticks))))
    add_headers_and_errors(app)
    (port,) = free_ports(1)
    config = uvicorn.Config(
        app, "127.0.0.1", port, log_config=None, ssl_certfile=folder / "tls.crt", ssl_keyfile=str(folder / "tls.key")
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, 60, "the server to start")
        yield Guarded(f"https://localhost:{port}/", cluster)
    finally:
        server.should_exit = True
        thread.join()


async def prepare() -> None:
    """Nothing is judged."""


def sign_in(watched: Watched, user: str) -> None:
    watched.page.get_by_label("Bearer token").fill(f"token-of-{user}")
    watched.page.get_by_role("button", name="Sign in").click()


def test_a_user_signs_in_and_sees_only_the_own_namespace(browser: Browser, tmp_path: Path) -> None:
    """
    After a wrong token. The page that was asked for comes first, and the token is in no address and no script can read it.
    """
    with guarded(tmp_path) as server:
        context = browser.new_context(ignore_https_errors=True)
        watched = Watched.of(context, server.url).open("fleet/vms?sort=-vm")
        page = watched.page
        sign_in(watched, "strangers")
        expect(page.get_by_role("alert")).to_contain_text("The API server does not accept this token.")
        watched.errors.clear()  # Chromium logs the status 401
        assert Axe().run(page).response["violations"] == []

        sign_in(watched, "blue")

        expect(page.locator("tbody th")).to_have_text(["blue/stopped", "blue/refused", "blue/good"])
        expect(page.locator(".user")).to_have_text("blue")
        assert page.get_by_role("link", name="Nodes").count() == 0
        assert page.url == f"{server.url}fleet/vms?sort=-vm"
        assert page.evaluate("document.cookie") == ""
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
        page.goto(f"{server.url}fleet")
        expect(page.get_by_label("Bearer token")).to_be_visible()
        watched.assert_clean()
        context.close()


def test_an_open_page_says_that_the_token_has_expired(browser: Browser, tmp_path: Path) -> None:
    """
    What it shows stays readable.
    """
    with guarded(tmp_path) as server:
        context = browser.new_context(ignore_https_errors=True)
        watched = Watched.of(context, server.url)
        watched.page.clock.install()
        watched.open("fleet")
        sign_in(watched, "everything")
        expect(watched.page.get_by_role("link", name="VMs 4")).to_be_visible()

        server.cluster.tokens.clear()

        def is_told() -> bool:
            watched.page.clock.run_for(POLL)
            return "You are signed out." in watched.page.locator(".state").inner_text()

        wait_until(is_told, 60, "the page to say that the user is signed out")
        expect(watched.page.get_by_role("link", name="VMs 4")).to_be_visible()
        context.close()
