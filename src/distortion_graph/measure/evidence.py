"""What is measured between anchor and target inside each region: PSNR, SSIM, HaarPSI, CIEDE2000.

No model takes part and neither picture is called the reference: every number is the same, to the
bit, when the two are exchanged. The maps are computed in bands of rows, band by band in tiles
that stay in a core's cache, and pooled at once, so memory does not grow with the picture beyond
the masks themselves.

* ``psnr_db``: 10·log₁₀(255²/MSE) over the region's R, G and B values.
* ``ssim``: mean of the SSIM map (see ``ssim.py``) over the region's pixels whose whole window lies
  in the picture, which is scikit-image's definition for a whole picture; over all of the region's
  pixels, with the picture mirrored at its edge, where there is no such pixel.
* ``haarpsi``: HaarPSI's similarity maps of the two whole pictures, pooled in the region. This is
  not the score of ``measure/quality.py``, which puts the region alone into the clean picture.
* ``delta_e``: mean CIEDE2000 colour difference (see ``measure/ciede2000.py``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError, RegionError
from distortion_graph.masks.boxes import Box, Crop
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks
from distortion_graph.measure import haar, ssim
from distortion_graph.measure.ciede2000 import delta_e
from distortion_graph.measure.quality import check_pair
from distortion_graph.work.threads import parallel_map

Level = Literal["all", "fast", "none"]
LEVELS: tuple[Level, ...] = ("all", "fast", "none")

T = TypeVar("T")
Rgb = NDArray[np.uint8]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


class Parts(NamedTuple):
    """The parts of a picture that are worked on at once; they change figures by rounding at most.

    Attributes:
        tile: Side of a tile in pixels, even; the maps of one stay in a core's cache.
        band_pixels: Pixels of a band of rows; its maps take about 11 bytes for each.
        threads_from_pixels: Pictures with fewer pixels are not worth starting threads for.
    """

    tile: int = 256
    band_pixels: int = 1 << 22
    threads_from_pixels: int = 1 << 20


PARTS = Parts()


@dataclass(frozen=True)
class RegionEvidence:
    """Measurements inside one region; higher is more alike except for ``delta_e``.

    Attributes:
        psnr_db: Decibels; None where the pixels are identical.
        ssim: In [−1, 1]; 1 where the pixels are identical.
        haarpsi: In [0, 1]; 1 where the pixels are identical.
        delta_e: ≥ 0; None when it was not asked for.
    """

    psnr_db: float | None
    ssim: float
    haarpsi: float
    delta_e: float | None


class MeasuredEvidence(NamedTuple):
    """Evidence by region, in the masks' order, and of the scene; None where not measured."""

    regions: tuple[RegionEvidence | None, ...]
    scene: RegionEvidence | None


NO_EVIDENCE = MeasuredEvidence((), None)
"""Nothing was measured."""


def measure_evidence(
    anchor: Rgb,
    target: Rgb,
    masks: Masks | MaskArrays,
    level: Level = "all",
    parts: Parts = PARTS,
) -> MeasuredEvidence:
    """Measure how the two pictures differ inside every region and as a whole.

    Args:
        anchor: (H, W, 3) RGB uint8.
        target: The same shape.
        masks: (R, H, W) bool, a sequence of (H, W) bool masks, or `Masks`, such as a ``RegionSet``;
            regions may overlap, R may be 0.
        level: "all"; "fast", without CIEDE2000; or "none", nothing.
        parts: What is worked on at once.

    Raises:
        ImageError: The arrays are not two RGB uint8 pictures of one size.
        RegionError: A mask is not (H, W) bool, or has no pixel.
        RecipeError: An unknown level.
    """
    if level not in LEVELS:
        raise RecipeError(f"unknown evidence level {level!r}; expected one of: {', '.join(LEVELS)}")
    check_pair(anchor, target)
    masks = as_masks(masks, anchor.shape[:2])
    count = len(masks)
    if level == "none":
        return MeasuredEvidence((None,) * count, None)
    sums = [_Sums() for _ in range(count + 1)]  # the scene's last

    for band in _bands(anchor, target, level == "all", parts):

        def add(index: int, band: _Band = band) -> None:
            part = None if index == count else _part(masks.crop(index), band)
            sums[index].add(band, part)

        _shared(add, (count, *range(count)), anchor, parts)
    for index, region in enumerate(sums[:count]):
        if not region.pixels:
            raise RegionError(f"mask {index} has no pixel, expected at least one; leave it out")
    *regions, scene = (total.result() for total in sums)
    return MeasuredEvidence(tuple(regions), scene)


class _Part(NamedTuple):
    """A region's pixels in a band: the mask of a box that begins and ends on even pixels."""

    box: Box
    inside: Bools


def _part(crop: Crop, band: _Band) -> _Part:
    """The box may pass the picture's edge by one pixel, and is empty for a region elsewhere."""
    own = crop.box.moved(0, -band.top)
    inside = own.meet(band.frame)
    mask = crop.mask[inside.within(own)]
    if inside.empty:
        return _Part(inside, mask)
    if inside != own:
        tight = Box.around(mask)
        inside, mask = tight.moved(inside.x, inside.y), mask[tight.area]
    box = inside.on_grid(2)
    if box != inside:
        before, after = inside.y - box.y, box.bottom - inside.bottom
        left, right = inside.x - box.x, box.right - inside.right
        mask = np.pad(mask, ((before, after), (left, right)))
    return _Part(box, mask)


@dataclass(frozen=True)
class _Band:
    """Pixels and maps of the rows from ``top`` (even); boxes count from the band's first row.

    Attributes:
        frame: The whole band.
        inner: The pixels whose SSIM window lies in the picture.
        similarity: HaarPSI's terms on the half grid.
        delta_e: None when it was not asked for.
    """

    top: int
    frame: Box
    inner: Box
    anchor: Rgb
    target: Rgb
    ssim: Floats
    similarity: haar.Terms
    delta_e: Floats | None


def _bands(anchor: Rgb, target: Rgb, with_colour: bool, parts: Parts) -> Iterator[_Band]:
    height, width = anchor.shape[:2]
    side = parts.tile
    rows = max(side, parts.band_pixels // width // side * side)
    edge = ssim.RADIUS
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        frame = Box(0, 0, width, bottom - top)
        cells = frame.in_cells(2)
        pixels, half = (frame.bottom, width), (cells.bottom, cells.right)
        structure = np.empty(pixels, dtype=np.float32)
        similarity = haar.Terms(*(np.empty(half, dtype=np.float32) for _ in range(3)))
        colour = np.empty(pixels, dtype=np.float32) if with_colour else None
        pair = anchor[top:bottom], target[top:bottom]
        band = _Band(
            top,
            frame,
            Box(edge, edge - top, width - 2 * edge, height - 2 * edge).meet(frame),
            *pair,
            structure,
            similarity,
            colour,
        )

        def fill(tile: Box, band: _Band = band) -> None:
            _fill_ssim(band.ssim, anchor, target, tile, band.top)
            _fill_similarity(band.similarity, anchor, target, tile.in_cells(2), band.top // 2)
            if band.delta_e is not None:
                own = tile.area
                band.delta_e[own] = delta_e(band.anchor[own], band.target[own])

        tiles = [
            Box(x, y, side, side).meet(frame)
            for y in range(0, frame.bottom, side)
            for x in range(0, width, side)
        ]
        _shared(fill, tiles, anchor, parts)
        yield band


def _shared(work: Callable[[T], None], items: Sequence[T], picture: Rgb, parts: Parts) -> None:
    """Do all of the work, in threads for a picture that is large enough to pay for them."""
    if picture.size >= 3 * parts.threads_from_pixels:
        parallel_map(work, items)
        return
    for item in items:
        work(item)


def _fill_ssim(out: Floats, anchor: Rgb, target: Rgb, tile: Box, top: int) -> None:
    """Write one tile of the map of the band from row ``top``."""
    own = tile.moved(0, top)
    seen = own.grown(ssim.RADIUS).clipped(anchor.shape)
    values = ssim.ssim_map(anchor[seen.area], target[seen.area])
    out[tile.area] = values[own.within(seen)]


def _fill_similarity(out: haar.Terms, anchor: Rgb, target: Rgb, cells: Box, top: int) -> None:
    """Write one tile of half-grid cells of the band whose first cell is in row ``top``."""
    rows, columns = (cells.y + top, cells.bottom + top), (cells.x, cells.right)
    first, second = (
        haar.haar_maps(haar.window_planes(rgb, rows, columns)) for rgb in (anchor, target)
    )
    for part, values in zip(out, haar.terms(*haar.losses(first, second)), strict=True):
        part[cells.area] = values


class _Sums:
    """Running sums over one region, band by band."""

    def __init__(self) -> None:
        self.pixels = 0
        self.squares = 0
        self.ssim = 0.0
        self.inner_pixels = 0
        self.inner_ssim = 0.0
        self.delta_e: float | None = None
        self.haar = haar.NOTHING

    def add(self, band: _Band, part: _Part | None) -> None:
        """Add a band; ``part`` is what the region has of it, None for the whole picture."""
        box = band.frame if part is None else part.box.meet(band.frame)
        if box.empty:
            return
        inside = None if part is None else part.inside[: box.height, : box.width]
        share = None if inside is None else inside.astype(np.float32)
        self.pixels += box.pixels if inside is None else int(np.count_nonzero(inside))
        bits = None if inside is None else inside.view(np.uint8)
        own = box.area
        # OpenCV squares the root of the exact sum; rounding undoes that.
        self.squares += round(cv2.norm(band.anchor[own], band.target[own], cv2.NORM_L2SQR, bits))
        self._add_ssim(band, box, inside, share)
        if band.delta_e is not None:
            self.delta_e = (self.delta_e or 0.0) + haar.total(band.delta_e[own], share)
        cells = box.in_cells(2).area
        terms = haar.Terms(*(part[cells] for part in band.similarity))
        pooled = haar.pool(terms, None if inside is None else haar.cell_shares(inside))
        self.haar = self.haar.plus(pooled)

    def _add_ssim(self, band: _Band, box: Box, inside: Bools | None, share: Floats | None) -> None:
        values = band.ssim[box.area]
        self.ssim += haar.total(values, share)
        inner = box.meet(band.inner)
        if inner.empty:
            return
        part = inner.within(box)
        self.inner_pixels += inner.pixels if inside is None else int(np.count_nonzero(inside[part]))
        self.inner_ssim += haar.total(values[part], None if share is None else share[part])

    def result(self) -> RegionEvidence:
        """The region's measurements; it must have a pixel."""
        if not self.squares:
            # The maps' windows see the neighbours; the region's own pixels are the same.
            return RegionEvidence(None, 1.0, 1.0, self.delta_e)
        if self.inner_pixels:
            structure = self.inner_ssim / self.inner_pixels
        else:
            structure = self.ssim / self.pixels
        return RegionEvidence(
            psnr_db=10 * math.log10(255**2 * 3 * self.pixels / self.squares),
            ssim=min(max(structure, -1.0), 1.0),
            haarpsi=haar.score_of(self.haar),
            delta_e=None if self.delta_e is None else self.delta_e / self.pixels,
        )
