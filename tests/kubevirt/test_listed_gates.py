"""Feature gates that are on (webhook.kubevirt.feature_gates)."""

from typing import Any

import msgspec
import pytest

from webhook.facts.unknown import Fact, Unknown
from webhook.kubevirt.feature_gates import GATES, alpha_gate_is_on, hotplugs_from_template
from webhook.kubevirt.releases import Release, behaviours, only
from webhook.objects.kubevirt import Configuration

DECLARATIVE, OLDER = "DeclarativeHotplugVolumes", "HotplugVolumes"
KNOWN, ON_BY_DEFAULT = (
    tuple(behaviours(releases)) for releases in (GATES[DECLARATIVE].known, GATES[DECLARATIVE].on_by_default)
)


def configuration(developer: dict[str, Any] | None) -> Configuration:
    return msgspec.convert({} if developer is None else {"developerConfiguration": developer}, Configuration)


@pytest.mark.parametrize(
    ("developer", "is_on"),
    [
        (None, False),
        ({}, False),
        ({"featureGates": []}, False),
        ({"featureGates": ["VGPULiveMigration"]}, True),
        ({"featureGates": ["VGPULiveMigration"], "disabledFeatureGates": ["VGPULiveMigration"]}, True),
        ({"featureGates": ["Other"]}, False),
    ],
)
def test_an_alpha_gate_is_on_where_it_is_listed(developer: dict[str, Any] | None, is_on: bool) -> None:
    """
    A gate that is listed and disabled is on.
    """
    assert alpha_gate_is_on(configuration(developer), "VGPULiveMigration") is is_on


V1_5, V1_6, V1_9 = (only(Release(1, minor)) for minor in (5, 6, 9))
UNKNOWN = Unknown("no KubeVirt CR is in the input")
LISTED = configuration({"featureGates": [DECLARATIVE]})
BOTH = configuration({"featureGates": [DECLARATIVE, OLDER]})
DISABLED = configuration({"disabledFeatureGates": [DECLARATIVE]})
PLAIN = [configuration(None), configuration({}), configuration({"featureGates": [], "disabledFeatureGates": ["Other"]})]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (UNKNOWN, [False, True, True]),
        (LISTED, [False, True, True]),
        (BOTH, [False, False, False]),
        (DISABLED, [False, False, False]),
        *((item, [False, False, bool(GATES[DECLARATIVE].on_by_default & V1_9)]) for item in PLAIN),
    ],
)
def test_volumes_are_plugged_from_the_template_where_the_newer_gate_is_on(
    known: Fact[Configuration], expected: list[bool]
) -> None:
    """
    The gate exists from 1.6 on, and the older gate has precedence; in an unknown cluster it may be on.
    """
    assert [hotplugs_from_template(known, release) for release in (V1_5, V1_6, V1_9)] == expected
