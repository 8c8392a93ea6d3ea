"""The facts about a change to a running VirtualMachine that cannot be live-migrated."""

import msgspec

from webhook.objects.path import FieldPath


class LiveChange(msgspec.Struct, frozen=True):
    """One changed field of the template."""

    path: FieldPath
    name: str
    """The name of the changed part in messages, such as ``interface 'lan'``."""
    releases: int
    """The releases in which KubeVirt handles the change in this way."""
    migrates: bool
    """Whether KubeVirt would apply the change by a live migration. Otherwise the change always needs a restart."""


class LiveChangeFacts(msgspec.Struct, frozen=True):
    """The changes to one running VM that wait for a restart."""

    changes: tuple[LiveChange, ...]
