"""The text of responses about objects of other namespaces."""

import json
import logging
import threading
from dataclasses import replace
from typing import Any

import pytest

from tests.surfaces.admission.foreign import (
    EVERY_KIND,
    IMAGES,
    OTHERS,
    POSTED,
    Readers,
    claim,
    cloning,
    data_source,
    guarded,
    inferring,
    instancetype,
    kubevirt,
    labelled,
    network,
    tenants_network,
)
from tests.surfaces.admission.reviews import TENANT, Manifest, on_claim, read, review, vm
from tests.surfaces.asgi import call
from webhook.cluster.access_reviews import User
from webhook.cluster.facts import NEVER_READ
from webhook.cluster.lookups import RecordingWorld
from webhook.cluster.readable import Rights
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown_world import UnknownWorld
from webhook.facts.world import World, for_advice
from webhook.judging.finding import Finding
from webhook.kubevirt.releases import KNOWN, NEWEST, only
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.storage import PersistentVolumeClaim, StorageProfile
from webhook.policy.policy import Action, Decision, Policy
from webhook.rules.register import RULES
from webhook.rules.rule import Basis, Rule
from webhook.surfaces.admission.disclosure import (
    HIDDEN,
    WITHHELD,
    CrossNamespaceTracker,
    Disclosure,
    decide_tracked,
    shown_without_rights,
)
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import PASS, JudgingContext, Outcome

GPU, PLAIN = "canary-gpu", "canary-plain"
TYPES = (instancetype(GPU, "nvidia.com/A10"), instancetype(PLAIN))
GOLDEN = cloning("golden")


def refusing(name: str = "golden", namespace: str = IMAGES) -> Manifest:
    """A claim by whose label a VM gets a GPU."""
    return labelled(claim(name, namespace), instancetype=GPU)


def harmless() -> Manifest:
    return labelled(claim("golden"), instancetype=PLAIN)


def answered(
    manifest: Manifest,
    *cluster: Manifest,
    readers: Readers | None = None,
    policy: Policy | None = None,
    path: str = "/validate",
    query: str = "",
) -> Any:
    """The response to a creation."""
    door = guarded((*TYPES, *cluster), readers or Readers(), policy)
    return call(door, "POST", path, review("CREATE", manifest), POSTED, query).json["response"]


def test_an_author_with_rights_gets_the_reason() -> None:
    """
    The message names the instancetype that the label of a readable claim leads to.
    """
    said = answered(inferring(GOLDEN), refusing(), readers=Readers([IMAGES]))

    assert not said["allowed"]
    assert GPU in said["status"]["message"]


def test_an_author_without_rights_is_denied_without_the_reason() -> None:
    """
    The response has no rule and no field path that would show the content of the foreign object.
    """
    said = answered(inferring(GOLDEN), refusing())

    assert not said["allowed"]
    assert said["status"]["details"]["causes"] == [
        {
            "reason": "FieldValueInvalid",
            "message": "Migratable denies this request because of an object in another namespace. Your account may not read "
            "that object. Ask for the right to get it, or do not refer to it.",
        }
    ]
    assert "canary" not in str(said)


@pytest.mark.parametrize("unproven", [Action.WARN, Action.DENY, Action.OFF])
def test_an_existing_and_a_missing_object_give_the_same_response(unproven: Action) -> None:
    """
    A source that denies nothing, one without the label, and none at all give the same bytes, audit annotations included.
    """
    answers = [
        answered(inferring(GOLDEN), *cluster, policy=Policy(unproven=unproven))
        for cluster in ((harmless(),), (claim("golden"),), ())
    ]

    assert answers[0] == answers[1] == answers[2]


@pytest.mark.parametrize(
    ("disk", "cluster"),
    [
        (
            {"sourceRef": {"kind": "DataSource", "name": "image", "namespace": IMAGES}},
            labelled(data_source("image", {}), instancetype=GPU),
        ),
        (
            {"sourceRef": {"kind": "DataSource", "name": "image"}},
            data_source("image", cloning("golden")["source"], TENANT),
        ),
    ],
    ids=["foreign DataSource", "own DataSource of a foreign claim"],
)
def test_no_path_to_a_foreign_label_is_open(disk: Manifest, cluster: Manifest) -> None:
    """
    DataSources and the claims behind them are as hidden as claims.
    """
    said = answered(inferring(disk), cluster, refusing())

    assert not said["allowed"]
    assert "canary" not in str(said)


def test_objects_of_the_own_namespace_need_no_access_review() -> None:
    """
    A review that consults the request's own namespace alone costs no SubjectAccessReview.
    """
    readers = Readers()

    said = answered(inferring(cloning("golden", TENANT)), refusing(namespace=TENANT), readers=readers)

    assert GPU in said["status"]["message"]
    assert readers.asked == []


def test_a_response_without_foreign_facts_needs_no_access_review() -> None:
    """
    An answer that would be the same without the other namespace discloses nothing.
    """
    readers = Readers()
    cluster = (kubevirt(f"{TENANT}/migration"), network("canary", OTHERS, "10.2.0.0/16"))

    answered(tenants_network("10.1.0.0/16"), *cluster, readers=readers)

    assert readers.asked == []


def test_overlaps_name_networks_that_the_author_may_list() -> None:
    """
    Names and ranges of other tenants' networks are for their readers.
    """
    cluster = (kubevirt(f"{TENANT}/migration"), network("canary", OTHERS, "10.1.2.0/24"))

    reader = answered(tenants_network("10.1.0.0/16"), *cluster, readers=Readers([OTHERS]))
    other = answered(tenants_network("10.1.0.0/16"), *cluster)
    alone = answered(tenants_network("10.1.0.0/16"), cluster[0])

    assert "others/canary" in str(reader)
    assert other == alone


def test_a_late_api_server_hides_and_admits_nothing() -> None:
    """
    Where rights are not known in time, a denial stays one and shows nothing.
    """
    over = threading.Event()
    try:
        said = answered(
            inferring(GOLDEN), refusing(), readers=Readers([IMAGES], lambda: over.wait(10)), query="timeout=1s"
        )
    finally:
        over.set()

    assert not said["allowed"]
    assert "canary" not in str(said)


def test_defaults_do_not_depend_on_what_is_hidden() -> None:
    """
    A patch that comes or does not come would tell as much as a message.
    """
    policy = Policy(default_eviction_strategy="LiveMigrate")
    answers = [answered(inferring(GOLDEN), *cluster, policy=policy, path="/mutate") for cluster in ((refusing(),), ())]
    reader = answered(inferring(GOLDEN), refusing(), policy=policy, path="/mutate", readers=Readers([IMAGES]))

    assert answers[0] == answers[1]
    assert "patch" in answers[0]
    assert "patch" not in reader


def test_a_request_that_looks_bad_only_without_the_hidden_object_is_allowed() -> None:
    """
    A DataSource that says amd64 makes host-model fine; the author's view has the cluster's default, and a warning.
    """
    cluster = kubevirt("", architectureConfiguration={"defaultArchitecture": "arm64"})
    image = data_source("image", {})
    image["metadata"]["labels"] = {"template.kubevirt.io/architecture": "amd64"}
    source = {"kind": "DataSource", "name": "image", "namespace": IMAGES}
    made = inferring({"sourceRef": source})
    del made["spec"]["instancetype"]
    made["spec"]["template"]["spec"]["domain"]["cpu"] = {"model": "host-model"}

    there, absent = answered(made, cluster, image), answered(made, cluster)

    assert (there["allowed"], absent["allowed"]) == (True, False)
    assert any("LM401" in warning for warning in there["warnings"])


def test_rights_are_those_of_the_whole_author() -> None:
    """
    Name, UID, groups and extra, as the API server has them in userInfo.
    """
    readers = Readers()
    body = json.loads(review("CREATE", inferring(GOLDEN)))
    body["request"]["userInfo"] = {
        "username": "jane",
        "uid": "7",
        "groups": ["dev"],
        "extra": {"scopes": ["a"], "b": None},
    }

    call(guarded((*TYPES, refusing()), readers), "POST", "/validate", json.dumps(body).encode(), POSTED)

    assert set(map(str, readers.asked)) == {str(User("jane", "7", ("dev",), {"scopes": ["a"], "b": []}))}


def test_only_objects_of_other_namespaces_are_recorded() -> None:
    """
    Not the request's own, not a reference without a namespace, and not what applies to every namespace.
    """
    world = ObjectsWorld([read(kubevirt("migration")), read(claim("os", TENANT))], EVERY_KIND)
    own, foreign = CrossNamespaceTracker(world, TENANT), CrossNamespaceTracker(world, TENANT)

    own.find(PersistentVolumeClaim, TENANT, "os")
    own.find(PersistentVolumeClaim, "", "os")
    own.find(StorageProfile, "", "local")
    own.every(KubeVirt)
    own.every(PersistentVolumeClaim)
    own.find(StorageProfile, OTHERS, "local")
    foreign.find(PersistentVolumeClaim, IMAGES, "absent")

    assert (own.left_namespace, foreign.left_namespace) == (False, True)


def test_one_object_of_another_namespace_in_a_list_is_recorded() -> None:
    """
    Also beside the request's own; a list that is not known names no namespace.
    """
    both = CrossNamespaceTracker(ObjectsWorld([read(claim("os", TENANT)), read(claim("os", OTHERS))]), TENANT)
    unknown = CrossNamespaceTracker(UnknownWorld(HIDDEN), TENANT)

    assert len(both.every(PersistentVolumeClaim)) == 2  # type: ignore[arg-type]
    assert unknown.every(PersistentVolumeClaim) == HIDDEN
    assert (both.left_namespace, unknown.left_namespace) == (True, False)


def test_lookups_for_advice_are_tracked_and_cause_no_read() -> None:
    """
    A warning can name an object of another namespace. A read for a warning would delay the request.
    """
    recording = RecordingWorld(ObjectsWorld([read(claim("os", OTHERS))], EVERY_KIND))
    tracker = CrossNamespaceTracker(recording, TENANT)

    for_advice(tracker).find(PersistentVolumeClaim, TENANT, "os")
    before = tracker.left_namespace
    for_advice(tracker).find(PersistentVolumeClaim, OTHERS, "os")

    assert (before, tracker.left_namespace) == (False, True)
    assert recording.answers == {}


def test_a_vm_is_decided_without_lookups_of_kinds_that_are_never_read() -> None:
    """
    The server has no right to list PodDisruptionBudgets and PersistentVolumes, and such a list can be long.
    """
    recording = RecordingWorld(ObjectsWorld([read(claim("os", TENANT))], EVERY_KIND))
    machine = vm(nodeSelector={"kubernetes.io/hostname": "n1"}, volumes=[on_claim("os")])

    decide_tracked(creation(machine), context(recording))

    assert PersistentVolumeClaim in {lookup.kind for lookup in recording.answers}
    assert NEVER_READ.isdisjoint(lookup.kind for lookup in recording.answers)


EMPTY = ObjectsWorld([])


def context(world: World) -> JudgingContext:
    return JudgingContext(world, only(NEWEST), Policy(), "2026-01-01", "kubevirt")


def creation(manifest: Manifest) -> DecodedRequest:
    told = read_review(review("CREATE", manifest))
    assert isinstance(told, DecodedRequest)
    return told


@pytest.mark.parametrize("outcome", [PASS, Outcome((WITHHELD,), ())], ids=["allowed", "denied"])
def test_an_outcome_without_other_namespaces_is_unchanged(outcome: Outcome) -> None:
    """
    Whether or not the API server can say what the author may read, which it is not asked.
    """
    readers = Readers()
    decoded = creation(vm())

    assert Disclosure(Rights(readers)).shown(decoded, outcome, context, 1.0) is outcome
    assert shown_without_rights(decoded, outcome, context) is outcome
    assert decide_tracked(decoded, context(EMPTY)).foreign_world is None
    assert readers.asked == []


def test_a_request_that_is_not_judged_shows_nothing() -> None:
    """
    Without a judgement on either side the outcomes are compared by their causes.
    """
    readers = Readers()
    told = read_review(review("DELETE", None, vm()))
    assert isinstance(told, DecodedRequest)
    outcome = replace(PASS, foreign_world=EMPTY)

    assert Disclosure(Rights(readers)).shown(told, outcome, context, 1.0) is outcome
    assert readers.asked == []


def decided(action: Action, *rules: Rule) -> tuple[Decision, ...]:
    return tuple(Decision(Finding(rule, Basis.KUBEVIRT, ("spec",), "m", "r", "", KNOWN), action) for rule in rules)


def test_a_withheld_denial_is_in_the_log_with_its_rules(caplog: pytest.LogCaptureFixture) -> None:
    """
    The administrator finds the review's UID and, in their order, the rules that denied it.
    """
    denying, warning = RULES[9:0:-1], RULES[10:14]
    full = Outcome((WITHHELD,), decided(Action.DENY, *denying) + decided(Action.WARN, *warning), foreign_world=EMPTY)
    decoded = creation(vm())

    with caplog.at_level(logging.INFO, "migratable.admission"):
        shown = shown_without_rights(decoded, full, context)

    assert shown.causes == (WITHHELD,)
    (record,) = caplog.records
    assert record.name == "migratable.admission"
    assert record.getMessage() == "reason for the denial withheld: the author may not read it"
    assert record.__dict__["uid"] == decoded.request.uid
    assert record.__dict__["rules"] == sorted(rule.id for rule in denying)


def test_a_denial_in_both_views_has_the_text_of_the_authors_view() -> None:
    """
    A violation of the object itself is no secret, so nothing is withheld of it.
    """
    decoded = creation(vm(devices={"gpus": [{"name": "g", "deviceName": "example.com/gpu"}]}))
    full = Outcome((WITHHELD,), decided(Action.DENY, RULES[0]), foreign_world=EMPTY)

    shown = shown_without_rights(decoded, full, context)

    assert [cause.field for cause in shown.causes] == ["spec.template.spec.domain.devices.gpus[0]"]
    assert {decision.action for decision in shown.decisions} >= {Action.DENY}


def test_an_author_may_be_in_no_group() -> None:
    """
    ``userInfo`` of a client certificate without an organization has a name alone.
    """
    readers = Readers()
    body = json.loads(review("CREATE", inferring(GOLDEN)))
    body["request"]["userInfo"] = {"username": "jane"}

    call(guarded((*TYPES, refusing()), readers), "POST", "/validate", json.dumps(body).encode(), POSTED)

    assert set(map(str, readers.asked)) == {str(User("jane", "", (), {}))}
