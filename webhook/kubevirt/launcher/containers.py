"""
The containers of a launcher pod beside ``compute``.

Source: ``renderLaunchManifest`` of ``pkg/virt-controller/services/template.go``, ``pkg/container-disk/container-disk.go``,
``serialconsolelog.go`` and ``virtiofs.go``, v1.3.1 to v1.9.0. This module does no I/O.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from webhook.kubevirt.launcher.quantities import Amounts, all_written, nano
from webhook.kubevirt.launcher.surroundings import Surroundings, gate_is_on
from webhook.kubevirt.launcher.traits import guaranteed_or_dedicated
from webhook.objects.launcher_vmi import LauncherVMI
from webhook.objects.meta import Quantity
from webhook.objects.pods import Container, ResourceNeeds

HOOKS: Final = "hooks.kubevirt.io/hookSidecars"
"""The annotation of a VMI with the list of its hook sidecars."""
_KERNEL_BOOT: Final = "kernel-boot-volume"
"""The name of the volume with the kernel (``KernelBootVolumeName``)."""
_EPHEMERAL_STORAGE: Final = nano("50M")


class Figures(msgspec.Struct, frozen=True):
    """The resources of a kind of container, before ``supportContainerResources`` of the KubeVirt CR."""

    type: str
    """The type in ``supportContainerResources``."""
    requests: Amounts
    limits: Amounts
    guaranteed: Amounts
    """The requests and limits in a pod whose requests equal its limits."""


def _both(cpu: str, memory: str) -> Amounts:
    return {"cpu": nano(cpu), "memory": nano(memory)}


_CONSOLE = Figures("guest-console-log", _both("5m", "35M"), _both("15m", "60M"), _both("15m", "60M"))
_DISK = Figures("container-disk", _both("1m", "1M"), _both("10m", "40M"), _both("10m", "40M"))
_DISK_BINARY = Figures("container-disk", _both("10m", "1M"), _both("100m", "40M"), _both("10m", "40M"))
_FILESYSTEM = Figures("virtiofs", _both("10m", "1M"), _both("100m", "80M"), _both("100m", "80M"))
_ATTACHMENT = Figures("hotplug-disk", _both("10m", "2M"), _both("100m", "80M"), {})
_SIDECAR = Figures("sidecar", {}, {}, _both("200m", "64M"))


def _resources(figures: Figures, vmi: LauncherVMI, around: Surroundings) -> ResourceNeeds:
    """The requests and limits of a container of the launcher pod."""
    return _configured(figures, around, is_guaranteed=guaranteed_or_dedicated(vmi, around.version))


def attachment_resources(around: Surroundings) -> ResourceNeeds:
    """The requests and limits of the container that attaches hotplugged volumes."""
    return _configured(_ATTACHMENT, around, is_guaranteed=False)


def _configured(figures: Figures, around: Surroundings, *, is_guaranteed: bool) -> ResourceNeeds:
    entries = [entry for entry in around.configuration.support_container_resources or () if entry.type == figures.type]
    limits = _first(entry.resources.limits for entry in entries if entry.resources is not None)
    if is_guaranteed:
        both = all_written(figures.guaranteed | limits)
        return ResourceNeeds(both, both)
    requests = _first(entry.resources.requests for entry in entries if entry.resources is not None)
    return ResourceNeeds(all_written(figures.requests | requests), all_written(figures.limits | limits))


def _first(lists: Iterable[Mapping[str, Quantity] | None]) -> Amounts:
    """The first amount of each resource that is not 0 (``GetSupportContainerRequest`` of ``pkg/virt-config/virt-config.go``)."""
    result: Amounts = {}
    for listed in lists:
        for name in ("cpu", "memory"):
            amount = nano((listed or {}).get(name, 0))
            if amount and name not in result:
                result[name] = amount
    return result


def _with_storage(needs: ResourceNeeds) -> ResourceNeeds:
    storage = all_written({"ephemeral-storage": _EPHEMERAL_STORAGE})
    return ResourceNeeds({**(needs.requests or {}), **storage}, needs.limits)


def containers(vmi: LauncherVMI, around: Surroundings, sidecars: int) -> Iterator[Container]:
    """The ordinary containers after ``compute``. ``sidecars`` is the number of hook sidecars."""
    if not gate_is_on(around, "ImageVolume"):
        disk = _with_storage(_resources(_DISK, vmi, around))
        yield from (Container(f"volume{name}", disk) for name, _ in container_disks(vmi))
    shared = {filesystem.name for filesystem in vmi.spec.domain.devices.filesystems or ()}
    for volume in vmi.spec.volumes or ():
        if volume.name in shared and (volume.container_path is None or around.version[:2] < (1, 8)):
            yield Container(f"virtiofs-{volume.name}", _resources(_FILESYSTEM, vmi, around))
    if logs_console(vmi, around) and around.version[:2] < (1, 6):
        yield Container("guest-console-log", _resources(_CONSOLE, vmi, around))
    for index in range(sidecars):
        yield Container(f"hook-sidecar-{index}", _resources(_SIDECAR, vmi, around))


def init_containers(vmi: LauncherVMI, around: Surroundings, *, digests_known: bool) -> Iterator[Container]:
    """The init containers. ``digests_known`` is whether the digests of the images of container disks are known."""
    if logs_console(vmi, around) and around.version[:2] >= (1, 6):
        yield Container("guest-console-log", _resources(_CONSOLE, vmi, around), restart_policy="Always")
    disks = tuple(name for name, _ in container_disks(vmi))
    if not disks:
        return
    needs = _with_storage(_resources(_DISK, vmi, around))
    if not gate_is_on(around, "ImageVolume"):
        yield Container("container-disk-binary", _resources(_DISK_BINARY, vmi, around))
        yield from (Container(f"volume{name}-init", needs) for name in disks)
    elif around.version[:2] >= (1, 7) and not digests_known:
        yield from (Container(f"volume{name}", needs) for name in disks)


def container_disks(vmi: LauncherVMI) -> Iterator[tuple[str, str]]:
    """The names and images of the volumes with a container disk, and the kernel last."""
    for volume in vmi.spec.volumes or ():
        if volume.container_disk is not None and volume.name != _KERNEL_BOOT:
            yield volume.name, volume.container_disk.image
    firmware = vmi.spec.domain.firmware
    if firmware is not None and firmware.kernel_boot is not None and firmware.kernel_boot.container is not None:
        yield _KERNEL_BOOT, firmware.kernel_boot.container.image


def logs_console(vmi: LauncherVMI, around: Surroundings) -> bool:
    """Whether a container logs the serial console (``isSerialConsoleLogEnabled``)."""
    devices, options = vmi.spec.domain.devices, around.configuration.virtual_machine_options
    if devices.autoattach_serial_console is False:
        return False
    if devices.log_serial_console is not None:
        return devices.log_serial_console
    return options is None or options.disable_serial_console_log is None
