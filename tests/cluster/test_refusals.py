"""An account without permissions gives one log line, not one for each kind and retry."""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import permutations

import pytest
import yaml

from tests.cluster.fake_apiserver import FakeStream, FakeTransport, answer, listed, nothing
from tests.surfaces.running import ROOT
from tests.waiting import wait_until
from webhook.audit.watching.cluster import KINDS as AUDITED
from webhook.cluster.facts import WATCHED, ClusterFacts, Kinds
from webhook.cluster.refusals import AUDIT, SERVER, Refusals, Role
from webhook.cluster.watch import Pace
from webhook.objects.kinds import BY_CLASS
from webhook.objects.nad import Namespace, Node
from webhook.objects.storage import StorageClass

QUICK = Pace(refused=(0.001, 0.002), unreachable=(0.001, 0.002))
THREE = (Node, Namespace, StorageClass)


@contextmanager
def watching(transport: FakeTransport) -> Iterator[ClusterFacts]:
    facts = ClusterFacts(pace=QUICK)
    facts.start(transport=transport)
    try:
        yield facts
    finally:
        facts.stop()


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name == "migratable.cluster"]


@pytest.mark.parametrize("at", ["list", "watch"])
def test_an_account_without_permissions_gives_one_line(caplog: pytest.LogCaptureFixture, at: str) -> None:
    """
    However often the reads are repeated. It names all resources and the ClusterRole.
    """
    if at == "list":
        transport = FakeTransport(lambda *_: answer({}, 403))
    else:
        transport = FakeTransport(lambda *_: listed(), lambda _: FakeStream(403, nothing))
    requests = transport.asked if at == "list" else transport.watches

    with watching(transport):
        wait_until(lambda: len(requests) > 10 * len(WATCHED), 60, "retries of all kinds")

    (line,) = lines(caplog)
    assert line.startswith("the account has no permission to list and watch datasources.cdi.kubevirt.io, ")
    assert f"ClusterRole {SERVER.name} of {SERVER.file}" in line
    assert all(BY_CLASS[kind].plural in line for kind in WATCHED)


@pytest.mark.parametrize(("role", "kinds"), [(SERVER, WATCHED), (AUDIT, AUDITED)])
def test_the_cluster_role_of_the_message_grants_what_is_watched(role: Role, kinds: Kinds) -> None:
    """
    It is in the file that the message names.
    """
    documents = yaml.safe_load_all((ROOT / role.file).read_text())
    (found,) = [
        document
        for document in documents
        if (document["kind"], document["metadata"]["name"]) == ("ClusterRole", role.name)
    ]
    granted = {
        (group, resource)
        for rule in found["rules"]
        if {"list", "watch"} <= set(rule["verbs"])
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }

    assert {(BY_CLASS[kind].group, BY_CLASS[kind].plural) for kind in kinds} == granted


@pytest.mark.parametrize("order", list(permutations(THREE)))
def test_the_line_waits_for_all_kinds_and_is_not_repeated(
    caplog: pytest.LogCaptureFixture, order: tuple[type[Node] | type[Namespace] | type[StorageClass], ...]
) -> None:
    """
    In whatever order the outcomes arrive. Permissions that are granted later, or removed, give a line each.
    """
    caplog.set_level(logging.INFO)
    refusals = Refusals(THREE)
    for kind in order:
        assert lines(caplog) == []
        if kind is Namespace:
            refusals.not_refused(kind)
        else:
            refusals.refused(kind, 403)
    for kind in (Node, StorageClass, Node):
        refusals.refused(kind, 403)

    assert Counter(lines(caplog)).total() == 1
    assert " nodes, storageclasses.storage.k8s.io (HTTP 403)" in lines(caplog)[0]

    for kind in THREE:
        refusals.not_refused(kind)
        refusals.not_refused(kind)
    assert lines(caplog)[1:] == ["the API server accepts all reads again"]

    refusals.refused(Node, 403)
    assert len(lines(caplog)) == 3


def test_invalid_credentials_are_not_reported_as_a_missing_permission(caplog: pytest.LogCaptureFixture) -> None:
    """
    HTTP 401 for all kinds.
    """
    with watching(FakeTransport(lambda *_: answer({}, 401))):
        wait_until(lambda: lines(caplog), 60, "the line")

    assert "does not accept the credentials (HTTP 401)" in lines(caplog)[0]
