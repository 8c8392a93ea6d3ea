"""A plugin answers only in versions of the CNI specification that exist."""

import re
from collections.abc import Iterator

from webhook.cni.migration_network import CUT_OFF, ON_ONE_NODE, REACHING
from webhook.facts.network import CniConfig, NetworkFacts
from webhook.objects.shown import shown
from webhook.rules.migration_network._network import CNI_SPECIFICATION, config
from webhook.rules.rule import About, Example, Outcome, Rule, Undetermined, Violation

KNOWN = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0")
_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})\.(\d{1,4})", re.ASCII)


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if not isinstance(facts.config, CniConfig) or not facts.config.version or facts.config.version in KNOWN:
        return
    if any(plugin.type in REACHING | CUT_OFF | ON_ONE_NODE for plugin in facts.config.plugins):
        version = facts.config.version
        found = _VERSION.fullmatch(version)
        if found is not None and tuple(map(int, found.groups())) > (1, 1, 0):
            why = f"cniVersion {version!r} is newer than {KNOWN[-1]}, the newest one known here"
            yield Undetermined(facts.path, why, "write 1.0.0, which every current plugin knows", version)
        else:
            yield Violation(facts.path, f"cniVersion {shown(version)} never existed", shown(version))


RULE = Rule(
    id="LM704",
    name="cni-version-unknown",
    about=About.NETWORK,
    summary="The configuration asks for a version of CNI that does not exist.",
    rationale="A plugin compares cniVersion with its list, letter by letter, and refuses what is not in it.",
    remediation=f"Write one of {', '.join(KNOWN)}.",
    source="cni v1.3.0 pkg/version/reconcile.go CheckRaw, pkg/version/version.go",
    reference=CNI_SPECIFICATION,
    check=check,
    examples=(
        Example("a known version", config('"cniVersion": "0.3.1", "type": "bridge"')),
        Example("no version, which counts as 0.1.0", config('"type": "bridge"')),
        Example("a plugin that nobody here knows", config('"cniVersion": "7", "type": "some-vendor"')),
        Example("a version that never was", config('"cniVersion": "0.3.2", "type": "bridge"'), violates=("config",)),
        Example("a version cut short", config('"cniVersion": "1.0", "type": "bridge"'), violates=("config",)),
        Example("a future version", config('"cniVersion": "1.2.0", "type": "bridge"'), undetermined=("config",)),
    ),
)
