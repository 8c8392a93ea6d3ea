"""The fields of pods and nodes that kube-scheduler reads, and label selectors. These fields are the same in every pod."""

import msgspec

from webhook.objects.meta import Read

HOSTNAME = "kubernetes.io/hostname"
"""The label with the name of a node. As a topology key, it keeps pods on different nodes."""


class NodeRequirement(Read, frozen=True):
    """A requirement on the labels or fields of a node."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class NodeTerm(Read, frozen=True):
    """An entry of ``nodeSelectorTerms``. A node must meet all requirements of the entry."""

    match_expressions: list[NodeRequirement] | None = None
    match_fields: list[NodeRequirement] | None = None


class NodeTerms(Read, frozen=True):
    """``requiredDuringSchedulingIgnoredDuringExecution``. A node must match one of the terms."""

    node_selector_terms: list[NodeTerm] | None = None


class NodeAffinity(Read, frozen=True):
    """The required part of ``affinity.nodeAffinity``, which excludes nodes."""

    required: NodeTerms | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")


class LabelRequirement(Read, frozen=True):
    """An entry of ``matchExpressions`` of a label selector."""

    key: str = ""
    operator: str = ""
    values: list[str] | None = None


class LabelSelector(Read, frozen=True):
    """``metav1.LabelSelector``. Labels must meet all its requirements."""

    match_labels: dict[str, str] | None = None
    match_expressions: list[LabelRequirement] | None = None


class PodTerm(Read, frozen=True):
    """A required term of ``podAntiAffinity``."""

    label_selector: LabelSelector | None = None
    topology_key: str = ""
    namespaces: list[str] | None = None
    namespace_selector: LabelSelector | None = None
    match_label_keys: list[str] | None = None
    mismatch_label_keys: list[str] | None = None


class PodAntiAffinity(Read, frozen=True):
    """The required part of ``affinity.podAntiAffinity``, which excludes nodes."""

    required: list[PodTerm] | None = msgspec.field(default=None, name="requiredDuringSchedulingIgnoredDuringExecution")


class Affinity(Read, frozen=True):
    """``affinity``."""

    node_affinity: NodeAffinity | None = None
    pod_anti_affinity: PodAntiAffinity | None = None


class Toleration(Read, frozen=True):
    """An entry of ``tolerations``."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""


class Taint(Read, frozen=True):
    """An entry of ``Node.spec.taints``."""

    key: str = ""
    value: str = ""
    effect: str = ""
