"""
The variables of the policies: the rules that apply to a request, and the lists that rules check.

Each list has a counterpart from the old object (``old_…``), which is empty for a CREATE.
"""

from collections.abc import Mapping
from typing import Final

from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE
from webhook.kubevirt.settings.settings import SETTINGS
from webhook.surfaces.backstop.expressions import joined, literal, words

Variables = dict[str, str]

SPECS: Final[Mapping[str, tuple[str, ...]]] = {
    "VirtualMachine": ("spec", "template", "spec"),
    "VirtualMachineInstance": ("spec",),
    "VirtualMachineInstanceReplicaSet": ("spec", "template", "spec"),
    "VirtualMachinePool": ("spec", "virtualMachineTemplate", "spec", "template", "spec"),
}
"""The path of the VMI spec in each kind."""
REFERRING: Final = ("VirtualMachine", "VirtualMachinePool")
"""The kinds that may refer to an instancetype or a preference."""
LISTS: Final[Mapping[str, tuple[str, ...]]] = {
    "networks": ("networks",),
    "interfaces": ("domain", "devices", "interfaces"),
    "filesystems": ("domain", "devices", "filesystems"),
    "hostDevices": ("domain", "devices", "hostDevices"),
    "gpus": ("domain", "devices", "gpus"),
}
SIDES: Final = (("", "object"), ("old_", "optional.ofNonZeroValue(oldObject)"))

MOST_PORTS: Final = 5_000
MOST_RANGES: Final = 300
MOST_INTERFACES: Final = 256
"""``maxItems`` in the CustomResourceDefinitions of every release."""
COUNTED: Final[Mapping[str, tuple[str, int, str]]] = {
    "portedInterfaces": ("portCount", MOST_PORTS, "ports"),
    "portRanges": ("rangeCount", MOST_RANGES, "port ranges"),
}
"""
Lists that the policies treat as empty above a bound. Each has its counting variable, its bound and its noun for a message.

No usual VM comes near these bounds: KubeVirt adds a packet filter rule for each port of an interface.
"""
SHORT: Final = ("podInterface", *SETTINGS)
"""Lists with at most one entry."""


def of_parameters() -> Variables:
    """The rules that apply to a request: the rules in the ConfigMap, if it selects the namespace, the user and the object."""
    covers = (
        "{}.exists(term, term.contains('=')"
        " ? term.split(',').all(label, label.split('=')[0] in variables.labels"
        " && label == label.split('=')[0] + '=' + variables.labels[label.split('=')[0]])"
        " : term == request.?namespace.orValue(''))"
    )
    in_force = "variables.applies ? {}.filter(rule, !(rule in variables.exempt)) : []"
    return {
        "labels": "optional.ofNonZeroValue(namespaceObject).?metadata.?labels.orValue({})",
        "applies": f"(params.?data.?namespaces.orValue('') == '' || {covers.format(words('namespaces'))})"
        f" && !{covers.format(words('exceptNamespaces'))}"
        f" && (params.?data.?accounts.orValue('') == '' || {_lists_user('accounts')})"
        f" && !({_lists_user('exceptAccounts')})",
        "exempt": f"{words('exemptions')}.map(one, one.split('/')).filter(one, one.size() == 4"
        " && (one[1] == '*' || one[1] == request.?namespace.orValue(''))"
        " && (one[2] == '*' || one[2] == object.?metadata.?name.orValue(request.?name.orValue('')))"
        " && (one[3] == '*' || one[3] == request.kind.kind)).map(one, one[0])",
        "rules": in_force.format(words("rules")),
        "whereCertain": in_force.format(words("whereCertain")),
    }


def _lists_user(key: str) -> str:
    """Whether the parameters list the user, for this namespace or for all namespaces."""
    lines = f"params.?data.?{key}.orValue('').split('\\n')"
    return (
        f"{lines}.exists(line, line in ['*/' + request.userInfo.?username.orValue(''),"
        " request.?namespace.orValue('') + '/' + request.userInfo.?username.orValue('')])"
    )


def of_settings() -> Variables:
    """Each migration setting of a KubeVirt CR, as a list with at most one value."""
    variables = {}
    for side, root in (("", "dyn(object)"), ("old_", "optional.ofNonZeroValue(dyn(oldObject))")):
        for name in SETTINGS:
            setting = joined(root, ("spec", "configuration", "migrations", name))
            variables[side + name] = f"{setting}.hasValue() ? [{setting}.value()] : []"
    return variables


def of_vmi(kind: str) -> Variables:
    """The lists of a VMI spec that rules check."""
    variables = {}
    for side, root in SIDES:
        spec = joined(root, SPECS[kind])
        variables[f"{side}stays"] = (
            "params.?data.?honourEvictionStrategy.orValue('') == 'true'"
            f" && {spec}.?evictionStrategy.orValue('') in ['None', 'External']"
        )
        for name, path in LISTS.items():
            variables[side + name] = f"variables.{side}stays ? [] : {joined(spec, path)}.orValue([])"
        variables |= {f"{side}{name}": text for name, text in _on_interfaces(side, kind).items()}
    return variables


def _on_interfaces(side: str, kind: str) -> Variables:
    """
    The interface on the pod network, the interfaces with ports, and all port ranges: interface index, start, end, name.

    CEL in Kubernetes 1.30 cannot flatten a list, so the numbers are joined into one string and split again. Names are added
    afterwards, because they can contain separators. ``indexOf`` costs too much here: each call is charged for the whole text of
    the list.
    """
    interfaces, networks = f"variables.{side}interfaces", f"variables.{side}networks"
    masquerading = f"variables.{side}masquerading"
    return {
        "podNetworks": f"{networks}.filter(network, has(network.pod)).map(network, network.name)",
        "onPodNetwork": f"variables.{side}podNetworks.size() == 0 ? []"
        f" : {interfaces}.filter(it, it.name == variables.{side}podNetworks[0])",
        "mayBridge": _may_bridge(side, kind),
        "podInterface": f"variables.{side}mayBridge || variables.{side}onPodNetwork.size() == 0 ? []"
        f" : [variables.{side}onPodNetwork[0]]",
        "masquerading": f"{interfaces}.filter(it, has(it.masquerade))",
        "portCount": f"{masquerading}.map(it, it.?ports.orValue([]).size()).sum()",
        "portedInterfaces": f"variables.{side}portCount > {MOST_PORTS} ? [] : {masquerading}",
        "rangeCount": f"{masquerading}.map(it, dyn(it).?portRanges.orValue([]).size()).sum()",
        "portRanges": f"variables.{side}rangeCount > {MOST_RANGES} ? []"
        f" : {list(range(MOST_INTERFACES))}.filter(at, at < {interfaces}.size() && has({interfaces}[at].masquerade))"
        f".map(at, dyn({interfaces}[at]).?portRanges.orValue([]).map(range,"
        " string(at) + ' ' + string(range.start) + ' ' + string(range.end)).join('\\n')).join('\\n').split('\\n')"
        ".map(line, line.split(' ')).filter(line, line.size() == 3)"
        f".map(line, line + [{interfaces}[int(line[0])].name])",
    }


def _may_bridge(side: str, kind: str) -> str:
    """
    Whether an annotation allows the bridge, or an instancetype or preference could add such an annotation.

    References of an old object do not matter: its bridge may stay.
    """
    root = "dyn(object)" if not side else "optional.ofNonZeroValue(dyn(oldObject))"
    metadata = joined(root, (*SPECS[kind][:-1], "metadata"))
    allowed = (
        f"[{metadata}.orValue({{}})].exists(meta, type(meta) == map && 'annotations' in meta"
        f" && type(meta.annotations) == map && {literal(BRIDGE_OVERRIDE)} in meta.annotations)"
    )
    if side or kind not in REFERRING:
        return allowed
    owner = joined(root, SPECS[kind][:-2])
    return f"{owner}.?instancetype.hasValue() || {owner}.?preference.hasValue() || {allowed}"
