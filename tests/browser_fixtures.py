"""A real browser for the pages: Debian's Chromium or any other, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Set where the browser must be there, such as in CI: then its absence fails instead of skipping.
NEEDED = "DISTORTION_GRAPH_BROWSER_TESTS"


def missing(text):
    (pytest.fail if os.environ.get(NEEDED) == "1" else pytest.skip)(text)


@pytest.fixture(scope="module")
def browser():
    """Chromium, for one file of tests: as long as Playwright runs, asyncio cannot."""
    program = next((found for name in NAMES if (found := shutil.which(name))), None)
    if program is None:
        missing("no Chromium on this machine (Debian: apt install chromium)")
    sync_playwright = pytest.importorskip("playwright.sync_api").sync_playwright
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="session")
def axe():
    """The source of axe-core, which `npm install axe-core` put under .venv/axe."""
    folder = Path(__file__).parents[1] / ".venv" / "axe" / "node_modules" / "axe-core"
    if not (folder / "axe.min.js").is_file():
        missing("no axe-core (npm install --prefix .venv/axe axe-core)")
    return (folder / "axe.min.js").read_text("utf-8")


@pytest.fixture
def open_page(browser, tmp_path):
    """Open a page's text in a new tab; at the end nothing may have gone wrong in it."""
    tabs, wrong = [], []

    def opened(text, width=1400, height=900, scheme="light", name="page.html", **options):
        path = tmp_path / name
        path.write_text(text, "utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, **options
        )
        tabs.append(context)
        page = context.new_page()
        page.on("console", lambda message: wrong.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if outside(request) else None)
        page.goto(path.as_uri())
        return page

    yield opened
    for context in tabs:
        context.close()
    assert wrong == []


def outside(request):
    return not request.url.startswith(("file:", "data:"))
