"""Make clean pictures that are no photographs, so that a network can learn to call them clean.

    python benchmarks/drawn_pictures.py runs/drawn --count 240 --seed 1

Kinds, in equal shares: charts (matplotlib), text pages (Pillow), web pages and windows of programs
(headless Chromium, letters drawn in several ways), flat drawings, renders, soft renders (rooms, and
solids through a lens) and scenes of games. All are made here from random numbers and a list of
words, so nobody else has a right in them. PNG, 320 to 720 pixels on the longest side.

Writes `index.csv` beside the pictures: file, kind and the seed of the picture's own generator. The
same seed gives the same pictures, on one machine and with the same versions; web pages may differ
in some pixels.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from drawn_charts import chart
from drawn_games import game
from drawn_pages import browser, page
from drawn_renders import render
from drawn_rooms import soft_render
from drawn_shapes import drawing
from drawn_text import text_page
from drawn_windows import window
from numpy.typing import NDArray

from distortion_graph.base.files import atomic_write_text, save_png

Maker = Callable[[np.random.Generator], NDArray[np.uint8]]

MAKERS: dict[str, Maker] = {
    "chart": chart,
    "drawing": drawing,
    "game": game,
    "render": render,
    "room": soft_render,
    "text": text_page,
}
"""Kind → what makes one picture of it, without a browser."""

PAGES = {"page": page, "window": window}
"""Kind → the HTML of one of them, for a browser."""


def seed_of(seed: int, kind: str, number: int) -> int:
    """The seed of one picture's generator: it depends on nothing but these three."""
    sequence = np.random.SeedSequence([seed, number, *kind.encode()])
    return int(sequence.generate_state(1)[0])


def make_pictures(folder: Path, count: int, seed: int, makers: dict[str, Maker]) -> None:
    """Write so many pictures, the kinds in turn, and their index."""
    folder.mkdir(parents=True, exist_ok=True)
    kinds = sorted(makers)
    index = io.StringIO()
    rows = csv.writer(index, lineterminator="\n")
    rows.writerow(("file", "kind", "seed"))
    for k in range(count):
        number, place = divmod(k, len(kinds))
        kind = kinds[place]
        own = seed_of(seed, kind, number)
        file = f"{kind}-{number:04d}.png"
        save_png(folder / file, makers[kind](np.random.default_rng(own)))
        rows.writerow((file, kind, own))
    atomic_write_text(folder / "index.csv", index.getvalue())


def main() -> None:
    """Make the pictures of a command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the pictures go; made if missing")
    parser.add_argument(
        "--count", type=int, default=240, help="number of pictures, all kinds together"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--no-pages", action="store_true", help="leave out pages and windows, which need Chromium"
    )
    arguments = parser.parse_args()
    if arguments.count < 1 or arguments.seed < 0:
        parser.error("--count must be 1 or more, and --seed 0 or more")
    with ExitStack() as stack:
        makers = dict(MAKERS)
        if not arguments.no_pages:
            photographer = stack.enter_context(browser())
            makers |= {kind: photographer(html) for kind, html in PAGES.items()}
        make_pictures(arguments.folder, arguments.count, arguments.seed, makers)
    print(f"{arguments.count} pictures in {arguments.folder}, listed in its index.csv")


if __name__ == "__main__":
    main()
