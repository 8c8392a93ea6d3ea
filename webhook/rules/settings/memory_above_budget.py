"""A migration cannot finish if the transfer of the VM's memory takes longer than the time that KubeVirt allows."""

from collections.abc import Iterator

from webhook.facts.budget import BudgetFacts, WinningPolicy
from webhook.facts.migration import Sourced
from webhook.facts.unknown import Unknown
from webhook.kubevirt.releases import Behaviour, behaviours, only, since
from webhook.kubevirt.settings.budget import MIB, Budget, gigabytes
from webhook.kubevirt.settings.settings import BANDWIDTH, bandwidth_of
from webhook.kubevirt.settings.time_allowed import time_allowed, values_for
from webhook.kubevirt.storage.moving import COUNTS_VOLUMES
from webhook.objects.meta import Json
from webhook.objects.shown import shown
from webhook.rules.example import claim, kubevirt
from webhook.rules.rule import About, Example, Outcome, Rule, Severity, Undetermined, Violation
from webhook.rules.settings._setting import MONITOR_SOURCE, SETTINGS_GUIDE

SUBJECT = "memory"
VOLUMES = "memory and volumes"


def check(facts: BudgetFacts) -> Iterator[Outcome]:
    if facts.memory is None:
        return
    if isinstance(facts.memory, Sourced) and facts.volumes is not None:
        yield from _with_volumes(facts, facts.memory, facts.volumes)
    if facts.only_volumes:
        return
    results: dict[tuple[str, str], int] = {}
    for behaviour in behaviours(facts.releases):
        if (result := _judged(facts, facts.memory, behaviour)) is not None:
            results[result] = results.get(result, 0) | only(behaviour.release)
    path = facts.memory.path if isinstance(facts.memory, Sourced) else (*facts.base, "domain")
    harm = facts.memory.value if isinstance(facts.memory, Sourced) else 0
    for (message, settle), releases in results.items():
        if settle:
            yield Undetermined(path, message, settle, SUBJECT, releases)
        else:
            yield Violation(path, message, SUBJECT, releases=releases, harm=harm)


def _with_volumes(facts: BudgetFacts, memory: Sourced[int], volumes: Sourced[int]) -> Iterator[Outcome]:
    """The outcome for a volume migration, unless the memory alone takes too long."""
    whole = Sourced(volumes.path, memory.value + volumes.value)
    for behaviour in behaviours(facts.releases & since(COUNTS_VOLUMES)):
        if _judged(facts, memory, behaviour) is not None or (result := _judged(facts, whole, behaviour)) is None:
            continue
        message, settle = result
        message = message.replace("of memory take", "of memory and volumes take", 1)
        releases = facts.releases & since(COUNTS_VOLUMES)
        if settle:
            yield Undetermined(volumes.path, message, settle, VOLUMES, releases)
        else:
            yield Violation(volumes.path, message, VOLUMES, releases=releases, harm=whole.value)
        return


def _judged(facts: BudgetFacts, memory: Sourced[int] | Unknown, behaviour: Behaviour) -> tuple[str, str] | None:
    """The message and the instruction to provide a missing input, if any. The result is None if the migration can finish."""
    winners = (None,) if isinstance(facts.winners, Unknown) else facts.winners
    budgets = [(winner, _budget(facts, winner, behaviour)) for winner in winners]
    failing = [(winner, budget) for winner, budget in budgets if budget is not None and _fails(budget, memory)]
    if not failing:
        return None
    message = _message(*failing[0], memory)
    if isinstance(memory, Unknown):
        return (message, memory.settle) if len(failing) == len(budgets) else None
    if isinstance(facts.winners, Unknown):
        return f"{message}, unless a MigrationPolicy allows more; {facts.winners.why}", facts.winners.settle
    if len(failing) < len(budgets):
        return (
            f"{message}; whether this applies depends on labels of the namespace, which were not provided",
            "pass the manifest of the namespace too",
        )
    return message, ""


def _budget(facts: BudgetFacts, winner: WinningPolicy | None, behaviour: Behaviour) -> tuple[Budget, str] | None:
    """The budget and the bandwidth as written, or None if the bandwidth is invalid."""
    values = values_for(facts.migrations, winner, behaviour)
    bandwidth = bandwidth_of(values)
    if bandwidth is None or bandwidth.nano < 0:
        return None
    devices = facts.passed_through is not None
    return time_allowed(values, behaviour, devices=devices), shown(values[BANDWIDTH]).strip("'")


def _fails(budget_and_speed: tuple[Budget, str], memory: Sourced[int] | Unknown) -> bool:
    budget, _ = budget_and_speed
    if budget.timeout < 0 or not budget.bandwidth:
        return False  # rules about the settings report this
    return not budget.finishes(memory.value) if isinstance(memory, Sourced) else budget.hopeless()


def _message(winner: WinningPolicy | None, budget_and_speed: tuple[Budget, str], memory: Sourced[int] | Unknown) -> str:
    budget, speed = budget_and_speed
    whose = f"MigrationPolicy {shown(winner.name)}" if winner is not None else "the KubeVirt CR"
    if isinstance(memory, Unknown):
        most = (budget.largest() or 0) // MIB
        return f"the settings of {whose} allow at most {most}Mi, and the VM's memory is not known: {memory.why}"
    size = memory.value
    source = f" from {memory.origin}" if memory.origin else ""
    doubled = ", doubled for the pause" if budget.pause else ""
    limit = f"{budget.allowed(size)} s ({budget.timeout} s for each of {gigabytes(size)} GB{doubled})"
    return (
        f"{-(-size // MIB)}Mi of memory{source} take {budget.duration(size)} s at {speed} per second, but the settings of "
        f"{whose} cancel the migration after {limit}"
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


_NO_MATCH = _policy(selectors={"virtualMachineInstanceSelector": {"team": "web"}})
_BY_TEAM = {"selectors": {"namespaceSelector": {"team": "db"}}}
_BIG = "{domain: {memory: {guest: 8Gi}, devices: {autoattachPodInterface: false}}}"
_AT = ("domain.memory.guest",)
_SMALL = _BIG.replace("8Gi", "1Gi").replace("}}}", "}}, volumes: [{name: os, persistentVolumeClaim: {claimName: os}}]}")


def _claim(size: str) -> Json:
    made = claim("os", "ReadWriteOnce")
    made["spec"]["resources"] = {"requests": {"storage": size}}
    return made


RULE = Rule(
    id="LM642",
    name="memory-above-migration-budget",
    about=About.BUDGET,
    severity=Severity.WARNING,
    summary="The VM has more memory than a migration can transfer in the time that KubeVirt allows.",
    rationale=(
        "KubeVirt allows completionTimeoutPerGiB seconds per GB of memory, rounded up. If the bandwidth is too small, "
        "KubeVirt cancels every migration of a guest that uses all of its memory. A drain of the guest's node then "
        "never finishes."
    ),
    remediation=(
        "Raise bandwidthPerMigration or completionTimeoutPerGiB in a MigrationPolicy for this VM, or allow post-copy and accept "
        "its risk. Run `migratable explain-settings` to see the settings in force."
    ),
    source=MONITOR_SOURCE,
    reference=SETTINGS_GUIDE,
    check=check,
    examples=(
        Example("enough bandwidth", _BIG, world=(kubevirt(migrations={"bandwidthPerMigration": "64Mi"}), _NO_MATCH)),
        Example("no limit", _BIG, world=(kubevirt(), _NO_MATCH)),
        Example("little memory", _BIG.replace("8Gi", "1Gi"), world=(_slow(), _NO_MATCH)),
        Example("too much memory", _BIG, world=(_slow(), _NO_MATCH), violates=_AT),
        Example(
            "too much memory in a request",
            "{domain: {resources: {requests: {memory: 8Gi}}, devices: {autoattachPodInterface: false}}}",
            world=(_slow(), _NO_MATCH),
            violates=("domain.resources.requests.memory",),
        ),
        Example("enough time in 1.3", _BIG, world=(_slow(), _NO_MATCH), release="1.3"),
        Example("a policy that allows more bandwidth", _BIG, world=(_slow(), _policy(bandwidthPerMigration="64Mi"))),
        Example(
            "a policy that allows less bandwidth",
            _BIG,
            world=(kubevirt(), _policy(bandwidthPerMigration="5Mi")),
            violates=_AT,
        ),
        Example("post-copy", _BIG, world=(_slow(allowPostCopy=True), _NO_MATCH)),
        Example(
            "a policy that selects namespaces, and no manifest of the namespace",
            _BIG,
            world=(_slow(), _policy(bandwidthPerMigration="64Mi", **_BY_TEAM)),
            undetermined=_AT,
        ),
        Example(
            "a volume migration whose volumes take too long",
            _SMALL,
            vm_spec="{updateVolumesStrategy: Migration}",
            world=(_slow(), _NO_MATCH, _claim("500Gi")),
            violates=("spec.updateVolumesStrategy",),
        ),
        Example(
            "a volume migration in 1.6, which allows it any time",
            _SMALL,
            vm_spec="{updateVolumesStrategy: Migration}",
            world=(_slow(), _NO_MATCH, _claim("500Gi")),
            release="1.6",
        ),
        Example("no MigrationPolicies provided", _BIG, world=(_slow(),), undetermined=_AT),
        Example("no KubeVirt CR provided", _BIG),
    ),
)
