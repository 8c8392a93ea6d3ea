"""An amount that is none: Kubernetes knows ``2G`` and ``2Gi``, and no ``2GB``."""

import re
from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.kubevirt.quantity import takes
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, spec: {{template: {{spec: {}}}}}}}"
_CLAIM = (
    "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, "
    "spec: {{dataVolumeTemplates: [{{metadata: {{name: os}}, spec: {{storage: {{resources: {{requests: {}}}}}}}}}]}}}}"
)
_AMOUNT = r"([+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+))([kmgtpe]?)(i?)(?:b|bytes?)?"
"""What people write: any case, a comma, a unit of bytes; spaces are out."""
_UNITS = "kmgtpe"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    for each in facts.quantities:
        field = next(step for step in reversed(each.path) if isinstance(step, str))
        value = shown(each.value)
        what = "is no quantity" if isinstance(each.value, str) else "is a number that the API takes only in quotes"
        message = f"{field} {what}: {value}"
        yield Violation(each.path, message, f"{field} {each.value}", _remedy(each.value))


def _remedy(value: str | float) -> str:
    if not isinstance(value, str):
        return f'Write "{value}", in quotes.'
    meant = _meant(value)
    if len(meant) == 1:
        return f"Write {meant[0]}."
    if meant:
        power = _UNITS.index(meant[0][-1].lower()) + 1
        return f"Write {meant[1]} (1024^{power} each), or {meant[0]} (1000^{power} each)."
    return "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."


def _meant(text: str) -> list[str]:
    """The quantities that the text was probably meant to be: one, or one of thousands and one of 1024s, or none."""
    bare = "".join(text.split())
    if takes(bare):
        return [bare]
    found = re.fullmatch(_AMOUNT, bare, re.IGNORECASE)
    if found is None or re.search(r",[0-9]{3}(?![0-9])", bare):  # a comma between thousands, or for decimals: who knows
        return []
    number, unit, binary = found[1].replace(",", "."), found[2].upper(), found[3].lower()
    thousands = f"{number}{'k' if unit == 'K' else unit}"
    meant = [f"{number}{unit}i"] if binary else [thousands, f"{number}{unit}i"] if unit else [number]
    return meant if all(map(takes, meant)) else []


RULE = Rule(
    id="LM806",
    name="unreadable-quantity",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="An amount of memory, CPU or storage is none that Kubernetes reads.",
    rationale=(
        "A quantity is a number and one of the units n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, without a space and "
        "without B for bytes. The API server refuses other text by the pattern in KubeVirt's definitions, and numbers "
        'that are not whole: `cpu: 0.5` is taken from a pod, and from a VM only as `"0.5"` or `500m`. Exponents with a point '
        "(`1e3.5`) fit the pattern, and KubeVirt's own webhooks refuse them. What something fills in later, such as "
        "`${MEMORY}`, is not judged."
    ),
    remediation="Write a number and its unit without a space, such as 2Gi, 500M or 500m.",
    source="pkg/virt-operator/resource/generate/components/validations_generated.go, v1.3.1 and v1.9.0",
    reference="https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    check=check,
    examples=(
        Example("a quantity", _VM.format("{domain: {memory: {guest: 2Gi}}}")),
        Example(
            "bytes as a unit",
            _VM.format("{domain: {memory: {guest: 2GB}}}"),
            violates=("spec.template.spec.domain.memory.guest",),
        ),
        Example(
            "a space, and a fraction without quotes",
            _VM.format("{domain: {resources: {requests: {memory: 2 Gi, cpu: 0.5}}}}"),
            violates=(
                "spec.template.spec.domain.resources.requests.cpu",
                "spec.template.spec.domain.resources.requests.memory",
            ),
        ),
        Example(
            "whole numbers, and fractions of other spelling",
            _VM.format("{domain: {resources: {requests: {memory: 1e9, cpu: 500m}, limits: {cpu: '0.5'}}}}"),
        ),
        Example(
            "a claim of a template",
            _CLAIM.format("{storage: 10GiB}"),
            violates=("spec.dataVolumeTemplates[0].spec.storage.resources.requests.storage",),
        ),
        Example("an amount that is filled in later", _CLAIM.format("{storage: '${SIZE}'}")),
    ),
)
