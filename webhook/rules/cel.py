"""The part of a rule that API servers evaluate without the webhook, in CEL. The CEL must agree with the rule's ``check``."""

from typing import Final

import msgspec

from webhook.kubevirt.releases import NONE, Releases


class Cel(msgspec.Struct, frozen=True):
    """
    One kind of violation that depends only on the object itself. A rule can have several kinds of violations.

    ``path``, ``message`` and ``identity`` are templates with CEL expressions in braces. In an expression, ``it`` is the list
    entry. A property test with a real API server compares the results with the outcomes of ``check``.
    """

    among: str
    """The variable of the policy that contains the list, for example ``gpus``."""
    path: str
    """
    The path of the field, relative to the VMI's spec (rules about VMIs) or to the object (other rules). ``{index}`` is the
    entry's index.
    """
    message: str
    identity: str
    """
    The subject of the violation. This text is used to compare the violations of the old and the new object. ``bounded`` limits
    the cost.
    """
    violates: str = "true"
    """The condition under which an entry is a violation, in CEL over ``it``."""
    unsure_in: Releases = NONE
    """The releases in which KubeVirt's verdict depends on other objects, unless ``certain`` is true."""
    certain: str = "true"
    """A CEL expression over the policy's variables: whether KubeVirt refuses the object regardless of other objects."""


LONGEST_NAME: Final = 253
"""
The maximum length of a name in a text. The CEL cost grows with the text, and most of KubeVirt's CRDs do not limit the length of
names.
"""


def printable(name: str) -> str:
    """
    The CEL expression for a name in a message. A name with control characters, which KubeVirt's CRDs allow, becomes
    ``(unprintable)``.
    """
    return (
        f"[{name}].map(text, text.size() > {LONGEST_NAME} ? '(longer than {LONGEST_NAME} characters)'"
        " : text.matches('^[ -~]*$') ? text : '(unprintable)')[0]"
    )


def bounded(name: str) -> str:
    """The CEL expression for a name in an identity. A name that is too long to compare is replaced by the length of the name."""
    return f"[{name}].map(text, text.size() > {LONGEST_NAME} ? '(' + string(text.size()) + ' characters)' : text)[0]"


DEVICE_NAME: Final = (
    "it.?deviceName.orValue('') != '' ? it.deviceName"
    " : it.?claimName.orValue('') != '' ? it.claimName : 'of a resource claim'"
)
"""The CEL expression for the resource that a GPU or host device refers to."""
