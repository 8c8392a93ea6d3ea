"""The addresses of the pages for operators: what reaches the pages, and what a browser may keep."""

from urllib.parse import urlencode

import pytest

from tests.surfaces.api.console.visiting import (
    BROWSER,
    EVERYTHING,
    SAME_SITE,
    Cluster,
    Pages,
    bearer,
    get,
    post,
    server,
)
from tests.surfaces.asgi import call
from webhook.errors import Unavailable
from webhook.surfaces.api.console.sight import RESOURCES
from webhook.surfaces.api.http import HEADERS

ADMIN = {resource["resource"]: [EVERYTHING] for resource in RESOURCES}
TENANT = {key: ["shop"] for key in ("virtualmachines", "virtualmachineinstances")}


@pytest.fixture
def pages() -> Pages:
    return Pages("erp", "shop")


@pytest.fixture
def cluster() -> Cluster:
    return Cluster({"a": "admin", "t": "tenant", "t2": "other"}, {"admin": ADMIN, "tenant": TENANT, "other": TENANT})


@pytest.mark.parametrize(
    ("address", "path", "query"),
    [
        ("/fleet", "", []),
        ("/fleet/", "/", []),
        ("/fleet/vms", "/vms", []),
        ("/fleet/vms/a/b", "/vms/a/b", []),
        ("/fleet/vms?text=a%20%26b&page=2&page=3", "/vms", [["text", "a &b"], ["page", "2"], ["page", "3"]]),
        ("/fleet/vms?text=", "/vms", [["text", ""]]),
    ],
)
def test_a_page_gets_its_path_and_parameters(pages: Pages, address: str, path: str, query: list[list[str]]) -> None:
    """
    Decoded, in their order.
    """
    asked = get(server(pages, None), address).json

    assert (asked["path"], asked["query"]) == (path, query)


@pytest.mark.parametrize("address", ["/fleet/" + "a" * 2001, "/fleet?a=" + "b" * 2001])
def test_a_long_address_is_refused(pages: Pages, address: str) -> None:
    """
    The process that renders the pages does not get it.
    """
    assert get(server(pages, None), address).status == 414
    assert pages.rendered == []


def test_an_unchanged_page_is_not_rendered_or_sent_again(pages: Pages) -> None:
    """
    The version of the state decides.
    """
    app = server(pages, None)
    tag = get(app, "/fleet/vms").header("etag") or ""

    again = get(app, "/fleet/vms", ("if-none-match", f'"other", W/{tag}'))

    assert (again.status, again.body, again.header("etag")) == (304, b"", tag)
    assert len(pages.rendered) == 1
    pages.state_version = "2"
    assert get(app, "/fleet/vms", ("if-none-match", tag)).status == 200


@pytest.mark.parametrize("other", ["/fleet", "/fleet/vms?page=2", "/fleet/nodes"])
def test_each_address_has_its_own_etag(pages: Pages, other: str) -> None:
    """
    The page of one address is never kept for another.
    """
    app = server(pages, None)

    assert get(app, "/fleet/vms").header("etag") != get(app, other).header("etag")


def test_each_user_has_their_own_etag(pages: Pages, cluster: Cluster) -> None:
    """
    The page shows the name of the user.
    """
    app = server(pages, cluster)

    tags = {get(app, "/fleet", bearer(token)).header("etag") for token in ("a", "t", "t2")}

    assert len(tags) == 3


def test_an_etag_does_not_disclose_changes_of_hidden_objects(pages: Pages, cluster: Cluster) -> None:
    """
    For a caller with limited sight, only the page decides. The version of the state changes with each object.
    """
    app = server(pages, cluster)
    tag = get(app, "/fleet", bearer("t")).header("etag") or ""

    pages.state_version = "2"

    assert get(app, "/fleet", bearer("t")).header("etag") == tag
    assert get(app, "/fleet", bearer("t"), ("if-none-match", tag)).status == 304


def test_a_missing_page_has_no_etag(pages: Pages) -> None:
    """
    Its status would be lost in a 304.
    """
    answer = get(server(pages, None), "/fleet/missing", ("if-none-match", "*"))

    assert (answer.status, answer.header("etag")) == (404, None)


def test_the_pages_have_the_headers_of_the_server(pages: Pages, cluster: Cluster) -> None:
    """
    Forms may lead to this server from pages for operators only.
    """
    with_form = HEADERS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
    app = server(pages, cluster)

    for path in ("/fleet", "/sign-in", "/sign-out"):
        answer = get(app, path, bearer("a"))
        assert {name: answer.header(name) for name in HEADERS} == {**HEADERS, "Content-Security-Policy": with_form}
    assert get(app, "/other").header("content-security-policy") == HEADERS["Content-Security-Policy"]


def test_pages_that_cannot_be_rendered_give_503(pages: Pages) -> None:
    """
    A browser gets a page that says what to do, and when to try again.
    """
    pages.error = Unavailable("the process has ended", remedy="Try again in a few seconds.")
    app = server(pages, None)

    page, problem = get(app, "/fleet", BROWSER), get(app, "/fleet")

    assert (page.status, page.header("retry-after")) == (503, "5")
    assert "<p>The process has ended.</p><p>Try again in a few seconds.</p>" in page.text
    assert (problem.status, problem.json["title"]) == (503, "the process has ended")


def test_the_pages_never_get_a_token(pages: Pages, cluster: Cluster) -> None:
    """
    They get what the caller may see.
    """
    cluster.tokens["s3cr3t"] = "admin"
    app = server(pages, cluster)
    signed = post(app, "/sign-in", urlencode({"token": "s3cr3t"}), SAME_SITE)
    cookie = ("cookie", (signed.header("set-cookie") or "").partition(";")[0])

    get(app, "/fleet", BROWSER, cookie)
    get(app, "/fleet", bearer("s3cr3t"))

    assert len(pages.rendered) == 2
    assert "s3cr3t" not in repr(pages.rendered)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_the_pages_only_read(pages: Pages, method: str) -> None:
    """
    Each page answers GET alone.
    """
    assert call(server(pages, None), method, "/fleet/vms").status == 405
