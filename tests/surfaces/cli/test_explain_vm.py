"""``migratable explain vm/NAME`` from files: names, formats, errors and completion."""

import json
from collections.abc import Mapping
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner, Result

from tests.cluster.fake_apiserver import FakeTransport, answer, document
from tests.drain.fleets import Object, kubevirt, node, owned, vmi
from webhook.cluster.live_reads import LiveReads
from webhook.cluster.ports import Answer
from webhook.facts.fleet import Fleet
from webhook.manifests.fleet_paths import read_paths
from webhook.manifests.fleet_snapshot import render_fleet
from webhook.objects.instancetype import ControllerRevision
from webhook.objects.vm import VirtualMachine
from webhook.surfaces.cli.commands import cli
from webhook.surfaces.cli.rule_parameter import RULE_OR_VM
from webhook.surfaces.cli.vm_revisions import with_revisions_of


def explain(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["explain", *arguments])


@pytest.fixture
def facts(tmp_path: Path) -> str:
    path = tmp_path / "fleet.json"
    objects: list[Object] = [node("n1"), node("n2"), kubevirt()]
    objects += owned(vmi("db", "n1"), vmi("web", "n1"), vmi("web", "n2", namespace="shop"))
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return str(path)


@pytest.mark.parametrize(
    "words", [("vm/db",), ("vm/lab/db",), ("vm/db", "-n", "lab"), ("vmi/db",), ("VirtualMachines/db",)]
)
def test_a_vm_is_named_with_or_without_its_namespace(words: tuple[str, ...], facts: str) -> None:
    """
    In the ways in which kubectl names an object.
    """
    result = explain(*words, "--facts", facts)

    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("VirtualMachineInstance lab/db: can be live-migrated\n")


def test_json_is_one_document(facts: str) -> None:
    """
    Its values are those of the text.
    """
    document = json.loads(explain("vm/db", "--facts", facts, "-o", "json").stdout)

    assert (document["kind"], document["name"], document["drain"]["outcome"]) == ("VMExplanation", "db", "moves")


def test_files_after_facts_are_facts(facts: str, tmp_path: Path) -> None:
    """
    ``--facts a.json b.json`` reads both files.
    """
    more = tmp_path / "more.json"
    more.write_text(json.dumps(node("n3")))

    assert "2 of 2 other nodes could receive the VM: n2, n3" in explain("vm/db", "--facts", facts, str(more)).stdout


def test_a_snapshot_gives_the_same_text_as_its_objects(facts: str, tmp_path: Path) -> None:
    """
    Apart from the assumptions.
    """
    path = tmp_path / "snapshot.yaml"
    path.write_text(render_fleet(read_paths([facts]).fleet()))

    assert explain("vm/db", "--snapshot", str(path)).stdout == explain("vm/db", "--facts", facts).stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("vm/dbb",), "unknown VM 'dbb' (did you mean lab/db?). Known VMs: lab/db, lab/web, shop/web."),
        (("vm/web",), "VM 'web' exists in several namespaces: lab, shop. Write vm/NAMESPACE/web, or add -n NAMESPACE."),
        (("vm/db", "--link", "fast"), "invalid link 'fast'"),
        (("vm/db", "--release", "0.5"), "unsupported release '0.5'"),
        (("vm/",), "'vm/' names no VM. Write vm/NAME or vm/NAMESPACE/NAME."),
        (("vm/a/b/c",), "'vm/a/b/c' names no VM."),
        (("vm/lab/db", "-n", "shop"), "The namespaces differ: vm/lab/db and -n shop."),
    ],
)
def test_a_wrong_name_or_value_has_a_clear_error(words: tuple[str, ...], message: str, facts: str) -> None:
    """
    Status 2, and nothing on standard output.
    """
    result = explain(*words, "--facts", facts)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


@pytest.mark.parametrize("option", [("-n", "lab"), ("--facts", "x"), ("-o", "json"), ("--link", "1G")])
def test_a_rule_has_no_option_for_vms(option: tuple[str, str]) -> None:
    """
    The option would have no effect.
    """
    result = explain("LM101", *option)

    assert result.exit_code == 2
    assert "is only for a VM: write vm/NAME instead of a rule." in result.stderr


def test_a_file_that_cannot_be_read_gives_status_2(facts: str) -> None:
    """
    The explanation of the other objects is still printed.
    """
    result = explain("vm/db", "--facts", facts, "no-such-file.json")

    assert result.exit_code == 2
    assert "no such file or folder" in result.stderr
    assert "lab/db" in result.stdout


def test_shells_complete_vms_in_the_files(facts: str) -> None:
    """
    Without files, only the prefix is known.
    """
    command = cli.get_command(click.Context(cli), "explain")
    assert command is not None
    context = click.Context(command)
    argument = command.params[0]

    def completed(word: str) -> list[str]:
        return [item.value for item in RULE_OR_VM.shell_complete(context, argument, word)]

    assert completed("vm") == ["vm/"]
    assert completed("LM101") == ["LM101"]
    context.params["facts"] = (facts,)
    assert completed("vm/") == ["vm/lab/db", "vm/lab/web", "vm/shop/web"]
    assert completed("vm/s") == ["vm/shop/web"]


def test_only_the_revisions_of_the_vm_are_read_from_a_cluster() -> None:
    """
    Each by its name, from the spec and the status.
    """
    paths: list[str] = []

    def get(path: str, _query: Mapping[str, str]) -> Answer:
        paths.append(path)
        return answer(document(path.rpartition("/")[2], "lab", data={"spec": {}}))

    vms = [
        {"metadata": {"name": name, "namespace": "lab"}, "spec": {"instancetype": {"revisionName": f"{name}-type"}}}
        for name in ("db", "web")
    ]
    vms[0]["status"] = {"preferenceRef": {"controllerRevisionRef": {"name": "db-preference"}}}
    fleet = Fleet({VirtualMachine: tuple(msgspec.convert(vms, list[VirtualMachine]))})

    read = with_revisions_of(fleet, LiveReads(FakeTransport(get), lambda _kind: ""), "db", 5)

    assert [one.name for one in read.given(ControllerRevision)] == ["db-preference", "db-type"]
    assert paths == [
        f"/apis/apps/v1/namespaces/lab/controllerrevisions/{name}" for name in ("db-preference", "db-type")
    ]
