"""Where in the picture is which distortion, when nobody says where the regions are?

    python benchmarks/found_distortions.py bsds500/val --markdown found.md

FOLDER has images/ and label maps regions/, as BSDS500 val. On its hard pairs (docs/benchmark.md),
one order of each picture's two versions, as the other one is its mirror image to the bit: the
pixels whose label is right. A pixel's label is the one of its region in the graph; where there is
no region in the label map, clean is right. Figures are

- both: share of pixels whose label is right in the anchor and in the target;
- each: share of labels that are right, anchors and targets together;
- IoU: intersection over union of each label's pixels, anchors and targets of all pairs together;
  the mean over the labels that occur;
- regions: mean per pair;
- seconds: median of `compare` with fast evidence, pictures decoded; and processor seconds, of all
  threads together, which other programs change little.

for `distortions`, `auto`, `grid:8x12`, and for the true regions. Intervals: 95 %, bootstrap over
pictures. Then the same of pictures that are clean or distorted alike all over, for which one region
is right: a picture beside itself, beside JPEG 90, and beside a copy with one distortion of a drawn
type and level (its type is right in the copy; clean in the other).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from shares import markdown

from distortion_graph.base.files import atomic_write_text
from distortion_graph.bench.protocol import BenchPicture, bench_picture, samples_of
from distortion_graph.bench.resampling import bootstrap_weights, percentile_interval
from distortion_graph.datasets.pictures import load_sources, read_names
from distortion_graph.graph import SIDES, DistortionGraph
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.rle import Rle
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model
from distortion_graph.synth.distort.compression import jpeg
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, apply_draw, draw_region

Rgb = NDArray[np.uint8]
Labels = NDArray[np.uint8]

SOURCES = ("distortions", "auto", "grid:8x12")
TRUE_REGIONS = "true regions"
COLUMNS = ("both", "each", "IoU", "regions", "seconds", "processor")
EVEN_COLUMNS = ("both", "each", "regions")  # one label has nearly all pixels
_DECIMALS = 4


class Case(NamedTuple):
    """Two pictures, the true label (2, H, W) of every pixel, and the true regions."""

    tag: str
    anchor: Rgb
    target: Rgb
    truth: Labels
    regions: RegionSet


@dataclass
class Row:
    """What was found by one source, picture by picture."""

    labels: int
    both: list[float] = field(default_factory=list)
    confusion: list[NDArray[np.int64]] = field(default_factory=list)
    regions: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def add(self, truth: Labels, found: Labels, regions: int, seconds: tuple[float, float]) -> None:
        """Count the pixels of one pair; `seconds` by the clock and of the processor."""
        self.both.append(float((truth == found).all(0).mean()))
        pairs = truth.astype(np.int64) * self.labels + found
        counts = np.bincount(pairs.ravel(), minlength=self.labels**2)
        self.confusion.append(counts.reshape(self.labels, self.labels))
        self.regions.append(regions)
        self.seconds.append(seconds[0])
        self.processor.append(seconds[1])

    def figures(self) -> dict[str, Any]:
        """Column → value, or (value, interval)."""
        confusion = np.stack(self.confusion).astype(np.float64)
        one = np.ones((1, len(self.both)))
        found: dict[str, Any] = {}
        for name, figure in (("both", self._both), ("each", _each), ("IoU", mean_iou)):
            values = np.array(self.both) if name == "both" else confusion
            blocks = bootstrap_weights(len(self.both), seed=0)
            draws = np.concatenate([figure(values, weights) for weights in blocks])
            found[name] = float(figure(values, one)[0]), percentile_interval(draws)
        found["regions"] = float(np.mean(self.regions))
        found["seconds"] = float(np.median(self.seconds))
        found["processor"] = float(np.median(self.processor))
        return found

    @staticmethod
    def _both(shares: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Every picture counts the same, whatever its size."""
        out: NDArray[np.float64] = weights @ shares / weights.sum(1)
        return out


def _each(confusion: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    shares = np.trace(confusion, axis1=1, axis2=2) / confusion.sum((1, 2))
    out: NDArray[np.float64] = weights @ shares / weights.sum(1)
    return out


def mean_iou(confusion: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean intersection over union, (B,), of (G, L, L) confusions under (B, G) weights.

    Rows are true labels. A label that is in neither truth nor answer does not count.
    """
    pooled = np.tensordot(weights, confusion, 1)
    hits = np.diagonal(pooled, axis1=1, axis2=2)
    union = pooled.sum(1) + pooled.sum(2) - hits
    there = union > 0
    ratio = np.where(there, hits / np.where(there, union, 1), 0)
    out: NDArray[np.float64] = ratio.sum(1) / there.sum(1)
    return out


def label_maps(graph: DistortionGraph, size: tuple[int, int]) -> Labels:
    """(2, H, W) positions of the labels that a graph gives; clean where there is no region."""
    vocabulary = graph.vocabulary
    maps = np.full((2, *size), vocabulary.clean_index, np.uint8)
    for region in graph.regions:
        for side, labels in zip(SIDES, maps, strict=True):
            mask = region.mask_of(side)
            if mask is not None:
                label = vocabulary.distortion_index(region.node(side).distortion.label)
                labels[Rle(mask.size, mask.counts).decode()] = label
    return maps


def hard_cases(pictures: Sequence[BenchPicture]) -> Iterator[Case]:
    """The two mixed versions of every picture, once."""
    seen: set[str] = set()
    for sample in samples_of(pictures, "hard"):
        if sample.tag in seen:
            continue
        seen.add(sample.tag)
        truth = np.full((2, *sample.masks.shape[1:]), _clean(), np.uint8)
        for k, mask in enumerate(sample.masks):
            truth[:, mask] = sample.labels.distortion[:, k, None]
        yield Case(sample.tag, sample.anchor, sample.target, truth, sample.regions)


def even_cases(pictures: Sequence[BenchPicture]) -> Iterator[tuple[str, Case]]:
    """Pictures that are the same all over, with the name of their kind."""
    for picture in pictures:
        rng = generator(0, picture.tag, "found distortions")
        label = DEFAULT_RECIPE.types[int(rng.integers(len(DEFAULT_RECIPE.types)))]
        distorted = apply_draw(picture.rgb, draw_region(label, DEFAULT_RECIPE, rng), rng)
        others = {
            "beside itself": (picture.rgb, _clean()),
            "beside JPEG 90": (jpeg(picture.rgb, 90, rng), _clean()),
            "one distortion all over": (
                distorted,
                DEFAULT_RECIPE.vocabulary.distortion_index(label),
            ),
        }
        whole = RegionSet.whole(picture.rgb.shape[:2])
        for kind, (other, number) in others.items():
            truth = np.full((2, *picture.rgb.shape[:2]), _clean(), np.uint8)
            truth[1] = number
            yield kind, Case(picture.tag, picture.rgb, other, truth, whole)


def judge(model: Model, case: Case, source: str, row: Row) -> None:
    """Compare a pair with regions of a source."""
    pictures: tuple[Picture, Picture] = load_picture(case.anchor), load_picture(case.target)
    regions: RegionSet | str = case.regions if source == TRUE_REGIONS else source
    start = time.perf_counter(), time.process_time()
    graph = compare_pictures(
        *pictures, regions=regions, model=model, evidence="fast", align="none", warn=_quiet
    )
    seconds = time.perf_counter() - start[0], time.process_time() - start[1]
    found = label_maps(graph, pictures[0].size)
    row.add(case.truth, found, len(graph.regions), seconds)


def table(title: str, rows: dict[str, Row], columns: Sequence[str]) -> tuple[str, dict[str, Any]]:
    """Rows as Markdown, and ready for JSON."""
    all_figures = {name: row.figures() for name, row in rows.items()}
    figures = {name: {c: row[c] for c in columns} for name, row in all_figures.items()}
    shown = {name: {c: _text(c, v) for c, v in row.items()} for name, row in figures.items()}
    return markdown(title, "regions", columns, shown), figures


def _text(column: str, value: Any) -> str:
    if isinstance(value, tuple):
        number, interval = value
        span = "" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]"
        return f"{number:.3f}{span}"
    return f"{value:.1f}" if column == "regions" else f"{value:.2f}"


def _clean() -> int:
    return DEFAULT_RECIPE.vocabulary.clean_index


def _quiet(_: str) -> None:
    """Warnings are no rows."""


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [_rounded(part) for part in value]
    return None if value is None else round(value, _DECIMALS)


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="folder with images/ and regions/")
    parser.add_argument("--model", help="model folder; the shipped one without it")
    parser.add_argument("--only", type=Path, help="JSON lists of the pictures to take")
    parser.add_argument("--limit", type=int, help="so many pictures")
    parser.add_argument("--threads", type=int, default=2, help="threads of a comparison")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    found = load_sources([options.folder], [], cache=Path("runs/regions"))
    kept = read_names(options.only) if options.only else None
    made = [bench_picture(p) for p in found if kept is None or p.tag in kept]
    pictures = [picture for picture in made if len(picture.masks)][: options.limit]
    model = Model.load(options.model, threads=options.threads)
    labels = len(model.vocabulary.distortions)

    hard = {source: Row(labels) for source in (*SOURCES, TRUE_REGIONS)}
    _warm_up(model, pictures)
    for case in hard_cases(pictures):
        for source, row in hard.items():
            judge(model, case, source, row)
    even: dict[str, Row] = {}
    for kind, case in even_cases(pictures):
        for source in SOURCES[:2]:
            judge(model, case, source, even.setdefault(f"{kind}: {source}", Row(labels)))
    tables = [
        table(f"Hard pairs, {len(pictures)} pictures", hard, COLUMNS),
        table("The same all over", dict(sorted(even.items())), EVEN_COLUMNS),
    ]
    text = "\n".join(shown for shown, _ in tables)
    print(text)
    if options.markdown:
        atomic_write_text(options.markdown, text)
    if options.json:
        plain = {"hard": _rounded(tables[0][1]), "even": _rounded(tables[1][1])}
        atomic_write_text(options.json, json.dumps(plain, indent=1) + "\n")


def _warm_up(model: Model, pictures: Sequence[BenchPicture]) -> None:
    """Open the model's files and load what the sources need, so that no row pays for it."""
    for case in hard_cases(pictures[:1]):
        for source in SOURCES:
            judge(model, case, source, Row(len(model.vocabulary.distortions)))


if __name__ == "__main__":
    main()
