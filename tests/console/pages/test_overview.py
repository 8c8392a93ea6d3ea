"""The overview: numbers, and the lists behind them."""

import re
from urllib.parse import parse_qsl, urlsplit

from msgspec.structs import replace

from tests.console.large import large
from tests.console.pages.asking import Shown, get
from tests.console.states import FIX, REFUSED, STATE, Fixed, audited, finding, vm
from webhook.console.state import Drains, State
from webhook.surfaces.api.console.messages import Sight


def behind(shown: Shown, start: str) -> list[tuple[str, Shown]]:
    """The pages behind the links of a page with this start, each with its address."""
    addresses = [address for address in shown.links if address.startswith(start)]
    pages = []
    for address in dict.fromkeys(addresses):
        parts = urlsplit(address)
        pages.append((address, get(parts.path.removeprefix("/fleet"), tuple(parse_qsl(parts.query)), source=large())))
    return pages


def test_each_number_is_that_of_the_list_behind_it() -> None:
    """
    For verdicts, reasons, namespaces, rules and outcomes of drains.
    """
    shown = get(source=large())

    pages = behind(shown, "/fleet/vms?") + behind(shown, "/fleet/nodes?")
    assert len(pages) > 20
    for address, listed in pages:
        assert listed.status == 200
        number = re.findall(r'found">([\d,]+)', listed.main)[0]
        assert f'href="{address.replace("&", "&amp;")}"' in shown.main
        row = shown.main.partition(f'href="{address.replace("&", "&amp;")}"')[2][:200]
        assert f">{number}<" in row, address


def test_vms_whose_condition_differs_are_counted() -> None:
    """
    Migratable and KubeVirt cannot both be right.
    """
    shown = get()

    assert "1 running VM has a condition LiveMigratable that differs from the verdict." in shown.text
    assert get("/vms", (("differs", "yes"),)).rows == ["red/good"]


def test_settings_have_their_findings_with_remedies_and_commands() -> None:
    """
    HyperConverged's operator resets the KubeVirt CR, so there is no command for that.
    """
    with_fix = finding("LM601", "warn", path="spec.configuration", fixes=[replace(FIX, title="lower it")])
    kubevirt = audited("kubevirt", "kubevirt", with_fix, verdict=None, kind="KubeVirt")
    owner = audited("kubevirt", "owner", verdict=None, kind="HyperConverged")

    alone = get(source=Fixed(replace(STATE, others=(kubevirt,)))).text
    owned = get(source=Fixed(replace(STATE, others=(kubevirt, owner)))).text

    assert "KubeVirt kubevirt/kubevirt ! would get a warning LM601 claim-not-shared spec.configuration" in alone
    assert "safe change: lower it. kubectl patch kubevirts.kubevirt.io kubevirt -n kubevirt --type=json" in alone
    assert "Change the HyperConverged CR." in owned
    assert "kubectl" not in owned


def test_objects_of_tenants_are_no_settings() -> None:
    """
    Such as a pool. A running VMI is on the page of its VM.
    """
    pool = audited("red", "pool", finding("LM201"), kind="VirtualMachinePool")
    vmi = audited("red", "good", finding("LM302"), kind="VirtualMachineInstance")

    text = get(source=Fixed(replace(STATE, others=(*STATE.others, pool, vmi)))).text

    assert "Other objects VirtualMachinePool red/pool ✕ would be refused LM201" in text
    assert "LM302" not in text
    assert "Notes the KubeVirt CR names the release." in text
    quiet = Fixed(replace(STATE, others=(audited("kubevirt", "kubevirt", verdict=None, kind="KubeVirt"),)))
    assert "There are no findings about the settings of the cluster." in get(source=quiet).text


def test_the_most_severe_findings_about_settings_come_first() -> None:
    """
    Others are counted.
    """
    many = [
        audited("", f"policy-{number}", finding("LM612", "audit"), verdict=None, kind="MigrationPolicy")
        for number in range(30)
    ]
    denied = audited("", "z", finding("LM601"), verdict=None, kind="MigrationPolicy")

    text = get(source=Fixed(replace(STATE, others=(*many, denied)))).text

    assert "Settings MigrationPolicy z ✕ would be refused" in text
    assert "11 more findings are not shown." in text


def test_kinds_and_objects_that_could_not_be_read_are_named() -> None:
    """
    Results that depend on them are unproven.
    """
    text = get().text

    assert "not read (not allowed): NetworkAttachmentDefinition." in text
    assert "not read (not allowed in namespace red): PersistentVolumeClaim." in text
    assert "VirtualMachine red/broken: cannot read it. Mend it." in text
    assert "980 more objects that could not be read are not shown." in get(source=large()).text


def test_the_state_of_the_drains_is_named() -> None:
    """
    Before the first rehearsal, after one, and after a failure.
    """

    def shown(drains: Drains) -> str:
        return get(source=Fixed(replace(STATE, drains=drains))).text

    assert "The drains of the nodes are not rehearsed yet." in shown(Drains())
    never = shown(Drains(problem="the cluster does not answer"))
    assert "Nodes The last rehearsal failed: the cluster does not answer. Settings" in never
    assert "Rehearsed 2027-01-15 08:00:00 UTC ." in shown(STATE.drains)
    failed = shown(replace(STATE.drains, problem="the cluster does not answer"))
    assert "08:00:00 UTC . The last rehearsal failed: the cluster does not answer." in failed


def test_one_namespace_has_an_overview() -> None:
    """
    With its own VMs and links, and without nodes.
    """
    source = Fixed(replace(STATE, vms=(*STATE.vms, vm("red", "bad", REFUSED))))
    shown = get("", (("namespace", "red"),), source=source)

    assert "Namespace red" in shown.text
    assert "/fleet/vms?namespace=red&verdict=not-migratable" in shown.links
    assert "1 ✕ cannot be live-migrated 0 ? unproven 1 ✓ can be live-migrated" in shown.text
    assert "drain of each node" not in shown.text
    assert "in namespace red" in shown.text
    assert "red/broken" not in shown.text
    assert "in namespace red" not in get("", (("namespace", "blue"),), source=source).text


def test_a_page_names_the_namespaces_that_the_visitor_may_list() -> None:
    """
    So that a part of the cluster is not taken for the whole.
    """
    assert "only namespaces blue, red" in get(sight=Sight(("blue", "red"))).text
    assert "no namespace" in get(sight=Sight(())).text
    assert "only namespaces" not in get().text


def test_an_empty_state_is_a_page() -> None:
    """
    Before the first object is judged.
    """
    shown = get(source=Fixed(State("0", "cluster-1", "any", "strict", unfinished="objects to judge: 7")))

    assert shown.status == 200
    assert "cluster-1 · any supported KubeVirt release · profile strict" in shown.text
    assert "The objects are being read. Objects to judge: 7." in shown.text
    assert "There are no VMs." in shown.text
