"""Hostile names in a cluster, on every page."""

import re

import pytest
from msgspec.structs import replace
from playwright.sync_api import Browser

from tests.console.pages.asking import get
from tests.console.pages.serving import Pages
from tests.console.states import REFUSED, STATE, Fixed, audited, drains, finding, machine, vm
from tests.surfaces.api.page.test_safety import PAYLOADS
from tests.surfaces.api.page.watched import Watched
from webhook.console.state import MatchedPolicy
from webhook.drain.plan import NodePlan, Outcome, Step
from webhook.report.audited import UnreadReport
from webhook.report.model import ProblemReport
from webhook.surfaces.api.console.messages import Sight

BIDI = "a\u202eb\x1b[31m\x00"


def hostile(text: str) -> Fixed:
    """A state with the text at every place that a user of a cluster can choose."""
    blocks = machine(text, text, Outcome.BLOCKS, message=text, remedy=text, reasons=(text,))
    node = NodePlan(
        text, Outcome.BLOCKS, (blocks, machine(text, f"{text}2", message=text)), assumptions=(text,), slots=2
    )
    drained = drains(node, rehearsed_at=1.0, problem=text)
    assert drained.report is not None
    report = replace(drained.report, first=(Step(text, (text,), (text,)),), assumptions=(text,), missing=(text,))
    one = audited(text, text, finding("LM201", message=text, remedy=text, path=text), verdict=REFUSED)
    policy = MatchedPolicy(
        text, ((text, text),), (("vmi", text, text),), text, ((text, text),), ((text, text, text),), (text,)
    )
    state = replace(
        STATE,
        source=text,
        vms=(vm(text, text, REFUSED, "LM201", reason=text, strategy=text),),
        others=(audited("", text, finding(message=text), verdict=None, kind="KubeVirt"),),
        policies=(policy,),
        drains=replace(drained, report=report),
        unread=(UnreadReport(text, text, text),),
        problems=(ProblemReport(text, text, text, None, None, None, text),),
        unfinished=text,
        notes=(text,),
    )
    return Fixed(state, {(text, text): (one,)})


def addresses(text: str) -> tuple[str, ...]:
    return ("", "/vms", f"/vms/{text}/{text}", "/nodes", f"/nodes/{text}", "/policies", f"/{text}")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_no_name_becomes_markup(payload: str) -> None:
    """
    Every page has the same elements as with a harmless name.
    """

    def elements(text: str) -> list[list[str]]:
        sight = Sight(user=text)
        pages = [get(path, sight=sight, source=hostile(text)).html for path in addresses(text)]
        pages.append(get("/vms", (("q", text), ("namespace", text)), sight=sight, source=hostile(text)).html)
        pages.append(get("/vms", (("page", text),), source=hostile(text)).html)
        pages.append(get("/vms", ((text, text),), source=hostile(text)).html)
        return [re.findall(r"<(/?[a-z][a-z0-9]*)", page) for page in pages]

    assert elements(payload.replace("/", "").replace("`", "")) == elements("harmless")


def test_long_texts_are_cut() -> None:
    """
    A value in a manifest can have a million characters. One VM must not fill the list, and the page of its node.
    """
    text = "&" * 1_000_000
    node = NodePlan("node-a", Outcome.BLOCKS, (machine("red", "good", Outcome.BLOCKS, message=text, remedy=text),))
    state = replace(STATE, vms=(vm("red", "good", strategy=text),), drains=drains(node), notes=(text,))
    judged = audited("red", "good", finding(message=text, remedy=text))
    source = Fixed(state, {("red", "good"): (judged,)})

    sizes = [len(get(path, source=source).html) for path in ("", "/vms", "/vms/red/good", "/nodes/node-a")]

    assert max(sizes) < 60_000


def test_control_characters_are_visible() -> None:
    """
    A name cannot reverse or hide the text behind it.
    """
    for path in addresses(BIDI):
        shown = get(path, sight=Sight(user=BIDI), source=hostile(BIDI))

        assert not {"\u202e", "\x1b", "\x00"} & set(shown.html)
    assert "a\\u202eb\\u001b[31m\\u0000" in get("/vms", source=hostile(BIDI)).text


@pytest.mark.browser
def test_no_name_runs(browser: Browser, served: Pages) -> None:
    """
    In Chromium: no script runs, no policy is violated, and no request is sent elsewhere.
    """
    context = browser.new_context()
    for payload in PAYLOADS[:6]:
        served.source, served.sight = hostile(payload), Sight(user=payload)
        for path in ("fleet", "fleet/vms", "fleet/nodes", "fleet/policies"):
            watched = Watched.of(context, served.url).open(path)
            assert watched.page.evaluate("window.hit") is None
            assert watched.page.locator("main :is(script, img, iframe, style, b)").count() == 0
            watched.assert_clean()
            watched.page.close()
    context.close()
