"""No layout of a manifest makes a report show data of the guest."""

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.generating import Manifest, machines
from tests.surfaces.running import migratable

CANARY = "s3cr3t-canary"
SECRETS = st.sampled_from(
    (
        {"cloudInitNoCloud": {"userData": f"#cloud-config\npassword: {CANARY}\nssh_authorized_keys: [{CANARY}]\n"}},
        {"cloudInitNoCloud": {"userDataBase64": CANARY, "networkData": CANARY}},
        {"cloudInitConfigDrive": {"userData": CANARY, "networkDataBase64": CANARY}},
        {"cloudInitConfigDrive": {"networkData": f"line\n{CANARY}\nline"}},
    )
)


class Plain(yaml.SafeDumper):
    """Quotes what Kubernetes would take for something else than PyYAML does, and nothing else."""


Plain.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if text[:1].isalpha() and text not in ("y", "Y", "n", "N") else '"'
    ),
)


def in_one_line(value: Any) -> str:
    return json.dumps(value)


def indented(value: Any) -> str:
    return json.dumps(value, indent=1)


def flowing(value: Any) -> str:
    return str(yaml.dump(value, Dumper=Plain, default_flow_style=True, width=10**6))


def in_blocks(value: Any) -> str:
    return str(yaml.dump(value, Dumper=Plain, sort_keys=False))


def spelt_out(value: Any) -> str:
    """Long texts as block scalars, each in lines of its own."""

    class Dumper(yaml.SafeDumper):
        pass

    Dumper.add_representer(
        str,
        lambda dumper, text: dumper.represent_scalar(
            "tag:yaml.org,2002:str", text, style="|" if "\n" in text or CANARY in text else '"'
        ),
    )
    return str(yaml.dump(value, Dumper=Dumper, sort_keys=False))


@settings(deadline=None, max_examples=80)
@given(machines(), SECRETS, st.sampled_from((in_one_line, indented, flowing, in_blocks, spelt_out)))
def test_no_layout_makes_a_report_show_a_secret(machine: Manifest, secret: dict[str, Any], layout: Any) -> None:
    """
    An excerpt never shows a possible secret before, behind or in the line of a finding.
    """
    spec = machine["spec"]["template"]["spec"]
    spec["volumes"] = [
        {"name": "init", **secret},
        *spec["volumes"],
        {"name": "disk", "hostDisk": {"path": "/a", "type": "Disk"}},
    ]
    spec["accessCredentials"] = [{"userPassword": {"note": CANARY}}]

    ran = migratable("check", "-v", "-", stdin=layout(machine))

    assert "LM202" in ran.out
    assert CANARY not in ran.out + ran.err
