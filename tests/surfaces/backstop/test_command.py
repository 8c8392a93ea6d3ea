"""``migratable policies``."""

import subprocess
import sys
from pathlib import Path

import yaml

from tests.surfaces.running import migratable


def test_policies_are_printed_with_parameters_and_bindings() -> None:
    """
    `kubectl apply` accepts the output. Standard error is empty if the policies implement the whole policy file.
    """
    ran = migratable("policies", "-n", "elsewhere")

    made = list(yaml.safe_load_all(ran.out))
    kinds = [manifest["kind"] for manifest in made]
    assert (ran.status, ran.err) == (0, "")
    assert {*kinds} == {"ValidatingAdmissionPolicy", "ConfigMap", "ValidatingAdmissionPolicyBinding"}
    assert kinds.count("ConfigMap") == 1
    assert {manifest["metadata"]["namespace"] for manifest in made if manifest["kind"] == "ConfigMap"} == {"elsewhere"}


def test_the_command_line_overrides_the_policy_file(tmp_path: Path) -> None:
    """
    Profile, strongest action and exempt namespaces; what the policies cannot do is noted.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text("profile: exact\nunproven: deny\n")

    ran = migratable(
        *(
            "policies",
            "--policy",
            str(policy),
            "--profile",
            "strict",
            "--at-most",
            "warn",
            "--exempt-namespace",
            "infra",
        )
    )

    made = list(yaml.safe_load_all(ran.out))
    (parameters,) = (manifest["data"] for manifest in made if manifest["kind"] == "ConfigMap")
    bindings = [manifest["spec"] for manifest in made if manifest["kind"] == "ValidatingAdmissionPolicyBinding"]
    assert parameters["rules"].startswith("LM101 LM103")
    assert [binding["validationActions"] for binding in bindings] == [["Warn"]] * len(bindings)
    assert "infra" in str(bindings[0]["matchResources"])
    assert ran.err == "note: unproven: deny has no effect here\n"


def test_beside_a_webhook_only_denials_are_printed() -> None:
    """
    The webhook warns about the rest, so that users get each warning once.
    """
    ran = migratable("policies", "--profile", "exact", "--beside-webhook")

    made = list(yaml.safe_load_all(ran.out))
    actions = {
        manifest["metadata"]["labels"].get("migratable-backstop")
        for manifest in made
        if manifest["kind"] == "ConfigMap"
    }
    assert actions == {"deny"}


def test_an_invalid_policy_file_gives_exit_status_2(tmp_path: Path) -> None:
    """
    So is a release that cannot be judged.
    """
    policy = tmp_path / "policy.yaml"
    policy.write_text("profile: lenient\n")

    wrong, old = migratable("policies", "--policy", str(policy)), migratable("policies", "--release", "0.9")

    assert (wrong.status, wrong.out, old.status, old.out) == (2, "", 2, "")
    assert "policy.yaml:1: profile" in wrong.err
    assert "0.9" in old.err


def test_neither_fastapi_nor_kubernetes_is_imported() -> None:
    """
    The bare package prints policies.
    """
    script = (
        "import sys; from webhook.surfaces.backstop.command import command; command(standalone_mode=False);"
        " sys.stderr.write(str({'fastapi', 'kubernetes', 'uvicorn'} & {*sys.modules}))"
    )

    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert ran.stderr == "set()"
