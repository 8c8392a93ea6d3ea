"""
Fields that are newer than the judged releases (LM812).
"""

from typing import Any

import pytest

from webhook.judging.machines import judge_manifest
from webhook.kubevirt.releases import KNOWN, NEWEST, SUPPORTED, Release, only, since
from webhook.kubevirt.schema.field_names import FIELDS
from webhook.kubevirt.schema.new_fields import ADDED, FIRST, FIRST_WITH_VALUE
from webhook.kubevirt.schema.unknown_fields import VALUES
from webhook.objects.path import dotted
from webhook.rules.manifest.field_too_new import LAST_ADDITION

VM = {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": "vm"}}


def found(raw: dict[str, Any], releases: int) -> list[str]:
    return [dotted(finding.path) for finding in judge_manifest(raw, releases).findings if finding.rule.id == "LM812"]


@pytest.mark.parametrize(("name", "field"), FIRST)
def test_an_added_field_is_a_known_field(name: str, field: str) -> None:
    """
    Otherwise LM803 would report it, or no path would lead to it.
    """
    assert field in FIELDS[name]


@pytest.mark.parametrize(("name", "field", "value"), FIRST_WITH_VALUE)
def test_an_added_value_is_a_known_value(name: str, field: str, value: str) -> None:
    """
    Otherwise LM804 would report it in every release.
    """
    assert value in VALUES[name, field]


@pytest.mark.parametrize("minor", range(11))
def test_a_receiver_is_too_new_up_to_1_5(minor: int) -> None:
    """
    KubeVirt rejects the run strategy. Other strategies are in every release.
    """
    release = only(Release(1, minor))

    assert found(VM | {"spec": {"runStrategy": "WaitAsReceiver"}}, release) == (
        ["spec.runStrategy"] if minor < 6 else []
    )
    assert found(VM | {"spec": {"runStrategy": "Always"}}, release) == []


def test_a_field_was_added_once() -> None:
    """
    The releases are in order, and the rule looks for nothing in the last of them.
    """
    assert len(FIRST) == sum(len(fields) for types in ADDED.values() for fields in types.values())
    assert list(ADDED) == sorted(ADDED)
    assert max(ADDED) == LAST_ADDITION == NEWEST


def strategy() -> dict[str, Any]:
    return VM | {"spec": {"updateVolumesStrategy": "Migration", "template": {"spec": {"domain": {"devices": {}}}}}}


@pytest.mark.parametrize("minor", range(11))
def test_volume_migration_is_too_new_up_to_1_2(minor: int) -> None:
    """
    The field came with 1.3.
    """
    assert found(strategy(), only(Release(1, minor))) == (["spec.updateVolumesStrategy"] if minor < 3 else [])


@pytest.mark.parametrize("releases", [SUPPORTED, KNOWN, since(Release(1, 2))])
def test_a_field_of_one_judged_release_is_no_finding(releases: int) -> None:
    """
    If the release is not known, each field exists in a release that the cluster might run.
    """
    assert found(strategy(), releases) == []


def test_fields_in_lists_and_maps_are_found_in_the_order_of_the_manifest() -> None:
    """
    A field below a new field or an unknown field is not reported.
    """
    template = {
        "spec": {
            "domain": {
                "devices": {"interfaces": [{"name": "a", "binding": {"name": "x"}}, {"name": "b", "passtBinding": {}}]},
                "launchSecurity": {"snp": {}, "tdx": {}},
                "security": {"snp": {}},
            },
            "utilityVolumes": [{"name": "u", "claimName": "c"}],
        }
    }

    assert found(VM | {"spec": {"template": template}}, only(Release(1, 0))) == [
        "spec.template.spec.utilityVolumes",
        "spec.template.spec.domain.devices.interfaces[0].binding",
        "spec.template.spec.domain.devices.interfaces[1].passtBinding",
        "spec.template.spec.domain.launchSecurity.snp",
        "spec.template.spec.domain.launchSecurity.tdx",
    ]


def test_a_manifest_with_values_of_wrong_types_is_walked() -> None:
    """
    Another check reports the types.
    """
    assert found(VM | {"spec": [{"updateVolumesStrategy": "Migration"}, 3]}, only(Release(1, 0))) == [
        "spec[0].updateVolumesStrategy"
    ]
    assert found({"kind": "Deployment", "apiVersion": "apps/v1", "spec": {"acpi": {}}}, only(Release(1, 0))) == []
