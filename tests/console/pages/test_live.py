"""The script of the pages, in Chromium: it shows changes of the cluster and disturbs nothing."""

import re

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from tests.console.pages.serving import Pages
from tests.console.states import OBJECTS, REFUSED, STATE, Fixed, vm
from tests.surfaces.api.page.watched import Watched

pytestmark = pytest.mark.browser

NEWS = ".unseen[role=status]"
TROUBLE = ".state[role=status]"
POLL = 5_000
"""The time between two polls in milliseconds."""
LATE = 60_000
"""The time limit for an answer in milliseconds."""


def with_vms(*names: str) -> Fixed:
    """The state of the tests with these VMs in the namespace aqua, which comes first."""
    return Fixed(replace(STATE, vms=(*(vm("aqua", name, REFUSED, "LM201") for name in names), *STATE.vms)), OBJECTS)


def poll(watched: Watched) -> None:
    """Lets the time until the next poll pass, and waits for its answer."""
    with watched.page.expect_response(lambda response: "/fleet" in response.url and not response.url.endswith(".js")):
        watched.page.clock.run_for(POLL)


def settled(watched: Watched) -> None:
    """Waits for another request, which is behind a poll that may have begun."""
    watched.page.evaluate("fetch('/icon.svg').then((response) => response.text())")


def test_a_change_appears_without_a_reload(watched: Watched, served: Pages) -> None:
    """
    It is announced politely. Without a change, the server sends no page and nothing is announced.
    """
    poll(watched)
    poll(watched)
    expect(watched.page.locator(NEWS)).to_have_text("")
    served.source = with_vms("new")
    poll(watched)

    expect(watched.page.get_by_role("link", name="VMs 5")).to_be_visible()
    expect(watched.page.locator(NEWS)).to_have_text(re.compile("^Updated at "))
    assert served.statuses == [200, 200, 304, 200]
    watched.assert_clean()


def test_a_new_time_is_shown_and_not_announced(watched: Watched, served: Pages) -> None:
    """
    A page that only becomes newer disturbs no screen reader.
    """
    served.source = Fixed(replace(STATE, judged_at=1_800_000_020.0), OBJECTS)
    poll(watched)

    expect(watched.page.locator(".origin time")).to_have_attribute("datetime", "2027-01-15T08:00:20Z")
    expect(watched.page.locator(NEWS)).to_have_text("")


def test_focus_selection_and_typed_text_stay(watched: Watched, served: Pages) -> None:
    """
    The link with the focus, the scroll position, open filters, and text that was not sent yet.
    """
    served.source = with_vms(*(f"vm-{number:02}" for number in range(90)))
    page = watched.open("fleet/vms").page
    page.get_by_text("More filters").click()
    page.get_by_role("searchbox", name="Name").fill("blue/g")
    page.get_by_label("Verdict").select_option("unproven")
    page.get_by_role("searchbox", name="Name").evaluate("field => field.setSelectionRange(1, 3)")
    page.get_by_role("link", name="vm-80").scroll_into_view_if_needed()
    before = page.get_by_role("link", name="vm-80").bounding_box()

    served.source = with_vms("first", *(f"vm-{number:02}" for number in range(1, 90)))
    poll(watched)

    expect(page.get_by_role("link", name="first")).to_have_count(1)
    expect(page.get_by_role("link", name="vm-00")).to_have_count(0)
    assert page.evaluate("document.activeElement.name") == "q"
    assert page.evaluate("[document.activeElement.selectionStart, document.activeElement.selectionEnd]") == [1, 3]
    expect(page.get_by_role("searchbox", name="Name")).to_have_value("blue/g")
    expect(page.get_by_label("Verdict")).to_have_value("unproven")
    assert page.locator("#more").evaluate("part => part.open")
    assert page.get_by_role("link", name="vm-80").bounding_box() == before


def test_the_focus_stays_on_the_same_vm(watched: Watched, served: Pages) -> None:
    """
    Also if it is now in another row. If the VM is gone, the focus is on the page, not lost.
    """
    served.source = with_vms("a", "b", "c")
    page = watched.open("fleet/vms").page
    page.get_by_role("link", name="b", exact=True).focus()

    served.source = with_vms("a", "a1", "a2", "b")
    poll(watched)
    expect(page.get_by_role("link", name="a2", exact=True)).to_be_visible()
    assert page.evaluate("document.activeElement.textContent") == "b"

    served.source = with_vms("b", "a")
    poll(watched)
    expect(page.get_by_role("link", name="a2", exact=True)).to_have_count(0)
    assert page.evaluate("document.activeElement.textContent") == "b"

    served.source = with_vms("a")
    poll(watched)
    expect(page.get_by_role("link", name="b", exact=True)).to_have_count(0)
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_selection_of_text_stays(watched: Watched, served: Pages) -> None:
    """
    So a name can be copied while the page changes.
    """
    served.source = with_vms("a", "b")
    page = watched.open("fleet/vms").page
    page.get_by_role("link", name="b", exact=True).evaluate(
        "link => getSelection().selectAllChildren(link.closest('tr'))"
    )
    before = page.evaluate("getSelection().toString()")
    assert "aqua/b" in before

    served.source = with_vms("a0", "a", "b")
    poll(watched)

    expect(page.get_by_role("link", name="a0", exact=True)).to_be_visible()
    assert page.evaluate("getSelection().toString()") == before


def test_a_server_that_does_not_answer_is_named_until_it_answers(watched: Watched, served: Pages) -> None:
    """
    The page stays readable. The polls become fewer.
    """
    served.status = 503
    poll(watched)

    expect(watched.page.locator(TROUBLE)).to_have_text(re.compile("^The server does not answer. This page is from "))
    expect(watched.page.get_by_role("link", name="VMs 4")).to_be_visible()
    watched.page.clock.run_for(POLL)
    settled(watched)
    assert served.statuses == [200, 503]
    served.status = 0
    poll(watched)
    expect(watched.page.locator(TROUBLE)).to_be_hidden()


@pytest.mark.parametrize("status", [200, 400, 404])
def test_an_answer_without_a_page_is_no_fresh_page(watched: Watched, served: Pages, status: int) -> None:
    """
    Such as an error of a proxy, or the request for a namespace in a cluster that has become large.
    """
    served.status = status
    poll(watched)

    expect(watched.page.locator(TROUBLE)).to_have_text(re.compile("^The server does not answer. This page is from "))
    served.status = 0
    watched.page.clock.run_for(2 * POLL)
    expect(watched.page.locator(TROUBLE)).to_be_hidden()


def test_a_server_that_hangs_is_named(watched: Watched) -> None:
    """
    It keeps the connection, and sends nothing.
    """
    watched.page.route("**/fleet**", lambda _route: None)
    with watched.page.expect_request("**/fleet**"):
        watched.page.clock.run_for(POLL)
    expect(watched.page.locator(TROUBLE)).to_be_hidden()
    watched.page.clock.run_for(LATE)

    expect(watched.page.locator(TROUBLE)).to_have_text(re.compile("^The server does not answer. This page is from "))


@pytest.mark.parametrize(("status", "words"), [(401, "You are signed out."), (403, "may no longer see this page")])
def test_a_lost_right_ends_the_polls(watched: Watched, served: Pages, status: int, words: str) -> None:
    """
    The page says how to continue.
    """
    served.status = status
    poll(watched)

    expect(watched.page.locator(TROUBLE)).to_contain_text(words)
    watched.page.clock.run_for(20 * POLL)
    settled(watched)
    assert served.statuses == [200, status]


def test_a_hidden_page_does_not_poll(watched: Watched, served: Pages) -> None:
    """
    It polls at once when it is shown again.
    """
    page = watched.page
    set_hidden = "isHidden => { Object.defineProperty(document, 'hidden', {value: isHidden, configurable: true}); "
    set_hidden += "document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(set_hidden, True)
    page.clock.run_for(20 * POLL)
    settled(watched)
    assert served.statuses == [200]

    served.source = with_vms("new")
    page.evaluate(set_hidden, False)

    expect(page.get_by_role("link", name="VMs 5")).to_be_visible()


def test_a_vm_that_is_gone_is_shown_as_not_found(watched: Watched, served: Pages) -> None:
    """
    The page follows the address.
    """
    page = watched.open("fleet/vms/blue/refused").page
    expect(page.get_by_role("heading", level=1)).to_have_text("blue/refused")

    served.source = Fixed(replace(STATE, vms=STATE.vms[:1]), {})
    poll(watched)

    expect(page.get_by_role("heading", level=1)).to_have_text("Not found")
    expect(page).to_have_title("Not found · Migratable")


def test_times_are_distances_from_now(watched: Watched) -> None:
    """
    The absolute time is in the title. Without script it is the text.
    """
    time = watched.page.locator(".origin time")

    expect(time).to_have_text("30 s ago")
    watched.page.clock.run_for(POLL)
    expect(time).to_have_text("35 s ago")
    expect(time).to_have_attribute("title", "2027-01-15T08:00:10Z")


def test_a_command_is_copied(watched: Watched, served: Pages) -> None:
    """
    With a button that stays while the page changes.
    """
    page = watched.open("fleet/vms/blue/refused").page
    button = page.get_by_role("button", name="Copy the command")
    button.focus()
    served.source = Fixed(replace(STATE, vms=STATE.vms[:2]), OBJECTS)
    poll(watched)
    expect(page.get_by_role("link", name="VMs 2")).to_be_visible()

    page.keyboard.press("Enter")

    expect(button).to_have_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.locator(".command").inner_text()
    assert copied.startswith("kubectl patch virtualmachines.kubevirt.io refused -n blue --type=json -p ")
