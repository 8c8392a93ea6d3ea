"""A new minor release of KubeVirt needs one new entry in the table."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

WITH_ONE_MORE = """
import importlib.util, json, sys

spec = importlib.util.find_spec("webhook.kubevirt.releases")
source = spec.loader.get_source(spec.name)
for name, minor in (("PREVIEW", 10), ("NEWEST", 9)):
    line = f"{name}: Release = Release(1, {minor})"
    assert source.count(line) == 1
    source = source.replace(line, f"{name}: Release = Release(1, {minor + 1})")
before = "Releases: TypeAlias = int"
assert source.count(before) == 1
entry = "TABLE = (*TABLE, __import__('msgspec').structs.replace(TABLE[-1], release=Release(1, 11)))"
module = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = module
exec(compile(source.replace(before, entry + "\\n\\n" + before), spec.origin, "exec"), module.__dict__)

from tests.kubevirt import test_fragments
from tests.kubevirt.building import verdicts
from webhook.judging.finding import finding_of
from webhook.facts.objects_world import ObjectsWorld
from webhook.kubevirt.releases import KNOWN, SUPPORTED, Release, describe, giving, only, releases_phrase, since, Reason
from webhook.report import explain, pages, releases_page
from webhook.rules.register import RULES
from webhook.check.check import choose_release

old, new = Release(1, 9), Release(1, 10)
differing = [
    str(row.id)
    for row in test_fragments.ROWS
    if len(set(verdicts(row.values[1], test_fragments.around(row.values[0]), [old, new]).values())) != 1
]
chosen = choose_release("v1.10.3-rc.0", ObjectsWorld([]))
newer = choose_release("1.12", ObjectsWorld([]))
header = next(line for line in releases_page.page(RULES).splitlines() if line.startswith("| reason"))
print(json.dumps({
    "chosen": [chosen.label, list(chosen.notes), chosen.releases == only(new)],
    "newer": [newer.label, list(newer.notes)],
    "said": [describe(giving(Reason.TDX)), describe(since(old)), releases_phrase(only(new)), describe(SUPPORTED)],
    "compared": len(test_fragments.ROWS),
    "differing": differing,
    "unlike 1.9": [rule.id for rule in RULES if bool(rule.kubevirt & only(old)) != bool(rule.kubevirt & only(new))],
    "header": header,
    "pages": all(pages.page(rule) and explain.explain(rule) for rule in RULES),
}))
"""


def test_one_entry_of_the_table_is_a_new_release() -> None:
    """
    One more entry makes the new release known everywhere: it is chosen, judged by its entry, and named in ranges and on
    the pages. Only newer releases are judged as this one.
    """
    ran = subprocess.run([sys.executable, "-c", WITH_ONE_MORE], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    result = json.loads(ran.stdout)
    assert result.pop("compared") > 60
    assert result == {
        "chosen": ["1.10", [], True],
        "newer": [
            "1.11",
            [
                "KubeVirt 1.12 is newer than all supported releases and is judged as 1.11",
                "KubeVirt 1.11 is not published: objects are judged for its main branch of 2026-08-22",
            ],
        ],
        "said": ["1.7 and later", "1.9 and later", "from 1.10 on", "all"],
        "differing": [],
        "unlike 1.9": [],
        "header": "| reason | 1.0 | 1.1 | 1.2 | 1.3 | 1.4 | 1.5 | 1.6 | 1.7 | 1.8 | 1.9 | 1.10 | 1.11 (preview) | rules |",
        "pages": True,
    }
