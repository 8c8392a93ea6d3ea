"""`python -m tests.deploy.policies` writes the policies of the overlays before `enforce`: an action for each rule."""

from tests.deploy.manifests import KUSTOMIZE
from webhook.rules import RULES

MODES = {
    "audit": "No user notices: what a rule finds is counted and reported; nothing is denied, warned of or filled in.",
    "warn": "Users are warned of what a rule finds; nothing is denied or filled in.",
}


def policy(mode: str) -> str:
    """The policy file of an overlay."""
    actions = "".join(f"  {rule.name}: {mode}\n" for rule in RULES)
    return (
        "# Written by `python -m tests.deploy.policies`, to be run when a rule is added.\n"
        f"# {MODES[mode]}\n"
        f"profile: strict\nunproven: {mode}\ndefaultMigrationSettings: false\nactions:\n{actions}"
    )


if __name__ == "__main__":
    for mode in MODES:
        (KUSTOMIZE / "overlays" / mode / "policy.yaml").write_text(policy(mode))
