"""How far a model's scores go with people's opinion of pictures.

    python benchmarks/opinion.py FOLDER
    python benchmarks/opinion.py FOLDER --model runs/first/model --json found.json

FOLDER holds pictures and `opinions.csv` with a row for every pair: `reference`, `distorted` (names
of files), `score` (mean opinion of the distorted picture, higher is better) and `kind`. Every pair
is compared on the 3×3 grid. Beside the model's scene score and margin stand PSNR, SSIM and HaarPSI
of the same pairs, and (`mapped`) the score and HaarPSI taken to the scale of opinions by a monotone
map for each label that the model gives, which is always fitted on the other contents.

SRCC and KRCC are Spearman's and Kendall's rank correlations; PLCC is Pearson's after the usual
logistic fit. Intervals are over contents, of which there are as many as references.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from real_rows import Judge
from shares import markdown

from distortion_graph.bench.metrics import score_agreement
from distortion_graph.bench.resampling import bootstrap_weights, percentile_interval
from distortion_graph.errors import DatasetError, DistortionGraphError
from distortion_graph.evidence import RegionEvidence, measure_evidence
from distortion_graph.files import atomic_write_text, check_output
from distortion_graph.images import load_picture
from distortion_graph.runtime.session import Model

Numbers = NDArray[np.float64]

LIST = "opinions.csv"
COLUMNS = ("reference", "distorted", "score", "kind")
IDENTICAL_DB = 100.0
"""PSNR of two identical pictures, which is infinite, so that it has a place among the others."""
SMOOTHING = 3
"""A label's map listens to all other labels together as to so many pairs of its own."""


@dataclass(frozen=True)
class Opinion:
    """A pair of pictures, people's mean opinion of the second, and its kind of distortion."""

    reference: Path
    distorted: Path
    score: float
    kind: str


@dataclass(frozen=True, eq=False)
class Measured:
    """Of N pairs: opinions, kinds, contents, the label most regions got, and numbers to compare.

    Every array of `given` is (N,) and higher where a picture is said to be better.
    """

    opinion: Numbers
    kind: tuple[str, ...]
    content: tuple[str, ...]
    label: tuple[str, ...]
    given: dict[str, Numbers]

    def rows(self, kind: str) -> NDArray[np.bool_]:
        """The pairs of a kind."""
        return np.array([k == kind for k in self.kind])


def read_opinions(folder: Path) -> list[Opinion]:
    """The list of a folder; raises DatasetError with one line for what is not as it must be."""
    path = folder / LIST
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
            if missing:
                raise DatasetError(
                    f"{path}: column {missing[0]!r} is missing, expected {', '.join(COLUMNS)}"
                )
            found = [_opinion(folder, row, f"{path}, line {table.line_num}") for row in table]
    except (OSError, UnicodeDecodeError) as problem:
        raise DatasetError(
            f"{path}: cannot be read ({getattr(problem, 'strerror', None) or problem}); expected a "
            f"table with the columns {', '.join(COLUMNS)}"
        ) from problem
    if len({opinion.reference for opinion in found}) < 2:
        raise DatasetError(f"{path}: expected pairs of at least two references")
    return found


def _opinion(folder: Path, row: Mapping[str, str | None], where: str) -> Opinion:
    try:
        score = float(row["score"] or "")
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise DatasetError(f"{where}: score is {row['score']!r}, expected a number")
    reference, distorted = (folder / (row[name] or "") for name in ("reference", "distorted"))
    for path in (reference, distorted):
        if not path.is_file():
            raise DatasetError(f"{where}: {path} is no file, expected a picture")
    return Opinion(reference, distorted, score, row["kind"] or "")


def measure(model: Model, opinions: Sequence[Opinion]) -> Measured:
    """Compare every pair."""
    judge, labels = Judge(model), []
    given: dict[str, list[float]] = {}
    for opinion in opinions:
        pair = load_picture(opinion.reference).rgb, load_picture(opinion.distorted).rgb
        said = judge.decoded(*pair)
        no_region = np.zeros((0, *pair[0].shape[:2]), bool)
        seen = cast(RegionEvidence, measure_evidence(*pair, no_region, "fast").scene)
        compared = said.scene.comparison
        margin = None if compared is None else compared.margin
        numbers = {
            "score": said.scene.target.score,
            "margin": None if margin is None else -margin,
            "PSNR": IDENTICAL_DB if seen.psnr_db is None else seen.psnr_db,
            "SSIM": seen.ssim,
            "HaarPSI": seen.haarpsi,
        }
        for name, number in numbers.items():
            given.setdefault(name, []).append(math.nan if number is None else float(number))
        counts = Counter(region.target.distortion.label for region in said.regions)
        labels.append(counts.most_common(1)[0][0])
    return Measured(
        np.array([o.score for o in opinions]),
        tuple(o.kind for o in opinions),
        tuple(o.reference.name for o in opinions),
        tuple(labels),
        {name: np.array(numbers) for name, numbers in given.items()},
    )


def monotone_map(score: Numbers, opinion: Numbers, weight: Numbers) -> Callable[[Numbers], Numbers]:
    """The rising function with the least weighted squared error, linear between its steps' middles.

    Args are (N,); beyond the outermost middles the function is constant. (Isotonic regression;
    Barlow et al., Statistical Inference under Order Restrictions, 1972.)
    """
    from scipy.optimize import isotonic_regression

    values, place = np.unique(score, return_inverse=True)
    mass = np.bincount(place, weight)
    mean = np.bincount(place, weight * opinion) / mass
    fitted = isotonic_regression(mean, weights=mass)
    step = np.repeat(np.arange(len(fitted.blocks) - 1), np.diff(fitted.blocks))
    middle = np.bincount(step, mass * values) / np.bincount(step, mass)
    height = np.bincount(step, mass * fitted.x) / np.bincount(step, mass)
    return lambda x: np.interp(x, middle, height)


def mapped(measured: Measured, name: str = "score") -> Numbers:
    """(N,) scores on the scale of opinions, each by a map that was fitted without its content.

    `name` is what is mapped of `given`; the label is the model's, whatever it is.
    """
    score, label = measured.given[name], np.array(measured.label)
    content, found = np.array(measured.content), np.zeros(len(measured.opinion))
    for left_out in np.unique(content):
        known = content != left_out
        for this in np.unique(label[~known]):
            own = label == this
            others = int((known & ~own).sum())
            weight = np.where(own, 1.0, SMOOTHING / max(others, 1))
            curve = monotone_map(score[known], measured.opinion[known], weight[known])
            found[~known & own] = curve(score[~known & own])
    return found


def agreement(given: Numbers, opinion: Numbers) -> dict[str, float]:
    """SRCC, KRCC, and PLCC after the logistic fit."""
    from scipy.stats import kendalltau

    return {
        "SRCC": score_agreement(opinion, given).srcc,
        "KRCC": float(kendalltau(opinion, given).statistic),
        "PLCC": score_agreement(opinion, logistic(given, opinion)).plcc,
    }


def logistic(given: Numbers, opinion: Numbers) -> Numbers:
    """(N,) numbers taken to opinions by the five-parameter logistic that fits best.

    (Sheikh, Sabir and Bovik, IEEE Transactions on Image Processing 15(11), 2006.) As they are
    where no fit is found.
    """
    from scipy.optimize import curve_fit

    def curve(x: Numbers, *b: float) -> Numbers:
        falling = 1 / (1 + np.exp(np.clip(b[1] * (x - b[2]), -60, 60)))
        return np.asarray(b[0] * (0.5 - falling) + b[3] * x + b[4])

    spread = float(given.std())
    if not spread:
        return given
    x = (given - given.mean()) / spread
    start = (float(np.ptp(opinion)), 1.0, 0.0, 0.1, float(opinion.mean()))
    try:
        with warnings.catch_warnings():  # the fit's own variance is not asked for
            warnings.simplefilter("ignore")
            best, _ = curve_fit(curve, x, opinion, p0=start, maxfev=20000)
    except RuntimeError:
        return given
    return curve(x, *best)


def srcc_interval(given: Numbers, measured: Measured) -> tuple[float, float] | None:
    """95 % interval of SRCC when contents are drawn anew."""
    _, content = np.unique(measured.content, return_inverse=True)
    rows = [np.flatnonzero(content == k) for k in range(content.max() + 1)]
    values = []
    for block in bootstrap_weights(len(rows), seed=0):
        for weights in block.astype(int):
            drawn = np.concatenate([np.tile(rows[k], n) for k, n in enumerate(weights)])
            values.append(score_agreement(measured.opinion[drawn], given[drawn]).srcc)
    return percentile_interval(np.array(values))


def figures(measured: Measured) -> dict[str, Any]:
    """All of it as plain values: by what is compared, by kind, and pairs the wrong way round."""
    kinds = sorted(set(measured.kind))
    lower = measured.given["margin"] > 0
    by_kind = {kind: measured.rows(kind) for kind in kinds}
    found: dict[str, Any] = {"pairs": len(measured.opinion), "all": {}, "by kind": {}}
    for name, given in measured.given.items():
        row = {k: round(v, 4) for k, v in agreement(given, measured.opinion).items()}
        span = srcc_interval(given, measured)
        found["all"][name] = row | {"interval": span and [round(end, 4) for end in span]}
        found["by kind"][name] = {
            kind: round(score_agreement(measured.opinion[rows], given[rows]).srcc, 4)
            for kind, rows in by_kind.items()
        }
    found["reference scores lower"] = {
        "share": round(float(lower.mean()), 4),
        "by kind": {kind: round(float(lower[rows].mean()), 4) for kind, rows in by_kind.items()},
    }
    return found


def text_of(found: Mapping[str, Any]) -> str:
    """The tables."""
    cells = {}
    for name, row in found["all"].items():
        span = row["interval"] and " [{:.3f}, {:.3f}]".format(*row["interval"])
        srcc = f"{row['SRCC']:.3f}{span or ''}"
        cells[name] = {"SRCC": srcc} | {k: f"{row[k]:.3f}" for k in ("KRCC", "PLCC")}
    title = f"Opinions of {found['pairs']} pairs"
    whole = markdown(title, "number", ("SRCC", "KRCC", "PLCC"), cells)
    kinds = list(found["reference scores lower"]["by kind"])
    by_kind = {n: {k: f"{v:.3f}" for k, v in row.items()} for n, row in found["by kind"].items()}
    lower = found["reference scores lower"]
    by_kind["reference scores lower"] = {k: f"{v:.3f}" for k, v in lower["by kind"].items()}
    parts = markdown("SRCC by kind", "number", kinds, by_kind)
    return f"{whole}\nThe reference scores lower in {lower['share']:.3f} of the pairs.\n\n{parts}"


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("folder", type=Path, help=f"folder with {LIST} and its pictures")
    parser.add_argument("--model", help="model folder; the shipped one without it")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    try:
        for out in filter(None, (options.json, options.markdown)):
            check_output(out)
        model = Model.load(options.model)
        measured = measure(model, read_opinions(options.folder))
    except DistortionGraphError as problem:
        parser.exit(2, f"opinion: error: {problem}\n")
    both = {f"{name}, mapped": mapped(measured, name) for name in ("score", "HaarPSI")}
    measured.given.update(both)
    found = {"model": f"{model.identity.name} {model.identity.version}"} | figures(measured)
    text = text_of(found)
    print(text)
    if options.json:
        atomic_write_text(options.json, json.dumps(found, indent=1) + "\n")
    if options.markdown:
        atomic_write_text(options.markdown, text)


if __name__ == "__main__":
    main()
