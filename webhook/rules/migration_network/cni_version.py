"""A plugin refuses a version of the CNI specification that does not exist."""

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
        numbers = _VERSION.fullmatch(version)
        if numbers is not None and tuple(map(int, numbers.groups())) > (1, 1, 0):
            why = f"cniVersion {version!r} is newer than {KNOWN[-1]}, the newest version that Migratable supports"
            yield Undetermined(facts.path, why, "write 1.0.0, which every current plugin supports", version)
        else:
            yield Violation(facts.path, f"cniVersion {shown(version)} does not exist", shown(version))


RULE = Rule(
    id="LM704",
    name="cni-version-unknown",
    about=About.NETWORK,
    summary="The configuration has a CNI version that does not exist.",
    rationale="A plugin refuses a cniVersion that is not in the plugin's list of versions.",
    remediation=f"Write one of {', '.join(KNOWN)}.",
    source="cni v1.3.0 pkg/version/reconcile.go CheckRaw, pkg/version/version.go",
    reference=CNI_SPECIFICATION,
    check=check,
    examples=(
        Example("a known version", config('"cniVersion": "0.3.1", "type": "bridge"')),
        Example("no version, which means 0.1.0", config('"type": "bridge"')),
        Example("an unknown plugin", config('"cniVersion": "7", "type": "some-vendor"')),
        Example(
            "a version that does not exist", config('"cniVersion": "0.3.2", "type": "bridge"'), violates=("config",)
        ),
        Example("a version with two parts", config('"cniVersion": "1.0", "type": "bridge"'), violates=("config",)),
        Example("a version with a v", config('"cniVersion": "v1.0.0", "type": "bridge"'), violates=("config",)),
        Example("a future version", config('"cniVersion": "1.2.0", "type": "bridge"'), undetermined=("config",)),
    ),
)
