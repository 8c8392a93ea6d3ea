"""
VMs that name many objects, against a real API server: `python -m benchmarks.many_names [--attackers 8] [--seconds 25]`.

Attackers in one namespace create VMs (dry runs) with 250 claims that do not exist, each its next when its last is answered:
with one ReadWriteOnce claim at a random place, then without. Beside them a neighbour creates VMs with two shared claims at a
steady rate. The webhooks are those of deploy/kustomize under `failurePolicy: Fail`. R21: the neighbour's p99 is at most
250 ms. R23: no call of a webhook times out. No VM with the bad claim is admitted.
"""

import json
import random
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from tests.apiserver import crds
from tests.apiserver.client import Reply
from tests.apiserver.controlplane import ControlPlane
from tests.apiserver.serving import install_hooks, serving
from tests.surfaces.admission.reviews import on_claim, vm
from tests.waiting import wait_until

ABSENT = 250
RATE = 20
NEIGHBOURS = 8
R21_MS = 250.0
OUTCOMES = {201: "admitted", 422: "denied"}


@dataclass
class Calls:
    """How calls ended, and the seconds they took."""

    outcomes: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)

    def make(self, call: Callable[[], Reply]) -> None:
        """One call."""
        began = time.monotonic()
        reply = call()
        self.seconds.append(time.monotonic() - began)
        self.outcomes[_outcome(reply)] += 1

    def quantile(self, share: float) -> float:
        """Milliseconds."""
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] * 1000 if self.seconds else float("nan")


def main() -> None:
    """Prints a line for each round, and one JSON object."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--attackers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=25.0)
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="migratable-benchmark-") as place, ControlPlane(crds=crds.OWN) as plane:
        attacker, neighbour = _namespaces(plane)
        with serving(plane, Path(place) / "serve") as server:
            install_hooks(plane, server)
            wait_until(lambda: _create(plane, attacker, ["single"]).status == 422, 30, "the claim to be seen")
            for name, attackers, claims in (
                ("nothing", 0, []),
                ("one bad claim", options.attackers, ["single"]),
                ("no bad claim", options.attackers, []),
            ):
                attacks, others = _round(plane, attacker, neighbour, attackers, claims, options.seconds)
                rows.append(_row(name, attacks, others))
    print(json.dumps(rows))


def _row(name: str, attacks: Calls, others: Calls) -> dict[str, Any]:
    p50, p99 = others.quantile(0.5), others.quantile(0.99)
    print(
        f"beside {name:13}: attackers {dict(attacks.outcomes)}, slowest {attacks.quantile(1):.0f} ms; neighbour "
        f"{dict(others.outcomes)}, p50 {p50:.0f} ms, p99 {p99:.0f} ms (R21: at most {R21_MS:.0f})"
    )
    return {
        "beside": name,
        "attackers": dict(attacks.outcomes),
        "slowest_ms": attacks.quantile(1),
        "neighbour": dict(others.outcomes),
        "p50_ms": p50,
        "p99_ms": p99,
    }


def _namespaces(plane: ControlPlane) -> list[str]:
    """The attacker's and the neighbour's, with one bad and two good claims each."""
    made = [plane.client.create_namespace(name) for name in ("attacker", "neighbour")]
    for namespace in made:
        for name, mode in (("single", "ReadWriteOnce"), ("root", "ReadWriteMany"), ("data", "ReadWriteMany")):
            spec = {"accessModes": [mode], "resources": {"requests": {"storage": "1Gi"}}}
            path = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims"
            plane.client.create(path, {"metadata": {"name": name}, "spec": spec})
    return made


def _round(
    plane: ControlPlane, attacker: str, neighbour: str, attackers: int, bad: Sequence[str], seconds: float
) -> tuple[Calls, Calls]:
    """Attackers without a pause and a neighbour at a steady rate, for so long."""
    attacks, others = Calls(), Calls()
    until = time.monotonic() + seconds

    def attack(seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < until:
            names = [f"absent-{number}" for number in range(ABSENT)]
            for name in bad:
                names.insert(chance.randrange(len(names) + 1), name)
            attacks.make(partial(_create, plane, attacker, names))

    def live(number: int) -> None:
        due = time.monotonic() + number / RATE
        while due < until:
            time.sleep(max(0.0, due - time.monotonic()))
            others.make(lambda: _create(plane, neighbour, ["root", "data"]))
            due += NEIGHBOURS / RATE

    threads = [threading.Thread(target=attack, args=(seed,)) for seed in range(attackers)]
    threads += [threading.Thread(target=live, args=(number,)) for number in range(NEIGHBOURS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return attacks, others


def _create(plane: ControlPlane, namespace: str, claims: Sequence[str]) -> Reply:
    machine = vm("machine", volumes=[on_claim(name, f"v{number}") for number, name in enumerate(claims)])
    machine["metadata"]["namespace"] = namespace
    path = f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines?dryRun=All"
    return plane.client.api("POST", path, machine)


def _outcome(reply: Reply) -> str:
    message = str(reply.document.get("message", ""))
    if "deadline exceeded" in message:
        return "timed out"
    return OUTCOMES.get(reply.status, "no verdict" if "failed calling webhook" in message else f"status {reply.status}")


if __name__ == "__main__":
    main()
