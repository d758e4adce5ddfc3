"""Noise as sensors, films and their processing leave it. Strengths are grey levels.

`sensor`, `coloured` and `chroma` add noise of the given standard deviation to an untouched
picture; in `denoised` and `nlm_denoised` the noise of that deviation was there before a filter
took much of it away, and detail with it.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from distortion_graph.synth.distort.common import LUMA_BT601, Image
from distortion_graph.synth.distort.light import Values, rounded, to_grey, to_linear
from distortion_graph.synth.distort.wild.camera import saved

_BAYER_BILINEAR = (
    cv2.COLOR_BayerBG2RGB,
    cv2.COLOR_BayerGB2RGB,
    cv2.COLOR_BayerRG2RGB,
    cv2.COLOR_BayerGR2RGB,
)
_BAYER_EDGE_AWARE = (
    cv2.COLOR_BayerBG2RGB_EA,
    cv2.COLOR_BayerGB2RGB_EA,
    cv2.COLOR_BayerRG2RGB_EA,
    cv2.COLOR_BayerGR2RGB_EA,
)
# Which channel the pixels at (even row, even column), (even, odd), (odd, even) and (odd, odd) see,
# in the order of the codes above. OpenCV names a pattern by its second row and column.
_PATTERNS = ((0, 1, 1, 2), (1, 0, 2, 1), (2, 1, 1, 0), (1, 2, 0, 1))
_SMALLEST_MOSAIC_PX = 4
_BLACK, _WHITE = 8000, 56000  # of a 16-bit sensor, with room for noise below black
_MID_GREY = 0.2  # linear light


def sensor(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Photon and read noise through a Bayer mosaic and the steps of a camera.

    The noise is Gaussian with a variance that grows with the light; it is seen through one colour
    per pixel, interpolated, brought through sRGB's curve, smoothed in part, more in chroma and
    more where the picture is flat, and scaled so that its luma has `sigma` grey levels.
    """
    residual = _processed(_mosaic_noise(image, rng), image, rng)
    return saved(_added(image, residual, sigma), rng, share=0.6, lowest=75)


def coloured(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Grain: noise of any size from a pixel to three, of any colour, strongest in some tones.

    From the grey grain of films to independent channels. `sigma` is the deviation of the channel
    with most noise.
    """
    shape = image.shape
    colourless = float(rng.beta(1, 1))
    field = rng.standard_normal(shape, dtype=np.float32)
    mixing = np.full((3, 3), colourless / math.sqrt(3)) + (1 - colourless) * np.diag(
        rng.uniform(0.6, 1.4, 3)
    )
    size_px = float(rng.choice((0.0, rng.uniform(0.4, 0.8), rng.uniform(0.8, 1.6))))
    if size_px:
        field = np.asarray(cv2.GaussianBlur(field, (0, 0), size_px), np.float32)
    residual = np.asarray(cv2.transform(field, mixing), np.float32)
    residual *= _tone_weight(image, rng)[..., None]
    deviation = float(residual.reshape(-1, 3).std(axis=0).max())
    residual *= np.float32(sigma / max(deviation, 1e-6))
    return saved(image + residual, rng, share=0.6, lowest=75)


def chroma(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Blotches of colour of a few pixels, as dark scenes have after luma was denoised.

    `sigma` is the deviation of red, of which luma has a fifth or less.
    """
    height, width = image.shape[:2]
    blotches = np.zeros((height, width, 2), np.float32)
    for size_px in np.exp(rng.uniform(math.log(1.5), math.log(9), 2)):
        small = (max(2, round(width / size_px)), max(2, round(height / size_px)))
        coarse = rng.standard_normal((small[1], small[0], 2), dtype=np.float32)
        blotches += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = rng.standard_normal((height, width), dtype=np.float32)
    residual = np.empty(image.shape, np.float32)
    # Red and blue move against green such that luma stays.
    residual[..., 0], residual[..., 2] = blotches[..., 0], blotches[..., 1]
    red, green, blue = (float(w) for w in LUMA_BT601)
    residual[..., 1] = -(red * residual[..., 0] + blue * residual[..., 2]) / green
    residual *= _tone_weight(image, rng)[..., None]
    residual /= max(float(residual[..., 0].std()), 1e-6)
    residual += np.float32(rng.uniform(0, 0.2)) * grain[..., None]
    residual *= np.float32(sigma)
    return saved(image + residual, rng, share=0.5, lowest=80)


def denoised(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Noise of a sensor, then a filter that takes a part of it and of the picture's detail."""
    noisy = rounded(_added(image, _mosaic_noise(image, rng), sigma))
    reach = float(sigma * rng.uniform(1.5, 3.5) + 2)
    way = int(rng.integers(3))
    smooth = cv2.medianBlur(noisy, 3) if way == 0 else cv2.bilateralFilter(noisy, 5, reach, 2)
    if way == 2:
        smooth = _chroma_smoothed(np.asarray(smooth, np.uint8), 1.5)
    share = np.float32(rng.uniform(0.4, 0.85))
    mixed = (1 - share) * noisy + share * smooth
    return saved(np.asarray(mixed, np.float32), rng, share=0.6, lowest=75)


def nlm_denoised(image: Image, sigma: float, rng: np.random.Generator) -> Image:
    """Noise of a sensor, then non-local means (Buades et al. 2005), then a little sharpening."""
    noisy = rounded(_added(image, _mosaic_noise(image, rng), sigma))
    reach = float(sigma * rng.uniform(0.4, 0.8))
    smooth = cv2.fastNlMeansDenoisingColored(noisy, None, reach, 1.5 * reach, 3, 9)
    grey = np.asarray(smooth, np.float32)
    soft = cv2.GaussianBlur(grey, (0, 0), 1.0)
    grey += np.float32(rng.uniform(0, 0.6)) * (grey - soft)
    return saved(grey, rng, share=0.6, lowest=80)


def _mosaic_noise(image: Image, rng: np.random.Generator) -> Values:
    """What a noisy exposure differs in from a noiseless one, both through mosaic and curve.

    Grey levels of no certain deviation, (H, W, 3).
    """
    linear = to_linear(image)
    height, width = image.shape[:2]
    pattern = int(rng.integers(4))
    gains = np.array([rng.uniform(1, 1.9), 1, rng.uniform(1, 1.9)], np.float32)
    read_share = float(rng.uniform(0.02, 0.6))  # of the variance at mid-grey
    deviation_at_mid_grey = float(rng.uniform(0.01, 0.03))
    seen = _mosaic(linear, pattern)
    gain = _mosaic(np.broadcast_to(gains, (2, 2, 3)), pattern)
    gain = np.tile(gain, (height // 2 + 1, width // 2 + 1))[:height, :width]
    variance = (read_share + (1 - read_share) / np.float32(_MID_GREY) * seen) * gain
    noise = rng.standard_normal((height, width), dtype=np.float32)
    noise *= np.sqrt(variance) * np.float32(deviation_at_mid_grey)
    edge_aware = rng.random() < 0.5 and min(height, width) >= _SMALLEST_MOSAIC_PX
    return _developed(seen + noise, pattern, edge_aware) - _developed(seen, pattern, edge_aware)


def _mosaic(rgb: Values, pattern: int) -> Values:
    """The one channel that each pixel of (H, W, 3) sees; (H, W)."""
    seen = np.empty(rgb.shape[:2], np.float32)
    for k, channel in enumerate(_PATTERNS[pattern]):
        seen[k // 2 :: 2, k % 2 :: 2] = rgb[k // 2 :: 2, k % 2 :: 2, channel]
    return seen


def _developed(seen: Values, pattern: int, edge_aware: bool) -> Values:
    raw = np.clip(_BLACK + seen * np.float32(_WHITE - _BLACK), 0, 65535).astype(np.uint16)
    height, width = raw.shape
    # The mosaic is mirrored at the borders such that the pattern goes on.
    framed = np.pad(raw, 2, mode="reflect" if min(height, width) > 2 else "edge")
    code = (_BAYER_EDGE_AWARE if edge_aware else _BAYER_BILINEAR)[pattern]
    rgb = cv2.cvtColor(framed, code)[2:-2, 2:-2]
    return to_grey((rgb.astype(np.float32) - _BLACK) / np.float32(_WHITE - _BLACK))


def _processed(residual: Values, image: Image, rng: np.random.Generator) -> Values:
    """The noise after a camera's own curve and noise reduction."""
    if rng.random() < 0.75:
        smooth = cv2.GaussianBlur(residual, (0, 0), float(rng.uniform(0.35, 0.85)))
        residual = np.asarray(smooth, np.float32)
    if rng.random() < 0.85:
        residual = _chroma_smoothed(residual, float(rng.uniform(0.8, 3.5)))
    if rng.random() < 0.6:  # a curve that is flat in the dark hides noise there
        residual *= _tone_weight(image, rng)[..., None]
    if rng.random() < 0.4:
        edges = np.abs(cv2.Laplacian(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.CV_32F))
        busy = cv2.GaussianBlur(edges, (0, 0), 2)
        kept_in_flat = np.float32(rng.uniform(0.3, 0.9))
        residual *= (kept_in_flat + (1 - kept_in_flat) * busy / (busy + 10))[..., None]
    return residual


def _chroma_smoothed(values: Values | Image, sigma_px: float) -> Values:
    grey = np.asarray(values, np.float32)
    luma = (grey @ LUMA_BT601)[..., None]
    return np.asarray(luma + cv2.GaussianBlur(grey - luma, (0, 0), sigma_px), np.float32)


def _added(image: Image, residual: Values, sigma: float) -> Values:
    """The picture with the noise scaled so that its luma deviates by `sigma` grey levels."""
    deviation = float((residual @ LUMA_BT601).std())
    return np.asarray(image + np.float32(sigma / max(deviation, 1e-3)) * residual, np.float32)


def _tone_weight(image: Image, rng: np.random.Generator) -> Values:
    """How much noise a pixel has by its tone: strongest at some grey level, weak far from it."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    peak, width, least = rng.uniform(0, 220), rng.uniform(60, 200), rng.uniform(0.2, 1)
    bell = np.exp(-(((np.arange(256) - peak) / width) ** 2))
    table = (least + (1 - least) * bell).astype(np.float32)
    return np.asarray(table[luma.astype(np.uint8)])
