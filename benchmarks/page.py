"""
The time from a click on *Check* to the answer of the check page in Chromium, for 10 KB of manifests (goal: 300 ms).

``first`` is the first check after the start of the server. ``answer`` is the median
of the following checks, and ``complete`` is the time until fixes and the comparison of releases are shown, too. Also the weight
of the page.

    python -m benchmarks.page --rounds 20
"""

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.browsing import loaded
from tests.serve.alone import alone
from webhook.surfaces.api.page.examples import text_of

GOAL_MS = 300
SIZE = 10_000
MEASURE = """
async (text) => {
  const area = document.getElementById("manifest"), answer = document.getElementById("answer");
  area.value = text;
  answer.replaceChildren();
  const began = performance.now();
  const changed = (isDone) => new Promise((done) => {
    const watch = new MutationObserver(() => {
      if (!isDone()) return;
      watch.disconnect();
      requestAnimationFrame(() => done(performance.now() - began));
    });
    watch.observe(document.body, {subtree: true, childList: true, attributes: true});
  });
  const shown = changed(() => answer.querySelector(".object"));
  const complete = changed(() => document.body.dataset.checking === "no");
  document.getElementById("check").click();
  return [await shown, await complete];
}
"""


def manifests(size: int) -> str:
    """VMs of an example with names of their own, of at least ``size`` bytes."""
    text = text_of("bridge").decode()
    parts: list[str] = []
    while sum(map(len, parts)) < size:
        parts.append(text.replace("web", f"web-{len(parts)}"))
    return "---\n".join(parts)


def weight(page: Page, url: str) -> int:
    """The bytes that the page loads. Closes the page."""
    page.goto(url, wait_until="networkidle")
    sizes = loaded(page)
    page.close()
    return sum(sizes)


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    text = manifests(SIZE)
    with tempfile.TemporaryDirectory() as folder, alone(Path(folder)) as server, sync_playwright() as playwright:
        chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        context = browser.new_context(ignore_https_errors=True)
        size = weight(context.new_page(), server.url)
        page = context.new_page()
        page.goto(server.url)
        first = page.evaluate(MEASURE, text)
        times = [page.evaluate(MEASURE, text) for _ in range(rounds)]
        browser.close()
    answers, complete = ([one[index] for one in times] for index in (0, 1))
    print(f"{len(text):,} bytes of manifests, {rounds} rounds; goal for an answer: {GOAL_MS} ms")
    print(f"first     {first[0]:7.0f} ms")
    print(f"answer    {statistics.median(answers):7.0f} ms (highest {max(answers):.0f})")
    print(f"complete  {statistics.median(complete):7.0f} ms (highest {max(complete):.0f})")
    print(f"page      {size / 1024:7.1f} KiB; goal: 150 KiB")


if __name__ == "__main__":
    main()
