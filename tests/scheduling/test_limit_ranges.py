"""LimitRanges write defaults into the containers of a pod and refuse pods, as the API server does."""

from typing import Any

import msgspec
import pytest

from webhook.objects.pods import Pod
from webhook.objects.quotas import LimitRange, PriorityClass
from webhook.objects.storage import PersistentVolumeClaim
from webhook.scheduling.limit_ranges import claim_refusals, contradictions, refusals
from webhook.scheduling.pod_defaults import stored

Json = dict[str, Any]


def limit_range(*items: Json, namespace: str = "shop") -> LimitRange:
    value = {"metadata": {"name": "r", "namespace": namespace}, "spec": {"limits": list(items)}}
    return msgspec.convert(value, LimitRange)


def for_containers(**limits: Json) -> LimitRange:
    return limit_range({"type": "Container", **limits})


def pod(requests: Json | None = None, limits: Json | None = None, **spec: Any) -> Pod:
    resources = {key: value for key, value in (("requests", requests), ("limits", limits)) if value is not None}
    value = {
        "metadata": {"name": "p", "namespace": "shop"},
        "spec": {"containers": [{"name": "compute", "resources": resources}], **spec},
    }
    return msgspec.convert(value, Pod)


def resources(after: Pod) -> tuple[Json, Json]:
    needs = (after.spec.containers or [])[0].resources
    assert needs is not None
    return needs.requests or {}, needs.limits or {}


def texts(created: Pod, one: LimitRange) -> list[str]:
    return [refusal.text for refusal in refusals(created, [one])]


def test_a_limit_without_a_request_becomes_the_request() -> None:
    assert resources(stored(pod({"cpu": "1"}, {"cpu": "2", "memory": "1Gi"}))) == (
        {"cpu": "1", "memory": "1Gi"},
        {"cpu": "2", "memory": "1Gi"},
    )


def test_the_requests_of_containers_become_the_requests_of_a_pod_with_limits() -> None:
    after = stored(pod({"cpu": "1"}, {}, resources={"limits": {"cpu": "4", "memory": "1Gi"}}))
    assert after.spec.resources is not None
    assert after.spec.resources.requests == {"cpu": "1", "memory": "1Gi"}


def test_the_huge_pages_of_containers_become_the_limit_of_a_pod_with_resources() -> None:
    pages = {"hugepages-2Mi": "4Mi"}
    after = stored(pod(pages, pages, resources={"limits": {"cpu": "4"}}))
    assert after.spec.resources is not None
    assert after.spec.resources.limits == {"cpu": "4", **pages}
    assert after.spec.resources.requests == {"cpu": "4", **pages}


def test_defaults_of_a_limit_range_fill_in_what_containers_lack() -> None:
    one = for_containers(default={"cpu": "2", "memory": "2Gi"}, defaultRequest={"cpu": "1"})
    assert resources(stored(pod({"memory": "1Gi"}), [one])) == (
        {"cpu": "1", "memory": "1Gi"},
        {"cpu": "2", "memory": "2Gi"},
    )


def test_a_limit_range_derives_defaults_from_its_maximum_and_minimum() -> None:
    one = for_containers(max={"cpu": "4"}, min={"cpu": "1", "memory": "1Mi"})
    assert resources(stored(pod(), [one])) == ({"cpu": "4", "memory": "1Mi"}, {"cpu": "4"})


def test_a_default_limit_is_not_copied_to_a_request_that_exists() -> None:
    assert resources(stored(pod({"cpu": "1"}), [for_containers(default={"cpu": "2"})])) == ({"cpu": "1"}, {"cpu": "2"})


def test_a_limit_range_of_another_namespace_does_not_apply() -> None:
    other = limit_range({"type": "Container", "max": {"cpu": "1"}, "default": {"memory": "1Gi"}}, namespace="other")
    assert resources(stored(pod({"cpu": "2"}), [other])) == ({"cpu": "2"}, {})
    assert not refusals(pod({"cpu": "2"}), [other])


def test_a_pod_without_a_class_has_the_default_priority_class() -> None:
    classes = [
        msgspec.convert({"metadata": {"name": name}, "value": value, "globalDefault": default}, PriorityClass)
        for name, value, default in (("a", 5, True), ("b", 3, True), ("c", 1, False))
    ]
    assert stored(pod(), classes=classes).spec.priority_class_name == "b"
    assert stored(pod(), classes=classes).spec.priority == 3
    assert stored(pod(priorityClassName="c"), classes=classes).spec.priority_class_name == "c"


@pytest.mark.parametrize(
    ("limits", "requests", "limited", "text"),
    [
        ({"min": {"cpu": "1"}}, {}, {}, "minimum cpu usage per Container is 1.  No request is specified"),
        ({"min": {"cpu": "1"}}, {"cpu": "500m"}, {}, "minimum cpu usage per Container is 1, but request is 500m"),
        ({"max": {"cpu": "1"}}, {"cpu": "1"}, {}, "maximum cpu usage per Container is 1.  No limit is specified"),
        ({"max": {"cpu": "1"}}, {}, {"cpu": "1001m"}, "maximum cpu usage per Container is 1, but limit is 1001m"),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"cpu": "0"},
            {"cpu": "1"},
            "cpu max limit to request ratio per Container is 2, but no request is specified or request is 0",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "2"}},
            {"cpu": "1"},
            {},
            "cpu max limit to request ratio per Container is 2, but no limit is specified or limit is 0",
        ),
        (
            {"maxLimitRequestRatio": {"cpu": "1500m"}},
            {"cpu": "3"},
            {"cpu": "5"},
            "cpu max limit to request ratio per Container is 1500m, but provided ratio is 1.666667",
        ),
    ],
)
def test_a_limit_range_refuses_a_container(limits: Json, requests: Json, limited: Json, text: str) -> None:
    assert texts(pod(requests, limited), for_containers(**limits)) == [text]


def test_a_container_at_the_limits_is_admitted() -> None:
    one = for_containers(min={"cpu": "1"}, max={"cpu": "2"}, maxLimitRequestRatio={"cpu": "2"})
    assert not refusals(pod({"cpu": "1"}, {"cpu": "2"}), [one])


def test_a_limit_range_for_pods_counts_all_containers_without_overhead() -> None:
    two = pod(
        {"cpu": "1"},
        {"cpu": "1"},
        initContainers=[
            {"name": "log", "restartPolicy": "Always", "resources": {"requests": {"cpu": "2"}, "limits": {"cpu": "2"}}}
        ],
        overhead={"cpu": "4"},
    )
    assert not texts(two, limit_range({"type": "Pod", "max": {"cpu": "3"}}))
    assert texts(two, limit_range({"type": "Pod", "max": {"cpu": "2"}})) == [
        "maximum cpu usage per Pod is 2, but limit is 3"
    ]


def test_the_limits_of_a_pod_are_those_of_the_containers_with_a_limit() -> None:
    """The requests of a pod can exceed its limits, because not every container has a limit."""
    containers = [
        {"name": "a", "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}},
        {"name": "b", "resources": {"requests": {"cpu": "3"}}},
    ]
    both = pod(containers=containers)
    assert texts(both, limit_range({"type": "Pod", "max": {"cpu": "2"}})) == [
        "maximum cpu usage per Pod is 2, but request is 4"
    ]
    assert texts(both, limit_range({"type": "Pod", "min": {"cpu": "2"}})) == [
        "minimum cpu usage per Pod is 2, but limit is 1"
    ]


def test_several_problems_are_listed_once_each() -> None:
    containers = [{"name": name, "resources": {"requests": {"cpu": "1"}}} for name in ("a", "b")]
    assert texts(pod(containers=containers), for_containers(min={"cpu": "2", "memory": "1Mi"})) == [
        (
            "[minimum cpu usage per Container is 2, but request is 1, "
            "minimum memory usage per Container is 1Mi.  No request is specified]"
        )
    ]


def test_amounts_beyond_the_range_of_thousandths_are_compared_in_whole_units() -> None:
    assert not texts(pod({"memory": "1"}, {"memory": "9P"}), for_containers(max={"memory": "9007199254740993"}))
    assert texts(pod({"memory": "1"}, {"memory": "10P"}), for_containers(max={"memory": "9500T"}))


def test_a_default_request_above_the_limit_makes_the_pod_invalid() -> None:
    after = stored(pod(None, {"memory": "1Gi"}, initContainers=[{"name": "i", "resources": {"limits": {"cpu": "1"}}}]))
    assert not contradictions(after)
    after = stored(pod({"memory": "1Gi"}), [for_containers(default={"memory": "512Mi"})])
    assert contradictions(after) == (
        (
            'spec.containers[0].resources.requests: Invalid value: "1Gi": '
            "must be less than or equal to memory limit of 512Mi"
        ),
    )


def test_a_limit_range_refuses_a_pod_that_its_default_makes_invalid() -> None:
    maximum, default = for_containers(maxLimitRequestRatio={"cpu": "2"}), for_containers(default={"memory": "512Mi"})
    default = msgspec.structs.replace(default, metadata=msgspec.structs.replace(default.meta, name="default"))
    found = refusals(stored(pod({"memory": "1Gi"}), [maximum, default]), [maximum, default])
    assert [(refusal.limit_range, refusal.text.partition(":")[0]) for refusal in found] == [
        ("default", "spec.containers[0].resources.requests")
    ]
    assert not refusals(pod({"memory": "2Gi"}, {"memory": "1Gi"}), [])


def test_a_device_must_be_limited_to_what_is_requested() -> None:
    assert contradictions(pod({"nvidia.com/gpu": "1"}, {"nvidia.com/gpu": "2"})) == (
        'spec.containers[0].resources.requests: Invalid value: "1": must be equal to nvidia.com/gpu limit of 2',
    )
    assert contradictions(pod({"nvidia.com/gpu": "1"}, {})) == (
        "spec.containers[0].resources.limits: Required value: Limit must be set for non overcommitable resources",
    )


def test_huge_pages_need_a_request_for_cpu_or_memory() -> None:
    pages = {"hugepages-2Mi": "4Mi"}
    assert contradictions(pod(pages, pages)) == (
        "spec.containers[0].resources: Forbidden: HugePages require cpu or memory",
    )
    assert not contradictions(pod({**pages, "cpu": "1"}, pages))


@pytest.mark.parametrize(
    ("limits", "storage", "text"),
    [
        (
            {"min": {"storage": "2Gi"}},
            "1Gi",
            "minimum storage usage per PersistentVolumeClaim is 2Gi, but request is 1Gi",
        ),
        (
            {"max": {"storage": "1Gi"}},
            "2Gi",
            "maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi",
        ),
        ({"max": {"storage": "2Gi"}}, "2Gi", ""),
    ],
)
def test_a_limit_range_limits_the_size_of_claims(limits: Json, storage: str, text: str) -> None:
    claim = msgspec.convert(
        {"metadata": {"namespace": "shop"}, "spec": {"resources": {"requests": {"storage": storage}}}},
        PersistentVolumeClaim,
    )
    found = claim_refusals(claim, [limit_range({"type": "PersistentVolumeClaim", **limits})])
    assert [refusal.text for refusal in found] == ([text] if text else [])


@pytest.mark.parametrize(
    ("requests", "limits", "of_pod", "expected"),
    [
        (
            {"memory": "2Gi"},
            {},
            {"requests": {"memory": "1Gi"}},
            'requests[memory]: Invalid value: "1Gi": must be greater than or equal to aggregate container requests of 2Gi',
        ),
        (
            {"cpu": "1"},
            {"cpu": "3"},
            {"limits": {"cpu": "2"}},
            'containers[0][cpu].limits: Invalid value: "3": must be less than or equal to pod limits of 2',
        ),
        (
            {"hugepages-2Mi": "4Mi", "cpu": "1"},
            {"hugepages-2Mi": "4Mi"},
            {"limits": {"hugepages-2Mi": "2Mi", "cpu": "1"}},
            'limits[hugepages-2Mi]: Invalid value: "2Mi": must be greater than or equal to aggregate container limits of 4Mi',
        ),
    ],
)
def test_the_containers_fit_into_the_resources_of_the_pod(
    requests: Json, limits: Json, of_pod: Json, expected: str
) -> None:
    found = contradictions(pod(requests, limits, resources=of_pod))

    assert f"spec.resources.{expected}" in found
    assert contradictions(pod({"cpu": "1"}, {}, resources={"limits": {"cpu": "2"}, "requests": {"cpu": "1"}})) == ()


@pytest.mark.parametrize(
    ("written", "added"),
    [
        (None, ["not-ready", "unreachable"]),
        ([{"key": "node.kubernetes.io/not-ready", "effect": "NoExecute", "operator": "Exists"}], ["unreachable"]),
        ([{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}], ["not-ready", "unreachable"]),
        ([{"operator": "Exists"}], []),
    ],
)
def test_every_pod_tolerates_a_node_that_is_not_ready_for_a_while(written: list[Json] | None, added: list[str]) -> None:
    after = stored(pod(tolerations=written)).spec.tolerations or []

    assert [one.key.partition("/")[2] for one in after[len(written or []) :]] == added
    assert all((one.operator, one.effect) == ("Exists", "NoExecute") for one in after[len(written or []) :])
