"""The list of who may import whom: in `.importlinter`, which `make lint` runs, and in the docs.

`test_rooms.py` checks what follows at run time.
"""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest

import distortion_graph

REPOSITORY = Path(__file__).parent.parent
RULE = REPOSITORY / ".importlinter"
PAGE = REPOSITORY / "docs" / "architecture.md"
ROOT = Path(distortion_graph.__file__).parent
DATA = {"weights", "schema"}  # folders without code
STARTERS = {"__init__", "__main__"}  # the public names, and `python -m`: rooms of no one


def importers() -> dict[str, set[str]]:
    """The rule as the tool reads it: the rooms that may import each room."""
    rule = configparser.ConfigParser()
    rule.read_string(RULE.read_text("utf-8"))
    contracts = [rule[name] for name in rule.sections() if ":contract:" in name]
    assert {contract["type"] for contract in contracts} == {"protected"}
    short = "distortion_graph."
    return {
        contract["protected_modules"].removeprefix(short): {
            name.removeprefix(short) for name in contract["allowed_importers"].split()
        }
        for contract in contracts
    }


def table() -> dict[str, list[str]]:
    """The rule as the page shows it: the rooms that each room may import, in the page's order."""
    rows = re.findall(r"^\| `([\w.]+)` \|.*\| ([^|]*) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    return {room: re.findall(r"`([\w.]+)`", allowed) for room, allowed in rows}


def lint(rule: Path) -> subprocess.CompletedProcess[str]:
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports("
    program += f"config_filename={str(rule)!r}, no_cache=True))"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)


def test_the_page_shows_the_rule_of_the_tool() -> None:
    allowed = table()
    shown = {room: {other for other in allowed if room in allowed[other]} for room in allowed}
    assert shown | {"cli": {"__main__"}} == importers()


def test_a_room_may_import_only_rooms_above_it_in_the_table() -> None:
    seen: set[str] = set()
    for room, allowed in table().items():
        assert set(allowed) <= seen, room
        seen.add(room)


def test_every_module_is_in_a_room_of_the_rule() -> None:
    parts = [path.relative_to(ROOT).with_suffix("").parts for path in ROOT.rglob("*.py")]
    rooms = {".".join(part[:2]) if part[0] == "mllm" else part[0] for part in parts}
    assert rooms - STARTERS - {"mllm.__init__"} == set(importers())
    assert not {part[0] for part in parts} & DATA


def test_the_tool_passes_the_package_and_names_an_import_that_is_not_allowed(
    tmp_path: Path,
) -> None:
    pytest.importorskip("importlinter")
    assert lint(RULE).returncode == 0, lint(RULE).stdout
    without = tmp_path / "rule"
    rule = RULE.read_text("utf-8")
    head, contract, tail = rule.partition("[importlinter:contract:segment]")
    without.write_text(
        head + contract + tail.replace("    distortion_graph.regions\n", "", 1), "utf-8"
    )
    found = lint(without)
    assert found.returncode == 1
    assert "distortion_graph.regions.sources -> distortion_graph.segment.auto" in found.stdout


def test_a_graph_loads_forms_and_reports_only_when_they_are_asked_for() -> None:
    program = (
        "import sys, distortion_graph.graph\n"
        "print([m for m in sys.modules if m.startswith(('distortion_graph.formats',"
        " 'distortion_graph.report'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
