"""HTML from elements: everything is escaped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webhook.surfaces.api.page.layout import document
from webhook.surfaces.api.page.markup import Html, element, join, prose


def test_text_and_attributes_are_escaped() -> None:
    """
    Neither can end its place.
    """
    made = element("p", "<b>&\"'", title="\"><script>'", data_label="x")

    assert made == '<p title="&quot;&gt;&lt;script&gt;&#x27;" data-label="x">&lt;b&gt;&amp;"\'</p>'


@given(st.text())
def test_no_text_becomes_markup(text: str) -> None:
    """
    The result has only the tags of the element.
    """
    made = element("p", text, title=text)

    assert (made.count("<"), made.count(">")) == (2, 2)


def test_elements_and_lists_nest() -> None:
    """
    Markup is not escaped twice. None adds nothing.
    """
    assert element("ul", [element("li", 1), None, (element("li", "a"),)]) == "<ul><li>1</li><li>a</li></ul>"


def test_attributes_can_be_left_out() -> None:
    """
    None and False leave an attribute out, True gives one without a value, and elements without content have no end tag.
    """
    assert element("input", hidden=True, disabled=False, value=None, for_="a") == '<input hidden for="a">'


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//example.org", "/\\example.org", "http://example.org", "data:text/html,x", ""]
)
def test_an_address_of_another_kind_is_an_error(address: str) -> None:
    """
    Links lead to this server or to https.
    """
    with pytest.raises(ValueError, match="unknown place"):
        element("a", "x", href=address)


def test_backticks_mark_code() -> None:
    """
    As in messages of rules.
    """
    assert prose("write `<a>` here") == "write <code>&lt;a&gt;</code> here"
    assert isinstance(join("a"), Html)


def test_a_page_names_its_section() -> None:
    """
    The title ends with the product's name, and the navigation marks the section.
    """
    page = document("A < B", element("h1", "A"), here="/rules").decode()

    assert "<title>A &lt; B · Migratable</title>" in page
    assert '<a href="/rules" aria-current="page">Rules</a>' in page
    assert '<a href="/">Check</a>' in page


def test_a_server_with_a_fleet_links_to_it() -> None:
    """
    A signed-in user can sign out with a form, because a link of another site must not do it.
    """
    page = document("A", element("h1", "A"), has_fleet=True, user="<ann>").decode()

    assert '<a href="/fleet">Fleet</a></nav>' in page
    assert '<form class="account" method="post" action="/sign-out"><span class="user" title="&lt;ann&gt;">' in page
    alone = document("A", element("h1", "A")).decode()
    assert ("/fleet" in alone, "<form" in alone) == (False, False)


def test_unprintable_characters_are_visible() -> None:
    """
    Line ends and tabs stay, for manifests.
    """
    assert element("pre", "a\u202eb\n\tc\x1b", title="\x00") == '<pre title="\\u0000">a\\u202eb\n\tc\\u001b</pre>'
