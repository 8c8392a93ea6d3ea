"""Random pods, running and pending."""

from typing import Final

from tests.apiserver.scheduler.generated.draws import (
    DOMAINS,
    HOSTNAME,
    NAMESPACES,
    POD_LABELS,
    REGION,
    TEAMS,
    ZONE,
    Draw,
    Manifest,
    label_selector,
)
from tests.apiserver.scheduler.generated.nodes import node_selection, tolerations

REQUIRED: Final = "requiredDuringSchedulingIgnoredDuringExecution"
PREFERRED: Final = "preferredDuringSchedulingIgnoredDuringExecution"
CPU: Final = ("100m", "250m", "0.5", "500m", "1", "1500m", "2", "0")
MEMORY: Final = ("64Mi", "256Mi", "512Mi", "1Gi", "1G", "536870912", "1048576k", "0")
STORAGE: Final = ("100Mi", "1Gi", "1G")
PORTS: Final = ("0.0.0.0", "127.0.0.1", "10.0.0.1", "")


def pod(draw: Draw, name: str, features: frozenset[str], nodes: list[str]) -> Manifest:
    """A pod with each feature of the cluster more often than not, and with others rarely."""

    def has(feature: str) -> bool:
        return draw.chance(0.65 if feature in features else 0.04)

    spec: Manifest = {"containers": [{"name": "main", "image": "none"}]}
    if has("resources"):
        _add_resources(draw, spec)
    if has("ports"):
        _add_ports(draw, spec)
        if draw.chance(0.1):
            spec["hostNetwork"] = True
            spec["containers"] = [{"name": "main", "image": "none", "ports": [{"containerPort": 8080}]}]
            spec.pop("initContainers", None)
    if has("selectors"):
        spec |= node_selection(draw, nodes)
    if has("taints"):
        spec["tolerations"] = tolerations(draw)
    if has("spread"):
        spec["topologySpreadConstraints"] = _spread(draw)
    if has("affinity"):
        spec["affinity"] = {**spec.get("affinity", {}), **_pod_affinity(draw)}
    if draw.chance(0.004):
        spec["schedulingGates"] = [{"name": "example.com/wait"}]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "red" if draw.chance(0.7 if "spread" in features else 0.3) else draw.choice(NAMESPACES),
            "labels": draw.labels(POD_LABELS, 0.75),
        },
        "spec": spec,
    }


def running(draw: Draw, name: str, features: frozenset[str], nodes: list[str]) -> Manifest:
    """A pod on a node: most are running, some are being deleted, and some have ended."""
    made = pod(draw, name, features, nodes)
    made["spec"]["nodeName"] = draw.choice([*nodes, *nodes, "gone"])
    if draw.chance(0.1):
        made["metadata"]["deletionTimestamp"] = "now"
    elif draw.chance(0.9):
        made["status"] = {"phase": draw.choice(("Running", "Running", "Running", "Pending", "Succeeded", "Failed"))}
        if draw.chance(0.15):
            made["status"]["containerStatuses"] = [_resized(draw, made)]
    made["spec"].pop("schedulingGates", None)
    return made


def _resized(draw: Draw, made: Manifest) -> Manifest:
    """The status of a container whose resources the kubelet has not changed yet."""
    requests = {"cpu": draw.choice(CPU), "memory": draw.choice(MEMORY)}
    return {
        "name": made["spec"]["containers"][0]["name"],
        "image": "none",
        "imageID": "",
        "ready": True,
        "restartCount": 0,
        "allocatedResources": requests,
        "resources": {"requests": requests},
    }


def _add_resources(draw: Draw, spec: Manifest) -> None:
    spec["containers"][0]["resources"] = _needs(draw)
    if draw.chance(0.3):
        spec["containers"].append({"name": "second", "image": "none", "resources": _needs(draw)})
    if draw.chance(0.35):
        spec["initContainers"] = [_init_container(draw, f"init{index}") for index in range(draw.randint(1, 3))]
    if draw.chance(0.15):
        spec["overhead"] = {"cpu": draw.choice(CPU), "memory": draw.choice(MEMORY)}
    if draw.chance(0.15):
        spec["resources"] = {"requests": {"cpu": draw.choice(("1", "2", "4")), "memory": draw.choice(("1Gi", "2Gi"))}}
        if draw.chance(0.5):
            spec["resources"]["limits"] = {"cpu": "4", "memory": "4Gi"}
        if draw.chance(0.7):  # its requests may not be less than those of its containers
            spec["containers"] = [{"name": "main", "image": "none"}]
            spec.pop("initContainers", None)


def _init_container(draw: Draw, name: str) -> Manifest:
    container: Manifest = {"name": name, "image": "none", "resources": _needs(draw)}
    if draw.chance(0.5):
        container["restartPolicy"] = "Always"
    return container


def _needs(draw: Draw) -> Manifest:
    requests: dict[str, str] = {}
    limits: dict[str, str] = {}
    for name, values in {"cpu": CPU, "memory": MEMORY, "ephemeral-storage": STORAGE}.items():
        if draw.chance(0.6 if name != "ephemeral-storage" else 0.15):
            (limits if draw.chance(0.25) else requests)[name] = draw.choice(values)
    for name, values in {
        "hugepages-2Mi": ("2Mi", "32Mi", "64Mi"),
        "devices.kubevirt.io/kvm": ("1", "2"),
        "example.com/gpu": ("1", "2"),
    }.items():
        if draw.chance(0.12):
            limits[name] = draw.choice(values)
            requests |= {"cpu": requests.get("cpu", "100m")} if "cpu" not in limits else {}
    return {key: value for key, value in (("requests", requests), ("limits", limits)) if value}


def _add_ports(draw: Draw, spec: Manifest) -> None:
    for container in spec["containers"]:
        container["ports"] = [
            {
                "containerPort": 80,
                "hostPort": draw.choice((8080, 8080, 8081)),
                "protocol": draw.choice(("TCP", "TCP", "UDP")),
                **({"hostIP": address} if (address := draw.choice(PORTS)) else {}),
            }
        ]
    if draw.chance(0.2):
        spec.setdefault("initContainers", []).append(
            {
                "name": "with-port",
                "image": "none",
                "ports": [{"containerPort": 81, "hostPort": draw.choice((8080, 8081))}],
                **({"restartPolicy": "Always"} if draw.chance(0.7) else {}),
            }
        )


def _spread(draw: Draw) -> list[Manifest]:
    keys = [draw.choice((ZONE, HOSTNAME, REGION))] if draw.chance(0.6) else dict.fromkeys(draw.many(DOMAINS, 1, 3))
    return [_constraint(draw, key) for key in keys]


def _constraint(draw: Draw, key: str) -> Manifest:
    constraint: Manifest = {
        "maxSkew": draw.choice((1, 1, 2)),
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule" if draw.chance(0.9) else "ScheduleAnyway",
    }
    if draw.chance(0.95):
        selects_many = draw.chance(0.5)
        constraint["labelSelector"] = (
            {"matchLabels": {"app": "web"}} if selects_many else label_selector(draw, POD_LABELS)
        )
    if draw.chance(0.35) and constraint["whenUnsatisfiable"] == "DoNotSchedule":
        constraint["minDomains"] = draw.choice((1, 2, 3, 4))
    if draw.chance(0.3):
        constraint["nodeAffinityPolicy"] = draw.choice(("Honor", "Ignore"))
    if draw.chance(0.3):
        constraint["nodeTaintsPolicy"] = draw.choice(("Honor", "Ignore"))
    used = str(constraint.get("labelSelector"))
    if draw.chance(0.2) and (keys := [key for key in ("pod-template-hash", "tier", "none") if f"'{key}'" not in used]):
        constraint["matchLabelKeys"] = [draw.choice(keys)]
    return constraint


def _pod_affinity(draw: Draw) -> Manifest:
    affinity: Manifest = {}
    if draw.chance(0.5):
        affinity["podAffinity"] = {REQUIRED: [pod_term(draw) for _ in range(draw.choice((1, 1, 2)))]}
    if draw.chance(0.6):
        affinity["podAntiAffinity"] = {REQUIRED: [pod_term(draw) for _ in range(draw.choice((1, 1, 2)))]}
    if draw.chance(0.1):
        affinity["podAffinity"] = {PREFERRED: [{"weight": 1, "podAffinityTerm": pod_term(draw)}]}
    return affinity


def pod_term(draw: Draw) -> Manifest:
    """A term of inter-pod affinity or anti-affinity."""
    drawn: Manifest = {"topologyKey": draw.choice(DOMAINS)}
    if draw.chance(0.92):
        drawn["labelSelector"] = label_selector(draw, POD_LABELS)
    if draw.chance(0.25):
        drawn["namespaces"] = draw.some(NAMESPACES, 1, 2)
    if draw.chance(0.25):
        drawn["namespaceSelector"] = label_selector(draw, {"team": TEAMS})
    if draw.chance(0.12):
        drawn["matchLabelKeys"] = [draw.choice(("pod-template-hash", "none"))]
    elif draw.chance(0.1):
        drawn["mismatchLabelKeys"] = [draw.choice(("pod-template-hash", "tier", "none"))]
    return drawn
