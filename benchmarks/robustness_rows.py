"""Rows of figures, and what benchmarks/robustness.py asks of every answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from numpy.typing import NDArray

from distortion_graph.bench.protocol import BenchPicture
from distortion_graph.datasets.samples import Sample
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model
from distortion_graph.synth.synthesis import Recipe, make_version

Picture = NDArray[np.uint8]
Masks = NDArray[np.bool_]


class Rows:
    """The rows of the table, printed as they are found."""

    def __init__(self) -> None:
        self.rows: dict[str, float] = {}

    def add(self, name: str, value: float) -> None:
        """Keep and print a figure."""
        self.rows[name] = round(float(value), 4)
        print(f"{name:<44} {value:.3f}", flush=True)

    def add_both(
        self, name: str, model: Model, pairs: Iterable[Sample], seen: Callable[[Masks], Masks]
    ) -> None:
        """Accuracy and mean confidence of the distortion, on masks as `seen` makes them."""
        right, sure = [], []
        for sample in pairs:
            said = model.predict(sample.anchor, sample.target, seen(sample.masks))
            right.append((labels_of(said) == sample.labels.distortion).ravel())
            sure.append(said.distortion.max(-1).ravel())
        self.add(f"{name}: accuracy", np.concatenate(right).mean())
        self.add(f"{name}: mean confidence", np.concatenate(sure).mean())

    def markdown(self) -> str:
        """All of them as a table."""
        lines = ["| what | figure |", "|---|---|"]
        return "\n".join(lines + [f"| {k} | {v:.3f} |" for k, v in self.rows.items()]) + "\n"


def labels_of(said: Predictions) -> NDArray[np.int64]:
    """(2, R) positions of the most probable distortions."""
    return np.asarray(said.distortion.argmax(-1), np.int64)


def auroc(high: NDArray[np.float64], low: NDArray[np.float64]) -> float:
    """Probability that a value of `high` is above one of `low`; ties count half."""
    from scipy.stats import mannwhitneyu

    return float(mannwhitneyu(high, low).statistic / (len(high) * len(low)))


def mixed_version(picture: BenchPicture, name: str, recipe: Recipe) -> Picture:
    """The picture with its regions distorted as the protocol's version of this name."""
    return make_version(
        picture.rgb,
        picture.masks,
        picture.region_ids,
        version=name,
        tag=picture.tag,
        seed=0,
        recipe=recipe,
    ).image
