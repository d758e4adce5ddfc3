"""Renders in numpy: solids with textures and shadows, terrain, and ray-marched smooth bodies."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from drawn_basics import Colour, Field, colours, fractal, hsv, mix, pick, picture_size, ramp
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

Vectors = Field  # (…, 3)
Texture = Callable[[Field, Field], Vectors]

FAR = 60.0


def render(rng: np.random.Generator) -> NDArray[np.uint8]:
    """One scene, drawn 1.5 times as large and reduced, so that edges are anti-aliased."""
    width, height = picture_size(rng, upright=0.2)
    scene = pick(rng, (_solids, _solids, _solids, _terrain, _bodies))
    linear = scene(rng, height * 3 // 2, width * 3 // 2)
    reduced = cv2.resize(linear, (width, height), interpolation=cv2.INTER_AREA)
    return np.round(255 * np.clip(reduced, 0, 1) ** (1 / 2.2)).astype(np.uint8)


def light(colour: Colour) -> Vectors:
    """An 8-bit colour as linear light in 0 to 1."""
    linear: Vectors = (np.array(colour, np.float32) / 255) ** 2.2
    return linear


def dot(first: Vectors, second: Vectors) -> Field:
    """Scalar products along the last axis."""
    products: Field = np.einsum("...i,...i->...", first, second)
    return products


def unit(vectors: Vectors) -> Vectors:
    """The vectors at length 1."""
    lengths: Field = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(lengths, 1e-6)


def rays(height: int, width: int, tilt: float, view: float) -> Vectors:
    """Directions through the pixels of a camera that looks along z, `tilt` radians downwards."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    scale = view / max(height, width)
    seen = np.stack([(x - width / 2) * scale, (height / 2 - y) * scale, np.ones_like(x)], -1)
    cos, sin = np.cos(tilt), np.sin(tilt)
    turned = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]], np.float32)
    return unit(seen @ turned.T).astype(np.float32)


def sky(rng: np.random.Generator, ways: Vectors) -> Vectors:
    """A gradient from horizon to zenith, or a plain studio wall."""
    hue = rng.uniform(0.5, 0.7) if rng.random() < 0.6 else rng.random()
    low, high = (
        hsv(hue, rng.uniform(0, 0.25), 0.95),
        hsv(hue, rng.uniform(0.1, 0.7), rng.uniform(0.3, 0.9)),
    )
    return ramp(np.clip(1.6 * ways[..., 1] + 0.3, 0, 1), (low, high)) ** 2.2 / np.float32(255**2.2)


def texture(rng: np.random.Generator) -> Texture:
    """Colours over a surface: plain, chequered, striped, bricks, marble or stone."""
    sort, size = int(rng.integers(6)), rng.uniform(0.25, 1.2)
    first, second = (light(mix(c, (150, 140, 130), rng.uniform(0, 0.7))) for c in colours(rng, 2))
    field = fractal(rng, 512, 512, 5, 0.6)

    def cloudy(u: Field, v: Field) -> Field:
        places = [256 + 128 * u, 256 + 128 * v]
        found: Field = map_coordinates(field, places, order=1, mode="mirror")
        return found

    def painted(u: Field, v: Field) -> Vectors:
        u, v = u / size, v / size
        if sort == 0:
            share = np.zeros_like(u)
        elif sort == 1:
            share = ((np.floor(u) + np.floor(v)) % 2).astype(np.float32)
        elif sort == 2:
            share = (np.sin(7 * u) > 0).astype(np.float32)
        elif sort == 3:
            across = u + 0.5 * (np.floor(2 * v) % 2)
            share = ((across % 1 < 0.05) | (2 * v % 1 < 0.09)).astype(np.float32)
        elif sort == 4:
            share = np.abs(np.sin(4 * u + 9 * cloudy(u / 3, v / 3)))
        else:
            share = cloudy(u / 2, v / 2)
        return first + (second - first) * share[..., None]

    return painted


class Scene:
    """Spheres and upright boxes on a plane at height 0; distances along rays, normals, colours."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.centres: list[Vectors] = []
        self.sizes: list[Vectors] = []
        self.round: list[bool] = []
        self.textures: list[Texture] = [texture(rng)]
        self.gloss = [pick(rng, (0.0, 0.0, 0.3))]
        for _ in range(int(rng.integers(3, 13))):
            ball = bool(rng.random() < 0.55)
            half = np.full(3, rng.uniform(0.3, 1)) if ball else rng.uniform(0.25, 1.1, 3)
            place = (rng.uniform(-3, 3), half[1], rng.uniform(3.5, 9))
            self.centres.append(np.array(place, np.float32))
            self.sizes.append(half.astype(np.float32))
            self.round.append(ball)
            self.textures.append(texture(rng))
            self.gloss.append(float(pick(rng, (0.0, 0.2, 0.6))) if ball else 0.0)

    def hit(self, start: Vectors, ways: Vectors) -> tuple[Field, NDArray[np.int8]]:
        """Distance to the nearest surface and its number: 0 is the plane, −1 nothing."""
        down = -start[..., 1] / np.where(ways[..., 1] == 0, np.float32(1e-6), ways[..., 1])
        near = np.where((down > 1e-3) & (down < FAR), down, np.float32(FAR))
        which = np.where(near < FAR, 0, -1).astype(np.int8)
        for k in range(len(self.centres)):
            distance = self._reach(k, start, ways)
            closer = (distance > 1e-3) & (distance < near)
            near, which = np.where(closer, distance, near), np.where(closer, np.int8(k + 1), which)
        return near, which

    def _reach(self, k: int, start: Vectors, ways: Vectors) -> Field:
        away = start - self.centres[k]
        if self.round[k]:
            half = dot(away, ways)
            inside = half * half - dot(away, away) + self.sizes[k][0] ** 2
            return np.where(inside > 0, -half - np.sqrt(np.maximum(inside, 0)), np.float32(FAR))
        slant = np.where(np.abs(ways) < 1e-6, np.float32(1e-6), ways)
        middle, reach = -away / slant, self.sizes[k] / np.abs(slant)
        enter, leave = (middle - reach).max(-1), (middle + reach).min(-1)
        return np.where(leave > enter, enter, np.float32(FAR))

    def surface(self, points: Vectors, which: NDArray[np.int8]) -> tuple[Vectors, Vectors, Field]:
        """Normals, colours and gloss at points of the surfaces of these numbers."""
        normals, shades = np.zeros_like(points), np.zeros_like(points)
        gloss = np.zeros(which.shape, np.float32)
        for k in range(len(self.textures)):
            there = which == k
            if not there.any():
                continue
            local = points[there]
            if k == 0:
                normal = np.tile(np.array([0, 1, 0], np.float32), (len(local), 1))
                u, v = local[:, 0], local[:, 2]
            else:
                local = (local - self.centres[k - 1]) / self.sizes[k - 1]
                u, v = np.arctan2(local[:, 0], -local[:, 2]), 2 * local[:, 1]
                normal = local
                if not self.round[k - 1]:
                    face = np.abs(local).argmax(-1)
                    normal = np.eye(3, dtype=np.float32)[face] * np.sign(local)
                    u = np.where(face == 0, local[:, 2], local[:, 0]) * 2
                    v = np.where(face == 1, local[:, 2], local[:, 1]) * 2
            normals[there], gloss[there] = normal, self.gloss[k]
            shades[there] = self.textures[k](u[:, None], v[:, None])[:, 0]
        return normals, shades, gloss


def _solids(rng: np.random.Generator, height: int, width: int) -> Vectors:
    scene = Scene(rng)
    ways = rays(height, width, rng.uniform(0.1, 0.4), rng.uniform(0.9, 1.3))
    start = np.array([0, rng.uniform(1.6, 3), 0], np.float32)
    sun = towards_sun(rng)
    return seen_in_sun(scene, start, ways, sky(rng, ways), sun)


def towards_sun(rng: np.random.Generator) -> Vectors:
    """A direction above the ground, seldom from behind what is seen."""
    return unit(
        np.array([rng.uniform(-1, 1), rng.uniform(0.6, 1.5), rng.uniform(-1, 0.3)], np.float32)
    )


def seen_in_sun(
    scene: Scene, start: Vectors, ways: Vectors, behind: Vectors, sun: Vectors
) -> Vectors:
    """What the rays from a place see, in linear light: shadows, shine and one reflection."""
    lit, points, normals, gloss = _shade(scene, start, ways, behind, sun)
    if gloss.any():
        mirrored = ways - 2 * dot(ways, normals)[..., None] * normals
        seen, *_ = _shade(scene, points + 1e-2 * normals, mirrored, behind, sun)
        lit = lit + (seen - lit) * gloss[..., None]
    return lit


def _shade(
    scene: Scene, start: Vectors, ways: Vectors, behind: Vectors, sun: Vectors
) -> tuple[Vectors, Vectors, Vectors, Field]:
    distance, which = scene.hit(start, ways)
    points = start + distance[..., None] * ways
    normals, shades, gloss = scene.surface(points, which)
    direct = np.maximum(dot(normals, sun), 0)
    blocked, _ = scene.hit(points + 1e-2 * normals, np.broadcast_to(sun, points.shape))
    direct = np.where(blocked < FAR, 0, direct)
    shine = np.maximum(dot(unit(sun - ways), normals), 0) ** 60 * (direct > 0) * (gloss > 0)
    lit = (
        shades * (0.28 + 0.12 * normals[..., 1:2] + 0.85 * direct[..., None])
        + 0.5 * shine[..., None]
    )
    far = np.clip((distance - 20) / 40, 0, 1)[..., None]
    return (
        np.where(which[..., None] < 0, behind, lit + (behind - lit) * far),
        points,
        normals,
        gloss,
    )


def _terrain(rng: np.random.Generator, height: int, width: int) -> Vectors:
    """Hills seen from a height, painted from near to far, column by column."""
    side = 1024
    ground = fractal(rng, side, side, 4, 0.45) * rng.uniform(60, 140)
    level = float(np.quantile(ground, rng.uniform(0, 0.4)))
    slope = np.stack(np.gradient(ground), -1)
    bright = np.clip(0.75 + slope @ rng.uniform(-0.35, 0.35, 2) * 2, 0.25, 1.4).astype(np.float32)
    grass = hsv(rng.uniform(0.08, 0.38), rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.7))
    stops = (
        mix(grass, (220, 200, 150), 0.6),
        grass,
        mix(grass, (110, 100, 90), 0.7),
        (240, 240, 245),
    )
    top = np.clip((ground - level) / (np.ptp(ground) * 0.8), 0, 1)
    paint = ramp(top, stops) * (0.6 + 0.8 * fractal(rng, side, side, 40, 0.85))[..., None]
    paint = (np.clip(paint, 0, 255) / 255) ** 2.2 * bright[..., None]
    water = ground < level
    paint[water] = light(hsv(0.57, 0.6, 0.55)) * (
        0.8 + 0.3 * fractal(rng, side, side, 60)[water][:, None]
    )
    ground = np.maximum(ground, level)
    image = sky(rng, rays(height, width, 0, 1.2)).astype(np.float32)
    air, filled = image[height // 2].mean(0), np.full(width, height)
    eye, horizon = float(ground.max() + rng.uniform(5, 50)), height * rng.uniform(0.2, 0.4)
    across = np.linspace(-0.6, 0.6, width, dtype=np.float32)
    lines = np.arange(height)[:, None]
    distance = 40.0
    while distance < 950:
        x = (0.5 * side + across * distance)[None]
        y = np.full_like(x, distance)
        high, shade = (
            cv2.remap(of, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)[0]
            for of in (ground, paint)
        )
        shade = shade + (air - shade) * min(1, distance / 950) ** 2 * 0.35
        reach = np.clip((eye - high) / distance * width / 1.2 + horizon, 0, height).astype(int)
        band = slice(int(reach.min()), int(filled.max()))
        covered = (lines[band] >= reach) & (lines[band] < filled)
        image[band] = np.where(covered[..., None], shade[None], image[band])
        filled, distance = np.minimum(filled, reach), distance * 1.003
    return image


def _bodies(rng: np.random.Generator, height: int, width: int) -> Vectors:
    """Smoothly joined balls and a rippled ground, found by marching along the rays."""
    ways = rays(height, width, 0.25, 1.1)
    start = np.array([0, 2.2, 0], np.float32)
    balls = [
        (
            np.array(
                [rng.uniform(-1.8, 1.8), rng.uniform(0.2, 2), rng.uniform(4, 6.5)], np.float32
            ),
            r,
        )
        for r in rng.uniform(0.4, 1.0, int(rng.integers(3, 8)))
    ]
    ripple, blend = rng.uniform(0, 0.12), rng.uniform(0.15, 0.5)
    waves = rng.uniform(3, 9)

    def away(points: Vectors) -> Field:
        total: Field = np.exp(-(points[..., 1] - ripple * np.sin(points[..., 0] * 2)) / blend)
        for centre, radius in balls:
            total += np.exp(-(np.linalg.norm(points - centre, axis=-1) - radius) / blend)
        bumps = 0.5 * ripple * np.sin(points * waves).prod(-1)
        distance: Field = bumps - blend * np.log(np.maximum(total, 1e-12))
        return distance

    def march(origin: Vectors, along: Vectors, steps: int) -> Field:
        gone = np.full(along.shape[0], 0.02, np.float32)
        active = np.arange(len(gone))
        for _ in range(steps):
            origins = origin if origin.ndim == 1 else origin[active]
            step = away(origins + gone[active, None] * along[active])
            gone[active] += 0.8 * step
            active = active[(step > 2e-3) & (gone[active] < 25)]
            if not len(active):
                break
        return gone

    flat = ways.reshape(-1, 3)
    gone = march(start, flat, 70)
    points = start + gone[:, None] * flat
    shifts = 2e-3 * np.eye(3, dtype=np.float32)
    normals = unit(np.stack([away(points + s) - away(points - s) for s in shifts], -1))
    sun = unit(np.array([rng.uniform(-1, 1), 1.2, -0.6], np.float32))
    shadow = march(points + 0.03 * normals, np.broadcast_to(sun, points.shape), 30) > 20
    direct = np.maximum(dot(normals, sun), 0) * shadow
    first, second = (light(c) for c in colours(rng, 2))
    marble = texture(rng)(points[:, :1], points[:, 2:] + points[:, 1:2])[:, 0]
    shade = np.where(
        points[:, 1:2] > 0.25, first + (second - first) * (0.5 + 0.5 * normals), marble
    )
    shine = np.maximum(dot(unit(sun - flat), normals), 0) ** 40 * (direct > 0)
    lit = shade * (0.3 + 0.9 * direct[:, None]) + 0.4 * shine[:, None]
    far = np.clip((gone - 8) / 15, 0, 1)[:, None]
    behind = sky(rng, ways).reshape(-1, 3)
    return (lit + (behind - lit) * far).reshape(height, width, 3).astype(np.float32)
