"""Fixtures of all tests. A control plane starts only if a test uses it."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.apiserver import crds
from tests.apiserver.binaries import CONTROL_PLANE, PROMETHEUS, SCHEDULERS, missing_binaries
from tests.apiserver.controlplane import ControlPlane

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NO_CONTROL_PLANE = "no control plane"

settings.register_profile(
    "migratable",
    deadline=None,  # how long an example takes says how busy the machine is, and so does how long it takes to be drawn
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=os.environ.get("MIGRATABLE_RANDOM") != "1",  # what one run of `make test` finds, the next finds too
)
settings.load_profile("migratable")

MAX_EXAMPLES = int(os.environ.get("MIGRATABLE_MAX_EXAMPLES", "0"))
"""The most examples of a property in `make test-fast`; 0 in `make test`, where each property has its own number."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Limits the examples of each property, also if its decorator sets a larger number."""
    for item in items:
        test = getattr(getattr(item, "obj", None), "__func__", getattr(item, "obj", None))
        own: settings | None = getattr(test, "_hypothesis_internal_use_settings", None)
        if MAX_EXAMPLES and own is not None and own.max_examples > MAX_EXAMPLES:
            test._hypothesis_internal_use_settings = settings(own, max_examples=MAX_EXAMPLES)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips a test whose kube-apiserver or other binary is absent; fails it where MIGRATABLE_REQUIRE_APISERVER is 1."""
    needed = [*CONTROL_PLANE] if item.get_closest_marker("apiserver") else []
    needed += SCHEDULERS if item.get_closest_marker("scheduler") else []
    needed += ["helm"] if item.get_closest_marker("helm") else []
    needed += PROMETHEUS if item.get_closest_marker("prometheus") else []
    if (why := missing_binaries(needed)) is None:
        return
    if os.environ.get("MIGRATABLE_REQUIRE_APISERVER") == "1":
        pytest.fail(f"{NO_CONTROL_PLANE}: {why}", pytrace=False)
    pytest.skip(f"{NO_CONTROL_PLANE}: {why}")


FIGURE = "figure"
"""The property by which a test's figure comes from a worker of pytest-xdist to the end of the run, where it is printed."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """
    The figures that tests recorded, and one line for all of those skips: pytest's summary gives their number and no reason.
    """
    reports = [test_report for group in ("passed", "failed") for test_report in terminalreporter.stats.get(group, ())]
    figures = [text for test_report in reports for name, text in test_report.user_properties if name == FIGURE]
    for text in sorted(figures):
        terminalreporter.write_line(text)
    skips = [report.longrepr[2] for report in terminalreporter.stats.get("skipped", ())]
    reasons = [reason for reason in skips if NO_CONTROL_PLANE in reason]
    if reasons:
        terminalreporter.write_line(f"skipped {len(reasons)}: {reasons[0].removeprefix('Skipped: ')}")


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """A control plane with the project's own small definitions; one for each worker of pytest-xdist."""
    with ControlPlane(crds=crds.OWN) as running:
        yield running


@pytest.fixture(scope="session")
def control_plane_real_crds() -> Iterator[ControlPlane]:
    """A control plane with the definitions that KubeVirt, CDI and Multus install, where those are at hand."""
    if not (real := crds.real()):
        pytest.skip(crds.NO_REAL)
    with ControlPlane(crds=real) as running:
        yield running


@pytest.fixture(scope="session", params=["control_plane", "control_plane_real_crds"])
def each_control_plane(request: pytest.FixtureRequest) -> ControlPlane:
    """First the one control plane, then the other: for what has to hold with our definitions and with the real ones."""
    chosen: ControlPlane = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
def namespace(control_plane: ControlPlane) -> str:
    """The name of a namespace of `control_plane` that no other test has seen."""
    return control_plane.client.create_namespace()


@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    """Chromium. Each test makes a context of its own."""
    from tests.browsing import chromium

    with chromium() as launched:
        yield launched
