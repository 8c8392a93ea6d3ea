"""An IPAM plugin accepts some address settings that have no effect or an unexpected effect."""

from collections.abc import Iterator

from webhook.cni.attachments import ipams_of
from webhook.facts.network import CniConfig, NetworkFacts
from webhook.rules.migration_network._network import WHEREABOUTS_GUIDE, addressed
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Violation

_RANGE = '"type": "whereabouts", "range": "10.1.1.0/24"'


def check(facts: NetworkFacts) -> Iterator[Outcome]:
    if isinstance(facts.config, CniConfig):
        for ipam in ipams_of(facts.config):
            for fault in ipam.doubtful:
                yield Violation(facts.path, fault.message, fault.message, fault.remedy)


RULE = Rule(
    id="LM707",
    name="address-setting-without-effect",
    about=About.NETWORK,
    severity=Severity.WARNING,
    summary="A setting that the IPAM plugin accepts has no effect or an unexpected effect.",
    rationale=(
        "whereabouts silently ignores a start, an end or an exclusion outside the range. The plugin also assigns the "
        "gateway's own address to a pod, unless this address is excluded."
    ),
    remediation="Write start, end, exclusions and gateway inside the range, and exclude the gateway's address.",
    source="whereabouts v0.9.4 pkg/iphelpers GetIPRange, pkg/allocate IterateForAssignment",
    reference=WHEREABOUTS_GUIDE,
    check=check,
    examples=(
        Example("a range", addressed(_RANGE)),
        Example(
            "a range with start and end", addressed(f'{_RANGE}, "range_start": "10.1.1.10", "range_end": "10.1.1.20"')
        ),
        Example("a start outside the range", addressed(f'{_RANGE}, "range_start": "10.1.2.10"'), violates=("config",)),
        Example(
            "an end before the start",
            addressed(f'{_RANGE}, "range_start": "10.1.1.10", "range_end": "10.1.1.9"'),
            violates=("config",),
        ),
        Example(
            "an exclusion outside the range", addressed(f'{_RANGE}, "exclude": ["10.2.0.0/24"]'), violates=("config",)
        ),
        Example("a gateway outside the range", addressed(f'{_RANGE}, "gateway": "10.2.0.1"'), violates=("config",)),
        Example(
            "a gateway among the addresses of pods", addressed(f'{_RANGE}, "gateway": "10.1.1.1"'), violates=("config",)
        ),
        Example("an excluded gateway", addressed(f'{_RANGE}, "gateway": "10.1.1.1", "exclude": ["10.1.1.1/32"]')),
    ),
)
