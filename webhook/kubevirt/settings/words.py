"""
Fields of the KubeVirt CR for words that neither the CRD nor KubeVirt's webhooks check. A wrong word has an effect of its own.

Sources: ``pkg/virt-operator/webhooks/webhook.go`` KubeVirtDeletionAdmitter, ``pkg/virt-operator/resource/apply/patches.go``
applyPatch, ``pkg/virt-launcher/virtwrap/live-migration-target.go`` interfacesToReconnect and
``pkg/network/domainspec/interface.go`` DomainAttachmentByInterfaceName, v1.3.1 to v1.9.0. Kubernetes checks the pull policy of
the Deployments that virt-operator writes.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from webhook.facts.settings import UnknownWord
from webhook.objects.kubevirt import KubeVirt
from webhook.objects.path import FieldPath

_WORDS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "uninstallStrategy": (
        ("RemoveWorkloads", "BlockUninstallIfWorkloadsExist"),
        "KubeVirt refuses to delete the CR while there are VMs, as for BlockUninstallIfWorkloadsExist",
    ),
    "imagePullPolicy": (
        ("Always", "IfNotPresent", "Never"),
        "Kubernetes refuses the Deployments of virt-operator, so KubeVirt is neither installed nor updated",
    ),
    "type": (
        ("json", "merge", "strategic"),
        "virt-operator cannot apply the patch, so KubeVirt is neither installed nor updated",
    ),
    "domainAttachmentType": (
        ("tap", "managedTap"),
        "KubeVirt creates no tap device, and VMs with this binding have no such interface",
    ),
    "method": (
        ("link-refresh",),
        "KubeVirt does not refresh the link after a live migration, and guests keep an old address",
    ),
}
"""The valid words of each field, and the effect of any other word."""
_BINDINGS: Final[FieldPath] = ("spec", "configuration", "network", "binding")


def unknown_words(cr: KubeVirt) -> Iterator[UnknownWord]:
    """The words that KubeVirt does not know. An empty text means the default."""
    for path, value in _written(cr):
        words, effect = _WORDS[str(path[-1])]
        if value and value not in words:
            yield UnknownWord(path, value, words, effect)


def _written(cr: KubeVirt) -> Iterator[tuple[FieldPath, str | None]]:
    spec, configuration = cr.spec, cr.spec.configuration
    yield ("spec", "uninstallStrategy"), spec.uninstall_strategy
    yield ("spec", "imagePullPolicy"), spec.image_pull_policy
    patches = spec.customize_components.patches if spec.customize_components is not None else None
    for index, patch in enumerate(patches or ()):
        yield ("spec", "customizeComponents", "patches", index, "type"), patch.type
    network = configuration.network if configuration is not None else None
    for name, binding in ((network.binding if network is not None else None) or {}).items():
        yield (*_BINDINGS, name, "domainAttachmentType"), binding.domain_attachment_type
        method = binding.migration.get("method") if isinstance(binding.migration, dict) else None
        yield (*_BINDINGS, name, "migration", "method"), method if isinstance(method, str) else None
