"""Haar similarity maps of HaarPSI, in exact integers up to the similarity itself.

Reisenhofer, Bosse, Kutyniok, Wiegand, *A Haar wavelet-based perceptual similarity index for image
quality assessment*, Signal Processing: Image Communication 61, 2018 (arXiv 1607.06140).

The YIQ coefficients have four decimals, so 2×2 block sums of 10⁴·YIQ and every Haar sum over them
fit a 32-bit integer. The filters are therefore exact, whatever window of the picture they are
computed in; only the similarity is rounded (float32). A similarity does not change when both
magnitudes and √C are multiplied by one number, so the integers are never divided down.

Arrays are planar on the *half grid* of h = ⌈H/2⌉ by w = ⌈W/2⌉ cells: cell (i, j) is the picture's
2×2 block at (2i, 2j), with zeros beyond the frame.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

ALPHA = 4.2
C = 30.0
# Cells that the widest filter (8×8, aligned as MATLAB's conv2 "same") reads before and after its
# own cell: the margin of zeros that planes carry.
BEFORE, AFTER = 3, 4
MARGIN = BEFORE + AFTER

_YIQ_E4 = np.array(
    [[2990, 5870, 1140], [5959, -2746, -3213], [2115, -5227, 3112]], dtype=np.float32
)
# A block sum is 4·10⁴ times the block's mean, a filter of size K divides by K once more, and the
# chroma's 2×2 mean by 4. C belongs to the true scale and grows with the square of the integers'.
DETAIL_SCALE = 4.0e4 * np.array([2, 2, 4, 4, 4, 4], dtype=np.float64)
WEIGHT_SCALE = 4.0e4 * np.array([8, 8], dtype=np.float64)
"""What the integers of `HaarMaps.detail` and `HaarMaps.weight` are divided by to be magnitudes."""

_SCALED_C = (C * DETAIL_SCALE**2).astype(np.float32).reshape(6, 1, 1)

Planes = NDArray[np.int32]
Maps = NDArray[np.float32]


class HaarMaps(NamedTuple):
    """Filter magnitudes of one picture over a window of (h, w) cells, at the integers' scale.

    Attributes:
        detail: (6, h, w) float32: rows at size 2, columns at size 2, I, rows at size 4, columns
            at size 4, Q.
        energy: (6, h, w) float32: squares of ``detail``.
        weight: (2, h, w) float32: rows and columns at size 8.
    """

    detail: Maps
    energy: Maps
    weight: Maps


class Terms(NamedTuple):
    """What every cell adds to the sums of ``Pooled``: three (h, w) float32 maps."""

    loss: Maps
    weight: Maps
    plain_loss: Maps


class Pooled(NamedTuple):
    """Sums over a region from which its score follows; sums of disjoint tiles may be added.

    Attributes:
        loss: Σ w·(1 − σ(α·s)) over the three maps.
        weight: Σ w over the three maps.
        plain_loss: Σ (1 − σ(α·s)) over the three maps, used where ``weight`` is 0.
        plain_weight: number of terms of ``plain_loss``, cells weighted by the mask.
    """

    loss: float
    weight: float
    plain_loss: float
    plain_weight: float

    def plus(self, other: Pooled) -> Pooled:
        """Sums over both, for regions pooled part by part."""
        return Pooled(*(a + b for a, b in zip(self, other, strict=True)))


NOTHING = Pooled(0.0, 0.0, 0.0, 0.0)


def half_size(height: int, width: int) -> tuple[int, int]:
    """Cells of the half grid of an H×W picture."""
    return (height + 1) // 2, (width + 1) // 2


def window_planes(
    rgb: NDArray[np.uint8], rows: tuple[int, int], columns: tuple[int, int]
) -> Planes:
    """Block sums of 10⁴·YIQ for a window of cells and the filters' margin around it.

    Args:
        rgb: (H, W, 3) RGB uint8.
        rows: First cell and the one after the last.
        columns: The same.

    Returns:
        (3, rows + 7, columns + 7) int32, zeros where the margin lies beyond the frame.
    """
    height, width = rgb.shape[:2]
    h, w = half_size(height, width)
    top, bottom = max(rows[0] - BEFORE, 0), min(rows[1] + AFTER, h)
    left, right = max(columns[0] - BEFORE, 0), min(columns[1] + AFTER, w)
    pixels = _evened(rgb[2 * top : 2 * bottom, 2 * left : 2 * right], cv2.BORDER_CONSTANT)
    size = (right - left, bottom - top)
    # Means of four 8-bit values and their products with 4·10⁴·YIQ are exact in float32.
    means = cv2.resize(pixels.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    sums = cv2.transform(means, 4 * _YIQ_E4)
    planes = np.zeros((3, rows[1] - rows[0] + MARGIN, columns[1] - columns[0] + MARGIN), np.int32)
    y, x = top - rows[0] + BEFORE, left - columns[0] + BEFORE
    planes[:, y : y + bottom - top, x : x + right - left] = sums.transpose(2, 0, 1)
    return planes


def haar_maps(planes: Planes) -> HaarMaps:
    """Filter magnitudes over a window.

    Args:
        planes: (3, h + 7, w + 7) int32 block sums of 10⁴·YIQ: the window, 3 cells before it and
            4 after it, zeros where those lie beyond the frame.
    """
    y = planes[0]
    h, w = y.shape[0] - MARGIN, y.shape[1] - MARGIN
    sum2, dif2 = y[:, :-1] + y[:, 1:], y[:, 1:] - y[:, :-1]
    sum4, dif4 = sum2[:, :-2] + sum2[:, 2:], sum2[:, 2:] - sum2[:, :-2]
    sum8, dif8 = sum4[:, :-4] + sum4[:, 4:], sum4[:, 4:] - sum4[:, :-4]
    # Size K starts K/2 − 1 cells before the cell it belongs to: windows 3, 2 and 0 into the margin.
    rows4, cols4 = _pairs(sum4[2:-1], 1), _pairs(dif4[2:-1], 1)
    rows8, cols8 = _pairs(_pairs(sum8, 1), 2), _pairs(_pairs(dif8, 1), 2)
    chroma = planes[1:, BEFORE : BEFORE + h + 1, BEFORE : BEFORE + w + 1]
    chroma = chroma[:, :-1] + chroma[:, 1:]

    detail = np.empty((6, h, w), dtype=np.float32)
    detail[0] = sum2[4 : 4 + h, 3 : 3 + w] - sum2[3 : 3 + h, 3 : 3 + w]
    detail[1] = dif2[3 : 3 + h, 3 : 3 + w] + dif2[4 : 4 + h, 3 : 3 + w]
    detail[3] = (rows4[2:] - rows4[:-2])[:h, 2 : 2 + w]
    detail[4] = (cols4[2:] + cols4[:-2])[:h, 2 : 2 + w]
    detail[2], detail[5] = chroma[:, :, :-1] + chroma[:, :, 1:]
    np.abs(detail, out=detail)
    weight = np.empty((2, h, w), dtype=np.float32)
    weight[0] = rows8[4:] - rows8[:-4]
    weight[1] = cols8[4:] + cols8[:-4]
    np.abs(weight, out=weight)
    return HaarMaps(detail, detail * detail, weight)


def _pairs(sums: Planes, step: int) -> Planes:
    """Sums of rows ``step`` apart."""
    return sums[:-step] + sums[step:]


def losses(first: HaarMaps, second: HaarMaps) -> tuple[Maps, Maps]:
    """What the pair loses at every cell and how much it weighs; symmetric to the bit.

    1 − S = (x − y)²/(x² + y² + C) and 1 − σ(z) = 1/(1 + eᶻ) keep full relative precision near
    perfect similarity, where σ itself would round to a few float32 steps.

    Returns:
        (3, h, w) values of 1 − σ(α·s), and (2, h, w) weights of the two orientations; the
        chroma map's weight is their mean.
    """
    gap = first.detail - second.detail
    gap *= gap
    energy = first.energy + second.energy
    energy += _SCALED_C
    gap /= energy
    loss = gap[:3]
    loss += gap[3:]
    loss *= np.float32(-ALPHA / 2)
    loss += np.float32(ALPHA)
    np.exp(loss, out=loss)
    loss += 1
    np.reciprocal(loss, out=loss)
    return loss, np.maximum(first.weight, second.weight)


def terms(loss: Maps, weight: Maps) -> Terms:
    """What every cell adds to ``Pooled``."""
    half_chroma = loss[2] * np.float32(0.5)
    summed = (loss[0] + half_chroma) * weight[0] + (loss[1] + half_chroma) * weight[1]
    return Terms(summed, (weight[0] + weight[1]) * np.float32(1.5), loss[0] + loss[1] + loss[2])


def pool(maps: Terms, share: Maps | None) -> Pooled:
    """Sums over a region; ``share`` (h, w) is how much of every cell is in it, None for all."""
    cells = 3.0 * (maps.loss.size if share is None else total(share))
    loss, weight, plain = (total(part, share) for part in maps)
    return Pooled(loss, weight, plain, cells)


def total(values: Maps, share: Maps | None = None) -> float:
    """Σ values, or Σ values·share, accumulated in float64."""
    return float(cv2.sumElems(values if share is None else values * share)[0])


def cell_shares(mask: NDArray[np.bool_]) -> Maps:
    """Share of every cell's pixels that are in an (H, W) mask: (h, w) float32.

    Pixels beyond the frame do not count, so a mask of the whole frame weighs all cells alike.
    """
    h, w = half_size(*mask.shape)
    values = _evened(mask.view(np.uint8), cv2.BORDER_REPLICATE).astype(np.float32)
    return np.asarray(cv2.resize(values, (w, h), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _evened(pixels: NDArray[np.uint8], border: int) -> NDArray[np.uint8]:
    """A row or a column more where the number of them is odd: zeros, or the last one again."""
    rows, columns = pixels.shape[0] % 2, pixels.shape[1] % 2
    if not rows and not columns:
        return pixels
    return np.asarray(cv2.copyMakeBorder(pixels, 0, rows, 0, columns, border), np.uint8)


def score_of(pooled: Pooled) -> float:
    """(logit(h)/α)² clipped to [0, 1], h = 1 − loss share; 1.0 where nothing was pooled."""
    if pooled.weight > 0:
        share = pooled.loss / pooled.weight
    elif pooled.plain_weight > 0:
        share = pooled.plain_loss / pooled.plain_weight
    else:
        return 1.0
    # s ≤ 1 keeps the share at 1/(1 + e^α) or above, s ≥ 0 at one half or below.
    score = (math.log((1.0 - share) / share) / ALPHA) ** 2 if 0.0 < share < 0.5 else 0.0
    return min(score, 1.0)
