"""
The features of a VMI that rules need. The rules that need an absent feature cannot report anything, and are not called.

A set of features is an integer, because sets of enumeration members take longer than most rules.
"""

from typing import Final, TypeAlias

from webhook.facts.migration import MigrationFacts
from webhook.facts.unknown import Unknown

Features: TypeAlias = int
"""A set of features. The union of two sets is ``one | other``."""


class Feature:
    """The features, each as a set."""

    ANY: Final[Features] = 1 << 0
    """Every object of any rule has this feature."""
    OTHER_BINDING: Final[Features] = 1 << 1
    """No interface on the pod network, or one without masquerade."""
    PORTS: Final[Features] = 1 << 2
    """An interface lists ports or ranges of ports."""
    POD_NETWORK_ALONE: Final[Features] = 1 << 3
    """The pod network has no interface."""
    ANNOTATIONS: Final[Features] = 1 << 4
    """The VMI has annotations."""
    OUTER_ANNOTATIONS: Final[Features] = 1 << 5
    """The object that contains the VMI has annotations."""
    UNSHARED_CLAIMS: Final[Features] = 1 << 6
    """A claim that virt-handler checks is not known to have ReadWriteMany."""
    OVERLAID_CLAIMS: Final[Features] = 1 << 7
    """A claim is the base of an ephemeral volume."""
    STATE_CLAIM: Final[Features] = 1 << 8
    """A claim for persistent TPM or EFI state."""
    TEMPLATES: Final[Features] = 1 << 9
    """The VM has ``dataVolumeTemplates``."""
    HOST_DISKS: Final[Features] = 1 << 10
    """A volume is a hostDisk."""
    UTILITY_VOLUMES: Final[Features] = 1 << 11
    """The VMI has ``utilityVolumes``."""
    FILESYSTEMS: Final[Features] = 1 << 12
    """The VMI has ``filesystems``."""
    DISK_CACHE: Final[Features] = 1 << 13
    """A disk sets ``cache``."""
    LUNS: Final[Features] = 1 << 14
    """A disk is a LUN."""
    HOST_DEVICES: Final[Features] = 1 << 15
    """The VMI has host devices."""
    GPUS: Final[Features] = 1 << 16
    """The VMI has GPUs."""
    HOST_MODEL: Final[Features] = 1 << 17
    """The CPU model is host-model, or it is not known."""
    LAUNCH_SECURITY: Final[Features] = 1 << 18
    """The VMI has ``launchSecurity``."""
    REENLIGHTENMENT: Final[Features] = 1 << 19
    """``hyperv.reenlightenment`` is on."""
    HYPERV_PASSTHROUGH: Final[Features] = 1 << 20
    """The VMI has ``hypervPassthrough``."""
    ISOLATED_EMULATOR_THREAD: Final[Features] = 1 << 21
    """The VMI has dedicated CPUs and an isolated emulator thread."""
    CRASHING_PREFERENCE: Final[Features] = 1 << 22
    """The preference has CPU features that virt-api cannot add."""
    HIDDEN: Final[Features] = 1 << 23
    """The instancetype or preference is not known."""
    CONFLICTS: Final[Features] = 1 << 24
    """The VM and its instancetype set the same field."""


def features_of(facts: MigrationFacts) -> Features:
    """The features of a VMI."""
    found = _features_of_spec(facts)
    on_pod = facts.pod_interface
    if on_pod is None and facts.pod_network is not None:
        found |= Feature.POD_NETWORK_ALONE
    if on_pod is None or on_pod.value.masquerade is None:
        found |= Feature.OTHER_BINDING
    for interface in facts.interfaces:
        if interface.ports or interface.port_ranges:
            found |= Feature.PORTS
    if facts.annotations:
        found |= Feature.ANNOTATIONS
    if facts.outer_annotations:
        found |= Feature.OUTER_ANNOTATIONS
    for claim in facts.claims:
        modes = claim.access_modes
        if not isinstance(modes, frozenset) or "ReadWriteMany" not in modes:
            found |= Feature.UNSHARED_CLAIMS
    if facts.overlaid_claims:
        found |= Feature.OVERLAID_CLAIMS
    if facts.state_claim is not None:
        found |= Feature.STATE_CLAIM
    if facts.templates:
        found |= Feature.TEMPLATES
    if facts.host_devices:
        found |= Feature.HOST_DEVICES
    if facts.gpus:
        found |= Feature.GPUS
    model = facts.cpu_model
    if model == "host-model" or isinstance(model, Unknown):
        found |= Feature.HOST_MODEL
    if facts.launch_security is not None:
        found |= Feature.LAUNCH_SECURITY
    if facts.reenlightenment is not None:
        found |= Feature.REENLIGHTENMENT
    if facts.isolated_emulator_thread is not None:
        found |= Feature.ISOLATED_EMULATOR_THREAD
    if facts.crashing_preference is not None:
        found |= Feature.CRASHING_PREFERENCE
    if facts.hidden is not None:
        found |= Feature.HIDDEN
    if facts.conflicts:
        found |= Feature.CONFLICTS
    return found


def _features_of_spec(facts: MigrationFacts) -> Features:
    """The features that rules read from the written spec."""
    found = Feature.ANY
    spec = facts.spec
    for volume in spec.volumes or ():
        if volume.host_disk is not None:
            found |= Feature.HOST_DISKS
    if spec.utility_volumes:
        found |= Feature.UTILITY_VOLUMES
    domain = spec.domain
    if domain is None:
        return found
    if domain.features is not None and domain.features.hyperv_passthrough is not None:
        found |= Feature.HYPERV_PASSTHROUGH
    devices = domain.devices
    if devices is None:
        return found
    if devices.filesystems:
        found |= Feature.FILESYSTEMS
    for disk in devices.disks or ():
        if disk.cache is not None:
            found |= Feature.DISK_CACHE
        if disk.lun is not None:
            found |= Feature.LUNS
    return found
