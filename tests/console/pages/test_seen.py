"""Hidden objects change nothing on any page."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.console.pages.asking import get
from tests.console.states import (
    MIGRATABLE,
    OBJECTS,
    REFUSED,
    STATE,
    UNPROVEN,
    Fixed,
    audited,
    drains,
    finding,
    machine,
    vm,
)
from tests.drain import example_fleet
from webhook.check.check import Settings
from webhook.console.files_source import FilesSource
from webhook.console.pages.seen import Seen
from webhook.console.state import MatchedPolicy
from webhook.drain.plan import NodePlan, Outcome
from webhook.drain.vm_explanation import VMExplanation
from webhook.report.audited import UnreadReport
from webhook.report.model import ProblemReport
from webhook.surfaces.api.console.messages import Sight

SIGHTS = {
    "one namespace": Sight(("blue",), nodes=False, policies=False, settings=False, user="ann"),
    "one namespace and policies": Sight(("blue",), nodes=False, policies=True, settings=True),
    "no namespace": Sight((), nodes=False, policies=False, settings=False),
}
PATHS: Sequence[tuple[str, tuple[tuple[str, str], ...]]] = (
    ("", ()),
    ("", (("namespace", "hidden"),)),
    ("/vms", ()),
    ("/vms", (("namespace", "hidden"),)),
    ("/vms", (("sort", "-verdict"), ("page", "2"))),
    ("/vms", (("node", "node-h"),)),
    ("/vms", (("policy", "fast"),)),
    ("/vms/blue/refused", ()),
    ("/vms/hidden/vm-0", ()),
    ("/nodes", ()),
    ("/nodes/node-h", ()),
    ("/policies", ()),
    ("/none", ()),
)
NAMES = st.integers(0, 120).map("vm-{}".format)


@st.composite
def hidden(draw: st.DrawFn) -> Fixed:
    """The state of the tests with objects that callers with the namespace blue may not see."""
    names = sorted(draw(st.sets(NAMES, min_size=1, max_size=8)))
    verdicts = [draw(st.sampled_from([MIGRATABLE, REFUSED, UNPROVEN])) for _ in names]
    vms = [vm("hidden", name, verdict, "LM999") for name, verdict in zip(names, verdicts, strict=True)]
    keys = tuple(("hidden", name) for name in names)
    policies = tuple(_matching(policy, keys, draw(st.integers(0, 2))) for policy in STATE.policies)
    node = NodePlan("node-h", Outcome.BLOCKS, tuple(machine("hidden", name, Outcome.BLOCKS) for name in names))
    state = replace(
        STATE,
        version=draw(st.text("0123456789abcdef", min_size=4, max_size=4)),
        vms=tuple(sorted((*STATE.vms, *vms), key=lambda one: (one.namespace, one.name))),
        others=(*STATE.others, audited("hidden", "pool", finding(), kind="VirtualMachinePool")),
        policies=policies,
        drains=drains(*STATE.drains.report.nodes, node) if STATE.drains.report else STATE.drains,
        unread=(*STATE.unread, UnreadReport("Secret", "hidden")),
        problems=(*STATE.problems, ProblemReport("broken", "", "VirtualMachine hidden/x", None, None, None, "")),
    )
    return Fixed(state, {**OBJECTS, **{key: (audited(*key, finding(), verdict=REFUSED),) for key in keys}})


def _matching(policy: MatchedPolicy, keys: tuple[tuple[str, str], ...], part: int) -> MatchedPolicy:
    """The policy with further VMs: it decides for them, another decides, or it is not known."""
    if part == 0:
        return replace(policy, decides=(*policy.decides, *keys))
    if part == 1:
        loses = tuple((*key, "third") for key in keys)
        return replace(policy, loses=(*policy.loses, *loses), tied_with=(*policy.tied_with, "third"))
    return replace(policy, unknown=keys)


@pytest.mark.parametrize("sight", SIGHTS.values(), ids=SIGHTS)
@given(source=hidden())
def test_hidden_objects_change_no_page(sight: Sight, source: Fixed) -> None:
    """
    Every page is the same, byte by byte, with its version, whether or not a hidden object exists.
    """
    for path, query in PATHS:
        assert get(path, query, sight, source) == get(path, query, sight)


def test_hidden_objects_change_the_pages_of_others() -> None:
    """
    So the property above can fail.
    """
    source = Fixed(replace(STATE, vms=(*STATE.vms, vm("hidden", "x", REFUSED))), OBJECTS)

    assert get("/vms", source=source) != get("/vms")
    assert get("/vms", source=source).rows[-1] == "hidden/x"


def test_a_hidden_vm_is_not_found() -> None:
    """
    The answer is that for a VM that does not exist.
    """
    sight = SIGHTS["one namespace"]

    assert get("/vms/red/good", sight=sight) == get("/vms/red/none", sight=sight)
    assert "There is no such VM, or your account may not see it." in get("/vms/red/good", sight=sight).text
    assert get("/vms/red/good").status == 200


def test_exemptions_are_those_of_the_administrator() -> None:
    """
    Reports in a namespace do not have them, so the page of a caller with this namespace has none.
    """
    for_all, for_one = get("/vms/blue/refused"), get("/vms/blue/refused", sight=SIGHTS["one namespace"])

    assert "platform-team: agreed" in for_all.text
    assert "platform-team" not in for_one.text
    assert "claim 'os' is ReadWriteOnce." in for_one.text


def test_a_tie_is_shown_only_for_a_visible_vm() -> None:
    """
    It is computed again from the VMs that may be seen.
    """
    blue, green = Sight(("blue",)), Sight(("green",))

    assert "! tie slow" in get("/policies", sight=blue).text
    assert "! tie" not in get("/policies", sight=green).text
    assert "red/good" not in get("/policies", sight=blue).text


def test_settings_and_their_tenants_need_their_right() -> None:
    """
    A finding that depends on the VMs of all namespaces is shown only to callers who may see all of them.
    """
    policy = audited("", "idle", finding("LM644"), finding("LM612"), verdict=None, kind="MigrationPolicy")
    source = Fixed(replace(STATE, others=(*STATE.others, policy)))

    assert "LM644" in get(source=source).text
    limited = get(sight=Sight(("blue",)), source=source).text
    assert ("LM644" in limited, "LM612" in limited, "LM601" in limited) == (False, True, True)
    no_policies = get(sight=Sight(policies=False), source=source).text
    assert ("LM612" in no_policies, "LM601" in no_policies) == (False, True)
    no_settings = get(sight=Sight(settings=False), source=source).text
    assert ("LM612" in no_settings, "LM601" in no_settings) == (True, False)
    assert ("names the release" in no_policies, "names the release" in no_settings) == (True, False)


def test_progress_is_not_counted_for_other_namespaces() -> None:
    """
    The text of the source counts all objects.
    """
    source = Fixed(replace(STATE, unfinished="100 objects are not judged"))

    assert "100 objects are not judged" in get(source=source).text
    limited = get(sight=SIGHTS["one namespace"], source=source).text
    assert ("100" in limited, "Not all objects are judged yet." in limited) == (False, True)


def test_policies_are_left_out_of_drains_without_their_right() -> None:
    """
    The nodes may be seen.
    """
    node = NodePlan("node-a", Outcome.MOVES, (machine("blue", "good", policy="secret"),))
    source = Fixed(replace(STATE, drains=drains(node)))

    shown = get("/nodes/node-a", sight=Sight(policies=False), source=source)

    assert (shown.status, "secret" in shown.html) == (200, False)


def test_links_keep_the_only_namespace_that_was_named() -> None:
    """
    The server looks for at most 200 namespaces, so a caller may have to name one.
    """
    sight = SIGHTS["one namespace"]

    for shown in (get("", (("namespace", "blue"),), sight), get("/vms/blue/good", sight=sight)):
        assert {"/fleet?namespace=blue", "/fleet/vms?namespace=blue"} <= set(shown.links)
    assert "/fleet/vms" in get("", (), sight).links
    assert "/fleet/vms" in get("", (("namespace", "blue"),)).links


def test_an_explanation_needs_its_rights() -> None:
    """
    The namespace and the nodes. The policies in it need a right of their own.
    """
    source = FilesSource([str(example_fleet.FOLDER), "docs/examples/policies.yaml"], Settings())
    source.run()

    def explained(sight: Sight) -> VMExplanation | None:
        return Seen(source, sight).explained("shop", "web-1")

    whole = explained(Sight())
    assert whole is not None
    assert whole.drain is not None
    assert (whole.policies[0].name, whole.drain.policy) == ("web-servers", "web-servers")
    assert explained(Sight(("erp",))) is None
    assert explained(Sight(nodes=False)) is None
    limited = explained(Sight(("shop",), policies=False))
    assert limited == replace(whole, policies=(), drain=replace(whole.drain, policy=""))
