"""Addresses and parameters of the pages."""

import pytest

from tests.console.pages.asking import get
from webhook.surfaces.api.console.messages import Sight


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("", "<title>Fleet · Migratable</title>"),
        ("/", "<title>Fleet · Migratable</title>"),
        ("/vms", "<title>VMs · Migratable</title>"),
        ("/vms/", "<title>VMs · Migratable</title>"),
        ("/vms/blue/refused", "<title>blue/refused · Migratable</title>"),
        ("/nodes", "<title>Nodes · Migratable</title>"),
        ("/nodes/node-a", "<title>Drain of node-a · Migratable</title>"),
        ("/policies", "<title>MigrationPolicies · Migratable</title>"),
    ],
)
def test_each_address_has_its_page(path: str, title: str) -> None:
    """
    A slash at the end changes nothing.
    """
    shown = get(path)

    assert (shown.status, title in shown.html) == (200, True)


@pytest.mark.parametrize(
    "path",
    [
        "/x",
        "/vms/blue",
        "/vms/blue/none",
        "/vms/green/good",
        "/nodes/none",
        "/vms/blue/good/x",
        "vms",
        "/policies/fast",
    ],
)
def test_an_unknown_address_is_not_found(path: str) -> None:
    """
    As an HTML page in the same frame.
    """
    shown = get(path)

    assert shown.status == 404
    assert "Not found" in shown.text


@pytest.mark.parametrize(
    ("path", "query", "message"),
    [
        (
            "/vms",
            ("verdict", "x"),
            "Parameter verdict has an unknown value: x. Possible values: not-migratable, unproven, migratable.",
        ),
        ("/vms", ("page", "0"), "Parameter page has an unknown value: 0. Possible values: a whole number from 1."),
        (
            "/vms",
            ("page", "9" * 200),
            f"Parameter page has an unknown value: {'9' * 100}…. Possible values: a whole number from 1.",
        ),
        (
            "/vms",
            ("<b>", "1"),
            "This page has no parameter <b>. Possible parameters: q, verdict, reason, rule, namespace, running,",
        ),
        (
            "/nodes",
            ("outcome", "dies"),
            "Parameter outcome has an unknown value: dies. Possible values: blocks, waits, unknown, stops",
        ),
        ("/nodes/node-a", ("q", "x"), "This page has no parameter q. Possible parameters: namespace."),
    ],
)
def test_a_wrong_parameter_is_named_with_its_possible_values(path: str, query: tuple[str, str], message: str) -> None:
    """
    The value is cut and escaped.
    """
    shown = get(path, (query,))

    assert shown.status == 400
    assert message in shown.text


def test_a_duplicate_parameter_is_an_error() -> None:
    """
    It is not known which one is meant.
    """
    shown = get("/vms", (("verdict", "unproven"), ("verdict", "migratable")))

    assert (shown.status, "Parameter verdict is duplicate." in shown.text) == (400, True)


def test_parameters_about_nodes_need_the_right_to_see_nodes() -> None:
    """
    For other callers they do not exist.
    """
    limited = Sight(nodes=False, policies=False)

    assert get("/vms", (("node", "node-a"),), limited).status == 400
    assert get("/vms", (("policy", "fast"),), limited).status == 400
    assert get("/vms", (("sort", "drain"),), limited).status == 400
    assert (get("/nodes", (), limited).status, get("/policies", (), limited).status) == (404, 404)
