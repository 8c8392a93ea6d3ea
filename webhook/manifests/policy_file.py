"""The policy file. Unknown keys and wrong types are errors, which name file, line and key."""

from pathlib import Path

import msgspec

from webhook.errors import Misconfigured
from webhook.kubevirt.schema.spelling import close_matches
from webhook.manifests.policy_faults import faults_of
from webhook.manifests.typed import read_own_file
from webhook.objects.meta import Json
from webhook.objects.type_errors import TypeFault
from webhook.policy.policy import Account, Action, Exemption, NamespacePolicy, Policy, Profile

REMEDY = "Correct the policy file. docs/policy.md lists all keys."
_KEYS = sorted({key for part in (Policy, NamespacePolicy, Exemption, Account) for key in part.__struct_encode_fields__})


def read_policy(path: Path) -> Policy:
    """Reads the policy in a YAML or JSON file. Raises Misconfigured."""
    return parse_policy(policy_content(path), str(path))


def policy_content(path: Path) -> bytes:
    """The content of a policy file. Raises Misconfigured if the file cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"policy file {path} cannot be read: {error.strerror}", remedy="Check --policy.") from None


def parse_policy(content: bytes, source: str) -> Policy:
    """
    Returns the policy in ``content``, or the built-in policy if ``content`` is empty. Raises Misconfigured with file, line and
    key for an invalid policy.
    """
    file = read_own_file(content, source, what="policy", remedy=REMEDY)
    if file is None:
        return Policy()
    policy = file.read(_convert, _describe)
    faults = faults_of(policy)
    if faults:
        path, message = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise file.error(path, message + more)
    return policy


def _convert(value: Json) -> Policy:
    return msgspec.convert(value, Policy)


def _describe(fault: TypeFault) -> tuple[str, str]:
    """Returns the message for a wrong type. The message can contain a value, because a policy file contains no secrets."""
    last = str(fault.place[-1]) if fault.place else ""
    if fault.unknown_key:
        close = close_matches(last, _KEYS)
        return fault.message + (f"; did you mean {close[0]}?" if close else ""), ""
    if fault.invalid_choice:
        known = tuple(Profile if last == "profile" else Action)
        return f"{fault.message}, expected {', '.join(known[:-1])} or {known[-1]}", ""
    if fault.got == "bool":
        return f"{fault.message}; quote words that YAML reads as booleans, as in 'off'", ""
    return fault.message, ""
