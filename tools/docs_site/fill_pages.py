"""Put what the blocks of pages print now into the pages, such as after another model is shipped.

    python tools/docs_site/fill_pages.py [PAGE ...]     # learn/first-pair; by default all

Read the difference before you keep it: the prose around a block may say something else.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path

from page_blocks import REPOSITORY, RUN, answers, page_text


def filled(page: str) -> str:
    """The page with what its blocks print now."""
    lines = page_text(page).splitlines()
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        shutil.copytree(REPOSITORY / "examples", Path(folder) / "examples")
        found = list(answers(page))
    for block, printed in reversed(found):
        lines[block.line - 1 : block.after - 2] = printed.splitlines()
    return "\n".join(lines) + "\n"


def main(names: list[str]) -> None:
    """Fill the pages that are named, or all."""
    for name in names or RUN:
        page = f"docs/{name}.md"
        before, after = page_text(page), filled(page)
        (REPOSITORY / page).write_text(after, "utf-8")
        print(f"{page}: {'changed' if after != before else 'as it was'}")


if __name__ == "__main__":
    main(sys.argv[1:])
