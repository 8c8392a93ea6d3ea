"""
Hypothesis strategies for the objects that the doors judge, and for the clusters around them.

Everything is plain JSON: dicts, lists, text, whole numbers, booleans. Names come from small pools, so that references
meet their objects about as often as they miss them. What ``machines`` and its siblings give has the shape of the CRDs;
whether KubeVirt's own webhooks would take it is another question.
"""

from tests.generating.carriers import carriers, instances, machines, pools, replica_sets
from tests.generating.settings import kubevirts, migration_policies, networks
from tests.generating.specs import specs
from tests.generating.words import NAMESPACE, Manifest
from tests.generating.worlds import World, worlds

__all__ = [
    "NAMESPACE",
    "Manifest",
    "World",
    "carriers",
    "instances",
    "kubevirts",
    "machines",
    "migration_policies",
    "networks",
    "pools",
    "replica_sets",
    "specs",
    "worlds",
]
