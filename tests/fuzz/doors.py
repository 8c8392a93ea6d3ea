"""The targets of the fuzzer. Each makes an input from a seed, sends it, and describes what is wrong with the response."""

import json
import random
import re
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.apiserver.pki import CertificateAuthority
from tests.fuzz.mutating import CANARY, bytes_of, mutated, mutated_bytes
from tests.generating.accepting import spec_of
from tests.properties.supply import stored
from tests.serve.wire import Wire, listening
from tests.surfaces.admission.reviews import review
from tests.surfaces.asgi import Answer, call
from tests.surfaces.doors import as_yaml
from webhook.check.check import ReleaseChoice
from webhook.errors import Misconfigured
from webhook.kubevirt.releases import SUPPORTED
from webhook.manifests.policy_file import parse_policy
from webhook.policy.policy import Policy
from webhook.serve.manifest_facts import ManifestSource
from webhook.serve.tls import Certificates
from webhook.surfaces.admission.endpoint import ActiveConfiguration, AdmissionApp
from webhook.surfaces.api.app import build_api

SLOW_SECONDS = 0.7
"""CPU seconds for one answer (KubeVirt's own fuzzing fails above it)."""
TRIES = 3
"""An input is slow if every try is slow. A full garbage collection of the test process takes about a second of one try."""
REVIEWS = sorted((Path(__file__).resolve().parents[1] / "data" / "admissionreviews").glob("*.json"))
CONFIGURATION = ActiveConfiguration(Policy(), ReleaseChoice(SUPPORTED, "any"), "kubevirt", "2026-06-01")
ROOT = Path(__file__).resolve().parents[2]


class Outcomes:
    """An observer that only wants to know whether the door had an error of its own."""

    def __init__(self) -> None:
        self.internal = 0

    def reviewed(self, _door: str, _kind: str, _operation: str, outcome: str, _seconds: float) -> None:
        self.internal += outcome == "internal"

    def found(self, _rule: str, _kind: str, _action: str) -> None:
        """Nothing."""

    def lowered(self, _rule: str, _reason: str) -> None:
        """Nothing."""

    def would_deny(self, _rule: str) -> None:
        """Nothing."""


@dataclass
class Corpus:
    """What inputs are made of."""

    reviews: list[bytes]
    machines: list[Any]
    networks: list[Any]
    policies: list[bytes]
    facts: list[Any]

    @classmethod
    def gathered(cls) -> "Corpus":
        """From the recorded reviews, the generators, and the project's own examples."""
        from tests.generating import carriers, kubevirts, migration_policies, networks, worlds

        policies = [path.read_bytes() for path in sorted(ROOT.glob("deploy/kustomize/**/policy.yaml"))]
        return cls(
            [path.read_bytes() for path in REVIEWS],
            [
                *map(_secretive, stored(carriers(), 150)),
                *stored(kubevirts(wild=True), 30),
                *stored(migration_policies(), 20),
            ],
            list(stored(networks(), 60)),
            [*policies, WHOLE_POLICY],
            [manifest for world in stored(worlds(), 10) for manifest in world],
        )


def _secretive(machine: Any) -> Any:
    """The machine with what must not be told."""
    made = json.loads(bytes_of(machine))
    made["metadata"]["annotations"] = {"example.org/token": CANARY}
    spec_of(made)["volumes"] = [
        *spec_of(made).get("volumes", ()),
        {"name": "seed", "cloudInitNoCloud": {"userData": CANARY, "networkData": CANARY}},
    ]
    return made


WHOLE_POLICY = b"""\
profile: exact
actions: {LM201: deny, bridge-on-pod-network: warn}
unproven: warn
hotplug: deny
honourEvictionStrategy: true
defaultEvictionStrategy: LiveMigrate
migrationSettings: {parallelMigrationsPerCluster: 7, bandwidthPerMigration: 64Mi}
namespaces:
- {names: [lab], profile: strict, actions: {LM301: audit}}
- {labels: {tier: prod}, unproven: deny}
exemptions:
- {rule: LM201, reason: moved next month, owner: storage, until: "2026-12-31", namespace: lab, name: old, kind: VirtualMachine}
"""


@dataclass
class Doors:
    """All of them, and what went wrong where."""

    corpus: Corpus
    outcomes: Outcomes = field(default_factory=Outcomes)
    slowest: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)
    _stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Doors":
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        facts = folder / "facts.json"
        facts.write_bytes(bytes_of({"apiVersion": "v1", "kind": "List", "items": self.corpus.facts[:40]}))
        known = ManifestSource([str(facts)])
        self.door = AdmissionApp(known, lambda: CONFIGURATION, self.outcomes, time.monotonic)
        self.api = build_api(lambda: CONFIGURATION, known.objects, "")
        self.listening = self._stack.enter_context(listening(self.door, clock=time.monotonic, sweeping=True))
        self.folder = folder
        self._pair(CertificateAuthority(), "tls")
        self.certificates = Certificates(folder)
        self.pair = (folder / "tls.crt").read_bytes() + (folder / "tls.key").read_bytes()
        return self

    def _pair(self, authority: CertificateAuthority, stem: str) -> None:
        authority.issue("migratable", server_names=["migratable.migratable.svc"]).write(self.folder, stem)

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def try_one(self, kind: str, seed: int) -> str:
        """What is wrong with what this seed of this kind leads to; empty where nothing is."""
        wrong, took = self._try_once(kind, seed)
        for _ in range(TRIES - 1):
            if took <= SLOW_SECONDS:
                break
            took = min(took, self._try_once(kind, seed)[1])
        self.slowest = max(self.slowest, took)
        if took > SLOW_SECONDS:
            wrong = wrong or f"took {took:.1f} s"
        return wrong

    def _try_once(self, kind: str, seed: int) -> tuple[str, float]:
        """What is wrong, and the CPU seconds that it took."""
        chance = random.Random(f"{kind} {seed}")
        before, internal = time.thread_time(), self.outcomes.internal
        try:
            wrong = KINDS[kind](self, chance)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            wrong = f"raised {error!r}"
        took = time.thread_time() - before
        if self.outcomes.internal > internal:
            wrong = wrong or "an error of its own"
        return wrong, took

    # --- by door

    def http(self, chance: random.Random) -> str:
        """Bytes that are nearly HTTP, on a connection."""
        body = chance.choice(self.corpus.reviews)
        path = chance.choice((b"/validate?timeout=10s", b"/mutate", b"/", b"*", b"/%zz", b"http://x/validate"))
        length = chance.choice((len(body), len(body), 0, len(body) - 1, 10**9))
        head = b"POST %s HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n" % (path, length)
        if chance.random() < 0.2:
            head = b"POST %s HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n" % path
            body = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
        if chance.random() < 0.7:
            head = mutated_bytes(head, (head, b"upgrade: h2c\r\nconnection: upgrade\r\n", body), chance)
        else:
            body = mutated_bytes(body, self.corpus.reviews, chance)
        source = f"127.0.{chance.randint(1, 250)}.{chance.randint(1, 250)}"  # else ports run out
        with Wire(self.listening.port, source=source) as wire:
            wire.send(head, b"\r\n", body)
            with suppress(OSError):
                wire.socket.shutdown(1)
            said = wire.rest()
        statuses = re.findall(rb"HTTP/1\.1 (\d{3}) ", said)
        self.answers.update(status.decode() for status in statuses)
        return f"answered {said[:200]!r}" if any(status.startswith(b"5") for status in statuses) else ""

    def review_bytes(self, chance: random.Random) -> str:
        """A recorded review, some bytes of which are others."""
        body = mutated_bytes(chance.choice(self.corpus.reviews), self.corpus.reviews, chance)
        return self._reviewed(body, chance, secret=False)

    def review_structure(self, chance: random.Random) -> str:
        """A recorded review, some values of which are others."""
        return self._reviewed(bytes_of(mutated(json.loads(chance.choice(self.corpus.reviews)), chance, 6)), chance)

    def machine(self, chance: random.Random) -> str:
        """A machine, a setting or a policy of KubeVirt, some values of which are others; also as an update."""
        old = chance.choice(self.corpus.machines)
        new = mutated(old, chance, 5)
        if not isinstance(new.get("metadata"), dict) or not isinstance(new.get("apiVersion"), str):
            new = {**new, "metadata": {}, "apiVersion": old["apiVersion"]}
        new = {**new, "kind": old["kind"]}
        body = review("CREATE", new) if chance.random() < 0.5 else review("UPDATE", *chance.sample([old, new], 2))
        return self._reviewed(bytes_of(json.loads(body)), chance)

    def network(self, chance: random.Random) -> str:
        """A NetworkAttachmentDefinition whose config is nearly CNI."""
        made = json.loads(bytes_of(chance.choice(self.corpus.networks)))
        config = made["spec"].get("config", "{}")
        with suppress(ValueError):
            config = json.dumps(mutated(json.loads(config), chance, 5))
        if chance.random() < 0.5:
            config = mutated_bytes(config.encode(), (config.encode(),), chance).decode("utf-8", "replace")
        made["spec"]["config"] = config
        return self._reviewed(review("CREATE", made), chance)

    def _reviewed(self, body: bytes, chance: random.Random, *, secret: bool = True) -> str:
        """``secret`` where a canary can only stand where secrets do."""
        path = chance.choice(("/validate", "/validate", "/mutate"))
        answer = call(self.door, "POST", path, body, [("content-type", "application/json")], "timeout=10s")
        self.answers[str(answer.status)] += 1
        if answer.status == 400:
            return "" if answer.text.count("\n") == 1 and answer.text.isascii() else "a reason of several lines"
        if answer.status != 200:
            return f"answered {answer.status}"
        return wrong_with(answer) or ("tells a secret" if secret and CANARY in answer.text else "")

    def policy(self, chance: random.Random) -> str:
        """A policy file that is nearly one."""
        content = chance.choice(self.corpus.policies)
        if chance.random() < 0.6:
            content = mutated_bytes(content, self.corpus.policies, chance)
        else:
            from webhook.yaml.document import read_documents

            content = as_yaml(mutated(read_documents(content, "p")[0].value, chance, 3))
        try:
            parse_policy(content, "policy.yaml")
            self.answers["taken"] += 1
        except Misconfigured as error:
            self.answers["refused"] += 1
            if not error.remedy or not error.message.startswith("policy.yaml"):
                return f"without place or remedy: {error.message!r}"
        return ""

    def pem(self, chance: random.Random) -> str:
        """Certificate files that are nearly ones, under a server that serves."""
        crt = mutated_bytes(self.pair, (self.pair, bytes(chance.randbytes(300))), chance)
        (self.folder / chance.choice(("tls.crt", "tls.key"))).write_bytes(crt)
        took = self.certificates.refresh()
        self.answers["taken" if took else "refused"] += 1
        return "" if took or self.certificates.problem or self.certificates.leaf else "no word of it"

    def manifests(self, chance: random.Random) -> str:
        """Manifests for the dry-run API that are nearly ones, as JSON and as YAML."""
        made = mutated(chance.choice(self.corpus.machines), chance, 4)
        with_facts = [made, *chance.sample(self.corpus.facts, 2)]
        kind, content = ("application/json", bytes_of({"apiVersion": "v1", "kind": "List", "items": with_facts}))
        if chance.random() < 0.5:
            kind, content = "application/yaml", as_yaml(*with_facts)
        if chance.random() < 0.4:
            content = mutated_bytes(content, (content,), chance)
        answer = call(self.api, "POST", "/v1/check", content, [("content-type", kind)])
        self.answers[str(answer.status)] += 1
        if answer.status not in (200, 400):
            return f"answered {answer.status}"
        if answer.status == 400 and not answer.json["title"]:
            return "a problem without a title"
        return ""


KINDS: Mapping[str, Callable[[Doors, random.Random], str]] = {
    "http": Doors.http,
    "review-bytes": Doors.review_bytes,
    "review-structure": Doors.review_structure,
    "machine": Doors.machine,
    "network": Doors.network,
    "policy": Doors.policy,
    "pem": Doors.pem,
    "manifests": Doors.manifests,
}
SHARES: Mapping[str, float] = {
    "http": 0.15,
    "review-bytes": 0.23,
    "review-structure": 0.23,
    "machine": 0.18,
    "network": 0.08,
    "policy": 0.07,
    "pem": 0.03,
    "manifests": 0.03,
}
"""How the inputs are shared out among the doors."""


def wrong_with(answer: Answer) -> str:
    """What an API server or a user would miss in an answer to a review; empty where nothing is."""
    envelope = answer.json
    response = envelope["response"]
    if (envelope["apiVersion"], envelope["kind"]) != ("admission.k8s.io/v1", "AdmissionReview"):
        return "another envelope"
    if not isinstance(response["uid"], str) or not response["uid"] or response["allowed"] not in (True, False):
        return f"no answer: {response}"
    if any(not warning.isprintable() or not 0 < len(warning) <= 256 for warning in response.get("warnings", ())):
        return f"a warning that API servers drop: {response['warnings']}"
    if response["allowed"]:
        return "" if "status" not in response else "allowed with a status"
    status = response["status"]
    causes = status["details"]["causes"]
    if (status["code"], status["reason"]) != (422, "Invalid") or not causes:
        return f"a refusal without code, reason or causes: {status}"
    if len(status["message"].encode()) > 4096 + 3:
        return "a message of more than 4 KiB"
    named = [cause for cause in causes if not cause["message"].startswith("and ")]
    if any(not cause.get("field") or not cause["message"].isprintable() for cause in named):
        return f"a cause without a path: {named}"
    return ""


def seeds(total: int) -> Iterator[tuple[str, int]]:
    """Kinds and seeds, so many in all."""
    for kind, share in SHARES.items():
        for seed in range(round(total * share)):
            yield kind, seed
