"""The resources that a pod takes on its node, held against ``PodRequests`` of Kubernetes v1.34."""

from typing import Any

import msgspec
import pytest

from webhook.objects.pods import Pod
from webhook.scheduling.pod_requests import pod_requests


def pod(*containers: dict[str, Any], init: tuple[dict[str, Any], ...] = (), **spec: Any) -> Pod:
    return msgspec.convert({"spec": {"containers": containers, "initContainers": init, **spec}}, Pod)


def container(requests: dict[str, Any], limits: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"resources": {"requests": requests, "limits": limits or {}}, **more}


def sidecar(requests: dict[str, Any]) -> dict[str, Any]:
    return container(requests, restartPolicy="Always")


def test_containers_are_added_up() -> None:
    """
    The cpu is in millicores, and all other resources are in whole units.
    """
    assert pod_requests(
        pod(container({"cpu": "1", "memory": "1Gi"}), container({"cpu": "250m", "example.com/gpu": 2}))
    ) == {
        "cpu": 1250,
        "memory": 1 << 30,
        "example.com/gpu": 2,
    }


def test_a_limit_without_a_request_counts_as_the_request() -> None:
    """
    The API server copies the limit into the request. A request is never replaced.
    """
    assert pod_requests(pod(container({"cpu": "100m"}, {"cpu": "2", "memory": "64M"}))) == {
        "cpu": 100,
        "memory": 64_000_000,
    }


@pytest.mark.parametrize(
    ("written", "millicores"), [("142857143n", 143), ("1u", 1), (0.5, 500), ("0", 0), ("1e3", 1_000_000)]
)
def test_an_amount_is_rounded_up(written: str | float, millicores: int) -> None:
    """
    A fraction of a millicore takes a whole one.
    """
    assert pod_requests(pod(container({"cpu": written}))) == {"cpu": millicores}


def test_each_container_is_rounded_up_before_the_sum() -> None:
    """
    The API server rounds the quantities of each container to thousandths.
    """
    assert pod_requests(pod(container({"cpu": "500u"}), container({"cpu": "500u"}))) == {"cpu": 2}


def test_an_init_container_counts_only_where_it_needs_more() -> None:
    """
    Init containers run one after the other, before the containers.
    """
    both = pod(
        container({"cpu": "1", "memory": "1Gi"}),
        init=(container({"cpu": "2", "memory": "1Mi"}), container({"cpu": "3"})),
    )
    assert pod_requests(both) == {"cpu": 3000, "memory": 1 << 30}


def test_a_sidecar_counts_as_a_container() -> None:
    """
    A sidecar runs as long as the pod.
    """
    assert pod_requests(pod(container({"cpu": "1"}), init=(sidecar({"cpu": "500m"}),))) == {"cpu": 1500}


def test_an_init_container_runs_beside_the_sidecars_before_it() -> None:
    """
    A sidecar that starts after an init container is not added to the init container.
    """
    before = pod(container({"cpu": "1"}), init=(sidecar({"cpu": "500m"}), container({"cpu": "2"})))
    after = pod(container({"cpu": "1"}), init=(container({"cpu": "2"}), sidecar({"cpu": "500m"})))

    assert pod_requests(before) == {"cpu": 2500}
    assert pod_requests(after) == {"cpu": 2000}


def test_the_overhead_of_a_runtime_class_is_added() -> None:
    """
    The overhead comes on top of the containers and of the resources of the pod as a whole.
    """
    overhead = {"cpu": "250m", "memory": "120Mi"}
    assert pod_requests(pod(container({"cpu": "1"}), overhead=overhead)) == {"cpu": 1250, "memory": 120 << 20}


def test_requests_of_the_pod_as_a_whole_replace_the_sum() -> None:
    """
    Resources that cannot be set for the whole pod keep the sum over the containers.
    """
    whole = {"requests": {"cpu": "3", "ephemeral-storage": "1G"}}
    assert pod_requests(pod(container({"cpu": "1", "memory": "1Mi", "ephemeral-storage": 5}), resources=whole)) == {
        "cpu": 3000,
        "memory": 1 << 20,
        "ephemeral-storage": 5,
    }


def test_a_limit_of_the_pod_as_a_whole_is_the_request_where_no_container_has_one() -> None:
    """
    The API server prefers the sum over the containers to the limit, except for huge pages.
    """
    whole = {"limits": {"cpu": "3", "memory": "2Gi", "hugepages-2Mi": "8Mi"}}
    assert pod_requests(pod(container({"cpu": "1", "hugepages-2Mi": "4Mi"}), resources=whole)) == {
        "cpu": 1000,
        "memory": 2 << 30,
        "hugepages-2Mi": 8 << 20,
    }


def test_a_pod_without_containers_requests_nothing() -> None:
    """
    A pod of which only the metadata is known has no requests.
    """
    assert pod_requests(Pod()) == {}


def resized(
    spec: dict[str, Any], held: dict[str, Any], allocated: dict[str, Any] | None = None, reason: str = ""
) -> Pod:
    """A pod with a sidecar and a container, which are being resized."""
    status = {"resources": {"requests": held}, "allocatedResources": held if allocated is None else allocated}
    conditions = [{"type": "PodResizePending", "reason": reason}] if reason else []
    value = {
        "spec": {
            "containers": [{"name": "c", "resources": {"requests": spec}}],
            "initContainers": [
                {"name": "s", "resources": {"requests": spec}, "restartPolicy": "Always"},
                {"name": "i", "resources": {"requests": spec}},
            ],
        },
        "status": {
            "containerStatuses": [{"name": "c", **status}],
            "initContainerStatuses": [{"name": "s", **status}, {"name": "i", **status}],
            "conditions": conditions,
        },
    }
    return msgspec.convert(value, Pod)


@pytest.mark.parametrize(
    ("pod_", "cpu"),
    [
        (resized({"cpu": 1}, {"cpu": 2}), 4000),
        (resized({"cpu": 3}, {"cpu": 2}), 6000),
        (resized({"cpu": 1}, {"cpu": 1}, {"cpu": 2}), 4000),
        (resized({"cpu": 1}, {"cpu": 1}), 2000),
        (resized({"cpu": 1}, {}), 2000),
        (resized({"cpu": 3}, {"cpu": 1}, {"cpu": 2}, "Deferred"), 6000),
        (resized({"cpu": 3}, {"cpu": 1}, {"cpu": 2}, "Infeasible"), 5000),
        (resized({"cpu": 3}, {}, {}, "Infeasible"), 3000),
    ],
)
def test_a_container_that_is_being_resized_counts_with_what_it_holds_if_that_is_more(pod_: Pod, cpu: int) -> None:
    """
    An init container that ends is not resized. An infeasible resize does not count.
    """
    assert pod_requests(pod_)["cpu"] == cpu


def test_a_status_without_resources_does_not_count() -> None:
    value = {
        "spec": {"containers": [{"name": "c", "resources": {"requests": {"cpu": 1}}}]},
        "status": {"containerStatuses": [{"name": "c", "allocatedResources": {"cpu": 2}}, {"name": "other"}]},
    }
    assert pod_requests(msgspec.convert(value, Pod)) == {"cpu": 1000}
