"""Hostile names in the page, and its content security policy, in Chromium."""

import pytest

from tests.surfaces.api.page.watched import Watched
from tests.surfaces.manifests import BAD
from webhook.surfaces.api.http import HEADERS

pytestmark = pytest.mark.browser

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
    assert watched.page.locator("#answer :is(script, img, svg, iframe, style, b)").count() == 0
    assert watched.page.locator("#answer a:not([href^='/rules/LM'])").count() == 0
    assert watched.page.locator(".layer :is(script, img, svg, iframe, style, b, a)").count() == 0


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
