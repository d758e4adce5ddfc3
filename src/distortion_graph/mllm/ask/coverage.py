"""How much of every region may be covered by what is drawn over the picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box, Crop

MOST_COVERED = 0.2
"""The largest share of any region's pixels that numbers and their lines may cover."""

_GOLDEN = 0.6180339887498949


class Coverage:
    """What is covered of a picture, and what may still be, so that `MOST_COVERED` holds.

    The regions, which may overlap, cut the picture into *cells*: pixels that lie in the same
    regions. `covered` is (H, W) bool; `left` (R,) is how many more pixels of a region may be.
    """

    def __init__(self, crops: Sequence[Crop], size: tuple[int, int]) -> None:
        self.size = size
        self.covered = np.zeros(size, np.bool_)
        areas = np.array([np.count_nonzero(crop.mask) for crop in crops], np.int64)
        self.left = (areas * round(100 * MOST_COVERED)) // 100
        self._cells, self._members = _cells(crops, size)
        self._of_cell: dict[int, list[int]] = {}

    def room(self, pixels: int, window: tuple[slice, slice]) -> NDArray[np.bool_]:
        """Where in a window a shape of that many pixels may lie, whatever else lies under it."""
        return self._roomy(pixels)[self._cells[window]]

    def room_at(
        self, pixels: int, ys: NDArray[np.int64], xs: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """The same for single places, (n,) bool."""
        return self._roomy(pixels)[self._cells[ys, xs]]

    def _roomy(self, pixels: int) -> NDArray[np.bool_]:
        scarce = np.flatnonzero(self.left < pixels)
        return np.asarray(~self._members[:, scarce].any(1), np.bool_)

    def cover_box(self, box: Box) -> None:
        """Cover a rectangle; what of it lies outside the picture does not count."""
        window = box.clipped(self.size).area
        fresh = self._cells[window][~self.covered[window]]
        self.left -= self._count(fresh)
        self.covered[window] = True

    def cover_some(self, ys: NDArray[np.int64], xs: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Cover as many of these distinct pixels as may be, and say which; (n,) bool.

        Where not all may be, those that are lie spread among the others. Pixels outside the
        picture always may.
        """
        inside = (ys >= 0) & (ys < self.size[0]) & (xs >= 0) & (xs < self.size[1])
        taken = ~inside
        spots = np.flatnonzero(inside)
        cells = self._cells[ys[spots], xs[spots]]
        fresh = ~self.covered[ys[spots], xs[spots]]
        if (self._count(cells[fresh]) <= self.left).all():
            self.left -= self._count(cells[fresh])
            taken[spots] = True
        else:
            for k in np.argsort(np.arange(len(spots)) * _GOLDEN % 1, kind="stable"):
                taken[spots[k]] = self._cover(int(ys[spots[k]]), int(xs[spots[k]]), int(cells[k]))
        self.covered[ys[taken & inside], xs[taken & inside]] = True
        return taken

    def _cover(self, y: int, x: int, cell: int) -> bool:
        if self.covered[y, x]:
            return True
        regions = self._of_cell.get(cell)
        if regions is None:
            regions = self._of_cell[cell] = np.flatnonzero(self._members[cell]).tolist()
        if any(self.left[r] < 1 for r in regions):
            return False
        self.left[regions] -= 1
        self.covered[y, x] = True
        return True

    def _count(self, cells: NDArray[np.int32]) -> NDArray[np.int64]:
        """(R,) how many pixels of each region are among those of these cells."""
        distinct, counts = np.unique(cells, return_counts=True)
        return np.asarray(counts @ self._members[distinct], np.int64)


def _cells(
    crops: Sequence[Crop], size: tuple[int, int]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """(H, W) the cell of every pixel, and (C, R) which regions a cell lies in."""
    cells = np.zeros(size, np.int32)
    members = [np.zeros(len(crops), np.bool_)]
    for r, crop in enumerate(crops):
        window = cells[crop.box.area]
        before, place = np.unique(window[crop.mask], return_inverse=True)
        window[crop.mask] = place.ravel() + len(members)
        for cell in before.tolist():
            members.append(members[cell].copy())
            members[-1][r] = True
    return cells, np.array(members)
