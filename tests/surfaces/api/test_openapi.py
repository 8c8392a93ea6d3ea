"""
The dry-run API under schemathesis: every response is one that the OpenAPI document describes (R18).

`MIGRATABLE_OPENAPI_CASES=50000` asks for more cases than the 2,000 of every run.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.conftest import FIGURE
from tests.fuzz.doors import CONFIGURATION
from tests.fuzz.mutating import bytes_of, mutated, mutated_bytes
from tests.generating import carriers
from tests.properties.supply import stored
from tests.surfaces.doors import as_yaml
from webhook.cluster.access_reviews import User
from webhook.cluster.readable import Attributes, Rights
from webhook.facts.objects_world import ObjectsWorld
from webhook.surfaces.api.app import build_api
from webhook.surfaces.api.authorization import AttachedCluster

CASES = int(os.environ.get("MIGRATABLE_OPENAPI_CASES", "2000"))
CHECK = "POST /v1/check"
PATIENCE_SECONDS = 600
"""schemathesis' own 10 s are too short on a machine that is busy with other tests."""
MAY, MAY_NOT = "may", "may-not"
"""The tokens that the API server knows, after what their users may do."""
# a manifest can be wrong in ways that no schema tells: kinds, names, duplicate keys, more than one document
NOT_BY_SCHEMA = [positive_data_acceptance]
# nor does schemathesis know what it did not make itself
OURS = [positive_data_acceptance, negative_data_rejection]


class Access:
    """An API server with two users, one of whom may create VirtualMachines."""

    def who(self, token: str) -> User | None:
        """The user of the token."""
        return User(token) if token in (MAY, MAY_NOT) else None

    def may_make_vms(self, user: User, _namespace: str) -> bool:
        """Whether the user is allowed to."""
        return user.username == MAY

    def may(self, _user: User, attributes: Attributes, _timeout_seconds: float) -> bool:
        """Whether the user is allowed to."""
        return len(attributes.get("namespace", "")) % 2 == 0


ATTACHED = AttachedCluster(Access(), lambda: ObjectsWorld(()), Rights(Access()))
SCHEMAS = {
    name: schemathesis.openapi.from_asgi("/openapi.json", build_api(lambda: CONFIGURATION, (), "", cluster))
    for name, cluster in (("alone", None), ("attached", ATTACHED))
}
OPERATIONS = {
    server: {operation.ok().label: operation.ok() for operation in schema.get_all_operations()}
    for server, schema in SCHEMAS.items()
}
KNOWN = st.sampled_from([f"Bearer {MAY}", f"bearer  {MAY}", f"Bearer {MAY_NOT}", f"Basic {MAY}", "Bearer", ""])
PRINTABLE = st.characters(min_codepoint=32, max_codepoint=126)
AUTHORIZATIONS = KNOWN | st.text(PRINTABLE, max_size=60).map(str.strip)


@st.composite
def manifests(draw: st.DrawFn, machines: Sequence[Any]) -> bytes:
    """VMs as JSON or YAML, most of them with some changed values or bytes."""
    chosen = draw(st.lists(st.sampled_from(machines), min_size=1, max_size=3))
    chance = random.Random(draw(st.integers(0, 2**32)))
    changed = [mutated(item, chance) if chance.random() < 0.6 else item for item in chosen]
    content = as_yaml(*changed) if chance.random() < 0.5 else b"\n---\n".join(map(bytes_of, changed))
    return (
        mutated_bytes(content, [b"kind: VirtualMachine", b"- a: &a [*a]"], chance) if chance.random() < 0.3 else content
    )


def answered(cases: st.SearchStrategy[Any], count: int, excluded: Sequence[Any] = OURS) -> Counter[int]:
    """Makes the calls, checks each response, and counts them by status."""
    statuses: Counter[int] = Counter()

    @settings(max_examples=count, database=None, suppress_health_check=list(HealthCheck))
    @given(case=cases)
    def check(case: Any) -> None:
        response = case.call(timeout=PATIENCE_SECONDS)
        statuses[response.status_code] += 1
        case.validate_response(response, excluded_checks=excluded)

    check()
    return statuses


def record(record_property: Callable[[str, object], None], what: str, statuses: Counter[int]) -> None:
    by_status = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    record_property(FIGURE, f"R18: {what}: {statuses.total()} cases, {by_status}")


@pytest.mark.parametrize("server", SCHEMAS)
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_generated_requests_are_answered_as_documented(
    server: str, mode: GenerationMode, record_property: Callable[[str, object], None]
) -> None:
    """
    Requests that fit the document, and requests that do not, get a documented status, type and shape, and never a 5xx.
    """
    cases = OPERATIONS[server][CHECK].as_strategy(generation_mode=mode)

    statuses = answered(cases, CASES // 8, NOT_BY_SCHEMA)

    record(record_property, f"{server}, {mode.value}", statuses)
    assert statuses.total() > 0


@pytest.mark.parametrize("server", SCHEMAS)
def test_manifests_with_any_authorization_are_answered_as_documented(
    server: str, record_property: Callable[[str, object], None]
) -> None:
    """
    The same for VMs, also broken ones, with a valid token, an invalid one, or another header.
    """
    machines = list(stored(carriers(), 60))

    @st.composite
    def with_manifests(draw: st.DrawFn) -> Any:
        case = draw(OPERATIONS[server][CHECK].as_strategy(generation_mode=GenerationMode.POSITIVE))
        case.body = draw(manifests(machines))
        case.query = draw(st.sampled_from([{}, {"profile": "exact"}, {"release": "1.5"}, {"release": "any"}]))
        case.headers = {**(case.headers or {}), "Authorization": draw(AUTHORIZATIONS)}
        return case

    statuses = answered(with_manifests(), CASES // 4)

    record(record_property, f"{server}, manifests with any authorization", statuses)
    assert statuses[200] > 0
    assert (statuses[401] > 0) == (statuses[403] > 0) == (server == "attached")


@pytest.mark.parametrize("label", sorted(OPERATIONS["alone"].keys() - {CHECK}))
def test_the_catalogues_accept_any_query_and_header(label: str) -> None:
    """
    They always answer 200.
    """

    @st.composite
    def with_anything(draw: st.DrawFn) -> Any:
        case = draw(OPERATIONS["attached"][label].as_strategy())
        case.query = draw(st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=30), max_size=3))
        case.headers = {"Authorization": draw(AUTHORIZATIONS), "Accept": draw(AUTHORIZATIONS)}
        return case

    assert set(answered(with_anything(), max(10, CASES // 200))) == {200}
