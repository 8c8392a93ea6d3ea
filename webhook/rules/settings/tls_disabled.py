"""Without TLS, a migration transfers the guest's memory in plain text."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import DISABLE_TLS, NETWORK, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._setting import SETTINGS_GUIDE, cr, setting, setting_path


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if values.get(DISABLE_TLS) is True:
        network = "the migration network" if values.get(NETWORK) else "the pod network, which all pods share"
        yield setting(
            DISABLE_TLS, True, f"{DISABLE_TLS} is true, so the guest's memory crosses {network} in plain text"
        )


RULE = Rule(
    id="LM618",
    name="migration-without-tls",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Migrations are not encrypted.",
    rationale=(
        "Anyone who can read the traffic can read the guest's memory, including keys and passwords. Anyone who can "
        "connect can change the memory. Without a dedicated migration network, the traffic crosses the pod network."
    ),
    remediation=(
        "Remove disableTLS. If a dedicated link is too slow with TLS, use a migration network that no other workload "
        "can reach."
    ),
    source="pkg/virt-handler/migration-proxy/migration-proxy.go, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("the default", cr("network: migration")),
        Example("TLS", cr("disableTLS: false")),
        Example("null, which is the default", cr("disableTLS: null")),
        Example("no TLS", cr("disableTLS: true"), violates=(setting_path("disableTLS"),)),
        Example(
            "no TLS, on a migration network",
            cr("disableTLS: true, network: migration"),
            violates=(setting_path("disableTLS"),),
        ),
        Example("no TLS in 1.3", cr("disableTLS: true"), violates=(setting_path("disableTLS"),), release="1.3"),
    ),
)
