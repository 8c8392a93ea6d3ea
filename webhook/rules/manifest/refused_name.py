"""Kubernetes rejects names with capital letters, underscores and spaces."""

import re
from collections.abc import Iterator
from functools import lru_cache

from webhook.facts.manifest import ManifestFacts
from webhook.objects.kinds import find_kind
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {}, spec: {{}}}}"
_LONGEST_NAME, _LONGEST_LABEL, _LONGEST_STEM = 253, 63, 58
_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
_PLACEHOLDERS = ("$", "{{")
_DOTTED = (
    "Write at most 253 lower-case letters a to z, digits, '-' and '.'. Start and end each part between dots with a "
    "letter or digit."
)
_PLAIN = "Write at most 63 lower-case letters a to z, digits and '-'. Start and end with a letter or digit."


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    if find_kind(facts.api_version, facts.kind) is None:
        return
    for field in ("name", "generateName", "namespace"):
        value = facts.metadata.get(field)
        if not isinstance(value, str) or not value:
            continue
        is_dotted = field != "namespace"
        is_stem = field == "generateName"
        if (_is_stem(value) if is_stem else _is_name(value, is_dotted=is_dotted)) or _has_placeholder(value):
            continue
        meant = _meant(value, is_dotted=is_dotted, is_stem=is_stem)
        remedy = f"Write {meant}." if meant else _DOTTED if is_dotted else _PLAIN
        message = f"invalid {field} {shown(value)}: Kubernetes rejects it"
        yield Violation(("metadata", field), message, f"{field} {value}", remedy)


def _has_placeholder(text: str) -> bool:
    return any(sign in text for sign in _PLACEHOLDERS)


@lru_cache(maxsize=256)  # most objects have one of a few namespaces
def _is_name(text: str, *, is_dotted: bool) -> bool:
    """
    Whether the text is a valid subdomain of RFC 1123 (``IsDNS1123Subdomain``), or a valid label (``IsDNS1123Label``) if not
    ``is_dotted``.
    """
    if len(text) > (_LONGEST_NAME if is_dotted else _LONGEST_LABEL):
        return False
    for part in text.split(".") if is_dotted else (text,):
        if not part or part.strip(_CHARACTERS) or part[0] == "-" or part[-1] == "-":
            return False
    return True


def _is_stem(text: str) -> bool:
    """Whether ``generateName`` is valid (``maskTrailingDash``) and results in valid names (``GenerateName``)."""
    masked = f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text
    return _is_name(masked, is_dotted=True) and _is_name(f"{text[:_LONGEST_STEM]}aaaaa", is_dotted=True)


def _meant(text: str, *, is_dotted: bool, is_stem: bool) -> str:
    """The valid name that is closest to the text, or an empty text if there is none."""
    words = re.sub(r"[^a-z0-9.]+" if is_dotted else r"[^a-z0-9]+", "-", text.lower())
    name = ".".join(part.strip("-") for part in words.split(".") if part.strip("-"))
    if is_stem and name:
        name += "-"
    return name if (_is_stem(name) if is_stem else _is_name(name, is_dotted=is_dotted)) else ""


RULE = Rule(
    id="LM807",
    name="refused-name",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="Kubernetes rejects the name or namespace.",
    rationale=(
        "Host names and labels contain these names, so the API server rejects capital letters, underscores and spaces. By "
        "RFC 1123, `metadata.name` and `metadata.generateName` are subdomains, and namespaces are labels. Placeholders, such "
        "as `${NAME}`, are not judged."
    ),
    remediation="Write a name of lower-case letters, digits and dashes, such as `name: web-1`.",
    source="ValidateObjectMetaAccessor of k8s.io/apimachinery, pkg/api/validation/objectmeta.go, v0.34.2",
    reference="https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
    check=check,
    examples=(
        Example("a valid name and namespace", _VM.format("{name: web-1, namespace: tenant}")),
        Example("a capital letter and an underscore", _VM.format("{name: Web_1}"), violates=("metadata.name",)),
        Example("a namespace with a dot", _VM.format("{name: a, namespace: team.a}"), violates=("metadata.namespace",)),
        Example("a valid generateName", _VM.format("{generateName: web-}")),
        Example("an invalid generateName", _VM.format("{generateName: Web_}"), violates=("metadata.generateName",)),
        Example("a placeholder", _VM.format("{name: '${NAME}'}")),
    ),
)
