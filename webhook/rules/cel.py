"""The part of a rule that API servers evaluate themselves, in CEL. It must agree with ``check``."""

from typing import Final

import msgspec

from webhook.kubevirt.releases import NONE, Releases


class Cel(msgspec.Struct, frozen=True):
    """
    One kind of violation that depends on the object alone. A rule may have several.

    ``path``, ``message`` and ``identity`` are templates: braces hold CEL over ``it``, the list entry. A property test
    with a real API server compares them with the outcomes of ``check``.
    """

    among: str
    """The variable of the policy that holds the list, e.g. ``gpus``."""
    path: str
    """Relative to the VMI spec for rules about VMIs, to the object for other rules. ``{index}`` is the entry's index."""
    message: str
    identity: str
    """
    The subject of the violation. The violations of the old and the new object are compared by it. ``bounded`` limits its cost.
    """
    violates: str = "true"
    """The condition under which an entry is a violation, in CEL over ``it``."""
    unsure_in: Releases = NONE
    """The releases in which KubeVirt's verdict depends on other objects, unless ``certain`` is true."""
    certain: str = "true"
    """CEL over the policy's variables: whether KubeVirt refuses the object regardless of other objects."""


LONGEST_NAME: Final = 253
"""The maximum length of a name in a text: CEL cost grows with the text, and most KubeVirt definitions do not limit names."""


def printable(name: str) -> str:
    """A name for a message, without the control characters that KubeVirt's definitions allow."""
    return (
        f"[{name}].map(text, text.size() > {LONGEST_NAME} ? '(longer than {LONGEST_NAME} characters)'"
        " : text.matches('^[ -~]*$') ? text : '(unprintable)')[0]"
    )


def bounded(name: str) -> str:
    """A name for an identity. A name that is too long to compare is replaced by its length."""
    return f"[{name}].map(text, text.size() > {LONGEST_NAME} ? '(' + string(text.size()) + ' characters)' : text)[0]"


DEVICE_NAME: Final = (
    "it.?deviceName.orValue('') != '' ? it.deviceName"
    " : it.?claimName.orValue('') != '' ? it.claimName : 'of a resource claim'"
)
"""The resource that a GPU or host device refers to."""
