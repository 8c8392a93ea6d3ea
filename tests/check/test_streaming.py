"""Files that are judged one by one give the same report as files that are judged together."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from benchmarks.generators import lived_in
from benchmarks.generators.tidy import manifest
from benchmarks.generators.vms import EVERY
from tests.generating import Manifest, carriers, kubevirts, migration_policies, networks, worlds
from tests.surfaces.manifests import BAD, CLAIM, GOOD, UNPROVEN
from tests.surfaces.running import ROOT, migratable
from webhook.check import lookups, results, stored_objects, streaming
from webhook.check.check import Settings, check
from webhook.check.streaming import StreamingCheck
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.unknown import Unknown
from webhook.manifests.files import Inputs
from webhook.manifests.objects import Manifests, read_manifests
from webhook.manifests.sources import Sources
from webhook.objects.meta import Kubernetes
from webhook.objects.vm import VirtualMachine
from webhook.policy.policy import NamespacePolicy, Policy, Profile
from webhook.report.model import Report

NODES = "\n---\n".join(
    f"{{apiVersion: v1, kind: Node, metadata: {{name: n{n}, labels: {{kubevirt.io/schedulable: 'true'}}}}}}"
    for n in range(2)
)
APART = """
apiVersion: kubevirt.io/v1
kind: VirtualMachine
metadata: {{name: vm-{number}, namespace: tenant, labels: {{app: vm-{number}}}}}
spec:
  runStrategy: Always
  template:
    metadata: {{labels: {{app: vm-{number}}}}}
    spec:
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - {{topologyKey: kubernetes.io/hostname, labelSelector: {{matchLabels: {{app: vm-{number}}}}}}}
      domain: {{devices: {{}}}}
"""
STRICTER = NamespacePolicy(labels={"tier": "gold"}, profile=Profile.EXACT)
SPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "tenant", "labels": {"tier": "gold"}}}
MISSPELT = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMashine", "metadata": {"name": "a"}}


@pytest.mark.parametrize("written", [manifest, lived_in.manifest])
def test_a_check_does_not_change_the_objects_that_it_reads(written: Callable[[int], str]) -> None:
    """
    Objects can share values, so a change in one of them would change others.
    """
    inputs = [read_manifests(written(number).encode(), f"{number}.yaml") for number in range(EVERY)]
    before = [msgspec.json.encode(read.raw) for file in inputs for read in file.objects]

    one_by_one(inputs, Settings())

    assert [msgspec.json.encode(read.raw) for file in inputs for read in file.objects] == before


@contextmanager
def few_in_memory() -> Iterator[None]:
    """Few objects and lookups are enough for a temporary file and hashes."""
    with patch.object(stored_objects, "MOST_RECENT", 1), patch.object(lookups, "MOST_EXACT", 5):
        yield


def one_by_one(inputs: list[Manifests], settings: Settings, *, is_large: bool = False) -> Report:
    run = StreamingCheck(settings, inputs.__getitem__, is_large=is_large)
    for manifests in inputs:
        run.add(manifests)
    report = run.report()
    return replace(report, objects=list(report.objects))


@st.composite
def repositories(draw: st.DrawFn) -> list[Manifests]:
    """Objects that refer to each other, in any order and some of them twice, in one or more files."""
    objects: list[Manifest] = draw(st.lists(carriers(), min_size=1, max_size=4))
    objects += draw(worlds())
    others = st.one_of(kubevirts(), migration_policies(), networks(), st.sampled_from([SPACE, MISSPELT]))
    objects += draw(st.lists(others, max_size=5))
    objects += draw(st.lists(st.sampled_from(objects), max_size=2))
    objects = draw(st.permutations(objects))
    files: list[list[Manifest]] = [[]]
    for judged in objects:
        if files[-1] and draw(st.booleans()):
            files.append([])
        files[-1].append(judged)
    return [read_manifests("\n---\n".join(map(json.dumps, file)).encode(), f"{at}") for at, file in enumerate(files)]


@given(
    repositories(),
    st.sampled_from(["", "any", "1.6"]),
    st.sampled_from([Policy(), Policy(namespaces=[STRICTER])]),
    st.sampled_from([1, streaming.MANY]),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_the_report_equals_that_of_a_check_of_all_files(
    inputs: list[Manifests], release: str, policy: Policy, many: int, is_large: bool
) -> None:
    """
    Of different objects with one name, the nearest one counts. Lists of many objects are complete. What is kept can be in a
    temporary file.
    """
    settings = Settings(policy, release, "2026-01-01")

    with patch.object(streaming, "MANY", many), patch.object(results, "BLOCK", 2), few_in_memory():
        report = one_by_one(inputs, settings, is_large=is_large)

    assert msgspec.json.encode(report) == msgspec.json.encode(check(inputs, settings))


def test_a_list_of_all_vms_is_not_made_for_each_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    VMs that must run on different nodes are compared with all VMs. Their lists are made at the end, when they are complete.
    """
    made: list[int] = []
    collect = ObjectsWorld._every_of

    def counted(self: ObjectsWorld, kind: type[Kubernetes], *given: Any) -> Any:
        listed, choices = collect(self, kind, *given)
        if kind is VirtualMachine and not isinstance(listed, Unknown):
            made.append(len(listed))
        return listed, choices

    monkeypatch.setattr(ObjectsWorld, "_every_of", counted)
    monkeypatch.setattr(streaming, "MANY", 10)
    inputs = [read_manifests(APART.format(number=number).encode(), f"{number}.yaml") for number in range(100)]

    report = one_by_one([read_manifests(NODES.encode(), "nodes.yaml"), *inputs], Settings())

    assert report.summary.objects == 100
    assert sum(made) < 300


def test_a_claim_can_be_in_a_later_file(tmp_path: Path) -> None:
    """
    The file of the VM is judged again, and finding and lines are the same as in a check of all files.
    """
    (tmp_path / "1-vm.yaml").write_text(UNPROVEN)
    (tmp_path / "2-claim.yaml").write_text(CLAIM.replace("ReadWriteMany", "ReadWriteOnce"))

    ran = migratable("check", str(tmp_path))

    assert ran.status == 1
    assert "PVC 'os' is ReadWriteOnce" in ran.out
    assert "12 |   - {name: os," in ran.out


def test_only_needed_texts_are_kept(tmp_path: Path) -> None:
    """
    The text of a file without findings and comments is freed. Its name stays known.
    """
    for name, text in {"good": GOOD, "bad": BAD, "comment": f"# migratable: nothing\n{GOOD}"}.items():
        (tmp_path / f"{name}.yaml").write_text(text)
    sources = Sources()
    inputs = Inputs([str(tmp_path)], recursive=False, sources=sources)
    run = StreamingCheck(Settings(), inputs.read)

    for number, manifests in enumerate(inputs):
        if not run.add(manifests).needs_text:
            inputs.forget(number)

    assert sorted(Path(name).stem for name in sources.texts) == ["bad", "comment"]
    assert sorted(Path(name).stem for name in sources.names) == ["bad", "comment", "good"]


PEAK = """
import re, sys
from pathlib import Path
from webhook.__main__ import main
sys.argv = ["migratable", "check", "--isolated", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    assert end.code == 0, end.code
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1], file=sys.stderr)
"""
KEPT = 8
"""KiB of memory for each further file, at most; with its text and all that was read of it that was 65."""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux tells a process's peak so")
def test_further_files_take_almost_no_memory(tmp_path: Path) -> None:
    """
    A file of 3 KB without references leaves only a small result in memory.
    """

    def peak(files: int) -> int:
        folder = tmp_path / f"{files}"
        folder.mkdir()
        for number in range(files):
            (folder / f"{number}.yaml").write_text(manifest(1).replace("vm-00001", f"vm-{number}"))
        ran = subprocess.run(
            [sys.executable, "-c", PEAK, str(folder)], capture_output=True, check=True, text=True, cwd=ROOT
        )
        return int(ran.stderr.splitlines()[-1])

    few, many = peak(100), peak(1_100)

    assert many - few < 1_000 * KEPT
