"""Set-of-mark overlays: regions outlined or boxed, each with its number, and still to be seen.

The rule: numbers and the lines that lead to them cover at most a fifth (`MOST_COVERED`) of the
pixels of any region, their own or another. A number that does not fit into its region under the
rule stands beside it, on pixels of no region or of large ones, or else in a margin around the
picture; a thin line then leads to its region. Outlines are drawn on the larger side of a border and
cover at most a third of any region (`MOST_OUTLINED`). Pixels are never resized, and those under no
mark stay as they are. Where marks go depends on the masks alone, so a pair's pictures are alike.

Yang et al., *Set-of-Mark Prompting Unleashes Extraordinary Visual Grounding in GPT-4V* (2023).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.masks.rle import Rle
from distortion_graph.mllm.ask.coverage import MOST_COVERED
from distortion_graph.mllm.ask.mark_places import Place, Point, Sizes, place_numbers
from distortion_graph.report.drawing import Canvas, Typeface, typeface, write
from distortion_graph.report.palette import INK, PAPER, Rgb

__all__ = [
    "MOST_COVERED",
    "MOST_OUTLINED",
    "Mark",
    "Marked",
    "draw_boxes",
    "draw_outlines",
    "mark_regions",
]

MOST_OUTLINED = 1 / 3
"""The largest share of any region's pixels that outlines or boxes may cover."""

_LETTERS, _TALLEST_PX = ((12, 0.014), (16, 0.025)), 64
"""Least and largest height of letters: pixels, and a share of the root of the picture's area."""

_SHARE_OF_REGION, _LINE_SHARE = 0.25, 0.0012
_FRAME_PX = 2
_YELLOW: Rgb = (255, 221, 51)


@dataclass(frozen=True)
class Mark:
    """A number as it was drawn: the region's `id`, its box and its line in pixels of the canvas.

    `leader` are the corners (x, y) of the line from the number to the region; none where the
    number stands in its region.
    """

    id: int
    box_xywh_px: tuple[int, int, int, int]
    leader: tuple[Point, ...] = ()


@dataclass(frozen=True, eq=False)
class Marked:
    """A picture with marks.

    `rgb` is the canvas, (H, W, 3) uint8; `origin` is where the picture's corner (x, y) lies in it
    and `picture_hw` the picture's size. `covered`, (h, w) bool, are the picture's pixels under
    numbers and their lines. Every region has a mark; one in several large pieces may have more.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    marks: tuple[Mark, ...]
    origin: Point
    picture_hw: tuple[int, int]
    covered: NDArray[np.bool_] = field(repr=False)


def mark_regions(rgb: NDArray[np.uint8], masks: Mapping[int, Rle]) -> Marked:
    """Outline regions and write their ids.

    Args:
        rgb: (H, W, 3) uint8.
        masks: by region id, each of the picture's size and not empty; they may overlap. Their
            order does not matter.

    Raises ImageError for another array, RegionError for masks of another size and empty ones.
    """
    ids, crops = _checked(rgb, masks)
    canvas = np.array(rgb, np.uint8, order="C")
    lines = _outline(canvas, crops, crops)
    return _numbered(canvas, ids, crops, lines, at_corners=False)


def draw_boxes(rgb: NDArray[np.uint8], masks: Mapping[int, Rle]) -> Marked:
    """As `mark_regions`, with the regions' tight boxes in place of their outlines.

    Numbers stand at a corner of their box where the rule allows it.
    """
    ids, crops = _checked(rgb, masks)
    canvas = np.array(rgb, np.uint8, order="C")
    boxes = [Crop(c.box, np.ones(c.mask.shape, np.bool_)) for c in crops]
    lines = _outline(canvas, boxes, crops)
    return _numbered(canvas, ids, crops, lines, at_corners=True)


def draw_outlines(rgb: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """The picture with the outline of one (H, W) mask and no number."""
    canvas = np.array(rgb, np.uint8, order="C")
    crop = Crop.of(mask)
    if not crop.box.empty:
        _outline(canvas, [crop], [crop])
    return canvas


def _checked(
    rgb: NDArray[np.uint8], masks: Mapping[int, Rle]
) -> tuple[tuple[int, ...], list[Crop]]:
    """Ids and crops in the order of ids, so that the order given decides nothing."""
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or rgb.size == 0:
        raise ImageError(
            f"marks: the picture is an array of shape {rgb.shape} and {rgb.dtype}, expected "
            "(H, W, 3) uint8"
        )
    height, width = rgb.shape[:2]
    ids = tuple(sorted(masks))
    for region_id in ids:
        size = masks[region_id].size
        if size != (height, width):
            raise RegionError(
                f"marks: the mask of region {region_id} is {size[1]}×{size[0]}, expected the "
                f"picture's {width}×{height}"
            )
    crops = [masks[region_id].crop() for region_id in ids]
    for region_id, crop in zip(ids, crops, strict=True):
        if not crop.mask.size:
            raise RegionError(
                f"marks: the mask of region {region_id} is empty, expected at least one pixel"
            )
    return ids, crops


def _line_px(rgb: NDArray[np.uint8]) -> int:
    return max(1, round(_LINE_SHARE * math.sqrt(rgb.shape[0] * rgb.shape[1])))


def _heights(rgb: NDArray[np.uint8], regions: int) -> tuple[list[int], int]:
    """Heights of letters in pixels, the largest first, and the place of the usual one.

    That is smaller the more regions there are.
    """
    side = math.sqrt(rgb.shape[0] * rgb.shape[1])
    least, most = (min(max(px, round(share * side)), _TALLEST_PX) for px, share in _LETTERS)
    usual = min(max(round(_SHARE_OF_REGION * side / math.sqrt(max(regions, 1))), least), most)
    heights = sorted({least, usual, most}, reverse=True)
    return heights, heights.index(usual)


def _frame(face: Typeface) -> int:
    """Pixels between a number and the edge of its box, above and below."""
    return max(2, round(face.px / 7))


def _box_wh(number: str, face: Typeface) -> tuple[int, int]:
    top, bottom = face.digit_extent
    return face.width(number) + 2 * _frame(face) + 2, bottom - top + 2 * _frame(face)


def _outline(canvas: Canvas, crops: Sequence[Crop], regions: Sequence[Crop]) -> NDArray[np.bool_]:
    """Light lines with dark ones beside them around `crops`, on the larger side of a border.

    Returns (H, W) bool, where they are.
    """
    size, line = (canvas.shape[0], canvas.shape[1]), _line_px(canvas)
    light, dark = np.zeros(size, np.bool_), np.zeros(size, np.bool_)
    areas = [np.count_nonzero(crop.mask) for crop in crops]
    order = sorted(range(len(crops)), key=lambda r: (areas[r], r))
    smallest = np.full(size, len(crops), np.int32)
    for rank, r in reversed(list(enumerate(order))):
        smallest[crops[r].box.area][crops[r].mask] = rank
    for rank, r in enumerate(order):
        around = crops[r].box.grown(2 * line).clipped(size)
        window = around.area
        inner, outer = _rings(crops[r], around, smallest[window], rank, line)
        light[window] |= inner
        dark[window] |= outer
    dark &= ~light
    for crop in regions:
        _thin_out(light[crop.box.area], dark[crop.box.area], crop.mask)
    canvas[dark] = INK
    canvas[light] = PAPER
    return light | dark


def _thin_out(light: NDArray[np.bool_], dark: NDArray[np.bool_], mask: NDArray[np.bool_]) -> None:
    """Keep lines to `MOST_OUTLINED` of a region: without dark ones, then with gaps."""
    most = int(MOST_OUTLINED * np.count_nonzero(mask))
    if np.count_nonzero((light | dark) & mask) <= most:
        return
    dark &= ~mask
    spots = np.argwhere(light & mask)
    kept = np.linspace(0, len(spots), min(most, len(spots)), endpoint=False).astype(int)
    light &= ~mask
    light[tuple(spots[kept].T)] = True


def _rings(
    crop: Crop,
    window: Box,
    smallest: NDArray[np.int32],
    rank: int,
    line: int,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """The pixels of a window just outside a region, and those next to them.

    On a smaller region there are none, except where it lies on both sides of this border.
    """
    mask = np.zeros(smallest.shape, np.bool_)
    mask[crop.box.within(window)] = crop.mask
    border = _grown(mask, 1) & ~mask
    allowed = smallest >= rank
    for there, here in _neighbours(mask.shape):
        across = mask[there] & (smallest[there] == smallest[here])
        allowed[here] |= across & border[here]
    inner = border & allowed
    if line > 1:
        inner |= _grown(inner, line - 1) & ~mask & allowed
    outer = _grown(inner, line) & ~mask & ~inner & (smallest >= rank)
    return inner, outer


def _grown(mask: NDArray[np.bool_], px: int) -> NDArray[np.bool_]:
    kernel = np.ones((2 * px + 1, 2 * px + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), np.uint8).astype(bool)


def _neighbours(
    shape: tuple[int, ...],
) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice]]]:
    """Views of an array that lie over each other, a pixel apart, for all eight neighbours."""
    height, width = shape
    for dy, dx in itertools.product((-1, 0, 1), repeat=2):
        if dy or dx:
            yield (_part(height, dy), _part(width, dx)), (_part(height, -dy), _part(width, -dx))


def _part(length: int, step: int) -> slice:
    return slice(max(step, 0), length + min(step, 0))


def _numbered(
    picture: Canvas,
    ids: Sequence[int],
    crops: Sequence[Crop],
    lines: NDArray[np.bool_],
    *,
    at_corners: bool,
) -> Marked:
    """The picture with numbers, and with a margin where some stand in one."""
    heights, usual = _heights(picture, len(ids))
    faces = [typeface(px) for px in heights]
    boxes = [[_box_wh(str(region_id), face) for face in faces] for region_id in ids]
    sizes = Sizes(boxes, usual, heights[usual], _line_px(picture))
    places, covered = place_numbers(crops, lines, sizes, at_corners=at_corners)
    canvas, (dx, dy) = _with_margin(picture, places)
    for place in places:
        _dots(canvas, place.rim + np.array([dy, dx]), INK)
    for place in places:
        _dots(canvas, place.core + np.array([dy, dx]), _YELLOW)
    marks = []
    for place in places:
        number, box = ids[place.index], place.box.moved(dx, dy)
        _write(canvas, str(number), box, faces[place.size], yellow=bool(place.leader))
        leader = tuple((x + dx, y + dy) for x, y in place.leader)
        marks.append(Mark(number, box.xywh, leader))
    return Marked(canvas, tuple(marks), (dx, dy), lines.shape[:2], covered)


def _dots(canvas: Canvas, pixels: NDArray[np.int64], colour: Rgb) -> None:
    """Set pixels (n, 2), each (y, x), as far as they are on the canvas."""
    ys, xs = pixels[((pixels >= 0) & (pixels < canvas.shape[:2])).all(1)].T
    canvas[ys, xs] = colour


def _with_margin(picture: Canvas, places: Sequence[Place]) -> tuple[Canvas, Point]:
    """The picture on a canvas that holds every number and line, and its corner there."""
    height, width = picture.shape[:2]
    corners = [(p.box.x, p.box.y) for p in places]
    corners += [(p.box.right, p.box.bottom) for p in places]
    corners += [(x + d, y + d) for p in places for x, y in p.leader for d in (0, 1)]
    out = np.array([(0, 0), (width, height), *corners])
    low, high = -out.min(0), out.max(0) - (width, height)
    left, top = (int(n) + _FRAME_PX * (n > 0) for n in low)
    right, bottom = (int(n) + _FRAME_PX * (n > 0) for n in high)
    if not (left or top or right or bottom):
        return picture, (0, 0)
    canvas = np.empty((top + height + bottom, left + width + right, 3), np.uint8)
    canvas[:] = INK
    canvas[top : top + height, left : left + width] = picture
    return canvas, (left, top)


def _write(canvas: Canvas, number: str, box: Box, face: Typeface, *, yellow: bool) -> None:
    ground, ink, frame = (_YELLOW, INK, INK) if yellow else (INK, PAPER, PAPER)
    canvas[box.clipped(canvas.shape).area] = frame
    canvas[box.grown(-1).clipped(canvas.shape).area] = ground
    top, _ = face.digit_extent
    x = box.x + (box.width - face.width(number)) // 2
    write(canvas, number, x, box.y + _frame(face) - top, face, ink)
