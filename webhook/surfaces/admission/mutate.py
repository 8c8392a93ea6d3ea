"""Fills in defaults: only what is absent, idempotently, never on an object that somebody else owns."""

from collections.abc import Mapping
from typing import Any

from webhook.defaults.default import DefaultFacts
from webhook.defaults.register import default_sets, patches
from webhook.judging.machines import judge
from webhook.objects.lenient import parse
from webhook.surfaces.admission.requests import DecodedRequest
from webhook.surfaces.admission.validate import JudgingContext


def operations_for(decoded: DecodedRequest, context: JudgingContext) -> list[dict[str, Any]]:
    """The RFC 6902 operations for a request; none for subresources, updates of VMs, and objects on their way out."""
    request, new = decoded.request, decoded.object
    if new is None or request.sub_resource:
        return []
    if request.operation != "CREATE" and not (request.operation == "UPDATE" and request.kind.kind == "KubeVirt"):
        return []
    if (
        request.operation == "UPDATE" and new.meta.deletion_timestamp is not None
    ):  # a new object only claims to have one
        return []
    verdict = judge(new, context.world, context.releases).verdict
    refused = verdict is not None and verdict.live_migratable is False
    sets = default_sets(DefaultFacts(new, context.releases, refused, context.policy.default_options))
    if not sets:
        return []  # most requests: the whole object need not be read
    raw: Mapping[str, Any] = parse(request.object)
    return patches(sets, raw)
