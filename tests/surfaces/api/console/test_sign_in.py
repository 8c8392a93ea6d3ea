"""Sign-in and sign-out of the pages for operators: a form, a cookie, and no way in from another website."""

import logging
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.surfaces.api.console.visiting import (
    BROWSER,
    EVERYTHING,
    SAME_SITE,
    Cluster,
    Pages,
    get,
    post,
    server,
    sight_in,
)
from tests.surfaces.asgi import Answer, call
from webhook.surfaces.api.console.answers import MOST_COOKIE, own_path
from webhook.surfaces.api.console.sight import RESOURCES

TOKEN = "eyJhbGciOi.s3cr3t-canary_.x~y+z/w=="
TOO_LONG = "x" * (MOST_COOKIE + 1)
ADMIN = {resource["resource"]: [EVERYTHING] for resource in RESOURCES}
APP = server(Pages("shop"), Cluster({TOKEN: "admin"}, {"admin": ADMIN}))
WITHOUT_CLUSTER = server(Pages("shop"), None)


def signed_in(token: str = TOKEN, to: str = "/fleet/vms?page=2", *headers: tuple[str, str]) -> Answer:
    return post(APP, "/sign-in", urlencode({"token": token, "to": to}), *(headers or (SAME_SITE,)))


def cookie_in(answer: Answer) -> str:
    return (answer.header("set-cookie") or "").partition(";")[0]


def test_a_browser_without_a_token_is_sent_to_the_form() -> None:
    """
    The form leads back to the address.
    """
    answer = get(APP, "/fleet/vms?text=a%20b&page=2", BROWSER)

    assert answer.status == 303
    assert answer.header("location") == "/sign-in?to=%2Ffleet%2Fvms%3Ftext%3Da%2520b%26page%3D2"
    form = get(APP, answer.header("location") or "", BROWSER)
    assert '<input type="hidden" name="to" value="/fleet/vms?text=a%20b&amp;page=2">' in form.text


def test_another_client_without_a_token_gets_401() -> None:
    """
    Also the script of a page: it must not show the form in place of the page.
    """
    answer = get(APP, "/fleet", ("accept", "*/*"))

    assert answer.status == 401
    assert answer.header("www-authenticate") == "Bearer"
    assert answer.json == {"title": "Send the bearer token of a user of this cluster.", "status": 401}


@pytest.mark.parametrize("authorization", ["Bearer wrong", "Bearer ", "Basic YTpi", "junk"])
def test_an_invalid_authorization_gets_401(authorization: str) -> None:
    """
    The cookie of a browser does not replace it.
    """
    answer = get(APP, "/fleet", BROWSER, ("authorization", authorization), ("cookie", cookie_in(signed_in())))

    assert answer.status == 401


def test_the_form_keeps_the_token_from_the_browsers_memory() -> None:
    """
    The field hides the token, and the browser offers no token of an earlier visit.
    """
    form = get(APP, "/sign-in").text

    assert '<input id="token" name="token" type="password" autocomplete="off"' in form


def test_a_valid_token_becomes_a_cookie() -> None:
    """
    Scripts cannot read the cookie, other websites cannot use it, and it ends with the browser.
    """
    answer = signed_in()

    assert (answer.status, answer.header("location")) == (303, "/fleet/vms?page=2")
    name, _, rest = (answer.header("set-cookie") or "").partition("=")
    assert name == "__Host-migratable"
    assert rest.partition("; ")[2] == "Path=/; Secure; HttpOnly; SameSite=Strict"
    page = get(APP, "/fleet", BROWSER, ("cookie", cookie_in(answer)))
    assert (page.status, sight_in(page)["user"]) == (200, "admin")


@pytest.mark.parametrize(
    ("token", "status", "text"),
    [
        ("wrong", 401, "does not accept this token"),
        ("", 400, "Enter a token."),
        (TOO_LONG, 400, "too long for a cookie"),
    ],
)
def test_another_token_gives_the_form_again(token: str, status: int, text: str) -> None:
    """
    The form says what to do. It does not contain the token.
    """
    answer = signed_in(token)

    assert answer.status == status
    assert text in answer.text
    assert 'value="/fleet/vms?page=2"' in answer.text
    assert answer.header("set-cookie") is None
    assert not token or token not in answer.text


def test_an_ended_token_gives_the_form_with_the_reason() -> None:
    """
    The token of the cookie has expired.
    """
    answer = get(APP, "/fleet", BROWSER, ("cookie", "__Host-migratable=old"))

    assert answer.header("location") == "/sign-in?to=%2Ffleet&ended=1"
    assert "no longer accepts your token" in get(APP, answer.header("location") or "").text


ORIGIN = ("origin", "https://console.example")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
@pytest.mark.parametrize(
    ("headers", "is_accepted"),
    [
        ([SAME_SITE], True),
        ([SAME_SITE, ("origin", "null")], True),
        ([ORIGIN], True),
        ([("sec-fetch-site", "same-site")], False),
        ([("sec-fetch-site", "cross-site")], False),
        ([("sec-fetch-site", "cross-site"), ORIGIN], False),
        ([("sec-fetch-site", "none")], False),
        ([("origin", "https://other.example")], False),
        ([("origin", "http://console.example")], False),
        ([("origin", "null")], False),
        ([], False),
    ],
)
def test_only_a_page_of_this_server_can_sign_in_or_out(
    path: str, headers: list[tuple[str, str]], is_accepted: bool
) -> None:
    """
    Another website cannot sign a visitor in as another user. Without the header of a newer browser, the origin decides.
    """
    answer = post(APP, path, urlencode({"token": TOKEN}), *headers)

    assert (answer.status, answer.header("set-cookie") is not None) == ((303, True) if is_accepted else (403, False))


def test_sign_out_removes_the_cookie() -> None:
    """
    A link alone does not sign out: the page has a button.
    """
    page = get(APP, "/sign-out", BROWSER)
    answer = post(APP, "/sign-out", "", SAME_SITE)

    assert '<form method="post" action="/sign-out">' in page.text
    assert page.header("set-cookie") is None
    assert (answer.status, answer.header("location")) == (303, "/sign-in")
    assert answer.header("set-cookie") == "__Host-migratable=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0"


@pytest.mark.parametrize(
    "to",
    [
        "https://other.example/fleet",
        "//other.example/fleet",
        "/\\other.example",
        "/fleet\\..\\other.example",
        "\\\\other.example/fleet",
        "/fleets",
        "/fleet\r\nSet-Cookie: a=b",
        "/fleet/ä",
        "/v1/check",
        "javascript:alert(1)",
        "",
    ],
)
def test_only_pages_for_operators_follow_a_sign_in(to: str) -> None:
    """
    Another address is replaced with the overview.
    """
    assert signed_in(TOKEN, to).header("location") == "/fleet"
    assert 'value="/fleet"' in get(APP, f"/sign-in?{urlencode({'to': to})}").text


@given(st.text() | st.text("/\\.fleet:?#@%\r\n\t a").map("/fleet".__add__))
def test_an_address_after_a_sign_in_stays_on_this_server(address: str) -> None:
    """
    Any text gives an address that begins with a path of this server, without characters that browsers remove.
    """
    path = own_path(address)

    assert path == "/fleet" or path.startswith(("/fleet/", "/fleet?"))
    assert path.isascii()
    assert not set(path) & set('\\#\r\n\t "<>')


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        ("token=a", "application/json", 415),
        ("token=a", "text/plain", 415),
        ("a=b&" * 10, "application/x-www-form-urlencoded", 400),
        ("token=ä", "application/x-www-form-urlencoded", 400),
        ("token=" + "a" * 70_000, "application/x-www-form-urlencoded", 413),
        ("", "application/x-www-form-urlencoded", 400),
        ("token=%00%ff", "application/x-www-form-urlencoded", 401),
    ],
)
def test_a_body_that_is_no_form_is_refused(body: str, kind: str, status: int) -> None:
    """
    The server reads at most 64 KiB.
    """
    headers = [("host", "console.example"), ("content-type", kind), SAME_SITE]

    assert call(APP, "POST", "/sign-in", body.encode(), headers).status == status


def test_no_token_reaches_a_log_or_a_page(caplog: pytest.LogCaptureFixture) -> None:
    """
    Also if the page fails.
    """
    caplog.set_level(logging.DEBUG)
    pages = Pages("shop")
    app = server(pages, Cluster({TOKEN: "admin"}, {"admin": ADMIN}))
    pages.error = RuntimeError(TOKEN)

    answers = [
        signed_in(),
        signed_in("wrong-canary"),
        get(app, "/fleet", BROWSER, ("cookie", cookie_in(signed_in()))),
        get(app, "/fleet", ("authorization", f"Bearer {TOKEN}")),
    ]

    assert [answer.status for answer in answers] == [303, 401, 500, 500]
    assert not any("canary" in answer.text for answer in answers)
    assert "canary" not in caplog.text


def test_without_a_cluster_there_is_no_sign_in() -> None:
    """
    Each caller sees the files.
    """
    assert get(WITHOUT_CLUSTER, "/sign-in").status == 404
    assert post(WITHOUT_CLUSTER, "/sign-in", "", SAME_SITE).status == 404
    assert sight_in(get(WITHOUT_CLUSTER, "/fleet")) == {
        "namespaces": None,
        "nodes": True,
        "policies": True,
        "settings": True,
        "user": "",
    }
