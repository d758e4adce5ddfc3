"""Run the notebooks and save them with what they print and plot.

python tools/docs_site/run_notebooks.py [NAME ...]
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "notebooks"


def executed(path: Path) -> nbformat.NotebookNode:
    """The notebook after a run in its own folder, in a fresh kernel."""
    notebook: nbformat.NotebookNode = nbformat.read(path, as_version=4)
    NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
    ).execute()
    return notebook


def main(names: list[str]) -> None:
    """Run those that are named, or all."""
    for path in sorted(FOLDER.glob("*.ipynb")):
        if not names or path.stem in names:
            start = time.perf_counter()
            nbformat.write(executed(path), path)
            print(f"{path.name}: {time.perf_counter() - start:.0f} s, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
