"""Without TLS the memory of the guest crosses the network as it is."""

from collections.abc import Iterator

from webhook.facts.settings import SettingsFacts
from webhook.kubevirt.settings.settings import DISABLE_TLS, NETWORK, written
from webhook.rules.rule import About, Example, Outcome, Rule, Severity
from webhook.rules.settings._words import SETTINGS_GUIDE, cr, setting, spot


def check(facts: SettingsFacts) -> Iterator[Outcome]:
    values = written(facts.migrations)
    if values.get(DISABLE_TLS) is True:
        where = "the migration network" if values.get(NETWORK) else "the pod network, which every pod shares"
        yield setting(DISABLE_TLS, True, f"{DISABLE_TLS} is true: the guest's memory crosses {where} in plain text")


RULE = Rule(
    id="LM618",
    name="migration-without-tls",
    about=About.SETTINGS,
    severity=Severity.WARNING,
    summary="Migrations are not encrypted.",
    rationale=(
        "Whoever can listen reads the guest's memory, keys and passwords included; whoever can connect can change it. "
        "It is worse without a network of its own, because migration traffic then shares the pod network."
    ),
    remediation=(
        "Remove disableTLS. If a dedicated link is too slow with TLS, keep it to a migration network that nobody else "
        "reaches."
    ),
    source="pkg/virt-handler/migration-proxy/migration-proxy.go, v1.9.0",
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("encrypted", cr("network: migration")),
        Example("not encrypted", cr("disableTLS: true"), violates=(spot("disableTLS"),)),
        Example(
            "not encrypted, on a network of its own",
            cr("disableTLS: true, network: migration"),
            violates=(spot("disableTLS"),),
        ),
    ),
)
