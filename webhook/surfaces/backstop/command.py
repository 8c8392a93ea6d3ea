"""``migratable policies``."""

from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import replace

from webhook.check.check import choose_release
from webhook.errors import WebhookError
from webhook.facts.objects_world import ObjectsWorld
from webhook.manifests.policy_file import read_policy
from webhook.policy.policy import Action, Policy, Profile
from webhook.surfaces.admission.configurations import Installation
from webhook.surfaces.backstop.objects import objects
from webhook.surfaces.backstop.parameters import notes, parameters
from webhook.surfaces.cli.status import fail, write_stderr, write_stdout
from webhook.yaml.writer import dump

PROFILES = tuple(map(str, Profile))
MODES = tuple(map(str, (Action.DENY, Action.WARN, Action.AUDIT)))


@click.command("policies")
@click.option("-o", "--output", type=click.Choice(["vap"]), default="vap", show_default=True)
@click.option("--policy", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Policy file.")
@click.option(
    "--profile", type=click.Choice(PROFILES), help="Profile to use instead of the profile in the policy file."
)
@click.option("--at-most", type=click.Choice(MODES), help="Strongest action, instead of `atMost` in the policy file.")
@click.option("--release", default="any", show_default=True, metavar="any|1.x", help="KubeVirt release.")
@click.option(
    "-n",
    "--namespace",
    default="migratable",
    show_default=True,
    help="Namespace of the parameter ConfigMaps. Objects in this namespace are never judged.",
)
@click.option(
    "--exempt-namespace",
    "exempt",
    multiple=True,
    metavar="NAMESPACE",
    help="Namespace whose VMs are not judged. Repeatable.",
)
@click.option(
    "--beside-webhook",
    is_flag=True,
    help="Print only the rules with enforcement action deny. The webhook reports the others.",
)
def command(
    output: str,
    policy: Path | None,
    profile: str | None,
    at_most: str | None,
    release: str,
    namespace: str,
    exempt: tuple[str, ...],
    beside_webhook: bool,
) -> None:
    """
    Print ValidatingAdmissionPolicies for the rules that need only the object.

    The API server (Kubernetes 1.30 or later) evaluates these policies itself. Apply them with the webhook, or instead of it.
    Keys of the policy file that these policies cannot implement are listed on standard error.
    """
    today = datetime.now(UTC).date().isoformat()
    try:
        effective = read_policy(policy) if policy is not None else Policy()
        chosen = choose_release(release or "any", ObjectsWorld((), ()))
    except WebhookError as error:
        fail(error)
    effective = replace(
        effective, profile=Profile(profile or effective.profile), at_most=Action(at_most or effective.at_most)
    )
    wanted = parameters(effective, chosen.releases, today)
    if beside_webhook:
        wanted = [config_map for config_map in wanted if config_map.action is Action.DENY]
    manifests = objects(wanted, Installation(namespace, platform=exempt))
    write_stdout("---\n".join(dump(manifest) for manifest in manifests))
    for note in (*chosen.notes, *notes(effective, today)):
        write_stderr(f"note: {note}")
