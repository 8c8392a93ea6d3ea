"""Long lists under the backstop: the cost limit of the API server, and the bounds of the policies."""

import pytest

from tests.apiserver.backstop.test_backstop import callers, plane
from tests.apiserver.backstop_objects import (
    device,
    entries,
    interface,
    long_names,
    masquerade,
    ports,
    ranges,
    replaced,
    vm,
)
from tests.apiserver.backstopping import Caller, Manifest
from webhook.surfaces.backstop.policies import MOST_ENTRIES
from webhook.surfaces.backstop.variables import MOST_PORTS, MOST_RANGES

__all__ = ["callers", "plane"]

pytestmark = pytest.mark.apiserver


MANY = 3000


AROUND = range(49_153, 49_153 + MOST_RANGES)


LONG_LISTS = {
    "GPUs": ({"gpus": [device(index) for index in range(MANY)]}, {"LM302"}),
    "host devices": ({"hostDevices": [device(index) for index in range(2 * MANY)]}, {"LM301"}),
    "filesystems": ({"filesystems": [{"name": f"fs-{index}", "virtiofs": {}} for index in range(2 * MANY)]}, {"LM203"}),
    "ports": ({"interfaces": [masquerade(ports=ports(*range(1, MOST_PORTS + 1)))]}, set()),
    "the last of many ports": ({"interfaces": [masquerade(ports=ports(*range(1, MOST_PORTS), 49152))]}, {"LM103"}),
    "more ports than can be checked": ({"interfaces": [masquerade(ports=ports(*range(1, MOST_PORTS + 2)))]}, {"LM103"}),
    "a port among too many": (
        {"interfaces": [masquerade(ports=ports(*range(1, 2500), 49152, *range(2500, 5001)))]},
        {"LM103"},
    ),
    "too many ports of a bridge": (
        {"interfaces": [{"name": "red", "bridge": {}, "ports": ports(*range(1, MOST_PORTS + 2))}]},
        set(),
    ),
    "interfaces": ({"interfaces": [masquerade(f"net-{at}", ports=ports(*range(1, 19))) for at in range(256)]}, set()),
    "port ranges": ({"interfaces": [masquerade(portRanges=ranges(MOST_RANGES))]}, {"LM103"}),
    "more port ranges than can be checked": (
        {"interfaces": [masquerade(portRanges=ranges(MOST_RANGES + 1))]},
        {"LM103"},
    ),
    "port ranges of many interfaces": (
        {"interfaces": [masquerade(f"net-{at}", portRanges=ranges(1)) for at in range(256)]},
        set(),
    ),
    "ports and ranges of many interfaces": (
        {"interfaces": [masquerade(f"n-{at}", ports=ports(*range(1, 19)), portRanges=ranges(1)) for at in range(256)]},
        set(),
    ),
    "a long protocol": (
        {"interfaces": [masquerade(portRanges=[{"start": 1, "end": 2, "protocol": "x" * 900_000}, *ranges(200)])]},
        {"LM103"},
    ),
    "a long name": ({"gpus": [{"name": "x" * 900_000, "deviceName": "y" * 400_000}]}, {"LM302"}),
    "long names": (
        {"gpus": [{"name": f"{at:05}" + "x" * 200, "deviceName": "y" * 100} for at in range(MANY)]},
        {"LM302"},
    ),
    "long names of interfaces": (
        {"interfaces": [masquerade("x" * 500_000, portRanges=ranges(MOST_RANGES), ports=ports(49152))]},
        {"LM103"},
    ),
}


@pytest.mark.parametrize(("devices", "rules"), LONG_LISTS.values(), ids=LONG_LISTS)
def test_long_lists_stay_within_the_budget(callers: tuple[Caller, Caller], devices: Manifest, rules: set[str]) -> None:
    """
    No expression costs more than an API server spends, whatever a list holds. A list that is too long to check is refused.
    """
    _, tenant = callers

    answer = tenant.create(vm(devices=devices))

    assert answer.status in (201, 422), answer.document["message"]
    assert answer.rules == rules


UPDATED_SIZES = [
    pytest.param(0, 2 * MANY, True, id="many where there were none"),
    pytest.param(400, 401, True, id="one more"),
    pytest.param(400, 400, True, id="another"),
    pytest.param(1, MANY, True, id="many where there was one"),
    pytest.param(1, MOST_ENTRIES + 1, True, id="too many where there was one"),
    pytest.param(400, 501, True, id="too many pairs"),
    pytest.param(447, 448, True, id="too many pairs by one entry"),
    pytest.param(448, 448, False, id="too many before"),
    pytest.param(448, 2 * MANY, False, id="too many before, and more"),
    pytest.param(MANY, 1, True, id="fewer"),
    pytest.param(2 * MANY, 1, False, id="fewer than too many"),
]


@pytest.mark.parametrize(("old", "new", "refused"), UPDATED_SIZES)
def test_a_list_that_grows_beyond_the_bound_is_refused(
    callers: tuple[Caller, Caller], old: int, new: int, refused: bool
) -> None:
    """
    Padding hides no entry: a list that grows beyond the bound of comparison is refused. A list that was above the bound
    before may change.
    """
    loader, tenant = callers

    answer = replaced(loader, tenant, {"gpus": entries("gpus", "old", old)}, {"gpus": entries("gpus", "new", new)})

    assert answer.rules == ({"LM302"} if refused else set())


@pytest.mark.parametrize(
    ("key", "size"), [("gpus", 400), ("gpus", 450), ("hostDevices", MOST_ENTRIES), ("filesystems", 2 * MANY)]
)
def test_an_unchanged_list_passes(callers: tuple[Caller, Caller], key: str, size: int) -> None:
    """
    This holds for any length, and for a list that loses an entry.
    """
    loader, tenant = callers
    before = {key: entries(key, "old", size)}

    assert replaced(loader, tenant, before, before | {"rng": {}}).status == 200
    assert replaced(loader, tenant, before, {key: before[key][:-1]}).status == 200


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"gpus": long_names(1)}, {"gpus": long_names(MOST_ENTRIES, "new")}),
        ({"gpus": long_names(50)}, {"gpus": long_names(MOST_ENTRIES, "new")}),
        ({"gpus": long_names(MOST_ENTRIES)}, {"gpus": long_names(50, "new")}),
        ({"gpus": long_names(447)}, {"gpus": long_names(447, "new")}),
        (
            {"interfaces": [masquerade("x" * 253, portRanges=ranges(MOST_RANGES))]},
            {"interfaces": [masquerade("y" * 253, portRanges=ranges(MOST_RANGES))]},
        ),
        (
            {"interfaces": [masquerade(portRanges=[{"start": 1, "end": at, "protocol": "TCP"} for at in AROUND])]},
            {"interfaces": [masquerade(portRanges=[{"start": 2, "end": at, "protocol": "TCP"} for at in AROUND])]},
        ),
        (
            {"interfaces": [masquerade(f"x{at}", ports=ports(*range(1, 19), 49152)) for at in range(256)]},
            {"interfaces": [masquerade(f"y{at}", ports=ports(*range(1, 19), 49152)) for at in range(256)]},
        ),
    ],
    ids=[
        "1 by 4000",
        "50 by 4000",
        "4000 by 50",
        "447 by 447",
        "300 ranges",
        "300 ranges of both ports",
        "256 interfaces",
    ],
)
def test_updates_at_the_bounds_stay_within_the_budget(
    callers: tuple[Caller, Caller], old: Manifest, new: Manifest
) -> None:
    """
    The longest lists that are compared, with the longest names, are compared in full.
    """
    assert replaced(*callers, old, new).rules


TOO_MANY_PORTS = interface(ports=ports(*range(1, MOST_PORTS + 2)))


TOO_MANY_RANGES = interface(portRanges=ranges(MOST_RANGES + 1))


@pytest.mark.parametrize(
    ("before", "fewer"),
    [(TOO_MANY_PORTS, interface(ports=ports(49152))), (TOO_MANY_RANGES, interface(portRanges=ranges(200)))],
    ids=["ports", "portRanges"],
)
def test_an_object_with_too_many_ports_may_change(
    callers: tuple[Caller, Caller], before: Manifest, fewer: Manifest
) -> None:
    """
    Its old violations cannot be distinguished, so none counts as new. Another VM with the same list is denied.
    """
    loader, tenant = callers

    assert replaced(loader, tenant, before, before | {"rng": {}}).status == 200
    assert replaced(loader, tenant, before, fewer).status == 200
    assert replaced(loader, tenant, interface(), before).rules == {"LM103"}


def test_a_refusal_for_a_long_list_names_its_bound(callers: tuple[Caller, Caller]) -> None:
    """
    The message names the list, its bound and the rule that cannot be checked.
    """
    loader, tenant = callers
    at = "spec.template.spec.domain.devices"

    said = [
        answer.document["message"]
        .partition("Migratable refuses this request: ")[2]
        .partition(". ")[2]
        .partition(" Help: ")[0]
        for answer in (
            tenant.create(vm(devices=TOO_MANY_PORTS)),
            tenant.create(vm(devices=TOO_MANY_RANGES)),
            replaced(loader, tenant, {"gpus": entries("gpus", "old", 400)}, {"gpus": entries("gpus", "new", 501)}),
        )
    ]

    assert said == [
        f"{at}.interfaces: more than 5,000 ports cannot be checked. Shorten the list. [LM103 migration-ports-listed]",
        f"{at}.interfaces: more than 300 port ranges cannot be checked. Shorten the list. [LM103 migration-ports-listed]",
        f"{at}.gpus: 501 entries cannot be compared with the 400 of the old object. Shorten the list. [LM302 gpu]",
    ]
