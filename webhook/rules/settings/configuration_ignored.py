"""KubeVirt ignores the whole configuration of its CR if one value is invalid."""

from collections.abc import Iterator

from webhook.facts.settings import InvalidValue, SettingsFacts
from webhook.kubevirt.schema.spelling import close_matches
from webhook.objects.path import FieldPath, dotted
from webhook.objects.shown import shown
from webhook.rules.rule import About, Example, Outcome, Rule, Violation

CONFIGURATION: FieldPath = ("spec", "configuration")
_INTERFACE = "configuration.network.defaultNetworkInterface"
_DEVELOPER = "configuration.developerConfiguration"


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    for invalid in facts.invalid:
        name = dotted(invalid.path)
        yield Violation(
            (*CONFIGURATION, *invalid.path),
            f"{name} is {shown(invalid.value)}, so KubeVirt ignores the whole spec.configuration and keeps its last "
            "valid configuration",
            f"{name} {shown(invalid.value)}",
            _remedy(invalid),
        )


def _remedy(invalid: InvalidValue) -> str:
    if not invalid.words:
        return f"Write {invalid.limit}."
    lower = {word.lower(): word for word in invalid.words}
    close = close_matches(str(invalid.value).lower(), lower)
    if close:
        return f"Did you mean {lower[close[0]]}?"
    return f"Write {', '.join(invalid.words[:-1])} or {invalid.words[-1]}."


def _interface(value: str) -> str:
    return f"{{configuration: {{network: {{defaultNetworkInterface: {value}}}}}}}"


def _developer(settings: str) -> str:
    return f"{{configuration: {{developerConfiguration: {{{settings}}}}}}}"


RULE = Rule(
    id="LM628",
    name="configuration-ignored",
    about=About.SETTINGS,
    summary="One invalid value makes KubeVirt ignore the whole configuration.",
    rationale=(
        "The API server accepts the value, but KubeVirt's components refuse the configuration that contains it. They "
        "continue with the last valid configuration. After a restart, they use the defaults. Only the components' "
        "logs show the error."
    ),
    remediation="Correct the value, or remove the field.",
    source="pkg/virt-config/configuration.go validateConfig and setConfigFromKubeVirt, the same in v1.3.0 to v1.9.0",
    reference="https://kubevirt.io/user-guide/cluster_admin/customize_components/",
    check=check,
    examples=(
        Example("a valid interface", _interface("masquerade")),
        Example("an empty interface, which means the default", _interface("''")),
        Example("valid numbers", _developer("memoryOvercommit: 150, cpuAllocationRatio: 1")),
        Example("0, which means the default", _developer("memoryOvercommit: 0, cpuAllocationRatio: 0")),
        Example("a pull policy", "{configuration: {imagePullPolicy: IfNotPresent}}"),
        Example("an interface in the wrong case", _interface("Masquerade"), violates=(_INTERFACE,)),
        Example("a binding that cannot be the default", _interface("passt"), violates=(_INTERFACE,)),
        Example(
            "a pull policy in the wrong case",
            "{configuration: {imagePullPolicy: always}}",
            violates=("configuration.imagePullPolicy",),
        ),
        Example(
            "two negative numbers",
            _developer("memoryOvercommit: -1, cpuAllocationRatio: -10"),
            violates=(f"{_DEVELOPER}.memoryOvercommit", f"{_DEVELOPER}.cpuAllocationRatio"),
        ),
        Example(
            "more than 100 percent",
            _developer("pvcTolerateLessSpaceUpToPercent: 101"),
            violates=(f"{_DEVELOPER}.pvcTolerateLessSpaceUpToPercent",),
            release="1.3",
        ),
    ),
)
