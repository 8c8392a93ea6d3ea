"""I6 of the nasty inputs."""

import json

from tests.nasty.door import Doorway, secretive
from tests.surfaces.admission.reviews import review

AT_SPEC = "spec.template.spec"


def test_i6_a_key_in_another_case_is_another_key(door: Doorway) -> None:
    """
    I6: no rule reads it; the dry-run API says that there is no such field, and which one was meant.
    """
    manifest = secretive(EvictionStrategy="nonsense")
    manifest["Spec"] = {"template": 5}

    reviewed, checked = door.review(review("CREATE", manifest)), door.check(json.dumps(manifest).encode())

    (judged,) = json.loads(checked.body)["objects"]
    meant = {finding["path"]: finding["remedy"] for finding in judged["findings"]}
    assert reviewed.warnings == []
    assert list(meant) == ["Spec", f"{AT_SPEC}.EvictionStrategy"]
    assert [("spec" in meant["Spec"]), ("evictionStrategy" in meant[f"{AT_SPEC}.EvictionStrategy"])] == [True, True]
