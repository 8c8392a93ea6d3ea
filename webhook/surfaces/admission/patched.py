"""
Clones and restores with patches: a warning for the person who creates them.

The patched VM is judged when virt-controller creates it. A denial of that creation reaches only the controller, which
repeats it with back-off and records an event of the VirtualMachineRestore. The warning cannot name a violation, because the
patches apply to a snapshot, which this server may not read.
"""

from typing import Final

import msgspec

from webhook.objects.carrier import Carrier
from webhook.objects.json_depth import decode
from webhook.objects.kinds import CARRIER_BY_GROUP_KIND
from webhook.objects.review import AdmissionRequest, StatusCause

MESSAGE: Final = "the patched VM is judged when KubeVirt creates it; see the events of the VirtualMachineRestore"
_decoder = msgspec.json.Decoder(Carrier)


def carries_patches(request: AdmissionRequest) -> bool:
    """Whether this creates a clone or a restore with patches; one that cannot be read carries none."""
    is_carrier = (request.kind.group, request.kind.kind) in CARRIER_BY_GROUP_KIND
    if not is_carrier or request.operation != "CREATE" or request.sub_resource:
        return False
    try:
        return bool(decode(_decoder, request.object).spec.patches)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return False


def about_patches() -> StatusCause:
    """The cause of the warning."""
    return StatusCause("FieldValueInvalid", MESSAGE, "spec.patches")
