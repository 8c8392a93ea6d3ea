"""Links that contain the manifests: compressed, in the fragment, and never sent to the server."""

import base64
import random
import zlib
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from tests.surfaces.api.page.watched import Watched
from tests.surfaces.manifests import BAD, GOOD

pytestmark = pytest.mark.browser


def fragment(content: bytes, **choices: str) -> str:
    """The fragment of a link, as the page makes it."""
    packer = zlib.compressobj(wbits=-15)
    packed = base64.urlsafe_b64encode(packer.compress(content) + packer.flush()).decode().rstrip("=")
    return "#" + urlencode({**choices, "manifests": packed})


def copied_link(watched: Watched) -> str:
    watched.page.get_by_role("button", name="Copy link").click()
    expect(watched.page.locator("#notice")).to_contain_text("Link copied (")
    return str(watched.page.evaluate("navigator.clipboard.readText()"))


def test_a_link_opens_the_same_manifests_and_choices(watched: Watched) -> None:
    """
    In another tab. No request contains the manifests but the check itself.
    """
    watched.judge(BAD)
    watched.answered(lambda: watched.page.get_by_label("KubeVirt", exact=True).select_option("1.4"))
    watched.answered(lambda: watched.page.get_by_label("Profile").select_option("exact"))
    link = copied_link(watched)
    expect(watched.page.locator("#notice")).to_contain_text("of at most 16,000 characters")

    other = Watched.of(watched.page.context, watched.url)
    other.answered(lambda: other.page.goto(link))

    assert other.text == BAD
    expect(other.page.locator("#verdict")).to_contain_text("KubeVirt 1.4, profile exact")
    assert all("manifests" not in request for request in other.requests)
    other.assert_clean()


def test_a_link_to_large_manifests_is_refused_with_its_size(watched: Watched) -> None:
    """
    The page names the limit and another way.
    """
    chance = random.Random(1)
    noise = "".join(chance.choice("0123456789abcdef") for _ in range(60_000))
    watched.judge(f"{GOOD}# {noise}\n")

    watched.page.get_by_role("button", name="Copy link").click()

    expect(watched.page.locator("#notice")).to_contain_text("Too large for a link: ")
    expect(watched.page.locator("#notice")).to_contain_text("at most 16,000. Download the manifests instead.")
    assert "#" not in watched.page.url


def test_a_change_of_the_text_removes_the_link_from_the_address(watched: Watched) -> None:
    """
    So the address never shows other manifests than the text.
    """
    watched.judge(BAD)
    copied_link(watched)
    assert "#" in watched.page.url

    watched.answered(lambda: watched.page.get_by_label("Manifests, YAML or JSON").fill(GOOD))

    assert "#" not in watched.page.url


@pytest.mark.parametrize(
    "broken",
    [
        "#manifests=!",
        "#manifests=AAAA",
        fragment(b"\xff\xfe"),
        fragment(b"a" * (2 << 20)),
        fragment(GOOD.encode())[:-12],
    ],
    ids=["no base64", "no deflate", "no UTF-8", "too large", "cut"],
)
def test_a_broken_link_gives_a_message(watched: Watched, broken: str) -> None:
    """
    A small link cannot fill the memory: unpacking ends at 1 MiB.
    """
    other = Watched.of(watched.page.context, watched.url).open(broken)

    expect(other.page.locator("#notice")).to_contain_text("The link is damaged or too large.")
    assert other.text == ""
    other.assert_clean()


def test_unknown_choices_of_a_link_are_ignored(watched: Watched) -> None:
    """
    The page then uses the defaults.
    """
    other = Watched.of(watched.page.context, watched.url)

    other.answered(lambda: other.open(fragment(GOOD.encode(), release="9.9", profile="lenient")))

    expect(other.page.locator("#verdict")).to_contain_text("KubeVirt 1.3 to 1.9, profile strict")


def test_a_link_in_the_same_tab_can_be_undone(watched: Watched) -> None:
    """
    The earlier text comes back.
    """
    watched.judge(BAD)

    watched.answered(lambda: watched.page.evaluate("(hash) => { location.hash = hash; }", fragment(GOOD.encode())))
    assert watched.text == GOOD
    watched.answered(watched.page.get_by_role("button", name="Undo").click)

    assert watched.text == BAD
