"""A VM whose memory cannot be carried in the time that it is given never finishes a migration."""

from collections.abc import Iterator

from webhook.facts.budget import BudgetFacts, Winner
from webhook.facts.migration import Sourced
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import Behaviour, each, only
from webhook.kubevirt.settings.budget import MIB, Budget, gigabytes
from webhook.kubevirt.settings.settings import BANDWIDTH, bandwidth_of
from webhook.kubevirt.settings.time_allowed import time_allowed, values_for
from webhook.objects.meta import Json
from webhook.objects.shown import shown
from webhook.rules.example import kubevirt
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Undetermined, Violation
from webhook.rules.settings._words import MONITOR_SOURCE, SETTINGS_GUIDE

SUBJECT = "memory"


def check(facts: BudgetFacts) -> Iterator[Outcome]:
    if facts.memory is None:
        return
    said: dict[tuple[str, str], int] = {}
    for behaviour in each(facts.releases):
        if (found := _judged(facts, facts.memory, behaviour)) is not None:
            said[found] = said.get(found, 0) | only(behaviour.release)
    path = facts.memory.path if isinstance(facts.memory, Sourced) else (*facts.base, "domain")
    harm = facts.memory.value if isinstance(facts.memory, Sourced) else 0
    for (message, open_question), releases in said.items():
        if open_question:
            yield Undetermined(path, message, open_question, SUBJECT, releases)
        else:
            yield Violation(path, message, SUBJECT, releases=releases, harm=harm)


def _judged(facts: BudgetFacts, memory: Sourced[int] | Unknown, behaviour: Behaviour) -> tuple[str, str] | None:
    """Message, and what would settle it where it cannot be told; None where the VM can finish."""
    winners = (None,) if isinstance(facts.winners, Unknown) else facts.winners
    budgets = [(winner, _budget(facts, winner, behaviour)) for winner in winners]
    failing = [(winner, budget) for winner, budget in budgets if budget is not None and _fails(budget, memory)]
    if not failing:
        return None
    message = _message(*failing[0], memory)
    if isinstance(memory, Unknown):
        return (message, memory.settle) if len(failing) == len(budgets) else None
    if isinstance(facts.winners, Unknown):
        return f"{message}, unless a MigrationPolicy gives it more; {facts.winners.why}", facts.winners.settle
    if len(failing) < len(budgets):
        return (
            f"{message}; whether it wins depends on labels of the namespace",
            "give the manifest of the namespace too",
        )
    return message, ""


def _budget(facts: BudgetFacts, winner: Winner | None, behaviour: Behaviour) -> tuple[Budget, str] | None:
    """The budget and the bandwidth as written; None where settings that are no sound ones decide."""
    values = values_for(facts.migrations, winner, behaviour)
    bandwidth = bandwidth_of(values)
    if bandwidth is None or bandwidth.nano < 0:
        return None
    devices = facts.passed_through is not None
    return time_allowed(values, behaviour, devices=devices), shown(values[BANDWIDTH]).strip("'")


def _fails(found: tuple[Budget, str], memory: Sourced[int] | Unknown) -> bool:
    budget = found[0]
    if budget.timeout < 0 or not budget.bandwidth:
        return False  # a rule about the settings says so, and no VM is to blame
    return not budget.finishes(memory.value) if isinstance(memory, Sourced) else budget.hopeless()


def _message(winner: Winner | None, found: tuple[Budget, str], memory: Sourced[int] | Unknown) -> str:
    budget, speed = found
    whose = f"MigrationPolicy {shown(winner.name)}" if winner is not None else "the KubeVirt CR"
    if isinstance(memory, Unknown):
        most = (budget.largest() or 0) // MIB
        return f"the settings of {whose} carry no more than {most}Mi, and the VM's memory is not known: {memory.why}"
    size = memory.value
    source = f" of {memory.origin}" if memory.origin else ""
    return (
        f"{-(-size // MIB)}Mi of memory{source} take {budget.duration(size)} s at {speed}, and the migration is cancelled "
        f"after {budget.allowed(size)} s ({gigabytes(size)} GB, {budget.timeout} s each"
        f"{', twice for the pause' if budget.pause else ''}) by the settings of {whose}"
    )


def _slow(**more: Json) -> Json:
    return kubevirt(migrations={"bandwidthPerMigration": "5Mi", **more})


def _policy(**spec: Json) -> Json:
    return {
        "apiVersion": "migrations.kubevirt.io/v1alpha1",
        "kind": "MigrationPolicy",
        "metadata": {"name": "fast"},
        "spec": {"selectors": {"namespaceSelector": {}}, **spec},
    }


_NONE = _policy(selectors={"virtualMachineInstanceSelector": {"nobody": "has this"}})
_BY_TEAM = {"selectors": {"namespaceSelector": {"team": "db"}}}
_BIG = "{domain: {memory: {guest: 8Gi}, devices: {autoattachPodInterface: false}}}"
_AT = ("domain.memory.guest",)
RULE = Rule(
    id="LM642",
    name="memory-above-migration-budget",
    about=About.BUDGET,
    severity=Severity.WARNING,
    summary="The VM has more memory than a migration can carry in the time that it is given.",
    rationale=(
        "KubeVirt allows completionTimeoutPerGiB for each GB of memory that is begun. Where the bandwidth is too little for "
        "that, a guest that uses all of its memory is cancelled on its way, every time; a drain of its node then never ends."
    ),
    remediation=(
        "Raise bandwidthPerMigration or completionTimeoutPerGiB in a MigrationPolicy for this VM, or allow post-copy and its "
        "risk; `migratable explain-settings` shows what is in force."
    ),
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("enough bandwidth", _BIG, world=(kubevirt(migrations={"bandwidthPerMigration": "64Mi"}), _NONE)),
        Example("no limit", _BIG, world=(kubevirt(), _NONE)),
        Example("little memory", _BIG.replace("8Gi", "1Gi"), world=(_slow(), _NONE)),
        Example("too much memory", _BIG, world=(_slow(), _NONE), violates=_AT),
        Example(
            "too much memory in a request",
            "{domain: {resources: {requests: {memory: 8Gi}}, devices: {autoattachPodInterface: false}}}",
            world=(_slow(), _NONE),
            violates=("domain.resources.requests.memory",),
        ),
        Example("time enough in 1.3", _BIG, world=(_slow(), _NONE), release="1.3"),
        Example("a policy that gives it more", _BIG, world=(_slow(), _policy(bandwidthPerMigration="64Mi"))),
        Example(
            "a policy that gives it less",
            _BIG,
            world=(kubevirt(), _policy(bandwidthPerMigration="5Mi")),
            violates=_AT,
        ),
        Example("post-copy", _BIG, world=(_slow(allowPostCopy=True), _NONE)),
        Example(
            "a policy, and nobody knows whether it selects the VM's namespace",
            _BIG,
            world=(_slow(), _policy(bandwidthPerMigration="64Mi", **_BY_TEAM)),
            undetermined=_AT,
        ),
        Example("nobody knows the MigrationPolicies", _BIG, world=(_slow(),), undetermined=_AT),
        Example("nobody knows the KubeVirt CR", _BIG),
    ),
)
