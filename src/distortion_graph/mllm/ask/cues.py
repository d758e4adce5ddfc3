"""Region cues: how a message tells a language model which regions of two pictures are meant.

A cue draws into the pictures, adds text, or adds crops; cues combine with `+`, such as
`marks+names`. Every picture comes after a line that says what it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.graph import SIDES, Side
from distortion_graph.masks.container import is_default_name
from distortion_graph.masks.rle import Rle
from distortion_graph.mllm.ask.marks import Marked, draw_boxes, draw_outlines, mark_regions
from distortion_graph.mllm.ask.pair_view import PairView, RegionView
from distortion_graph.mllm.client.messages import Image, Part, Text
from distortion_graph.report.cutouts import innermost

__all__ = ["Cue", "PairView", "RegionView", "cue_parts", "cues_text", "parse_cues", "quoted"]

LARGEST_CROP_PX = 768
"""Of a region that is wider or higher, a crop shows the part around its innermost pixel."""

SMALLEST_CROP_PX = 64
"""Crops of small regions are at least as wide and high as this, as far as the picture is."""

LONGEST_NAME, LONGEST_DESCRIPTION = 80, 400
"""Characters of a name and of a description that are shown."""

_CONTEXT_SHARE, _CONTEXT_PX = 0.12, 8


class Cue(StrEnum):
    """One way to tell which regions are meant.

    - `marks`: outlines and numbers drawn into both pictures.
    - `boxes`: boxes and numbers drawn into both pictures.
    - `boxes-text`: boxes as text, in pixels of the pictures as they are shown.
    - `outlines`: a crop of every region from either picture, its outline drawn in.
    - `crops`: a crop of every region from either picture, nothing drawn in.
    - `names`: names and, where known, descriptions.
    - `none`: only how many regions there are, and their numbers.
    """

    marks = "marks"
    boxes = "boxes"
    boxes_text = "boxes-text"
    outlines = "outlines"
    crops = "crops"
    names = "names"
    none = "none"


_RIVALS = ((Cue.marks, Cue.boxes), (Cue.outlines, Cue.crops))
"""Of each only one may be given."""


def parse_cues(text: str) -> tuple[Cue, ...]:
    """The cues of a text such as `marks+names`, in the order of `Cue`.

    Raises DistortionGraphError, one line, for an unknown cue, naming the nearest one, and for cues
    that contradict each other or are given twice.
    """
    named = [_cue(word.strip(), text) for word in text.split("+")]
    start = f"cues {_shown(text)}:"
    for cue in named:
        if named.count(cue) > 1:
            raise DistortionGraphError(f"{start} {cue} is given twice; give it once")
        if cue is not Cue.none and Cue.none in named:
            raise DistortionGraphError(f"{start} none contradicts {cue}; leave one of them out")
    for one, other in _RIVALS:
        if one in named and other in named:
            raise DistortionGraphError(
                f"{start} {one} and {other} say the same in two ways; leave one of them out"
            )
    return tuple(cue for cue in Cue if cue in named)


def cues_text(cues: Sequence[Cue]) -> str:
    """The text that `parse_cues` reads, the same for the same cues in any order."""
    return "+".join(cue.value for cue in Cue if cue in cues)


def _cue(word: str, text: str) -> Cue:
    try:
        return Cue(word)
    except ValueError:
        names = [cue.value for cue in Cue]
        near = get_close_matches(word.lower(), names, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise DistortionGraphError(
            f"cues {_shown(text)}: unknown cue {_shown(word)}, expected {', '.join(names)}, or "
            f"several joined by +{hint}"
        ) from None


def _shown(text: str) -> str:
    return repr(text if len(text) <= LONGEST_NAME else text[:LONGEST_NAME] + "…")


def cue_parts(cues: Sequence[Cue], pair: PairView) -> tuple[Part, ...]:
    """What a message shows of a pair: both pictures, anchor first, then what the cues add.

    Whole pictures are those of `pair.shown`; crops are cut from the pictures themselves.
    """
    drawings = _drawings(cues, pair)
    parts: list[Part] = []
    for side, drawing in drawings.items():
        parts += [Text(_label(pair, side, drawing)), Image(drawing.rgb)]
    lines = list(_lines(cues, pair, drawings))
    if lines:
        parts.append(Text("\n".join(lines)))
    if Cue.outlines in cues or Cue.crops in cues:
        for region in pair.regions:
            for side in SIDES:
                parts += _crop(pair, region, side, outlined=Cue.outlines in cues)
    return tuple(parts)


@dataclass(frozen=True, eq=False)
class _Drawing:
    """A picture as it is shown, `scaled` as it was before `marked`, and words for what is drawn."""

    scaled: PairView
    rgb: NDArray[np.uint8]
    words: str = ""
    marked: Marked | None = None


_Marker = Callable[[NDArray[np.uint8], Mapping[int, Rle]], Marked]
_MARKERS: Mapping[Cue, tuple[_Marker, str]] = {
    Cue.marks: (mark_regions, "every region is outlined and has its number drawn in"),
    Cue.boxes: (draw_boxes, "every region has a box around it and its number drawn in"),
}


def _drawings(cues: Sequence[Cue], pair: PairView) -> dict[Side, _Drawing]:
    for cue, (mark, words) in _MARKERS.items():
        if cue in cues and pair.regions:
            return _all_marked(pair, mark, words)
    return {side: _Drawing(pair, pair.shown(side)) for side in SIDES}


def _all_marked(pair: PairView, mark: _Marker, words: str) -> dict[Side, _Drawing]:
    """Both pictures with marks; margins, too, keep to the largest side that was asked for."""
    scaled, first = pair, None
    while True:
        marked = {side: mark(scaled.shown(side), scaled.shown_masks(side)) for side in SIDES}
        drawings = {side: _Drawing(scaled, m.rgb, words, m) for side, m in marked.items()}
        first = first or drawings
        longest = max(max(m.rgb.shape[:2]) for m in marked.values())
        if pair.side_px is None or longest <= pair.side_px:
            return drawings
        inner = max(max(m.picture_hw) for m in marked.values())
        smaller = inner * pair.side_px // longest
        if smaller < pair.side_px // 2:
            # Letters have a smallest size: the margin would be large around any picture.
            return first
        scaled = pair.at_most(smaller)


def _label(pair: PairView, side: Side, drawing: _Drawing) -> str:
    place = "Anchor (first image)" if side == "anchor" else "Target (second image)"
    own, inner = pair.picture(side).shape[:2], drawing.scaled.shown(side).shape[:2]
    said = [f"{place}, {_size(drawing.rgb)} pixels"]
    if inner != own:
        said.append(f"scaled down from {_size(pair.picture(side))}")
    if drawing.words:
        said.append(drawing.words)
    marked = drawing.marked
    if marked is not None and any(mark.leader for mark in marked.marks):
        said.append("a number on yellow stands outside its region and a yellow line leads to it")
    if marked is not None and inner != marked.rgb.shape[:2]:
        said.append("the black margin is not part of the picture")
    return "; ".join(said) + ":"


def _size(rgb: NDArray[np.uint8]) -> str:
    return f"{rgb.shape[1]}×{rgb.shape[0]}"


def _lines(cues: Sequence[Cue], pair: PairView, drawings: Mapping[Side, _Drawing]) -> Iterator[str]:
    """What the cues say of the regions in words."""
    if not pair.regions:
        return
    if Cue.none in cues:
        numbers = ", ".join(str(region.id) for region in pair.regions)
        yield f"Number of regions: {len(pair.regions)}. Their numbers: {numbers}."
    if Cue.names in cues:
        yield "What the regions are called:"
        for region in pair.regions:
            more = quoted(region.description or "", LONGEST_DESCRIPTION)
            told = f", described as {more}" if region.description else ""
            # "region 3" would be taken for the region with the number 3.
            name = "without a name" if is_default_name(region.name) else quoted(region.name)
            yield f"- region {region.id}: {name}{told}"
    if Cue.boxes_text in cues:
        boxes = {side: _boxes(drawing, side) for side, drawing in drawings.items()}
        sizes = {_size(drawing.rgb) for drawing in drawings.values()}
        same = boxes["anchor"] == boxes["target"] and len(sizes) == 1
        for side in SIDES[: 1 if same else 2]:
            where = "both images" if same else f"the {side}"
            yield (
                f"Boxes of the regions in {where}, in pixels of {_size(drawings[side].rgb)} "
                "(x and y of the top left corner, width, height):"
            )
            yield from boxes[side]


def _boxes(drawing: _Drawing, side: Side) -> list[str]:
    """Every region's box in pixels of the picture as it is shown, its margin included."""
    dx, dy = drawing.marked.origin if drawing.marked else (0, 0)
    lines = []
    for region_id, mask in drawing.scaled.shown_masks(side).items():
        x, y, w, h = mask.box_xywh()
        lines.append(f"- region {region_id}: x {x + dx}, y {y + dy}, width {w}, height {h}")
    return lines


def quoted(text: str, longest: int = LONGEST_NAME) -> str:
    """A text from a file as one quoted line of at most `longest` characters.

    Without control characters and inner quotes, so that it cannot end its own sentence.
    """
    kept = "".join(" " if unicodedata.category(c)[0] in "CZ" else c for c in text)
    kept = " ".join("".join("'" if c in '"“”„«»' else c for c in kept).split())
    return f'"{kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"}"'


def _crop(pair: PairView, region: RegionView, side: Side, *, outlined: bool) -> tuple[Part, Part]:
    """A region cut out at its own size, under a line that says what it is."""
    rle = region.mask(side)
    mask = rle.decode()
    window = _window(rle.box_xywh(), mask)
    cut = np.array(pair.picture(side)[window.box], np.uint8, order="C")
    if outlined:
        cut = draw_outlines(cut, mask[window.box])
    said = [f"Region {region.id} in the {side}, cut out at full resolution, {_size(cut)} pixels"]
    if not window.whole:
        said.append("the middle part of a region that is larger")
    if outlined:
        said.append("its outline is drawn in")
    elif window.whole:
        x, y, w, h = window.inner
        said.append(f"the region is within x {x} to {x + w - 1} and y {y} to {y + h - 1}")
    return Text("; ".join(said) + ":"), Image(cut, "crop")


class _Window(NamedTuple):
    """Rows and columns of a picture, the region's box (x, y, w, h) there, and if it is whole."""

    box: tuple[slice, slice]
    inner: tuple[int, int, int, int]
    whole: bool


def _window(box_xywh: tuple[int, int, int, int], mask: NDArray[np.bool_]) -> _Window:
    left, top, width, height = box_xywh
    context = max(_CONTEXT_PX, round(_CONTEXT_SHARE * max(width, height)))
    middle_y, middle_x = innermost(mask[top : top + height, left : left + width])
    y0, y1 = _span(top, height, context, top + middle_y, mask.shape[0])
    x0, x1 = _span(left, width, context, left + middle_x, mask.shape[1])
    whole = max(width, height) <= LARGEST_CROP_PX
    return _Window((slice(y0, y1), slice(x0, x1)), (left - x0, top - y0, width, height), whole)


def _span(start: int, length: int, context: int, middle: int, limit: int) -> tuple[int, int]:
    """Where the window begins and ends along a side of the picture, `limit` pixels long."""
    if length > LARGEST_CROP_PX:
        first = min(max(start, middle - LARGEST_CROP_PX // 2), start + length - LARGEST_CROP_PX)
        return first, first + LARGEST_CROP_PX
    wanted = min(max(length + 2 * context, SMALLEST_CROP_PX), LARGEST_CROP_PX, limit)
    first = min(max(0, start - (wanted - length) // 2), limit - wanted)
    return first, first + wanted
