"""Properties of all defaults: they fill in absent fields only, once, and without harm."""

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.defaults.requests import MIGRATIONS, ONE, STRATEGY, judging, kubevirt, operations, patched, value_at
from tests.generating import Manifest, World, carriers, kubevirts, networks, worlds
from tests.generating.schemas import faults
from tests.surfaces.admission.reviews import read, review
from webhook.defaults.default import Set
from webhook.defaults.register import patches
from webhook.judging.machines import judge
from webhook.kubevirt.releases import NEWEST, SUPPORTED, Release, Releases, behaviours, only
from webhook.kubevirt.settings.settings import in_force
from webhook.manifests.policy_faults import faults_of
from webhook.policy.policy import Action, Policy
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext, decide_request

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


def contains(new: Any, old: Any) -> bool:
    """Whether the new object has every old value that is not null."""
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
"""CRs with the two limits and no other setting."""
ANYTHING = st.one_of(carriers(), kubevirts(), kubevirts(wild=True), networks())


@settings(deadline=None, max_examples=100)
@given(ANYTHING, POLICIES, worlds(), RELEASES)
@example(kubevirt(), Policy(migration_settings={"allowPostCopy": True, "allowWorkloadDisruption": False}), [], ONE)
def test_a_second_patch_is_empty(manifest: Manifest, policy: Policy, world: World, releases: Releases) -> None:
    """
    A patch keeps present values, and the values that it adds count as present in the next request.
    """
    patch = operations(manifest, policy, world, releases)
    if patch is None:
        return

    once = patched(manifest, patch)

    assert contains(once, manifest)
    assert operations(once, policy, world, releases) == []
    assert {operation["op"] for operation in patch} <= {"add"}
    assert len({operation["path"] for operation in patch}) == len(patch)


@settings(deadline=None, max_examples=120)
@given(st.one_of(carriers(), kubevirts(wild=True), LIMITED), POLICIES, worlds(), RELEASES)
def test_a_patch_causes_no_denial_and_changes_no_verdict(
    manifest: Manifest, policy: Policy, world: World, releases: Releases
) -> None:
    """
    The patched object is denied for nothing that the original is not denied for.
    """
    patch = operations(manifest, policy, world, releases)
    if not patch:
        return
    terms = judging(policy, [item for item in world if item["kind"] != manifest["kind"]], releases)

    before, after = denied(manifest, terms), denied(patched(manifest, patch), terms)

    assert after - before == set()
    first, second = (judge(read(item), terms.world, releases).verdict for item in (manifest, patched(manifest, patch)))
    assert (first and first.live_migratable) == (second and second.live_migratable)


def denied(manifest: Manifest, terms: JudgingContext) -> set[tuple[str, str]]:
    """The rule and subject of each denied finding."""
    readable = read_review(review("CREATE", manifest))
    assert isinstance(readable, DecodedRequest)
    decisions = decide_request(readable, terms).decisions
    return {decision.finding.identity for decision in decisions if decision.action is Action.DENY}


@settings(deadline=None, max_examples=60)
@given(kubevirts(wild=True), RELEASES)
def test_a_patch_does_not_change_the_settings_in_force(manifest: Manifest, releases: Releases) -> None:
    """
    Without values in the policy, the patch writes the values that each release uses by default.
    """
    patch = operations(manifest, releases=releases)
    if patch is None:
        return
    old, new = value_at(manifest, *MIGRATIONS), value_at(patched(manifest, patch), *MIGRATIONS)

    for behaviour in behaviours(releases):
        assert in_force(new, behaviour) == in_force(old, behaviour)


@settings(deadline=None, max_examples=60)
@given(kubevirts(), POLICIES, RELEASES)
def test_a_patched_cr_conforms_to_its_definition(manifest: Manifest, policy: Policy, releases: Releases) -> None:
    """
    An API server that accepts the CR accepts the patched CR too.
    """
    patch = operations(manifest, policy, releases=releases)

    assert patch is not None
    assert faults(patched(manifest, patch)) == []


PATHS = st.lists(st.sampled_from(("a", "b", "c/d", "e~f")), min_size=1, max_size=4).map(tuple)
TREES = st.recursive(
    st.none() | st.integers() | st.text(max_size=2),
    lambda inner: (
        st.dictionaries(st.sampled_from(("a", "b", "c/d", "e~f")), inner, max_size=3) | st.lists(inner, max_size=2)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(("a", "b", "c/d", "e~f")), TREES, max_size=4), st.lists(PATHS, max_size=4))
def test_a_patch_writes_exactly_the_absent_fields(raw: dict[str, Any], paths: list[tuple[str, ...]]) -> None:
    """
    For any object and any paths, the patch applies, changes no present value, and writes each absent path.
    """
    distinct = [path for path in dict.fromkeys(paths) if not any(_inside(path, other) for other in paths)]
    sets = [Set(path, "new", "why") for path in distinct]

    result = patched(raw, patches(sets, raw))

    assert contains(result, raw)
    for path in distinct:
        assert value_of(result, path) == ("new" if _is_free(raw, path) else value_of(raw, path))
    assert patches(sets, result) == []


def _inside(path: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return path != other and (path[: len(other)] == other or other[: len(path)] == path)


def _is_free(raw: Any, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(raw, dict):
            return False
        raw = raw.get(step)
        if raw is None:
            return True
    return False


def value_of(raw: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        raw = raw.get(step) if isinstance(raw, dict) else None
    return raw
