"""A post-copy migration that fails loses the guest."""

from collections.abc import Iterator, Mapping

from webhook.facts.settings import MIGRATIONS, SettingsFacts
from webhook.kubevirt.settings.settings import ALLOW_POST_COPY, written
from webhook.objects.meta import Json
from webhook.objects.path import FieldPath
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation
from webhook.rules.settings._setting import MONITOR_SOURCE, at, cr, setting_path

RISK = f"{ALLOW_POST_COPY} is true, so a failure of the network or of a node during post-copy kills the guest"


def allowed_post_copy(base: FieldPath, values: Mapping[str, Json]) -> Iterator[Violation]:
    """A violation if the settings under ``base`` allow post-copy."""
    if values.get(ALLOW_POST_COPY) is True:
        yield at(base, ALLOW_POST_COPY, True, RISK)


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    yield from allowed_post_copy(MIGRATIONS, written(facts.migrations))


RULE = Rule(
    id="LM620",
    name="post-copy-allowed",
    about=About.SETTINGS,
    severity=Severity.INFO,
    summary="Post-copy is allowed for every VM of the cluster.",
    rationale=(
        "After a failed pre-copy migration the guest still runs on its node. During post-copy neither node has all of its "
        "memory, so a lost connection kills the guest. VMs with passed-through devices never use post-copy."
    ),
    remediation="Set allowPostCopy in a MigrationPolicy for the VMs that tolerate a restart, and not for the cluster.",
    source=MONITOR_SOURCE,
    reference="https://kubevirt.io/user-guide/compute/live_migration/#post-copy",
    check=check,
    examples=(
        Example("pre-copy", cr("allowPostCopy: false")),
        Example("the default", cr("allowAutoConverge: true")),
        Example("null, which is the default", cr("allowPostCopy: null")),
        Example("post-copy", cr("allowPostCopy: true"), violates=(setting_path("allowPostCopy"),)),
        Example(
            "post-copy, with auto-converge",
            cr("allowAutoConverge: true, allowPostCopy: true"),
            violates=(setting_path("allowPostCopy"),),
        ),
        Example(
            "post-copy in 1.3", cr("allowPostCopy: true"), violates=(setting_path("allowPostCopy"),), release="1.3"
        ),
    ),
)
