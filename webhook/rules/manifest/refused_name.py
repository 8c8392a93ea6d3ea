"""Kubernetes rejects names with capital letters, underscores and spaces."""

import re
from collections.abc import Callable, Iterator, Mapping

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
    for field, is_valid in _FIELDS.items():
        value = facts.metadata.get(field)
        if not isinstance(value, str) or not value or is_valid(value) or _has_placeholder(value):
            continue
        meant = _meant(value, field)
        remedy = f"Write {meant}." if meant else _PLAIN if field == "namespace" else _DOTTED
        message = f"invalid {field} {shown(value)}: Kubernetes rejects it"
        yield Violation(("metadata", field), message, f"{field} {value}", remedy)


def _has_placeholder(text: str) -> bool:
    return any(sign in text for sign in _PLACEHOLDERS)


def _is_name(text: str) -> bool:
    """Whether the text is a valid subdomain of RFC 1123 (``IsDNS1123Subdomain``)."""
    return len(text) <= _LONGEST_NAME and all(map(_is_part, text.split(".")))


def _is_label(text: str) -> bool:
    """Whether the text is a valid label of RFC 1123 (``IsDNS1123Label``)."""
    return len(text) <= _LONGEST_LABEL and _is_part(text)


def _is_part(text: str) -> bool:
    return bool(text) and not text.strip(_CHARACTERS) and text[0] != "-" and text[-1] != "-"


def _is_stem(text: str) -> bool:
    """Whether ``generateName`` is valid (``maskTrailingDash``) and results in valid names (``GenerateName``)."""
    masked = f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text
    return _is_name(masked) and _is_name(f"{text[:_LONGEST_STEM]}aaaaa")


_FIELDS: Mapping[str, Callable[[str], bool]] = {"name": _is_name, "generateName": _is_stem, "namespace": _is_label}
"""The fields with names, and the function that returns whether a name is valid."""


def _meant(text: str, field: str) -> str:
    """The valid name that is closest to the text, or an empty text if there is none."""
    words = re.sub(r"[^a-z0-9]+" if field == "namespace" else r"[^a-z0-9.]+", "-", text.lower())
    name = ".".join(part.strip("-") for part in words.split(".") if part.strip("-"))
    if field == "generateName" and name:
        name += "-"
    return name if _FIELDS[field](name) else ""


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
