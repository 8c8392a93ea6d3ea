"""
Remembered access reviews under stress: threads ask what users may do while rights come and go.

Invariants: a right that is granted existed at some moment of the last five seconds; the number of remembered answers is limited.
"""

import random
from dataclasses import dataclass
from unittest.mock import patch

from tests.races.stress import Run, run_all
from webhook.cluster import readable as sight
from webhook.cluster.access_reviews import User
from webhook.cluster.readable import REMEMBERED_SECONDS, Attributes, Rights
from webhook.errors import Unavailable

ASKING = 4
USERS = [User(f"user-{number}") for number in range(8)]
NAMES = [f"object-{number}" for number in range(20)]
PERIOD = 7
"""Seconds after which every right is the opposite."""
MOST = 64
STEP = 0.05


@dataclass
class Server:
    """Grants a right for some seconds, then refuses it as long; by a clock that somebody else moves."""

    now: float = 100.0

    def may(self, _user: User, attributes: Attributes, _timeout_seconds: float) -> bool:
        """Whether the user may do this now; sometimes there is no answer."""
        if int(self.now / STEP) % 50 == 0:
            raise Unavailable("no answer", remedy="Retrying.")
        return granted(attributes["name"], self.now)


def granted(name: str, at: float) -> bool:
    """Whether the right exists at this time."""
    return (int(at // PERIOD) + NAMES.index(name)) % 2 == 0


def stress(seconds: float, seed: int) -> Run:
    """Questions for so long."""
    run, server, chance = Run(seconds), Server(), random.Random(seed)
    rights = Rights(server, lambda: server.now)

    def tick() -> None:
        server.now += STEP

    def ask() -> None:
        user, name = chance.choice(USERS), chance.choice(NAMES)
        before = server.now
        may = rights.may(user, {"verb": "get", "name": name}, before + 1000)
        times = [before - REMEMBERED_SECONDS, before, server.now]
        changes = range(int(times[0] // PERIOD), int(times[2] // PERIOD) + 1)
        if may and not any(granted(name, moment) for moment in (*times, *(number * PERIOD for number in changes))):
            run.report(f"{user.username} may read {name} at {before:.2f}, which was not so for {REMEMBERED_SECONDS} s")
        if len(rights._answers) > MOST + ASKING:
            run.report(f"{len(rights._answers)} answers are remembered")

    with patch.object(sight, "MOST_REMEMBERED", MOST):
        run_all(run, [("clock", tick), *((f"asking {number}", ask) for number in range(ASKING))])
    return run
