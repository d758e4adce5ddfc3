"""Distortions that no vocabulary has, so that a network learns to say that it does not know.

They are unlike anything in `synth.distort.registry`, and unlike the ones that `known` is measured
on (colour cast, banding, vignette, smearing by a denoiser, upscaling). Each is a pure function of a
picture and a generator, H×W×3 uint8 in and out.

`OUTLIERS` are trained on. `STRANGERS` are not: what a network has learned of outliers counts for
less with one that it has never met, and only such a one shows how much less.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


def hue_turned(image: Image, rng: np.random.Generator) -> Image:
    """Every hue moved by the same angle."""
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
    hsv[..., 0] += np.uint8(rng.integers(40, 216))
    return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL), np.uint8)


def channels_exchanged(image: Image, rng: np.random.Generator) -> Image:
    """Red, green and blue in another order."""
    orders = ((0, 2, 1), (1, 0, 2), (2, 1, 0), (1, 2, 0), (2, 0, 1))
    return np.ascontiguousarray(image[..., orders[int(rng.integers(len(orders)))]])


def solarised(image: Image, rng: np.random.Generator) -> Image:
    """Values above a threshold turned into their negative."""
    return np.where(image > int(rng.integers(70, 180)), 255 - image, image)


def ghosted(image: Image, rng: np.random.Generator) -> Image:
    """A shifted copy of the picture shining through."""
    angle, reach = rng.uniform(0, 2 * np.pi), rng.uniform(6, 24)
    move = np.array([[1, 0, reach * np.cos(angle)], [0, 1, reach * np.sin(angle)]], np.float32)
    ghost = cv2.warpAffine(image, move, image.shape[1::-1], borderMode=cv2.BORDER_REFLECT)
    share = float(rng.uniform(0.25, 0.5))
    return np.asarray(cv2.addWeighted(image, 1 - share, ghost, share, 0), np.uint8)


def lined(image: Image, rng: np.random.Generator) -> Image:
    """Dark lines at equal distances, along rows or columns."""
    period, strength = int(rng.integers(2, 7)), float(rng.uniform(0.2, 0.7))
    axis = int(rng.integers(2))
    dark = np.arange(image.shape[axis]) % period == 0
    gain = np.where(dark, 1 - strength, 1.0)
    gain = gain[:, None, None] if axis == 0 else gain[None, :, None]
    return np.rint(image * gain).astype(np.uint8)


def misregistered(image: Image, rng: np.random.Generator) -> Image:
    """Colour planes shifted against each other, as by chromatic aberration."""
    out = image.copy()
    for channel in (0, 2):
        shift = rng.integers(2, 7, 2) * rng.choice((-1, 1), 2)
        out[..., channel] = np.roll(image[..., channel], tuple(shift), (0, 1))
    return out


def rippled(image: Image, rng: np.random.Generator) -> Image:
    """Pixels moved along waves."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    length, reach = rng.uniform(10, 30), rng.uniform(2, 5)
    phase = rng.uniform(0, 2 * np.pi, 2)
    moved_x = x + np.float32(reach) * np.sin(2 * np.pi * y / length + phase[0]).astype(np.float32)
    moved_y = y + np.float32(reach) * np.sin(2 * np.pi * x / length + phase[1]).astype(np.float32)
    return np.asarray(
        cv2.remap(image, moved_x, moved_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
        np.uint8,
    )


def halftoned(image: Image, rng: np.random.Generator) -> Image:
    """Ordered dithering to two levels a channel."""
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]])
    size = int(rng.integers(1, 3))
    tile = np.kron(bayer, np.ones((size, size), int)) * 16 + 8
    height, width = image.shape[:2]
    repeats = (-(-height // len(tile)), -(-width // len(tile)))
    threshold = np.tile(tile, repeats)[:height, :width, None]
    return np.where(image > threshold, 255, 0).astype(np.uint8)


def gapped(image: Image, rng: np.random.Generator) -> Image:
    """Small blocks lost and filled with one colour, as where a stream was broken."""
    out = image.copy()
    height, width = image.shape[:2]
    side = int(rng.choice((8, 16)))
    fill = rng.integers(0, 256, 3)
    lost = rng.random((-(-height // side), -(-width // side))) < rng.uniform(0.08, 0.3)
    where = np.kron(lost, np.ones((side, side), bool))[:height, :width]
    out[where] = fill
    return out


def ringing(image: Image, rng: np.random.Generator) -> Image:
    """All frequencies above a sharp limit cut off."""
    limit = float(rng.uniform(0.08, 0.2))
    height, width = image.shape[:2]
    fy, fx = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    keep = (np.hypot(fy, fx) < limit)[..., None]
    spectrum = np.fft.rfft2(image.astype(np.float32), axes=(0, 1)) * keep
    low = np.fft.irfft2(spectrum, s=(height, width), axes=(0, 1))
    return np.clip(np.rint(low), 0, 255).astype(np.uint8)


def channels_mixed(image: Image, rng: np.random.Generator) -> Image:
    """Every channel made of all three; greys stay what they are, colours do not."""
    mix = np.eye(3) + rng.uniform(0.1, 0.8) * rng.normal(size=(3, 3))
    mix += (1 - mix.sum(1, keepdims=True)) / 3
    mixed = np.asarray(cv2.transform(image.astype(np.float32), mix))
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8)


def channel_blurred(image: Image, rng: np.random.Generator) -> Image:
    """One channel out of focus, as behind a lens that does not focus all colours."""
    out, channel = image.copy(), int(rng.integers(3))
    out[..., channel] = cv2.GaussianBlur(image[..., channel], (0, 0), float(rng.uniform(3, 8)))
    return out


def channel_negated(image: Image, rng: np.random.Generator) -> Image:
    """One channel turned into its negative."""
    out, channel = image.copy(), int(rng.integers(3))
    out[..., channel] = 255 - out[..., channel]
    return out


def locally_equalised(image: Image, rng: np.random.Generator) -> Image:
    """Contrast spread tile by tile (CLAHE), as by an overdone tone mapping."""
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    tiles = int(rng.integers(3, 9))
    equaliser = cv2.createCLAHE(float(rng.uniform(3, 12)), (tiles, tiles))
    lab[..., 0] = equaliser.apply(np.ascontiguousarray(lab[..., 0]))
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def opened(image: Image, rng: np.random.Generator) -> Image:
    """Small bright or small dark detail gone (a morphological opening or closing)."""
    side = int(rng.choice((3, 5, 7)))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    way = cv2.MORPH_OPEN if rng.random() < 0.5 else cv2.MORPH_CLOSE
    return np.asarray(cv2.morphologyEx(image, way, disc), np.uint8)


def painted(image: Image, rng: np.random.Generator) -> Image:
    """Every pixel the mean of the calmest of the four squares that it is a corner of.

    Kuwahara, Hachimura, Eiho and Kinoshita (1976); looks like a painting.
    """
    reach = int(rng.integers(2, 5))
    size, values = (reach + 1, reach + 1), image.astype(np.float32)
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    best = np.full(luma.shape, np.inf, np.float32)
    out = values.copy()
    for corner in ((0, 0), (0, reach), (reach, 0), (reach, reach)):
        mean = cv2.blur(luma, size, anchor=corner)
        spread = cv2.blur(luma * luma, size, anchor=corner) - mean * mean
        calmer = spread < best
        best[calmer] = spread[calmer]
        out[calmer] = cv2.blur(values, size, anchor=corner)[calmer]
    return np.clip(np.rint(out), 0, 255).astype(np.uint8)


def striped_light(image: Image, rng: np.random.Generator) -> Image:
    """Light and shade in broad soft stripes."""
    height, width = image.shape[:2]
    y, x = np.mgrid[:height, :width]
    angle, length = rng.uniform(0, np.pi), rng.uniform(24, 96)
    wave = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / length + rng.uniform(0, 6))
    gain = np.asarray(1 + rng.uniform(0.2, 0.5) * wave[..., None])
    return np.asarray(np.clip(np.rint(image * gain), 0, 255), np.uint8)


def lettered(image: Image, rng: np.random.Generator) -> Image:
    """Covered with writing, as by a watermark."""
    out = image.copy()
    size, step = float(rng.uniform(0.4, 0.9)), int(rng.integers(18, 40))
    ink = (255, 255, 255) if rng.random() < 0.5 else (0, 0, 0)
    for row in range(step, image.shape[0] + step, step):
        text = "".join(chr(int(c)) for c in rng.integers(65, 91, 80))
        start = (-int(rng.integers(40)), row)
        cv2.putText(out, text, start, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    share = float(rng.uniform(0.4, 0.9))
    return np.asarray(cv2.addWeighted(out, share, image, 1 - share, 0), np.uint8)


def interlaced(image: Image, rng: np.random.Generator) -> Image:
    """Every other row moved sideways, as where two fields of a film are a moment apart."""
    out = image.copy()
    shift = int(rng.integers(3, 13)) * int(rng.choice((-1, 1)))
    out[1::2] = np.roll(image[1::2], shift, 1)
    return out


def mosaicked(image: Image, rng: np.random.Generator) -> Image:
    """One of the three values of every pixel, as a sensor sees them, the others dimmed."""
    pattern = np.array([[0, 1], [1, 2]])
    if rng.random() < 0.5:
        pattern = pattern[::-1]
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] % 2
    seen = np.arange(3) == pattern[y, x][..., None]
    dimmed = float(rng.uniform(0, 0.5))
    return np.asarray(np.rint(np.where(seen, image, dimmed * image)), np.uint8)


def colour_blocked(image: Image, rng: np.random.Generator) -> Image:
    """Colours constant in blocks, brightness as it was."""
    height, width = image.shape[:2]
    side = int(rng.integers(10, 25))
    lab = cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    small = (max(1, width // side), max(1, height // side))
    low = cv2.resize(lab, small, interpolation=cv2.INTER_AREA)
    blocks = cv2.resize(low, (width, height), interpolation=cv2.INTER_NEAREST)
    lab[..., 1:] = blocks[..., 1:]
    return np.asarray(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB), np.uint8)


def embossed(image: Image, rng: np.random.Generator) -> Image:
    """Lit from one side, as a relief."""
    move = [(0, 1), (1, 0), (1, 1), (1, -1)][int(rng.integers(4))]
    before = np.roll(image, move, (0, 1)).astype(np.float32)
    relief = float(rng.uniform(0.8, 2)) * (image - before)
    return np.asarray(np.clip(np.rint(image + relief), 0, 255), np.uint8)


def duotoned(image: Image, rng: np.random.Generator) -> Image:
    """From one colour in the shadows to another in the light."""
    dark, light = rng.uniform(0, 120, 3), rng.uniform(135, 255, 3)
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None] / 255
    toned, share = dark + luma * (light - dark), float(rng.uniform(0.6, 1))
    return np.asarray(np.clip(np.rint(share * toned + (1 - share) * image), 0, 255), np.uint8)


def overflowed(image: Image, rng: np.random.Generator) -> Image:
    """Values beyond the largest begin again at zero."""
    gain = float(rng.uniform(1.2, 2))
    return np.asarray(np.rint(image * gain).astype(np.int64) % 256, np.uint8)


def outlined(image: Image, rng: np.random.Generator) -> Image:
    """Dark lines along all edges, as in a drawing."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slope = cv2.magnitude(cv2.Sobel(luma, cv2.CV_32F, 1, 0), cv2.Sobel(luma, cv2.CV_32F, 0, 1))
    ink = np.clip(slope / float(rng.uniform(60, 160)), 0, 1)[..., None]
    dark = 1 - float(rng.uniform(0.6, 1)) * ink
    return np.asarray(np.rint(image * dark), np.uint8)


def shuffled(image: Image, rng: np.random.Generator) -> Image:
    """Small tiles moved to each other's places."""
    out, side = image.copy(), int(rng.integers(6, 17))
    rows, columns = image.shape[0] // side, image.shape[1] // side
    inner = image[: rows * side, : columns * side].reshape(rows, side, columns, side, 3)
    tiles = inner.swapaxes(1, 2).reshape(rows * columns, side, side, 3)
    # In the order of their places, each put back by up to four.
    places = np.arange(len(tiles)) + rng.integers(0, 5, len(tiles))
    moved = tiles[np.argsort(places, kind="stable")].reshape(rows, columns, side, side, 3)
    out[: rows * side, : columns * side] = moved.swapaxes(1, 2).reshape(
        rows * side, columns * side, 3
    )
    return out


OUTLIERS: tuple[Callable[[Image, np.random.Generator], Image], ...] = (
    hue_turned,
    channels_exchanged,
    solarised,
    ghosted,
    lined,
    misregistered,
    rippled,
    halftoned,
    gapped,
    ringing,
    channels_mixed,
    channel_blurred,
    channel_negated,
    locally_equalised,
    opened,
    painted,
    striped_light,
    lettered,
)

STRANGERS: tuple[Callable[[Image, np.random.Generator], Image], ...] = (
    interlaced,
    mosaicked,
    colour_blocked,
    embossed,
    duotoned,
    overflowed,
    outlined,
    shuffled,
)
