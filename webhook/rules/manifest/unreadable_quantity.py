"""A quantity is a number with a Kubernetes unit, such as ``2G`` or ``2Gi``. The unit in ``2GB`` is not valid."""

import re
from collections.abc import Iterator

from webhook.facts.manifest import ManifestFacts
from webhook.objects.quantity import accepts
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_VM = "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, spec: {{template: {{spec: {}}}}}}}"
_CLAIM = (
    "{{apiVersion: kubevirt.io/v1, kind: VirtualMachine, "
    "spec: {{dataVolumeTemplates: [{{metadata: {{name: os}}, spec: {{storage: {{resources: {{requests: {}}}}}}}}}]}}}}"
)
_AMOUNT = r"([+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+))([kmgtpe]?)(i?)(?:b|bytes?)?"
"""The pattern of quantities with common mistakes: wrong case, a comma, the letter B. Spaces are removed before the match."""
_UNITS = "kmgtpe"


def check(facts: ManifestFacts) -> Iterator[Outcome]:
    for strange in facts.quantities:
        field = next(step for step in reversed(strange.path) if isinstance(step, str))
        message = f"{field} {shown(strange.value)} is not a valid quantity"
        if not isinstance(strange.value, str):
            message = f"{field} {shown(strange.value)} must be in quotes, because it is not a whole number"
        yield Violation(strange.path, message, f"{field} {strange.value}", _remedy(strange.value))


def _remedy(value: str | float) -> str:
    if not isinstance(value, str):
        return f'Write "{value}", in quotes.'
    meant = _meant(value)
    if len(meant) == 1:
        return f"Write {meant[0]}."
    if meant:
        power = _UNITS.index(meant[0][-1].lower()) + 1
        return f"Write {meant[1]} (units of 1024^{power}), or {meant[0]} (units of 1000^{power})."
    return "Write a number and its unit without a space, such as 2Gi, 500M or 0.5."


def _meant(text: str) -> list[str]:
    """The quantities that the text can mean: none, one, or two (one with units of 1000, one with units of 1024)."""
    bare = "".join(text.split())
    if accepts(bare):
        return [bare]
    amount = re.fullmatch(_AMOUNT, bare, re.IGNORECASE)
    if amount is None or re.search(r",[0-9]{3}(?![0-9])", bare):  # the comma can separate thousands or decimals
        return []
    number, unit, binary = amount[1].replace(",", "."), amount[2].upper(), amount[3].lower()
    thousands = f"{number}{'k' if unit == 'K' else unit}"
    meant = [f"{number}{unit}i"] if binary else [thousands, f"{number}{unit}i"] if unit else [number]
    return meant if all(map(accepts, meant)) else []


RULE = Rule(
    id="LM806",
    name="unreadable-quantity",
    about=About.MANIFEST,
    severity=Severity.WARNING,
    summary="An amount of memory, CPU or storage is not a valid quantity.",
    rationale=(
        "A quantity is a number and one of the units n, u, m, k, M, G, T, P, E, Ki, Mi, Gi, Ti, Pi, Ei, without a space and "
        "without B for bytes. The API server rejects other text by the pattern in KubeVirt's definitions. It also rejects "
        'numbers that are not whole: a pod may have `cpu: 0.5`, but a VM needs `"0.5"` or `500m`. Exponents with a point '
        "(`1e3.5`) match the pattern, but KubeVirt's own webhooks reject them. Placeholders, such as `${MEMORY}`, are not "
        "judged."
    ),
    remediation="Write a number and its unit without a space, such as 2Gi, 500M or 500m.",
    source="pkg/virt-operator/resource/generate/components/validations_generated.go, v1.3.1 and v1.9.0",
    reference="https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/",
    check=check,
    examples=(
        Example("a valid quantity", _VM.format("{domain: {memory: {guest: 2Gi}}}")),
        Example(
            "the letter B in the unit",
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
            "whole numbers, and fractions as text",
            _VM.format("{domain: {resources: {requests: {memory: 1e9, cpu: 500m}, limits: {cpu: '0.5'}}}}"),
        ),
        Example(
            "the size of a PVC",
            _CLAIM.format("{storage: 10GiB}"),
            violates=("spec.dataVolumeTemplates[0].spec.storage.resources.requests.storage",),
        ),
        Example("a placeholder", _CLAIM.format("{storage: '${SIZE}'}")),
    ),
)
