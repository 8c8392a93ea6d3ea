"""KubeVirt compares the name of the annotation that allows live migration with bridge binding letter by letter."""

from collections.abc import Iterable, Iterator

from webhook.facts.migration import MigrationFacts
from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE as OVERRIDE
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.path import FieldPath
from webhook.objects.shown import shown
from webhook.rules.rule import MIGRATION_GUIDE, About, Example, Outcome, Rule, Severity, Violation

_BRIDGE = "{domain: {devices: {interfaces: [{name: default, bridge: {}}]}}, networks: [{name: default, pod: {}}]}"
_IN_VM = "{runStrategy: Always}"
_SHORTER = "kubevirt.io/allow-pod-bridge-live-migration"
_SIMILAR = 0.85


def check(facts: MigrationFacts) -> Iterator[Outcome]:
    if OVERRIDE in facts.annotations or not (facts.annotations or facts.outer_annotations):
        return
    own = (*facts.base[:-1], "metadata", "annotations")
    for key in _misspelt(facts.annotations):
        yield _violation(facts.at_annotation(key), key, f"Write {OVERRIDE}.")
    if facts.base != ("spec",) and OVERRIDE not in facts.outer_annotations:
        for key in _misspelt(facts.outer_annotations):
            yield _violation(("metadata", "annotations", key), key, f"Write {OVERRIDE} in {'.'.join(map(str, own))}.")


def _violation(path: FieldPath, key: str, remedy: str) -> Violation:
    return Violation(
        path,
        f"annotation {shown(key)} is misspelt, so KubeVirt does not allow live migration with bridge binding",
        f"annotation {key}",
        remedy,
    )


def _misspelt(annotations: Iterable[str]) -> list[str]:
    """The names that resemble the annotation's name, sorted. Upper case, hyphens and the prefix do not matter."""
    return sorted(key for key in annotations if key != OVERRIDE and "bridge" in key.lower() and _resembles(key))


def _resembles(key: str) -> bool:
    prefix, _, name = _letters(key).rpartition("/")
    if prefix and not prefix.endswith("kubevirt.io"):
        return False
    return bool(close_matches(name, [_letters(OVERRIDE).rpartition("/")[2]], cutoff=_SIMILAR))


def _letters(key: str) -> str:
    return key.lower().replace("-", "").replace("_", "")


RULE = Rule(
    id="LM106",
    name="bridge-annotation-misspelt",
    about=About.VMI,
    severity=Severity.WARNING,
    summary="The name of the annotation that allows live migration with bridge binding is misspelt.",
    rationale=(
        f"KubeVirt looks up annotation {OVERRIDE} by its exact name. KubeVirt ignores an annotation with a similar name."
    ),
    remediation=f"Write {OVERRIDE}.",
    source="staging/src/kubevirt.io/api/core/v1/types.go AllowPodBridgeNetworkLiveMigrationAnnotation, v1.9.0",
    reference=MIGRATION_GUIDE,
    check=check,
    examples=(
        Example("the right name", _BRIDGE, annotations={OVERRIDE: ""}),
        Example("the correct name beside a misspelt name", _BRIDGE, annotations={OVERRIDE: "", _SHORTER: ""}),
        Example("an annotation of another project", _BRIDGE, annotations={f"example.com/{_SHORTER[12:]}": ""}),
        Example("another annotation of KubeVirt", _BRIDGE, annotations={"kubevirt.io/allow-bridge": ""}),
        Example(
            "a name without 'network'",
            _BRIDGE,
            annotations={_SHORTER: "true"},
            vm_spec=_IN_VM,
            violates=(f"spec.template.metadata.annotations[{_SHORTER}]",),
        ),
        Example(
            "a name without its prefix",
            _BRIDGE,
            annotations={"allow-pod-bridge-network-live-migration": ""},
            vm_spec=_IN_VM,
            violates=("spec.template.metadata.annotations.allow-pod-bridge-network-live-migration",),
        ),
        Example(
            "a name in camel case",
            _BRIDGE,
            annotations={"kubevirt.io/allowPodBridgeNetworkLiveMigration": ""},
            vm_spec=_IN_VM,
            violates=("spec.template.metadata.annotations[kubevirt.io/allowPodBridgeNetworkLiveMigration]",),
        ),
        Example(
            "a misspelt name on the VirtualMachine",
            _BRIDGE,
            outer_annotations={_SHORTER: ""},
            violates=(f"metadata.annotations[{_SHORTER}]",),
        ),
    ),
)
