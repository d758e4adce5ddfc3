"""Every test that docs/promises.md names is there and is collected."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

REPOSITORY = Path(__file__).parent.parent
ROWS = [
    line
    for line in (REPOSITORY / "docs" / "promises.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| promise ")
]
NAMED = sorted({name for row in ROWS for name in re.findall(r"`(tests/[\w/]+\.py::\w+)`", row)})


def test_the_page_names_tests() -> None:
    assert len(ROWS) > 30 and len(NAMED) > 40


@pytest.mark.parametrize("row", ROWS, ids=[row.split(" | ")[0][2:60] for row in ROWS])
def test_every_promise_has_a_test_and_nothing_else_in_its_column(row: str) -> None:
    promise, proofs = row.strip("| ").split(" | ")
    assert promise
    assert re.fullmatch(r"`tests/[\w/]+\.py::\w+`(, `tests/[\w/]+\.py::\w+`)*", proofs)


@pytest.fixture(scope="module")
def collected() -> set[str]:
    """What pytest collects of the files that are named, without parameters."""
    files = sorted({name.partition("::")[0] for name in NAMED})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *files], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    return {line.partition("[")[0] for line in done.stdout.splitlines() if "::" in line}


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_is_there_and_collected(name: str, collected: set[str]) -> None:
    file, function = name.split("::")
    tree = ast.parse((REPOSITORY / file).read_text("utf-8"))
    assert function in [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    if not any(found.startswith(f"{file}::") for found in collected):
        pytest.skip("what this file needs is not installed")
    assert name in collected
