"""A rule in CEL, which API servers evaluate themselves. It must agree with ``check``."""

from typing import Final

import msgspec

from webhook.kubevirt.releases import NONE, Releases


class Cel(msgspec.Struct, frozen=True):
    """
    One kind of violation that a rule sees in nothing but the object; a rule may have several.

    ``path``, ``message`` and ``identity`` are templates: braces hold CEL over ``it``, the entry in question. A property
    against a real API server holds them equal to what ``check`` yields.
    """

    among: str
    """The list that holds the entries, by the name that the policy's variables give it, e.g. ``gpus``."""
    path: str
    """Relative to the VMI spec for rules about VMIs, else to the object. ``{index}`` is the entry's index."""
    message: str
    identity: str
    """The subject of the violation, which the ratchet compares. ``known`` bounds its cost."""
    violates: str = "true"
    """When an entry is a violation, in CEL over ``it``."""
    unsure_in: Releases = NONE
    """The releases in which KubeVirt's answer depends on other objects unless ``certain`` holds."""
    certain: str = "true"
    """In CEL over the policy's variables: whether KubeVirt refuses whatever other objects say."""


LONGEST_NAME: Final = 253
"""The cost of an expression grows with the text that it concatenates, and most definitions bound no name."""


def shown(name: str) -> str:
    """A name as messages show it: definitions allow control characters, which a terminal would interpret."""
    return (
        f"[{name}].map(text, text.size() > {LONGEST_NAME} ? '(longer than {LONGEST_NAME} characters)'"
        " : text.matches('^[ -~]*$') ? text : '(unprintable)')[0]"
    )


def known(name: str) -> str:
    """A name as part of an identity: unchanged, but for those that are too long to compare."""
    return f"[{name}].map(text, text.size() > {LONGEST_NAME} ? '(' + string(text.size()) + ' characters)' : text)[0]"


DEVICE_NAME: Final = (
    "it.?deviceName.orValue('') != '' ? it.deviceName"
    " : it.?claimName.orValue('') != '' ? it.claimName : 'of a resource claim'"
)
"""What a GPU or host device refers to."""
