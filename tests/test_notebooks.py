"""The notebooks run, and print what they were saved with."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from run_notebooks import FOLDER, executed

pytestmark = pytest.mark.slow

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def printed(notebook: nbformat.NotebookNode) -> list[str]:
    """What each cell prints, but for cells that are tagged as varying."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    steady = [cell for cell in cells if "varies" not in cell.metadata.get("tags", [])]
    return ["".join(out.get("text", "") for out in cell.outputs) for cell in steady]


def plots(notebook: nbformat.NotebookNode) -> int:
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    return sum(any(kind.startswith("image/") for kind in out.get("data", {})) for out in outputs)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])
def test_a_notebook_runs_and_prints_what_it_was_saved_with(path: Path) -> None:
    pytest.importorskip("ipykernel", reason="needs what `make test` installs")
    saved = nbformat.read(path, as_version=4)
    now = executed(path)
    assert printed(now) == printed(saved)
    assert plots(now) == plots(saved) >= 2


def test_there_are_three_and_they_are_small() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["compare", "restoration", "training"]
    assert sum(path.stat().st_size for path in NOTEBOOKS) < 500_000
