"""One engine for all surfaces: the same object and facts give the same findings everywhere."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, World, carriers, kubevirts, migration_policies, networks, worlds
from tests.surfaces.doors import Doors
from webhook.surfaces.admission.responses import MAX_CAUSES, MAX_WARNING, MAX_WARNINGS

POLICIES = st.sampled_from(
    (
        "",
        "profile: exact\n",
        "unproven: deny\n",
        "{unproven: audit, actions: {LM101: warn, LM201: audit, LM103: 'off'}}\n",
        "exemptions: [{rule: LM201, namespace: tenant, reason: old, owner: storage, until: '2999-12-31'}]\n",
    )
)


@contextmanager
def doors_on(world: World, policy: str = "") -> Iterator[Doors]:
    with tempfile.TemporaryDirectory() as folder:
        yield Doors(Path(folder), world, policy)


@settings(deadline=None, max_examples=500)
@given(carriers(), worlds(), POLICIES)
def test_a_vm_gets_the_same_findings_on_every_surface(machine: Manifest, world: World, policy: str) -> None:
    """
    Verdict, findings, paths, messages and actions are the same in admission, API and command line.
    """
    with doors_on(world, policy) as doors:
        at_admission, answer = doors.by_admission(machine)

        assert doors.by_api(machine) == at_admission
        assert doors.by_api_in_yaml(machine, world) == at_admission
        assert doors.by_command_line(machine) == at_admission

        denied = [finding for finding in at_admission.findings if finding.action == "deny"]
        response = answer.json["response"]
        assert response["allowed"] is (not denied)
        causes = response.get("status", {}).get("details", {}).get("causes", [])
        assert [cause["field"] for cause in causes[:MAX_CAUSES]] == [item.path for item in denied[:MAX_CAUSES]]


@settings(deadline=None, max_examples=60)
@given(st.one_of(kubevirts(), networks(), migration_policies()), worlds(), POLICIES)
def test_settings_get_the_same_findings_on_every_surface(manifest: Manifest, world: World, policy: str) -> None:
    """
    The same for the KubeVirt CR, a NetworkAttachmentDefinition and a MigrationPolicy that already exist.
    """
    around = [manifest, *(obj for obj in world if _key(obj) != _key(manifest))]
    with doors_on(around, policy) as doors:
        at_admission, _ = doors.by_admission(manifest)

        assert doors.by_api(manifest) == at_admission
        assert doors.by_api_in_yaml(manifest, around[1:]) == at_admission
        assert doors.by_command_line(manifest) == at_admission


@settings(deadline=None, max_examples=25)
@given(carriers(), worlds())
def test_warnings_are_short_and_few(machine: Manifest, world: World) -> None:
    """
    An API server gets at most ten printable warnings of at most 256 characters.
    """
    with doors_on(world, "actions: {LM101: warn, LM201: warn, LM301: warn}\n") as doors:
        warnings = doors.review(machine).json["response"].get("warnings", [])

    assert len(warnings) <= MAX_WARNINGS
    assert all(0 < len(warning) <= MAX_WARNING and warning.isprintable() for warning in warnings)


def _key(manifest: Manifest) -> tuple[str, str]:
    return manifest["kind"], manifest["metadata"]["name"]
