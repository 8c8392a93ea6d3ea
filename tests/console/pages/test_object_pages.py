"""The pages of one VM and of one node, and the policies."""

import pytest
from msgspec.structs import replace

from tests.console.large import large
from tests.console.pages.asking import get
from tests.console.states import OBJECTS, REFUSED, STATE, Fixed, audited, drains, finding, machine
from tests.drain import example_fleet
from webhook.check.check import Settings
from webhook.console.files_source import FilesSource
from webhook.console.state import Drains, MatchedPolicy
from webhook.drain.plan import NodePlan, Outcome
from webhook.drain.times import COUNT_LINK
from webhook.report.drain import vm_text
from webhook.surfaces.api.console.messages import Sight

LABELS = frozenset(
    "runs verdict reason volumes eviction policy nodes drain advice fix assumed provided if by at".split(" ")  # noqa: SIM905
)
"""The words with which only the text for a terminal begins its lines."""
SIGNS = str.maketrans("`.,:;()", "       ")


@pytest.fixture(scope="module")
def example() -> FilesSource:
    source = FilesSource([str(example_fleet.FOLDER)], Settings())
    source.run()
    return source


def test_a_vm_shows_all_that_explain_shows(example: FilesSource) -> None:
    """
    Each word of ``migratable explain vm/NAME`` about verdict, findings, settings, nodes and drain, except for its options.
    """
    for row in example.state().vms:
        explained = example.explained(row.namespace, row.name)
        assert explained is not None
        page = get(f"/vms/{row.namespace}/{row.name}", source=example)
        assert "--link" not in page.text

        assumptions = tuple(text.removesuffix(COUNT_LINK) for text in explained.assumptions)
        words = vm_text.render(replace(explained, assumptions=assumptions)).translate(SIGNS).split()[2:]
        shown = {*page.text.translate(SIGNS).split(), *LABELS}
        assert [word for word in words if word not in shown] == [], row.name


@pytest.mark.parametrize(
    ("path", "query", "command"),
    [
        ("", (), "migratable audit"),
        ("", (("namespace", "erp"),), "migratable audit -n erp"),
        ("/vms", (), "migratable audit"),
        ("/vms/erp/archive", (), "migratable explain vm/erp/archive"),
        ("/nodes", (), "migratable drain --all"),
        ("/nodes/worker-3", (), "migratable drain worker-3"),
        ("/policies", (), "migratable explain vm/NAMESPACE/NAME"),
    ],
)
def test_each_page_names_the_command_with_the_same_answer(
    example: FilesSource, path: str, query: tuple[tuple[str, str], ...], command: str
) -> None:
    """
    In its footer.
    """
    shown = get(path, query, source=example)

    assert f"On the command line: <code>{command}</code>" in shown.html.partition("<footer")[2]


def test_a_finding_has_its_fixes_as_commands() -> None:
    """
    An exemption is named, and has no command.
    """
    shown = get("/vms/blue/refused")

    assert (
        "✕ would be refused LM201 claim-not-shared spec.template.spec.volumes[0] claim 'os' is ReadWriteOnce."
        in shown.text
    )
    assert (
        "safe change: Set evictionStrategy. kubectl patch virtualmachines.kubevirt.io refused -n blue --type=json"
        in shown.text
    )
    assert "A running VM needs a restart after the change: virtctl restart refused -n blue." in shown.text
    assert "exempted until 2027-01-01 by platform-team: agreed." in shown.text
    assert shown.text.count("kubectl patch") == 1
    assert "/rules/LM201" in shown.links


def test_a_finding_of_the_vmi_appears_once() -> None:
    """
    Unless only the VMI has it.
    """
    machine = audited("blue", "refused", finding(), verdict=REFUSED)
    running = audited(
        "blue",
        "refused",
        finding(path="spec.volumes[0]"),
        finding("LM302", path="spec.domain.devices"),
        verdict=REFUSED,
        kind="VirtualMachineInstance",
    )

    text = get("/vms/blue/refused", source=Fixed(STATE, {("blue", "refused"): (machine, running)})).text

    assert text.count("LM201") == 1
    assert "Only in the running VMI ✕ would be refused LM302" in text


def test_the_most_severe_findings_come_first() -> None:
    """
    Refused, warned, unproven, recorded.
    """
    one = audited(
        "blue",
        "refused",
        finding("LM504", "audit"),
        finding("LM202", "warn", outcome="undetermined"),
        finding("LM501", "warn"),
        finding("LM201"),
        verdict=REFUSED,
    )

    links = get("/vms/blue/refused", source=Fixed(STATE, {("blue", "refused"): (one,)})).links

    assert [link for link in links if link.startswith("/rules")] == [f"/rules/LM{n}" for n in (201, 501, 202, 504)]


def test_many_findings_are_cut() -> None:
    """
    A VM can have thousands of devices, each with a finding.
    """
    many = audited("blue", "good", *(finding(path=f"spec.template.spec.volumes[{number}]") for number in range(2000)))

    shown = get("/vms/blue/good", source=Fixed(STATE, {("blue", "good"): (many,)}))

    assert shown.main.count('class="finding"') == 40
    assert "1,960 more findings are not shown." in shown.text
    assert len(shown.html) < 150_000


def test_a_page_says_why_it_shows_no_placement() -> None:
    """
    No right, no rehearsal yet, or a failed one.
    """
    path = "/vms/blue/refused"

    assert (
        "your account may not list nodes, pods and VMIs in all namespaces" in get(path, sight=Sight(nodes=False)).text
    )
    waiting = Fixed(replace(STATE, drains=Drains()), OBJECTS)
    assert "because the drains are not rehearsed yet" in get(path, source=waiting).text
    assert "the VM is newer than the last rehearsal" in get(path).text
    failed = Fixed(replace(STATE, drains=Drains(problem="no answer")), OBJECTS)
    assert "The last rehearsal failed: no answer." in get(path, source=failed).text


def test_a_condition_that_differs_is_named() -> None:
    """
    With both values.
    """
    expected = "LiveMigratable is False (DisksNotLiveMigratable) in KubeVirt, and True in the verdict."
    assert expected in get("/vms/red/good").text


def test_a_node_shows_its_rehearsal(example: FilesSource) -> None:
    """
    The outcome, the first steps, groups with their remedies, the picture, and the VMIs that move.
    """
    shown = get("/nodes/worker-2", source=example)

    assert (
        "Drain of worker-2: the drain does not end … waits 6 VMIs: 4 move, 2 wait. Time: no end; without" in shown.text
    )
    assert "First erp/licence: Remove kubernetes.io/hostname from the VM's nodeSelector" in shown.text
    assert "… waits (a ResourceQuota refuses the target pod) 1 VMI Action: Raise ResourceQuota lab" in shown.text
    assert '<svg viewBox="' in shown.main
    assert "Can move to worker-1, worker-3, worker-4, worker-5 erp/app-1 , media/encode-1" in shown.text
    assert "/fleet/vms/erp/licence" in shown.links


def test_a_node_links_only_to_visible_vms() -> None:
    """
    The right to see nodes includes the VMIs of all namespaces, but not their VMs.
    """
    shown = get("/nodes/node-a", sight=Sight(("blue",)))

    assert "red/good" in shown.text
    assert [link for link in shown.links if "/vms/" in link] == ["/fleet/vms/blue/refused"]


def test_long_groups_lead_to_the_list() -> None:
    """
    A node can have more VMIs than a page can name.
    """
    source = large()
    report = source.state().drains.report
    assert report is not None
    node = report.nodes[1]
    machines = tuple(
        replace(one, name=f"{one.name}-{number}", remedy="") for number in range(20) for one in node.machines
    )
    state = replace(source.state(), drains=Drains(replace(report, nodes=(replace(node, machines=machines),))))

    shown = get(f"/nodes/{node.name}", source=Fixed(state))

    assert f"/fleet/vms?node={node.name}&drain=blocks" in shown.links
    assert len(shown.html) < 100_000


def test_many_groups_lead_to_the_list() -> None:
    """
    Each VMI can have a remedy of its own.
    """
    machines = tuple(machine("blue", f"vm-{number}", Outcome.BLOCKS, remedy=f"Do {number}.") for number in range(500))
    state = replace(STATE, drains=drains(NodePlan("node-a", Outcome.BLOCKS, machines)))

    shown = get("/nodes/node-a", source=Fixed(state))

    assert shown.text.count("Action:") == 30
    assert "470 more VMIs need an action" in shown.text
    assert "/fleet/vms?node=node-a" in shown.links


def test_the_list_of_nodes_is_filtered_and_sorted() -> None:
    """
    The worst outcome first.
    """
    report = STATE.drains.report
    assert report is not None
    turned = Fixed(replace(STATE, drains=drains(*reversed(report.nodes))))
    assert get("/nodes", source=turned).rows == get("/nodes").rows == ["node-a", "node-b"]
    assert get("/nodes", (("sort", "-node"),)).rows == ["node-b", "node-a"]
    assert get("/nodes", (("outcome", "moves"),)).rows == ["node-b"]
    assert get("/nodes", (("q", "-A"),)).rows == ["node-a"]
    shown = get("/nodes", (("outcome", "waits"),))
    assert "0 of 2 nodes" in shown.text
    for column in ("outcome", "vmis", "time", "blocks", "waits", "unknown", "stops", "moves"):
        assert get("/nodes", (("sort", column),)).status == 200


def test_the_list_of_nodes_has_the_first_steps_and_the_upgrade(example: FilesSource) -> None:
    """
    As ``drain --all`` prints them.
    """
    text = get("/nodes", source=example).text

    assert "First erp/ledger: Restart the VM: its launcher requires the label" in text
    assert "Upgrade of KubeVirt erp/ledger (worker-4)" in text
    assert "Upgrade of KubeVirt erp/ledger (worker-4)" in get("/nodes/worker-4", source=example).text
    assert "Upgrade of KubeVirt" not in get("/nodes/worker-2", source=example).text


def test_a_policy_shows_for_whom_it_decides() -> None:
    """
    Settings, selectors, VMs, and ties.
    """
    text = get("/policies").text

    assert "fast Selectors Label Required of tier=gold the VMI Settings Setting Value allowPostCopy true" in text
    assert "✓ in force 2 VMs : blue/good , red/good ! tie slow: as many labels match the same VM" in text
    assert "slow Selectors" in text
    assert "i in force No VM. i fast is in force instead 2 VMs : blue/good , red/good" in text


def test_one_policy_can_be_shown(example: FilesSource) -> None:
    """
    The page of a VM leads to the policy in force.
    """
    explained = example.explained("shop", "web-1")
    assert explained is not None
    in_force = replace(explained.policies[0], name="slow")
    source = Fixed(STATE, OBJECTS, {("blue", "good"): replace(explained, policies=(in_force,))})

    assert "/fleet/policies?name=slow" in get("/vms/blue/good", source=source).links
    one = get("/policies", (("name", "slow"),)).text
    assert ("slow Selectors" in one, "fast Selectors" in one) == (True, False)
    assert "There is no such MigrationPolicy." in get("/policies", (("name", "none"),)).text


def test_each_number_of_a_policy_is_that_of_the_list_behind_it() -> None:
    """
    For each other policy that is in force instead.
    """
    third = replace(STATE.policies[1], name="third", decides=(("red", "good"),), loses=(), tied_with=())
    loses = (("blue", "good", "fast"), ("red", "good", "third"))
    fast = replace(STATE.policies[0], decides=(("blue", "good"),))
    source = Fixed(replace(STATE, policies=(fast, replace(STATE.policies[1], loses=loses), third)))

    links = [link for link in get("/policies", source=source).links if "loses=" in link]

    assert links == ["/fleet/vms?loses=slow&policy=fast", "/fleet/vms?loses=slow&policy=third"]
    assert get("/vms", (("loses", "slow"), ("policy", "fast")), source=source).rows == ["blue/good"]


def test_a_policy_that_cannot_match_says_why() -> None:
    """
    And VMs whose namespace is not known are listed.
    """
    broken = replace(STATE.policies[0], problem="selectors is not an object", decides=(), tied_with=())
    unsure = replace(STATE.policies[1], loses=(), tied_with=(), unknown=(("blue", "good"),))

    text = get("/policies", source=Fixed(replace(STATE, policies=(broken, unsure)))).text

    assert "✕ matches no VM selectors is not an object." in text
    assert "? may be in force, labels of the namespace are not known 1 VM : blue/good" in text


def test_a_policy_names_few_of_many_other_policies() -> None:
    """
    Each namespace can have a policy of its own, which has precedence over a policy for all namespaces.
    """
    names = [f"tenant-{number:03}" for number in range(200)]
    loses = tuple(("red", f"vm-{number}", names[min(number, 199)]) for number in range(210))
    general = MatchedPolicy("general", loses=loses, tied_with=tuple(names))

    shown = get("/policies", source=Fixed(replace(STATE, policies=(general,))))

    assert shown.text.count("is in force instead") == 10
    assert "tenant-199 is in force instead 11 VMs" in shown.text
    assert "With 190 more policies, another policy is in force for 210 VMs ." in shown.text
    assert "/fleet/vms?loses=general" in shown.links
    assert "tenant-019 and 180 more: as many labels" in shown.text


def test_many_policies_are_cut_into_pages() -> None:
    """
    And many VMs of one are counted.
    """
    first = get("/policies", source=large())

    assert "and 245 more" in first.text
    assert "/fleet/policies?page=2" in first.links
