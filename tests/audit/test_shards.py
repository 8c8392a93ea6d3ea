"""Shards of an audit."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.audit.clusters import Manifest, audit_of, claim, kubevirt, named, running, vm
from webhook.audit.scope import Scope, parse_shard, shard_of
from webhook.errors import Misconfigured
from webhook.report.audited import Shard

NAMESPACES = ("shop", "bank", "erp", "media", "kubevirt")


@st.composite
def clusters(draw: st.DrawFn) -> list[Manifest]:
    term = {"topologyKey": "kubernetes.io/hostname", "labelSelector": {"matchLabels": {"app": "db"}}}
    affinity = {
        "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term | {"namespaces": [*NAMESPACES]}]}
    }
    objects: list[Manifest] = [
        named("v1", "Node", "node", metadata={"labels": {"kubernetes.io/hostname": "node"}}),
        named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", "policy", spec={"selectors": {}}),
    ]
    for number, namespace in enumerate(draw(st.lists(st.sampled_from(NAMESPACES), max_size=8))):
        mode = draw(st.sampled_from(["ReadWriteOnce", "ReadWriteMany"]))
        more = draw(st.sampled_from([{}, {"labels": {"app": "db"}, "affinity": affinity}]))
        machine = vm(f"vm{number}", f"c{number}", namespace=namespace, **more)
        objects += [machine, claim(f"c{number}", namespace, mode)]
        if draw(st.booleans()):
            objects.append(running(machine, LiveMigratable=draw(st.sampled_from(["True", "False X"]))))
    return objects


@given(clusters(), st.integers(1, 5))
def test_the_shards_together_report_what_one_audit_reports(objects: list[Manifest], of: int) -> None:
    """
    Every object is in exactly one shard, with the same findings.
    """
    whole = audit_of(objects)

    shards = [audit_of(objects, Scope(shard=Shard(number, of))) for number in range(1, of + 1)]

    together = [audited for shard in shards for audited in shard.objects]
    assert sorted(map(str, together)) == sorted(map(str, whole.objects))
    assert {shard.report.release for shard in shards} == {whole.report.release}


@pytest.mark.parametrize("number", [1, 2])
def test_all_settings_are_in_the_first_shard(number: int) -> None:
    """
    They share one report, which one shard writes. The namespace of KubeVirt belongs to the second shard of two.
    """
    config = '{"cniVersion": "0.3.1", "type": "macvlan"}'
    network = named(
        "k8s.cni.cncf.io/v1", "NetworkAttachmentDefinition", "migration", "kubevirt", spec={"config": config}
    )
    policy = named("migrations.kubevirt.io/v1alpha1", "MigrationPolicy", "policy", spec={"selectors": {}})
    assert shard_of("kubevirt", 2) == 2

    audited = audit_of(
        [kubevirt(migrations={"network": "migration"}), network, policy, vm("own", namespace="kubevirt")],
        Scope(shard=Shard(number, 2)),
    )

    kinds = {one.report.kind for one in audited.objects}
    settings = {"KubeVirt", "NetworkAttachmentDefinition", "MigrationPolicy"}
    assert kinds == (settings if number == 1 else {"VirtualMachine"})


@pytest.mark.parametrize("of", [2, 3, 7])
def test_namespaces_are_spread_over_all_shards(of: int) -> None:
    """
    A namespace is always in the same shard. Cluster-scoped objects are in the first.
    """
    shards = [shard_of(f"{name}-{number}", of) for name, number in product(NAMESPACES, range(40))]

    assert set(shards) == set(range(1, of + 1))
    assert max(shards.count(number) for number in set(shards)) < 2 * len(shards) / of
    assert shard_of("", of) == 1


@pytest.mark.parametrize(
    "text", ["", "1", "0/2", "3/2", "a/b", "1/2/3", "1/0", "-1/2", "1/1001", "²/3", f"{'9' * 5000}/3"]
)
def test_text_that_is_no_shard_is_refused(text: str) -> None:
    """
    The message says what to write.
    """
    with pytest.raises(Misconfigured) as caught:
        parse_shard(text)

    assert "--shard 1/4" in caught.value.remedy


def test_a_shard_is_written_as_a_fraction() -> None:
    """
    Numbers begin at 1.
    """
    assert parse_shard("2/4") == Shard(2, 4)
