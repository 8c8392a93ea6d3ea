"""
The questions that both checkouts are asked, made from the rules and generators of this checkout.

The same number of manifests and reviews gives the same questions: Hypothesis draws without a random seed (`stored`), and all
other choices depend on the number of the manifest.
"""

import random
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from hypothesis import strategies as st

from tests.fuzz.mutating import bytes_of, mutated, mutated_bytes
from tests.generating import carriers, kubevirts, migration_policies, networks, worlds
from tests.generating.tricky import Tricky
from tests.properties.supply import stored
from tests.surfaces.admission.reviews import VIRT_API, review
from tests.wrapping import before_of, every_example, wraps
from webhook.rules.register import RULES

ROOT = Path(__file__).resolve().parents[2]
RECORDED = ROOT / "tests" / "data" / "admissionreviews"
EXAMPLES = ROOT / "examples"
WORLDS, FACTS = 150, 10
"""How many clusters the manifests are spread over, and how many together are the facts of the servers."""
POLICY = """\
profile: exact
unproven: deny
defaultEvictionStrategy: LiveMigrate
actions: {LM501: "off", gpu: warn, LM103: audit}
namespaces:
- {names: [neighbour], atMost: audit}
exemptions:
- {rule: claim-not-shared, name: vm, reason: moves to shared storage, owner: storage team, until: "2099-01-31"}
"""
PLAIN: tuple[str, ...] = ()
OPTIONS: tuple[tuple[str, ...], ...] = (
    ("--release", "1.3"),
    ("--policy", "policy.yaml"),
    ("--profile", "exact", "--fail-on", "warn"),
    ("--only", "LM2", "--only", "LM5", "-v"),
    ("--strict", "--skip", "LM201", "--release", "1.6"),
    ("--rule", "LM201=warn", "--rule", "LM101=off", "--facts", "facts"),
    ("--options",),
)
"""Each manifest is checked without options, and with one of these in turn."""

Manifest = dict[str, Any]


class Check(NamedTuple):
    """A run of `check` over one file."""

    file: str
    options: tuple[str, ...]

    @property
    def name(self) -> str:
        """As a sample shows it."""
        return " ".join(("check", *self.options, self.file))


class Review(NamedTuple):
    """A body that an API server would post."""

    name: str
    body: bytes


def write(folder: Path, manifests: int) -> list[Check]:
    """Writes all files and returns the runs over them."""
    clusters = stored(worlds(), WORLDS)
    (folder / "policy.yaml").write_text(POLICY)
    _write_facts(folder / "facts", clusters[:FACTS])
    checks: list[Check] = []
    for place, files in (("examples", _examples()), ("manifests", _manifests(manifests, clusters))):
        (folder / place).mkdir()
        for number, (name, content, own) in enumerate(files):
            file = f"{place}/{name}.yaml"
            (folder / file).write_bytes(content)
            checks += [Check(file, own), Check(file, OPTIONS[number % len(OPTIONS)])]
    return checks


def _examples() -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    """Each rule's examples with the objects around them, in every wrapping, for the example's own release."""
    for number, (rule, example, wrap) in enumerate(every_example()):
        documents = [wrap(example), *example.world]
        yield f"{rule.id}-{number:04}-{wrap.__name__.strip('_')}", _written(documents), ("--release", example.release)


def _manifests(count: int, clusters: Sequence[Any]) -> Iterator[tuple[str, bytes, tuple[str, ...]]]:
    """Generated objects, each with a cluster; of ten, one has wrong values, one wrong bytes, and one is unusual YAML."""
    machines = stored(carriers(), count)
    others: list[bytes] = []
    for number in range(count):
        chance = random.Random(number)
        documents = [machines[number % len(machines)], *clusters[number % len(clusters)]]
        if number % 10 == 7:
            content = b"---\n".join(bytes_of(mutated(document, chance)) + b"\n" for document in documents)
        elif number % 10 == 8:
            content = mutated_bytes(_written(documents), others, chance)
        elif number % 10 == 9:
            content = Tricky(number).document().encode(errors="surrogateescape") + b"\n---\n" + _written(documents)
        else:
            content = _written(documents)
            others = [*others[-20:], content]
        yield f"{number:05}", content, PLAIN


def _written(documents: Sequence[Any]) -> bytes:
    text: bytes = yaml.dump_all(
        documents, Dumper=yaml.CSafeDumper, encoding="utf-8", sort_keys=False, allow_unicode=True, width=1000
    )
    return text


def _write_facts(folder: Path, clusters: Sequence[Any]) -> None:
    """The examples' cluster, and the generated objects that it does not have."""
    shutil.copytree(EXAMPLES, folder)
    objects = {
        (manifest["kind"], manifest["metadata"]["name"]): manifest
        for cluster in clusters
        for manifest in cluster
        if manifest["kind"] != "KubeVirt"
    }
    (folder / "generated.yaml").write_bytes(_written(list(objects.values())))


def reviews(count: int) -> Iterator[Review]:
    """Captured reviews, those of the rules' examples, and `count` generated ones."""
    for path in sorted(RECORDED.glob("*.json")):
        yield Review(path.name, path.read_bytes())
    for rule in RULES:
        for number, example in enumerate(rule.examples):
            for wrap in wraps(rule, example):
                name = f"{rule.id} {number} {wrap.__name__.strip('_')}"
                old = wrap(before_of(example)) if example.before else None
                if "metadata" in (new := wrap(example)):
                    yield Review(name, review("UPDATE" if old else "CREATE", new, old))
    yield from _generated(count)


def _generated(count: int) -> Iterator[Review]:
    """Creations, updates, deletions, writes of KubeVirt's own account and damaged objects in turn."""
    strategy = st.one_of(carriers(), carriers(), kubevirts(), migration_policies(), networks())
    objects = stored(strategy, count)
    for number in range(count):
        old, other = objects[number % len(objects)], objects[(number + 1) % len(objects)]
        new = {**other, "metadata": old["metadata"]} if other["kind"] == old["kind"] else old
        bodies = (
            ("creation", review("CREATE", new)),
            ("update", review("UPDATE", new, old)),
            ("creation", review("CREATE", new)),
            ("damaged creation", review("CREATE", {**new, "spec": mutated(new["spec"], random.Random(number))})),
            ("update", review("UPDATE", new, old)),
            ("update by virt-api", review("UPDATE", new, old, user=VIRT_API)),
            ("deletion", review("DELETE", None, old)),
            ("status", review("UPDATE", new, old, sub_resource="status")),
        )
        name, body = bodies[number % len(bodies)]
        yield Review(f"{name} {number} {new['kind']}", body)
