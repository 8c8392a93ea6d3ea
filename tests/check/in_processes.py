"""Runs a check in several processes, for a few small files."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.check import environments
from tests.generating import Manifest
from webhook.check import parallel
from webhook.check.check import Settings
from webhook.check.parallel import ParallelCheck
from webhook.check.sharing import SharingJudge
from webhook.manifests.files import Inputs
from webhook.manifests.objects import ManifestObject, Manifests
from webhook.manifests.sources import Sources
from webhook.report.model import Report

FORKED = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few files are enough for several workers."""
    monkeypatch.setattr(parallel, "FIRST", 1)
    monkeypatch.setattr(parallel, "BLOCK", 2)


def children() -> set[str]:
    """The processes that this process has started, such as servers of other tests."""
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


@pytest.fixture(autouse=True)
def no_child() -> Iterator[None]:
    """No worker is left after a check, not even as a zombie."""
    before = children()
    yield
    assert children() <= before


def in_processes(
    files: Sequence[Manifests],
    count: int,
    chosen: Settings,
    references: Sequence[ManifestObject] = (),
    judge: type[SharingJudge] = SharingJudge,
    *,
    is_large: bool = False,
) -> Report:
    sources = Sources()
    inputs = Inputs([], recursive=True, sources=sources, rendered=files)
    report = ParallelCheck(judge(chosen, references), inputs, sources, count=count, is_large=is_large).report()
    return replace(report, objects=list(report.objects))


def named(*files: Sequence[Manifest]) -> list[Manifests]:
    return [environments.file(f"{number}.yaml", *objects) for number, objects in enumerate(files)]


def of_namespaces(number: int) -> Manifest:
    return environments.an_object("Namespace", "v1", f"tenant-{number}", None)


OTHERS = [[environments.a_vmi(name=f"vmi-{number}")] for number in range(8)]
