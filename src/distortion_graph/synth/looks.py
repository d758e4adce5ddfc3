"""Looks: what happens to a photograph that stays clean, from the camera to the web.

A *look* is a random history of resizing, mild denoising, tone and colour as a photographer sets
them, in-camera sharpening, fine grain and a good codec. A picture with a look is clean: it is what
a distorted version is made of and compared with.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image as PillowImage

from distortion_graph.synth.distort.common import LUMA_BT601
from distortion_graph.synth.distort.compression import Subsampling, jpeg_saved, through_codec
from distortion_graph.synth.distort.light import rounded, spread, to_grey, to_linear

Resampling = Literal[
    "linear", "cubic", "area", "lanczos4", "box", "bilinear", "hamming", "bicubic", "lanczos"
]
"""The first four are OpenCV's, the others Pillow's, which average over more where they shrink."""

RESAMPLINGS: tuple[Resampling, ...] = (
    "linear",
    "cubic",
    "area",
    "lanczos4",
    "box",
    "bilinear",
    "hamming",
    "bicubic",
    "lanczos",
)
_OPENCV = {
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "area": cv2.INTER_AREA,
    "lanczos4": cv2.INTER_LANCZOS4,
}
_PILLOW = {
    "box": PillowImage.Resampling.BOX,
    "bilinear": PillowImage.Resampling.BILINEAR,
    "hamming": PillowImage.Resampling.HAMMING,
    "bicubic": PillowImage.Resampling.BICUBIC,
    "lanczos": PillowImage.Resampling.LANCZOS,
}
MERGED_STOPS = (0.7, 2.5)
"""How many stops below and above a picture the exposures are that are merged with it."""
_NO_LIGHT = np.float32(0.002)  # linear; keeps the logarithm of black finite
_GAMMA = 2.2  # stops belong to linear light; near enough to sRGB's curve for a look
_SMOOTH_ENLARGING: tuple[Resampling, ...] = ("cubic", "lanczos4", "bicubic", "lanczos")

_Values = NDArray[np.float32]


class Resize(NamedTuple):
    """A round trip: the picture resized by `factor` with one kernel and back with another."""

    factor: float
    there: Resampling
    back: Resampling


class Tone(NamedTuple):
    """A photographer's curve: exposure in stops, then contrast about mid-grey, then lifted blacks.

    `contrast` is the share of a smooth S-curve that is mixed in, below 0 of its mirror image.
    `lift` is the grey level, of 255, that black becomes.
    """

    stops: float
    contrast: float
    lift: float


class Colour(NamedTuple):
    """Saturation as a factor of chroma, and the gains of red and blue of a white balance."""

    saturation: float
    red: float
    blue: float


class ToneMap(NamedTuple):
    """What is dark brought closer to the lights, as where a scene has more light than a screen.

    Differences of light over some tenth of the picture and more are `kept` by a share of their
    stops, finer ones whole; the lights stay as they are. `saturation` is a factor of chroma.
    """

    kept: float
    saturation: float


class Denoise(NamedTuple):
    """A bilateral filter, or only the chroma smoothed, mixed with the picture by `share`."""

    chroma_only: bool
    strength: float
    share: float


class Grain(NamedTuple):
    """Grain of `sigma` grey levels, on luma; neighbours alike within about `size_px`."""

    sigma: float
    size_px: float


class Codec(NamedTuple):
    """A file format of good quality: JPEG's or WebP's or AVIF's own scale, with its chroma."""

    name: Literal["jpeg", "webp", "avif"]
    quality: int
    subsampling: Subsampling


@dataclass(frozen=True)
class Look:
    """What was done to a picture, in this order; None where nothing was.

    `fused` is a number of stops: exposures so much below and above were merged with the picture, as
    a camera does in hard light; `mapped` says how far light and dark were brought together.
    `sharpen` is (amount, standard deviation in px) of an unsharp mask, below 0 of softening.
    With `dither` values are spread over the grey level that they stand for before curves pull
    levels apart, as a source of more than 8 bits has them.
    """

    fused: float | None = None
    mapped: ToneMap | None = None
    denoise: Denoise | None = None
    tone: Tone | None = None
    colour: Colour | None = None
    resize: Resize | None = None
    sharpen: tuple[float, float] | None = None
    grain: Grain | None = None
    codec: Codec | None = None
    dither: bool = False


PLAIN = Look()
"""The picture as it is."""


def draw_look(rng: np.random.Generator) -> Look:
    """A random look: one in four is plain, most have one to three steps."""
    if rng.random() < 0.25:
        return PLAIN

    def happens(share: float) -> bool:
        return bool(rng.random() < share)

    return Look(
        fused=float(rng.uniform(*MERGED_STOPS)) if happens(0.08) else None,
        mapped=draw_tone_map(rng) if happens(0.06) else None,
        denoise=_draw_denoise(rng) if happens(0.1) else None,
        tone=_draw_tone(rng) if happens(0.25) else None,
        colour=_draw_colour(rng) if happens(0.25) else None,
        resize=_draw_resize(rng) if happens(0.25) else None,
        sharpen=_draw_sharpening(rng) if happens(0.3) else None,
        grain=_draw_grain(rng) if happens(0.15) else None,
        codec=_draw_codec(rng) if happens(0.5) else None,
        dither=happens(0.6),
    )


def apply_look(rgb: NDArray[np.uint8], look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The picture with the look, (H, W, 3) uint8; `rng` is for grain and dithering alone."""
    made = rgb if look.fused is None else _fused(rgb, look.fused)
    if look.mapped:
        made = _tone_mapped(made, look.mapped)
    if look.denoise:
        made = _denoised(made, look.denoise)
    if look.tone or look.colour or look.resize or look.sharpen or look.grain:
        made = _developed(made, look, rng)
    if look.codec:
        made = _through(made, look.codec)
    return made.copy() if made is rgb else made


def draw_tone_map(rng: np.random.Generator) -> ToneMap:
    """A random tone map, from one that is hardly seen to one that makes the picture pale."""
    return ToneMap(float(rng.uniform(0.4, 0.95)), float(rng.uniform(0.6, 1.05)))


def draw_resampling(rng: np.random.Generator) -> Resampling:
    """One of the common kernels."""
    return RESAMPLINGS[int(rng.integers(len(RESAMPLINGS)))]


def resampled(
    rgb: NDArray[np.uint8], size: tuple[int, int], kernel: Resampling
) -> NDArray[np.uint8]:
    """An (H, W, 3) uint8 picture at another size, given as (width, height)."""
    if kernel in _PILLOW:
        return np.asarray(PillowImage.fromarray(rgb).resize(size, _PILLOW[kernel]))
    return np.asarray(cv2.resize(rgb, size, interpolation=_OPENCV[kernel]), np.uint8)


def _draw_denoise(rng: np.random.Generator) -> Denoise:
    return Denoise(
        bool(rng.random() < 0.4), float(rng.uniform(4, 14)), float(rng.uniform(0.3, 0.9))
    )


def _draw_tone(rng: np.random.Generator) -> Tone:
    lift = float(rng.uniform(2, 14)) if rng.random() < 0.25 else 0.0
    return Tone(float(rng.normal(0, 0.12)), float(rng.normal(0.06, 0.14)), lift)


def _draw_colour(rng: np.random.Generator) -> Colour:
    warmth = float(rng.normal(0, 0.03))
    return Colour(
        float(np.clip(rng.normal(1.02, 0.1), 0.8, 1.3)),
        1 + warmth,
        1 - warmth + float(rng.normal(0, 0.01)),
    )


def _draw_resize(rng: np.random.Generator) -> Resize:
    if rng.random() < 0.5:
        return Resize(float(rng.uniform(0.8, 0.97)), draw_resampling(rng), _smooth(rng))
    return Resize(float(rng.uniform(1.05, 1.6)), _smooth(rng), draw_resampling(rng))


def _smooth(rng: np.random.Generator) -> Resampling:
    return _SMOOTH_ENLARGING[int(rng.integers(len(_SMOOTH_ENLARGING)))]


def _draw_sharpening(rng: np.random.Generator) -> tuple[float, float]:
    return float(rng.uniform(0.1, 0.8)), float(rng.uniform(0.6, 1.3))


def _draw_grain(rng: np.random.Generator) -> Grain:
    size_px = float(rng.uniform(0.3, 0.8)) if rng.random() < 0.6 else 0.0
    # Grain that is alike over neighbours is seen more: half of the white one's deviation.
    return Grain(float(rng.uniform(0.5, 5 if size_px == 0 else 2.5)), size_px)


def _draw_codec(rng: np.random.Generator) -> Codec:
    kind = rng.random()
    subsampling: Subsampling = (
        "444" if rng.random() < 0.4 else "422" if rng.random() < 0.15 else "420"
    )
    if kind < 0.87:
        return Codec("jpeg", int(rng.integers(75, 99)), subsampling)
    if kind < 0.96:
        return Codec("webp", int(rng.integers(80, 98)), "420")
    return Codec("avif", int(rng.integers(70, 95)), subsampling)


def _fused(rgb: NDArray[np.uint8], stops: float) -> NDArray[np.uint8]:
    """Three exposures merged by contrast, saturation and exposedness (Mertens et al. 2007)."""
    light = to_linear(rgb)
    gains = np.exp2(np.array([-stops, 0, stops], np.float32))
    merged = cv2.createMergeMertens().process([rounded(to_grey(light * gain)) for gain in gains])
    return rounded(np.float32(255) * merged)


def _tone_mapped(rgb: NDArray[np.uint8], tone_map: ToneMap) -> NDArray[np.uint8]:
    """Base and detail of the logarithm of light, split by a guided filter (Durand, Dorsey 2002)."""
    light = to_linear(rgb) @ np.array(LUMA_BT601, np.float32)
    bright = np.log2(light + _NO_LIGHT)
    base = _guided(bright, max(2, min(rgb.shape[:2]) // 12))
    lights = np.float32(np.quantile(base, 0.98))
    mapped = bright + np.float32(1 - tone_map.kept) * np.maximum(lights - base, 0)
    grey = to_grey(light)[..., None]
    colour = rgb - grey
    values = to_grey(np.exp2(mapped) - _NO_LIGHT)[..., None]
    # Chroma follows luma, no further than by half as much again in what was nearly black.
    gain = np.minimum((values + 4) / (grey + 4), np.float32(1.5))
    return rounded(values + np.float32(tone_map.saturation) * gain * colour)


def _guided(values: _Values, radius_px: int) -> _Values:
    """Smoothed but for edges of more than about a stop (He et al. 2013, guided by itself)."""
    size = (2 * radius_px + 1, 2 * radius_px + 1)
    mean = cv2.blur(values, size)
    variance = cv2.blur(values * values, size) - mean * mean
    slope = np.maximum(variance, 0) / (np.maximum(variance, 0) + np.float32(1))
    offset = mean - slope * mean
    return np.asarray(cv2.blur(slope, size) * values + cv2.blur(offset, size), np.float32)


def _denoised(rgb: NDArray[np.uint8], denoise: Denoise) -> NDArray[np.uint8]:
    if denoise.chroma_only:
        ycrcb = cv2.cvtColor(rgb, cv2.COLOR_RGB2YCrCb)
        ycrcb[..., 1:] = cv2.GaussianBlur(ycrcb[..., 1:], (0, 0), denoise.strength / 8)
        smooth = cv2.cvtColor(ycrcb, cv2.COLOR_YCrCb2RGB)
    else:
        smooth = cv2.bilateralFilter(rgb, 5, denoise.strength, 2)
    mixed = cv2.addWeighted(rgb, 1 - denoise.share, smooth, denoise.share, 0)
    return np.asarray(mixed, np.uint8)


def _developed(rgb: NDArray[np.uint8], look: Look, rng: np.random.Generator) -> NDArray[np.uint8]:
    values = spread(rgb, rng) if look.dither else rgb.astype(np.float32)
    if look.tone:
        values = _toned(values, look.tone)
    if look.colour:
        values = _coloured(values, look.colour)
    if look.resize:
        values = _there_and_back(values, look.resize)
    if look.sharpen:
        amount, sigma_px = look.sharpen
        smooth = cv2.GaussianBlur(values, (0, 0), sigma_px)
        values = np.asarray(cv2.addWeighted(values, 1 + amount, smooth, -amount, 0), np.float32)
    if look.grain:
        values += _grain(values.shape, look.grain, rng)[..., None]
    return rounded(values)


def _toned(values: _Values, tone: Tone) -> _Values:
    x = values / np.float32(255)
    gain = np.float32(2 ** (tone.stops / _GAMMA))
    # As an exposure in the dark parts; the highlights roll off and white stays white.
    x = gain * x / (1 + (gain - 1) * x)
    s_curve = x * x * (3 - 2 * x)
    x += np.float32(tone.contrast) * (s_curve - x)
    return np.float32(tone.lift) + np.float32(255 - tone.lift) * x


def _coloured(values: _Values, colour: Colour) -> _Values:
    """Gains of red and blue that keep the luma of grey, and chroma scaled about luma."""
    luma = np.array(LUMA_BT601, np.float64)
    gains = np.array([colour.red, 1.0, colour.blue])
    gains /= luma @ gains
    keep = colour.saturation * np.eye(3) + (1 - colour.saturation) * np.outer(np.ones(3), luma)
    return np.asarray(cv2.transform(values, keep @ np.diag(gains)), np.float32)


def _there_and_back(values: _Values, resize: Resize) -> _Values:
    height, width = values.shape[:2]
    size = (max(1, round(width * resize.factor)), max(1, round(height * resize.factor)))
    rgb = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    there = resampled(rgb, size, resize.there)
    return resampled(there, (width, height), resize.back).astype(np.float32)


def _grain(shape: tuple[int, ...], grain: Grain, rng: np.random.Generator) -> _Values:
    field = rng.standard_normal(shape[:2], dtype=np.float32)
    if grain.size_px:
        field = np.asarray(cv2.GaussianBlur(field, (0, 0), grain.size_px), np.float32)
        field /= max(float(field.std()), 1e-6)
    field *= np.float32(grain.sigma)
    return field


def _through(rgb: NDArray[np.uint8], codec: Codec) -> NDArray[np.uint8]:
    if codec.name == "jpeg":
        return jpeg_saved(rgb, codec.quality, codec.subsampling)
    if codec.name == "webp":
        return through_codec(rgb, "WEBP", quality=codec.quality, method=2)
    subsampling = ":".join(codec.subsampling)
    return through_codec(rgb, "AVIF", quality=codec.quality, subsampling=subsampling, speed=10)
