"""Blur as hands, lenses and enlarging make it, in linear light. Lengths in pixels."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.synth.distort.blur import disc_kernel
from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.light import Values, to_grey, to_linear
from distortion_graph.synth.distort.wild.camera import finished
from distortion_graph.synth.distort.wild.depth import depth_from_cues

Kernel = NDArray[np.float32]

_BORDER = cv2.BORDER_REFLECT
_PATH_STEPS = 64
_CLIPPED = 0.95  # linear light that a sensor may have cut off


def shake(image: Image, extent_px: float, rng: np.random.Generator) -> Image:
    """A hand-held camera: light smeared along a random path of `extent_px` from end to end."""
    light = cv2.filter2D(_light(image, rng), -1, shake_kernel(extent_px, rng), borderType=_BORDER)
    return finished(to_grey(np.asarray(light, np.float32)), rng)


def defocus(image: Image, radius_px: float, rng: np.random.Generator) -> Image:
    """Out of focus: every point becomes a disc of `radius_px`, or the polygon of an aperture."""
    kernel = aperture_kernel(radius_px, rng)
    light = cv2.filter2D(_light(image, rng), -1, kernel, borderType=_BORDER)
    return finished(to_grey(np.asarray(light, np.float32)), rng)


def defocus_depth(
    image: Image,
    radius_px: float,
    rng: np.random.Generator,
    depth: NDArray[np.float32] | None = None,
) -> Image:
    """Out of focus by distance: discs of 0.5 to 1.3 `radius_px`, larger where it is farther.

    `depth` is H×W, larger is farther; without one it is guessed from the picture.
    """
    far = depth_from_cues(image, rng, depth)
    if rng.random() < 0.5:  # objects one behind the other
        far = np.asarray(np.rint(far * 2) / 2, np.float32)
    light = _light(image, rng)
    radii = np.array([0.5, 0.9, 1.3]) * radius_px
    layers = [cv2.filter2D(light, -1, disc_kernel(r), borderType=_BORDER) for r in radii]
    # The mix of layers is softened as the far one is, for no edge is sharper than what it bounds.
    place = cv2.GaussianBlur(far, (0, 0), max(0.5, radius_px / 3))[..., None] * np.float32(2)
    near, middle, behind = (np.asarray(layer, np.float32) for layer in layers)
    blend = np.where(
        place < 1, near + place * (middle - near), middle + (place - 1) * (behind - middle)
    )
    return finished(to_grey(np.asarray(blend, np.float32)), rng)


def soft(image: Image, sigma_px: float, rng: np.random.Generator) -> Image:
    """A soft lens: a Gaussian of `sigma_px`, often wider in one direction."""
    ratio = float(rng.uniform(0.6, 1)) if rng.random() < 0.5 else 1.0
    kernel = _oblong_gaussian(sigma_px, sigma_px * ratio, float(rng.uniform(0, math.pi)))
    light = cv2.filter2D(to_linear(image), -1, kernel, borderType=_BORDER)
    return finished(to_grey(np.asarray(light, np.float32)), rng)


def enlarged(image: Image, scale: float, rng: np.random.Generator) -> Image:
    """A picture of `scale` of the size, enlarged by a smooth kernel."""
    height, width = image.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    way = (cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_LANCZOS4)[int(rng.integers(3))]
    large = cv2.resize(small, (width, height), interpolation=way)
    return finished(np.asarray(large, np.float32), rng)


def shake_kernel(extent_px: float, rng: np.random.Generator) -> Kernel:
    """A path of random acceleration, `extent_px` across, softened by a lens; sums to 1.

    Odd sides, its centre of mass in the middle, so that the picture stays where it is.
    """
    inertia = rng.uniform(0.7, 0.98)
    pushes = rng.standard_normal((_PATH_STEPS, 2))
    speed = np.zeros((_PATH_STEPS, 2))
    speed[0] = pushes[0] * rng.uniform(0, 3)
    for k in range(1, _PATH_STEPS):
        speed[k] = inertia * speed[k - 1] + pushes[k]
    path = np.cumsum(speed, axis=0)
    across = np.ptp(path, axis=0)
    path *= extent_px / max(math.hypot(*across), 1e-9)
    path -= path.mean(axis=0)
    half = math.ceil(np.abs(path).max()) + 2
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    places = path + half
    corner = np.floor(places).astype(int)
    for dy in (0, 1):
        for dx in (0, 1):
            weight = 1 - np.abs(places - corner - (dx, dy))
            np.add.at(kernel, (corner[:, 1] + dy, corner[:, 0] + dx), weight.prod(axis=1))
    kernel = cv2.GaussianBlur(kernel, (0, 0), 0.4, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(kernel / kernel.sum(), np.float32)


def aperture_kernel(radius_px: float, rng: np.random.Generator) -> Kernel:
    """A disc or a polygon of five to eight blades, a little uneven; sums to 1."""
    half = math.ceil(radius_px) + 1
    fine = (np.arange((2 * half + 1) * 5) + 0.5) / 5 - half - 0.5
    x, y = fine[None, :], fine[:, None]
    distance = np.hypot(x, y)
    rim = np.full_like(distance, radius_px)
    if rng.random() < 0.4:
        blades, turn = int(rng.integers(5, 9)), rng.uniform(0, math.pi)
        sector = np.mod(np.arctan2(y, x) + turn, 2 * math.pi / blades) - math.pi / blades
        rim = rim * math.cos(math.pi / blades) / np.cos(sector)
    tilt = float(rng.uniform(-0.4, 0.4))  # of an under- or overcorrected lens
    light = np.where(distance <= rim, 1 + tilt * (2 * (distance / radius_px) ** 2 - 1), 0)
    kernel = light.reshape(2 * half + 1, 5, 2 * half + 1, 5).mean(axis=(1, 3))
    return np.asarray(kernel / kernel.sum(), np.float32)


def _light(image: Image, rng: np.random.Generator) -> Values:
    """Linear light; what the sensor had clipped may have been brighter by up to three times."""
    light = to_linear(image)
    if rng.random() < 0.5:
        excess = np.maximum(light - np.float32(_CLIPPED), 0) / np.float32(1 - _CLIPPED)
        light += np.float32(rng.uniform(0, 3)) * excess
    return light


def _oblong_gaussian(long_px: float, short_px: float, angle: float) -> Kernel:
    half = max(1, math.ceil(3.5 * long_px))
    axis = np.arange(-half, half + 1)
    x, y = axis[None, :], axis[:, None]
    along, across = (
        x * math.cos(angle) + y * math.sin(angle),
        y * math.cos(angle) - x * math.sin(angle),
    )
    kernel = np.exp(-((along / long_px) ** 2 + (across / short_px) ** 2) / 2)
    return np.asarray(kernel / kernel.sum(), np.float32)
