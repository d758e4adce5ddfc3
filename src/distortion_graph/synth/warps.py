"""Misalignment: the same scene a little shifted, turned, scaled or bent, as two exposures differ.

Amounts are pixels, so that a warp means the same for every size of picture.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Kernel = Literal["linear", "cubic", "lanczos", "area"]

MOST_SHIFTED_PX = 4.0

_FLAGS = {"linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC, "lanczos": cv2.INTER_LANCZOS4}
_KERNELS: tuple[Kernel, ...] = ("linear", "cubic", "lanczos", "area")


class Motion(NamedTuple):
    """Something that moved by (dx, dy) px, fading out as a Gaussian about its place.

    `x`, `y` and `radius` (the Gaussian's standard deviation) are shares of the picture's width,
    height and shorter side.
    """

    x: float
    y: float
    radius: float
    dx_px: float
    dy_px: float


@dataclass(frozen=True)
class Warp:
    """How a picture lies against its twin.

    `turned_px`, `scaled_px` and `bent_px` say how far a corner moves by a rotation about the
    middle, by a scale, and by a lens that bends straight lines (its shift grows with the cube of
    the distance from the middle). Whole shifts with nothing else copy pixels; anything else is
    resampled with `kernel`.
    """

    shift_px: tuple[float, float] = (0.0, 0.0)
    turned_px: float = 0.0
    scaled_px: float = 0.0
    bent_px: float = 0.0
    motions: tuple[Motion, ...] = ()
    kernel: Kernel = "cubic"

    @property
    def copies_pixels(self) -> bool:
        """Whether every pixel of the moved picture is one of the picture's own."""
        whole = all(float(shift).is_integer() for shift in self.shift_px)
        return whole and not (self.turned_px or self.scaled_px or self.bent_px or self.motions)


def draw_warp(rng: np.random.Generator) -> Warp:
    """A random misalignment: mostly a shift below 1.5 px, up to 4; sometimes more than a shift."""
    angle = rng.uniform(0, 2 * math.pi)
    # Three in four are short: a half-normal of deviation 0.8 px.
    length = abs(rng.normal(0, 0.8)) if rng.random() < 0.75 else rng.uniform(1, MOST_SHIFTED_PX)
    length = min(length, MOST_SHIFTED_PX)
    shift_px = (length * math.cos(angle), length * math.sin(angle))
    if rng.random() < 0.3:
        return Warp(_whole(shift_px, rng))

    def sometimes(share: float, most_px: float) -> float:
        amount = float(rng.uniform(-most_px, most_px))
        return amount if rng.random() < share else 0.0

    turned_px, scaled_px, bent_px = sometimes(0.3, 1.5), sometimes(0.25, 1.5), sometimes(0.15, 1.5)
    motions: tuple[Motion, ...] = ()
    if rng.random() < 0.2:
        motions = tuple(_draw_motion(rng) for _ in range(int(rng.integers(1, 4))))
    kernel = _KERNELS[int(rng.choice(len(_KERNELS), p=(0.3, 0.35, 0.2, 0.15)))]
    return Warp(shift_px, turned_px, scaled_px, bent_px, motions, kernel)


def apply_warp(rgb: NDArray[np.uint8], warp: Warp) -> NDArray[np.uint8]:
    """The moved picture, (H, W, 3) uint8, of the same size.

    What comes in at the borders is the picture mirrored at its outermost pixels. The content moves
    by `shift_px` to the right and down.
    """
    if warp.copies_pixels:
        return _copied(rgb, round(warp.shift_px[0]), round(warp.shift_px[1]))
    # OpenCV never comes back from mirroring a single row at itself.
    border = cv2.BORDER_REFLECT_101 if min(rgb.shape[:2]) > 1 else cv2.BORDER_REPLICATE
    if warp.kernel == "area":
        x, y = _sources(rgb.shape, warp, 2)
        twice = cv2.remap(rgb, x, y, cv2.INTER_LINEAR, borderMode=border)
        size = (rgb.shape[1], rgb.shape[0])
        return np.asarray(cv2.resize(twice, size, interpolation=cv2.INTER_AREA), np.uint8)
    x, y = _sources(rgb.shape, warp, 1)
    moved = cv2.remap(rgb, x, y, _FLAGS[warp.kernel], borderMode=border)
    return np.asarray(moved, np.uint8)


def _whole(shift_px: tuple[float, float], rng: np.random.Generator) -> tuple[float, float]:
    dx, dy = round(shift_px[0]), round(shift_px[1])
    if dx == dy == 0:
        dx, dy = ((1, 0), (-1, 0), (0, 1), (0, -1))[int(rng.integers(4))]
    return float(dx), float(dy)


def _draw_motion(rng: np.random.Generator) -> Motion:
    angle, length_px = rng.uniform(0, 2 * math.pi), rng.uniform(0.3, 2.0)
    return Motion(
        float(rng.uniform(0, 1)),
        float(rng.uniform(0, 1)),
        float(rng.uniform(0.05, 0.25)),
        float(length_px * math.cos(angle)),
        float(length_px * math.sin(angle)),
    )


def _copied(rgb: NDArray[np.uint8], dx: int, dy: int) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    rows = _mirrored(np.arange(height) - dy, height)
    columns = _mirrored(np.arange(width) - dx, width)
    return np.ascontiguousarray(rgb[rows[:, None], columns])


def _mirrored(places: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Places outside 0 … length − 1 mirrored at the first and the last."""
    if length == 1:
        return np.zeros_like(places)
    period = 2 * (length - 1)
    folded = np.mod(places, period)
    return np.asarray(np.minimum(folded, period - folded))


def _sources(
    shape: tuple[int, ...], warp: Warp, fineness: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Where each pixel comes from, x and y in index coordinates, (fineness·H, fineness·W) each."""
    height, width = shape[:2]
    fine = np.float32(fineness)
    x = ((np.arange(width * fineness, dtype=np.float32) + 0.5) / fine - 0.5)[None, :]
    y = ((np.arange(height * fineness, dtype=np.float32) + 0.5) / fine - 0.5)[:, None]
    from_middle_x, from_middle_y = x - np.float32((width - 1) / 2), y - np.float32((height - 1) / 2)
    corner = max(math.hypot(width - 1, height - 1) / 2, 1.0)
    squared = from_middle_x**2 + from_middle_y**2
    outward = np.float32(warp.scaled_px / corner) + np.float32(warp.bent_px / corner**3) * squared
    turn = np.float32(warp.turned_px / corner)
    from_x = x - np.float32(warp.shift_px[0]) - outward * from_middle_x + turn * from_middle_y
    from_y = y - np.float32(warp.shift_px[1]) - outward * from_middle_y - turn * from_middle_x
    size = (height * fineness, width * fineness)
    from_x = np.array(np.broadcast_to(from_x, size), np.float32)
    from_y = np.array(np.broadcast_to(from_y, size), np.float32)
    for motion in warp.motions:
        spread = max(motion.radius * min(height, width), 1.0)
        along_x = np.exp(-(((x - motion.x * width) / spread) ** 2) / 2)
        along_y = np.exp(-(((y - motion.y * height) / spread) ** 2) / 2)
        here = (along_x * along_y).astype(np.float32)
        from_x -= np.float32(motion.dx_px) * here
        from_y -= np.float32(motion.dy_px) * here
    return from_x, from_y
