"""Pages of the notebooks, with the outputs that they were saved with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def notebook_pages(folder: Path) -> Iterator[tuple[str, str | bytes]]:
    """Each notebook's page and pictures: file name and content."""
    from nbconvert import MarkdownExporter

    for path in sorted(folder.glob("*.ipynb")):
        text, resources = MarkdownExporter().from_filename(str(path))
        for name, picture in resources["outputs"].items():
            text = text.replace(f"({name})", f"({path.stem}-{name})")
            yield f"{path.stem}-{name}", picture
        yield f"{path.stem}.md", text
