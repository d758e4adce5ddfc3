"""How many harmless pairs of screenshots the gate lets pass, and how many true changes it catches.

    python benchmarks/screenshot_gate.py [--keep FOLDER]

Eight pages of our own are drawn by Chromium under several settings of fonts, at two scales. Two
drawings of one page are a harmless pair; a drawing of the page and one of a page in which a price,
a colour or a button was changed are a true change, under one setting and across two. The tables
say how many harmless pairs pass and how many changes are caught by `differs: {share: 0}`: as it is,
with `ignore: {antialiasing: edges}` and with `text`. Four of the pages chose the threshold of
`text`; all figures are of those four and of the other four.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Literal, NamedTuple

from gate_pages import PAGES
from letters import Letters, launched

from distortion_graph.gate.seeing import without
from distortion_graph.measure.differences import find_differences
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.predict.sizes import fit_pair

WIDTH, HEIGHT = 620, 420
SCALES = (1, 2)
ACROSS = 0
"""Scale 1 against scale 2, which is scaled down."""
MODES: dict[str, Literal["edges", "text"] | None] = {
    "as it is": None,
    "edges": "edges",
    "text": "text",
}
CHOSEN_ON = ("shop", "article", "dark", "code")


SETTINGS = {
    "plain": Letters(),
    "slight": Letters("hintslight"),
    "lcd": Letters("hintslight", "rgb"),
    "whole": Letters(whole_positions=True),
    "full": Letters("hintfull"),
}
DRAWINGS = {
    "the same drawing": ("plain", "plain"),
    "hinting none, slight": ("plain", "slight"),
    "grey, LCD": ("slight", "lcd"),
    "no hinting, LCD": ("plain", "lcd"),
    "letters at whole pixels": ("plain", "whole"),
    "full hinting (letters move)": ("plain", "full"),
}


class Shot(NamedTuple):
    """What a drawing shows: the page, its change ("" as it is), the setting and the scale."""

    page: str
    change: str
    fonts: str
    scale: int


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--keep", type=Path, help="keep the screenshots here, and take those there")
    folder = parser.parse_args().keep
    with tempfile.TemporaryDirectory() as temporary:
        shots = drawn(folder or Path(temporary))
    print(*tables(shots), sep="\n")


def drawn(folder: Path) -> dict[Shot, Picture]:
    """All screenshots, from `folder` where they are there."""
    every = [
        Shot(page, change, fonts, scale)
        for fonts, scale, page in product(SETTINGS, SCALES, PAGES)
        for change in ("", *PAGES[page].changes)
    ]
    folder.mkdir(parents=True, exist_ok=True)
    if not all((folder / file_name(shot)).is_file() for shot in every):
        draw(every, folder)
    return {shot: load_picture(folder / file_name(shot)) for shot in every}


def file_name(shot: Shot) -> str:
    return "-".join(map(str, shot)).replace(" ", "_") + ".png"


def draw(shots: list[Shot], folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        for name, letters in SETTINGS.items():
            browser = launched(playwright, letters, folder)
            for scale in SCALES:
                view = browser.new_page(
                    viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=scale
                )
                for shot in (s for s in shots if (s.fonts, s.scale) == (name, scale)):
                    view.set_content(html(shot))
                    (folder / file_name(shot)).write_bytes(view.screenshot())
                view.close()
            browser.close()


def html(shot: Shot) -> str:
    body, changes = PAGES[shot.page]
    if shot.change:
        old, new = changes[shot.change]
        if old not in body:
            raise SystemExit(f"{shot.page}: {old!r} is not in the page")
        body = body.replace(old, new, 1)
    return f"<!doctype html><meta charset='utf-8'><body>{body}</body>"


def tables(shots: dict[Shot, Picture]) -> list[str]:
    """Two tables in Markdown: harmless pairs that pass, and changes that are caught."""
    head = " | ".join(f"{name} (chosen on, others)" for name in MODES)
    rule = "|---" * (len(MODES) + 2) + "|"
    harmless = ["harmless pairs that pass", "", f"| drawings | scale | {head} |", rule]
    changed = ["", "true changes that are caught", "", f"| drawings | scale | {head} |", rule]
    for (kind, fonts), scale in product(DRAWINGS.items(), (*SCALES, ACROSS)):
        if scale == ACROSS and kind != "the same drawing":
            continue
        if kind != "the same drawing" or scale == ACROSS:
            harmless.append(row(shots, kind, fonts, scale, caught=False))
        changed.append(row(shots, kind, fonts, scale, caught=True))
    return harmless + changed


def row(
    shots: dict[Shot, Picture], kind: str, fonts: tuple[str, str], scale: int, *, caught: bool
) -> str:
    """Counts of one kind of pair, under every mode, of the pages that chose and of the others."""
    first, second = SCALES if scale == ACROSS else (scale, scale)
    counts: dict[tuple[str, bool], list[bool]] = {}
    for page, (_, changes) in PAGES.items():
        for change in changes if caught else ("",):
            anchor = shots[Shot(page, "", fonts[0], first)]
            target = shots[Shot(page, change, fonts[1], second)]
            for mode, ignored in MODES.items():
                right = differs(anchor, target, ignored) == caught
                counts.setdefault((mode, page in CHOSEN_ON), []).append(right)
                if caught and not right and "text" in mode:
                    print(f"missed with text: {page}, {change}, {kind}, {scale}", file=sys.stderr)
    cells = [
        f"{sum(counts[mode, True])}/{len(counts[mode, True])}, "
        f"{sum(counts[mode, False])}/{len(counts[mode, False])}"
        for mode in MODES
    ]
    shown = "1 and 2" if scale == ACROSS else str(scale)
    return f"| {kind} | {shown} | {' | '.join(cells)} |"


def differs(anchor: Picture, target: Picture, ignored: Literal["edges", "text"] | None) -> bool:
    """Whether the gate finds a pixel that differs visibly."""
    fitted = fit_pair(anchor, target, "resize")
    judged = without(None, ignored, (fitted.anchor, fitted.target))
    return judged is not None and bool(find_differences(*(p.rgb for p in judged)).visible.any())


if __name__ == "__main__":
    main()
