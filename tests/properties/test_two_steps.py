"""P4 as an attack in two steps: the first changes fields that no webhook receives, the second changes judged fields."""

import copy
import json
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.generating import Manifest
from tests.generating.hostile import METADATA, ODD, deep, rendered
from tests.properties.edits import EDITS, STARTS, Edit, edited
from tests.properties.edits import METADATA as ANNOTATIONS
from tests.properties.supply import EXAMPLES, PROPERTY, Terms, anything, denials, machines, terms
from tests.surfaces.admission.reviews import review
from webhook.surfaces.admission.judged_part import same_judged_part
from webhook.surfaces.admission.requests import DecodedRequest, read_review
from webhook.surfaces.admission.validate import JudgingContext, decide_request


def bury(metadata: Manifest) -> Edit:
    """Whatever may stand in an object's metadata, under the same name."""

    def edit(made: Manifest) -> None:
        kept = {key: value for key, value in made["metadata"].items() if key in ("name", "namespace", "uid")}
        made["metadata"] = {**copy.deepcopy(metadata), **kept}

    return edit


def bury_in_pool(metadata: Manifest) -> Edit:
    """The metadata of a pool's VMs, which is in no matchCondition."""

    def edit(made: Manifest) -> None:
        if made["kind"] == "VirtualMachinePool":
            made["spec"]["virtualMachineTemplate"]["metadata"] = copy.deepcopy(metadata)

    return edit


def report(status: Any) -> Edit:
    """A status, of any type."""
    return lambda made: made.update(status=copy.deepcopy(status))


TWO_STEPS = settings(PROPERTY, max_examples=EXAMPLES if EXAMPLES > 2000 else EXAMPLES // 4)
"""Their text is written and read for each example, which takes longer than for the other properties."""
UNSEEN: st.SearchStrategy[Edit] = st.one_of(
    st.builds(bury, METADATA),
    st.builds(bury_in_pool, METADATA),
    st.builds(report, st.one_of(ODD, st.fixed_dictionaries({"x": ODD, "volumeRequests": ODD, "instancetypeRef": ODD}))),
    STARTS,
    ANNOTATIONS,
)
"""Steps that an API server does not send to us."""
DEEP_IN_TEMPLATE = st.builds(
    lambda depth, key: lambda made: _template_of(made).setdefault("metadata", {}).update({key: deep(depth)}),
    st.sampled_from((600, 3_000)),
    st.sampled_from(("x", "y")),
)


def _template_of(made: Manifest) -> Manifest:
    spec: Manifest = made["spec"]
    template: Manifest = (spec["virtualMachineTemplate"]["spec"] if "virtualMachineTemplate" in spec else spec)[
        "template"
    ]
    return template


def refused(old: Manifest, new: Manifest, context: JudgingContext) -> set[tuple[str, str]]:
    """Identities of what an update is denied for, on the way that its bytes take."""
    read = read_review(rendered(json.loads(review("UPDATE", new, old))))
    if isinstance(read, DecodedRequest):
        return denials(decide_request(read, context))
    return set() if read.passes else {("unreadable", cause.field) for cause in read.causes}


@TWO_STEPS
@given(anything(), st.lists(UNSEEN, min_size=1, max_size=3), terms())
def test_a_change_that_no_webhook_sees_adds_no_finding(manifest: Manifest, steps: list[Edit], now: Terms) -> None:
    """
    N2, N3, N6: it leaves the judged part as it is and is allowed, whatever it holds and however deep it nests.
    """
    after = edited(manifest, *steps)
    assume(manifest["kind"] != "VirtualMachineInstance")

    assert same_judged_part(manifest["kind"], rendered(after), rendered(manifest))
    assert refused(manifest, after, now.context()) == set()


@TWO_STEPS
@given(
    machines(updated=True),
    st.lists(UNSEEN, min_size=1, max_size=2),
    st.lists(st.one_of(EDITS, EDITS, DEEP_IN_TEMPLATE), min_size=1, max_size=3),
    terms(),
)
def test_no_unseen_update_enables_the_next(
    manifest: Manifest, first: list[Edit], second: list[Edit], now: Terms
) -> None:
    """
    P4: an update is denied for the same whether or not unseen changes came before it, so no chain of allowed updates leads
    where the direct one does not, nor does an unseen change block a harmless one.
    """
    context = now.context()
    between = edited(manifest, *first)
    end = edited(between, *second)

    assert refused(between, end, context) == refused(manifest, end, context)


@TWO_STEPS
@given(
    machines(updated=True),
    st.lists(st.one_of(UNSEEN, EDITS, DEEP_IN_TEMPLATE), min_size=1, max_size=3),
    st.lists(st.one_of(EDITS, DEEP_IN_TEMPLATE), min_size=1, max_size=3),
    terms(),
)
def test_no_chain_of_allowed_updates_reaches_a_denied_state(
    manifest: Manifest, first: list[Edit], second: list[Edit], now: Terms
) -> None:
    """
    P4: also where the steps between change the judged part.
    """
    context = now.context()
    between = edited(manifest, *first)
    end = edited(between, *second)
    assume(not refused(manifest, between, context) and not refused(between, end, context))

    assert refused(manifest, end, context) == set()
