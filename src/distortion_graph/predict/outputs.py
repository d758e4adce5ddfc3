"""From the network's raw arrays to `Predictions`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.predict.predictions import Predictions


def to_predictions(
    distortion: NDArray[np.float32],
    severity_given: NDArray[np.float32],
    score: NDArray[np.float32],
    comparison: NDArray[np.float32],
    known: NDArray[np.float32] | None = None,
    present: NDArray[np.float32] | None = None,
) -> Predictions:
    """One pair's output, whose region 0 is the scene; probabilities come as logarithms.

    Shapes: (2, 1+R, D), (2, 1+R, D, S), (2, 1+R), (1+R, C), (2, 1+R), (2, 1+R, D).
    """
    return Predictions(
        distortion=_probabilities(distortion[:, 1:]),
        severity_given=_probabilities(severity_given[:, 1:]),
        score=score[:, 1:].astype(np.float64),
        comparison=_probabilities(comparison[1:]),
        scene_score=score[:, 0].astype(np.float64),
        scene_comparison=_probabilities(comparison[0]),
        known=None if known is None else known[:, 1:].astype(np.float64),
        present=None if present is None else present[:, 1:].astype(np.float64),
    )


def _probabilities(logarithms: NDArray[np.float32]) -> NDArray[np.float64]:
    values = np.exp(logarithms.astype(np.float64))
    return np.asarray(values / values.sum(-1, keepdims=True), np.float64)
