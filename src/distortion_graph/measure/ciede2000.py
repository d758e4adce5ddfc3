"""CIEDE2000 colour differences of 8-bit sRGB pixels, in float32 and without angles.

Sharma, Wu, Dalal, *The CIEDE2000 color-difference formula: implementation notes, supplementary
test data, and mathematical observations*, Color Research and Application 30(1), 2005. Lab is for
D65 and the 2° observer, with the matrix and thresholds of scikit-image.

The formula is written in angles, but needs only their cosines and sines: the mean hue is the
direction of the two colours' bisector, multiples of it follow by the angle-sum identities, and
the hue difference is a cross product. This avoids most transcendental functions, and every step
treats the two colours alike, so that exchanging them gives the same bits.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Pixels computed at a time: some 30 temporaries of 256 kB. Smaller ones would stay in a nearer
# cache, but steps so short leave threads waiting for each other.
CHUNK = 1 << 16

# Linear sRGB to XYZ/white (D65, 2°), and (f(X), f(Y), f(Z)) to Lab, L without its offset.
_XYZ = np.array(
    [
        [0.412453, 0.357580, 0.180423],
        [0.212671, 0.715160, 0.072169],
        [0.019334, 0.119193, 0.950227],
    ]
)
_XYZ_OVER_WHITE = (_XYZ / np.array([[0.95047], [1.0], [1.08883]])).astype(np.float32)
_LAB = np.array([[0, 116, 0], [500, -500, 0], [0, 200, -200]], dtype=np.float32)
_LINEAR_BELOW = 0.008856
_TINY = np.float32(1e-12)
_P7 = np.float32(25.0**7)


def _degrees(angle: float) -> tuple[float, float]:
    return math.cos(math.radians(angle)), math.sin(math.radians(angle))


_COS275, _SIN275 = _degrees(275.0)
_C30, _S30 = _degrees(30.0)
_C6, _S6 = _degrees(6.0)
_C63, _S63 = _degrees(63.0)
# arccos(1 − u)² = 2 Σ (2u)ⁿ / (n²·C(2n, n)); beyond u ≈ 1 its exponential has vanished.
_ARC_SQUARED = [2 * 2.0**n / (n * n * math.comb(2 * n, n)) for n in range(1, 6)]
_HUE_WIDTH = -((180 / math.pi / 25) ** 2)


@cache
def linear_light() -> Floats:
    """sRGB's inverse transfer function for the 256 values, IEC 61966-2-1."""
    x = np.arange(256) / 255.0
    return np.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92).astype(np.float32)


def delta_e(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Floats:
    """CIEDE2000 of every pixel; the same bits for either order of the pictures.

    Args:
        first: (..., 3) RGB uint8.
        second: The same shape.

    Returns:
        Differences ≥ 0, float32, of the shape without its last axis; 0 for equal pixels.
    """
    shape = first.shape[:-1]
    first, second = first.reshape(-1, 1, 3), second.reshape(-1, 1, 3)
    out = np.zeros(len(first), dtype=np.float32)
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        if not np.array_equal(first[part], second[part]):
            out[part] = difference(lab(first[part]), lab(second[part]))
    return out.reshape(shape)


def lab(rgb: NDArray[np.uint8]) -> Floats:
    """(3, n) L, a, b, with L's constant offset left out, from (n, 1, 3) RGB uint8."""
    f: Any = cv2.transform(cv2.LUT(rgb, linear_light()), _XYZ_OVER_WHITE)
    # f(t) is the cube root above the threshold and a line below: at the threshold the one takes
    # over from the other, so their sum needs no selection.
    line = np.minimum(f, np.float32(_LINEAR_BELOW))
    line -= np.float32(_LINEAR_BELOW)
    line *= np.float32(7.787)
    np.maximum(f, np.float32(_LINEAR_BELOW), out=f)
    np.cbrt(f, out=f)
    f += line
    return np.ascontiguousarray(cv2.transform(f, _LAB).reshape(-1, 3).T)


def difference(one: Floats, two: Floats) -> Floats:
    """CIEDE2000 of (3, n) Lab values (without L's offset): (n,)."""
    l1, a1, b1 = one
    l2, a2, b2 = two
    squares1, squares2 = b1 * b1, b2 * b2
    stretch = np.float32(1.5) - np.float32(0.5) * _chroma_share(
        (np.sqrt(a1 * a1 + squares1) + np.sqrt(a2 * a2 + squares2)) * np.float32(0.5)
    )
    a1, a2 = a1 * stretch, a2 * stretch
    c1, c2 = np.sqrt(a1 * a1 + squares1), np.sqrt(a2 * a2 + squares2)
    mean_c = (c1 + c2) * np.float32(0.5)
    cos, sin = _mean_hue(a1, b1, c1, a2, b2, c2)
    hue, turn = _hue_difference(a1, b1, a2, b2, c1 * c2)

    light = (l1 + l2) * np.float32(0.5)
    light -= np.float32(66)  # L is 16 less than these values, and the formula wants L − 50
    light *= light
    light /= np.sqrt(light + np.float32(20))
    light *= np.float32(0.015)
    light += 1
    light = (l2 - l1) / light
    chroma = (c2 - c1) / (mean_c * np.float32(0.045) + np.float32(1))
    hue /= mean_c * np.float32(0.015) * _hue_weight(cos, sin) + np.float32(1)
    rotation = _rotation(cos, sin) * _chroma_share(mean_c)
    rotation *= chroma * turn * hue
    total = light * light + chroma * chroma + hue * hue - rotation
    np.maximum(total, 0, out=total)
    return np.asarray(np.sqrt(total, out=total), dtype=np.float32)


def _chroma_share(chroma: Floats) -> Floats:
    """√(C⁷ / (C⁷ + 25⁷))."""
    square = chroma * chroma
    seventh = square * square
    seventh *= square
    seventh *= chroma
    seventh /= seventh + _P7
    return np.asarray(np.sqrt(seventh, out=seventh), dtype=np.float32)


def _mean_hue(
    a1: Floats, b1: Floats, c1: Floats, a2: Floats, b2: Floats, c2: Floats
) -> tuple[Floats, Floats]:
    """Cosine and sine of the mean hue: the bisector of the two colours' unit vectors.

    Times C₁·C₂ the unit vectors need no division. The small bias leaves the hue of the other
    colour where one has none.
    """
    c1, c2 = c1 + np.float32(1e-6), c2 + np.float32(1e-6)
    cos, sin = a1 * c2 + a2 * c1, b1 * c2 + b2 * c1
    length = np.sqrt(cos * cos + sin * sin)
    np.maximum(length, _TINY, out=length)
    cos /= length
    sin /= length
    return cos, sin


def _hue_difference(
    a1: Floats, b1: Floats, a2: Floats, b2: Floats, product: Floats
) -> tuple[Floats, Floats]:
    """|ΔH′| = 2·√(C₁C₂)·|sin(Δh/2)| and the sign of Δh; ``product`` is C₁·C₂.

    With cross = C₁C₂·sin Δh and dot = C₁C₂·cos Δh it is |cross|·√(2/(C₁C₂ + dot)), which keeps
    its precision for small angles, and √(2(C₁C₂ − dot)) for those beyond 90°.
    """
    cross = a1 * b2 - a2 * b1
    dot = a1 * a2 + b1 * b2
    turn = np.sign(cross)
    np.abs(cross, out=cross)
    obtuse = dot < 0
    product += np.abs(dot, out=dot)
    if obtuse.any():
        np.copyto(cross, product, where=obtuse)
    np.maximum(product, _TINY, out=product)
    cross *= np.sqrt(np.float32(2) / product)
    return cross, turn


def _hue_weight(cos: Floats, sin: Floats) -> Floats:
    """T = 1 − .17 cos(h − 30°) + .24 cos 2h + .32 cos(3h + 6°) − .20 cos(4h − 63°)."""
    double = np.float32(2) * cos * cos - np.float32(1)
    weight = double * np.float32(-0.40 * _C63) + np.float32(0.24)
    weight *= double
    weight += np.float32(1 + 0.20 * _C63)
    weight += cos * (double * np.float32(0.64 * _C6) - np.float32(0.17 * _C30 + 0.32 * _C6))
    slope = cos * np.float32(-0.80 * _S63) - np.float32(0.64 * _S6)
    slope *= double
    slope -= np.float32(0.17 * _S30 + 0.32 * _S6)
    weight += sin * slope
    return weight


def _rotation(cos: Floats, sin: Floats) -> Floats:
    """2·sin(2Δθ), Δθ = 30°·exp(−((h − 275°)/25°)²), for the blues."""
    u = cos * np.float32(-_COS275) + sin * np.float32(-_SIN275) + np.float32(1)
    np.clip(u, 0, 1.2, out=u)
    squared = np.full_like(u, _ARC_SQUARED[-1])
    for factor in reversed(_ARC_SQUARED[:-1]):
        squared *= u
        squared += np.float32(factor)
    squared *= u
    squared *= np.float32(_HUE_WIDTH)
    np.exp(squared, out=squared)
    squared *= np.float32(math.pi / 3)
    np.sin(squared, out=squared)
    squared *= 2
    return squared
