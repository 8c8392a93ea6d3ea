"""The editor of the check page: marks at lines, fixes with undo, files and examples."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.surfaces.api.page.watched import Watched
from tests.surfaces.manifests import BAD, GOOD
from tests.surfaces.running import ROOT
from webhook.surfaces.api.page.examples import text_of

pytestmark = pytest.mark.browser

COMMENTED = BAD.replace("bridge: {}", "bridge: {}  # 🖥️ the old way")
FIX = "Apply fix: write masquerade: {} instead of bridge (the guest then has its own IP address)"


def selected(watched: Watched) -> str:
    return str(
        watched.page.evaluate(
            "() => { const t = document.getElementById('manifest');"
            " return t.value.slice(t.selectionStart, t.selectionEnd); }"
        )
    )


def drop(watched: Watched, *texts: str) -> None:
    watched.page.evaluate(
        """(texts) => {
            const data = new DataTransfer();
            texts.forEach((text, at) => data.items.add(new File([text], `${at}.yaml`)));
            document.body.dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
        }""",
        list(texts),
    )


def marks(watched: Watched) -> list[list[str]]:
    """Line, state and words of each mark in the margin."""
    found: list[list[str]] = watched.page.locator("#marks span").evaluate_all(
        "(all) => all.map((one) => [one.dataset.line, one.className, one.title])"
    )
    return found


def test_lines_have_numbers_and_findings_have_marks(watched: Watched) -> None:
    """
    Each mark is beside its line, with the message behind the line.
    """
    watched.judge(BAD)

    assert watched.page.locator("#numbers").inner_text().split() == [
        str(line) for line in range(1, BAD.count("\n") + 2)
    ]
    assert [(line, state) for line, state, _ in marks(watched)] == [("8", "deny"), ("11", "deny")]
    remark = watched.page.locator("#lens div").first
    expect(remark).to_contain_text("interface 'default' uses bridge binding")
    assert remark.evaluate("(one) => one.style.top") == "140px"


def test_marks_move_with_their_lines_until_the_next_answer(watched: Watched) -> None:
    """
    A line break above a finding moves the mark at once, before the server answers.
    """
    watched.judge(BAD)
    watched.page.route("**/v1/check*", lambda _route: None)

    watched.page.get_by_label("Manifests, YAML or JSON").press("Control+Home")
    watched.page.keyboard.press("Enter")

    assert [line for line, _, _ in marks(watched)] == ["9", "12"]


def test_an_unreadable_line_has_a_mark(watched: Watched) -> None:
    """
    The message of the reader is at the line.
    """
    watched.judge("a: 1\nb: 2\na: 3\n")

    assert marks(watched) == [["3", "deny", "cannot be read: duplicate key 'a' (lines 1 and 3)"]]


def test_a_place_leads_to_its_line(watched: Watched) -> None:
    """
    The place of a finding selects its line among the manifests, and F8 goes from finding to finding.
    """
    watched.judge(BAD)

    watched.page.get_by_role("button", name="line 8").click()
    assert selected(watched) == "      - name: default"
    watched.page.keyboard.press("F8")
    assert selected(watched) == "      - {name: card, deviceName: nvidia.com/A10}"
    watched.page.keyboard.press("F8")
    assert selected(watched) == "      - name: default"
    watched.page.keyboard.press("Shift+F8")
    assert selected(watched) == "      - {name: card, deviceName: nvidia.com/A10}"


def test_a_mark_leads_to_its_finding(watched: Watched) -> None:
    """
    A click in the margin scrolls the answer.
    """
    watched.page.set_viewport_size({"width": 1000, "height": 600})
    watched.judge(BAD)

    watched.page.locator("#marks span").last.click()

    expect(watched.page.locator(".finding[data-line='11']").first).to_be_in_viewport()


def test_a_fix_changes_only_its_place_and_can_be_undone(watched: Watched) -> None:
    """
    Comments stay. The answer follows the new text, and Undo restores text and answer.
    """
    watched.judge(COMMENTED)
    fix = watched.page.get_by_role("button", name=FIX)
    expect(watched.page.locator(".difference").first).to_have_text(
        "− bridge: {}  # 🖥️ the old way\n+ masquerade: {}  # 🖥️ the old way\n"
    )

    watched.answered(fix.click)
    assert watched.text == COMMENTED.replace("bridge: {}", "masquerade: {}")
    expect(fix).to_have_count(0)
    expect(watched.page.locator("#verdict")).to_contain_text("1 reason to refuse it")

    watched.answered(watched.page.get_by_role("button", name="Undo").click)
    assert watched.text == COMMENTED
    expect(fix).to_be_enabled()
    watched.assert_clean()


def test_a_fix_finds_its_place_behind_emoji(watched: Watched) -> None:
    """
    The server counts code points, and the browser counts UTF-16 units.
    """
    text = BAD.replace("      - name: default\n        bridge: {}\n", "      - {name: '🖥🖥', bridge: {}}\n")
    text = text.replace("{name: default, pod", "{name: '🖥🖥', pod")
    watched.judge(text)

    watched.answered(watched.page.get_by_role("button", name=FIX).click)

    assert watched.text == text.replace("bridge: {}", "masquerade: {}")


def test_a_fix_can_be_undone_with_the_key_of_the_browser(watched: Watched) -> None:
    """
    Ctrl+Z in the text undoes a fix like typed text.
    """
    watched.judge(BAD)
    watched.answered(watched.page.get_by_role("button", name=FIX).click)

    watched.page.get_by_label("Manifests, YAML or JSON").press("Control+z")

    assert watched.text == BAD


def test_every_fix_can_be_applied_in_turn(watched: Watched) -> None:
    """
    Until nothing is refused.
    """
    watched.judge(BAD)

    for _ in range(2):
        watched.answered(watched.page.locator(".apply:enabled").first.click)

    expect(watched.page.locator(".apply")).to_have_count(0)
    expect(watched.page.locator("#verdict")).to_contain_text("Would be accepted")


def test_a_fix_that_cannot_be_written_is_left_to_the_reader(watched: Watched) -> None:
    """
    An anchor is used twice, so there is no button.
    """
    anchored = BAD.replace("      - name: default\n        bridge: {}\n", "      - &card {name: default, bridge: {}}\n")
    anchored = anchored.replace("{name: card, deviceName: nvidia.com/A10}", "*card")

    watched.judge(anchored)

    expect(watched.page.locator(".fix").first).to_contain_text("By hand:")


def test_files_can_be_dropped(watched: Watched) -> None:
    """
    Several files are read as one stream of documents, and checked immediately.
    """
    watched.answered(lambda: drop(watched, GOOD, BAD))

    expect(watched.page.locator(".object h3")).to_have_text(
        ["VirtualMachineInstance tenant/good", "VirtualMachineInstance tenant/bad"]
    )
    watched.assert_clean()


def test_files_can_be_opened(watched: Watched, tmp_path: Path) -> None:
    """
    With the keyboard as well.
    """
    path = tmp_path / "vm.yaml"
    path.write_text(GOOD)

    with watched.page.expect_file_chooser() as chooser:
        watched.page.get_by_role("button", name="Open files").press("Enter")
    watched.answered(lambda: chooser.value.set_files(path))

    assert watched.text == GOOD
    expect(watched.page.locator("#notice")).to_contain_text("Opened vm.yaml.")


def test_neither_examples_nor_files_overwrite_typed_text(watched: Watched) -> None:
    """
    They are added below, and Undo removes them again.
    """
    menu = watched.page.locator("#examples")
    watched.judge(GOOD)

    menu.locator("summary").click()
    watched.answered(menu.get_by_role("link", name="Bridge binding").click)
    assert watched.text == f"{GOOD}---\n{text_of('bridge').decode()}"
    watched.answered(watched.page.get_by_role("button", name="Undo").click)
    assert watched.text == GOOD

    watched.answered(lambda: drop(watched, BAD))
    assert watched.text == f"{GOOD}---\n{BAD}"


@pytest.mark.parametrize("width", [390, 820, 1280, 1920])
def test_the_menu_of_examples_is_on_the_screen(watched: Watched, width: int) -> None:
    """
    Every entry, at each width.
    """
    watched.page.set_viewport_size({"width": width, "height": 900})

    watched.page.locator("#examples summary").click()

    for entry in watched.page.locator("#examples li").all():
        expect(entry).to_be_in_viewport(ratio=1)


def test_an_unchanged_example_gives_way_to_the_next(watched: Watched) -> None:
    """
    But not after a change.
    """
    menu = watched.page.locator("#examples")

    def choose(title: str) -> None:
        menu.locator("summary").click()
        watched.answered(menu.get_by_role("link", name=title).click)

    choose("Bridge binding")
    choose("VM without problems")
    assert watched.text == text_of("good").decode()

    watched.page.get_by_label("Manifests, YAML or JSON").press("Control+End")
    watched.answered(lambda: watched.page.keyboard.type("# mine\n"))
    choose("Bridge binding")
    assert watched.text == f"{text_of('good').decode()}# mine\n---\n{text_of('bridge').decode()}"


def test_clearing_can_be_undone(watched: Watched) -> None:
    """
    The first view appears again, and Undo restores the text.
    """
    watched.judge(BAD)

    watched.page.get_by_role("button", name="Clear").click()
    expect(watched.page.locator("#start")).to_be_visible()
    watched.answered(watched.page.get_by_role("button", name="Undo").click)

    assert watched.text == BAD


def test_manifests_can_be_copied_and_downloaded(watched: Watched) -> None:
    """
    Byte for byte.
    """
    watched.judge(COMMENTED)

    watched.page.get_by_role("button", name="Copy", exact=True).click()
    expect(watched.page.locator("#notice")).to_contain_text("Manifests copied.")
    assert watched.page.evaluate("navigator.clipboard.readText()") == COMMENTED
    with watched.page.expect_download() as download:
        watched.page.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename == "manifests.yaml"
    assert download.value.path().read_text() == COMMENTED
    watched.assert_clean()


def test_the_text_stays_on_the_way_back_from_another_page(watched: Watched) -> None:
    """
    In this tab only.
    """
    watched.judge(BAD)

    watched.page.get_by_role("link", name="Rules").click()
    watched.answered(watched.page.get_by_role("link", name="Migratable").click)

    assert watched.text == BAD
    other = Watched.of(watched.page.context, watched.url).open()
    assert other.text == ""


def test_large_text_waits_for_the_button(watched: Watched) -> None:
    """
    It is not checked while typing.
    """
    large = f"{GOOD}# {'x' * (1 << 18)}\n"
    watched.page.get_by_label("Manifests, YAML or JSON").fill(large)
    expect(watched.page.locator("#progress")).to_have_text("Large text: press Check.")

    watched.answered(watched.page.get_by_role("button", name="Check", exact=True).click)

    expect(watched.page.locator("#verdict")).to_contain_text("Would be accepted")


def test_fixes_lead_from_a_refused_vm_and_its_claim_to_an_accepted_manifest(watched: Watched) -> None:
    """
    The fix of the claim changes another document than that of the finding.
    """
    watched.judge((ROOT / "examples" / "vm-bridge.yaml").read_text())

    for title in ("write masquerade", "write ReadWriteMany in PVC"):
        fix = watched.page.get_by_role("button", name=f"Apply fix: {title}")
        expect(fix).to_be_enabled()
        watched.answered(fix.click)

    expect(watched.page.locator("#verdict")).to_contain_text("Would be accepted")
    assert "  - ReadWriteMany\n" in watched.text
    watched.assert_clean()
