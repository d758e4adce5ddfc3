"""Boxes of whole pixels: where in a picture a distortion is wanted and what it must see for it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray


class Box(NamedTuple):
    """Columns x … x + width − 1 and rows y … y + height − 1 of a picture, in pixels."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def whole(cls, size: tuple[int, ...]) -> Box:
        """All of a picture of (height, width, …)."""
        return cls(0, 0, size[1], size[0])

    @classmethod
    def around(cls, mask: NDArray[np.bool_]) -> Box:
        """The smallest box with all of an (H, W) mask; empty where the mask is."""
        return cls(*cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8)))

    @property
    def empty(self) -> bool:
        """Whether there is no pixel in it."""
        return self.width < 1 or self.height < 1

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns, to index an H×W… array with."""
        return np.s_[self.y : self.y + self.height, self.x : self.x + self.width]

    def grown(self, reach_px: int, size: tuple[int, ...], grid_px: int = 1) -> Box:
        """With `reach_px` more on every side, out to the frame's grid, cut at the frame.

        `size` is the frame's (height, width, …).
        """
        spans = []
        for start, length, limit in ((self.x, self.width, size[1]), (self.y, self.height, size[0])):
            low = max(start - reach_px, 0) // grid_px * grid_px
            high = -(-(start + length + reach_px) // grid_px) * grid_px
            spans.append((low, min(high, limit)))
        (left, right), (top, bottom) = spans
        return Box(left, top, right - left, bottom - top)

    def within(self, outer: Box) -> tuple[slice, slice]:
        """Rows and columns of this box in an array that holds the pixels of `outer`."""
        return self._replace(x=self.x - outer.x, y=self.y - outer.y).area
