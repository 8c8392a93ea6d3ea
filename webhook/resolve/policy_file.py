"""The policy file: strict, with errors that name line and key."""

from pathlib import Path

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.policy import Policy, check_policy
from webhook.resolve.kubeyaml import read_documents


def read_policy(path: Path) -> Policy:
    """The policy in a YAML or JSON file. Raises Misconfigured with file, line and key for whatever is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"policy file {path} cannot be read: {error.strerror}", remedy="Check --policy.") from None
    return parse_policy(content, str(path))


def parse_policy(content: bytes, source: str) -> Policy:
    """The policy in ``content``; an empty file is the built-in one."""
    try:
        documents = read_documents(content, source)
    except BadInput as error:
        raise Misconfigured(f"{source}:{error.line}: {error.message}", remedy=error.remedy) from None
    if len(documents) > 1:
        raise Misconfigured(f"{source} holds {len(documents)} documents", remedy="Write one policy in the file.")
    if not documents:
        return Policy()
    try:
        policy = msgspec.convert(documents[0].value, Policy)
    except msgspec.ValidationError as error:
        raise Misconfigured(f"{source}: {error}", remedy="Correct the key; docs/policy.md lists them all.") from None
    wrong = check_policy(policy)
    if wrong:
        raise Misconfigured(f"{source}: {wrong[0]}", remedy="Correct it; docs/policy.md lists all keys.")
    return policy
