"""Reads the ControllerRevisions that one VM names, each by its name."""

from typing import TYPE_CHECKING

from webhook.drain.revisions import named_revisions, with_revisions
from webhook.facts.fleet import Fleet
from webhook.objects.instancetype import ControllerRevision

if TYPE_CHECKING:
    from webhook.cluster.live_reads import LiveReads


def with_revisions_of(fleet: Fleet, live: "LiveReads", name: str, within_seconds: float) -> Fleet:
    """The fleet, with the ControllerRevisions of the VMs of this name that can be read."""
    read = [live.confirm(ControllerRevision, *key, within_seconds) for key in named_revisions(fleet, name)]
    return with_revisions(fleet, tuple(one for one in read if isinstance(one, ControllerRevision)))
