"""Lay out the documentation site's pages in build/pages, from which Zensical makes build/site.

    python tools/docs_site/stage.py

Pages of docs/ stay where they are; model card, changelog and the like become pages of their own;
pages of the command line, of the Python interface and of the notebooks are made. A link to any
other file of the repository leads to a copy of it, so that the site needs no network.
"""

from __future__ import annotations

import re
import shutil
from os.path import relpath
from pathlib import Path, PurePosixPath

from command_pages import FOLDER as COMMANDS
from command_pages import all_commands, command_page, index_page
from notebook_pages import notebook_pages
from python_pages import FOLDER as PYTHON
from python_pages import PAGES, python_page

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES_FOLDER = REPOSITORY / "build" / "pages"

# Files of the repository that are pages of the site under another name.
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "examples/README.md": "example-pair.md",
    "src/distortion_graph/weights/MODEL_CARD.md": "model-card.md",
}
LINK = re.compile(r"(\]\(|(?:src|href)=\")([^)\s\"#]+)(#[^)\s\"]*)?(?=[)\"])")
# A link that shows a page's file name; the site shows its title.
NAMED = re.compile(r"\[([\w/-]+\.md)\]\(([^)#]+\.md)")
FENCE = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


def main() -> None:
    """Make build/pages anew."""
    shutil.rmtree(PAGES_FOLDER, ignore_errors=True)
    for path in sorted((REPOSITORY / "docs").rglob("*")):
        if path.suffix != ".ipynb" and path.is_file():
            stage(path, path.relative_to(REPOSITORY / "docs").as_posix())
    for source, page in ELSEWHERE.items():
        if page != "index.md":
            stage(REPOSITORY / source, page)
    for path in sorted((REPOSITORY / "tools" / "docs_site" / "pages").rglob("*")):
        if path.is_file():
            write(
                path.relative_to(REPOSITORY / "tools" / "docs_site" / "pages").as_posix(),
                path.read_bytes(),
            )
    commands = all_commands()
    write(f"{COMMANDS}/index.md", index_page(commands))
    for command in commands:
        write(f"{COMMANDS}/{command.page}", command_page(command))
    for name in PAGES:
        write(f"{PYTHON}/{name}.md", python_page(name))
    for page, content in notebook_pages(REPOSITORY / "docs" / "notebooks"):
        write(f"notebooks/{page}", content)


def stage(source: Path, page: str) -> None:
    """Copy a file of the repository, links of a page led to where their targets are on the site."""
    if source.suffix == ".md":
        write(page, moved_links(source, source.read_text("utf-8"), page))
    else:
        write(page, source.read_bytes())


def moved_links(source: Path, text: str, page: str) -> str:
    """The text of a page with its links moved, code left alone."""

    def titled(match: re.Match[str]) -> str:
        target = (source.parent / match[2]).resolve()
        heading = re.match(r"# (.*)", target.read_text("utf-8")) if target.is_file() else None
        return f"[{heading[1]}]({match[2]}" if heading else match[0]

    def moved(match: re.Match[str]) -> str:
        before, link, anchor = match[1], match[2], match[3] or ""
        if re.match(r"[a-z][a-z0-9+.-]*:", link):
            return match[0]
        target = (source.parent / link).resolve()
        place = place_of(target)
        return before + relpath(place, PurePosixPath(page).parent) + anchor

    pieces, end = [], 0
    for code in FENCE.finditer(text):
        pieces += [LINK.sub(moved, NAMED.sub(titled, text[end : code.start()])), code[0]]
        end = code.end()
    return "".join([*pieces, LINK.sub(moved, NAMED.sub(titled, text[end:]))])


def place_of(target: Path) -> str:
    """Where the site has a file of the repository; one that is no page is copied there."""
    name = target.relative_to(REPOSITORY).as_posix()
    if name in ELSEWHERE:
        return ELSEWHERE[name]
    if name.startswith("docs/"):
        return name.removeprefix("docs/").replace(".ipynb", ".md")
    if target.is_dir():
        return listing(target, name)
    place = f"files/{name}" + ("" if target.suffix in {".json", ".py", ".png", ".jpg"} else ".txt")
    write(place, target.read_bytes())
    return place


def listing(folder: Path, name: str) -> str:
    """A page with links to copies of a folder's files."""
    places = [place_of(path) for path in sorted(folder.iterdir()) if path.is_file()]
    rows = [f"- [{(n := PurePosixPath(p)).name.removesuffix('.txt')}]({n.name})" for p in places]
    place = f"files/{name}/index.md"
    write(place, f"# {folder.name}\n\n" + "\n".join(rows) + "\n")
    return place


def write(place: str, content: str | bytes) -> None:
    """Write a file of the pages' folder."""
    path = PAGES_FOLDER / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)


if __name__ == "__main__":
    main()
