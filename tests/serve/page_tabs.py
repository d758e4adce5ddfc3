"""The page of the service in tabs of a real browser, asking a real server, for tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from served import EXAMPLES, listening, png

from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.settings import Settings

PAIR = (EXAMPLES / "anchor.png", EXAMPLES / "target.png")
TIMEOUT_MS = 60_000
SHOWN = "#answer iframe:not([hidden])"


@pytest.fixture(scope="module")
def address(browser):
    with listening(Application(Settings())) as (_, port):
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture
def opened(browser, address):
    """Open the page; at the end nothing may have gone wrong in it but what was refused."""
    tabs, wrong = [], []

    def tell(message):
        if "Failed to load resource" not in message.text:
            wrong.append(f"{message.type}: {message.text}")

    def open_at(where="", *, width=1400, scheme="light", touch=False, url=address):
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
            has_touch=touch,
            accept_downloads=True,
        )
        tabs.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        tab = context.new_page()
        tab.on("console", tell)
        tab.on("pageerror", lambda error: wrong.append(str(error)))
        tab.on("request", lambda request: wrong.append(request.url) if strange(request) else None)

        def strange(request):
            return not request.url.startswith((url, "blob:", "data:"))

        tab.goto(url + where)
        return tab

    yield open_at
    for context in tabs:
        context.close()
    assert wrong == []


def choose(tab, anchor=PAIR[0], target=PAIR[1]):
    tab.get_by_label("Anchor").first.set_input_files(anchor)
    tab.get_by_label("Target").first.set_input_files(target)


def compare(tab):
    """Press the button and wait for the report."""
    tab.get_by_role("button", name="Compare", exact=True).click()
    tab.locator("#answer").wait_for()
    report = tab.frame_locator(SHOWN)
    report.locator("body.js .graph-table tbody tr").first.wait_for()
    return report


def saved(tab, name):
    with tab.expect_download() as download:
        tab.get_by_role("button", name=name).click()
    return download.value.suggested_filename, Path(download.value.path()).read_bytes()


def named(name, seed):
    return {"name": name, "mimeType": "image/png", "buffer": png(seed, (64, 96))}
