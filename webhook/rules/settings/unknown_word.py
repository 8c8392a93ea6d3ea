"""A field of the KubeVirt CR has a word that neither the CRD nor KubeVirt's webhooks check."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for word in facts.unknown_words:
        lower = {one.lower(): one for one in word.words}
        close = close_matches(word.value.lower(), lower)
        yield Violation(
            word.path,
            f"{word.path[-1]} {shown(word.value)} is unknown: {word.effect}",
            f"{'.'.join(map(str, word.path))} {shown(word.value)}",
            f"Did you mean {lower[close[0]]}?" if close else f"Write {' or '.join(word.words)}, or remove the field.",
        )


def _binding(settings: str) -> str:
    return f"{{configuration: {{network: {{binding: {{passt: {{{settings}}}}}}}}}}}"


def _patch(kind: str) -> str:
    patch = f"{{resourceType: DaemonSet, resourceName: virt-handler, type: {kind}, patch: '{{}}'}}"
    return f"{{customizeComponents: {{patches: [{patch}]}}}}"


_AT = "configuration.network.binding.passt"
RULE = Rule(
    id="LM648",
    name="unknown-word",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="A field of the KubeVirt CR has a word that KubeVirt does not know.",
    rationale=(
        "The CRD does not list the valid words of these fields, so the API server accepts any text. The effect of a wrong "
        "word depends on the field: KubeVirt ignores it, reads it as another word, or cannot be updated."
    ),
    remediation="Write a valid word, or remove the field.",
    source=(
        "pkg/virt-operator/webhooks/webhook.go, pkg/virt-operator/resource/apply/patches.go applyPatch, "
        "pkg/virt-launcher/virtwrap/live-migration-target.go interfacesToReconnect, "
        "pkg/network/domainspec/interface.go DomainAttachmentByInterfaceName, v1.3.1 to v1.9.0"
    ),
    reference="https://kubevirt.io/user-guide/cluster_admin/customize_components/",
    check=check,
    examples=(
        Example("a valid uninstallStrategy", "{uninstallStrategy: BlockUninstallIfWorkloadsExist}"),
        Example("a valid pull policy", "{imagePullPolicy: IfNotPresent}"),
        Example("a binding that refreshes the link", _binding("migration: {method: link-refresh}")),
        Example("a binding without a method", _binding("domainAttachmentType: managedTap, migration: {}")),
        Example("an empty word, which means the default", "{uninstallStrategy: '', imagePullPolicy: ''}"),
        Example("a valid patch", _patch("strategic")),
        Example("the wrong case", "{uninstallStrategy: removeWorkloads}", violates=("uninstallStrategy",)),
        Example("a pull policy in lower case", "{imagePullPolicy: always}", violates=("imagePullPolicy",)),
        Example(
            "a misspelt method",
            _binding("migration: {method: linkRefresh}"),
            violates=(f"{_AT}.migration.method",),
        ),
        Example(
            "an attachment in the wrong case",
            _binding("domainAttachmentType: Tap"),
            violates=(f"{_AT}.domainAttachmentType",),
        ),
        Example("an unknown patch type", _patch("jsonpatch"), violates=("customizeComponents.patches[0].type",)),
    ),
)
