"""The page, in a real Chromium and from a real server."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.serve.alone import Alone, alone
from tests.surfaces.manifests import BAD, GOOD, UNPROVEN
from webhook.surfaces.api.http import HEADERS

pytestmark = pytest.mark.browser

NONE = "no Chromium: install it (apt-get install chromium) to test the page"
PAYLOADS = (
    "<script>window.hit = 1</script>",
    "<img src=x onerror='window.hit = 2'>",
    "<svg/onload=window.hit=3>",
    '"><script>window.hit=4</script>',
    "javascript:window.hit=5",
    "<iframe srcdoc='<script>parent.hit=6</script>'></iframe>",
    "`<b onmouseover=window.hit=7>`",
    "</textarea><script>window.hit=8</script>",
    "{{constructor.constructor('window.hit=9')()}}",
    "<style>@import 'https://example.org/x.css';</style>",
    "<a href='https://example.org'>x</a>",
    "<details open ontoggle=window.hit=10>",
)
WATCH = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(event.violatedDirective));
"""


@dataclass
class Watched:
    """A page, and a record of forbidden events."""

    page: Page
    url: str
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def judge(self, text: str) -> None:
        """Pastes a text and presses Check."""
        self.page.get_by_label("Manifests, YAML or JSON").fill(text)
        self.page.get_by_role("button", name="Check").click()
        expect(self.page.locator("#answer .hint").get_by_text("Checking")).to_have_count(0)

    def assert_clean(self) -> None:
        """No policy violation, no error, no request to another host."""
        assert self.page.evaluate("window.broken") == []
        assert self.errors == []
        assert [url for url in self.requests if not url.startswith(self.url)] == []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    with alone(tmp_path_factory.mktemp("page")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip(NONE)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def watched(browser: Browser, server: Alone) -> Iterator[Watched]:
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    watched = Watched(page, server.url)
    page.add_init_script(WATCH)
    page.on("pageerror", lambda error: watched.errors.append(str(error)))
    page.on("console", lambda line: watched.errors.append(line.text) if line.type == "error" else None)
    page.on("request", lambda request: watched.requests.append(request.url))
    page.goto(server.url)
    yield watched
    context.close()


def test_a_bad_manifest_is_answered_with_finding_and_remedy(watched: Watched) -> None:
    """
    The page shows verdict, message, place and remedy.
    """
    watched.judge(BAD)

    page = watched.page
    expect(page.locator(".summary")).to_have_text("2 refused, 1 unproven in 1 object")
    expect(page.locator(".verdict")).to_have_text("Cannot be live-migrated: InterfaceNotLiveMigratable (KubeVirt 1.9).")
    first = page.locator(".finding").first
    expect(first).to_contain_text("Refused")
    expect(first).to_contain_text("interface 'default' uses bridge binding on the pod network")
    expect(first).to_contain_text("How to fix it: Write masquerade: {} instead of bridge: {}")
    watched.assert_clean()


def test_a_place_leads_to_its_line(watched: Watched) -> None:
    """
    The place of a finding selects its line among the manifests.
    """
    watched.judge(BAD)

    watched.page.get_by_role("button", name="line 8: spec.domain.devices.interfaces[0]").click()

    selected = watched.page.evaluate(
        "() => { const t = document.getElementById('manifest');"
        " return t.value.slice(t.selectionStart, t.selectionEnd); }"
    )
    assert selected == "      - name: default"


def test_the_reason_of_a_rule_is_shown(watched: Watched) -> None:
    """
    "Why?" opens the rationale of the rule.
    """
    watched.judge(BAD)

    watched.page.get_by_text("Why? LM101 bridge-on-pod-network").click()

    expect(watched.page.get_by_text("With bridge binding, the guest has the IP address of its pod.")).to_be_visible()
    expect(watched.page.get_by_text("KubeVirt does not live-migrate this VM.").first).to_be_visible()


def test_a_good_manifest_shows_no_findings(watched: Watched) -> None:
    """
    The page shows the verdict with the release and the assumptions.
    """
    watched.judge(GOOD)

    page = watched.page
    expect(page.locator(".verdict.yes")).to_have_text("Can be live-migrated (KubeVirt 1.9).")
    expect(page.locator(".summary")).to_have_text("Nothing found in 1 object")
    expect(page.locator("#answer")).to_contain_text("the VM runs on amd64 (the field architecture is not set)")
    watched.assert_clean()


def test_an_unproven_result_names_the_missing_manifest(watched: Watched) -> None:
    """
    The verdict is neither yes nor no.
    """
    watched.judge(UNPROVEN)

    expect(watched.page.locator(".verdict.open")).to_contain_text("Unproven")
    expect(watched.page.locator(".finding")).to_contain_text("To settle it: add the manifest of PVC 'os' to the input")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "invalid YAML"),
        ("", "the body is empty"),
        ("a: 1\na: 2\n", "duplicate key 'a' (lines 1 and 2)"),
        ("apiVersion: v1\nkind: ConfigMap\n", "Nothing to check"),
    ],
)
def test_text_without_a_manifest_gives_a_message(watched: Watched, text: str, message: str) -> None:
    """
    Unreadable text and irrelevant objects give a sentence, not an empty result.
    """
    watched.judge(text)

    expect(watched.page.locator("#answer")).to_contain_text(message)


def test_release_and_profile_can_be_chosen(watched: Watched) -> None:
    """
    The choice applies to the next check.
    """
    page = watched.page
    page.get_by_label("KubeVirt", exact=True).select_option("1.4")
    page.get_by_label("Profile").select_option("exact")

    watched.judge(BAD)

    expect(page.locator(".verdict")).to_contain_text("(KubeVirt 1.4)")
    assert "release=1.4&profile=exact" in watched.requests[-1]


def test_a_release_that_is_not_published_can_be_chosen(watched: Watched) -> None:
    """
    The label and a note in the report say that the release is a preview.
    """
    watched.page.get_by_label("KubeVirt", exact=True).select_option(label="1.10 (preview)")

    watched.judge(BAD)

    expect(watched.page.locator("#answer")).to_contain_text("KubeVirt 1.10 is not published")
    assert "release=1.10" in watched.requests[-1]


def test_the_example_can_be_checked(watched: Watched) -> None:
    """
    One click shows a manifest with its result; the keyboard checks it again.
    """
    page = watched.page

    page.get_by_role("button", name="Show an example").click()
    expect(page.locator(".finding")).to_have_count(3)
    page.get_by_label("Manifests, YAML or JSON").fill(GOOD)
    page.keyboard.press("Control+Enter")

    expect(page.locator(".verdict.yes")).to_be_visible()
    watched.assert_clean()


def test_files_can_be_dropped(watched: Watched) -> None:
    """
    Several files are read as one stream of documents, and checked immediately.
    """
    watched.page.evaluate(
        """(texts) => {
            const data = new DataTransfer();
            texts.forEach((text, at) => data.items.add(new File([text], `${at}.yaml`)));
            document.getElementById("manifest").dispatchEvent(new DragEvent("drop", {dataTransfer: data}));
        }""",
        [GOOD, BAD],
    )

    expect(watched.page.locator(".object h3")).to_have_text(
        ["VirtualMachineInstance tenant/good", "VirtualMachineInstance tenant/bad"]
    )


def test_names_are_text_and_nothing_else(watched: Watched) -> None:
    """
    A hostile name runs no script, adds no element and sends no request. It stays readable.
    """
    for payload in PAYLOADS:
        quoted = "'" + payload.replace("'", "''") + "'"
        named = BAD.replace("name: bad", f"name: {quoted}").replace("name: default", f"name: {quoted}")
        named = named.replace("{name: card", "{name: " + quoted).replace("namespace: tenant", f"namespace: {quoted}")

        watched.judge(named)

        assert payload.replace("`", "") in watched.page.locator("#answer").inner_text()
        assert_tame(watched)
    watched.assert_clean()


def test_broken_text_is_text_and_nothing_else(watched: Watched) -> None:
    """
    The same for unknown kinds and duplicate keys.
    """
    for payload in PAYLOADS:
        quoted = "'" + payload.replace("'", "''") + "'"
        for text in (f"{quoted}: 1\n{quoted}: 2\n", f"apiVersion: kubevirt.io/v1\nkind: {quoted}\n"):
            watched.judge(text)

            assert_tame(watched)


def assert_tame(watched: Watched) -> None:
    assert watched.page.evaluate("window.hit") is None
    assert watched.page.evaluate("window.broken") == []
    assert watched.page.locator("#answer :is(script, img, svg, iframe, style, a, b)").count() == 0


def test_the_content_security_policy_is_in_force(watched: Watched) -> None:
    """
    An injected script does not run and cannot send data.
    """
    watched.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "window.hit = 1";
            document.body.append(script);
            return fetch("https://example.org/").catch(() => {});
        }"""
    )

    assert watched.page.evaluate("window.hit") is None
    assert sorted(set(watched.page.evaluate("window.broken"))) == ["connect-src", "script-src-elem"]
    assert "default-src 'none'" in HEADERS["Content-Security-Policy"]
