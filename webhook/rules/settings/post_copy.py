"""Post-copy always finishes, or loses the guest."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import MONITOR_SOURCE, cr, setting, spot

RISK = (
    f"{ALLOW_POST_COPY} is true: once a migration has turned to post-copy, a failing network or node kills the guest, "
    "for its memory is then on two nodes"
)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    if written(facts.migrations).get(ALLOW_POST_COPY) is True:
        yield setting(ALLOW_POST_COPY, True, RISK)


RULE = Rule(
    id="LM620",
    name="post-copy-allowed",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="Migrations of the whole cluster may turn to post-copy.",
    rationale=(
        "With pre-copy a failed migration leaves the guest running where it was. After the switch to post-copy neither node "
        "has all of its memory, so the guest is lost with the connection. VMs with passed-through devices never use it."
    ),
    remediation="Allow post-copy by a MigrationPolicy for the VMs that can bear it, and leave it off for the cluster.",
    source=MONITOR_SOURCE,
    reference="https://kubevirt.io/user-guide/compute/live_migration/#post-copy",
    check=check,
    examples=(
        Example("pre-copy", cr("allowPostCopy: false")),
        Example("post-copy", cr("allowPostCopy: true"), violates=(spot("allowPostCopy"),)),
    ),
)
