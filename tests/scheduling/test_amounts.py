"""Amounts are written as the API server writes them, and the resources of a pod are counted as Kubernetes counts them."""

import msgspec
import pytest

from webhook.objects.pods import Pod
from webhook.scheduling.amounts import Amount, amount, of_pod, shown


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("0.5", "500m"),
        ("1500m", "1500m"),
        ("2000m", "2"),
        ("2000", "2k"),
        ("1e3", "1e3"),
        ("1024Mi", "1Gi"),
        ("1023Ki", "1023Ki"),
        ("1000Ki", "1000Ki"),
        ("0.5Ki", "512"),
        ("1.5Gi", "1536Mi"),
        ("1500Mi", "1500Mi"),
        ("0.3Mi", "314572800m"),
        ("0Gi", "0"),
        (12, "12"),
        ("1n", "1m"),
        ("142857143n", "143m"),
        ("12e-1", "1200e-3"),
    ],
)
def test_an_amount_is_shown_in_canonical_form(written: str | int, canonical: str) -> None:
    assert str(amount(written)) == canonical


def test_a_sum_has_the_format_of_its_first_amount_that_is_not_zero() -> None:
    assert str(amount("1Gi").plus(amount("1024"))) == "1048577Ki"
    assert str(amount("1024").plus(amount("1Gi"))) == "1073742848"
    assert str(Amount(0).plus(amount("1Gi"))) == "1Gi"


def test_text_that_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="'12 cores' is not a quantity"):
        amount("12 cores")


def pod(**spec: object) -> Pod:
    return msgspec.convert({"spec": spec}, Pod)


def container(cpu: str, **fields: object) -> dict[str, object]:
    return {"name": f"c{cpu}", "resources": {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}, **fields}


def test_containers_and_sidecars_run_together() -> None:
    both = pod(containers=[container("1")], initContainers=[container("2", restartPolicy="Always")])
    assert shown(of_pod(both, "requests")) == "cpu=3"
    assert shown(of_pod(both, "limits")) == "cpu=3"


def test_an_init_container_runs_with_the_sidecars_before_it() -> None:
    sidecar = container("2", restartPolicy="Always")
    assert (
        shown(of_pod(pod(containers=[container("1")], initContainers=[sidecar, container("4")]), "requests")) == "cpu=6"
    )
    assert (
        shown(of_pod(pod(containers=[container("1")], initContainers=[container("4"), sidecar]), "requests")) == "cpu=4"
    )


def test_pod_level_resources_replace_those_of_the_containers() -> None:
    assert shown(of_pod(pod(containers=[container("1")], resources={"requests": {"cpu": "8"}}), "requests")) == "cpu=8"


def test_overhead_adds_to_requests_and_to_limits_that_are_set() -> None:
    with_overhead = pod(containers=[container("1")], overhead={"cpu": "250m", "memory": "1Mi"})
    assert shown(of_pod(with_overhead, "requests")) == "cpu=1250m,memory=1Mi"
    assert shown(of_pod(with_overhead, "limits")) == "cpu=1250m"
