"""A real API server with KubeVirt's definitions rejects the values that the rules report, and accepts all others."""

import json
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from tests.apiserver.controlplane import ControlPlane
from webhook.judging.machines import judge_manifest
from webhook.kubevirt.releases import SUPPORTED

pytestmark = pytest.mark.apiserver

TABLE: list[list[Any]] = json.loads((Path(__file__).parents[2] / "data" / "quantities.json").read_text())
ONLY_BY_KUBEVIRT = {"1e3.5", "1e.5", "1e9223372036854775808"}
"""They fit the pattern, and no reader of quantities: KubeVirt's webhooks, which are not here, refuse the object."""
AMOUNTS = [
    *{row[0] for row in TABLE},
    "2GB",
    "2 Gi",
    "10GiB",
    "2K",
    " 2Gi",
    "2Gi\n",
    "",
    0.5,
    2.0,
    2e3,
    1e19,
    2**63 - 1,
    2**63,
]
NAMES = [
    *(
        {"name": name}
        for name in ("a", "a.b", "a..b", "Bad_Name", "-a", "a-", "1", "\u00e4", "a b", "a\n", "a" * 253, "a" * 254)
    ),
    *({"generateName": name} for name in ("a-", "a--", "a.", "a.-", "-", "Bad_", "a" * 253, "a" * 254, "a-" * 40)),
    {"name": "a", "generateName": "B"},
    {"name": "", "generateName": "a-"},
]


def machine(metadata: dict[str, str], cpu: Any = "1", guest: Any = "1Gi") -> dict[str, Any]:
    claim = {"metadata": {"name": "os"}, "spec": {"storage": {"resources": {"requests": {"storage": guest}}}}}
    domain = {"devices": {}, "memory": {"guest": guest}, "resources": {"requests": {"cpu": cpu}}}
    spec = {"runStrategy": "Always", "dataVolumeTemplates": [claim], "template": {"spec": {"domain": domain}}}
    return {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": metadata, "spec": spec}


def refused(plane: ControlPlane, namespace: str, raw: dict[str, Any]) -> set[str]:
    """The fields that the API server names."""
    reply = plane.client.api("POST", f"/apis/kubevirt.io/v1/namespaces/{namespace}/virtualmachines?dryRun=All", raw)
    if reply.status == HTTPStatus.CREATED:
        return set()
    assert reply.status == HTTPStatus.UNPROCESSABLE_ENTITY, reply.document
    return {cause["field"] for cause in reply.document["details"]["causes"]} - {"<nil>"}


def told(raw: dict[str, Any]) -> set[str]:
    """The places that the rules name."""
    findings = judge_manifest(raw, SUPPORTED).findings
    assert {finding.rule.id for finding in findings} <= {"LM806", "LM807"}
    return {".".join(map(str, finding.path)).replace(".0.", "[0].") for finding in findings}


def test_quantities_are_refused_as_reported(control_plane_real_crds: ControlPlane) -> None:
    """
    At each place, character by character. Quantities that only KubeVirt's own webhooks refuse are reported, too.
    """
    namespace = control_plane_real_crds.client.create_namespace()

    for amount in AMOUNTS:
        raw = machine({"name": "a"}, amount, amount)
        answer, said = refused(control_plane_real_crds, namespace, raw), told(raw)
        assert len(said) in (0, 3)
        assert answer == (set() if amount in ONLY_BY_KUBEVIRT else said), repr(amount)


def test_names_are_refused_as_reported(control_plane_real_crds: ControlPlane) -> None:
    """
    Names and stems of names: a name made of a stem is rejected if the stem is reported.
    """
    namespace = control_plane_real_crds.client.create_namespace()

    for metadata in NAMES:
        raw = machine(metadata)
        answer, said = refused(control_plane_real_crds, namespace, raw), told(raw)
        assert bool(answer) is bool(said), metadata
        assert answer <= said | {"metadata.name"}, metadata


def test_a_reported_namespace_cannot_be_created(control_plane_real_crds: ControlPlane) -> None:
    """
    Therefore no namespace can contain the object.
    """
    for name in ("a", "team.a", "Team", "-a", "a" * 64, "1"):
        body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        reply = control_plane_real_crds.client.api("POST", "/api/v1/namespaces?dryRun=All", body)

        said = told(machine({"name": "a", "namespace": name}))

        assert said == ({"metadata.namespace"} if reply.status == HTTPStatus.UNPROCESSABLE_ENTITY else set()), name
