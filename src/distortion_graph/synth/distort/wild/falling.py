"""What falls through the air and is seen in front of a scene: drops and flakes as layers."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.light import Values

Kernel = NDArray[np.float32]


def streak(length_px: float, width_px: float, angle: float) -> Kernel:
    """A line with soft sides and thinning ends, `angle` radians from upright; peak 1, odd sides.

    `width_px` is the standard deviation across.
    """
    half = math.ceil(length_px / 2 + 3 * width_px)
    axis = np.arange(-half, half + 1)
    x, y = axis[None, :], axis[:, None]
    along = x * math.sin(angle) + y * math.cos(angle)
    across = x * math.cos(angle) - y * math.sin(angle)
    beyond = np.maximum(np.abs(along) - length_px / 2, 0)
    taper = 1 - 0.5 * np.minimum(np.abs(along) / (length_px / 2 + 1e-6), 1)
    kernel = taper * np.exp(-(across**2 + beyond**2) / (2 * width_px**2))
    return np.asarray(kernel / kernel.max(), np.float32)


def flake(radius_px: float, length_px: float, angle: float) -> Kernel:
    """A disc with a soft rim, moved by `length_px` while it is seen; peak 1, odd sides."""
    half = math.ceil(radius_px + length_px / 2) + 2
    axis = np.arange(-half, half + 1)
    x, y = axis[None, :], axis[:, None]
    steps = np.linspace(-length_px / 2, length_px / 2, max(1, math.ceil(2 * length_px)))
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    softness = 0.35 + 0.25 * radius_px
    for step in steps:
        far = np.hypot(x - step * math.sin(angle), y - step * math.cos(angle))
        kernel += 1 / (1 + np.exp((far - radius_px) / softness * 2))
    return np.asarray(kernel / kernel.max(), np.float32)


def layer(
    size: tuple[int, int], per_pixel: float, kernel: Kernel, rng: np.random.Generator
) -> Values:
    """How much of the scene a layer of equal things hides: (H, W) in [0, 1].

    Each thing is drawn as `kernel` at a place between pixels, a third to all as strong.
    """
    half = len(kernel) // 2
    height, width = size[0] + 2 * half, size[1] + 2 * half  # things may reach in from outside
    count = int(rng.poisson(per_pixel * height * width))
    places = rng.uniform((0, 0), (height - 1, width - 1), (count, 2))
    strength = rng.uniform(0.35, 1, count)
    corner = np.floor(places).astype(int)
    part = places - corner
    field = np.zeros((height + 1, width + 1), np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = np.abs(1 - dy - part[:, 0]) * np.abs(1 - dx - part[:, 1])
            np.add.at(field, (corner[:, 0] + dy, corner[:, 1] + dx), strength * weight)
    hidden = cv2.filter2D(field, -1, kernel, borderType=cv2.BORDER_CONSTANT)
    inside = np.asarray(hidden, np.float32)[half : half + size[0], half : half + size[1]]
    return np.minimum(inside, 1)


def behind(grey: Values, hidden: Values, colour: NDArray[np.float32]) -> Values:
    """Grey levels of a scene behind a layer of a colour; `hidden` is (H, W)."""
    return np.asarray(grey + hidden[..., None] * (colour - grey), np.float32)


def whitened(grey: Values, share: float, colour: NDArray[np.float32]) -> Values:
    """The scene through what is too far away to be seen one by one."""
    return np.asarray(grey + np.float32(share) * (colour - grey), np.float32)


def daylight(image: Image, rng: np.random.Generator, lowest: float) -> NDArray[np.float32]:
    """Colour of what the sky lights: grey `lowest` to 255, darker in dark scenes, a little cold."""
    bright = float(np.quantile(image, 0.9))
    level = min(float(rng.uniform(lowest, 255)), bright + 110)
    return np.float32(level) * np.array([rng.uniform(0.94, 1), rng.uniform(0.97, 1), 1], np.float32)
