"""Pages of text set by Pillow: articles, code, tables, slides, posters, receipts and chats."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from drawn_basics import (
    Colour,
    colours,
    font,
    mix,
    paper_and_ink,
    phrase,
    pick,
    picture_size,
    prose,
)
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Font = ImageFont.FreeTypeFont


class Sheet(NamedTuple):
    """An empty page: its picture, what draws on it, and its colours."""

    image: Image.Image
    pen: ImageDraw.ImageDraw
    paper: Colour
    ink: Colour
    accent: Colour

    @property
    def width(self) -> int:
        """In pixels."""
        return self.image.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.image.height


def text_page(rng: np.random.Generator) -> NDArray[np.uint8]:
    """One page of a random sort."""
    paper, ink = paper_and_ink(rng)
    accent = mix(colours(rng, 1)[0], ink, 0.3)
    image = Image.new("RGB", picture_size(rng, upright=0.5), paper)
    pick(rng, SORTS)(rng, Sheet(image, ImageDraw.Draw(image), paper, ink, accent))
    return np.asarray(image)


def lines_of(text: str, letters: Font, width: float) -> list[str]:
    """The text broken into lines that are at most so many pixels wide."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and letters.getlength(longer) > width:
            lines.append(line)
            longer = word
        line = longer
    return [*lines, line]


def column(
    sheet: Sheet, text: str, letters: Font, place: tuple[float, float], width: float,
    colour: Colour, *, justified: bool = False,
) -> float:  # fmt: skip
    """Set a text in a column from a top left place; the height below its last line."""
    (x, y), leading = place, letters.size * 1.35
    lines = lines_of(text, letters, width)
    for k, line in enumerate(lines):
        words = line.split()
        if justified and k < len(lines) - 1 and len(words) > 1:
            gap = (width - sum(letters.getlength(w) for w in words)) / (len(words) - 1)
            at = x
            for word in words:
                sheet.pen.text((at, y), word, colour, letters)
                at += letters.getlength(word) + gap
        else:
            sheet.pen.text((x, y), line, colour, letters)
        y += leading
    return y


def _article(rng: np.random.Generator, sheet: Sheet) -> None:
    size, columns = rng.uniform(9, 17), 1 if sheet.width < 400 else int(rng.integers(1, 4))
    body, margin = font(rng, size), sheet.width * rng.uniform(0.03, 0.08)
    title, justified = font(rng, size * rng.uniform(1.5, 2.4)), bool(rng.random() < 0.5)
    top = column(
        sheet, phrase(rng, 2, 7), title, (margin, margin), sheet.width - 2 * margin, sheet.accent
    )
    step = (sheet.width - margin) / columns
    for k in range(columns):
        y, x = top + size / 2, margin + k * step
        while y < sheet.height - margin:
            if rng.random() < 0.2:
                head = font(rng, size * 1.2)
                y = column(sheet, phrase(rng, 1, 4), head, (x, y), step - margin, sheet.accent)
            text = prose(rng, int(rng.integers(2, 7)))
            y = column(sheet, text, body, (x, y), step - margin, sheet.ink, justified=justified)
            y += size / 2


def _code(rng: np.random.Generator, sheet: Sheet) -> None:
    size = rng.uniform(9, 16)
    letters, shades = font(rng, size, mono=True), [mix(c, sheet.ink, 0.4) for c in colours(rng, 4)]
    quiet, advance = mix(sheet.paper, sheet.ink, 0.45), letters.getlength("0")
    bar = 4 * advance
    sheet.pen.rectangle((0, 0, bar, sheet.height), mix(sheet.paper, sheet.ink, 0.06))
    depth, y, number = 0, size / 2, int(rng.integers(1, 400))
    while y < sheet.height:
        sheet.pen.text((bar - advance / 2, y), str(number), quiet, letters, anchor="ra")
        x = bar + advance * (1 + 4 * depth)
        a, b, c = (phrase(rng, 1, 1).lower() for _ in range(3))
        parts = pick(
            rng,
            (
                (("for ", 0), (a, -1), (" in ", 0), (b, 1), ("():", -1)),
                (("if ", 0), (a, -1), (" > ", 2), (str(rng.integers(1, 99)), 3), (":", -1)),
                (
                    (a, -1),
                    (" = ", 2),
                    (b, 1),
                    ("(", -1),
                    (c, -1),
                    (", ", -1),
                    (f'"{a}"', 3),
                    (")", -1),
                ),
                (("def ", 0), (f"{a}_{b}", 1), ("(", -1), (c, -1), ("):", -1)),
                (("return ", 0), (a, -1), (" + ", 2), (str(rng.random())[:5], 3)),
                ((f"# {a} {b} {c}", 4),),
                ((a, -1), (".", -1), (b, 1), ("[", -1), (c, -1), ("] += ", 2), ("1", 3)),
                (),
            ),
        )
        for part, shade in parts:
            colour = quiet if shade == 4 else sheet.ink if shade < 0 else shades[shade]
            sheet.pen.text((x, y), part, colour, letters)
            x += letters.getlength(part)
        opened = bool(parts) and parts[-1][0].endswith(":")
        depth = min(5, depth + 1) if opened else max(0, depth - int(rng.integers(0, 3) == 0))
        y, number = y + size * 1.35, number + 1


def _table(rng: np.random.Generator, sheet: Sheet) -> None:
    size = rng.uniform(9, 16)
    letters, head = font(rng, size), font(rng, size)
    columns, high = (
        max(2, int(sheet.width / size / rng.uniform(7, 11))),
        size * rng.uniform(1.5, 2.3),
    )
    step, lined, striped = sheet.width / columns, rng.random() < 0.5, rng.random() < 0.5
    numeric = rng.random(columns) < 0.6
    for row in range(int(sheet.height / high) + 1):
        y = row * high
        if row == 0:
            sheet.pen.rectangle((0, 0, sheet.width, high), sheet.accent)
        elif striped and row % 2:
            band = mix(sheet.paper, sheet.ink, 0.07)
            sheet.pen.rectangle((0, y, sheet.width, y + high), band)
        for k in range(columns):
            fill = sheet.paper if row == 0 else sheet.ink
            if row and numeric[k] and k:
                value = f"{rng.normal(0, 500):,.{k % 3}f}"
                place = ((k + 1) * step - size / 2, y + high / 2)
                sheet.pen.text(place, value, fill, letters, anchor="rm")
            else:
                place, word = (k * step + size / 2, y + high / 2), phrase(rng, 1, 1)
                sheet.pen.text(place, word, fill, letters if row else head, anchor="lm")
        if lined:
            line = mix(sheet.paper, sheet.ink, 0.3)
            sheet.pen.line((0, y, sheet.width, y), line)
            for k in range(1, columns):
                sheet.pen.line((k * step, y, k * step, y + high), line)


def _slide(rng: np.random.Generator, sheet: Sheet) -> None:
    unit = min(sheet.width, sheet.height)
    title, letters = (
        font(rng, unit * rng.uniform(0.07, 0.11)),
        font(rng, unit * rng.uniform(0.04, 0.06)),
    )
    margin, band = unit * 0.08, rng.random() < 0.5
    if band:
        sheet.pen.rectangle((0, 0, sheet.width, margin + title.size * 1.5), sheet.accent)
    fill = sheet.paper if band else sheet.accent
    sheet.pen.text((margin, margin * 0.8), phrase(rng, 1, 3), fill, title)
    y = margin + title.size * 2
    while y < sheet.height - margin - letters.size:
        dot = letters.size * 0.2
        at = (margin, y + 2 * dot, margin + 2 * dot, y + 4 * dot)
        sheet.pen.ellipse(at, sheet.accent)
        left = margin + letters.size
        text = phrase(rng, 3, 12)
        y = (
            column(sheet, text, letters, (left, y), sheet.width - left - margin, sheet.ink)
            + 2 * dot
        )
    sheet.pen.text(
        (sheet.width - margin / 2, sheet.height - margin / 2),
        str(rng.integers(2, 60)),
        mix(sheet.paper, sheet.ink, 0.5),
        font(rng, max(9, unit * 0.03)),
        anchor="rb",
    )


def _poster(rng: np.random.Generator, sheet: Sheet) -> None:
    y, middle = sheet.height * 0.04, sheet.width / 2
    while y < sheet.height * 0.9:
        words = phrase(rng, 1, 3)
        words = words.upper() if rng.random() < 0.5 else words
        letters = font(rng, 100)
        size = min(
            sheet.height * 0.25,
            100 * sheet.width * rng.uniform(0.5, 0.9) / letters.getlength(words),
        )
        letters = letters.font_variant(size=size)
        colour = pick(rng, (sheet.ink, sheet.accent))
        sheet.pen.text((middle, y), words, colour, letters, anchor="ma")
        y += size * 1.25
        if rng.random() < 0.4:
            half = sheet.width * rng.uniform(0.1, 0.4)
            sheet.pen.rectangle((middle - half, y, middle + half, y + 3), sheet.accent)
            y += size * 0.3


def _receipt(rng: np.random.Generator, sheet: Sheet) -> None:
    letters = font(rng, rng.uniform(10, 17), mono=True)
    margin, y, total = sheet.width * 0.08, letters.size, 0.0
    sheet.pen.text((sheet.width / 2, y), phrase(rng, 1, 2).upper(), sheet.ink, letters, anchor="ma")
    y += 2 * letters.size
    while y < sheet.height - 4 * letters.size:
        price = float(rng.uniform(0.5, 90))
        total += price
        sheet.pen.text((margin, y), phrase(rng, 1, 2), sheet.ink, letters)
        sheet.pen.text((sheet.width - margin, y), f"{price:.2f}", sheet.ink, letters, anchor="ra")
        y += 1.4 * letters.size
    sheet.pen.line((margin, y, sheet.width - margin, y), sheet.ink)
    y += 0.7 * letters.size
    sheet.pen.text((margin, y), "TOTAL", sheet.ink, letters)
    sheet.pen.text((sheet.width - margin, y), f"{total:.2f}", sheet.ink, letters, anchor="ra")


def _chat(rng: np.random.Generator, sheet: Sheet) -> None:
    size = rng.uniform(11, 17)
    letters, y = font(rng, size), size
    sides = mix(sheet.paper, sheet.accent, 0.75), mix(sheet.paper, sheet.ink, 0.12)
    while y < sheet.height:
        mine, most = bool(rng.random() < 0.5), sheet.width * rng.uniform(0.35, 0.65)
        lines = lines_of(prose(rng, 1), letters, most)
        wide = max(letters.getlength(line) for line in lines) + size * 1.4
        high, left = (
            len(lines) * size * 1.35 + size,
            sheet.width - wide - size if mine else size * 3.4,
        )
        box = (left, y, left + wide, y + high)
        sheet.pen.rounded_rectangle(box, size * 0.8, sides[not mine])
        if not mine:
            sheet.pen.ellipse((size, y, size * 3, y + size * 2), pick(rng, colours(rng, 3)))
        place = (left + size * 0.7, y + size * 0.4)
        fill = sheet.paper if mine else sheet.ink
        column(sheet, " ".join(lines), letters, place, most, fill)
        y += high + size * 0.7


SORTS: tuple[Callable[[np.random.Generator, Sheet], None], ...] = (
    *(_article, _article, _code, _code, _table, _slide, _poster, _receipt, _chat),
)
