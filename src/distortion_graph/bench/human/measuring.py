"""What a model and the metrics say of pairs that people have judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.bench.human.opinions import OpinionPair
from distortion_graph.graph.build import shared_areas
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.evidence import RegionEvidence, measure_evidence
from distortion_graph.measure.quality import HAARPSI, get_metric, metric_names
from distortion_graph.pictures.images import load_picture
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.decode import decode
from distortion_graph.predict.session import Model

Numbers = NDArray[np.float64]
Told = Callable[[int, int], None]

GRID = 3, 3
"""The regions that every pair is compared on."""
SCORE, MARGIN = "score", "margin"
IDENTICAL_DB = 100.0
"""PSNR of two identical pictures, which is infinite, so that it has a place among the others."""


@dataclass(frozen=True, eq=False)
class Judged:
    """N pairs with opinions, and what was said of each.

    Every array of `given` is (N,), higher where the distorted picture is said to be better, NaN
    where nothing was said: the model's scene score and its margin over the reference, PSNR, SSIM
    and every registered metric. `shares` are those of the picture under each distortion label that
    the model gives.
    """

    pairs: tuple[OpinionPair, ...]
    given: Mapping[str, Numbers]
    shares: tuple[Mapping[str, float], ...]

    @property
    def opinion(self) -> Numbers:
        """(N,) people's opinions."""
        return np.array([pair.opinion for pair in self.pairs])

    @property
    def content(self) -> NDArray[np.str_]:
        """(N,) names of the contents."""
        return np.array([pair.content for pair in self.pairs])

    @property
    def kind(self) -> NDArray[np.str_]:
        """(N,) the set's own words for the distortions."""
        return np.array([pair.kind for pair in self.pairs])


class _Said(NamedTuple):
    numbers: dict[str, float | None]
    shares: Mapping[str, float]


def judge(
    model: Model, pairs: Sequence[OpinionPair], told: Told = lambda done, total: None
) -> Judged:
    """Compare every pair, the reference as the anchor.

    `told` hears after each how many of how many are done. Raises ImageError for a picture that
    cannot be read or is not of its reference's size.
    """
    said = []
    for done, pair in enumerate(pairs, start=1):
        said.append(_said_of(model, pair))
        told(done, len(pairs))
    names = list(said[0].numbers) if said else []
    given = {
        name: np.array([row.numbers[name] for row in said], np.float64)  # None becomes NaN
        for name in names
    }
    return Judged(tuple(pairs), given, tuple(row.shares for row in said))


def _said_of(model: Model, pair: OpinionPair) -> _Said:
    reference, distorted = load_picture(pair.reference), load_picture(pair.distorted)
    if reference.size != distorted.size:
        raise ImageError(
            f"{pair.distorted}: is {distorted.width}×{distorted.height}, expected "
            f"{reference.width}×{reference.height} as {pair.reference}"
        )
    regions = RegionSet.grid(reference.size, *GRID)
    masks = regions.lazy_masks()
    predictions = predict_canonically(model, reference, distorted, regions, masks)
    scene = decode(predictions, model.vocabulary, shared_areas(masks)).scene
    margin = None if scene.comparison is None else scene.comparison.margin
    no_region = np.zeros((0, *reference.size), bool)
    measured = measure_evidence(reference.rgb, distorted.rgb, no_region, "fast")
    seen = cast(RegionEvidence, measured.scene)
    others = [name for name in metric_names() if name != HAARPSI.name]
    numbers = {
        SCORE: scene.target.score,
        MARGIN: None if margin is None else -margin,
        "PSNR": IDENTICAL_DB if seen.psnr_db is None else seen.psnr_db,
        "SSIM": seen.ssim,
        "HaarPSI": seen.haarpsi,
    } | {name: get_metric(name).scene_score(reference.rgb, distorted.rgb) for name in others}
    return _Said(numbers, scene.target.distortion_share or {})
