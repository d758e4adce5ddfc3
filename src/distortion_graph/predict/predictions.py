"""What a model says about a pair, as arrays; `decode` turns it into labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ModelError

_PROBABILITIES = ("distortion", "severity_given", "comparison", "scene_comparison")
_OF_NODES = ("distortion", "severity_given", "score", "known", "present")
_OPTIONAL = ("known", "present")
_SUM_TOLERANCE = 1e-3
_ROUNDING = 1e-5
"""How far float32 arithmetic may carry a number out of [0, 1]; it is clipped."""


@dataclass(frozen=True, eq=False)
class Predictions:
    """Probabilities and scores for R regions of two images (0 anchor, 1 target), float64.

    D distortion labels, S severities and C comparisons in the order of the model's vocabulary
    (comparisons by rank). Shapes and meaning:

    - `distortion` (2, R, D): P(distortion);
    - `severity_given` (2, R, D, S): P(severity | distortion); in the clean label's row all is on
      the clean severity, in every other row nothing is;
    - `score` (2, R): quality in [0, 1], higher is better;
    - `comparison` (R, C): P(comparison of anchor with target);
    - `scene_score` (2,), `scene_comparison` (C,): the same for the whole images;
    - `known` (2, R): P(what the region shows is in the vocabulary);
    - `present` (2, R, D): P(the region suffers the distortion), beside whatever else it suffers.

    `known` and `present` are None where the model does not say.

    The arrays are copied and cannot be written to. Raises ModelError for shapes that do not fit
    each other, numbers that are not finite or leave [0, 1] by more than float32 rounding (which is
    clipped), and probabilities that do not sum to 1.
    """

    distortion: NDArray[np.float64]
    severity_given: NDArray[np.float64]
    score: NDArray[np.float64]
    comparison: NDArray[np.float64]
    scene_score: NDArray[np.float64]
    scene_comparison: NDArray[np.float64]
    known: NDArray[np.float64] | None = None
    present: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name in _OPTIONAL and getattr(self, field.name) is None:
                continue
            # C order, so that arithmetic on a view that was turned round is the same to the bit.
            array = np.array(getattr(self, field.name), dtype=np.float64, order="C")
            _check_range(field.name, array)
            array = np.clip(array, 0.0, 1.0) + 0.0  # and never −0.0
            array.setflags(write=False)
            object.__setattr__(self, field.name, array)
        self._check_shapes()
        for name in _PROBABILITIES:
            _check_sums(name, getattr(self, name))

    def _check_shapes(self) -> None:
        if self.severity_given.ndim != 4 or self.scene_comparison.ndim != 1:
            raise ModelError(
                "predictions: severity_given must be (2, R, D, S) and scene_comparison (C,), got "
                f"{self.severity_given.shape} and {self.scene_comparison.shape}"
            )
        _, r, d, s = self.severity_given.shape
        c = self.scene_comparison.size
        expected = {
            "distortion": (2, r, d),
            "severity_given": (2, r, d, s),
            "score": (2, r),
            "comparison": (r, c),
            "scene_score": (2,),
        }
        optional = {"known": (2, r), "present": (2, r, d)}
        expected |= {n: optional[n] for n in _OPTIONAL if getattr(self, n) is not None}
        for name, shape in expected.items():
            if getattr(self, name).shape != shape:
                raise ModelError(
                    f"predictions: {name} must be {shape}, got {getattr(self, name).shape}"
                )

    @property
    def n_regions(self) -> int:
        """Number of regions, R; may be 0."""
        return int(self.comparison.shape[0])

    def swapped(self) -> Predictions:
        """What is said about the pair (target, anchor): images exchanged, comparisons mirrored."""
        return Predictions(
            distortion=self.distortion[::-1],
            severity_given=self.severity_given[::-1],
            score=self.score[::-1],
            comparison=self.comparison[:, ::-1],
            scene_score=self.scene_score[::-1],
            scene_comparison=self.scene_comparison[::-1],
            known=None if self.known is None else self.known[::-1],
            present=None if self.present is None else self.present[::-1],
        )

    def symmetric(self) -> Predictions:
        """The mean of this and its mirror image: for two identical pictures, the exact answer."""
        other = self.swapped()
        names = (f.name for f in fields(self) if getattr(self, f.name) is not None)
        means: dict[str, Any] = {n: (getattr(self, n) + getattr(other, n)) / 2 for n in names}
        return Predictions(**means)

    def where_equal(self, regions: NDArray[np.bool_], *, scene: bool = False) -> Predictions:
        """What is said of regions, (R,) bool, whose pixels are equal in both pictures.

        Such a region shows the same in both: each of its nodes is the mean of the two, and its
        comparison is the neutral one for certain. `scene`: so are the whole pictures.
        """
        if not regions.any() and not scene:
            return self
        mean = self.symmetric()
        neutral = np.zeros(self.scene_comparison.size)
        neutral[neutral.size // 2] = 1

        def chosen(name: str) -> NDArray[np.float64] | None:
            mine: NDArray[np.float64] | None = getattr(self, name)
            if mine is None:
                return None
            where = regions.reshape(1, -1, *(1,) * (mine.ndim - 2))
            both: NDArray[np.float64] = np.where(where, getattr(mean, name), mine)
            return both

        nodes: Any = {name: chosen(name) for name in _OF_NODES}
        comparison = np.where(regions[:, None], neutral, self.comparison)
        equal = replace(self, **nodes, comparison=comparison)
        if not scene:
            return equal
        return replace(equal, scene_score=mean.scene_score, scene_comparison=neutral)

    def reorder(self, indices: Sequence[int] | NDArray[np.intp]) -> Predictions:
        """Region k of the result is region `indices[k]` of this one; the scene stays.

        An index may occur several times.

        Raises ModelError for an index that does not exist.
        """
        order = np.asarray(indices, dtype=np.intp)
        if order.size and not (order.min() >= 0 and order.max() < self.n_regions):
            raise ModelError(
                f"predictions: region indices must be 0…{self.n_regions - 1}, got {order.tolist()}"
            )
        return Predictions(
            distortion=self.distortion[:, order],
            severity_given=self.severity_given[:, order],
            score=self.score[:, order],
            comparison=self.comparison[order],
            scene_score=self.scene_score,
            scene_comparison=self.scene_comparison,
            known=None if self.known is None else self.known[:, order],
            present=None if self.present is None else self.present[:, order],
        )


def _check_range(name: str, array: NDArray[np.float64]) -> None:
    # Written so that NaN fails too.
    if not ((array >= -_ROUNDING) & (array <= 1 + _ROUNDING)).all():
        raise ModelError(f"predictions: {name} must be finite numbers in [0, 1]")


def _check_sums(name: str, array: NDArray[np.float64]) -> None:
    off = float(np.abs(array.sum(axis=-1) - 1).max(initial=0))
    if off > _SUM_TOLERANCE:
        raise ModelError(f"predictions: {name} must sum to 1, found a sum off by {off:.3g}")
