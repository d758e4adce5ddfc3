"""What was found out about how two pictures lie on each other."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.matrices import Matrix, Size, overlap_share

Model = Literal["none", "translation", "similarity", "homography", "flow"]
"""How one picture is moved to lie on the other; "none" leaves both as they are."""

AlignMode = Literal["auto", "none", "translation", "similarity", "homography", "flow"]
"""What may be asked for; "auto" takes the simplest model, but flow, that explains the pictures."""

ALIGN_MODES: tuple[AlignMode, ...] = get_args(AlignMode)

Reason = Literal["flat", "unrelated", "turned", "mirrored", "no_overlap", "ambiguous", "uncertain"]
"""Why an alignment is not to be relied on, or not to be used as it is.

`align` never answers "uncertain": whether a confidence is too low is for who uses it to say.
"""


@dataclass(frozen=True, eq=False)
class Alignment:
    """How a target lies on its anchor.

    Coordinates are continuous pixels (x, y); the centre of the pixel in column j and row i is
    (j + 0.5, i + 0.5), so that a picture reduced to half its size has the matrix diag(2, 2, 1).

    Attributes:
        model: the kind of movement.
        matrix: 3×3, places of the target to places of the anchor; of "flow", its global part.
        inverse: 3×3, the way back. Both are kept, so that swapping the pictures exchanges them to
            the bit.
        anchor_size, target_size: (h, w) in pixels.
        residual_px: how far small parts still lie off, the median, in pixels of the coarser
            picture; what noise adds is in it. None where nothing could be measured.
        confidence: probability that the mapping is right, to 0.1 px for a shift, 0.3 px for a
            similarity and 0.5 px for a homography, in pixels of a picture of up to 0.25 MP.
        same_scene: probability that both show one scene (mirrored and turned pictures do).
        reason: why the alignment is not to be relied on or used as it is; None where it is.
        turned: by how many degrees, 0, 90, 180 or 270, the target is to be turned clockwise to
            stand as the anchor does, after mirroring where `reason` is "mirrored".
        flow, back_flow: of "flow" alone: (h, w, 2) float32 on a reduced grid of the anchor and of
            the target; what to add to the other picture's place, in that picture's pixels.
    """

    model: Model
    matrix: Matrix
    inverse: Matrix
    anchor_size: Size
    target_size: Size
    residual_px: float | None
    confidence: float
    same_scene: float
    reason: Reason | None = None
    turned: int = 0
    flow: NDArray[np.float32] | None = None
    back_flow: NDArray[np.float32] | None = None

    @property
    def overlap(self) -> float:
        """The share of the anchor that the target shows as well."""
        return overlap_share(self.matrix, self.target_size, self.anchor_size)

    @property
    def registered(self) -> bool:
        """Whether both are to be compared pixel by pixel as they are."""
        return self.model == "none" and self.anchor_size == self.target_size

    @property
    def verdict(self) -> str:
        """What there is to say of the pair in a few words, such as "turned by 90°"."""
        match self.reason:
            case "turned":
                return f"turned by {360 - self.turned}° clockwise"
            case "mirrored":
                return (
                    f"mirrored and turned by {360 - self.turned}° clockwise"
                    if self.turned
                    else "mirrored"
                )
            case "flat":
                return "a picture without structure"
            case "unrelated":
                return "not the same scene"
            case "no_overlap":
                return "the pictures do not overlap"
            case "ambiguous":
                return "the pictures match in several places"
            case "uncertain":
                return "not surely registered"
            case None:
                return "registered" if self.registered else self._movement()

    def swapped(self) -> Alignment:
        """The same seen from the target."""
        return replace(
            self,
            matrix=self.inverse,
            inverse=self.matrix,
            anchor_size=self.target_size,
            target_size=self.anchor_size,
            turned=self.turned if self.reason == "mirrored" else -self.turned % 360,
            flow=self.back_flow,
            back_flow=self.flow,
        )

    def as_they_are(self) -> Alignment:
        """The same findings about two pictures of one size that are compared as they are.

        What was found is not relied on: it is "uncertain" where there is no other reason.
        """
        one = np.eye(3)
        reason = self.reason or "uncertain"
        return replace(
            self,
            model="none",
            matrix=one,
            inverse=one,
            reason=reason,
            flow=None,
            back_flow=None,
        )

    def _movement(self) -> str:
        if self.model != "translation":
            return {"none": "scaled", "similarity": "shifted, turned or scaled"}.get(
                self.model, "distorted in perspective" if self.model == "homography" else "bent"
            )
        dx, dy = (float(self.matrix[row, 2]) for row in (0, 1))
        return f"shifted by {_signed(dx)}, {_signed(dy)} px"


def _signed(value: float) -> str:
    """One decimal, and never −0.0."""
    return f"{math.copysign(0.0, 1) + round(value, 1) + 0.0:.1f}"
