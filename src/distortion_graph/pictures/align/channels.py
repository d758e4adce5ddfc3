"""The mixtures of colours in which two pictures are most alike.

Luma is what most distortions leave. Of a picture whose saturation is overdone, or whose highlights
are blown out, more is left in the largest or the least of red, green and blue, or in one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import Plane, Pyramid, band_pass, level_indices
from distortion_graph.pictures.align.matrices import Matrix, Size
from distortion_graph.pictures.align.refine import levels_for

Weights: TypeAlias = NDArray[np.float64]

_COVARIANCE = cv2.COVAR_NORMAL | cv2.COVAR_ROWS | cv2.COVAR_SCALE
_MORE = 1.1  # times the information that the lumas share
_RIDGE = 0.02  # of the mean variance of the channels
_LEAST_CORRELATION = 0.05
_NOISE = 0.05  # squared grey levels: what rounding adds


def in_better_channels(
    onto: Pyramid, of: Pyramid, matrix: Matrix, pixels: int, finest: int
) -> tuple[Pyramid, Pyramid] | None:
    """Both pictures in the colour in which `matrix` makes them most alike; None where it is luma.

    Of `in_common_colours`, the first.
    """
    other = in_common_colours(onto, of, matrix, pixels, finest, 1)
    return other[0] if other and shares_more(other[0], (onto, of), matrix, pixels) else None


def shares_more(
    view: tuple[Pyramid, Pyramid], than: tuple[Pyramid, Pyramid], matrix: Matrix, pixels: int
) -> bool:
    """Whether two pictures seen in one way plainly share more than seen in another."""
    found, plain = (levels_for(*v, matrix, pixels).shared(matrix).information for v in (view, than))
    return found > _MORE * plain


def in_common_colours(
    onto: Pyramid, of: Pyramid, matrix: Matrix, pixels: int, finest: int, count: int
) -> list[tuple[Pyramid, Pyramid]]:
    """Both pictures in up to `count` colours in which `matrix` makes them alike, the best first.

    Looked for at the level of so many `pixels`, for use at levels up to the `finest`; empty where
    hardly a pixel is shared.

    The colours are the first pairs of a canonical correlation analysis (Hotelling, Biometrika 28,
    1936) over red, green, blue, the largest and the least of them, after a band pass: each tells
    what those before it do not.
    """
    levels = levels_for(onto, of, matrix, pixels)
    first, second = (
        band_pass(_channels(picture, level.detail.shape))
        for picture, level in ((onto, levels.onto), (of, levels.of))
    )
    indices = level_indices(matrix, *levels)
    frame = first.shape[1::-1]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(second, indices, frame, flags=flags)
    inside = cv2.warpPerspective(np.ones(second.shape[:2], np.float32), indices, frame, flags=flags)
    shown = inside > 1 - 1e-3
    table = np.hstack([first[shown], laid[shown]])
    if len(table) <= table.shape[1]:
        return []
    covariance, _ = cv2.calcCovarMatrix(table, None, _COVARIANCE, ctype=cv2.CV_64F)  # type: ignore[call-overload]
    colours = list(zip(*_canonical(covariance)[:count], strict=True))
    if not colours:
        return []
    seen = (_seen_in(p, w, finest) for p, w in zip((onto, of), colours, strict=True))
    return list(zip(*seen, strict=True))


def _seen_in(picture: Pyramid, colours: Sequence[Weights], pixels: int) -> list[Pyramid]:
    size = picture.reduced_size(picture.factor_for(pixels))
    planes = cv2.split(cv2.transform(_channels(picture, size), np.stack(colours)))
    return [Pyramid(picture.rgb, np.asarray(grey, np.float32)) for grey in planes]


def _channels(picture: Pyramid, size: Size) -> Plane:
    """(h, w, 5) float32: red, green, blue, the largest and the least."""
    rgb = picture.rgb
    if size != picture.size:
        rgb = cv2.resize(rgb, size[::-1], interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    red, green, blue = cv2.split(rgb)
    largest, least = (both(both(red, green), blue) for both in (cv2.max, cv2.min))
    return np.dstack([red, green, blue, largest, least]).astype(np.float32)


def _canonical(covariance: Matrix) -> list[tuple[Weights, Weights]]:
    """Weights (5,) of both pictures' channels, of absolute sum 1; what correlates most first."""
    count = len(covariance) // 2
    whiten = []
    for own in (slice(count), slice(count, None)):
        block = covariance[own, own]
        ridge = _RIDGE * float(np.trace(block)) / count + _NOISE
        whiten.append(np.linalg.inv(np.linalg.cholesky(block + ridge * np.eye(count))).T)
    left, alike, right = np.linalg.svd(whiten[0].T @ covariance[:count, count:] @ whiten[1])
    pairs = ((whiten[0] @ left[:, k], whiten[1] @ right[k]) for k in range(count))
    return [
        (mine / np.abs(mine).sum(), its / np.abs(its).sum())
        for (mine, its), correlation in zip(pairs, alike, strict=True)
        if correlation > _LEAST_CORRELATION
    ]
