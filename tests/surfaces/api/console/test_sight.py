"""Access reviews decide which part of a cluster a caller sees."""

import pytest

from tests.clocks import Clock
from tests.surfaces.api.console.visiting import BROWSER, EVERYTHING, Cluster, Pages, bearer, get, server, sight_in
from webhook.surfaces.api.console import sight
from webhook.surfaces.api.console.messages import NamespacesReply
from webhook.surfaces.api.console.sight import MOST_NAMESPACES, RESOURCES

ALL = {resource["resource"]: [EVERYTHING] for resource in RESOURCES}
BOTH = ("virtualmachines", "virtualmachineinstances")


def in_namespaces(*namespaces: str) -> dict[str, list[str]]:
    return {key: list(namespaces) for key in BOTH}


USERS = {
    "admin": ALL,
    "tenant": in_namespaces("shop"),
    "lister": {resource: places for resource, places in ALL.items() if resource != "nodes"},
    "half": {"virtualmachines": ["shop", "erp"], "virtualmachineinstances": ["shop"]},
    "stranger": {},
}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster({f"token-{user}": user for user in USERS}, USERS)


@pytest.fixture
def pages() -> Pages:
    return Pages("depot", "erp", "shop")


def seen_by(user: str, cluster: Cluster, pages: Pages, path: str = "/fleet") -> object:
    return sight_in(get(server(pages, cluster), path, bearer(f"token-{user}")))


@pytest.mark.parametrize(
    ("user", "namespaces", "nodes", "policies", "settings"),
    [
        ("admin", None, True, True, True),
        ("lister", None, False, True, True),
        ("tenant", ["shop"], False, False, False),
        ("half", ["shop"], False, False, False),
    ],
)
def test_a_caller_sees_what_the_user_may_list(
    cluster: Cluster, pages: Pages, user: str, namespaces: object, nodes: bool, policies: bool, settings: bool
) -> None:
    """
    A namespace is visible if its VMs and its VMIs may be listed.
    """
    assert seen_by(user, cluster, pages) == {
        "namespaces": namespaces,
        "nodes": nodes,
        "policies": policies,
        "settings": settings,
        "user": user,
    }


@pytest.mark.parametrize("missing", sorted(ALL))
def test_each_permission_hides_what_depends_on_it(pages: Pages, missing: str) -> None:
    """
    Nodes also need the pods and VMIs of all namespaces, because a rehearsal names them.
    """
    rights = {resource: places for resource, places in ALL.items() if resource != missing}

    seen = sight_in(get(server(pages, Cluster({"t": "user"}, {"user": rights})), "/fleet", bearer("t")))

    assert (seen["namespaces"] is None) == (missing not in BOTH)
    assert seen["nodes"] == (missing not in ("nodes", "pods", "virtualmachineinstances"))
    assert seen["policies"] == (missing != "migrationpolicies")
    assert seen["settings"] == (missing not in ("kubevirts", "hyperconvergeds", "network-attachment-definitions"))


def test_a_user_without_any_right_gets_403(cluster: Cluster, pages: Pages) -> None:
    """
    The answer names the missing permission, and no namespace.
    """
    app = server(pages, cluster)

    problem = get(app, "/fleet/vms", bearer("token-stranger"))
    page = get(app, "/fleet/vms", BROWSER, ("cookie", "__Host-migratable=token-stranger"))

    assert (problem.status, page.status) == (403, 403)
    assert "stranger may not list virtualmachines and virtualmachineinstances" in problem.text
    assert "Your account <code>stranger</code> may list" in page.text
    assert not any(name in problem.text + page.text for name in ("depot", "shop"))
    assert pages.rendered == []


def test_while_the_cluster_is_read_a_user_without_visible_namespaces_is_not_refused(
    cluster: Cluster, pages: Pages
) -> None:
    """
    The namespaces are not known yet.
    """
    pages.reply = NamespacesReply((), is_complete=False)

    assert seen_by("tenant", cluster, pages) == {
        "namespaces": [],
        "nodes": False,
        "policies": False,
        "settings": False,
        "user": "tenant",
    }


def test_a_revoked_right_ends_after_seconds(cluster: Cluster, pages: Pages) -> None:
    """
    Until then, results are cached: no review is sent.
    """
    clock = Clock()
    app = server(pages, cluster, clock)
    assert get(app, "/fleet", bearer("token-tenant")).status == 200
    sent = len(cluster.reviews)

    cluster.rights["tenant"] = {}
    clock.now += sight.REMEMBERED_SECONDS - 0.1
    assert get(app, "/fleet", bearer("token-tenant")).status == 200
    assert len(cluster.reviews) == sent

    clock.now += 0.2
    assert get(app, "/fleet", bearer("token-tenant")).status == 403


def test_a_new_right_counts_after_half_a_minute(cluster: Cluster, pages: Pages) -> None:
    """
    Denials live longer than permissions, because an open page asks again every five seconds.
    """
    clock = Clock()
    app = server(pages, cluster, clock)
    assert get(app, "/fleet", bearer("token-stranger")).status == 403
    sent = len(cluster.reviews)

    cluster.rights["stranger"] = {kind: {"erp"} for kind in BOTH}
    clock.now += sight.DENIED_SECONDS - 0.1
    assert get(app, "/fleet", bearer("token-stranger")).status == 403
    assert len(cluster.reviews) == sent

    clock.now += 0.2
    assert sight_in(get(app, "/fleet", bearer("token-stranger")))["namespaces"] == ["erp"]


def test_a_namespace_without_the_first_right_needs_no_second_review(cluster: Cluster, pages: Pages) -> None:
    """
    A tenant of one of many namespaces causes about one review for each.
    """
    get(server(pages, cluster), "/fleet", bearer("token-tenant"))

    reviews = [resource for resource, namespace in cluster.reviews if namespace != EVERYTHING]
    assert reviews == ["virtualmachines"] * 3 + ["virtualmachineinstances"]


def test_a_revoked_token_ends_after_seconds(cluster: Cluster, pages: Pages) -> None:
    """
    Also if its permissions are still cached.
    """
    clock = Clock()
    app = server(pages, cluster, clock)
    assert get(app, "/fleet", bearer("token-admin")).status == 200

    del cluster.tokens["token-admin"]
    clock.now += sight.REMEMBERED_SECONDS

    assert get(app, "/fleet", bearer("token-admin")).status == 401


def test_permissions_of_one_user_are_not_used_for_another(cluster: Cluster, pages: Pages) -> None:
    """
    The cache has the user and all groups in its key.
    """
    app = server(pages, cluster)

    assert sight_in(get(app, "/fleet", bearer("token-admin")))["namespaces"] is None
    assert sight_in(get(app, "/fleet", bearer("token-tenant")))["namespaces"] == ["shop"]


def test_an_api_server_that_does_not_answer_gives_503(cluster: Cluster, pages: Pages) -> None:
    """
    Not 401 or 403: the user may be allowed. A browser gets a page.
    """
    cluster.is_down = True
    app = server(pages, cluster)

    problem = get(app, "/fleet", bearer("token-admin"))
    page = get(app, "/fleet", BROWSER, ("cookie", "__Host-migratable=token-admin"))

    assert (problem.status, page.status) == (503, 503)
    assert problem.json["title"] == "the API server does not answer"
    assert "The API server does not answer." in page.text
    assert page.header("retry-after") == "5"


def test_with_many_namespaces_a_request_must_name_one(cluster: Cluster) -> None:
    """
    A forbidden namespace and one without VMs give the same answer.
    """
    pages = Pages("erp", "shop", *(f"n{number}" for number in range(MOST_NAMESPACES)))
    app = server(pages, cluster)

    unnamed = get(app, "/fleet/vms", BROWSER, ("cookie", "__Host-migratable=token-tenant"))
    named = get(app, "/fleet/vms?namespace=shop", bearer("token-tenant"))
    of_vm = get(app, "/fleet/vms/shop/web", bearer("token-tenant"))
    others = [get(app, f"/fleet/vms?namespace={name}", bearer("token-tenant")) for name in ("erp", "no0")]

    namespaces = [namespace for _, namespace in cluster.reviews]
    assert namespaces.count("erp") == namespaces.count("no0") == 1  # so the time of the answer does not differ
    assert '<form method="get" action="/fleet/vms">' in unnamed.text
    assert sight_in(named)["namespaces"] == sight_in(of_vm)["namespaces"] == ["shop"]
    assert [answer.status for answer in others] == [400, 400]
    assert others[0].text.replace("erp", "no0") == others[1].text
    assert len(cluster.reviews) < 20
    assert sight_in(get(app, "/fleet/vms", bearer("token-admin")))["namespaces"] is None


def test_the_form_for_a_namespace_keeps_the_filters(cluster: Cluster) -> None:
    """
    Such as those of a link from the MigrationPolicies.
    """
    app = server(Pages(*(f"n{number}" for number in range(MOST_NAMESPACES + 1))), cluster)
    cookie = ("cookie", "__Host-migratable=token-tenant")

    page = get(app, "/fleet/vms?namespace=erp&loses=slow&q=%22a%22", BROWSER, cookie).text

    assert '<input type="hidden" name="loses" value="slow"><input type="hidden" name="q" value="&quot;a&quot;">' in page
    assert page.count('name="namespace"') == 1
