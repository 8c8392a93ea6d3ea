"""msgspec prepares all classes before threads start, because two threads that prepare one class can end the process."""

import subprocess
import sys

from tests.surfaces.running import ROOT

PREPARED = """
import sys

import msgspec
from msgspec._utils import get_class_annotations
from webhook.objects.fleet_kinds import FLEET_KINDS, classes_of, prepare_decoding
from webhook.objects.kinds import KINDS
from webhook.surfaces.admission.requests import prepare_reviews, read_review

if {prepares}:
    prepare_decoding()
    prepare_reviews()
prepared = set()


def watch(frame, event, _argument):
    if event == "call" and frame.f_code is get_class_annotations.__code__:
        prepared.add(str(frame.f_locals["obj"]))


sys.setprofile(watch)
for kind in (*KINDS, *FLEET_KINDS):
    for reads in classes_of(kind):
        msgspec.convert({{"metadata": {{"name": "a"}}}}, reads)
    group = f'"group": "{{kind.group}}", "version": "{{kind.versions[0]}}", "kind": "{{kind.kind}}"'
    body = '{{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {{"uid": "a", "kind": {{' + group
    read_review((body + '}}, "operation": "CREATE", "object": {{"metadata": {{"name": "a"}}}}}}}}').encode())
print(*sorted(prepared))
"""


def classes_prepared_late(*, prepares: bool) -> str:
    ran = subprocess.run(
        [sys.executable, "-c", PREPARED.format(prepares=prepares)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ran.stdout


def test_no_class_is_prepared_after_the_start() -> None:
    """
    Neither for objects of any kind nor for reviews.
    """
    assert "VirtualMachine" in classes_prepared_late(prepares=False)
    assert classes_prepared_late(prepares=True) == "\n"
