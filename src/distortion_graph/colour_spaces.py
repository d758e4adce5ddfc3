"""RGB colour spaces by primaries and transfer function, and the way from each of them to sRGB.

Code points are those of ITU-T H.273 (ISO/IEC 23091-2), which PNG, AVIF and HEIF share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Linear = NDArray[np.float32]
Chromaticities = tuple[tuple[float, float], ...]
"""CIE 1931 (x, y) of red, green, blue and white."""

REFERENCE_WHITE_NITS = 203.0
"""Luminance of a PQ or HLG picture that becomes sRGB white, in cd/m² (ITU-R BT.2408)."""

D50_WHITE = (0.9642, 1.0, 0.8249)
"""XYZ of the white of ICC profiles."""

_HLG_PEAK_NITS, _HLG_SYSTEM_GAMMA = 1000.0, 1.2
_D65, _C, _DCI = (0.3127, 0.3290), (0.310, 0.316), (0.314, 0.351)
SRGB_PRIMARIES: Chromaticities = ((0.640, 0.330), (0.300, 0.600), (0.150, 0.060), _D65)
_SMPTE_170M: Chromaticities = ((0.630, 0.340), (0.310, 0.595), (0.155, 0.070), _D65)
_P3 = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))

PRIMARIES: dict[int, Chromaticities] = {
    1: SRGB_PRIMARIES,
    4: ((0.67, 0.33), (0.21, 0.71), (0.14, 0.08), _C),
    5: ((0.64, 0.33), (0.29, 0.60), (0.15, 0.06), _D65),
    6: _SMPTE_170M,
    7: _SMPTE_170M,
    8: ((0.681, 0.319), (0.243, 0.692), (0.145, 0.049), _C),
    9: ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046), _D65),
    10: ((1.0, 0.0), (0.0, 1.0), (0.0, 0.0), (1 / 3, 1 / 3)),
    11: (*_P3, _DCI),
    12: (*_P3, _D65),
    22: ((0.630, 0.340), (0.295, 0.605), (0.155, 0.077), _D65),
}
"""H.273 colour primaries."""

# Bradford's cone responses, by which ICC profiles adapt white (ICC.1:2022, annex E).
_BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
_SAME_CHROMATICITY = 0.002
_TABLE_STEPS = 65535
_DITHER_STEPS = 16


@dataclass(frozen=True)
class Transfer:
    """How numbers from 0 to 1 become light: 1 is white, or `REFERENCE_WHITE_NITS` where `hdr`.

    `key` tells transfer functions apart. `scene` is whether what comes out is HLG's light of the
    scene, which `convert` still turns into that of a display.
    """

    key: str
    to_linear: Callable[[Floats], Floats]
    hdr: bool = False
    scene: bool = False


def power(exponent: float) -> Transfer:
    """Light = number to the power of `exponent`."""
    return Transfer(f"gamma {exponent:.5g}", lambda v: np.maximum(v, 0) ** exponent)


def _knee(alpha: float, beta: float, slope: float, exponent: float) -> Callable[[Floats], Floats]:
    """The inverse of V = α·L^e − (α − 1) above L = β, and of slope·L below."""

    def to_linear(v: Floats) -> Floats:
        above = (np.maximum(v, 0) + alpha - 1) / alpha
        return np.where(v < slope * beta, v / slope, above ** (1 / exponent))

    return to_linear


def _srgb(v: Floats) -> Floats:
    """IEC 61966-2-1."""
    return np.where(v <= 0.04045, v / 12.92, ((np.maximum(v, 0) + 0.055) / 1.055) ** 2.4)


def _logarithmic(decades: float) -> Callable[[Floats], Floats]:
    return lambda v: np.where(v <= 0, 0.0, 10.0 ** ((v - 1) * decades))


def _pq(v: Floats) -> Floats:
    """SMPTE ST 2084, in units of the reference white."""
    m1, m2 = 2610 / 16384, 2523 / 4096 * 128
    c1, c2, c3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32
    root = np.maximum(v, 0) ** (1 / m2)
    light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    return np.asarray(light * (10_000 / REFERENCE_WHITE_NITS))


def _hlg(v: Floats) -> Floats:
    """ARIB STD-B67, ITU-R BT.2100: light of the scene from 0 to 1."""
    a = 0.17883277
    b, c = 1 - 4 * a, 0.5 - a * np.log(4 * a)
    return np.where(v <= 0.5, v * v / 3, (np.exp((v - c) / a) + b) / 12)


_BT709 = Transfer("BT.709", _knee(1.09929682680944, 0.018053968510807, 4.5, 0.45))
SRGB_TRANSFER = Transfer("sRGB", _srgb)
TRANSFERS: dict[int, Transfer] = {
    **dict.fromkeys((1, 6, 11, 12, 14, 15), _BT709),
    4: power(2.2),
    5: power(2.8),
    7: Transfer("SMPTE 240M", _knee(1.111572195921731, 0.022821585529445, 4.0, 0.45)),
    8: power(1.0),
    9: Transfer("logarithmic 100:1", _logarithmic(2.0)),
    10: Transfer("logarithmic 316:1", _logarithmic(2.5)),
    13: SRGB_TRANSFER,
    16: Transfer("PQ", _pq, hdr=True),
    17: Transfer("ST 428-1", lambda v: np.maximum(v, 0) ** 2.6 * (52.37 / 48)),
    18: Transfer("HLG", _hlg, hdr=True, scene=True),
}
"""H.273 transfer characteristics."""


@dataclass(frozen=True, eq=False)
class ColourSpace:
    """What the numbers of an RGB picture mean.

    `to_srgb_linear`: (3, 3), linear RGB of this space to linear sRGB of the same white. `curves`:
    one transfer function a channel. `narrow` is whether 16 … 235 (of 255) are black and white.
    """

    to_srgb_linear: Floats
    curves: tuple[Transfer, Transfer, Transfer]
    luminance: Floats
    narrow: bool = False

    @property
    def hdr(self) -> str | None:
        """ "PQ" or "HLG" where the picture is one of these, else None."""
        return self.curves[0].key if self.curves[0].hdr else None

    def is_srgb(self) -> bool:
        """Whether it is sRGB up to the rounding with which files state it."""
        same = all(curve.key == SRGB_TRANSFER.key for curve in self.curves)
        return same and not self.narrow and self.is_curve()

    def is_curve(self) -> bool:
        """Whether no channel takes part in another one on the way to sRGB, up to that rounding."""
        return bool(np.abs(self.to_srgb_linear - np.eye(3)).max() < 0.01)


def space_of(primaries: Chromaticities, transfer: Transfer, *, narrow: bool = False) -> ColourSpace:
    """The colour space of these primaries, its white adapted to sRGB's by Bradford's method.

    Raises ValueError where the primaries span no colours.
    """
    if _near(primaries, SRGB_PRIMARIES):
        primaries = SRGB_PRIMARIES
    to_xyz = _to_xyz(primaries)
    there = _adaptation(_white_xyz(primaries[3]), _white_xyz(_D65))
    back = np.linalg.inv(_to_xyz(SRGB_PRIMARIES))
    return ColourSpace(back @ there @ to_xyz, (transfer,) * 3, to_xyz[1], narrow)


def space_of_d50(to_d50: Floats, curves: tuple[Transfer, Transfer, Transfer]) -> ColourSpace:
    """The colour space whose linear RGB becomes XYZ under D50 by a (3, 3) matrix, as in ICC."""
    adapted = _adaptation(np.array(D50_WHITE), _white_xyz(_D65))
    back = np.linalg.inv(_to_xyz(SRGB_PRIMARIES)) @ adapted
    return ColourSpace(back @ to_d50, curves, to_d50[1])


def convert(values: NDArray[np.integer], space: ColourSpace) -> tuple[NDArray[np.uint8], float]:
    """(H, W, 3) whole numbers of 8 or 16 bits to 8-bit sRGB, and the share of clipped highlights.

    The share counts pixels brighter than white in some channel; it is 0 but for HDR. Colours
    outside sRGB are clipped channel by channel, as a relative colorimetric rendering does.

    Where 8-bit numbers only go through a curve, some levels of the result would be empty and
    others twice as full, as after a change of contrast. There a fixed pattern moves each number
    within its own rounding, by at most one level of the result, which fills the levels.
    """
    height, width = values.shape[:2]
    finer = _DITHER_STEPS if values.dtype == np.uint8 and space.is_curve() else 1
    tables = _tables(space, values.dtype, finer)
    matrix = space.to_srgb_linear.astype(np.float32)
    out = np.empty(values.shape, np.uint8)
    encode, clipped = _encoding_table(), 0
    rows = max(1, 500_000 // max(1, width))
    for top in range(0, height, rows):
        band = values[top : top + rows]
        if finer > 1:
            band = _dithered(band, top, finer, tables)
        linear = np.stack([table[band[..., k]] for k, table in enumerate(tables)], axis=-1)
        if space.curves[0].scene:
            linear = _displayed(linear, space)
        linear = linear @ matrix.T
        if space.hdr:
            # Half of an 8-bit step above white, so that white itself is not counted.
            clipped += int((linear > 1.005).any(axis=-1).sum())
        np.clip(linear, 0, 1, out=linear)
        out[top : top + rows] = encode[(linear * _TABLE_STEPS + 0.5).astype(np.int32)]
    return out, clipped / max(1, height * width)


def _displayed(linear: Linear, space: ColourSpace) -> Linear:
    """HLG's light of the scene on a display of 1000 cd/m², in units of the reference white."""
    weights = (space.luminance / space.luminance.sum()).astype(np.float32)
    light = linear @ weights
    gain = light ** np.float32(_HLG_SYSTEM_GAMMA - 1) * np.float32(
        _HLG_PEAK_NITS / REFERENCE_WHITE_NITS
    )
    return np.asarray(linear * gain[..., None], np.float32)


def _dithered(
    band: NDArray[np.integer], top: int, finer: int, tables: list[Linear]
) -> NDArray[np.integer]:
    """Rows from `top` on, in steps `finer` times as fine, each number moved within its rounding.

    Interleaved gradient noise (Jimenez, SIGGRAPH 2014): by place alone, so that equal pictures
    stay equal, and evenly spread in every small neighbourhood. Each channel has its own part of
    the pattern. `tables` is the light of every fine step.
    """
    height, width, _ = band.shape
    y, x = np.mgrid[top : top + height, :width]
    out = np.empty(band.shape, np.int32)
    for k, table in enumerate(tables):
        slope = 0.06711056 * (x + 5 * k) + 0.00583715 * (y + 3 * k)
        noise = (52.9829189 * (slope % 1)) % 1 - 0.5
        moved = band[..., k] + noise * _widths(table, finer)[band[..., k]]
        out[..., k] = np.rint(moved * finer)
    return np.clip(out, 0, 255 * finer)


def _widths(table: Linear, finer: int) -> Floats:
    """(256,): how far apart a number may be spread: a whole step, or two levels of the result."""
    shown = _encoded(np.clip(table, 0, 1)) * 255
    steps = np.arange(256) * finer
    low, high = np.maximum(steps - finer // 2, 0), np.minimum(steps + finer // 2, 255 * finer)
    return np.minimum(1.0, 2 / np.maximum(shown[high] - shown[low], 1e-6))


def _tables(space: ColourSpace, dtype: np.dtype[np.integer], finer: int) -> list[Linear]:
    """Light of every number of every channel, in steps `finer` times as fine."""
    top = int(np.iinfo(dtype).max)
    codes = np.arange(top * finer + 1) / (top * finer)
    if space.narrow:
        scale = (top + 1) / 256  # 16 and 235 of 8 bits are 4096 and 60160 of 16
        codes = np.clip((codes * top / scale - 16) / 219, 0, 1)
    return [curve.to_linear(codes).astype(np.float32) for curve in space.curves]


def _encoding_table() -> NDArray[np.uint8]:
    """Light in steps of 1/65535 as 8-bit sRGB (IEC 61966-2-1)."""
    shown = _encoded(np.arange(_TABLE_STEPS + 1) / _TABLE_STEPS)
    return np.asarray(np.floor(shown * 255 + 0.5), np.uint8)


def _encoded(light: NDArray[np.floating]) -> Floats:
    """Light from 0 to 1 as sRGB from 0 to 1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _near(first: Chromaticities, second: Chromaticities) -> bool:
    return bool(np.abs(np.subtract(first, second)).max() < _SAME_CHROMATICITY)


def _white_xyz(white: tuple[float, float]) -> Floats:
    x, y = white
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _to_xyz(primaries: Chromaticities) -> Floats:
    """Linear RGB to XYZ; (1, 1, 1) becomes the white (SMPTE RP 177)."""
    rgb, white = primaries[:3], primaries[3]
    if white[1] <= 0:
        raise ValueError("its white has no light")
    columns = np.array([[x, y, 1 - x - y] for x, y in rgb]).T
    if abs(np.linalg.det(columns)) < 1e-6:
        raise ValueError("its primaries lie on one line")
    return np.asarray(columns * np.linalg.solve(columns, _white_xyz(white)))


def _adaptation(source: Floats, target: Floats) -> Floats:
    """XYZ under one white to XYZ under another."""
    gains = (_BRADFORD @ target) / (_BRADFORD @ source)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(gains) @ _BRADFORD)
