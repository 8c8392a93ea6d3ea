"""What is filled in: only where nothing is, once, and never to anybody's harm."""

import copy
from typing import Any

import jsonpatch
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.generating import (
    Manifest,
    World,
    carriers,
    instances,
    kubevirts,
    machines,
    networks,
    pools,
    replica_sets,
    worlds,
)
from tests.generating.schemas import faults
from tests.surfaces.admission.reviews import read, review
from webhook.defaults.default import Set
from webhook.defaults.register import patches
from webhook.facts.objects_world import ObjectsWorld
from webhook.judging.machines import judge
from webhook.kubevirt import releases as known
from webhook.kubevirt.releases import NEWEST, SUPPORTED, Release, Releases, only
from webhook.kubevirt.settings.settings import SETTINGS, in_force
from webhook.manifests.policy_faults import faults_of
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.mutate import operations_for
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext, decide_request

STRATEGY = "LiveMigrateIfPossible"
ONE = only(NEWEST)
ASKING = Policy(default_eviction_strategy=STRATEGY)
RELEASES = st.sampled_from((only(NEWEST), only(Release(1, 3)), only(Release(1, 6)), SUPPORTED))
POLICIES = st.builds(
    Policy,
    default_eviction_strategy=st.sampled_from((None, "LiveMigrate", STRATEGY)),
    default_migration_settings=st.sampled_from((True, True, False)),
    migration_settings=st.fixed_dictionaries(
        {},
        optional={
            "parallelMigrationsPerCluster": st.sampled_from((1, 2, 3, 20)),
            "parallelOutboundMigrationsPerNode": st.sampled_from((1, 2, 4)),
            "completionTimeoutPerGiB": st.sampled_from((50, 800)),
            "progressTimeout": st.sampled_from((10, 300)),
            "bandwidthPerMigration": st.sampled_from(("8Mi", "64Mi", "1Gi")),
            "allowPostCopy": st.booleans(),
            "allowWorkloadDisruption": st.booleans(),
            "allowAutoConverge": st.booleans(),
            "maxDowntimeMs": st.just(300),
            "utilityVolumesTimeout": st.just(60),
        },
    ),
).filter(lambda policy: not faults_of(policy))
PATHS = {
    "VirtualMachine": ("spec", "template", "spec"),
    "VirtualMachineInstance": ("spec",),
    "VirtualMachineInstanceReplicaSet": ("spec", "template", "spec"),
    "VirtualMachinePool": ("spec", "virtualMachineTemplate", "spec", "template", "spec"),
}


def operations(
    manifest: Manifest, policy: Policy = ASKING, world: World | tuple[()] = (), releases: Releases = ONE, **more: Any
) -> list[dict[str, Any]] | None:
    """The patch for a CREATE, or None for what cannot be read."""
    operation = more.pop("operation", "CREATE")
    decoded = read_review(review(operation, manifest, manifest if operation == "UPDATE" else None, **more))
    return operations_for(decoded, context(policy, world, releases)) if isinstance(decoded, DecodedRequest) else None


def context(policy: Policy, world: World | tuple[()], releases: Releases) -> JudgingContext:
    return JudgingContext(ObjectsWorld([read(each) for each in world]), releases, policy, "2026-01-01", "kubevirt")


def filled(manifest: Manifest, patch: list[dict[str, Any]]) -> Manifest:
    made: Manifest = jsonpatch.apply_patch(copy.deepcopy(manifest), patch)
    return made


def at(manifest: Manifest, *path: str) -> Any:
    here: Any = manifest
    for step in path:
        here = (here or {}).get(step)
    return here


def kubevirt(configuration: Any = None, **metadata: Any) -> Manifest:
    spec = {} if configuration is None else {"configuration": configuration}
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt", **metadata},
        "spec": spec,
    }


def contains(new: Any, old: Any) -> bool:
    """Whether everything that is written and not null is still there, as it was."""
    if old is None:
        return True
    if isinstance(old, dict) and isinstance(new, dict):
        return all(contains(new.get(key), value) for key, value in old.items())
    return bool(new == old and type(new) is type(old))


LIMITED = st.fixed_dictionaries(
    {},
    optional={
        f"parallel{name}": st.sampled_from((1, 2, 4, None))
        for name in ("MigrationsPerCluster", "OutboundMigrationsPerNode")
    },
).map(lambda migrations: kubevirt({"migrations": migrations}))
"""CRs in which little but the two limits is written."""
ANYTHING = st.one_of(carriers(), kubevirts(), kubevirts(wild=True), networks())


@settings(deadline=None, max_examples=100)
@given(ANYTHING, POLICIES, worlds(), RELEASES)
@example(kubevirt(), Policy(migration_settings={"allowPostCopy": True, "allowWorkloadDisruption": False}), [], ONE)
def test_filling_in_twice_is_filling_in_once(
    manifest: Manifest, policy: Policy, world: World, releases: Releases
) -> None:
    """
    Whatever is written stays; what was filled in counts as written, so that a second time changes nothing.
    """
    patch = operations(manifest, policy, world, releases)
    if patch is None:
        return

    once = filled(manifest, patch)

    assert contains(once, manifest)
    assert operations(once, policy, world, releases) == []
    assert {operation["op"] for operation in patch} <= {"add"}
    assert len({operation["path"] for operation in patch}) == len(patch)


@settings(deadline=None, max_examples=120)
@given(st.one_of(carriers(), kubevirts(wild=True), LIMITED), POLICIES, worlds(), RELEASES)
def test_filling_in_never_does_harm(manifest: Manifest, policy: Policy, world: World, releases: Releases) -> None:
    """
    Nothing is refused after filling in that was not refused before, and no verdict changes.
    """
    patch = operations(manifest, policy, world, releases)
    if not patch:
        return
    terms = context(policy, [each for each in world if each["kind"] != manifest["kind"]], releases)

    before, after = decided(manifest, terms), decided(filled(manifest, patch), terms)

    assert after - before == set()
    first, second = (judge(read(each), terms.world, releases).verdict for each in (manifest, filled(manifest, patch)))
    assert (first and first.live_migratable) == (second and second.live_migratable)


def decided(manifest: Manifest, terms: JudgingContext) -> set[tuple[str, str]]:
    """Rule and subject of everything that is refused."""
    decoded = read_review(review("CREATE", manifest))
    assert isinstance(decoded, DecodedRequest)
    decisions = decide_request(decoded, terms).decisions
    return {each.finding.identity for each in decisions if each.action is Action.DENY}


@settings(deadline=None, max_examples=60)
@given(kubevirts(wild=True), RELEASES)
def test_what_is_in_force_becomes_visible_and_stays(manifest: Manifest, releases: Releases) -> None:
    """
    Without values of its own the policy writes out what each release uses anyway.
    """
    patch = operations(manifest, releases=releases)
    if patch is None:
        return
    old, new = at(manifest, *MIGRATIONS), at(filled(manifest, patch), *MIGRATIONS)

    for behaviour in known.behaviours(releases):
        assert in_force(new, behaviour) == in_force(old, behaviour)


@settings(deadline=None, max_examples=60)
@given(kubevirts(), POLICIES, RELEASES)
def test_what_is_filled_in_has_the_shape_of_its_definition(
    manifest: Manifest, policy: Policy, releases: Releases
) -> None:
    """
    An API server that took the CR takes it filled in, too.
    """
    patch = operations(manifest, policy, releases=releases)

    assert patch is not None
    assert faults(filled(manifest, patch)) == []


MIGRATIONS = ("spec", "configuration", "migrations")


def test_an_empty_cr_shows_what_1_9_uses() -> None:
    """
    KubeVirt's own defaults, each named as in its API; maxDowntimeMs only where its gate is listed.
    """
    patch = operations(kubevirt())

    assert patch is not None
    assert [each["path"] for each in patch[:2]] == ["/spec/configuration", "/spec/configuration/migrations"]
    assert at(filled(kubevirt(), patch), *MIGRATIONS) == {
        "nodeDrainTaintKey": "kubevirt.io/drain",
        "parallelOutboundMigrationsPerNode": 2,
        "parallelMigrationsPerCluster": 5,
        "allowAutoConverge": False,
        "bandwidthPerMigration": "0Mi",
        "completionTimeoutPerGiB": 150,
        "progressTimeout": 150,
        "unsafeMigrationOverride": False,
        "allowPostCopy": False,
        "utilityVolumesTimeout": 150,
    }


def test_a_default_on_which_releases_differ_is_left_open() -> None:
    """
    Where it is not known which release runs, only what all of them use is written out.
    """
    one, any_release = (operations(kubevirt(), releases=each) or [] for each in (only(NEWEST), SUPPORTED))

    differing = {each["path"] for each in one} - {each["path"] for each in any_release}
    assert {path.rpartition("/")[2] for path in differing} == {"completionTimeoutPerGiB", "utilityVolumesTimeout"}


@pytest.mark.parametrize(
    ("gates", "written"), [([], False), (["LiveMigration"], False), (["MigrationStallDetection"], True)]
)
def test_max_downtime_is_written_only_with_its_gate(gates: list[str], written: bool) -> None:
    """
    KubeVirt refuses a change of maxDowntimeMs while the gate is off.
    """
    manifest = kubevirt({"developerConfiguration": {"featureGates": gates}})

    for policy in (ASKING, Policy(migration_settings={"maxDowntimeMs": 300})):
        patch = operations(manifest, policy) or []
        assert any(each["path"].endswith("/maxDowntimeMs") for each in patch) is written


@pytest.mark.parametrize(
    ("written", "wanted", "cluster", "outbound"),
    [
        ({}, {}, 5, 2),
        ({"parallelMigrationsPerCluster": 1}, {}, 1, None),
        ({"parallelMigrationsPerCluster": 2}, {}, 2, 2),
        ({"parallelOutboundMigrationsPerNode": 4}, {}, 5, 4),
        ({}, {"parallelMigrationsPerCluster": 1}, 1, None),
        ({}, {"parallelMigrationsPerCluster": 3, "parallelOutboundMigrationsPerNode": 3}, 3, 3),
        ({"parallelMigrationsPerCluster": 2}, {"parallelOutboundMigrationsPerNode": 3}, 2, None),
        ({"parallelOutboundMigrationsPerNode": 4}, {"parallelMigrationsPerCluster": 3}, None, 4),
        ({"parallelOutboundMigrationsPerNode": 3}, {"parallelMigrationsPerCluster": 3}, 3, 3),
        ({"parallelMigrationsPerCluster": None}, {}, 5, 2),
    ],
)
def test_limits_that_would_contradict_each_other_are_left_open(
    written: dict[str, Any], wanted: dict[str, Any], cluster: int | None, outbound: int | None
) -> None:
    """
    What is filled in never puts the limit of a node above that of the cluster.
    """
    manifest = kubevirt({"migrations": written})

    patch = operations(manifest, Policy(migration_settings=wanted))

    assert patch is not None
    found = at(filled(manifest, patch), *MIGRATIONS)
    assert found.get("parallelMigrationsPerCluster") == cluster
    assert found.get("parallelOutboundMigrationsPerNode") == outbound


@pytest.mark.parametrize(
    ("written", "wanted", "filled_in"),
    [
        ({"completionTimeoutPerGiB": 100}, {"bandwidthPerMigration": "8Mi"}, {"bandwidthPerMigration": "0Mi"}),
        ({"completionTimeoutPerGiB": 200}, {"bandwidthPerMigration": "8Mi"}, {"bandwidthPerMigration": "8Mi"}),
        ({"bandwidthPerMigration": "8Mi"}, {"completionTimeoutPerGiB": 100}, {"completionTimeoutPerGiB": 150}),
        ({"allowPostCopy": True}, {"allowWorkloadDisruption": False}, {"allowWorkloadDisruption": None}),
        (
            {"completionTimeoutPerGiB": 100},
            {"bandwidthPerMigration": "8Mi", "progressTimeout": 60},
            {"bandwidthPerMigration": "0Mi", "progressTimeout": 60},
        ),
    ],
)
def test_a_policys_value_gives_way_where_it_does_not_fit_what_is_written(
    written: dict[str, Any], wanted: dict[str, Any], filled_in: dict[str, Any]
) -> None:
    """
    Two sound values that together leave no time to finish, or make post-copy impossible, are never put together.
    """
    manifest = kubevirt({"migrations": written})

    patch = operations(manifest, Policy(migration_settings=wanted))

    found = at(filled(manifest, patch or []), *MIGRATIONS)
    assert {name: found.get(name) for name in filled_in} == filled_in


def test_the_policys_values_come_first() -> None:
    """
    A value of the policy file replaces the release's own, where the release has the field.
    """
    policy = Policy(migration_settings={"progressTimeout": 60, "utilityVolumesTimeout": 30})

    new, old = (
        at(filled(kubevirt(), operations(kubevirt(), policy, releases=only(release)) or []), *MIGRATIONS)
        for release in (NEWEST, Release(1, 3))
    )

    assert (new["progressTimeout"], new["utilityVolumesTimeout"]) == (60, 30)
    assert (old["progressTimeout"], "utilityVolumesTimeout" in old) == (60, False)


@pytest.mark.parametrize(
    "manifest",
    [
        pytest.param(kubevirt({"migrations": "none"}), id="text"),
        pytest.param(kubevirt({"migrations": []}), id="list"),
        pytest.param(kubevirt({"migrations": 5}), id="number"),
    ],
)
def test_what_has_the_wrong_type_is_left_to_the_rules(manifest: Manifest) -> None:
    """
    A default is no correction.
    """
    assert operations(manifest) == []


OWNER = {
    "apiVersion": "hco.kubevirt.io/v1beta1",
    "kind": "HyperConverged",
    "name": "hco",
    "uid": "1",
    "controller": True,
}


@pytest.mark.parametrize(
    "metadata",
    [
        {"ownerReferences": [OWNER]},
        {"ownerReferences": [{**OWNER, "controller": None}]},
        {"ownerReferences": [{**OWNER, "kind": "Other"}, OWNER]},
    ],
)
def test_nothing_is_filled_into_what_hyperconverged_writes(metadata: dict[str, Any]) -> None:
    """
    It would undo the change, and both would go on for ever.
    """
    assert operations(kubevirt(**metadata)) == []
    assert operations(kubevirt({"migrations": {"progressTimeout": 1}}, **metadata)) == []


def test_the_policy_can_ask_for_nothing() -> None:
    """
    ``defaultMigrationSettings: false`` and no ``defaultEvictionStrategy`` leave every object as it is.
    """
    nothing = Policy(default_migration_settings=False)

    assert operations(kubevirt(), nothing) == []
    assert operations(vmi(), nothing) == []


def vmi(**spec: Any) -> Manifest:
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "VirtualMachineInstance",
        "metadata": {"name": "web", "namespace": "tenant"},
        "spec": {
            "domain": {"devices": {"interfaces": [{"name": "default", "masquerade": {}}]}},
            "networks": [{"name": "default", "pod": {}}],
            **spec,
        },
    }


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        pytest.param(vmi(), STRATEGY, id="absent"),
        pytest.param(vmi(evictionStrategy=None), STRATEGY, id="null"),
        pytest.param(vmi(evictionStrategy="None"), "None", id="None"),
        pytest.param(vmi(evictionStrategy=""), "", id="empty"),
        pytest.param(vmi(evictionStrategy="LiveMigrate"), "LiveMigrate", id="set"),
        pytest.param(vmi(volumes=[{"name": "a", "hostDisk": {"path": "/a", "type": "Disk"}}]), None, id="refused"),
        pytest.param(vmi(volumes=[{"name": "a", "dataVolume": {"name": "a"}}]), STRATEGY, id="unproven"),
    ],
)
def test_a_vm_that_can_move_gets_the_eviction_strategy(manifest: Manifest, expected: str | None) -> None:
    """
    Only where none is written, and not where the verdict is False: such a VM could never leave its node.
    """
    patch = operations(manifest)

    assert patch is not None
    assert filled(manifest, patch)["spec"].get("evictionStrategy") == expected


@settings(deadline=None, max_examples=60)
@given(st.one_of(machines(), instances(), replica_sets(), pools()))
def test_every_kind_that_carries_a_vmi_gets_it_in_its_place(manifest: Manifest) -> None:
    """
    VM, VMI, replica set and pool: the strategy stands in the VMI's spec, and nowhere else.
    """
    patch = operations(manifest) or []

    place = "/" + "/".join((*PATHS[manifest["kind"]], "evictionStrategy"))
    assert [each["path"] for each in patch] in ([], [place])


@pytest.mark.parametrize(
    ("manifest", "how", "fills"),
    [
        pytest.param(vmi(), {"operation": "UPDATE"}, False, id="update of a VMI"),
        pytest.param(kubevirt(), {"operation": "UPDATE"}, True, id="update of the CR"),
        pytest.param(kubevirt(), {"operation": "UPDATE", "sub_resource": "status"}, False, id="status"),
        pytest.param(kubevirt(deletionTimestamp="2026-01-01T00:00:00Z"), {"operation": "UPDATE"}, False, id="leaving"),
    ],
)
def test_only_what_begins_is_filled_in(manifest: Manifest, how: dict[str, Any], fills: bool) -> None:
    """
    Updates of machines, status writes and objects on their way out are left alone; the CR is kept visible.
    """
    assert bool(operations(manifest, **how)) is fills


PLACES = st.lists(st.sampled_from(("a", "b", "c/d", "e~f")), min_size=1, max_size=4).map(tuple)
TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: (
        st.dictionaries(st.sampled_from(("a", "b", "c/d", "e~f")), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(("a", "b", "c/d", "e~f")), TREES, max_size=4), st.lists(PLACES, max_size=4))
def test_a_patch_writes_exactly_what_is_absent(raw: dict[str, Any], places: list[tuple[str, ...]]) -> None:
    """
    For any object and any places: the patch applies, changes nothing that is written, and writes each place that is free.
    """
    distinct = [place for place in dict.fromkeys(places) if not any(_inside(place, other) for other in places)]
    sets = [Set(place, "new", "why") for place in distinct]

    made = filled(raw, patches(sets, raw))

    assert contains(made, raw)
    for place in distinct:
        assert at_place(made, place) == ("new" if _is_free(raw, place) else at_place(raw, place))
    assert patches(sets, made) == []


def _inside(place: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return place != other and (place[: len(other)] == other or other[: len(place)] == place)


def _is_free(raw: Any, place: tuple[str, ...]) -> bool:
    for step in place:
        if not isinstance(raw, dict):
            return False
        raw = raw.get(step)
        if raw is None:
            return True
    return False


def at_place(raw: Any, place: tuple[str, ...]) -> Any:
    for step in place:
        raw = raw.get(step) if isinstance(raw, dict) else None
    return raw


def test_every_setting_can_be_wanted() -> None:
    """
    The policy may name each setting that some release has.
    """
    assert all(not faults_of(Policy(migration_settings={name: _fitting(name)})) for name in SETTINGS)


def _fitting(name: str) -> Any:
    return {"nodeDrainTaintKey": "drain", "network": "net", "bandwidthPerMigration": "64Mi", "maxDowntimeMs": 300}.get(
        name, False if "allow" in name or name.startswith(("unsafe", "disable", "match")) else 2
    )
