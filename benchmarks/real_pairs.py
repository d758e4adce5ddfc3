"""What a model says of real pictures, which no one here has synthesised.

    python benchmarks/real_pairs.py FOLDER
    python benchmarks/real_pairs.py FOLDER --model runs/first/model --json found.json --only pairs

FOLDER has three lists of pictures (`real_folder.py` says which): real pairs, clean pictures of
several origins, and damaged ones without a better twin. Printed are shares of regions of the 3×3
grid by the definitions of docs/benchmark.md, each with its 95 % interval over pictures in brackets
and the number of regions that were judged in parentheses; then the goals that belong to them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ladders import FIGURES, Ladder, ladders
from model_benchmark import measure_model
from real_folder import RealFolder, read_real_folder
from real_rows import (
    ALL_BLUR,
    ALL_EXPOSURES,
    ALL_REAL,
    ALL_TONES,
    ANY_SHIFT,
    BESIDE_JPEG,
    BETTER,
    BOTH,
    CLEAN,
    EVERY_ORIGIN,
    ITSELF,
    NAMED,
    NOT_TONES,
    SEVERE,
    Judge,
    damaged_rows,
    pair_rows,
    pristine_rows,
    unpaired_rows,
)
from shares import Share, Table, markdown

from distortion_graph.predict.session import Model

PARTS: dict[str, Callable[[Judge, RealFolder], Table | list[Ladder]]] = {
    "pairs": lambda judge, folder: pair_rows(judge, folder.pairs),
    "pristine": lambda judge, folder: pristine_rows(judge, folder.pristine),
    "unpaired": lambda judge, folder: unpaired_rows(judge, folder.unpaired),
    "damaged": lambda judge, folder: damaged_rows(judge, folder.pristine),
    "ladders": lambda judge, folder: ladders(judge, folder.pristine),
}

GOALS: tuple[tuple[str, str, str, float], ...] = (
    ("pairs", "noise", NAMED, 0.85),
    ("pairs", "noise", CLEAN, 0.85),
    ("pairs", "noise", BETTER, 0.90),
    ("pairs", "haze", NAMED, 0.70),
    ("pairs", "haze", CLEAN, 0.85),
    ("pairs", "haze", BETTER, 0.90),
    ("pairs", "compression", NAMED, 0.85),
    ("pairs", "compression", CLEAN, 0.90),
    ("pairs", "compression", BETTER, 0.90),
    ("pairs", ALL_EXPOSURES, NAMED, 0.90),
    ("pairs", ALL_EXPOSURES, CLEAN, 0.85),
    ("pairs", ALL_EXPOSURES, BETTER, 0.90),
    ("pairs", ALL_BLUR, NAMED, 0.97),
    ("pairs", ALL_BLUR, CLEAN, 0.90),
    ("pairs", ALL_BLUR, BETTER, 0.98),
    ("pristine", EVERY_ORIGIN, ITSELF, 0.97),
    ("pristine", EVERY_ORIGIN, ANY_SHIFT, 0.95),
    ("pristine", EVERY_ORIGIN, BESIDE_JPEG, 0.95),
    ("damaged", NOT_TONES, BOTH, 0.90),
    ("damaged", ALL_TONES, SEVERE, 0.60),
    ("unpaired", ALL_REAL, NAMED, 0.60),
)
"""Part, row, column, and the least share that is asked for."""

CALIBRATION_GOAL = 0.10


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="folder with index.json and its pictures")
    parser.add_argument(
        "--only", action="append", choices=PARTS, help="this part; may be given several times"
    )
    parser.add_argument("--limit", type=_positive, help="so many pictures of each source or kind")
    measure_model(parser, measured)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, got {number}")
    return number


def measured(options: argparse.Namespace, model: Model) -> tuple[dict[str, Any], str]:
    """The tables as plain values and as Markdown, printed one by one as they are found."""
    folder = read_real_folder(options.folder, model.vocabulary).limited(options.limit)
    parts = options.only or list(PARTS)
    judge, texts = Judge(model), []
    found: dict[str, Any] = {}
    shares: dict[str, dict[str, dict[str, Share]]] = {}

    def show(text: str) -> None:
        texts.append(text)
        print(text, flush=True)

    for name in PARTS:
        if name not in parts:
            continue
        rows = PARTS[name](judge, folder)
        if isinstance(rows, Table):
            shares[name] = rows.shares()
            found[name] = {
                row: {column: share.plain() for column, share in cells.items()}
                for row, cells in shares[name].items()
            }
            show(markdown(rows.title, rows.rows, rows.columns, shares[name]))
        else:
            found[name] = {ladder.name: ladder.plain() for ladder in rows}
            cells = {ladder.name: ladder.figures() for ladder in rows}
            show(markdown("One distortion at rising strength", "ladder", FIGURES, cells))
    error, nodes = judge.calibration()
    if nodes:
        found["calibration error"] = {"distortion": round(error, 4), "nodes": nodes}
    show(goals(shares, error if nodes else None))
    return found, "\n".join(texts)


def goals(shares: dict[str, dict[str, dict[str, Share]]], error: float | None) -> str:
    """What is asked for beside what was found, of the parts that were measured."""
    rows: dict[str, dict[str, object]] = {}
    for part, row, column, least in GOALS:
        share = shares.get(part, {}).get(row, {}).get(column)
        if share is not None:
            reached = "yes" if share.value >= least else "no"
            rows[f"{part}, {row}: {column}"] = {
                "found": share,
                "goal": f"≥ {least:.2f}",
                "reached": reached,
            }
    if error is not None:
        rows["calibration error of the distortion"] = {
            "found": f"{error:.3f}",
            "goal": f"≤ {CALIBRATION_GOAL:.2f}",
            "reached": "yes" if error <= CALIBRATION_GOAL else "no",
        }
    return markdown("Goals", "figure", ("found", "goal", "reached"), rows)


if __name__ == "__main__":
    main()
