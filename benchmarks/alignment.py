"""How well `align` finds synthetic warps under severe distortions, and what it says when it fails.

    python benchmarks/alignment.py photographs bsds500/val
    python benchmarks/alignment.py --fit photographs

An anchor is the middle of a photograph, untouched. Its target shows the same through a known warp
and is resampled from the whole undistorted photograph, so that no border is made up; then it is
distorted, at level 4 or 5 of a sub-type that is drawn. Everything is drawn by key: the same folder
gives the same pairs. `--fit` prints the weights of `pictures/align/trust.py`.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from alignment_pairs import (
    KINDS,
    TOLERANCE_PX,
    TYPES,
    Kind,
    Pair,
    Picture,
    bent_pair,
    drawn_matrix,
    other_pairs,
    photographs,
    severely,
    small_and_pasted_pairs,
    warped_pairs,
)
from numpy.typing import NDArray

from distortion_graph.base.files import atomic_write_text
from distortion_graph.pictures.align import Alignment, AlignMode, align, places_in_target
from distortion_graph.pictures.align.detail import Pyramid
from distortion_graph.pictures.align.matrices import corner_distance, in_indices, shift
from distortion_graph.pictures.align.quick import order
from distortion_graph.pictures.align.registration import find
from distortion_graph.pictures.align.trust import (
    Measurements,
    confidence_features,
    scene_features,
)
from distortion_graph.synth.distort import apply
from distortion_graph.synth.keys import generator

BORDER_PX = 12
HARD, RARER = ("compression", "blur", "saturate_inc", "noise"), 5


class Row(NamedTuple):
    """What came of one pair."""

    tag: str
    kind: str
    distortion: str
    sub_type: str
    error_px: float
    model: str
    confidence: float
    same_scene: float
    reason: str | None
    seconds: float

    @property
    def right(self) -> bool:
        """Whether the corners are within the tolerance of the kind."""
        return self.kind in TOLERANCE_PX and self.error_px <= TOLERANCE_PX[self.kind]


def measured_row(
    tag: str, kind: str, distortion: str, sub_type: str, pair: Pair, mode: AlignMode
) -> Row:
    """One pair aligned and compared with the truth."""
    began = time.process_time()
    found = align(pair.anchor, pair.target, mode)
    seconds = time.process_time() - began
    return Row(
        tag,
        kind,
        distortion,
        sub_type,
        corner_distance(found.matrix, pair.matrix, found.target_size),
        found.model,
        found.confidence,
        found.same_scene,
        told(found),
        seconds,
    )


def told(found: Alignment) -> str | None:
    """The reason, and for turned pictures by how much, as the kinds here are named."""
    if found.reason == "turned":
        return found.verdict.removesuffix(" clockwise")
    return found.reason


def auroc(high: Sequence[float], low: Sequence[float]) -> float:
    """Probability that a value of `high` is above one of `low`; ties count half."""
    from scipy.stats import mannwhitneyu

    if not high or not low:
        return math.nan
    return float(mannwhitneyu(high, low).statistic / (len(high) * len(low)))


def show(title: str, rows: Sequence[Row]) -> None:
    """The share that is right, errors, and how well confidence tells failures, of one kind each."""
    print(f"\n{title}")
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [row for row in rows if row.kind == kind]
        errors = np.array([row.error_px for row in of_kind])
        right = [row.confidence for row in of_kind if row.right]
        wrong = [row.confidence for row in of_kind if not row.right]
        without_zoom = [r.right for r in of_kind if not r.sub_type.startswith("zoom")]
        print(
            f"  {kind}: right {len(right) / len(of_kind):.4f} (without zoom blur "
            f"{np.mean(without_zoom):.4f}), median {np.median(errors):.3f} px, 97 % within "
            f"{np.percentile(errors, 97):.2f} px, AUROC of confidence {auroc(right, wrong):.4f}, "
            f"{np.mean([row.seconds for row in of_kind]):.3f} s"
        )
        for distortion in TYPES:
            some = [row for row in of_kind if row.distortion == distortion]
            failures = [row for row in some if not row.right]
            if failures:
                listed = ", ".join(f"{r.tag} {r.sub_type} {r.error_px:.2f}" for r in failures[:6])
                print(f"    {distortion}: {1 - len(failures) / len(some):.3f}; {listed}")


def show_told(rows: Sequence[Row]) -> None:
    """How many pairs that should not be compared are told, and of which kind."""
    print("\nwhat is told of other pairs")
    for kind in dict.fromkeys(row.kind for row in rows):
        of_kind = [row for row in rows if row.kind == kind]
        right = [row for row in of_kind if row.reason == kind]
        others = {(row.sub_type, row.reason) for row in of_kind if row.reason != kind}
        seconds = np.mean([row.seconds for row in of_kind])
        print(
            f"  {kind}: {len(right)} of {len(of_kind)}, {seconds:.3f} s "
            f"{sorted(map(str, others))[:6]}"
        )


def show_scales(pictures: Sequence[tuple[str, Picture]]) -> None:
    """Crops and other sizes of undistorted photographs: the mean corner error in anchor pixels."""
    errors: dict[str, list[float]] = {}
    for _, rgb in pictures:
        h, w = rgb.shape[0] // 2 * 2, rgb.shape[1] // 2 * 2
        rgb = np.ascontiguousarray(rgb[:h, :w])
        top, left = h // 10, w // 10
        half = cv2.resize(rgb, (w // 2, h // 2), interpolation=cv2.INTER_AREA)
        twice = cv2.resize(rgb, (2 * w, 2 * h), interpolation=cv2.INTER_CUBIC)
        cases = {
            "20 % of each side cut off": (rgb[top : h - top, left : w - left], shift(left, top)),
            "×0.5": (half, np.diag([2.0, 2, 1])),
            "×2": (twice, np.diag([0.5, 0.5, 1])),
        }
        for name, (target, truth) in cases.items():
            found = align(rgb, np.ascontiguousarray(target))
            error = corner_distance(found.matrix, truth, found.target_size)
            errors.setdefault(name, []).append(error)
    print("\nother sizes, undistorted")
    for name, values in errors.items():
        print(f"  {name}: median {np.median(values):.3f} px, largest {max(values):.3f} px")


def show_times(photograph: Picture) -> None:
    """Least time of some runs, and for a large pair also the largest memory."""
    print("\ntimes, one thread")
    small = cv2.resize(photograph, (548, 365), interpolation=cv2.INTER_AREA)
    large = cv2.resize(photograph, (4243, 2829), interpolation=cv2.INTER_CUBIC)
    for name, resized in (("0.2 MP", small), ("12 MP", large)):
        rgb = np.asarray(resized, np.uint8)
        rng = generator(0, "times")
        noisy = apply(rgb, "noise", "gaussian_rgb", 3, rng)
        part = np.ascontiguousarray(noisy[11:, 17:])
        size = (rgb.shape[0] - 20, rgb.shape[1] - 20)
        matrix = in_indices(drawn_matrix("homography", size, rng))
        bent = np.asarray(
            cv2.warpPerspective(noisy, matrix, size[::-1], borderMode=cv2.BORDER_REFLECT), np.uint8
        )
        for what, target in (
            ("equal", rgb.copy()),
            ("registered", noisy),
            ("shifted", part),
            ("homography", bent),
        ):
            took = min(_seconds(rgb, target) for _ in range(5))
            print(f"  {name} {what}: {1000 * took:.1f} ms")


def _seconds(anchor: Picture, target: Picture) -> float:
    began = time.perf_counter()
    align(anchor, target)
    return time.perf_counter() - began


def show_flow(pictures: Sequence[tuple[str, Picture]]) -> None:
    """Smooth displacement of up to 3 px: the mean error of places by matrix alone and with flow."""
    print("\nflow: mean error of places, by matrix alone and with it, in px")
    for distortion in ("none", *TYPES):
        errors = []
        for tag, photograph in pictures:
            anchor, target, displacement = bent_pair(photograph, generator(0, "flow", tag))
            if distortion != "none":
                target, _ = severely(target, distortion, f"{tag} flow")
            found = align(anchor, target, "flow")
            rigid = replace(found, flow=None, back_flow=None)
            errors.append([_mean_error(a, displacement) for a in (rigid, found)])
        before, after = np.mean(errors, axis=0)
        print(f"  {distortion}: {before:.2f} {after:.2f}")


def _mean_error(found: Alignment, displacement: NDArray[np.float32]) -> float:
    """How far the anchor's places are off once they are taken to the target and, in truth, back."""
    h, w = displacement.shape[:2]
    places = places_in_target(found, (0, h), (0, w))
    border = cv2.BORDER_REPLICATE
    added = cv2.remap(displacement, places - 0.5, None, cv2.INTER_LINEAR, borderMode=border)  # type: ignore[call-overload]
    y, x = np.mgrid[:h, :w] + 0.5
    off = np.linalg.norm(places + added - np.dstack([x, y]), axis=2)
    return float(off[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX].mean())


def fit(pictures: Sequence[tuple[str, Picture]]) -> None:
    """Print the weights of `same_scene` and of `confidence`, by logistic regression.

    Every pair of the types that fail most, a fifth of the others, which weigh five times as much.
    """
    scenes: list[tuple[Measurements, bool, float]] = []
    certain: list[tuple[Measurements, bool, float]] = []
    for k, (tag, kind, distortion, _, pair) in enumerate(warped_pairs(pictures, KINDS)):
        hard = distortion in HARD
        if not hard and (k + k // len(TYPES)) % RARER:
            continue
        weight = 1 if hard else RARER
        found, error = _found(pair)
        if found.spread is not None:
            certain.append((found, error <= TOLERANCE_PX[kind], weight))
        scenes.append((found, True, weight))
        other = pictures[[p[0] for p in pictures].index(tag) - 1][1]
        target, _ = severely(other, distortion, f"{tag} unrelated")
        scenes.append((_found(Pair(pair.anchor, target, np.eye(3)))[0], False, weight))
    scenes += [(_found(pair)[0], same, 1) for pair, same in small_and_pasted_pairs(pictures)]
    print_weights("SCENE_WEIGHTS", scene_features, scenes)
    print_weights("CONFIDENCE_WEIGHTS", confidence_features, certain)


def print_weights(
    name: str,
    features: Callable[[Measurements], tuple[float, ...]],
    samples: Sequence[tuple[Measurements, bool, float]],
) -> None:
    """The weights by which features of samples best tell what is true of them."""
    from sklearn.linear_model import LogisticRegression

    table = np.array([features(measured) for measured, _, _ in samples])
    truth = np.array([is_so for _, is_so, _ in samples])
    model = LogisticRegression(C=10.0, fit_intercept=False, max_iter=10_000)
    model.fit(table, truth, sample_weight=[weight for *_, weight in samples])
    weights = ", ".join(f"{w:.3f}" for w in model.coef_[0])
    said = model.predict_proba(table)[:, 1]
    right, wrong = said[truth].tolist(), said[~truth].tolist()
    print(f"{name} = ({weights})  # {len(right)} so, {len(wrong)} not, {auroc(right, wrong):.4f}")


def _found(pair: Pair) -> tuple[Measurements, float]:
    """What was measured, in the canonical order, and the corner error."""
    swapped = order(pair.anchor, pair.target) > 0
    onto, of = (pair.target, pair.anchor) if swapped else (pair.anchor, pair.target)
    found = find(Pyramid(onto), Pyramid(of), "auto")
    truth = np.asarray(np.linalg.inv(pair.matrix) if swapped else pair.matrix, np.float64)
    return found.measured, corner_distance(found.search.matrix, truth, of.shape[:2])


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", type=Path, nargs="+", help="folders with images/")
    parser.add_argument("--limit", type=int, default=30, help="so many photographs of each")
    parser.add_argument(
        "--every",
        type=int,
        default=1,
        help="take every n-th pair; a multiple of 2, 3 or 7 would miss types of some movements",
    )
    parser.add_argument("--fit", action="store_true", help="print weights instead")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pictures = photographs(options.folders, options.limit)
    print(f"{len(pictures)} photographs, {len(TYPES)} distortions at levels 4 and 5")
    if options.fit:
        fit(pictures)
        return
    moving: tuple[Kind, ...] = KINDS[1:]
    step = options.every
    auto = [measured_row(*p, "auto") for p in islice(warped_pairs(pictures, KINDS), 0, None, step)]
    show("--align auto", auto)
    given = [measured_row(*p, p[1]) for p in islice(warped_pairs(pictures, moving), 0, None, step)]
    show("the kind given", given)
    others = [measured_row(*p, "auto") for p in islice(other_pairs(pictures), 0, None, step)]
    show_told(others)
    scenes = [r.same_scene for r in auto], [r.same_scene for r in others if r.kind == "unrelated"]
    print(
        f"  AUROC of same_scene {auroc(*scenes):.5f}; of the same scene, "
        f"{np.mean([s < 0.5 for s in scenes[0]]):.5f} below 0.5"
    )
    show_scales(pictures)
    show_flow(pictures[::6])
    show_times(pictures[-1][1])
    if options.json:
        rows = {"auto": auto, "given": given, "others": others}
        text = json.dumps({k: [r._asdict() for r in v] for k, v in rows.items()}, indent=1)
        atomic_write_text(options.json, text + "\n")


if __name__ == "__main__":
    main()
