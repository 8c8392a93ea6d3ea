"""
The answer of KubeVirt's eviction webhook to the eviction of one pod, by patch release.

Source: ``pkg/virt-api/webhooks/validating-webhook/admitters/pod-eviction-admitter.go``, v1.3.0 to v1.9.0.
"""

from collections.abc import Mapping
from enum import Enum, StrEnum, auto
from typing import Final

import msgspec

from webhook.kubevirt.releases import Version
from webhook.objects.kubevirt import Configuration
from webhook.objects.meta import Json, Kubernetes, Read
from webhook.objects.pods import Pod
from webhook.objects.running import RunningVMI

Key = tuple[str, str]
"""Namespace and name."""

APP: Final = "kubevirt.io"
LAUNCHER: Final = "virt-launcher"
ATTACHMENT: Final = "hotplug-disk"
DOMAIN: Final = "kubevirt.io/domain"
"""The annotation of a launcher with the name of its VMI."""
EVICTION_SOURCE: Final = "kubevirt.io/eviction-source"
DESCHEDULER: Final = "descheduler"
TOO_MANY_REQUESTS: Final = 429
_REQUESTED_BY: Final = "requested-by"
_BY_DESCHEDULER: Final = "sigs.k8s.io/descheduler"

_COMPLETED_PASS: Final = Version(1, 3, 1)
_DRY_RUN_IN_BODY: Final = Version(1, 4, 0)
_REFUSES_LATER: Final = Version(1, 5, 0)
_PROTECTS_ATTACHMENTS: Final = Version(1, 6, 1)
_RECORDS_SOURCE: Final = Version(1, 7, 0)


class Strategy(StrEnum):
    """The eviction strategies. KubeVirt treats any other value as None."""

    NONE = "None"
    LIVE_MIGRATE = "LiveMigrate"
    IF_POSSIBLE = "LiveMigrateIfPossible"
    EXTERNAL = "External"


class Why(Enum):
    """The reason for an answer."""

    NOT_PROTECTED = auto()
    """The webhook does not protect the pod: no launcher, a finished launcher, or no pod."""
    STOPS = auto()
    """The strategy in force lets the eviction stop the VM."""
    NOT_MIGRATABLE = auto()
    MARKED = auto()
    """This request marks the VMI."""
    IN_PROGRESS = auto()
    """An earlier request has marked the VMI."""
    TARGET = auto()
    """The VMI does not run in this pod, which is the target pod of a migration."""
    ATTACHMENT = auto()
    NO_VMI = auto()


class DeleteOptions(Read, frozen=True):
    """The ``deleteOptions`` of an eviction."""

    dry_run: list[str] | None = None


class Eviction(Kubernetes, frozen=True):
    """policy Eviction, the body of the request."""

    delete_options: DeleteOptions | None = None

    @property
    def is_dry_run(self) -> bool:
        """Whether the body requests a dry run. Only the first entry of ``dryRun`` counts."""
        entries = self.delete_options.dry_run if self.delete_options is not None else None
        return (entries or [])[:1] == ["All"]


class Request(msgspec.Struct, frozen=True):
    """An eviction of the pod ``name``."""

    namespace: str
    name: str
    eviction: Eviction = Eviction()
    dry_run: bool = False
    """The field ``request.dryRun`` of the AdmissionReview."""


class Objects(msgspec.Struct, frozen=True):
    """The objects that the webhook reads."""

    pods: Mapping[Key, Pod]
    vmis: Mapping[Key, RunningVMI]
    configuration: Configuration = Configuration()


class Mark(msgspec.Struct, frozen=True):
    """The patch that the webhook sends for the VMI."""

    node: str
    is_annotated: bool
    """Whether the VMI has annotations already."""
    source: str = ""
    """The value of the annotation ``kubevirt.io/eviction-source``, or an empty text if the patch does not set it."""
    dry_run: bool = False

    @property
    def patch(self) -> list[dict[str, Json]]:
        """The JSON patch."""
        operations: list[dict[str, Json]] = [
            {"op": "add", "path": "/status/evacuationNodeName", "value": self.node},
        ]
        key = EVICTION_SOURCE.replace("/", "~1")
        if self.source and self.is_annotated:
            operations.append({"op": "replace", "path": f"/metadata/annotations/{key}", "value": self.source})
        elif self.source:
            # KubeVirt escapes the key, although it is no part of a path here
            operations.append({"op": "add", "path": "/metadata/annotations", "value": {key: self.source}})
        return operations


class Answer(msgspec.Struct, frozen=True):
    """The webhook's answer. A refusal has status 429 and a message."""

    why: Why
    message: str = ""
    mark: Mark | None = None

    @property
    def allowed(self) -> bool:
        """Whether the webhook lets the eviction pass. The API server then checks disruption budgets."""
        return not self.message


_PASSES: Final = Answer(Why.NOT_PROTECTED)


def strategy_of(vmi: RunningVMI, configuration: Configuration) -> str:
    """
    The eviction strategy in force: that of the VMI, else that of the KubeVirt CR, else None.

    Source: ``pkg/util/migrations/migrations.go`` VMIEvictionStrategy and ``pkg/virt-config/configuration.go``, v1.9.0.
    """
    if vmi.spec.eviction_strategy is not None:
        return vmi.spec.eviction_strategy
    return Strategy.NONE if configuration.eviction_strategy is None else configuration.eviction_strategy


def is_launcher(pod: Pod) -> bool:
    """Whether the pod is a launcher, which runs a VMI or receives its migration."""
    return (pod.meta.labels or {}).get(APP) == LAUNCHER


def is_attachment(pod: Pod) -> bool:
    """Whether the pod attaches hotplugged volumes to a node."""
    return (pod.meta.labels or {}).get(APP) == ATTACHMENT and len(pod.meta.owner_references or ()) == 1


def owner_of_attachment(pod: Pod) -> Key:
    """Namespace and name of the launcher for which the pod attaches volumes."""
    return pod.namespace, (pod.meta.owner_references or [])[0].name


def protects_attachments(version: Version) -> bool:
    """Whether the webhook refuses the eviction of attachment pods."""
    return version >= _PROTECTS_ATTACHMENTS


def domain_of(launcher: Pod) -> str | None:
    """The name of the launcher's VMI, or None if the launcher has no such annotation."""
    return (launcher.meta.annotations or {}).get(DOMAIN)


def answer(request: Request, objects: Objects, version: Version) -> Answer:
    """The webhook's answer to one request (``Admit``)."""
    pod = objects.pods.get((request.namespace, request.name))
    if pod is None:
        return _PASSES
    if protects_attachments(version) and is_attachment(pod):
        return answer_for_attachment(pod, objects.pods, objects.vmis)
    if not is_launcher(pod) or (pod.is_finished and version >= _COMPLETED_PASS):
        return _PASSES
    name = domain_of(pod)
    if name is None:
        return _PASSES
    vmi = objects.vmis.get((request.namespace, name))
    if vmi is None:
        return Answer(
            Why.NO_VMI,
            f'kubevirt failed getting the vmi: virtualmachineinstances.kubevirt.io "{name}" not found',
        )
    return answer_for_launcher(pod.spec.node_name, vmi, strategy_of(vmi, objects.configuration), version, request)


def answer_for_attachment(pod: Pod, pods: Mapping[Key, Pod], vmis: Mapping[Key, RunningVMI]) -> Answer:
    """The answer to the eviction of an attachment pod since 1.6.1 (``admitHotplugPod``)."""
    owner = pods.get(owner_of_attachment(pod))
    if owner is None or not is_launcher(owner) or owner.is_finished:
        return _PASSES
    name = domain_of(owner)
    if (pod.namespace, name) not in vmis:
        return _PASSES
    return Answer(
        Why.ATTACHMENT,
        f"cannot evict hotplug pod: {pod.name} associated with running vmi: {name} in namespace {pod.namespace}",
    )


def answer_for_launcher(
    node: str, vmi: RunningVMI, strategy: str, version: Version, request: Request | None = None
) -> Answer:
    """The answer to the eviction of a launcher on ``node`` that has not finished (``admitLauncherPod``)."""
    if strategy == Strategy.LIVE_MIGRATE and not vmi.is_migratable:
        return Answer(
            Why.NOT_MIGRATABLE,
            f"VMI {vmi.name} is configured with an eviction strategy but is not live-migratable",
        )
    if not (
        strategy in {Strategy.LIVE_MIGRATE, Strategy.EXTERNAL}
        or (strategy == Strategy.IF_POSSIBLE and vmi.is_migratable)
    ):
        return Answer(Why.STOPS)
    evacuation = f'Eviction triggered evacuation of VMI "{vmi.namespace}/{vmi.name}"'
    refuses_later = version >= _REFUSES_LATER
    if vmi.mark:
        return Answer(Why.IN_PROGRESS, f"Evacuation in progress: {evacuation}" if refuses_later else "")
    if vmi.node != node:
        return Answer(Why.TARGET, "Eviction request for target Pod" if refuses_later else "")
    return Answer(Why.MARKED, evacuation, _mark(vmi, version, request or Request(vmi.namespace, vmi.name)))


def _mark(vmi: RunningVMI, version: Version, request: Request) -> Mark:
    in_body = version >= _DRY_RUN_IN_BODY and request.eviction.is_dry_run
    requested_by = (request.eviction.meta.annotations or {}).get(_REQUESTED_BY)
    by_descheduler = version >= _RECORDS_SOURCE and requested_by == _BY_DESCHEDULER
    return Mark(
        vmi.node,
        bool(vmi.meta.annotations),
        DESCHEDULER if by_descheduler else "",
        request.dry_run or in_body,
    )
