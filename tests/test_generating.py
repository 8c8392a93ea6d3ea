"""The strategies give objects that conform to the definitions of KubeVirt, CDI and Multus, and that violate every rule."""

import json
from contextlib import suppress
from random import Random

from hypothesis import HealthCheck, Phase, find, given, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from tests.generating import (
    Manifest,
    World,
    carriers,
    instances,
    kubevirts,
    machines,
    migration_policies,
    networks,
    worlds,
)
from tests.generating.schemas import faults
from tests.wrapping import objects_in
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.machines import judge
from webhook.kubevirt.releases import KNOWN
from webhook.manifests.objects import ManifestObject, read_manifests
from webhook.rules.register import RULES
from webhook.rules.rule import About

TOO_MUCH = (HealthCheck.data_too_large, HealthCheck.too_slow, HealthCheck.large_base_example)


def read(*manifests: Manifest) -> list[ManifestObject]:
    inputs = [read_manifests(json.dumps(manifest).encode(), "generated") for manifest in manifests]
    assert [problem.message for one in inputs for problem in one.problems] == []
    return [given for one in inputs for given in one.objects]


@settings(deadline=None, max_examples=60)
@given(carriers(), worlds(), kubevirts(), migration_policies(), networks())
def test_generated_objects_conform_to_their_definitions(
    machine: Manifest, world: World, kubevirt: Manifest, policy: Manifest, network: Manifest
) -> None:
    """
    Each generated object passes the OpenAPI schema of its CRD, and is read without a problem.
    """
    for manifest in (machine, *world, kubevirt, policy, network):
        read(manifest)

        assert faults(manifest) == []


def test_generated_machines_violate_every_rule_about_machines() -> None:
    """
    Among generated machines each rule about a VMI or its drain finds something, sooner or later.
    """
    missing = {rule.id for rule in RULES if rule.about in (About.VMI, About.DRAIN)}

    def is_the_last(pair: tuple[list[Manifest], World]) -> bool:
        around = ObjectsWorld(objects_in(read(*pair[1])))
        for judged in objects_in(read(*pair[0])):
            missing.difference_update(finding.rule.id for finding in judge(judged, around, KNOWN).findings)
        return not missing

    with suppress(NoSuchExample):
        find(
            st.tuples(st.lists(st.one_of(machines(), instances()), min_size=4, max_size=4), worlds()),
            is_the_last,
            settings=settings(
                max_examples=2000, phases=(Phase.generate,), database=None, suppress_health_check=TOO_MUCH
            ),
            random=Random(1),
        )

    assert missing == set()
