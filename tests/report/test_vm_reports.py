"""The explanation of one VM as text and JSON."""

import json

import jsonschema_rs
from msgspec.structs import replace

from tests.drain.fleets import as_fleet, kubevirt, node, owned, vmi
from webhook.drain.explain_vm import explain
from webhook.drain.vm_explanation import VMExplanation
from webhook.report.drain import vm_json, vm_text

SCHEMA = jsonschema_rs.Draft202012Validator(vm_json.schema())
BRIDGE = {"devices": {"interfaces": [{"name": "default", "bridge": {}}]}}


def example(name: str = "db", reason: str = "a bridge", node_name: str = "n1") -> VMExplanation:
    machine = vmi(name, node_name, migratable=False, why=("InterfaceNotLiveMigratable", reason), domain=BRIDGE)
    nodes = (node(node_name), node("n2"), node("n3", unschedulable=True))
    return explain(as_fleet((*nodes, kubevirt(), *owned(machine))), name)


def test_the_json_has_every_key_of_the_schema() -> None:
    """
    Readers need no default.
    """
    document = json.loads(vm_json.render(example()))

    SCHEMA.validate(document)
    assert (document["apiVersion"], document["kind"]) == ("migratable/v1", "VMExplanation")
    assert not SCHEMA.is_valid({key: value for key, value in document.items() if key != "drain"})


def test_the_text_names_verdict_reasons_nodes_and_drain() -> None:
    """
    Each line begins with the question that it answers.
    """
    text = vm_text.render(example())

    assert text.startswith(
        "VirtualMachineInstance lab/db: cannot be live-migrated (InterfaceNotLiveMigratable)\n\n"
        "runs      on node n1, in phase Running, with KubeVirt 1.9.0\n"
        "verdict   KubeVirt's condition LiveMigratable is False (InterfaceNotLiveMigratable: a bridge)\n"
        "reason    LM101 bridge-on-pod-network, at spec.template.spec.domain.devices.interfaces[0]: "
    )
    for line in (
        "eviction  evictionStrategy is LiveMigrate: spec.template.spec.evictionStrategy of the VirtualMachine\n",
        "policy    there is no MigrationPolicy\n",
        "nodes     1 of 2 other nodes could receive the VM: n2\n          1 node(s) were unschedulable: n3\n",
        "drain     if node n1 is drained, the VM blocks (cannot be live-migrated)\n",
    ):
        assert line in text


def test_no_control_character_reaches_the_terminal() -> None:
    """
    A tenant can write a message or a name.
    """
    one = example(reason="red \x1b[31m \u202e", node_name="n\x07")

    for text in (vm_text.render(one), vm_json.render(one)):
        assert text.replace("\n", "").isprintable()
        assert "\\u001b[31m" in text


def test_lines_are_at_most_120_columns_wide() -> None:
    """
    Unless a single word is longer.
    """
    assert max(map(len, vm_text.render(example(reason="word " * 100)).splitlines())) <= 120


def test_advice_follows_after_the_answers() -> None:
    """
    Only findings that decide the verdict are reasons.
    """
    text = vm_text.render(example())

    assert text.count("LM501") == 1
    assert text.index("\nreason    LM101") < text.index("\ndrain ") < text.index("\nadvice    LM501")


def test_a_remedy_is_not_repeated_for_the_drain() -> None:
    """
    The VM fits no node, which is also what a drain meets.
    """
    machine = vmi("db", "n1", nodeSelector={"disk": "fast"})
    one = explain(as_fleet((node("n1"), node("n2"), kubevirt(), *owned(machine))), "db")

    assert vm_text.render(one).count("fix: Add the label disk=fast") == 1
    assert "the VM waits (no other node fits)" in vm_text.render(one)


def test_a_verdict_that_changes_at_a_restart_is_said() -> None:
    """
    And a verdict of KubeVirt that differs from the computed one.
    """
    one = example()
    changed = replace(one, verdict_after_restart=replace(one.verdict, live_migratable=True))
    differing = replace(one, verdict_by_rules=replace(one.verdict_by_rules, live_migratable=True))

    assert "The VirtualMachine has changed: after a restart, it can be live-migrated." in vm_text.render(changed)
    assert "Migratable computes another verdict from these objects: it can be live-migrated." in vm_text.render(
        differing
    )
