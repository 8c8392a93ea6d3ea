"""The example manifests of the check page. A test checks the result that each one names."""

from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple


class Example(NamedTuple):
    """An example and the state of its result (``docs/page.md``)."""

    name: str
    title: str
    result: str
    state: str

    @property
    def path(self) -> str:
        """The address of the manifest."""
        return f"/examples/{self.name}.yaml"


EXAMPLES: Final = (
    Example("bridge", "Bridge binding, local disk", "would be refused, has a fix", "deny"),
    Example("virtiofs", "Shared filesystem", "refused, works from 1.5 on", "deny"),
    Example("devices", "GPU and host device", "would be refused, has fixes", "deny"),
    Example("missing", "Claim that is not included", "unproven", "open"),
    Example("settings", "Settings of a cluster", "would be refused, has fixes", "deny"),
    Example("good", "VM without problems", "would be accepted", "good"),
)


@cache
def text_of(name: str) -> bytes:
    """The manifest of an example."""
    return (files("webhook.surfaces.api.page") / "examples" / f"{name}.yaml").read_bytes()
