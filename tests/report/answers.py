"""Reports that every format must render: all rule examples, and one full of hostile text."""

import json
import os
import tempfile
from functools import lru_cache
from pathlib import Path

from msgspec.structs import replace

from tests.report.audits import SMALL_AUDIT
from tests.report.reports import PROBLEMS, SMALL, report
from tests.wrapping import every_example
from webhook.check.check import Settings, check
from webhook.manifests.files import read_all
from webhook.manifests.objects import read_manifests
from webhook.manifests.sources import Sources
from webhook.policy.policy import Exemption, Policy
from webhook.report.model import ObjectReport, Report
from webhook.report.printable import printable

SCHEMAS = Path(__file__).parent / "schemas"

NASTY = "n\x01\x1b[31m\u202e\x85\u2028\r\nnot ok 9 # TODO |`<img src=x>]]>&\"',:%0A::error::@team $x$ ☃ 😀\ufffe\x7f"
"""What an object's name or a reason may hold when somebody wants to break a report."""
NASTY_FILE = b"n\x01\x1b[31m\r\nnot ok 9 # TODO |`<img src=x>]]>&\"',:%0A::error::@team $x$ \xe2\x80\xae\xff.yaml"
"""The same as the name of a file, with a byte that is no UTF-8."""


@lru_cache(maxsize=1)
def of_all_examples() -> Report:
    """The findings of all rules on their own examples, in all wrappings."""
    objects: list[ObjectReport] = []
    for at, (_, example, wrap) in enumerate(every_example()):
        inputs = read_manifests(json.dumps(wrap(example), indent=1).encode(), f"examples/{at}.json")
        world = [
            manifest for obj in example.world for manifest in read_manifests(json.dumps(obj).encode(), "w").objects
        ]
        objects += check([inputs], Settings(release="any"), world).objects
    return report(*objects)


@lru_cache(maxsize=1)
def hostile() -> Report:
    """The report on a file with a hostile name, hostile object names, and a policy with hostile reasons."""
    volume = {"name": NASTY, "persistentVolumeClaim": {"claimName": NASTY}}
    spec = {"domain": {"devices": {"gpus": [{"name": NASTY, "deviceName": NASTY}]}}, "volumes": [volume]}
    manifests = [
        {
            "apiVersion": "kubevirt.io/v1",
            "kind": "VirtualMachineInstance",
            "metadata": {"name": NASTY, "namespace": NASTY},
            "spec": spec,
        },
        {"apiVersion": f"kubevirt.io/{NASTY}", "kind": NASTY, "metadata": {"name": NASTY}},
        {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "metadata": {"name": 1}, NASTY: 1},
    ]
    policy = Policy(exemptions=[Exemption(rule="LM302", reason=NASTY, owner=NASTY, until="2030-01-01")])
    with tempfile.TemporaryDirectory() as folder:
        path = os.fsencode(folder) + b"/" + NASTY_FILE
        Path(os.fsdecode(path)).write_text("\n---\n".join(map(json.dumps, manifests)), encoding="utf-8")
        inputs = read_all([folder], recursive=False, sources=Sources())
    answer = check(inputs, Settings(policy, "any", "2026-01-01"))
    assert answer.objects
    assert answer.problems
    assert answer.summary.exempted
    return replace(answer, notes=[printable(NASTY)])


ANSWERS = {
    "small": SMALL,
    "empty": report(),
    "problems": report(problems=PROBLEMS),
    "hostile": hostile(),
    "audit": SMALL_AUDIT,
}
