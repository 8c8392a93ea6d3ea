"""
Fills in defaults. Only absent fields are filled in. Objects that an operator owns are not changed. A second run changes
nothing.
"""

from collections.abc import Mapping
from typing import Any

from webhook.defaults.default import DefaultFacts
from webhook.defaults.register import default_sets, patches
from webhook.judging.machines import judge
from webhook.objects.lenient import parse
from webhook.surfaces.admission.requests import DecodedRequest
from webhook.surfaces.admission.validate import JudgingContext


def operations_for(decoded: DecodedRequest, context: JudgingContext) -> list[dict[str, Any]]:
    """The RFC 6902 operations for a request; empty for subresources, updates of VMs and objects that are being deleted."""
    request, new = decoded.request, decoded.object
    if new is None or request.sub_resource:
        return []
    if request.operation != "CREATE" and not (request.operation == "UPDATE" and request.kind.kind == "KubeVirt"):
        return []
    # In a new object, the deletionTimestamp can be forged, because the API server does not set it.
    if request.operation == "UPDATE" and new.meta.deletion_timestamp is not None:
        return []
    verdict = judge(new, context.world, context.releases).verdict
    refused = verdict is not None and verdict.live_migratable is False
    sets = default_sets(DefaultFacts(new, context.releases, refused, context.policy.default_options))
    if not sets:
        return []  # most requests end here, so that the whole object need not be parsed
    raw: Mapping[str, Any] = parse(decoded.raw_object())
    return patches(sets, raw)
