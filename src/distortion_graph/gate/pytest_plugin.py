"""The pytest plugin: the fixture `assert_same_quality`, and what shows a failure of it.

pytest loads this module whenever it starts, so it imports nothing heavy.
"""

from __future__ import annotations

import base64
import re
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from distortion_graph.gate.worker import Drawn

_OPTION = "--distortion-graph-out"
_ASSERTING = "distortion_graph.gate.asserting"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option for the folder of overlays and reports."""
    parser.getgroup("distortion-graph").addoption(
        _OPTION,
        metavar="FOLDER",
        help="Write overlay and report of each pair that fails assert_same_quality into FOLDER; by "
        "default into pytest's cache.",
    )


@pytest.fixture(scope="session")
def assert_same_quality() -> Callable[..., None]:
    """`assert_same_quality(anchor, target, policy=…)`: fail where the policy is broken."""
    from distortion_graph.gate.asserting import assert_same_quality

    return assert_same_quality


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put overlay and report of a broken policy beside the test that found it."""
    report = yield
    asserting = sys.modules.get(_ASSERTING)
    error = None if call.excinfo is None else call.excinfo.value
    if asserting is None or not isinstance(error, asserting.QualityError):
        return report
    if error.drawn is not None:
        _keep(item, report, error.drawn)
        _attach(item, report, error.drawn)
    return report


def _keep(item: pytest.Item, report: pytest.TestReport, drawn: Drawn) -> None:
    """Write the files, and say where they are."""
    folder = _folder(item.config)
    if folder is None:
        return
    name = re.sub(r"[^\w.\-\[\]]+", "_", item.nodeid)[-150:]
    files = {
        "overlay": (folder / f"{name}.png", drawn.overlay),
        "report": (folder / f"{name}.html", drawn.report.encode()),
    }
    for path, data in files.values():
        path.write_bytes(data)
    lines = "\n".join(f"{what}: {path}" for what, (path, _) in files.items())
    report.sections.append(("distortion-graph", lines))


def _folder(config: pytest.Config) -> Path | None:
    asked = config.getoption(_OPTION)
    if asked:
        folder = Path(asked)
        folder.mkdir(parents=True, exist_ok=True)
        return folder
    cache = getattr(config, "cache", None)
    return None if cache is None else Path(cache.mkdir("distortion-graph"))


def _attach(item: pytest.Item, report: pytest.TestReport, drawn: Drawn) -> None:
    """Show the overlay in the page of pytest-html, where that is used."""
    html: Any = item.config.pluginmanager.getplugin("html")
    if html is None:
        return
    picture = html.extras.png(base64.b64encode(drawn.overlay).decode("ascii"))
    report.extras = [*getattr(report, "extras", []), picture]  # type: ignore[attr-defined]
