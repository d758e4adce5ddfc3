"""Scenes as games show them: platforms, tile maps, roads, isometric towns, mazes, boards, space."""

from __future__ import annotations

import math
from collections.abc import Callable

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
    phrase,
    pick,
    picture_size,
    ramp,
    smooth,
)
from drawn_shapes import gradient, polygon
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pen = ImageDraw.ImageDraw

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


def game(rng: np.random.Generator) -> NDArray[np.uint8]:
    """One scene; in most a score, hearts or a map lie over it."""
    size = picture_size(rng, upright=0.2)
    factor = int(pick(rng, (1, 2, 3, 3)))
    image, pen = draw_smooth(size, factor)
    pick(rng, SCENES)(rng, image, pen)
    if rng.random() < 0.75:
        _display(rng, image, pen)
    return smooth(image, size)


def _display(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    unit = min(width, height)
    letters, line = font(rng, unit * rng.uniform(0.04, 0.07)), max(1, round(unit * 0.005))
    text = f"{phrase(rng, 1, 1).upper()} {rng.integers(0, 99999):06d}"
    pen.text((unit * 0.03, unit * 0.03), text, WHITE, letters, stroke_width=line, stroke_fill=BLACK)
    part, long = rng.uniform(0.2, 1), unit * 0.35
    left, top = width - long - unit * 0.03, unit * 0.04
    pen.rectangle((left, top, left + long, top + unit * 0.04), (40, 40, 40), WHITE, line)
    inner = (
        left + line,
        top + line,
        left + line + part * (long - 2 * line),
        top + unit * 0.04 - line,
    )
    pen.rectangle(inner, hsv(part / 3, 0.9, 0.9))
    if rng.random() < 0.5:
        r = unit * 0.12
        x, y = width - r * 1.3, height - r * 1.3
        pen.ellipse((x - r, y - r, x + r, y + r), (50, 70, 60), WHITE, line)
        for _ in range(6):
            a, b = x + rng.uniform(-0.6, 0.6) * r, y + rng.uniform(-0.6, 0.6) * r
            pen.ellipse((a - r / 12, b - r / 12, a + r / 12, b + r / 12), (240, 80, 60))


def _hero(rng: np.random.Generator, pen: Pen, foot: Point, size: float) -> None:
    (x, y), (coat, hat), ink = foot, colours(rng, 2), (25, 25, 30)
    line, step = max(1, round(size * 0.03)), size * rng.uniform(0.1, 0.2)
    for side in (-1, 1):
        pen.line((x, y - size * 0.35, x + side * step, y), ink, 4 * line)
        pen.line((x, y - size * 0.6, x + side * 2 * step, y - size * 0.4), ink, 3 * line)
    body = (x - size * 0.16, y - size * 0.68, x + size * 0.16, y - size * 0.28)
    pen.rounded_rectangle(body, size * 0.06, coat, ink, line)
    head = (x - size * 0.17, y - size, x + size * 0.17, y - size * 0.65)
    pen.ellipse(head, (245, 205, 165), ink, line)
    pen.chord(head, 180, 360, hat, ink, line)
    pen.ellipse((x + size * 0.05, y - size * 0.84, x + size * 0.1, y - size * 0.78), ink)


def _tile(rng: np.random.Generator, side: int, colour: Colour) -> Image.Image:
    """A square of ground: bricks, speckles, planks or grass of one colour."""
    image = Image.new("RGB", (side, side), colour)
    pen, dark, bright = ImageDraw.Draw(image), mix(colour, BLACK, 0.3), mix(colour, WHITE, 0.3)
    sort, line = int(rng.integers(4)), max(1, side // 16)
    if sort == 0:
        for row in range(4):
            y, shift = row * side / 4, side / 4 * (row % 2)
            pen.line((0, y, side, y), dark, line)
            for x in (shift, shift + side / 2):
                pen.line((x, y, x, y + side / 4), dark, line)
    elif sort == 1:
        for _ in range(14):
            x, y, r = rng.uniform(0, side), rng.uniform(0, side), side * rng.uniform(0.02, 0.07)
            pen.rectangle((x, y, x + 2 * r, y + r), pick(rng, (dark, bright)))
    elif sort == 2:
        pen.rectangle((0, 0, side - 1, side - 1), colour, dark, line)
        pen.line((line, line, side - line, line), bright, line)
        pen.line((line, line, line, side - line), bright, line)
    else:
        for _ in range(12):
            x, y = rng.uniform(0, side), rng.uniform(side * 0.2, side)
            tip = (x + rng.uniform(-0.1, 0.1) * side, y - side * 0.2)
            pen.line((x, y, *tip), pick(rng, (dark, bright)), line)
    return image


def _platforms(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    hue = rng.random()
    image.paste(gradient(image.size, hsv(hue, 0.6, 0.8), hsv(hue + 0.08, 0.2, 1), math.pi / 2))
    for layer in range(3):
        shade = hsv(hue + 0.2, 0.25 + 0.15 * layer, 0.85 - 0.15 * layer)
        for _ in range(5):
            x, y = rng.uniform(0, width), height * (0.5 + 0.12 * layer)
            r = height * rng.uniform(0.1, 0.3)
            pen.polygon(
                [(x - r, height), (x - r, y), (x, y - r), (x + r, y), (x + r, height)], shade
            )
    side = height // int(rng.integers(7, 14))
    ground, block = (_tile(rng, side, c) for c in colours(rng, 2))
    top, tops = int(rng.integers(1, 4)), []
    for column in range(width // side + 1):
        top = int(np.clip(top + pick(rng, (0, 0, 0, -1, 1)), 1, 4))
        tops.append(top)
        for row in range(top):
            image.paste(ground, (column * side, height - (row + 1) * side))
        place = (column * side, height - top * side)
        pen.rectangle((*place, place[0] + side, place[1] + side * 0.2), hsv(0.3, 0.7, 0.65))
        if rng.random() < 0.25:
            for k in range(int(rng.integers(1, 4))):
                image.paste(block, (place[0] + k * side, place[1] - 4 * side))
        if rng.random() < 0.3:
            x, y, r = place[0] + side / 2, place[1] - 1.8 * side, side * 0.28
            pen.ellipse(
                (x - r, y - r, x + r, y + r), (250, 205, 50), (180, 120, 20), max(1, side // 14)
            )
    for column in rng.integers(0, len(tops), 3):
        foot = ((column + 0.5) * side, height - tops[column] * side)
        _hero(rng, pen, foot, side * rng.uniform(1, 1.7))


def _tiles(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    """A land seen from above, of square tiles chosen by a smooth random field."""
    width, height = image.size
    side = min(width, height) // int(rng.integers(8, 16))
    rows, columns = height // side + 1, width // side + 1
    field = fractal(rng, max(rows, 12), max(columns, 12), 2, 0.5)
    tints = (hsv(0.58, 0.6, 0.8), hsv(0.13, 0.4, 0.9), hsv(0.28, 0.55, 0.65), hsv(0.33, 0.6, 0.45))
    grounds = [_tile(rng, side, tint) for tint in tints]
    for row in range(rows):
        for column in range(columns):
            level, place = field[row, column], (column * side, row * side)
            image.paste(grounds[min(3, int(level * 4))], place)
            x, y = place[0] + side / 2, place[1] + side
            if level > 0.7 and rng.random() < 0.5:
                pen.ellipse(
                    (x - side * 0.4, y - side, x + side * 0.4, y - side * 0.2), hsv(0.36, 0.7, 0.35)
                )
            elif level > 0.5 and rng.random() < 0.08:
                _hero(rng, pen, (x, y), side * 1.2)
            elif level > 0.4 and rng.random() < 0.04:
                pen.polygon(
                    [(x - side, y - side), (x, y - 2 * side), (x + side, y - side)], (170, 60, 50)
                )
                pen.rectangle((x - side * 0.8, y - side, x + side * 0.8, y), (225, 205, 170))


def _road(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    """A race: a bending road in bands that alternate with the distance, and cars on it."""
    width, height = image.size
    hue, horizon = rng.random(), int(height * rng.uniform(0.35, 0.5))
    image.paste(gradient((width, horizon), hsv(hue, 0.7, 0.7), hsv(hue + 0.1, 0.3, 1), math.pi / 2))
    x = 0.0
    while x < width:
        wide, high = width * rng.uniform(0.03, 0.1), height * rng.uniform(0.05, 0.25)
        pen.rectangle(
            (x, horizon - high, x + wide, horizon), hsv(hue + 0.5, 0.3, rng.uniform(0.2, 0.5))
        )
        x += wide
    grass, bend = hsv(rng.uniform(0.1, 0.4), 0.6, 0.6), rng.uniform(-0.6, 0.6)
    for y in range(horizon, height):
        near = (y - horizon + 1) / (height - horizon)
        odd = int(6 / (near + 0.05)) % 2
        middle, half = width * (0.5 + bend * (1 - near) ** 2), width * 0.42 * near
        pen.line((0, y, width, y), mix(grass, BLACK, 0.15 * odd))
        pen.line((middle - half * 1.12, y, middle + half * 1.12, y), ((220, 50, 50), WHITE)[odd])
        pen.line((middle - half, y, middle + half, y), (95 + 8 * odd,) * 3)
        if odd:
            pen.line((middle - half * 0.03, y, middle + half * 0.03, y), WHITE)
    for near in sorted(rng.uniform(0.1, 0.9, int(rng.integers(2, 6)))):
        y, size = horizon + near * (height - horizon), width * 0.13 * near
        x = width * (0.5 + bend * (1 - near) ** 2) + width * 0.25 * near * pick(rng, (-1, 0, 1))
        body = colours(rng, 1)[0]
        pen.rounded_rectangle(
            (x - size, y - size * 0.7, x + size, y - size * 0.1), size * 0.2, body
        )
        pen.rectangle((x - size * 0.6, y - size, x + size * 0.6, y - size * 0.6), (60, 90, 120))
        for side in (-1, 1):
            a = x + side * size * 0.7
            pen.rectangle((a - size * 0.2, y - size * 0.25, a + size * 0.2, y), (25, 25, 25))
            pen.rectangle(
                (a - size * 0.15, y - size * 0.5, a + size * 0.15, y - size * 0.35), (255, 60, 40)
            )


def _town(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    """Blocks of several heights in isometric view, painted from the back to the front."""
    width, height = image.size
    image.paste(mix(colours(rng, 1)[0], WHITE, 0.3), (0, 0, width, height))
    half, shades = width / int(rng.integers(8, 22)), colours(rng, 5)
    quarter, windows = half / 2, rng.random() < 0.6
    field = fractal(rng, 64, 64, 9, 0.9)
    for row in range(-2, int(height / quarter) + 12):
        for column in range(-1, int(width / half / 2) + 2):
            x, y = (2 * column + row % 2) * half, row * quarter
            level = field[row % 64, (2 * column + row % 2) % 64]
            rise = half * (3.5 * level**2 * rng.uniform(0.5, 1.2) if level > 0.4 else 0.1)
            shade = hsv(0.3, 0.5, 0.6) if level <= 0.4 else pick(rng, shades)
            top = y - rise
            left, right = (x - half, top), (x + half, top)
            near, far = (x, top + quarter), (x, top - quarter)
            pen.polygon([left, far, right, near], mix(shade, WHITE, 0.25))
            pen.polygon([left, near, (x, y + quarter), (x - half, y)], mix(shade, BLACK, 0.15))
            pen.polygon([right, near, (x, y + quarter), (x + half, y)], mix(shade, BLACK, 0.4))
            for k in range(int(rise / quarter)) if windows else ():
                a, b = x - half * 0.7, top + quarter * (0.6 + k)
                pane = [(a, b), (a + half * 0.3, b + half * 0.15)]
                pane += [(p, q + quarter * 0.4) for p, q in reversed(pane)]
                pen.polygon(pane, pick(rng, ((255, 240, 150), (70, 90, 120))))


def _maze(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    """Corridors seen from inside: one ray for each column, with textured walls."""
    width, height = image.size
    walls = rng.random((24, 24)) < 0.3
    walls[[0, -1]], walls[:, [0, -1]] = True, True
    row, column = (int(k) for k in rng.integers(4, 15, 2))
    walls[row - 1 : row + 2, column : column + int(rng.integers(4, 8))] = False
    start, heading = np.array([row, column]) + 0.5, rng.uniform(-0.5, 0.5)
    angles = heading + np.arctan(np.linspace(-0.7, 0.7, width))
    gone = np.arange(0.02, 24, 0.005)
    along = np.stack([np.sin(angles), np.cos(angles)])[..., None] * gone
    y, x = start[0] + along[0], start[1] + along[1]
    rows, columns = (np.clip(v, 0, 23).astype(int) for v in (y, x))
    first = walls[rows, columns].argmax(1)
    each = np.arange(width)
    distance = gone[first] * np.cos(angles - heading)
    y, x = y[each, first] % 1, x[each, first] % 1
    sideways = np.minimum(y, 1 - y) < np.minimum(x, 1 - x)
    across = np.where(sideways, x, y)
    floor, ceiling, first_wall, second_wall = colours(rng, 4)
    picture = np.empty((height, width, 3), np.float32)
    lines = np.arange(height)[:, None]
    depth = np.clip(np.abs(lines / height - 0.5) * 2.2, 0.1, 1)
    picture[:] = np.where(lines[..., None] < height / 2, ceiling, floor) * (
        0.25 + 0.6 * depth[..., None]
    )
    high = height / np.maximum(distance, 0.1)
    up = (lines - height / 2) / high + 0.5
    there = (up > 0) & (up < 1)
    course = np.floor(up * 8)
    joint = (up * 8 % 1 < 0.1) | ((across * 4 + 0.5 * (course % 2)) % 1 < 0.06)
    grain = ramp(
        fractal(rng, height, width, 12, 0.6), (first_wall, mix(first_wall, second_wall, 0.4))
    )
    stone = grain * np.where(joint, 0.5, 1)[..., None] * np.where(sideways, 1, 0.7)[:, None]
    picture = np.where(there[..., None], stone / (1 + 0.1 * distance[:, None]), picture)
    image.paste(Image.fromarray(np.clip(picture, 0, 255).astype(np.uint8)))


def _board(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    """A board of coloured stones, jewels or numbered tiles."""
    width, height = image.size
    first, second = colours(rng, 2)
    image.paste(gradient(image.size, first, second, rng.uniform(0, 6.3)))
    count = int(rng.integers(4, 10))
    cell = min(width, height) * 0.8 / count
    left, top = (width - count * cell) / 2, (height - count * cell) * 0.7
    kinds, fields = colours(rng, 6), colours(rng, 2)
    letters, numbered = font(rng, cell * 0.4), rng.random() < 0.35
    for row in range(count):
        for column in range(count):
            x, y = left + column * cell, top + row * cell
            pen.rectangle((x, y, x + cell, y + cell), mix(fields[(row + column) % 2], BLACK, 0.3))
            kind, middle = int(rng.integers(8)), (x + cell / 2, y + cell / 2)
            if kind >= len(kinds):
                continue
            shade, r = kinds[kind], cell * 0.4
            if numbered:
                box = (middle[0] - r, middle[1] - r, middle[0] + r, middle[1] + r)
                pen.rounded_rectangle(box, r * 0.3, shade)
                ink = BLACK if sum(shade) > 380 else WHITE
                pen.text(middle, str(2 ** (kind + 1)), ink, letters, anchor="mm")
                continue
            for part, tint in (
                (1.0, mix(shade, BLACK, 0.4)),
                (0.85, shade),
                (0.4, mix(shade, WHITE, 0.5)),
            ):
                corners = 40 if kind == 0 else kind + 2
                pen.polygon(polygon(middle, r * part, corners, -math.pi / 2), tint)


def _space(rng: np.random.Generator, image: Image.Image, pen: Pen) -> None:
    width, height = image.size
    unit = min(width, height)
    cloud = fractal(rng, height, width, 2, 0.5)
    deep = ramp(cloud, ((4, 4, 14), mix(colours(rng, 1)[0], BLACK, 0.6)))
    image.paste(Image.fromarray(deep.astype(np.uint8)))
    for _ in range(int(rng.integers(60, 250))):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), unit * rng.uniform(0.001, 0.005)
        pen.ellipse((x - r, y - r, x + r, y + r), mix(WHITE, colours(rng, 1)[0], 0.3))
    for shade in colours(rng, int(rng.integers(1, 4))):
        x, y, r = rng.uniform(0, width), rng.uniform(0, height), unit * rng.uniform(0.08, 0.3)
        for k in range(24):
            s, shift = r * (1 - k / 24), r * k / 60
            box = (x - shift - s, y - shift - s, x - shift + s, y - shift + s)
            pen.ellipse(box, mix(mix(shade, BLACK, 0.7), shade, k / 23))
        if rng.random() < 0.4:
            ring = (x - 1.7 * r, y - 0.4 * r, x + 1.7 * r, y + 0.4 * r)
            pen.arc(ring, 0, 180, mix(shade, WHITE, 0.4), max(1, round(r * 0.1)))
    for shade in colours(rng, int(rng.integers(4, 14))):
        x, y, s = rng.uniform(0, width), rng.uniform(0, height), unit * 0.05
        wings = [(x, y - s), (x + s, y + s), (x, y + s * 0.5), (x - s, y + s)]
        pen.polygon(wings, shade, WHITE, max(1, round(s * 0.08)))
        pen.polygon(
            [(x - s * 0.2, y + s * 0.7), (x, y + s * 1.6), (x + s * 0.2, y + s * 0.7)],
            (255, 170, 40),
        )


SCENES: tuple[Callable[[np.random.Generator, Image.Image, Pen], None], ...] = (
    *(_platforms, _platforms, _tiles, _road, _town, _maze, _board, _space),
)
