"""Imports go one way between the rooms of the package, and torch stays in its own rooms."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import distortion_graph

ROOT = Path(distortion_graph.__file__).parent
TORCH_ROOMS = {"model", "training"}

# Files that are one room though they are not one folder.
SAME_ROOM = {"graph_parts": "graph", "graph_checks": "graph"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> set[str]:
    """Full names of everything a file imports, at its top or inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "distortion_graph":
            found |= {f"distortion_graph.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def room(module: str) -> str | None:
    parts = module.split(".")
    if parts[0] != "distortion_graph" or len(parts) < 2:
        return None
    return SAME_ROOM.get(parts[1], parts[1])


def rooms_used() -> dict[str, set[str]]:
    used: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        here = room(module_name(path))
        if here:
            there = {room(name) for name in imports(path)} - {here, None}
            used.setdefault(here, set()).update(r for r in there if r)
    return used


def test_rooms_do_not_import_each_other_in_a_circle() -> None:
    order = list(TopologicalSorter(rooms_used()).static_order())
    assert order.index("vocabulary") < order.index("graph") < order.index("cli")


def test_nothing_stands_on_the_command_line() -> None:
    # `python -m distortion_graph` is the command line under another name.
    users = {name for name, used in rooms_used().items() if "cli" in used}
    assert users <= {"__main__"}


def test_only_model_and_training_import_torch_at_all() -> None:
    users = {room(module_name(p)) for p in ROOT.rglob("*.py") if "torch" in imports(p)}
    assert users <= TORCH_ROOMS


def test_every_other_module_can_be_imported_without_torch() -> None:
    modules = sorted(
        name
        for name in map(module_name, ROOT.rglob("*.py"))
        if room(name) not in TORCH_ROOMS and not name.endswith("__main__")
    )
    program = (
        "import sys, importlib\n"
        "sys.modules['torch'] = None\n"  # importing it now fails, as where it is not installed
        f"for name in {modules}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
