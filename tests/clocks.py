"""A clock for tests. Its time passes only if a test or a pause of the tested code moves it."""

from dataclasses import dataclass, field


@dataclass
class Clock:
    """Monotonic seconds, and the pauses that moved them."""

    now: float = 1000.0
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def wait(self, seconds: float) -> bool:
        """A pause that nothing ends early."""
        self.pauses.append(seconds)
        self.advance(seconds)
        return False
