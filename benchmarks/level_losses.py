"""What every published level costs in score, measured on clean photographs.

    losses=src/distortion_graph/synth/distort/level_losses.json
    python benchmarks/level_losses.py FOLDER --out $losses

A loss is 1 − HaarPSI over the whole frame. Every sub-type that random synthesis draws is applied at
each of its five levels to every picture of FOLDER; a type's figure is the median over pictures and
sub-types together. WebP and AVIF, which are not drawn, have figures of their own and no part in
those of their type. Grey pictures are left out of saturations, which do not change them. Draws are
seeded by picture, sub-type and level.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.files import atomic_write_text, check_output
from distortion_graph.datasets.pictures import find_pictures
from distortion_graph.masks.boxes import Box
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.pictures.images import load_picture
from distortion_graph.synth.distort import LEVELS, SUBTYPES, Frames, SubType
from distortion_graph.synth.distort.compression import codec_versions
from distortion_graph.synth.distort.level_losses import LevelLosses
from distortion_graph.synth.keys import generator

Losses = dict[str, list[list[float]]]
"""Type:sub-type → of every picture the losses at levels 1 to 5."""


def losses_of(paths: Sequence[Path]) -> Losses:
    """Every sub-type at every level on every picture."""
    entries = [entry for subtypes in SUBTYPES.values() for entry in subtypes.values()]
    found: Losses = {_name(entry): [] for entry in entries}
    for number, path in enumerate(paths, 1):
        rgb = load_picture(path).rgb
        is_grey = bool((rgb == rgb[..., :1]).all())
        reference, frames, whole = HAARPSI.against(rgb), Frames(rgb), Box.whole(rgb.shape)
        for entry in entries:
            if entry.colour and is_grey:
                continue
            row = []
            for level in range(1, LEVELS + 1):
                rng = generator(path.stem, _name(entry), level)
                image = frames.part(entry.distortion, entry.name, level, rng, whole)
                row.append(1 - reference.scene_score(image))
            found[_name(entry)].append(row)
        print(f"{number} of {len(paths)}: {path.name}", flush=True)
    return found


def _name(entry: SubType) -> str:
    return f"{entry.distortion}:{entry.name}"


def table_of(losses: Losses) -> LevelLosses:
    """Medians, rounded to four decimals."""

    def medians(rows: Sequence[Sequence[float]]) -> tuple[float, ...]:
        values: NDArray[np.float64] = np.median(np.array(rows), axis=0)
        return tuple(round(float(value), 4) for value in values)

    by_type = {
        label: medians([row for e in subtypes.values() if e.drawn for row in losses[_name(e)]])
        for label, subtypes in SUBTYPES.items()
    }
    return LevelLosses(by_type, {name: medians(rows) for name, rows in losses.items()})


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help="clean photographs")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--limit", type=int, help="so many pictures, the first by name")
    options = parser.parse_args()
    try:
        check_output(options.out)
        paths = find_pictures(options.folder)[: options.limit]
        table = table_of(losses_of(paths))
    except DistortionGraphError as problem:
        parser.exit(2, f"level_losses: error: {problem}\n")
    made: dict[str, Any] = {
        "about": "Median loss (1 − HaarPSI over the whole frame) of levels 1 to 5 of every type "
        "and sub-type on clean photographs; made by benchmarks/level_losses.py",
        "pictures": len(paths),
        "metric": HAARPSI.describe(),
        "codecs": codec_versions(),
    }
    atomic_write_text(options.out, json.dumps(made | asdict(table), indent=1) + "\n")


if __name__ == "__main__":
    main()
