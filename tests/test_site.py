"""The documentation site has every page, option and public name; links reach headings."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from command_pages import Command, all_commands, command_page, index_page
from page_blocks import blocks, page_text
from python_pages import PAGES as PYTHON_PAGES
from python_pages import python_page
from stage import ELSEWHERE, moved_links
from test_docs import PAGES, prose

import distortion_graph
from distortion_graph.predict.session import Model

REPOSITORY = Path(__file__).parent.parent
SITE = tomllib.loads((REPOSITORY / "zensical.toml").read_text("utf-8"))["project"]
LINK = re.compile(r"\]\(([^)\s#:]*)#([^)\s]+)\)")
COMMANDS = all_commands()


def pages_of(nav: list[dict[str, Any]]) -> Iterator[str]:
    for entry in nav:
        for value in entry.values():
            if isinstance(value, str):
                yield value
            else:
                yield from pages_of(value)


@cache
def headings(path: Path) -> set[str]:
    """The anchors of a page's headings, as the site and GitHub make them."""
    page = path.relative_to(REPOSITORY.resolve()).as_posix()
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", title.strip().lower()) for title in titles]
    return {title.replace(" ", "-") for title in plain}


def test_every_page_is_in_the_navigation_once() -> None:
    listed = list(pages_of(SITE["nav"]))
    notebooks = (REPOSITORY / "docs" / "notebooks").glob("*.ipynb")
    expected = {
        *(page.removeprefix("docs/") for page in PAGES if page != "README.md"),
        *ELSEWHERE.values(),
        *(f"notebooks/{path.stem}.md" for path in notebooks),
        *(f"commands/{command.page}" for command in COMMANDS),
        *(f"python/{name}.md" for name in PYTHON_PAGES),
        "commands/index.md",
    }
    assert sorted(listed) == sorted(expected)


@pytest.mark.parametrize("page", [page for page in PAGES if LINK.search(prose(page))])
def test_links_to_a_part_of_a_page_reach_a_heading(page: str) -> None:
    for file, anchor in LINK.findall(prose(page)):
        target = (REPOSITORY / page).parent / file if file else REPOSITORY / page
        assert anchor in headings(target.resolve()), f"{page}: {file}#{anchor} is no heading"


def test_every_option_is_in_the_index_and_leads_to_its_command() -> None:
    index = index_page(COMMANDS)
    options = [
        (c, p, name) for c in COMMANDS for p in c.parameters if p.is_option for name in p.names
    ]
    assert len(options) > 300
    for command, parameter, name in options:
        if name in ("-h", "--help"):
            continue
        rows = [line for line in index.splitlines() if line.startswith(f"| `{name}` |")]
        link = f"[{command.name}]({command.page}#{parameter.anchor})"
        assert any(link in row for row in rows), f"{command.name} {name}"


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: str(command.name))
def test_a_commands_page_has_its_help(command: Command) -> None:
    page = command_page(command)
    assert page.startswith(f"# {command.name}\n\n")
    assert f"```\n{command.usage}\n```" in page
    anchors = re.findall(r"^### .* \{ #(\S+) \}$", page, re.MULTILINE)
    assert len(anchors) == len(set(anchors))
    assert set(anchors) == {parameter.anchor for parameter in command.parameters}


def test_python_pages_have_the_public_names_and_name_what_there_is() -> None:
    shown = {line[4:] for name in PYTHON_PAGES for line in python_page(name).splitlines()}
    shown = {name for name in shown if name.startswith("distortion_graph.")}
    public = set(distortion_graph.__all__) - {"__version__", "DEFAULT_VOCABULARY"}
    in_errors = {"DistortionGraphError"}  # shown with all other errors
    assert public - in_errors <= {name.rpartition(".")[2] for name in shown}
    for name in shown:
        module, _, last = name.rpartition(".")
        assert hasattr(import_module(module), last), f"{name} does not exist"


def test_links_of_a_page_lead_to_where_the_site_has_their_targets() -> None:
    text = (
        "[card](../src/distortion_graph/weights/MODEL_CARD.md#terms) [graph.md](graph.md)\n"
        "`[not](README.md)` [out](https://example.org/a.md) ![](map.jpg)\n"
    )
    assert moved_links(REPOSITORY / "docs" / "batch.md", text, "learn/batch.md") == (
        "[card](../model-card.md#terms) [The graph](../graph.md)\n"
        "`[not](README.md)` [out](https://example.org/a.md) ![](../map.jpg)\n"
    )


def test_nothing_of_the_site_is_fetched() -> None:
    assert SITE["theme"]["font"] is False
    assert SITE["extra"]["polyfills"] == ["iframe-worker.js"]


def test_the_gallery_is_of_the_shipped_model() -> None:
    identity = Model.load().identity.info
    assert f"{identity.name} {identity.version}" in page_text("docs/gallery.md")
    shown = re.findall(r"\((gallery/\S+)\)", page_text("docs/gallery.md"))
    there = {f"gallery/{path.name}" for path in (REPOSITORY / "docs" / "gallery").iterdir()}
    assert set(shown) == there and len(shown) >= 10
    assert not blocks("docs/gallery.md")
