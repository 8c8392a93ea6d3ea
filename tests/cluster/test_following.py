"""Any order of changes and faults: the content of the store was true at some time, and is true once the changes end."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.clocks import Clock
from tests.cluster.fake_apiserver import FakeStream, FakeTransport, answer, event, listed
from webhook.cluster.ports import Answer
from webhook.cluster.store import Store
from webhook.cluster.watch import Pace, Watch
from webhook.errors import Unavailable
from webhook.facts.unknown import Unknown
from webhook.objects.nad import NetworkAttachmentDefinition

NAD = NetworkAttachmentDefinition
NAMES = st.sampled_from("abcd")
CONFIGS = st.sampled_from(("{}", "[]", 7))  # a number cannot be a config: such an object is kept as Unknown
Manifest = dict[str, Any]


class Cluster(RuleBasedStateMachine):
    """An API server that remembers its changes until they are compacted, and a Watch that follows it turn by turn."""

    @initialize()
    def begin(self) -> None:
        self.version = 1
        self.made = 0
        self.objects: dict[str, Manifest] = {}
        self.log: list[tuple[int, bytes]] = []
        self.oldest = 0
        self.ever: set[tuple[str, str, str, object]] = set()
        self.trouble = ""
        self.clock = Clock()
        self.transport = FakeTransport(self._list, self._stream)
        self.store = Store([NAD], self.clock)
        self.turns = 0
        self.watch = Watch(
            NAD,
            self.store,
            self.transport,
            wait=self._wait,
            clock=self.clock,
            chance=lambda: 0.5,
            pace=Pace(page=2),
        )

    # --- the API server ---

    def _list(self, path: str, query: Mapping[str, str]) -> Answer:
        if self.trouble == "refused":
            return answer({}, 429)
        if self.trouble == "away":
            raise Unavailable("away", remedy="Try again.")
        start = int(query.get("continue", "0"))
        names = sorted(self.objects)  # nothing changes within a turn, so a page is of the same version as the first
        page, rest = names[start : start + 2], names[start + 2 :]
        if self.trouble == "half a list" and start:
            raise Unavailable("cut", remedy="Try again.")
        token = str(start + 2) if rest else ""
        return listed(*(self.objects[name] for name in page), version=str(self.version), token=token)

    def _stream(self, query: Mapping[str, str]) -> FakeStream:
        position = int(query["resourceVersion"])
        if self.trouble == "away":
            raise Unavailable("away", remedy="Try again.")
        if self.trouble == "refused":
            return FakeStream(429, lambda: iter(()))
        return FakeStream(200, lambda: self._events(position))

    def _events(self, position: int) -> Iterator[bytes]:
        self.clock.now += 6  # it lived for a while, so the next turn comes at once
        if position < self.oldest:
            yield event("ERROR", {"kind": "Status", "code": 410})
            return
        for number, (version, line) in enumerate(record for record in self.log if record[0] > position):
            if self.trouble == "cut" and number == 1:
                raise Unavailable("the stream ended within an event", remedy="Try again.")
            if self.trouble == "junk" and number == 1:
                yield line[: len(line) // 2]
                return
            assert version > position
            yield line
        yield event("BOOKMARK", {"metadata": {"resourceVersion": str(self.version)}})

    def _wait(self, pause: float) -> bool:
        self.clock.now += pause
        self.turns -= 1
        return self.turns < 0

    def _changed(self, kind: str, name: str, manifest: Manifest) -> None:
        self.version += 1
        manifest["metadata"]["resourceVersion"] = str(self.version)
        self.log.append((self.version, event(kind, manifest)))
        metadata = manifest["metadata"]
        self.ever.add((name, metadata["uid"], metadata["resourceVersion"], manifest["spec"]["config"]))

    # --- what happens ---

    @rule(name=NAMES, config=CONFIGS)
    def put(self, name: str, config: object) -> None:
        """Creates or edits."""
        before = self.objects.get(name)
        uid = before["metadata"]["uid"] if before is not None else f"uid-{self.made}"
        self.made += before is None
        made = {"metadata": {"name": name, "namespace": "shop", "uid": uid}, "spec": {"config": config}}
        self._changed("MODIFIED" if before is not None else "ADDED", name, made)
        self.objects[name] = made

    @precondition(lambda self: self.objects)
    @rule(number=st.integers(0, 3), again=st.booleans())
    def delete(self, number: int, again: bool) -> None:
        """Deletes, and perhaps makes another of the same name."""
        name = sorted(self.objects)[number % len(self.objects)]
        gone = json.loads(json.dumps(self.objects.pop(name)))
        self._changed("DELETED", name, gone)
        if again:
            self.put(name, "{}")

    @rule()
    def compact(self) -> None:
        """Forgets all changes up to now."""
        self.log.clear()
        self.oldest = self.version

    @rule(trouble=st.sampled_from(("refused", "away", "cut", "junk", "half a list")))
    def suffer(self, trouble: str) -> None:
        """One turn with trouble."""
        self.trouble = trouble
        self._turn(1)
        self.trouble = ""

    @rule()
    def follow(self) -> None:
        """One turn without."""
        self._turn(1)

    @rule()
    def settle(self) -> None:
        """A few turns without trouble: what is held is what there is."""
        self._turn(3)
        held = {name: self.store.get(NAD, "shop", name) for name in "abcd"}
        true = {name: manifest["spec"]["config"] for name, manifest in self.objects.items()}
        assert {name for name, entry in held.items() if entry is not None} == set(true)
        for name, entry in held.items():
            if isinstance(entry, NAD):
                metadata = self.objects[name]["metadata"]
                said = (entry.spec.config, entry.meta.uid, entry.meta.resource_version)
                assert said == (true[name], metadata["uid"], metadata["resourceVersion"])
            else:
                assert true.get(name) in (None, 7)
        (now,) = self.store.statistics()
        assert (now.synced, now.problem, now.objects) == (True, "", len(true))
        assert now.undecodable == sum(config == 7 for config in true.values())
        assert self.store.fresh(NAD)

    @invariant()
    def what_is_held_was_true(self) -> None:
        """Nothing half, nothing mixed."""
        for name in "abcd":
            held = self.store.get(NAD, "shop", name)
            if isinstance(held, NAD):
                assert (name, held.meta.uid, held.meta.resource_version, held.spec.config) in self.ever
            elif isinstance(held, Unknown):
                assert any(change[0] == name and change[3] == 7 for change in self.ever)

    def _turn(self, turns: int) -> None:
        self.turns = turns
        self.watch.run()


Cluster.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestFollowing = Cluster.TestCase
