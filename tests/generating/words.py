"""The small pools of names that generated objects share, and common parts of objects."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st

from webhook.kubevirt.expansion.interfaces import BRIDGE_OVERRIDE

Manifest: TypeAlias = dict[str, Any]
Manifests: TypeAlias = st.SearchStrategy[Manifest]

NAMESPACE = "tenant"
OTHER_NAMESPACE = "neighbour"
VOLUMES = ("os", "data", "scratch", "seed")
CLAIMS = ("os", "data", "shared", "template-os")
CLASSES = ("fast", "local")
NETWORKS = ("default", "blue", "green")
INSTANCETYPES = ("u1.medium", "gpu.large")
PREFERENCES = ("fedora", "windows")
REVISIONS = ("revision-1", "revision-2")
MEDIATED = "nvidia.com/GRID_T4-1Q"
INFER = "instancetype.kubevirt.io/default-"

EMPTY: Manifests = st.just({})
BOOLEANS = st.booleans()
ARCHITECTURES = st.sampled_from(("amd64", "arm64", "s390x"))
CPU_MODELS = st.sampled_from(("host-model", "host-passthrough", "Skylake-Server", "qemu64"))
EVICTION_STRATEGIES = st.sampled_from(("None", "LiveMigrate", "LiveMigrateIfPossible", "External", "livemigrate"))
"""The definitions hold no list of them, so any text may come in."""
ACCESS_MODES = st.lists(
    st.sampled_from(("ReadWriteMany", "ReadWriteOnce", "ReadOnlyMany", "ReadWriteOncePod")), max_size=2, unique=True
)
VOLUME_MODES = st.sampled_from(("Block", "Filesystem"))
SIZES = st.sampled_from(("1Gi", "64Mi", "10G", 5, "1.5Ti"))
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)
"""Files with NUL are refused: no field of Kubernetes has a use for it."""


def fields(required: dict[str, st.SearchStrategy[Any]] | None = None, **optional: st.SearchStrategy[Any]) -> Manifests:
    """An object with these fields, of which the optional ones may be missing."""
    return st.fixed_dictionaries(required or {}, optional=optional)


def some(manifests: Manifests, most: int = 2) -> st.SearchStrategy[list[Manifest]]:
    """A list of objects with different names."""
    return st.lists(manifests, max_size=most, unique_by=lambda one: one["name"])


def name_of(names: Sequence[str]) -> st.SearchStrategy[str]:
    """One of a pool."""
    return st.sampled_from(names)


def one_of_fields(**choices: st.SearchStrategy[Any]) -> Manifests:
    """An object with exactly one of these fields, as volume sources and bindings have it."""
    return st.one_of(*(st.fixed_dictionaries({name: value}) for name, value in choices.items()))


def merged(*parts: Manifests) -> Manifests:
    """One object with the fields of all parts."""
    return st.tuples(*parts).map(lambda drawn: {key: value for part in drawn for key, value in part.items()})


ANNOTATIONS = st.dictionaries(st.sampled_from(("description", "example.org/note")), ANY_TEXT, max_size=1)
VMI_ANNOTATIONS = merged(
    ANNOTATIONS,
    fields(
        **{
            BRIDGE_OVERRIDE: st.sampled_from(("true", "", "false")),
            "kubevirt.io/allow-pod-bridge-live-migration": st.sampled_from(("true", "")),
            "ovn.kubernetes.io/ip_address": st.just("10.9.0.5"),
            "example.org/owner": ANY_TEXT,
        }
    ),
)
LABELS = st.dictionaries(st.sampled_from(("app", "tier")), st.sampled_from(("web", "db")), max_size=2)


def metadata(name: st.SearchStrategy[str], *, namespaced: bool = True, **more: st.SearchStrategy[Any]) -> Manifests:
    """``metadata`` in the tenant's namespace, or of a cluster-scoped object."""
    place = {"namespace": st.just(NAMESPACE)} if namespaced else {}
    return st.fixed_dictionaries({"name": name, **place}, optional=more)
