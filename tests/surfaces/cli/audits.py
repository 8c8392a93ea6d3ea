"""Runs ``migratable audit`` on clusters whose API server consists of functions."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.audit.clusters import FakeCluster, Manifest, claim, kubevirt, vm
from tests.surfaces.running import Ran, migratable
from webhook.surfaces.cli import run_audit

Run = Callable[..., Ran]
CR = kubevirt()
CR["spec"]["workloadUpdateStrategy"] = {"workloadUpdateMethods": ["LiveMigrate", "Evict"]}
"""A KubeVirt CR without findings."""
BAD = (vm("web", "os"), claim("os", mode="ReadWriteOnce"))


def audits(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Run:
    """Returns a function that runs ``migratable audit`` in a folder, on a cluster with some objects."""

    def run(*arguments: str | Path, objects: tuple[Manifest, ...] = BAD, cr: Manifest = CR) -> Ran:
        cluster = FakeCluster([cr, *objects])
        monkeypatch.setattr(run_audit, "connected", lambda *_args, **_options: (cluster.transport, "a cluster"))
        return migratable("audit", *arguments, cwd=folder)

    return run
