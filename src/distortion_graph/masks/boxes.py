"""Boxes of whole pixels, and the part of a mask inside its own."""

from __future__ import annotations

from typing import NamedTuple

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
        """The smallest box with all pixels of an (H, W) mask; 0×0 at (0, 0) if empty."""
        import cv2

        if not mask.size:
            return cls(0, 0, 0, 0)
        mask = np.ascontiguousarray(mask)
        # NumPy finds the first pixel ten times faster than OpenCV goes through the rows above it.
        top = int(mask.argmax()) // mask.shape[1]
        x, y, width, height = cv2.boundingRect(mask[top:].view(np.uint8))
        return cls(x, top + y, width, height)

    @property
    def right(self) -> int:
        """The first column beyond the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row beyond the box."""
        return self.y + self.height

    @property
    def xywh(self) -> tuple[int, int, int, int]:
        """The same numbers as a plain tuple."""
        return self.x, self.y, self.width, self.height

    @property
    def pixels(self) -> int:
        """Number of pixels."""
        return self.width * self.height

    @property
    def empty(self) -> bool:
        """Whether there is no pixel in it."""
        return self.width < 1 or self.height < 1

    @property
    def area(self) -> tuple[slice, slice]:
        """Rows and columns, to index an H×W… array with."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)

    def within(self, outer: Box) -> tuple[slice, slice]:
        """Rows and columns of this box in an array that holds the pixels of `outer`."""
        return self.moved(-outer.x, -outer.y).area

    def moved(self, dx: int, dy: int) -> Box:
        """The box `dx` pixels to the right and `dy` down."""
        return Box(self.x + dx, self.y + dy, self.width, self.height)

    def grown(self, px: int) -> Box:
        """The box with `px` pixels more on every side, also beyond a picture's edge."""
        return Box(self.x - px, self.y - px, self.width + 2 * px, self.height + 2 * px)

    def in_cells(self, px: int) -> Box:
        """The square cells of `px` pixels that the box touches, counted in cells."""
        x, y = self.x // px, self.y // px
        return Box(x, y, -(-self.right // px) - x, -(-self.bottom // px) - y)

    def on_grid(self, px: int) -> Box:
        """The box of whole square cells of `px` pixels that the box touches."""
        return Box(*(px * n for n in self.in_cells(px)))

    def meet(self, other: Box) -> Box:
        """The common part of two boxes, empty where they have none."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Box(x, y, max(right - x, 0), max(bottom - y, 0))

    def clipped(self, size: tuple[int, ...]) -> Box:
        """The part of the box inside a picture of (height, width, …)."""
        return self.meet(Box.whole(size))


class Crop(NamedTuple):
    """A mask inside its tight box: `mask` is (height, width) bool of the box, 0×0 if empty."""

    box: Box
    mask: NDArray[np.bool_]

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> Crop:
        """An (H, W) mask inside its tight box, a view of it where it is C-contiguous."""
        box = Box.around(mask)
        return cls(box, mask[box.area])

    def on_picture(self, size: tuple[int, int]) -> NDArray[np.bool_]:
        """The mask of the whole picture, `size` (H, W) bool."""
        out = np.zeros(size, np.bool_)
        out[self.box.area] = self.mask
        return out
