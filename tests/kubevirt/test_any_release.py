"""Judged for any supported release, the report shows where releases disagree."""

import json
from typing import Any

import pytest

from tests.kubevirt.building import Manifest, vm
from tests.report.reports import as_text
from webhook.check.check import Settings, check
from webhook.manifests.objects import read_manifests
from webhook.policy.policy import Policy, Profile
from webhook.report import as_json
from webhook.rules.example import claim, kubevirt

MASQUERADE = kubevirt(network={"defaultNetworkInterface": "masquerade"})
VIRTIOFS = "{filesystems: [{name: cm, virtiofs: {}}], volumes: [{name: cm, configMap: {name: cm}}]}"
RESERVATION = (
    "{disks: [{name: d, lun: {reservation: true}}], volumes: [{name: d, persistentVolumeClaim: {claimName: c}}]}"
)
STATE = "{tpm: {persistent: true}}"
GPU = "{gpus: [{name: g, deviceName: nvidia.com/A10}], autoattachPodInterface: false}"
SNP = "{launchSecurity: {snp: {}}}"
BOTH = (
    "{launchSecurity: {snp: {}}, filesystems: [{name: cm, virtiofs: {}}], volumes: [{name: cm, configMap: {name: cm}}]}"
)
SHARED = claim("c", "ReadWriteMany")


def report(fragment: str, *around: Manifest, release: str = "any") -> Any:
    documents = [vm(fragment), *around]
    inputs = [read_manifests(json.dumps(document).encode(), "-") for document in documents]
    return check(inputs, Settings(Policy(profile=Profile.EXACT), release=release))


@pytest.mark.parametrize(
    ("fragment", "around", "headline", "note"),
    [
        (
            VIRTIOFS,
            (MASQUERADE,),
            "cannot be live-migrated by KubeVirt up to 1.4, but can be live-migrated from 1.5 on",
            "KubeVirt refuses such a VM up to 1.4 and accepts it from 1.5 on.",
        ),
        (
            RESERVATION,
            (MASQUERADE, SHARED),
            "cannot be live-migrated by KubeVirt up to 1.8, but can be live-migrated from 1.9 on",
            "KubeVirt refuses such a VM up to 1.8 and accepts it from 1.9 on.",
        ),
        (
            SNP,
            (MASQUERADE,),
            "cannot be live-migrated by KubeVirt from 1.7 on (SEVNotLiveMigratable), but can be live-migrated up to 1.6",
            "KubeVirt refuses such a VM from 1.7 on and accepts it up to 1.6.",
        ),
        (
            BOTH,
            (MASQUERADE,),
            (
                "cannot be live-migrated by KubeVirt up to 1.4 and from 1.7 on (SEVNotLiveMigratable), "
                "but can be live-migrated from 1.5 to 1.6"
            ),
            "KubeVirt refuses such a VM from 1.7 on and accepts it up to 1.6.",
        ),
        (
            GPU,
            (),
            "cannot be live-migrated by KubeVirt up to 1.8, cannot tell yet for KubeVirt 1.9",
            "KubeVirt refuses such a VM up to 1.8.",
        ),
        ("{}", (MASQUERADE,), "can be live-migrated (KubeVirt 1.9)", ""),
        ("{}", (kubevirt(),), "cannot be live-migrated (InterfaceNotLiveMigratable, KubeVirt 1.9)", ""),
    ],
)
def test_the_text_names_releases_that_disagree(
    fragment: str, around: tuple[Manifest, ...], headline: str, note: str
) -> None:
    """
    The object's line names the releases that migrate it and those that do not; each finding names its releases.
    """
    said = as_text(report(fragment, *around), width=500, verbose=True)

    assert f"VirtualMachine tenant/vm: {headline}\n" in said
    assert [line for line in said.splitlines() if "KubeVirt refuses such a VM" in line][-1:] == (
        [f"       note: {note}"] if note else []
    )


@pytest.mark.parametrize(
    ("fragment", "around", "expected"),
    [
        (VIRTIOFS, (MASQUERADE,), [("LM203", "kubevirt", "1.3 to 1.4")]),
        (RESERVATION, (MASQUERADE, SHARED), [("LM303", "kubevirt", "1.3 to 1.8")]),
        (STATE, (MASQUERADE,), [("LM204", "kubevirt", "1.3")]),
        (BOTH, (MASQUERADE,), [("LM203", "kubevirt", "1.3 to 1.4"), ("LM402", "kubevirt", "1.7 and later")]),
        ("{}", (kubevirt(),), [("LM101", "kubevirt", "all")]),
    ],
)
def test_the_json_names_the_releases_of_a_finding(
    fragment: str, around: tuple[Manifest, ...], expected: list[tuple[str, str, str]]
) -> None:
    """
    ``releases`` of a finding are the judged releases for which it holds; the verdict is that of the newest.
    """
    answer = json.loads(as_json.render(report(fragment, *around)))

    (judged,) = [item for item in answer["objects"] if item["kind"] == "VirtualMachine"]
    result = [(item["rule"], item["basis"], item["releases"]) for item in judged["findings"]]
    assert result == expected
    assert (answer["release"], judged["verdict"]["release"]) == ("any", "1.9")


def test_one_release_is_judged_alone() -> None:
    """
    With a pinned release only the findings of that release are reported.
    """
    for release, rules in (("1.4", ["LM203", "LM812"]), ("1.6", ["LM203", "LM812"]), ("1.9", ["LM203", "LM402"])):
        answer = report(BOTH, MASQUERADE, release=release)

        result = [finding for one in answer.objects if one.kind != "KubeVirt" for finding in one.findings]
        assert [finding.rule for finding in result] == rules
        assert result[0].basis == ("kubevirt" if release == "1.4" else "baseline")
        assert f"(KubeVirt {release})" in as_text(answer, width=500) or release != "1.6"


def test_an_unproven_vm_is_not_reported_as_migratable() -> None:
    """
    A GPU is on the fixed list; without the KubeVirt CR it is unproven whether KubeVirt 1.9 migrates it.
    """
    said = as_text(report(GPU, release="1.9"), width=500)

    assert (
        "It is unproven whether KubeVirt itself would migrate such a VM. The rule is on Migratable's fixed list."
        in said
    )
    assert "can migrate it" not in said
