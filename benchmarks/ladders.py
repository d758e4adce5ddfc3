"""One distortion at rising strength: does the predicted score fall, and is it the measured one?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from real_folder import RealPicture
from real_rows import Judge, Rgb
from shares import Share, Tally

from distortion_graph.data.keys import generator
from distortion_graph.distort import blur, compression, noise
from distortion_graph.images import load_picture
from distortion_graph.quality import HAARPSI

QUALITIES = (95, 90, 80, 70, 60, 50, 40, 30, 20, 10, 5)
LADDERS: dict[str, tuple[Callable[..., Rgb], Sequence[float]]] = {
    "JPEG": (compression.jpeg, QUALITIES),
    "WebP": (compression.webp, QUALITIES[::2]),
    "AVIF": (compression.avif, QUALITIES[::2]),
    "noise": (noise.gaussian_rgb, [sigma / 255 for sigma in (1, 2, 4, 8, 13, 20, 32, 50)]),
    "blur": (blur.gaussian, (0.5, 0.7, 1, 1.4, 2, 2.8, 4)),
}
"""Name → how a picture is distorted, and its strengths, the weakest first (docs/distortions.md)."""

FINE = 0.9
"""Measured scores above this one are the fine end."""
CLOSE = 0.02
FIGURES = (
    "steps that fall",
    "whole ladders that fall",
    f"within {CLOSE} above {FINE}",
    f"mean deviation above {FINE}",
)


@dataclass(frozen=True)
class Ladder:
    """Scores of the rungs of a ladder, (pictures, rungs), that a model gave and that are so."""

    name: str
    predicted: NDArray[np.float64]
    measured: NDArray[np.float64]

    def figures(self) -> dict[str, Share | float]:
        """Shares of steps that fall where the measured score does, of whole ladders that fall, and
        of fine rungs that are close; the mean deviation of these.
        """
        falls = np.diff(self.measured, axis=1) < 0
        right = np.diff(self.predicted, axis=1) < 0
        fine = self.measured > FINE
        off = np.abs(self.predicted - self.measured)
        steps, ladders, close = Tally(), Tally(), Tally()
        for k in range(len(falls)):
            steps.add(str(k), right[k, falls[k]])
            ladders.add(str(k), [bool(right[k, falls[k]].all())])
            close.add(str(k), off[k, fine[k]] <= CLOSE)
        shares = (steps.share(), ladders.share(), close.share())
        mean_off = round(float(off[fine].mean()), 4) if fine.any() else None
        found = zip(FIGURES, (*shares, mean_off), strict=True)
        return {name: figure for name, figure in found if figure is not None}

    def plain(self) -> dict[str, Any]:
        """Ready for JSON: mean scores of every rung, and the figures."""
        figures = {k: f.plain() if isinstance(f, Share) else f for k, f in self.figures().items()}
        return figures | {
            "strengths": [round(float(s), 4) for s in LADDERS[self.name][1]],
            "mean predicted": np.round(self.predicted.mean(0), 4).tolist(),
            "mean measured": np.round(self.measured.mean(0), 4).tolist(),
        }


def ladders(judge: Judge, pictures: Sequence[RealPicture]) -> list[Ladder]:
    """Every ladder of every picture, each rung beside the picture itself."""
    found = []
    for name, (distort, strengths) in LADDERS.items():
        predicted = np.zeros((len(pictures), len(strengths)))
        measured = np.zeros_like(predicted)
        for row, picture in enumerate(pictures):
            rgb = load_picture(picture.path).rgb
            reference = HAARPSI.against(rgb)
            for rung, strength in enumerate(strengths):
                # The same noise on every rung, only stronger.
                rng = generator(f"{picture.kind}/{picture.path.name}", name)
                image = np.ascontiguousarray(distort(rgb, strength, rng))
                predicted[row, rung] = judge.decoded(rgb, image).scene.target.score or 0.0
                measured[row, rung] = reference.scene_score(image)
        found.append(Ladder(name, predicted, measured))
    return found
