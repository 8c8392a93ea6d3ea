"""A name that no object can have."""

import re
from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.kinds import find_kind
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, metadata: {}, spec: {{}}}}"
_LONGEST_NAME, _LONGEST_LABEL, _LONGEST_STEM = 253, 63, 58
_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"
_PLACEHOLDERS = ("$", "{{")
_DOTTED = (
    "Write at most 253 lower-case letters a to z, digits, '-' and '.'; each part between dots begins and ends with a letter "
    "or digit."
)
_PLAIN = "Write at most 63 lower-case letters a to z, digits and '-'; it begins and ends with a letter or digit."


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    if find_kind(facts.api_version, facts.kind) is None:
        return
    for field in ("name", "generateName", "namespace"):
        value = facts.metadata.get(field)
        if not isinstance(value, str) or not value or any(sign in value for sign in _PLACEHOLDERS):
            continue
        is_dotted = field != "namespace"
        is_stem = field == "generateName"
        if not (_is_stem(value) if is_stem else _is_name(value, is_dotted=is_dotted)):
            what = "begins no name" if is_stem else "is no name"
            meant = _meant(value, is_dotted=is_dotted, is_stem=is_stem)
            remedy = f"Write {meant}." if meant else _DOTTED if is_dotted else _PLAIN
            message = f"{field} {shown(value)} {what} that Kubernetes takes"
            yield Violation(("metadata", field), message, f"{field} {value}", remedy)


def _is_name(text: str, *, is_dotted: bool) -> bool:
    """RFC 1123: a subdomain (``IsDNS1123Subdomain``), or a label (``IsDNS1123Label``) where there may be no dots."""
    if len(text) > (_LONGEST_NAME if is_dotted else _LONGEST_LABEL):
        return False
    for part in text.split(".") if is_dotted else (text,):
        if not part or part.strip(_CHARACTERS) or part[0] == "-" or part[-1] == "-":
            return False
    return True


def _is_stem(text: str) -> bool:
    """It is judged with its last dash masked (``maskTrailingDash``), and what it is made to, as a name (``GenerateName``)."""
    masked = f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text
    return _is_name(masked, is_dotted=True) and _is_name(f"{text[:_LONGEST_STEM]}aaaaa", is_dotted=True)


def _meant(text: str, *, is_dotted: bool, is_stem: bool) -> str:
    """A name as near as can be, or nothing where that would not be one."""
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
    summary="A name or namespace is none that an object can have.",
    rationale=(
        "Names end up in host names and labels: the API server refuses capitals, underscores, spaces and much else "
        "(`metadata.name` and `metadata.generateName` by RFC 1123 as subdomains, namespaces as labels). What something fills in "
        "later, such as `${NAME}`, is not judged."
    ),
    remediation="Write lower-case letters, digits and dashes.",
    source="ValidateObjectMetaAccessor of k8s.io/apimachinery, pkg/api/validation/objectmeta.go, v0.34.2",
    reference="https://kubernetes.io/docs/concepts/overview/working-with-objects/names/",
    check=check,
    examples=(
        Example("a name", _VM.format("{name: web-1, namespace: tenant}")),
        Example("capitals and an underscore", _VM.format("{name: Web_1}"), violates=("metadata.name",)),
        Example("a namespace with a dot", _VM.format("{name: a, namespace: team.a}"), violates=("metadata.namespace",)),
        Example("the beginning of a name", _VM.format("{generateName: web-}")),
        Example("the beginning of no name", _VM.format("{generateName: Web_}"), violates=("metadata.generateName",)),
        Example("a name that is filled in later", _VM.format("{name: '${NAME}'}")),
    ),
)
