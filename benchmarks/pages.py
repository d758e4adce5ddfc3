"""Bring the pages up to date with the shipped model: what examples print, and their pictures.

    make look        # or: PYTHONPATH=tools/docs_site python benchmarks/pages.py

Rewrites what `fill_pages.py` does, the blocks of README.md and docs/rank.md that begin with a
command on the example pair, the examples of docs/mcp.md and of the service's OpenAPI, and
docs/*.jpg and drawing.svg but for gate.jpg and marks.jpg, which no model has a part in. The page of
the report and that of a ranking are photographed in Chromium. Read `git diff` afterwards: what the
pages say in words about these answers may no longer be true.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fill_pages
from letters import FLAGS, chromium
from page_blocks import REPOSITORY, Block, answers, blocks
from PIL import Image

from distortion_graph import DistortionGraph
from distortion_graph.base.files import atomic_write_text
from distortion_graph.serve.mcp_answers import comparison_facts

PAIR = ("examples/anchor.png", "examples/target.png")
REGIONS = ("--regions", "examples/regions.json")
COMMAND = [sys.executable, "-m", "distortion_graph"]
QUALITY = 88
LINE = 118
GRAPH_EXAMPLE = REPOSITORY / "src/distortion_graph/serve/http/graph_example.json"


def program(*words: str) -> str:
    """Run the command line; what it prints."""
    done = subprocess.run([*COMMAND, *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{shlex.join(words)}: {done.stderr}")
    return done.stdout


def rewritten(page: str, changes: dict[int, tuple[int, str]]) -> None:
    """Put texts in the place of lines; `changes` has, by first line, the line after the last."""
    path = REPOSITORY / page
    lines = path.read_text("utf-8").splitlines()
    for first, (after, text) in sorted(changes.items(), reverse=True):
        lines[first - 1 : after - 1] = text.rstrip("\n").split("\n")
    atomic_write_text(path, "\n".join(lines) + "\n")


def commanded(page: str) -> dict[int, tuple[int, str]]:
    """What the commands of a page's blocks print now, where a block is one command's."""

    def answered(block: Block) -> str:
        line = block.text.split("\n", 1)[0]
        gap = "\n" if block.text.split("\n")[1] == "" else ""
        return f"{line}\n{gap}{program(*shlex.split(line)[2:]).strip(chr(10))}"

    one = (b for b in blocks(page) if b.text.count("\n$ ") == 0 and not b.language)
    return {
        block.line: (block.after - 1, answered(block))
        for block in one
        if block.text.startswith(("$ distortion-graph compare", "$ distortion-graph rank"))
    }


@contextmanager
def elsewhere() -> Iterator[Path]:
    """A folder of its own, with the example pair, to run in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copytree(REPOSITORY / "examples", folder / "examples")
        before = Path.cwd()
        os.chdir(folder)
        try:
            yield folder
        finally:
            os.chdir(before)


def keep(name: str, width: int) -> None:
    """Keep a picture NAME.png for the pages, so many pixels wide."""
    picture = Image.open(f"{name}.png").convert("RGB")
    size = width, round(picture.height * width / picture.width)
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    picture.save(REPOSITORY / "docs" / f"{name}.jpg", quality=QUALITY)


def drawn() -> None:
    """The pictures of the example pair."""
    program("compare", *PAIR, *REGIONS, "--out", "graph.json", "--overlay", "example.png",
            "--report", "report.html", "--quiet")  # fmt: skip
    program("draw", "graph.json", "--sheet", "sheet.png", "--worst", "2")
    program("draw", "graph.json", "--graph", str(REPOSITORY / "docs/drawing.svg"))
    program("compare", *PAIR, "--regions", "distortions", "--map", "map.png", "--quiet")
    for name, width in (("example", 1240), ("sheet", 1096), ("map", 1200)):
        keep(name, width)
    program("compare", *PAIR, "--regions", "whole", "--out", "whole.json", "--quiet")
    whole = DistortionGraph.model_validate_json(Path("whole.json").read_text("utf-8"))
    text = json.dumps(json.loads(whole.to_json()), separators=(",", ":"), ensure_ascii=False)
    atomic_write_text(GRAPH_EXAMPLE, text + "\n")


def folded(value: Any, depth: int = 0) -> str:
    """JSON in which what fits into a line stands in one."""
    text, inside = json.dumps(value, ensure_ascii=False), "  " * (depth + 1)
    if len(text) + len(inside) <= LINE or not isinstance(value, dict | list):
        return text
    if isinstance(value, dict):
        parts, ends = [f'"{k}": {folded(v, depth + 1)}' for k, v in value.items()], "{}"
    else:
        parts, ends = [folded(v, depth + 1) for v in value], "[]"
    return f"{ends[0]}\n{inside}" + f",\n{inside}".join(parts) + f"\n{inside[2:]}{ends[1]}"


def told_to_assistants() -> dict[int, tuple[int, str]]:
    """The facts of the example pair, with one of its regions."""
    graph = DistortionGraph.model_validate_json(Path("graph.json").read_text("utf-8"))
    facts = comparison_facts(graph, ()).model_dump(mode="json")
    facts["regions"] = [region for region in facts["regions"] if region["id"] == 5]
    return {
        block.line: (block.after - 1, folded(facts))
        for block in blocks("docs/mcp.md")
        if block.language == "json" and '"summary"' in block.text
    }


def photographed() -> None:
    """The pages of the report and of a ranking, which docs/rank.md has made the pictures for."""
    from playwright.sync_api import sync_playwright

    candidates = ("encodes/jpeg-q50.jpg", *PAIR)
    program("rank", *candidates, "--reference", "original.png", *REGIONS, "--report",
            "ranking.html")  # fmt: skip
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        for name, width, height in (("report", 1100, 1060), ("ranking", 1200, 1420)):
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto(Path(f"{name}.html").absolute().as_uri())
            if name == "report":
                page.get_by_text("saucer", exact=True).first.click()
                page.evaluate("scrollTo(0, 0)")
            page.screenshot(path=f"{name}.png")
            keep(name, width * 3 // 4)
        browser.close()


def main() -> None:
    """See the head of this file."""
    os.environ["COLUMNS"] = "80"
    fill_pages.main([])
    with elsewhere():
        list(answers("docs/rank.md"))  # makes the pictures that it ranks
        rewritten("docs/rank.md", commanded("docs/rank.md"))
        drawn()
        rewritten("docs/mcp.md", told_to_assistants())
        photographed()
    with elsewhere():
        rewritten("README.md", commanded("README.md"))


if __name__ == "__main__":
    main()
