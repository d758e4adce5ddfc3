"""Run-length masks as COCO writes them: column-major runs, first run background, packed text.

Counts alternate between background and mask along the columns of an h×w mask. The packed text
stores six bits a character (five of value, one "more follows") and, from the fourth run on, the
difference to the run two before, as in the COCO API.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.boxes import Box, Crop

_MAX_CHARS_PER_COUNT = 12


@dataclass(frozen=True)
class Rle:
    """One mask: `size` is (h, w) in pixels, `counts` the packed COCO text. Build with the
    functions here; text from outside goes through `rle_from_text`, which checks it."""

    size: tuple[int, int]
    counts: str

    def decode(self) -> NDArray[np.bool_]:
        """The mask as an (h, w) bool array, C-contiguous."""
        mask: NDArray[np.bool_] = decode_rles([self])[0]
        return mask

    def crop(self) -> Crop:
        """The mask inside its tight box; only the box's columns are decoded."""
        import cv2

        h, _ = self.size
        edges = _ink_edges(self)
        box = _box(edges, h)
        if box.empty:
            return Crop(box, np.zeros((0, 0), np.bool_))
        lengths = np.diff(edges.ravel(), prepend=box.x * h, append=box.right * h)
        ink = np.zeros(lengths.size, np.uint8)
        ink[1::2] = 1
        columns = np.repeat(ink, lengths).reshape(box.width, h)[:, box.y : box.bottom]
        return Crop(box, np.asarray(cv2.transpose(columns), np.uint8).view(np.bool_))

    def box_xywh(self) -> Box:
        """Tight box in pixels; zeros if empty."""
        return _box(_ink_edges(self), self.size[0])

    def area(self) -> int:
        """Number of pixels of the mask."""
        return int(unpack_counts(self.counts)[1::2].sum())


def decode_rles(rles: list[Rle]) -> NDArray[np.bool_]:
    """Decode R masks of one size, at least one, to (R, h, w) bool, C-contiguous."""
    import cv2

    h, w = rles[0].size
    out = np.empty((len(rles), h, w), np.uint8)
    for k, rle in enumerate(rles):
        runs = unpack_counts(rle.counts)
        ink = np.zeros(runs.size, np.uint8)
        ink[1::2] = 1
        cv2.transpose(np.repeat(ink, runs).reshape(w, h), dst=out[k])
    return out.view(np.bool_)


def _ink_edges(rle: Rle) -> NDArray[np.int64]:
    """(n, 2) first pixel, column by column, of every run of mask pixels and the one after it."""
    runs = unpack_counts(rle.counts)
    ends = np.cumsum(runs)
    edges = np.stack([(ends - runs)[1::2], ends[1::2]], axis=1)
    return edges[runs[1::2] > 0]


def _box(edges: NDArray[np.int64], h: int) -> Box:
    """The box of the runs between these edges in columns of h pixels."""
    if not len(edges):
        return Box(0, 0, 0, 0)
    first, last = edges[:, 0], edges[:, 1] - 1
    left, right = int(first[0] // h), int(last[-1] // h)
    # A run that holds a column's last and the next one's first row.
    wraps = bool((first // h != last // h).any())
    top = 0 if wraps else int((first % h).min())
    bottom = h - 1 if wraps else int((last % h).max())
    return Box(left, top, right - left + 1, bottom - top + 1)


def rle_from_mask(mask: NDArray[np.bool_]) -> Rle:
    """Encode one (h, w) bool mask."""
    h, w = mask.shape
    flat = mask.T.ravel()
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    start = [0, 0] if flat[0] else [0]
    counts = np.diff(np.concatenate((start, edges, [flat.size])))
    return rle_from_counts(counts.astype(np.int64), (h, w))


def rle_from_counts(counts: NDArray[np.int64], size: tuple[int, int]) -> Rle:
    """Pack runs that are known to sum to h·w. Unchecked: for runs computed here."""
    return Rle(size, pack_counts(counts))


def rle_from_edges(edges: NDArray[np.int64], size: tuple[int, int]) -> Rle:
    """A mask by where it begins and ends, by turns: pixels counted along the columns, ascending.

    `edges` (2n,) are 0 … h·w; what begins where the last run ended goes on. Unchecked, as
    `rle_from_counts`.
    """
    apart = np.diff(edges, prepend=-1, append=-1) != 0
    counts = np.diff(edges[apart[1:] & apart[:-1]], prepend=0, append=size[0] * size[1])
    return rle_from_counts(counts[: -1 if counts[-1] == 0 else None], size)


def rle_from_crop(crop: Crop, size: tuple[int, int]) -> Rle:
    """The mask of an h×w picture that is `crop.mask` inside its box, which lies in the picture.

    The box need not be tight.
    """
    columns = np.pad(crop.mask.T, ((0, 0), (1, 1))).view(np.int8)
    column, row = np.nonzero(np.diff(columns, axis=1))
    return rle_from_edges((crop.box.x + column) * size[0] + crop.box.y + row, size)


def rle_union(rles: Sequence[Rle]) -> Rle:
    """The pixels of any of some masks of one size, at least one mask."""
    if len(rles) == 1:
        return rles[0]
    return rle_from_edges(combined_edges([_ink_edges(r).ravel() for r in rles]), rles[0].size)


def combined_edges(
    inside: Sequence[NDArray[np.int64]], outside: Sequence[NDArray[np.int64]] = ()
) -> NDArray[np.int64]:
    """The edges of what lies in any of the masks `inside` and in none `outside`.

    All are edges as `rle_from_edges` takes them, each of one mask.
    """
    places = np.concatenate([*inside, *outside])
    order = np.argsort(places, kind="stable")
    steps = np.where(np.arange(places.size) % 2, -1, 1)
    within = np.arange(places.size) < sum(map(len, inside))
    depth = np.cumsum((steps * within)[order]), np.cumsum((steps * ~within)[order])
    return edges_where(places[order], (depth[0] > 0) & (depth[1] == 0))


def edges_where(places: NDArray[np.int64], ink: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The edges of a mask that is `ink` from each place, ascending, to the next one.

    Of equal places the last one counts.
    """
    last = np.concatenate((places[1:] != places[:-1], [True]))[: places.size]
    places, ink = places[last], ink[last]
    changes: NDArray[np.bool_] = ink != np.concatenate(([False], ink[:-1]))[: ink.size]
    return np.asarray(places[changes], np.int64)


def rle_from_box(size: tuple[int, int], top: int, left: int, bottom: int, right: int) -> Rle:
    """The rectangle of rows top…bottom−1 and columns left…right−1 of an h×w picture.

    Raises RegionError when no pixel is inside.
    """
    h, w = size
    if not (0 <= top < bottom <= h and 0 <= left < right <= w):
        raise RegionError(
            f"box rows {top}…{bottom}, columns {left}…{right}: expected a non-empty box inside "
            f"the {w}×{h} picture"
        )
    height, width = bottom - top, right - left
    if height == h:
        runs = [left * h, width * h]
    else:
        runs = [left * h + top, *([height, h - height] * width)[:-1]]
    rest = h * w - sum(runs)
    return rle_from_counts(np.array([*runs, rest] if rest else runs, np.int64), size)


def rle_from_runs(counts: object, size: tuple[int, int], what: str) -> Rle:
    """Uncompressed COCO counts from outside, checked; `what` begins the error line.

    Raises RegionError for counts that are not whole numbers ≥ 0 or do not sum to h·w.
    """
    ok = isinstance(counts, list) and all(
        isinstance(c, int) and not isinstance(c, bool) and 0 <= c < 2**32 for c in counts
    )
    if not ok:
        raise RegionError(f"{what}: RLE counts must be a list of whole numbers from 0 up")
    runs = np.array(counts, np.int64)
    _check_total(runs, size, what)
    return rle_from_counts(_canonical(runs), size)


def rle_from_text(counts: str, size: tuple[int, int], what: str) -> Rle:
    """Packed COCO text from outside, checked; `what` begins the error line.

    Raises RegionError for text that is not packed RLE or does not sum to h·w.
    """
    try:
        runs = unpack_counts(counts)
    except ValueError as e:
        raise RegionError(f"{what}: damaged RLE counts ({e}), expected compressed COCO RLE") from e
    _check_total(runs, size, what)
    return rle_from_counts(_canonical(runs), size)


def pack_counts(runs: NDArray[np.int64]) -> str:
    """The packed COCO text of runs. (The COCO API's own packer overruns beyond 2²⁹.)"""
    values = runs.copy()
    values[3:] -= runs[1:-2]
    chars = np.ones(values.size, np.int64)
    for n in range(1, _MAX_CHARS_PER_COUNT):
        limit = 1 << (5 * n - 1)
        chars[(values < -limit) | (values >= limit)] = n + 1
    place = np.arange(chars.sum()) - np.repeat(np.cumsum(chars) - chars, chars)
    codes = (np.repeat(values, chars) >> (5 * place)) & 0x1F
    codes[place < np.repeat(chars, chars) - 1] |= 0x20
    return str((codes + 48).astype(np.uint8).tobytes(), "ascii")


def unpack_counts(text: str) -> NDArray[np.int64]:
    """Runs of a packed COCO text; raises ValueError for text that is not one."""
    try:
        codes = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    except UnicodeEncodeError as e:
        raise ValueError("it has a character outside ASCII") from e
    if codes.size == 0:
        return np.zeros(0, np.int64)
    if codes.min() < 0 or codes.max() > 63:
        raise ValueError("it has a character outside '0'…'o'")
    last = (codes & 0x20) == 0
    if not last[-1]:
        raise ValueError("it ends in the middle of a number")
    ends = np.flatnonzero(last)
    starts = np.concatenate(([0], ends[:-1] + 1))
    if (ends - starts).max() >= _MAX_CHARS_PER_COUNT:
        raise ValueError("it has a number beyond 60 bits")
    place = np.arange(codes.size) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((codes & 0x1F) << (5 * place), starts)
    negative = (codes[ends] & 0x10) != 0
    values[negative] -= np.left_shift(1, 5 * (place[ends][negative] + 1))
    # Runs from the fourth on are differences to the run two before.
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    if values.min() < 0:
        raise ValueError("it has a negative run")
    return values


def _check_total(runs: NDArray[np.int64], size: tuple[int, int], what: str) -> None:
    h, w = size
    # Python integers: hostile runs must not overflow into the right sum.
    total = sum(runs.tolist())
    if total != h * w:
        raise RegionError(
            f"{what}: RLE counts sum to {total} pixels, expected {h * w} for size [{h}, {w}]"
        )


def _canonical(runs: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same mask without inner or trailing runs of 0, so that equal masks have equal text."""
    keep = runs > 0
    if keep.all():
        return runs
    ink = (np.arange(runs.size) % 2)[keep]
    lengths = runs[keep]
    if lengths.size == 0:
        return lengths
    starts = np.flatnonzero(np.concatenate(([True], ink[1:] != ink[:-1])))
    merged = np.add.reduceat(lengths, starts)
    return np.concatenate(([0], merged)) if ink[0] else merged
