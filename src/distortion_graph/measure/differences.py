"""Where two pictures of one size show different things: pixels, cells and spots, without a model.

* A pixel *differs visibly* where CIEDE2000 of the two pictures, after a 3×3 mean of both, is at
  least `VISIBLE`, or where the deviation of L* in the 7×7 pixels around it differs by at least
  `TEXTURE` between them. It *looks equal* where that CIEDE2000 is below `ALIKE`. A pixel that is
  equal in both pictures looks equal and never differs, whatever its neighbours are.
* A *cell* of 8×8 pixels differs where a pixel of it does and, beyond what JPEG of quality 75 does
  to a photograph, its mean colour differs (by `CELL_COLOUR`; at the picture's edge, that of three
  quarters of a cell or more), the lightness of `LIGHT_PX` pixels (by `LIGHTNESS`), or the
  deviation of L* at `TEXTURE_PX` pixels.
* A *spot* is a group of differing cells between which at most one cell lies: of `SPOT_CELLS`
  cells or more, or of fewer where one of them differs plainly (by `PLAIN_COLOUR` or
  `PLAIN_LIGHTNESS`), as a changed letter does. Neighbouring cells with a pixel whose lightness
  differs belong to it as well. Its box is that of its pixels that differ visibly.

What is measured is the same, to the bit, when the pictures are exchanged, and depends on neither
the tiles nor the threads that share the work. The 3×3 means are rounded to 8 bits, and so is the
L* of the deviation.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks
from distortion_graph.measure.ciede2000 import delta_e, difference, lab
from distortion_graph.measure.quality import check_pair
from distortion_graph.work.threads import parallel_map

VISIBLE, ALIKE = 3.0, 1.0
"""CIEDE2000 after a 3×3 mean from which a pixel differs visibly, and below which it looks equal."""

TEXTURE = 3.5
"""Difference of the local deviation of L* from which a pixel differs visibly."""

CELL = 8
"""Side of a cell in pixels."""

CELL_COLOUR, PLAIN_COLOUR = 4.0, 8.0
"""CIEDE2000 of a cell's mean colours."""

LIGHTNESS, PLAIN_LIGHTNESS, LIGHT_PX = 6.0, 8.0, 3
"""Difference of L* after a 3×3 mean, and how many pixels of a cell must have it."""

TEXTURE_PX = 16
"""How many pixels of a cell must differ in deviation."""

SPOT_CELLS = 8
"""Cells of a spot none of which differs plainly."""

PART = 0.1
"""A region has a spot where this share of the spot's pixels lies in it, or is made of them."""

TILE = 256
"""Side in pixels of the squares that are worked on at once."""

THREADS_FROM_PIXELS = 1 << 18
"""Pictures with fewer pixels are not worth starting threads for."""

Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Bytes = NDArray[np.uint8]

_EQUAL, _ALIKE, _BETWEEN, _DIFFERS = range(4)
_SAME, _FRINGE, _CHANGED, _PLAIN = range(4)  # cells
_WINDOW = 7
_REACH = _WINDOW // 2
_PER_L = 255 / 100  # 8 bits of L*
_EVERY_BYTE, _LAST_BYTE = np.uint64(0x0101010101010101), np.uint64(56)


class RegionDifference(NamedTuple):
    """How far a region's pixels differ between the pictures.

    Attributes:
        share: Of its pixels, those that differ visibly.
        equal: Of its pixels, those that look equal.
        spots: Boxes around what the region has of each spot, the largest first, then from top to
            bottom.
    """

    share: float
    equal: float
    spots: tuple[Box, ...]


class MeasuredDifferences(NamedTuple):
    """Differences by region, in the masks' order, and of the scene; None where not measured."""

    regions: tuple[RegionDifference | None, ...]
    scene: RegionDifference | None


NO_DIFFERENCES = MeasuredDifferences((), None)
"""Nothing was measured."""


@dataclass(frozen=True, eq=False)
class DifferenceMap:
    """Where two (H, W) pictures differ.

    Attributes:
        classes: (H, W) uint8, how a pixel compares: 0 equal, 1 looks equal, 2, 3 differs visibly.
        spots: (⌈H/8⌉, ⌈W/8⌉) int32, the number of the spot that a cell belongs to, or 0.
    """

    classes: Bytes
    spots: NDArray[np.int32]

    def measure(self, masks: Masks | MaskArrays) -> MeasuredDifferences:
        """The differences in each of some (H, W) bool masks, and in the whole picture.

        Raises RegionError for a mask of another size and for one without a pixel.
        """
        masks = as_masks(masks, self.classes.shape)

        def region(index: int) -> RegionDifference:
            crop = masks.crop(index)
            if crop.box.empty:
                raise RegionError(f"mask {index} has no pixel, expected at least one; leave it out")
            return self._inside(crop)

        return MeasuredDifferences(tuple(parallel_map(region, range(len(masks)))), self.scene)

    @property
    def visible(self) -> Bools:
        """(H, W): the pixels that differ visibly."""
        return np.asarray(self.classes == _DIFFERS, np.bool_)

    @cached_property
    def scene(self) -> RegionDifference:
        """The differences in the whole picture."""
        whole = np.ones(self.classes.shape, np.bool_)
        return self._inside(Crop(Box.whole(whole.shape), whole))

    def is_local(self, most: float) -> bool:
        """Whether the pictures differ in places: spots are on no more than that share of the cells,
        and three quarters of the pixels outside them are equal in both pictures."""
        cells = np.count_nonzero(self.spots)
        if not 0 < cells <= most * self.spots.size:
            return False
        height, width = self.classes.shape
        changed = _cell_counts(self.classes != _EQUAL)[self.spots == 0].sum()
        outside = _cell_counts(np.ones((height, width), np.bool_))[self.spots == 0].sum()
        # A blur leaves what is flat as it was: 61 % of the pixels at most, in photographs.
        return bool(4 * changed <= outside)

    def outlines(self) -> list[NDArray[np.int64]]:
        """Of every spot, in the order of the scene's boxes, the (N, 2) first and last pixels of its
        rows, x and y, so that its convex hull is theirs."""
        visible = self.visible
        whole = Box.whole(visible.shape)
        return [self._outline(visible, *entry) for entry in self._boxes(visible, whole, 0)]

    @cached_property
    def _spot_pixels(self) -> NDArray[np.int64]:
        """Of every spot, by number, the pixels that differ visibly."""
        counts = _cell_counts(self.visible)
        return np.bincount(self.spots.ravel(), counts.ravel()).astype(np.int64)

    def _inside(self, crop: Crop) -> RegionDifference:
        """What is inside a mask that has a pixel."""
        box, mask = crop
        classes = self.classes[box.area]
        pixels = np.count_nonzero(mask)
        differs = mask & (classes == _DIFFERS)
        alike = np.count_nonzero(mask & (classes <= _ALIKE))
        return RegionDifference(
            share=int(np.count_nonzero(differs)) / int(pixels),
            equal=int(alike) / int(pixels),
            spots=tuple(spot for spot, _ in self._boxes(differs, box, int(pixels))),
        )

    def _boxes(self, differs: Bools, box: Box, pixels: int) -> list[tuple[Box, int]]:
        """Boxes and numbers of what a region of so many pixels has of the spots.

        `differs` are the pixels of `box` that are the region's and differ visibly.
        """
        cells = box.in_cells(CELL)
        inside = _on_cells(differs, box.y % CELL, box.x % CELL)
        spots = self.spots[cells.area]
        if not spots.any():
            return []
        number, counts, edges = _extents(inside, spots)
        owned = np.bincount(number, counts)
        enough = (owned >= PART * self._spot_pixels[: owned.size]) | (owned >= PART * pixels)
        boxes = []
        for k in np.flatnonzero((owned > 0) & enough).tolist():
            y0, x0, y1, x1 = (int(edge[k]) for edge in edges)
            spot = Box(x0, y0, x1 - x0, y1 - y0).moved(cells.x * CELL, cells.y * CELL)
            boxes.append((spot, k))
        return sorted(boxes, key=_by_size)

    def _outline(self, visible: Bools, box: Box, number: int) -> NDArray[np.int64]:
        rows, columns = np.arange(box.y, box.bottom), np.arange(box.x, box.right)
        own = self.spots[(rows // CELL)[:, None], columns // CELL] == number
        own &= visible[box.area]
        rows = rows[own.any(1)]
        own = own[own.any(1)]
        ends = own.argmax(1), box.width - 1 - own[:, ::-1].argmax(1)
        return np.concatenate([np.stack([box.x + end, rows], 1) for end in ends])


def find_differences(
    anchor: Rgb,
    target: Rgb,
    *,
    tile: int = TILE,
    threads_from_pixels: int = THREADS_FROM_PIXELS,
) -> DifferenceMap:
    """Find where two pictures differ.

    Args:
        anchor: (H, W, 3) RGB uint8.
        target: The same shape.
        tile: As `TILE`, a multiple of `CELL`; it changes nothing.
        threads_from_pixels: As `THREADS_FROM_PIXELS`.

    Raises:
        ImageError: The arrays are not two RGB uint8 pictures of one size.
    """
    check_pair(anchor, target)
    height, width = anchor.shape[:2]
    classes = np.zeros((height, width), np.uint8)
    levels = np.zeros((-(-height // CELL), -(-width // CELL)), np.uint8)

    def fill(corner: tuple[int, int]) -> None:
        y, x = corner
        _fill(classes, levels, anchor, target, Box(x, y, tile, tile))

    corners = [(y, x) for y in range(0, height, tile) for x in range(0, width, tile)]
    if classes.size >= threads_from_pixels:
        parallel_map(fill, corners)
    else:
        for corner in corners:
            fill(corner)
    return DifferenceMap(classes, _grouped(levels))


def changed_pixels(first: Rgb, second: Rgb) -> Bools:
    """(H, W): whether a pixel of two (H, W, 3) pictures is not equal."""
    apart = first != second
    return np.asarray(apart[..., 0] | apart[..., 1] | apart[..., 2], np.bool_)


def _by_size(entry: tuple[Box, int]) -> tuple[int, int, int, int]:
    box, number = entry
    return -box.pixels, box.y, box.x, number


def _fill(classes: Bytes, levels: Bytes, anchor: Rgb, target: Rgb, tile: Box) -> None:
    """Write the classes of a tile's pixels, and how its cells differ: `_FRINGE` and beyond."""
    own = tile.area
    pair = anchor[own], target[own]
    changed = changed_pixels(*pair)
    if not changed.any():
        return
    above, before = min(tile.y, _REACH), min(tile.x, _REACH)
    around = np.s_[tile.y - above : tile.bottom + _REACH, tile.x - before : tile.right + _REACH]
    inner = np.s_[above : above + changed.shape[0], before : before + changed.shape[1]]
    windows = [np.ascontiguousarray(rgb[around]) for rgb in (anchor, target)]
    means = [np.ascontiguousarray(cv2.blur(rgb, (3, 3))[inner], np.uint8) for rgb in windows]
    one, two = (lab(rgb.reshape(-1, 1, 3)) for rgb in means)
    colour = difference(one, two).reshape(changed.shape)
    texture = _apart(*(_deviation(rgb)[inner] for rgb in windows)) >= TEXTURE
    texture &= changed
    visible = (colour >= VISIBLE) & changed | texture
    own_classes = classes[own]
    own_classes[changed] = _BETWEEN
    own_classes[changed & (colour < ALIKE)] = _ALIKE
    own_classes[visible] = _DIFFERS

    light = _apart(one[0], two[0]).reshape(changed.shape) * changed
    mean_colour = delta_e(*map(_cell_means, pair))
    # Less than three quarters of a cell, at the picture's edge, are too little for a mean.
    largest = min(CELL, anchor.shape[0]) * min(CELL, anchor.shape[1])
    mean_colour[_cell_counts(np.ones_like(changed)) < 0.75 * largest] = 0
    lighter, plainly = (_cell_counts(light >= t) for t in (LIGHTNESS, PLAIN_LIGHTNESS))
    differs = (mean_colour >= CELL_COLOUR) | (lighter >= LIGHT_PX)
    differs |= _cell_counts(texture) >= TEXTURE_PX
    plain = (mean_colour >= PLAIN_COLOUR) | (plainly >= LIGHT_PX)
    cells = levels[tile.in_cells(CELL).area]
    cells[lighter > 0] = _FRINGE
    cells[differs] = _CHANGED
    cells[plain] = _PLAIN
    cells[_cell_counts(visible) == 0] = _SAME


def _apart(one: NDArray[np.float32], two: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(np.abs(one - two), np.float32)


def _lightness(rgb: Rgb) -> Bytes:
    """L* in 255 steps, in OpenCV's integer arithmetic."""
    return np.ascontiguousarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB)[..., 0])


def _deviation(rgb: Rgb) -> NDArray[np.float32]:
    """Standard deviation of L* in the window around every pixel, from sums that are exact."""
    light = _lightness(rgb)
    window, pixels = (_WINDOW, _WINDOW), _WINDOW**2
    sums = cv2.boxFilter(light, cv2.CV_32S, window, normalize=False)
    squares = cv2.sqrBoxFilter(light, cv2.CV_32F, window, normalize=False).astype(np.int32)
    spread = (pixels * squares - sums * sums).astype(np.float32)
    return np.asarray(np.sqrt(spread) / np.float32(pixels * _PER_L), np.float32)


def _on_cells(values: NDArray[np.bool_], above: int = 0, before: int = 0) -> Bools:
    """Padded with False to whole cells, so many pixels of them above and to the left."""
    height, width = values.shape
    down, right = -(height + above) % CELL, -(width + before) % CELL
    return np.ascontiguousarray(np.pad(values, ((above, down), (before, right))))


def _cell_counts(pixels: Bools) -> NDArray[np.int64]:
    """How many pixels of every cell are True."""
    words = _on_cells(pixels).view(np.uint64)
    return np.asarray(_ones(words).reshape(-1, CELL, words.shape[1]).sum(1), np.int64)


def _ones(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """How many of the eight bytes of every word, 0 or 1 each, are 1."""
    return (words * _EVERY_BYTE >> _LAST_BYTE).astype(np.int64)


def _cell_means(rgb: Rgb) -> Rgb:
    """The mean colour of every cell, rounded; the last row and column fill up the last cells."""
    height, width = rgb.shape[:2]
    down, right = -height % CELL, -width % CELL
    whole = cv2.copyMakeBorder(rgb, 0, down, 0, right, cv2.BORDER_REPLICATE)
    size = (whole.shape[1] // CELL, whole.shape[0] // CELL)
    small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8).reshape(size[1], size[0], 3)


def _grouped(levels: Bytes) -> NDArray[np.int32]:
    """Numbers of spots from the cells' levels."""
    changed = (levels >= _CHANGED).astype(np.uint8)
    # Cells grown by one to the right and down touch, also by a corner, where one lies between.
    grown = cv2.dilate(changed, np.ones((2, 2), np.uint8), anchor=(0, 0))
    _, groups = cv2.connectedComponents(grown, connectivity=8)
    groups[changed == 0] = 0
    spot = np.bincount(groups.ravel()) >= SPOT_CELLS
    spot[groups[levels == _PLAIN]] = True
    spot[0] = False
    numbers = (np.cumsum(spot) * spot)[groups].astype(np.float32)
    around = cv2.dilate(numbers, np.ones((3, 3), np.uint8))
    return np.where(levels == _FRINGE, around, numbers).astype(np.int32)


def _extents(
    inside: Bools, spots: NDArray[np.int32]
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[NDArray[np.int64], ...]]:
    """The cells of spots that have a pixel: number and pixels of each, and the spots' edges.

    The edges, first row and column and last row and column + 1, are by a spot's number. A row of
    a cell is eight bytes, so that one word tells whether it has a pixel.
    """
    words = inside.view(np.uint64).reshape(spots.shape[0], CELL, spots.shape[1])
    columns = np.bitwise_or.reduce(words, axis=1)
    y, x = np.nonzero((columns != 0) & (spots > 0))
    number = spots[y, x].astype(np.int64)
    in_rows = words[y, :, x] != 0
    in_columns = np.ascontiguousarray(columns[y, x])[:, None].view(np.bool_)
    edges = []
    for flags, start in ((in_rows, y * CELL), (in_columns, x * CELL)):
        low = np.full(int(spots.max()) + 1, np.iinfo(np.int64).max)
        np.minimum.at(low, number, start + flags.argmax(1))
        high = np.zeros_like(low)
        np.maximum.at(high, number, start + CELL - flags[:, ::-1].argmax(1))
        edges.append((low, high))
    (top, bottom), (left, right) = edges
    counts = _ones(words[y, :, x]).sum(1)
    return number, counts, (top, left, bottom, right)
