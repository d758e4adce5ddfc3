"""Flat drawings: shapes, icons, patterns, cartoons, maps, diagrams and pixel art, by Pillow."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
from drawn_basics import (
    Colour,
    Point,
    colours,
    draw_smooth,
    font,
    fractal,
    hsv,
    mix,
    paper_and_ink,
    phrase,
    pick,
    picture_size,
    ramp,
    smooth,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pen = ImageDraw.ImageDraw


def drawing(rng: np.random.Generator) -> NDArray[np.uint8]:
    """One drawing of a random sort; most are anti-aliased, a fifth are not."""
    size = picture_size(rng)
    factor = int(pick(rng, (1, 3, 3, 4, 4)))
    image, pen = draw_smooth(size, factor)
    pick(rng, SORTS)(rng, image, pen)
    return smooth(image, size)


def gradient(size: tuple[int, int], first: Colour, second: Colour, angle: float) -> Image.Image:
    """A straight gradient from one colour to another; `angle` in radians, 0 is to the right."""
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j].astype(np.float32)
    along = x * math.cos(angle) + y * math.sin(angle)
    field = (along - along.min()) / np.ptp(along)
    return Image.fromarray(np.round(ramp(field, (first, second))).astype(np.uint8))


def polygon(
    centre: Point, radius: float, corners: int, turn: float, dent: float = 1
) -> list[Point]:
    """Corners of a regular polygon; every second one is pulled in to `dent`, which makes a star."""
    made = []
    for k in range(corners):
        angle, reach = turn + 2 * math.pi * k / corners, radius * (dent if k % 2 else 1)
        made.append((centre[0] + reach * math.cos(angle), centre[1] + reach * math.sin(angle)))
    return made


def shape(
    rng: np.random.Generator, pen: Pen, centre: Point, radius: float, fill: Colour | None,
    outline: Colour | None, line: int,
) -> None:  # fmt: skip
    """A circle, box, polygon, star, ring, drop or bar around a centre."""
    x, y = centre
    box = (x - radius, y - radius, x + radius, y + radius)
    sort, turn = int(rng.integers(7)), rng.uniform(0, 6.3)
    if sort == 0:
        pen.ellipse(box, fill, outline, line)
    elif sort == 1:
        pen.rounded_rectangle(box, radius * rng.uniform(0, 0.6), fill, outline, line)
    elif sort == 2:
        pen.polygon(polygon(centre, radius, int(rng.integers(3, 9)), turn), fill, outline, line)
    elif sort == 3:
        corners = 2 * int(rng.integers(4, 9))
        star = polygon(centre, radius, corners, turn, rng.uniform(0.4, 0.7))
        pen.polygon(star, fill, outline, line)
    elif sort == 4:
        pen.ellipse(box, None, fill or outline, max(2, round(radius * rng.uniform(0.15, 0.4))))
    elif sort == 5:
        pen.pieslice(
            box, math.degrees(turn), math.degrees(turn) + rng.uniform(60, 300), fill, outline
        )
    else:
        pen.rectangle(
            (x - radius, y - radius * 0.4, x + radius, y + radius * 0.4), fill, outline, line
        )


def _shapes(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    paper, ink = paper_and_ink(rng)
    shades, unit = colours(rng, 6), min(width, height)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 6.3)
        image.paste(gradient(image.size, paper, mix(paper, shades[0], 0.7), angle))
    else:
        image.paste(paper, (0, 0, width, height))
    line = max(1, round(unit * rng.uniform(0.003, 0.015)))
    outlined = pick(rng, (True, False))
    for _ in range(int(rng.integers(5, 40))):
        centre = (rng.uniform(0, width), rng.uniform(0, height))
        radius = unit * rng.uniform(0.03, 0.22)
        shape(rng, pen, centre, radius, pick(rng, shades), ink if outlined else None, line)


def _icons(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    paper, ink = paper_and_ink(rng)
    image.paste(paper, (0, 0, width, height))
    shades, columns = colours(rng, 5), int(rng.integers(3, 8))
    cell = width / columns
    line, labelled = max(1, round(cell * 0.04)), rng.random() < 0.5
    letters = font(rng, cell * 0.13)
    for row in range(math.ceil(height / cell)):
        for column in range(columns):
            x, y = cell * (column + 0.5), cell * (row + 0.5)
            tile, half = pick(rng, shades), cell * 0.38
            pen.rounded_rectangle((x - half, y - half, x + half, y + half), half * 0.4, tile)
            front = mix(tile, (255, 255, 255), 0.85)
            shape(rng, pen, (x, y), cell * 0.22, front, None, line)
            shape(rng, pen, (x + cell * 0.05, y), cell * 0.1, mix(tile, (0, 0, 0), 0.4), None, line)
            if labelled:
                pen.text((x, y + cell * 0.45), phrase(rng, 1, 1), ink, letters, anchor="mm")


def _pattern(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    shades, unit = colours(rng, 4), min(width, height) / int(rng.integers(4, 14))
    image.paste(shades[0], (0, 0, width, height))
    sort, turn = int(rng.integers(5)), rng.uniform(0, 6.3)
    for row in range(-1, math.ceil(height / unit) + 2):
        for column in range(-1, math.ceil(width / unit) + 2):
            x, y = column * unit + (unit / 2 if sort == 1 and row % 2 else 0), row * unit
            shade = shades[1 + (row * 2 + column) % 3]
            box = (x, y, x + unit, y + unit)
            if sort == 0 and (row + column) % 2:
                pen.rectangle(box, shade)
            elif sort == 1:
                pen.ellipse((x, y, x + 0.8 * unit, y + 0.8 * unit), shade)
            elif sort == 2:
                pen.polygon(polygon((x, y), unit * 0.6, 6, turn), shade)
            elif sort == 3:
                pen.arc(box, *pick(rng, ((0, 90), (180, 270), (90, 180))), shade, round(unit / 5))
            elif sort == 4:
                pen.polygon([(x, y), (x + unit, y), (x, y + unit)], pick(rng, shades))


def _landscape(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    hue = rng.random()
    sky = (hsv(hue, rng.uniform(0.2, 0.7), rng.uniform(0.3, 0.95)), hsv(hue + 0.1, 0.25, 1))
    image.paste(gradient(image.size, *sky, math.pi / 2))
    unit = min(width, height)
    sun = (rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.35) * height)
    pen.ellipse(
        (sun[0] - unit / 9, sun[1] - unit / 9, sun[0] + unit / 9, sun[1] + unit / 9),
        (255, 240, 170),
    )
    for _ in range(int(rng.integers(0, 6))):
        x, y, r = (
            rng.uniform(0, width),
            rng.uniform(0, 0.4) * height,
            unit * rng.uniform(0.03, 0.07),
        )
        for shift in (-1.2, 0, 1.2):
            pen.ellipse((x + shift * r - r, y - r, x + shift * r + r, y + r), (255, 255, 255))
        pen.rectangle((x - 1.2 * r, y, x + 1.2 * r, y + r), (255, 255, 255))
    near, layers = hsv(rng.uniform(0.2, 0.45), 0.6, 0.5), int(rng.integers(2, 6))
    for layer in range(layers):
        base, rise = height * (0.5 + 0.4 * layer / layers), height * rng.uniform(0.05, 0.2)
        waves = [(rng.uniform(1, 9), rng.uniform(0, 6), rng.uniform(0.2, 1)) for _ in range(3)]
        steps = np.linspace(0, 1, 120)
        line = np.full(120, base)
        for pace, start, reach in waves:
            line -= rise * reach * np.sin(pace * steps + start)
        ground = [(0, height), *zip(steps * width, line, strict=True), (width, height)]
        pen.polygon(ground, mix(sky[0], near, (layer + 1) / layers))
        for k in rng.integers(0, 120, int(rng.integers(2, 9))):
            (_tree if rng.random() < 0.6 else _house)(
                rng, pen, (float(steps[k] * width), float(line[k])), unit * (0.04 + 0.03 * layer)
            )


def _tree(rng: np.random.Generator, pen: Pen, foot: Point, size: float) -> None:
    (x, y), leaf = foot, hsv(rng.uniform(0.15, 0.42), 0.7, rng.uniform(0.3, 0.7))
    pen.rectangle((x - size / 10, y - size * 0.6, x + size / 10, y + size / 10), (110, 75, 45))
    if rng.random() < 0.5:
        for k in range(3):
            top, half = y - size * (1.6 - 0.4 * k), size * (0.25 + 0.1 * k)
            pen.polygon(
                [(x, top), (x - half, top + size * 0.6), (x + half, top + size * 0.6)], leaf
            )
    else:
        pen.ellipse((x - size / 2, y - size * 1.5, x + size / 2, y - size / 2), leaf)


def _house(rng: np.random.Generator, pen: Pen, foot: Point, size: float) -> None:
    (x, y), wall, roof = foot, *colours(rng, 2)
    pen.rectangle((x - size / 2, y - size * 0.7, x + size / 2, y + size * 0.1), wall)
    pen.polygon(
        [(x - size * 0.6, y - size * 0.7), (x, y - size * 1.2), (x + size * 0.6, y - size * 0.7)],
        roof,
    )
    for place in (-0.25, 0.25):
        left = x + place * size - size * 0.11
        pen.rectangle((left, y - size * 0.5, left + size * 0.22, y - size * 0.25), (255, 245, 190))


def _faces(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    shades = colours(rng, 5)
    image.paste(mix(shades[0], (255, 255, 255), 0.5), (0, 0, width, height))
    columns = int(rng.integers(1, 5))
    cell, ink = width / columns, (35, 30, 40)
    for row in range(math.ceil(height / cell)):
        for column in range(columns):
            x, y, r = cell * (column + 0.5), cell * (row + 0.5), cell * rng.uniform(0.28, 0.4)
            line = max(1, round(r * 0.06))
            skin, hair = hsv(rng.uniform(0.04, 0.1), rng.uniform(0.2, 0.6), 0.95), pick(rng, shades)
            pen.ellipse((x - r, y - r * 1.1, x + r, y + r), hair, ink, line)
            pen.ellipse((x - r * 0.85, y - r * 0.75, x + r * 0.85, y + r), skin, ink, line)
            for side in (-0.35, 0.35):
                eye, e = x + side * r, r * rng.uniform(0.1, 0.2)
                pen.ellipse((eye - e, y - e, eye + e, y + e), (255, 255, 255), ink, line)
                pen.ellipse((eye - e / 2, y - e / 2, eye + e / 2, y + e / 2), ink)
                pen.line(
                    (eye - e, y - 2 * e, eye + e, y - rng.uniform(1.5, 2.5) * e), ink, 2 * line
                )
            mouth = (x - r * 0.4, y + r * 0.1, x + r * 0.4, y + r * rng.uniform(0.4, 0.75))
            pen.chord(mouth, 0, 180, pick(rng, ((200, 60, 70), (255, 255, 255))), ink, line)


def _map(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    unit = min(width, height)
    ground, water = pick(rng, (((240, 236, 226), (170, 210, 240)), ((40, 45, 55), (25, 60, 90))))
    green = mix(ground, (120, 190, 100), 0.5)
    field = cv2.resize(fractal(rng, height // 4, width // 4, 3, 0.3), image.size)
    field = cv2.GaussianBlur(field, (0, 0), unit * 0.01)
    land = np.select(
        [field[..., None] < 0.25, field[..., None] > 0.75],
        [np.array(water), np.array(green)],
        ground,
    )
    image.paste(Image.fromarray(land.astype(np.uint8)))
    edge, letters = mix(ground, (128, 120, 110), 0.6), font(rng, unit * 0.03)
    for wide, shade in ((0.006, mix(ground, (255, 255, 255), 0.6)), (0.02, (250, 210, 110))):
        for _ in range(int(rng.integers(3, 12))):
            start, angle = (
                np.array([rng.uniform(0, width), rng.uniform(0, height)]),
                rng.uniform(0, 7),
            )
            bends = angle + np.cumsum(rng.normal(0, 0.12, 80))
            steps = np.cumsum(np.stack([np.cos(bends), np.sin(bends)], 1), 0) * unit / 30
            path = [(float(x), float(y)) for x, y in start + steps - steps[40]]
            pen.line(path, edge, round(unit * wide * 1.5) + 1, joint="curve")
            pen.line(path, shade, max(1, round(unit * wide)), joint="curve")
    ink = (250, 250, 250) if sum(ground) < 300 else (50, 50, 60)
    for _ in range(int(rng.integers(4, 16))):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), unit * 0.012
        pen.ellipse((x - r, y - r, x + r, y + r), (210, 60, 50), ink)
        pen.text((x + 2 * r, y), phrase(rng, 1, 2), ink, letters, anchor="lm")


def _diagram(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    paper, ink = paper_and_ink(rng)
    image.paste(paper, (0, 0, width, height))
    columns, rows = int(rng.integers(2, 5)), int(rng.integers(2, 5))
    cell = (width / columns, height / rows)
    shades, line = colours(rng, 4), max(1, round(min(cell) * 0.012))
    letters, rounded = font(rng, min(cell) * 0.15), rng.uniform(0, 0.2)
    places = [
        ((c + 0.5) * cell[0], (r + 0.5) * cell[1]) for r in range(rows) for c in range(columns)
    ]
    for k, (x, y) in enumerate(places):
        for other in (k + 1, k + columns):
            if other < len(places) and rng.random() < 0.7:
                a, b = places[other]
                pen.line((x, y, a, b), ink, line)
                middle = ((x + a) / 2, (y + b) / 2)
                turn = math.atan2(b - y, a - x)
                pen.polygon(polygon(middle, min(cell) * 0.06, 3, turn), ink)
    for x, y in places:
        half, high = cell[0] * rng.uniform(0.25, 0.36), cell[1] * rng.uniform(0.2, 0.3)
        box, fill = (x - half, y - high, x + half, y + high), mix(paper, pick(rng, shades), 0.55)
        if rng.random() < 0.2:
            pen.ellipse(box, fill, ink, line)
        else:
            pen.rounded_rectangle(box, rounded * min(cell), fill, ink, line)
        word = phrase(rng, 1, 1)
        if letters.getlength(word) < 1.9 * half:
            pen.text((x, y), word, ink, letters, anchor="mm")


def _pixel_art(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    """Symmetrical sprites of large pixels, each pixel a whole number of pixels of the picture."""
    width, height = image.size
    paper, _ = paper_and_ink(rng, dark=0.6)
    image.paste(paper, (0, 0, width, height))
    side = max(2, min(width, height) // int(rng.integers(40, 90)))
    for top in range(side, height - 9 * side, 11 * side):
        for left in range(side, width - 9 * side, 11 * side):
            body, dark, light = colours(rng, 3)
            for (row, column), part in np.ndenumerate(rng.integers(0, 5, (9, 5))):
                if part < 3:
                    fill = (body, dark, light)[part] if 0 < row < 8 else body
                    for across in (column, 8 - column):
                        x, y = left + across * side, top + row * side
                        pen.rectangle((x, y, x + side - 1, y + side - 1), fill)


SORTS: tuple[Callable[[np.random.Generator, Image.Image, Pen], None], ...] = (
    *(_shapes, _shapes, _icons, _icons, _pattern, _pattern, _landscape, _landscape, _landscape),
    *(_faces, _map, _map, _diagram, _diagram, _pixel_art),
)
