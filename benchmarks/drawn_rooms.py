"""Soft renders in numpy: rooms lit by a lamp of some size, and solids seen through a lens."""

from __future__ import annotations

import cv2
import numpy as np
from drawn_basics import Field, colours, hsv, mix, pick, picture_size
from drawn_renders import (
    Scene,
    Texture,
    Vectors,
    dot,
    light,
    rays,
    seen_in_sun,
    sky,
    texture,
    towards_sun,
    unit,
)
from numpy.typing import NDArray

_HALF_WIDTH = 2.6
_HEIGHT = 4.2
_DEPTH = 9.0
_WALL = 0.2
_STRATA = 4  # along each side of the lamp
_LENS_POINTS = 20


def soft_render(rng: np.random.Generator) -> NDArray[np.uint8]:
    """One scene with few sharp edges: a dim or a bright room, or solids with a blurred background.

    All of it is as its maker wants it, so it is clean, however soft or dim.
    """
    width, height = picture_size(rng, upright=0.2)
    if rng.random() < 0.65:
        linear = cv2.resize(
            _room(rng, height * 5 // 4, width * 5 // 4), (width, height), None, 0, 0, cv2.INTER_AREA
        )
        bright = rng.uniform(0.12, 1.1)
        linear = linear * (bright / max(float(np.quantile(linear, 0.97)), 1e-3))
    else:
        linear = _through_lens(rng, height, width)
    shown: NDArray[np.uint8] = np.round(255 * np.clip(linear, 0, 1) ** (1 / 2.2)).astype(np.uint8)
    return shown


def _room(rng: np.random.Generator, height: int, width: int) -> Vectors:
    """Walls, boxes and balls in linear light, with soft shadows and light from wall to wall."""
    scene = Scene(rng)
    for k, centre in enumerate(scene.centres):
        centre[:] = rng.uniform(-1.8, 1.8), scene.sizes[k][1], rng.uniform(4, 7.5)
    walls = _add_walls(scene, rng)
    start = np.array([rng.uniform(-1, 1), rng.uniform(0.8, 2.6), 0.4], np.float32)
    ways = rays(height, width, rng.uniform(-0.05, 0.3), rng.uniform(0.3, 1.2))
    turn = rng.uniform(-0.3, 0.3)
    cos, sin = np.cos(turn), np.sin(turn)
    ways = ways @ np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]], np.float32)
    distance, which = scene.hit(start, ways)
    points = start + distance[..., None] * ways
    normals, shades, _ = scene.surface(points, which)
    lamp = np.array([rng.uniform(-1.2, 1.2), _HEIGHT - 0.25, rng.uniform(3, 6)], np.float32)
    size = rng.uniform(0.3, 1.4)
    lit = _lamp_light(scene, points, normals, which, lamp, size, rng)
    glow = light(hsv(rng.uniform(0.06, 0.16), rng.uniform(0, 0.4), 1))
    left, right = np.abs(points[..., 0] + _HALF_WIDTH), np.abs(points[..., 0] - _HALF_WIDTH)
    back = np.abs(_DEPTH - points[..., 2])
    near = [np.abs(points[..., 1]), _HEIGHT - points[..., 1], left, right, back]
    hollow = np.prod([1 - 0.3 * np.exp(-d.clip(0) / 0.5) for d in near], axis=0)
    around = rng.uniform(0.15, 0.4) * hollow[..., None] * glow
    for away, colour in ((left, walls[0]), (right, walls[1])):
        around = around + 0.25 * np.exp(-away / 1.2)[..., None] * colour
    seen: Vectors = (shades * (lit[..., None] * glow + around)).astype(np.float32)
    return seen


def _add_walls(scene: Scene, rng: np.random.Generator) -> tuple[Vectors, Vectors]:
    """Close the scene on the left, on the right, behind and above; the colours of both sides."""
    paints = [light(mix(c, (190, 185, 175), rng.uniform(0.2, 1))) for c in colours(rng, 4)]
    places = (
        ((-_HALF_WIDTH - _WALL, _HEIGHT / 2, _DEPTH / 2), (_WALL, _HEIGHT, _DEPTH)),
        ((_HALF_WIDTH + _WALL, _HEIGHT / 2, _DEPTH / 2), (_WALL, _HEIGHT, _DEPTH)),
        ((0, _HEIGHT / 2, _DEPTH + _WALL), (_HALF_WIDTH + 1, _HEIGHT, _WALL)),
        ((0, _HEIGHT + _WALL, _DEPTH / 2), (_HALF_WIDTH + 1, _WALL, _DEPTH)),
    )
    patterned = rng.random() < 0.3
    for (centre, half), paint in zip(places, paints, strict=True):
        scene.centres.append(np.array(centre, np.float32))
        scene.sizes.append(np.array(half, np.float32))
        scene.round.append(False)
        scene.textures.append(texture(rng) if patterned else _plain(paint))
        scene.gloss.append(0.0)
    return paints[0], paints[1]


def _plain(paint: Vectors) -> Texture:
    return lambda u, v: np.broadcast_to(paint, (*u.shape, 3))


def _lamp_light(
    scene: Scene,
    points: Vectors,
    normals: Vectors,
    which: NDArray[np.int8],
    lamp: Vectors,
    size: float,
    rng: np.random.Generator,
) -> Field:
    """What reaches each point from a square lamp of this half size, in 0 to about 1."""
    total = np.zeros(which.shape, np.float32)
    for row in range(_STRATA):
        for column in range(_STRATA):
            jitter = rng.random((*which.shape, 2), np.float32)
            spot = np.broadcast_to(lamp, points.shape).copy()
            spot[..., 0] += size * (2 * (column + jitter[..., 0]) / _STRATA - 1)
            spot[..., 2] += size * (2 * (row + jitter[..., 1]) / _STRATA - 1)
            way = spot - points
            far = np.linalg.norm(way, axis=-1)
            way = way / np.maximum(far, 1e-3)[..., None]
            reach, _ = scene.hit(points + 1e-2 * normals, way)
            slope = np.maximum(dot(normals, way), 0) * np.maximum(way[..., 1], 0)
            total += np.where(reach > far - 0.05, slope * 12 / (3 + far * far), 0)
    total /= _STRATA * _STRATA
    smooth = total.copy()
    for k in np.unique(which):
        there = (which == k).astype(np.float32)
        weight = cv2.GaussianBlur(there, (0, 0), 2.5)
        mean = cv2.GaussianBlur(total * there, (0, 0), 2.5) / np.maximum(weight, 1e-4)
        smooth = np.where(there > 0, mean, smooth)
    return smooth


def _through_lens(rng: np.random.Generator, height: int, width: int) -> Vectors:
    """Solids in the sun, sharp at one distance: the mean over points of the lens."""
    scene = Scene(rng)
    ways = rays(height, width, rng.uniform(0.1, 0.35), pick(rng, (0.35, 0.6, 1.0)))
    start = np.array([0, rng.uniform(1.2, 2.6), 0], np.float32)
    sun = towards_sun(rng)
    behind = sky(rng, ways)
    focus, opening = rng.uniform(3.5, 8), rng.uniform(0.02, 0.1)
    pixel = 0.5 * float(np.abs(ways[0, 1] - ways[0, 0]).max())
    total = np.zeros((height, width, 3), np.float32)
    for k in range(_LENS_POINTS):
        # Points of a sunflower fill the disc evenly.
        turn, reach = 2.39996 * k, opening * np.sqrt((k + 0.5) / _LENS_POINTS)
        shift = np.array([np.cos(turn) * reach, np.sin(turn) * reach, 0], np.float32)
        within = np.array([*rng.uniform(-pixel, pixel, 2), 0], np.float32)
        turned = unit(focus * (ways + within) - shift).astype(np.float32)
        total += seen_in_sun(scene, start + shift, turned, behind, sun)
    return total / _LENS_POINTS
