"""The rooms of the package stand in one order, and a module imports only from rooms below its own.

`docs/architecture.md` lists the same rooms; `test_rooms.py` checks what follows at run time.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import distortion_graph

ROOT = Path(distortion_graph.__file__).parent
PAGE = Path(__file__).parent.parent / "docs" / "architecture.md"

# Lowest first.
ORDER = [
    "errors",
    "threads",
    "vocabulary",
    "files",
    "pixels",
    "images",
    "haar",
    "ssim",
    "ciede2000",
    "quality",
    "evidence",
    "differences",
    "regions",
    "graph",
    "formats",
    "report",
    "distort",
    "runtime",
    "data",
    "model",
    "bench",
    "mllm",
    "training",
    "__init__",
    "cli",
]
# Files that belong to a room of another name; `__init__` is the package's own public names.
PART_OF = {
    "png_chunks": "pixels",
    "boxes": "pixels",
    "tiff_directories": "pixels",
    "integrity": "pixels",
    "jpeg_decoding": "pixels",
    "decoders": "pixels",
    "orientations": "pixels",
    "colour_spaces": "pixels",
    "colour_tags": "pixels",
    "icc_profiles": "pixels",
    "backgrounds": "pixels",
    "deflate": "pixels",
    "quiet_stderr": "pixels",
    "graph_parts": "graph",
    "graph_checks": "graph",
    "__main__": "cli",
}
# Conveniences: methods of these files, and nothing else in them, reach up into these rooms when
# they are called, so that `graph.to_networkx()` and `print(graph)` need no import.
DOORS = {"graph.py": {"formats", "report"}}
TORCH_ROOMS = {"model", "training"}


def room_of(path: Path) -> str:
    first = path.relative_to(ROOT).parts[0].removesuffix(".py")
    return PART_OF.get(first, first)


def room_named(name: str) -> str:
    """The room of `distortion_graph.NAME…`; a name that is no file is one of the public names."""
    first = name.split(".")[1] if "." in name else "__init__"
    if not (ROOT / first).is_dir() and not (ROOT / f"{first}.py").is_file():
        return "__init__"
    return PART_OF.get(first, first)


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that is imported anywhere in the tree."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import, expected a full name"
            if node.module == "distortion_graph":
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module or ""


def runs_on_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that importing a module runs: not those of functions or type checking."""
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        statement = waiting.pop()
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
            waiting += statement.orelse
            continue
        inner = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)]
        handlers = getattr(statement, "handlers", [])
        inner += [child for handler in handlers for child in handler.body]
        if inner:
            waiting += inner
        else:
            yield statement


def in_functions(tree: ast.Module) -> set[tuple[int, str]]:
    """Line and full name of everything that only calling a function or method imports."""
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {found for function in functions for found in imports(function)}


FILES = sorted(ROOT.rglob("*.py"))
NAMES = [str(path.relative_to(ROOT)) for path in FILES]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_module_imports_only_from_its_own_room_and_rooms_below(path: Path) -> None:
    own = room_of(path)
    allowed = {own, *ORDER[: ORDER.index(own)]}
    doors = DOORS.get(str(path.relative_to(ROOT)), set())
    tree = ast.parse(path.read_text("utf-8"))
    lazy = in_functions(tree)
    wrong = [
        f"line {line}: {name} (room {room_named(name)}) is above {own}"
        for line, name in imports(tree)
        if name.split(".")[0] == "distortion_graph"
        and room_named(name) not in allowed
        and not (room_named(name) in doors and (line, name) in lazy)
    ]
    assert wrong == []


def test_every_door_is_used() -> None:
    for name, rooms in DOORS.items():
        lazy = in_functions(ast.parse((ROOT / name).read_text("utf-8")))
        assert rooms <= {room_named(found) for _, found in lazy if "." in found}


def test_every_file_is_in_a_room_and_every_room_exists() -> None:
    assert {room_of(path) for path in FILES} == set(ORDER)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_core_rooms_do_not_import_torch_when_they_are_imported(path: Path) -> None:
    if room_of(path) in TORCH_ROOMS:
        return
    tree = ast.parse(path.read_text("utf-8"))
    found = {name.split(".")[0] for part in runs_on_import(tree) for _, name in imports(part)}
    assert "torch" not in found


def test_the_page_lists_the_rooms_in_this_order() -> None:
    rows = re.findall(r"^\| \d+ \| `(\w+)", PAGE.read_text("utf-8"), re.MULTILINE)
    assert rows == ORDER


def test_the_checks_see_what_they_are_for() -> None:
    module = ast.parse(
        "import torch.nn\n"
        "try:\n    import a\nexcept ImportError:\n    import b\n"
        "if TYPE_CHECKING:\n    import c\n"
        "def f():\n    import d\n"
        "class K:\n    import e\n"
        "from distortion_graph import haar, compare\n"
    )
    at_import = {name for part in runs_on_import(module) for _, name in imports(part)}
    assert in_functions(module) == {(9, "d")}
    ours = {"distortion_graph.haar", "distortion_graph.compare"}
    assert at_import == {"torch.nn", "a", "b", "e"} | ours
    assert {name for _, name in imports(module)} == at_import | {"c", "d"}
    assert [room_named(n) for n in sorted(ours)] == ["__init__", "haar"]
    assert room_named("distortion_graph.graph_parts") == "graph"
