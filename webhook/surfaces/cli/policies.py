"""``migratable policies``."""

from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import replace

from webhook.errors import WebhookError
from webhook.facts.objects_world import ObjectsWorld
from webhook.policy import Action, Policy, Profile
from webhook.report.as_yaml import dump
from webhook.resolve.policy_file import read_policy
from webhook.surfaces.admission.configurations import Installation
from webhook.surfaces.backstop.objects import objects
from webhook.surfaces.backstop.parameters import notes, parameters
from webhook.surfaces.checking import choose_release
from webhook.surfaces.cli.status import echo, fail, tell

PROFILES = tuple(map(str, Profile))
MODES = tuple(map(str, (Action.DENY, Action.WARN, Action.AUDIT)))


@click.command("policies")
@click.option("-o", "--output", type=click.Choice(["vap"]), default="vap", show_default=True)
@click.option("--policy", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="Policy file.")
@click.option("--profile", type=click.Choice(PROFILES), help="Instead of the policy file's.")
@click.option("--at-most", type=click.Choice(MODES), help="The strongest action, instead of the policy file's.")
@click.option("--release", default="any", show_default=True, metavar="any|1.x", help="KubeVirt release.")
@click.option("-n", "--namespace", default="migratable", show_default=True, help="Of the parameters; never judged.")
@click.option(
    "--exempt-namespace",
    "exempt",
    multiple=True,
    metavar="NAMESPACE",
    help="A namespace whose VMs are not judged; repeatable.",
)
@click.option("--beside-webhook", is_flag=True, help="Only what is denied; the webhook warns of all else.")
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
    Print the rules that need only the object as ValidatingAdmissionPolicies.

    The API server (Kubernetes 1.30 and later) evaluates them itself: apply them where no webhook can run, or beside it.
    What the policy file says and they cannot do is noted on standard error.
    """
    today = datetime.now(UTC).date().isoformat()
    try:
        said = read_policy(policy) if policy is not None else Policy()
        chosen = choose_release(release or "any", ObjectsWorld((), ()))
    except WebhookError as error:
        fail(error)
    said = replace(said, profile=Profile(profile or said.profile), at_most=Action(at_most or said.at_most))
    wanted = parameters(said, chosen.releases, today)
    if beside_webhook:
        wanted = [each for each in wanted if each.action is Action.DENY]
    made = objects(wanted, Installation(namespace, platform=exempt))
    echo("---\n".join(dump(each) for each in made))
    for note in (*chosen.notes, *notes(said, today)):
        tell(f"note: {note}")
