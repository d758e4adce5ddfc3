"""How a model is told which regions are meant: drawn in, in words, cut out, or not at all.

Cues are named and combine with `+`: `marks`, `names+boxes-text`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import DistortionGraphError
from distortion_graph.graph import SIDES, DistortionGraph, Side
from distortion_graph.mllm.marks import Outline, mark_regions
from distortion_graph.mllm.messages import Image, Part, Text
from distortion_graph.regions.container import RegionSet
from distortion_graph.regions.rle import Rle
from distortion_graph.report.outlines import outline
from distortion_graph.report.placing import Ground
from distortion_graph.runtime.assemble import scaled_rle

LARGEST_CROP_PX = 768
"""Side of the largest crop; of a larger region its innermost part is shown."""

_CONTEXT_SHARE, _CONTEXT_PX = 0.15, 8
_LONGEST_NAME = 80


class Cue(StrEnum):
    """One way to tell which regions are meant."""

    marks = "marks"
    boxes = "boxes"
    boxes_text = "boxes-text"
    outlines = "outlines"
    crops = "crops"
    names = "names"
    none = "none"


_ALONE = ({Cue.marks, Cue.boxes}, {Cue.outlines, Cue.crops})
"""Of each set at most one makes sense."""


def parse_cues(text: str) -> tuple[Cue, ...]:
    """`marks+names`; raises DistortionGraphError for another word or cues that contradict."""
    found: list[Cue] = []
    for word in text.split("+"):
        try:
            found.append(Cue(word.strip()))
        except ValueError:
            known = [cue.value for cue in Cue]
            near = get_close_matches(word, known, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise DistortionGraphError(
                f"cues {text!r}: {word!r} is none of {', '.join(known)}{hint}"
            ) from None
    cues = tuple(dict.fromkeys(found))
    if Cue.none in cues and len(cues) > 1:
        raise DistortionGraphError(f"cues {text!r}: none stands alone")
    for rivals in _ALONE:
        both = [cue.value for cue in cues if cue in rivals]
        if len(both) > 1:
            raise DistortionGraphError(f"cues {text!r}: take one of {' and '.join(both)}")
    return cues


def cues_text(cues: Sequence[Cue]) -> str:
    """The text that `parse_cues` reads."""
    return "+".join(cue.value for cue in cues)


@dataclass(frozen=True)
class RegionView:
    """A region: its number, what it is called, and its mask in either picture."""

    id: int
    name: str
    anchor: Rle
    target: Rle
    description: str | None = None

    def mask(self, side: Side) -> Rle:
        """The mask in one picture."""
        return self.anchor if side == "anchor" else self.target


@dataclass(frozen=True, eq=False)
class PairView:
    """Two pictures (H, W, 3) uint8 and their regions, as they are to be shown.

    `side_px` bounds the longer side of whole pictures as they are shown; None shows them as they
    are. Crops are always cut from the pictures themselves.
    """

    anchor: NDArray[np.uint8]
    target: NDArray[np.uint8]
    regions: tuple[RegionView, ...]
    side_px: int | None = None

    @classmethod
    def of_regions(
        cls,
        anchor: NDArray[np.uint8],
        target: NDArray[np.uint8],
        regions: RegionSet,
        descriptions: Mapping[int, str] | None = None,
    ) -> PairView:
        """With regions that lie on the anchor; they are scaled to a target of another size."""
        size = (target.shape[0], target.shape[1])
        told = descriptions or {}
        views = tuple(
            RegionView(
                region.id,
                region.name,
                region.rle,
                region.rle if region.rle.size == size else scaled_rle(region.rle, size),
                told.get(region.id),
            )
            for region in regions
        )
        return cls(anchor, target, views)

    @classmethod
    def of_graph(
        cls, graph: DistortionGraph, anchor: NDArray[np.uint8], target: NDArray[np.uint8]
    ) -> PairView:
        """With the regions of a graph that have a mask."""
        views = []
        for region in graph.regions:
            masks = [region.mask_of(side) for side in SIDES]
            rles = [Rle(mask.size, mask.counts) for mask in masks if mask is not None]
            if len(rles) == len(SIDES):
                views.append(RegionView(region.id, region.name, rles[0], rles[1]))
        return cls(anchor, target, tuple(views))

    def only(self, ids: Collection[int]) -> PairView:
        """With these regions alone; they keep their numbers."""
        kept = set(ids)
        return replace(self, regions=tuple(r for r in self.regions if r.id in kept))

    def swapped(self) -> PairView:
        """Anchor and target exchanged."""
        views = tuple(replace(r, anchor=r.target, target=r.anchor) for r in self.regions)
        return replace(self, anchor=self.target, target=self.anchor, regions=views)

    def at_most(self, side_px: int) -> PairView:
        """Whole pictures shown with no side longer than that."""
        return replace(self, side_px=side_px)

    def picture(self, side: Side) -> NDArray[np.uint8]:
        """The picture itself."""
        return self.anchor if side == "anchor" else self.target

    @cached_property
    def shown(self) -> dict[Side, NDArray[np.uint8]]:
        """Both pictures as they are shown."""
        return {side: self._shown(self.picture(side)) for side in SIDES}

    def _shown(self, rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
        height, width = rgb.shape[:2]
        if self.side_px is None or max(height, width) <= self.side_px:
            return rgb
        scale = self.side_px / max(height, width)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)

    def shown_mask(self, region: RegionView, side: Side) -> Rle:
        """A region's mask on the picture as it is shown."""
        rle, shown = region.mask(side), self.shown[side].shape[:2]
        return rle if rle.size == shown else scaled_rle(rle, (shown[0], shown[1]))


def cue_parts(cues: Sequence[Cue], pair: PairView) -> tuple[Part, ...]:
    """The pictures of a pair, with what tells its regions: for the middle of a message."""
    parts: list[Part] = []
    for side in SIDES:
        parts += _picture(cues, pair, side)
    words = [line for cue in cues for line in _WORDS[cue](pair)] if pair.regions else []
    if words:
        parts.append(Text("\n".join(words)))
    if Cue.crops in cues or Cue.outlines in cues:
        for region in pair.regions:
            for side in SIDES:
                parts += _crop(pair, region, side, outlined=Cue.outlines in cues)
    return tuple(parts)


_PLACES: dict[Side, str] = {"anchor": "anchor (first picture)", "target": "target (second picture)"}


def _picture(cues: Sequence[Cue], pair: PairView, side: Side) -> Iterator[Part]:
    """A whole picture under a line that says what it is."""
    rgb = pair.shown[side]
    height, width = rgb.shape[:2]
    line = f"The {_PLACES[side]}, {width}×{height} pixels"
    ways: dict[Cue, Outline] = {Cue.marks: "mask", Cue.boxes: "box"}
    way = next((ways[cue] for cue in cues if cue in ways), None)
    if way is not None and pair.regions:
        masks = [(region.id, pair.shown_mask(region, side)) for region in pair.regions]
        rgb = mark_regions(rgb, masks, way)
        drawn = "outlines" if way == "mask" else "boxes"
        line += f"; dashed {drawn} and numbers of the regions are drawn on it and not part of it"
    yield Text(f"{line}:")
    yield Image(rgb)


def _name_lines(pair: PairView) -> Iterator[str]:
    yield "The regions are:"
    for region in pair.regions:
        told = f" ({safe_words(region.description)})" if region.description else ""
        yield f'- region {region.id}: "{safe_words(region.name)}"{told}'


def _box_lines(pair: PairView) -> Iterator[str]:
    """Boxes in pixels of the pictures as they are shown."""
    sizes = {side: pair.shown[side].shape[:2] for side in SIDES}
    same = sizes["anchor"] == sizes["target"] and all(
        region.anchor == region.target for region in pair.regions
    )
    for side in SIDES[: 1 if same else 2]:
        where = "both pictures" if same else f"the {side}"
        yield (
            f"Boxes of the regions in {where}, in pixels from the top left corner "
            "(left, top, width, height):"
        )
        for region in pair.regions:
            x, y, w, h = pair.shown_mask(region, side).box_xywh()
            yield f"- region {region.id}: {x}, {y}, {w}, {h}"


def _count_lines(pair: PairView) -> Iterator[str]:
    numbers = ", ".join(str(region.id) for region in pair.regions)
    many = f"{len(pair.regions)} regions, numbered" if len(pair.regions) > 1 else "1 region, number"
    yield f"There {'are' if len(pair.regions) > 1 else 'is'} {many} {numbers}."


def _nothing(pair: PairView) -> Iterator[str]:
    yield from ()


_WORDS = {
    Cue.marks: _nothing,
    Cue.boxes: _nothing,
    Cue.outlines: _nothing,
    Cue.crops: _nothing,
    Cue.names: _name_lines,
    Cue.boxes_text: _box_lines,
    Cue.none: _count_lines,
}


def safe_words(text: str) -> str:
    """A name from a file on one line, cut, and without quotes: it cannot end its own sentence."""
    flat = "".join(c if c.isprintable() and c not in '"“”' else " " for c in text)
    return " ".join(flat.split())[:_LONGEST_NAME]


def _crop(pair: PairView, region: RegionView, side: Side, *, outlined: bool) -> Iterator[Part]:
    """A region cut out of its picture at its own size, with some of what is around it."""
    rle, rgb = region.mask(side), pair.picture(side)
    if not rle.area():
        return
    left, top, w, h = rle.box_xywh()
    context = max(_CONTEXT_PX, round(_CONTEXT_SHARE * max(w, h)))
    mask = rle.decode()
    middle_y, middle_x = _innermost(mask[top : top + h, left : left + w])
    y0, y1 = _span(top, h, rgb.shape[0], context, top + middle_y)
    x0, x1 = _span(left, w, rgb.shape[1], context, left + middle_x)
    cut = np.ascontiguousarray(rgb[y0:y1, x0:x1])
    if outlined:
        cut = cut.copy()
        outline(cut, [Ground(mask[y0:y1, x0:x1], 0, 0)], 1)
    part = "" if y1 - y0 >= h and x1 - x0 >= w else " the innermost part of"
    yield Text(f"In the {side},{part} region {region.id} at full resolution:")
    yield Image(cut, "crop")


def _span(start: int, length: int, limit: int, context: int, middle: int) -> tuple[int, int]:
    """First and last pixel of a window along one side of a picture."""
    if length > LARGEST_CROP_PX:
        first = min(max(start, middle - LARGEST_CROP_PX // 2), start + length - LARGEST_CROP_PX)
        return first, first + LARGEST_CROP_PX
    around = min(context, (LARGEST_CROP_PX - length) // 2)
    return max(0, start - around), min(limit, start + length + around)


def _innermost(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """(y, x) of the pixel that is deepest in the mask."""
    depth = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 3)[1:-1, 1:-1]
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(y), int(x)
