"""The policy file: strict, with errors that name file, line and key."""

from pathlib import Path

import msgspec

from webhook.errors import BadInput, Misconfigured
from webhook.kubevirt.schema.spelling import close_matches
from webhook.manifests.policy_faults import faults_of
from webhook.manifests.typed import misfit
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath, dotted
from webhook.policy.policy import Account, Action, Exemption, NamespacePolicy, Policy, Profile
from webhook.yaml.document import Document, read_documents

REMEDY = "Correct it; docs/policy.md lists all keys."
_KEYS = sorted({key for part in (Policy, NamespacePolicy, Exemption, Account) for key in part.__struct_encode_fields__})


def read_policy(path: Path) -> Policy:
    """The policy in a YAML or JSON file. Raises Misconfigured with file, line and key for whatever is wrong."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Misconfigured(f"policy file {path} cannot be read: {error.strerror}", remedy="Check --policy.") from None
    return parse_policy(content, str(path))


def parse_policy(content: bytes, source: str) -> Policy:
    """The policy in ``content``; an empty file is the built-in one. Raises Misconfigured."""
    try:
        documents = read_documents(content, source)
    except BadInput as error:
        where = f"{source}:{error.line}" if error.line else source
        raise Misconfigured(f"{where}: {error.message}", remedy=error.remedy) from None
    if len(documents) > 1:
        raise Misconfigured(f"{source} holds {len(documents)} documents", remedy="Write one policy in the file.")
    if not documents or documents[0].value is None:
        return Policy()
    document = documents[0]
    try:
        policy = _convert(document.value)
    except msgspec.ValidationError as error:
        text, path = misfit(document.value, error, _convert)
        raise _wrong(source, document, path, _in_words(text, path)) from None
    faults = faults_of(policy)
    if faults:
        path, message = faults[0]
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise _wrong(source, document, path, message + more)
    return policy


def _convert(value: Json) -> Policy:
    return msgspec.convert(value, Policy)


def _wrong(source: str, document: Document, path: FieldPath, message: str) -> Misconfigured:
    key = f"{dotted(path)}: " if path else ""
    return Misconfigured(f"{source}:{document.mark(path).line}: {key}{message}", remedy=REMEDY)


def _in_words(text: str, path: FieldPath) -> str:
    """msgspec's few sentences, in words of a policy file; whoever writes one may read its values again."""
    last = str(path[-1]) if path else ""
    if "unknown field" in text:
        close = close_matches(last, _KEYS)
        return "there is no such key" + (f"; did you mean {close[0]}?" if close else "")
    if text.startswith("invalid enum value"):
        known = tuple(Profile if last == "profile" else Action)
        return (
            f"invalid value {text.removeprefix('invalid enum value ')}, expected {', '.join(known[:-1])} or {known[-1]}"
        )
    if text.endswith("got true or false"):
        return f"{text}: quote words that YAML takes for true or false, as in 'off'"
    return text.replace("object missing required field", "missing key")
