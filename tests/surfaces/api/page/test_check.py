"""The answers of the check page, in a real Chromium and from a real server."""

import pytest
from playwright.sync_api import Route, expect

from tests.surfaces.api.page.watched import Watched
from tests.surfaces.manifests import BAD, GOOD, UNPROVEN
from webhook.surfaces.api.page.examples import EXAMPLES, Example

pytestmark = pytest.mark.browser


def test_a_bad_manifest_is_answered_with_finding_and_remedy(watched: Watched) -> None:
    """
    The page shows verdict, message, place and remedy.
    """
    watched.judge(BAD)

    page = watched.page
    expect(page.locator("#verdict .headline")).to_contain_text("Would be refused")
    expect(page.locator("#verdict")).to_contain_text("2 reasons to refuse it, 1 unproven · KubeVirt")
    expect(page.locator(".kubevirt")).to_have_text("✕KubeVirt 1.9 cannot live-migrate it: InterfaceNotLiveMigratable")
    first = page.locator(".finding").first
    expect(first).to_contain_text("would be refused")
    expect(first).to_contain_text("interface 'default' uses bridge binding on the pod network")
    expect(first).to_contain_text("How to fix it: Write masquerade: {} instead of bridge: {}")
    expect(first).to_contain_text("KubeVirt does not live-migrate this VM.")
    watched.assert_clean()


def test_the_answer_comes_while_typing_stops(watched: Watched) -> None:
    """
    Without a click. Each change of the text leads to a new answer.
    """
    area = watched.page.get_by_label("Manifests, YAML or JSON")

    area.fill(BAD)
    expect(watched.page.locator("#verdict .headline")).to_contain_text("Would be refused")
    area.fill(GOOD)
    expect(watched.page.locator("#verdict .headline")).to_contain_text("Would be accepted")
    area.fill("")
    expect(watched.page.locator("#verdict .headline")).to_contain_text("Nothing to check yet")
    expect(watched.page.locator("#start")).to_be_visible()


def test_release_and_profile_are_shown_by_their_values(watched: Watched) -> None:
    """
    The default is a value too, and the answer names both.
    """
    page = watched.page
    expect(page.get_by_label("KubeVirt", exact=True)).to_have_value("")
    assert page.locator("#release option:checked").inner_text() == "1.3 to 1.9 (default)"
    assert page.locator("#profile option:checked").inner_text() == "strict (default)"

    watched.judge(BAD)
    expect(page.locator("#verdict")).to_contain_text("KubeVirt 1.3 to 1.9, profile strict")

    cr = "---\napiVersion: kubevirt.io/v1\nkind: KubeVirt\nmetadata: {name: k, namespace: k}\n"
    watched.judge(f"{BAD}{cr}status: {{observedKubeVirtVersion: v1.4.1}}\n")
    assert page.locator("#release option:checked").inner_text() == "1.4 (default)"
    expect(page.locator("#verdict")).to_contain_text("KubeVirt 1.4, profile strict")


def test_release_and_profile_can_be_chosen(watched: Watched) -> None:
    """
    A choice is checked immediately.
    """
    watched.judge(BAD)
    page = watched.page

    watched.answered(lambda: page.get_by_label("KubeVirt", exact=True).select_option("1.4"))
    watched.answered(lambda: page.get_by_label("Profile").select_option("exact"))

    expect(page.locator(".kubevirt")).to_contain_text("KubeVirt 1.4 cannot live-migrate it")
    expect(page.locator("#verdict")).to_contain_text("KubeVirt 1.4, profile exact")
    assert "release=1.4&profile=exact" in watched.requests[-1]


def test_a_release_that_is_not_published_can_be_chosen(watched: Watched) -> None:
    """
    The label and a note in the report say that the release is a preview.
    """
    watched.judge(BAD)

    watched.answered(lambda: watched.page.get_by_label("KubeVirt", exact=True).select_option(label="1.10 (preview)"))

    expect(watched.page.locator("#answer")).to_contain_text("KubeVirt 1.10 is not published")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_an_example_has_the_result_that_its_card_names(watched: Watched, example: Example) -> None:
    """
    One click shows the manifest with its answer.
    """
    watched.answered(lambda: watched.page.locator("#start").get_by_role("link", name=example.title).click())

    assert watched.page.locator("#verdict").get_attribute("class") == f"verdict scripted {example.state}"
    assert (watched.page.locator(".apply:enabled").count() > 0) == (
        "has a fix" in example.result or "fixes" in example.result
    )
    watched.assert_clean()


def test_releases_are_compared(watched: Watched) -> None:
    """
    A VM with virtiofs works from 1.5 on.
    """
    watched.answered(watched.page.get_by_role("link", name="Shared filesystem").first.click)

    expect(watched.page.locator(".comparison")).to_contain_text("KubeVirt can live-migrate it from 1.5 on.")
    cells = watched.page.locator(".strip li")
    expect(cells).to_have_count(10)
    expect(cells.nth(4)).to_contain_text("1.4✕VirtIOFSNotLiveMigratable")
    expect(cells.nth(5)).to_contain_text("1.5✓can migrate")


def test_the_page_of_a_rule_opens_beside_the_text(watched: Watched) -> None:
    """
    The text stays, and the rule's page gives the rationale and the way home.
    """
    watched.judge(BAD)

    with watched.page.expect_popup() as opened:
        watched.page.get_by_role("link", name="LM101 bridge-on-pod-network").click()

    rule = opened.value
    expect(rule.get_by_role("heading", level=1)).to_have_text("bridge-on-pod-network LM101")
    expect(rule.get_by_text("With bridge binding, the guest has the IP address of its pod.")).to_be_visible()
    rule.get_by_role("link", name="Migratable").click()
    expect(rule.get_by_role("heading", level=1)).to_have_text("Can KubeVirt live-migrate this VM?")
    assert watched.text == BAD


def test_a_good_manifest_shows_no_findings(watched: Watched) -> None:
    """
    The page shows the verdict with the release and the assumptions.
    """
    watched.judge(GOOD)

    page = watched.page
    expect(page.locator(".kubevirt.good")).to_have_text("✓KubeVirt 1.9 can live-migrate it")
    expect(page.locator("#verdict")).to_contain_text("Would be accepted")
    expect(page.locator("#answer")).to_contain_text("the VM runs on amd64 (the field architecture is not set)")
    watched.assert_clean()


def test_an_unproven_result_names_the_missing_manifest(watched: Watched) -> None:
    """
    The verdict is neither yes nor no.
    """
    watched.judge(UNPROVEN)

    expect(watched.page.locator("#verdict")).to_contain_text("Unproven: something is missing")
    expect(watched.page.locator(".kubevirt.open")).to_contain_text("Unproven")
    expect(watched.page.locator(".finding")).to_contain_text("To settle it: add the manifest of PVC 'os' to the input")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "invalid YAML"),
        ("a: 1\na: 2\n", "duplicate key 'a' (lines 1 and 2)"),
        ("apiVersion: v1\nkind: ConfigMap\n", "Nothing to check"),
    ],
)
def test_text_without_a_manifest_gives_a_message(watched: Watched, text: str, message: str) -> None:
    """
    Unreadable text and irrelevant objects give a sentence, not an empty result, and no error in the console.
    """
    watched.judge(text)

    expect(watched.page.locator(".answer")).to_contain_text(message)
    watched.assert_clean()


def test_an_unanswered_check_says_so(watched: Watched) -> None:
    """
    The text stays, and Check tries again.
    """
    watched.page.route("**/v1/check*", lambda route: route.abort())
    watched.page.get_by_label("Manifests, YAML or JSON").fill(BAD)
    expect(watched.page.locator("#verdict")).to_contain_text("The server did not answer.")

    watched.page.unroute("**/v1/check*")
    watched.answered(lambda: watched.page.get_by_role("button", name="Check", exact=True).click())

    expect(watched.page.locator("#verdict")).to_contain_text("Would be refused")


def test_a_busy_server_is_asked_again(watched: Watched) -> None:
    """
    A 503 is not an answer. The page tries again after Retry-After.
    """
    refusals = iter([{"Retry-After": "0"}])

    def refuse_once(route: Route) -> None:
        headers = next(refusals, None)
        if headers is None:
            route.continue_()
        else:
            route.fulfill(status=503, headers=headers, json={"title": "busy", "status": 503})

    watched.page.route("**/v1/check*", refuse_once)
    watched.page.get_by_label("Manifests, YAML or JSON").fill(BAD)

    expect(watched.page.locator("#verdict")).to_contain_text("Would be refused")


def test_the_answer_is_in_view_on_a_phone(watched: Watched) -> None:
    """
    The verdict stays at the lower edge of the screen, at every place of the page.
    """
    watched.page.set_viewport_size({"width": 390, "height": 844})
    watched.judge(BAD)

    for target in ("h1", ".finding >> nth=-1", "footer"):
        watched.page.locator(target).scroll_into_view_if_needed()
        expect(watched.page.locator("#verdict .headline")).to_be_in_viewport(ratio=1)
    watched.page.evaluate("scrollTo(0, 0)")
    watched.page.get_by_role("button", name="Show the findings").click()
    expect(watched.page.get_by_role("heading", name="Answer")).to_be_in_viewport()
