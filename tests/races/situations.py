"""
Policy and release in force under stress: confirming threads read them while the policy file and the KubeVirt CR change.

Invariants: release and namespace come from one KubeVirt CR; after the last change the policy in the file is in force.
"""

import itertools
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.races.stress import Run, run_all
from tests.surfaces.admission.reviews import read
from webhook.facts.objects_world import ObjectsWorld
from webhook.facts.world import World
from webhook.policy.policy import Profile
from webhook.serve.active_configuration import ConfigurationSource

VERSIONS = {"kubevirt": "1.4", "cnv": "1.8"}
"""The KubeVirt release of the CR in each namespace."""
POLICIES = {"profile: strict\n": Profile.STRICT, "profile: exact\n": Profile.EXACT}
ASKING = 4


def worlds() -> list[World]:
    """One for each CR."""
    made: list[World] = []
    for namespace, release in VERSIONS.items():
        metadata = {"name": "kubevirt", "namespace": namespace, "resourceVersion": release}
        status = {"observedKubeVirtVersion": f"v{release}.0"}
        document = {"apiVersion": "kubevirt.io/v1", "kind": "KubeVirt", "metadata": metadata, "status": status}
        made.append(ObjectsWorld((read(document),)))
    return made


def stress(seconds: float, seed: int) -> Run:
    """Changes and questions for so long."""
    run = Run(seconds)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "policy.yaml"
        file.write_text(next(iter(POLICIES)))
        known, now = worlds(), [worlds()[0]]
        configurations = ConfigurationSource(file, "", lambda: now[0], lambda: "2026-01-01")
        policies, turns = itertools.cycle(POLICIES), itertools.cycle(known)

        def change_policy() -> None:
            part = file.with_suffix(".part")
            part.write_text(next(policies))
            part.replace(file)
            configurations.refresh()

        def change_cluster() -> None:
            now[0] = next(turns)

        def ask() -> None:
            configuration = configurations()
            if configuration.chosen.label != VERSIONS[configuration.install_namespace]:
                run.report(
                    f"release {configuration.chosen.label} was taken for the KubeVirt CR in {configuration.install_namespace}"
                )

        workers: list[tuple[str, Callable[[], None]]] = [("policy", change_policy), ("cluster", change_cluster)]
        run_all(run, [*workers, *((f"asking {number}", ask) for number in range(ASKING))])
        ask()
        if configurations().policy.profile is not POLICIES[file.read_text()]:
            run.report("another policy is in force than the one in the file")
    return run
