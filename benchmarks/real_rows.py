"""What a model says of real pictures, region by region: the rows of `real_pairs.py`.

Everything is judged on the 3×3 grid; the definitions stand in docs/benchmark.md.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage
from real_folder import RealPair, RealPicture
from shares import Table

from distortion_graph.bench.metrics import calibration_error
from distortion_graph.graph.build import Decoded
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import region_scores
from distortion_graph.pictures.images import load_picture
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.decode import decode
from distortion_graph.predict.session import Model
from distortion_graph.synth.distort import SUBTYPES
from distortion_graph.synth.distort.level_losses import level_losses
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, apply_draw, draw_strength

Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]

GRID = 3, 3
LEAST_LOSS = 0.02
"""A region that loses less is not asked which picture is better."""
PLAINLY_WRONG = -0.1
LUMA_MOVED = 25
"""Grey levels by which a region of a partial pair must differ to be judged."""
SHARPER = 2
"""So many times the energy of the other's Laplacian makes a region the sharper one."""
SHIFTS_PX = {
    "1 px off": ((1, 0), (0, 1)),
    "2 px off": ((2, 0), (0, 2)),
    "(2, 3) px off": ((2, 3),),
    "3 px off": ((3, 0), (0, 3)),
    "4 px off": ((4, 0), (0, 4)),
}
"""Name → how far right and down the second crop begins."""

NAMED = "named"
ANY_SHIFT = "1 to 4 px off"
ITSELF = "beside itself"
BESIDE_JPEG = "beside JPEG 75"
AS_JPEG = "as JPEG 75"
MODERATE, SEVERE, BOTH = "moderate", "severe", "both"
ALL_EXPOSURES, ALL_BLUR = "all exposures", "all blur"
EVERY_ORIGIN = "every origin"
ALL_REAL = "all real rain, snow, shake and noise"
NOT_TONES, ALL_TONES = "all but tones", "all tones"
CLEAN = "reference clean"
BETTER = "reference better"
WRONG = "plainly wrong"

TONES = ("brightness", "darken", "contrast_inc", "contrast_dec", "saturate_inc", "saturate_dec")
DAMAGES = tuple(label for label in DEFAULT_RECIPE.types if label not in TONES)


@dataclass
class Judge:
    """A model asked about pairs on the grid, and how sure it was where the truth is known."""

    model: Model
    right: list[bool] = field(default_factory=list)
    confidence: list[float] = field(default_factory=list)

    def decoded(self, anchor: Rgb, target: Rgb) -> Decoded:
        """What `compare` says of the grid's regions, the same for either order of the pictures."""
        regions = RegionSet.grid(anchor.shape[:2], *GRID)
        pictures = load_picture(anchor), load_picture(target)
        return decode(predict_canonically(self.model, *pictures, regions), self.model.vocabulary)

    def called(
        self, said: Decoded, side: int, labels: Sequence[str], judged: Bools, *, note: bool = False
    ) -> Bools:
        """Which of the judged regions of a picture (0 anchor, 1 target) get one of the labels.

        With `note` their probabilities count for the calibration.
        """
        nodes = [(region.anchor, region.target)[side].distortion for region in said.regions]
        nodes = [node for node, counts in zip(nodes, judged, strict=True) if counts]
        right = np.array([node.label in labels for node in nodes], bool)
        if note:
            self.right += right.tolist()
            self.confidence += [float(node.probability or 0) for node in nodes]
        return right

    def calibration(self) -> tuple[float, int]:
        """Expected calibration error of the distortion, and the number of nodes."""
        return calibration_error(np.array(self.right), np.array(self.confidence)), len(self.right)


def margins(said: Decoded) -> NDArray[np.float64]:
    """Score of the anchor less the target's, of every region."""
    return np.array([region.comparison.margin for region in said.regions], np.float64)


def grid_masks(rgb: Rgb) -> Bools:
    """(9, H, W) masks of the grid."""
    return RegionSet.grid(rgb.shape[:2], *GRID).masks()


def grid_losses(reference: Rgb, other: Rgb) -> NDArray[np.float64]:
    """What each of the grid's regions loses: 1 − its score."""
    return 1 - region_scores(reference, other, grid_masks(reference))


def pair_rows(judge: Judge, pairs: Sequence[RealPair]) -> Table:
    """Pairs with a better picture and pairs of two focuses, by kind and by source."""
    table = Table("Real pairs", "pairs", (NAMED, CLEAN, BETTER, WRONG), (ALL_EXPOSURES, ALL_BLUR))
    for pair in pairs:
        reference, distorted = load_picture(pair.reference).rgb, load_picture(pair.distorted).rgb
        rows = [pair.kind, *_together(pair.kind)]
        if len({other.group for other in pairs if other.kind == pair.kind}) > 1:
            rows.append(f"{pair.kind}: {pair.group.rpartition('__')[2]}")
        if pair.has_reference:
            _judge_pair(judge, table, rows, pair, reference, distorted)
        else:
            _judge_focuses(judge, table, rows, pair.scene, reference, distorted)
    return table


def _together(kind: str) -> list[str]:
    if kind in ("lens-blur", "motion-blur", "defocus-two-focuses"):
        return [ALL_BLUR]
    return [ALL_EXPOSURES] if kind in ("overexposed", "underexposed") else []


def _judge_pair(
    judge: Judge, table: Table, rows: list[str], pair: RealPair, reference: Rgb, distorted: Rgb
) -> None:
    said = judge.decoded(reference, distorted)
    judged = np.ones(len(said.regions), bool)
    if pair.is_partial:
        judged = luma_moved(reference, distorted) >= LUMA_MOVED
    clean = judge.model.vocabulary.clean
    right = judge.called(said, 0, [clean], judged, note=True)
    table.add(rows, CLEAN, pair.scene, right)
    if not pair.is_registered:
        return
    losses = grid_losses(reference, distorted)
    if pair.expected:
        least = min(level_losses().least(label) for label in pair.expected)
        counts = judged & (losses >= least)
        right = judge.called(said, 1, pair.expected, counts, note=True)
        table.add(rows, NAMED, pair.scene, right)
    margin = margins(said)[judged & (losses >= LEAST_LOSS)]
    table.add(rows, BETTER, pair.scene, margin > 0)
    table.add(rows, WRONG, pair.scene, margin <= PLAINLY_WRONG)


def _judge_focuses(
    judge: Judge, table: Table, rows: list[str], scene: str, first: Rgb, second: Rgb
) -> None:
    """The softer of two regions is to be blurred, the sharper one clean and better."""
    said = judge.decoded(first, second)
    energy = np.stack([laplacian_energy(first), laplacian_energy(second)])
    for sharp in (0, 1):
        judged = energy[sharp] >= SHARPER * energy[1 - sharp]
        judged &= energy[sharp] > 0
        soft = judge.called(said, 1 - sharp, ["blur"], judged, note=True)
        clear = judge.called(said, sharp, [judge.model.vocabulary.clean], judged, note=True)
        margin = (margins(said) * (1 - 2 * sharp))[judged]
        table.add(rows, NAMED, scene, soft)
        table.add(rows, CLEAN, scene, clear)
        table.add(rows, BETTER, scene, margin > 0)
        table.add(rows, WRONG, scene, margin <= PLAINLY_WRONG)


def luma_moved(first: Rgb, second: Rgb) -> NDArray[np.float64]:
    """By how many grey levels the mean luma of each of the grid's regions differs."""
    change = _luma(second) - _luma(first)
    return np.array([abs(change[mask].mean()) for mask in grid_masks(first)], np.float64)


def laplacian_energy(rgb: Rgb) -> NDArray[np.float64]:
    """Mean squared Laplacian of the luma in each of the grid's regions."""
    energy = cv2.Laplacian(_luma(rgb), cv2.CV_32F) ** 2
    return np.array([energy[mask].mean() for mask in grid_masks(rgb)], np.float64)


def _luma(rgb: Rgb) -> NDArray[np.float32]:
    return cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32)


def pristine_rows(judge: Judge, pictures: Sequence[RealPicture]) -> Table:
    """Clean pictures beside themselves, beside themselves some pixels off, and beside JPEG 75.

    Moved crops count in both pictures.
    """
    columns = (ITSELF, *SHIFTS_PX, ANY_SHIFT, BESIDE_JPEG, AS_JPEG)
    table = Table("Clean pictures, regions called clean", "origin", columns, (EVERY_ORIGIN,))
    clean = [judge.model.vocabulary.clean]
    for picture in pictures:
        rgb, tag = load_picture(picture.path).rgb, str(picture.path)
        rows = [picture.kind, EVERY_ORIGIN]
        all_of_them = np.ones(GRID[0] * GRID[1], bool)
        said = judge.decoded(rgb, rgb)
        right = judge.called(said, 0, clean, all_of_them, note=True)
        table.add(rows, ITSELF, tag, right)
        for name, shifts in SHIFTS_PX.items():
            for shift in shifts:
                said = judge.decoded(*shifted(rgb, *shift))
                for side in (0, 1):
                    right = judge.called(said, side, clean, all_of_them)
                    table.add(rows, name, tag, right)
                    table.add(rows, ANY_SHIFT, tag, right)
        said = judge.decoded(rgb, recompressed(rgb, 75))
        table.add(rows, BESIDE_JPEG, tag, judge.called(said, 0, clean, all_of_them))
        table.add(rows, AS_JPEG, tag, judge.called(said, 1, clean, all_of_them))
    return table


def shifted(rgb: Rgb, right: int, down: int) -> tuple[Rgb, Rgb]:
    """Two crops of one size, the second beginning so many pixels further right and down."""
    height, width = rgb.shape[:2]
    return (
        np.ascontiguousarray(rgb[: height - down, : width - right]),
        np.ascontiguousarray(rgb[down:, right:]),
    )


def recompressed(rgb: Rgb, quality: int) -> Rgb:
    """Saved as JPEG (4:2:0) and read again."""
    buffer = io.BytesIO()
    PillowImage.fromarray(rgb).save(buffer, "JPEG", quality=quality)
    return np.asarray(PillowImage.open(buffer).convert("RGB"))


def unpaired_rows(judge: Judge, pictures: Sequence[RealPicture]) -> Table:
    """Really damaged pictures beside themselves; exposures have no place in the last row."""
    table = Table("Damaged pictures beside themselves", "what", (NAMED,), (ALL_REAL,))
    for picture in pictures:
        rgb = load_picture(picture.path).rgb
        said = judge.decoded(rgb, rgb)
        rows = [f"real {picture.kind}"]
        if set(picture.expected) & {"rain", "snow", "blur", "noise"}:
            rows.append(ALL_REAL)
        judged = np.ones(len(said.regions), bool)
        right = judge.called(said, 0, picture.expected, judged, note=True)
        table.add(rows, NAMED, str(picture.path), right)
    return table


def damaged_rows(judge: Judge, pictures: Sequence[RealPicture]) -> Table:
    """Clean pictures damaged all over, beside themselves: regions that get the right label."""
    title = "Clean pictures damaged by us, beside themselves, named"
    table = Table(title, "distortion", (MODERATE, SEVERE, BOTH), (NOT_TONES, ALL_TONES))
    cases = [*product(DAMAGES, (MODERATE, SEVERE)), *product(TONES, (SEVERE,))]
    for picture in pictures:
        rgb = load_picture(picture.path).rgb
        for label, severity in cases:
            found = damaged(rgb, f"{picture.kind}/{picture.path.name}", label, severity)
            if found is None:
                continue
            counts = grid_losses(rgb, found) >= level_losses().least(label)
            right = judge.called(judge.decoded(found, found), 0, [label], counts)
            rows = [label, NOT_TONES if label in DAMAGES else ALL_TONES]
            table.add(rows, severity, str(picture.path), right)
            if label in DAMAGES:
                table.add(rows, BOTH, str(picture.path), right)
    return table


def damaged(rgb: Rgb, tag: str, label: str, severity: str) -> Rgb | None:
    """The picture with one draw of a distortion all over it; None for what grey cannot show."""
    rng = generator(tag, label, severity)
    draw = draw_strength(label, severity, DEFAULT_RECIPE, rng)
    is_grey = bool((rgb == rgb[..., :1]).all())
    if is_grey and draw.subtype is not None and SUBTYPES[label][draw.subtype].colour:
        return None
    return apply_draw(rgb, draw, rng)
