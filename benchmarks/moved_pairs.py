"""Whether a crop, a shift or another size changes what is said of a picture beside its original.

    python benchmarks/moved_pairs.py photographs/images --limit 40
    python benchmarks/moved_pairs.py FOLDER --model runs/next/model

Of every photograph of the folder a damaged version is made on 3×3 regions (the published recipe,
`mixed`) and compared with the original as both are: these labels are what the moved versions have
to give. Then the damaged picture, and the original itself, are moved: cut by 20 % of their area,
shifted by 2 pixels and by 2.5 and 1.5 (resampled), reduced to half, enlarged to double, turned by
3°. Regions of which less than a quarter is shown do not count. Intervals are of a bootstrap over
photographs.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from shares import Table, markdown

from distortion_graph.base.errors import DistortionGraphWarning
from distortion_graph.graph import SIDES, DistortionGraph, RegionComparison
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.images import load_picture
from distortion_graph.pipeline import compare
from distortion_graph.predict.session import Model, load_model
from distortion_graph.synth.pairs import make_pair

Rgb = NDArray[np.uint8]
LEAST_VALID = 0.25


def cut(rgb: Rgb) -> Rgb:
    """A crop that leaves 80 % of the area, off the middle."""
    h, w = rgb.shape[:2]
    height, width = round(h * 0.8**0.5), round(w * 0.8**0.5)
    top, left = (h - height) // 3, (w - width) // 4
    return np.ascontiguousarray(rgb[top : top + height, left : left + width])


def shifted(rgb: Rgb) -> Rgb:
    """The same size, 2 pixels to the right and below; the border is repeated."""
    return np.ascontiguousarray(
        cv2.copyMakeBorder(rgb, 2, 0, 2, 0, cv2.BORDER_REPLICATE)[: rgb.shape[0], : rgb.shape[1]]
    )


def shifted_between(rgb: Rgb) -> Rgb:
    """The same size, moved by 2.5 and 1.5 pixels with cubic interpolation."""
    matrix = np.array([[1.0, 0.0, 2.5], [0.0, 1.0, 1.5]])
    return _warped(rgb, matrix)


def turned(rgb: Rgb) -> Rgb:
    """The same size, turned by 3° about its middle."""
    h, w = rgb.shape[:2]
    return _warped(rgb, np.asarray(cv2.getRotationMatrix2D((w / 2, h / 2), 3, 1.06), np.float64))


def half(rgb: Rgb) -> Rgb:
    """Half the size, by area means."""
    h, w = rgb.shape[:2]
    return np.asarray(cv2.resize(rgb, (w // 2, h // 2), interpolation=cv2.INTER_AREA), np.uint8)


def double(rgb: Rgb) -> Rgb:
    """Twice the size, by cubic interpolation."""
    return np.asarray(cv2.resize(rgb, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC), np.uint8)


MOVES: dict[str, Callable[[Rgb], Rgb]] = {
    "crop of 80 %": cut,
    "2 px": shifted,
    "2.5, 1.5 px": shifted_between,
    "half": half,
    "double": double,
    "3°": turned,
}


JUDGED: dict[str, Callable[[RegionComparison], str]] = {
    "target's labels": lambda region: region.target.distortion.label,
    "anchor's labels": lambda region: region.anchor.distortion.label,
    "comparisons": lambda region: region.comparison.label,
}
COLUMNS = (*JUDGED, "original kept clean")


def _warped(rgb: Rgb, matrix: NDArray[np.float64]) -> Rgb:
    size = (rgb.shape[1], rgb.shape[0])
    return np.asarray(
        cv2.warpAffine(rgb, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def kept(
    expected: DistortionGraph, found: DistortionGraph
) -> Iterator[tuple[RegionComparison, RegionComparison]]:
    """Regions that count, as they are expected and as they were found."""
    truth = {region.id: region for region in expected.regions}
    for region in found.regions:
        if region.valid is None or region.valid >= LEAST_VALID:
            yield truth[region.id], region


def measure(paths: Sequence[Path], model: Model) -> Table:
    """A row per move: labels kept, the original kept clean, comparisons kept, how it was found."""
    table = Table("Moved pairs", "moved", COLUMNS, ())
    for path in paths:
        _measure_one(path, model, table)
    return table


def _measure_one(path: Path, model: Model, table: Table) -> None:
    rgb = load_picture(path).rgb
    regions = RegionSet.grid(rgb.shape[:2], 3, 3)
    damaged = make_pair(rgb, regions, tag=path.stem, seed=0).anchor.image

    def graph_of(target: Rgb, align: AlignMode) -> DistortionGraph:
        return compare(rgb, target, regions=regions, model=model, evidence="none", align=align)

    expected, itself = (graph_of(target, "none") for target in (damaged, rgb))
    for name, move in MOVES.items():
        found = graph_of(move(damaged), "auto")
        rows = list(kept(expected, found))
        for column, answer in JUDGED.items():
            right = [answer(wanted) == answer(region) for wanted, region in rows]
            table.add([name], column, path.stem, right)
        clean = [
            region.node(side).distortion.label == model.vocabulary.clean
            for wanted, region in kept(itself, graph_of(move(rgb), "auto"))
            for side in SIDES
            if wanted.node(side).distortion.label == model.vocabulary.clean
        ]
        table.add([name], "original kept clean", path.stem, clean)


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--limit", type=int, default=40, help="take so many photographs")
    parser.add_argument("--model", help="a model folder; by default the shipped model")
    args = parser.parse_args()
    warnings.simplefilter("ignore", DistortionGraphWarning)
    table = measure(sorted(args.folder.iterdir())[: args.limit], load_model(args.model))
    print(markdown(table.title, table.rows, table.columns, table.shares()))


if __name__ == "__main__":
    main()
