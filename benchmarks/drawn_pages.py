"""Web pages of random words and our own pictures, photographed by headless Chromium."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from drawn_basics import colours, css, mix, paper_and_ink, phrase, pick, picture_size, prose
from drawn_renders import render
from drawn_shapes import drawing
from letters import Letters, chromium, launched
from numpy.typing import NDArray
from PIL import Image

if TYPE_CHECKING:
    from playwright.sync_api import Browser

Page = Callable[[np.random.Generator], str]
Photographer = Callable[[np.random.Generator], NDArray[np.uint8]]

LETTERS = (
    Letters(),
    Letters("hintslight", "rgb"),
    Letters("hintfull", "rgb", whole_positions=True),
    Letters("hintfull", whole_positions=True),
)
"""As phones, Linux, Windows and old programs draw them."""
FACES = ("sans-serif", "serif", "monospace", "Liberation Sans", "DejaVu Sans", "Liberation Serif")


class Theme(NamedTuple):
    """The colours and the style sheet of a page."""

    accents: list[str]
    quiet: str
    sheet: str


@contextmanager
def browser() -> Iterator[Callable[[Page], Photographer]]:
    """Start browsers once; what it gives takes a page and returns what photographs such pages.

    Raises:
        SystemExit: no Chromium or no Playwright is on this machine.
    """
    advice = "; or give --no-pages"
    chromium(advice)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise SystemExit(f"no Playwright here (pip install playwright){advice}") from None
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
        running = [launched(playwright, letters, Path(folder)) for letters in LETTERS]

        def photographer(page: Page) -> Photographer:
            return lambda rng: _photograph(page, pick(rng, running), rng)

        yield photographer
        for each in running:
            each.close()


def _photograph(page: Page, running: Browser, rng: np.random.Generator) -> NDArray[np.uint8]:
    width, height = picture_size(rng, upright=0.4)
    scale = float(pick(rng, (0.5, 0.6, 0.75, 0.75, 1, 1, 1, 1, 1, 1.25, 1.5)))
    context = running.new_context(
        viewport={"width": round(width / scale), "height": round(height / scale)},
        device_scale_factor=scale,
    )
    tab = context.new_page()
    tab.set_content(page(rng), wait_until="load")
    tab.evaluate("share => scrollTo(0, share * document.body.scrollHeight)", rng.random() / 3)
    shot = Image.open(io.BytesIO(tab.screenshot())).convert("RGB")
    context.close()
    return np.asarray(shot.crop((0, 0, width, height)))


def page(rng: np.random.Generator) -> str:
    """The HTML of a random page."""
    theme = _theme(rng)
    head = f"<!doctype html><meta charset=utf-8><style>{theme.sheet}</style>"
    return f"{head}{_bar(rng)}<main>{pick(rng, BODIES)(rng, theme)}</main>"


def _theme(rng: np.random.Generator) -> Theme:
    paper, ink = paper_and_ink(rng, dark=0.4)
    accents, quiet = [css(c) for c in colours(rng, 5)], css(mix(paper, ink, 0.15))
    card, line = css(mix(paper, ink, 0.05)), f"1px solid {quiet}"
    radius, size = int(pick(rng, (0, 4, 10, 18))), int(rng.integers(12, 19))
    shadow = pick(rng, ("none", "0 1px 4px #0004", "0 6px 18px #0003"))
    sheet = f"""
      * {{ box-sizing: border-box }}
      body {{ margin: 0; background: {css(paper)}; color: {css(ink)};
        font: {size}px/1.5 {pick(rng, FACES)} }}
      main {{ max-width: {int(rng.integers(500, 1100))}px; margin: auto; padding: 1em }}
      nav {{ background: {accents[0]}; color: #fff; padding: .6em 1em; display: flex; gap: 1.5em }}
      h1, h2 {{ font-family: {pick(rng, FACES)}; line-height: 1.2 }}
      h1 {{ color: {css(mix(colours(rng, 1)[0], ink, 0.4))} }}
      .grid {{ display: grid; gap: 1em;
        grid-template-columns: repeat(auto-fill, minmax({int(rng.integers(140, 260))}px, 1fr)) }}
      .card {{ background: {card}; border: {line}; border-radius: {radius}px; padding: .8em;
        box-shadow: {shadow}; overflow: hidden }}
      img {{ width: 100%; height: {int(rng.integers(110, 240))}px; object-fit: cover;
        border-radius: {radius}px; display: block }}
      table {{ border-collapse: collapse; width: 100% }}
      td, th {{ border-bottom: {line}; padding: .4em .6em; text-align: left }}
      th {{ background: {card} }}
      input, select, textarea {{ display: block; width: 100%; padding: .5em; margin: .2em 0 1em;
        font: inherit; background: {card}; color: inherit; border: {line};
        border-radius: {radius}px }}
      button {{ background: {accents[1]}; color: #fff; border: 0; padding: .5em 1em; font: inherit;
        border-radius: {radius}px }}
      pre {{ background: {card}; padding: 1em; border-left: 4px solid {accents[2]} }}
      b {{ color: {accents[3]} }} .big {{ font-size: 2em; font-weight: bold }}"""
    return Theme(accents, quiet, sheet)


def _bar(rng: np.random.Generator) -> str:
    if rng.random() < 0.25:
        return ""
    links = "".join(f"<span>{phrase(rng, 1, 1)}</span>" for _ in range(int(rng.integers(2, 6))))
    return f"<nav><strong>{phrase(rng, 1, 1)}</strong>{links}</nav>"


def _picture(rng: np.random.Generator) -> str:
    """An image of our own, in the page itself."""
    made = drawing(rng) if rng.random() < 0.85 else render(rng)
    buffer = io.BytesIO()
    Image.fromarray(made).save(buffer, "PNG")
    return f"<img src='data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}'>"


def _paragraphs(rng: np.random.Generator, least: int, most: int) -> str:
    count = int(rng.integers(least, most + 1))
    return "".join(f"<p>{prose(rng, int(rng.integers(2, 7)))}</p>" for _ in range(count))


def _article(rng: np.random.Generator, theme: Theme) -> str:
    picture = _picture(rng) if rng.random() < 0.6 else ""
    parts = "".join(f"<h2>{phrase(rng, 1, 4)}</h2>{_paragraphs(rng, 1, 3)}" for _ in range(5))
    return f"<h1>{phrase(rng, 3, 7)}</h1>{picture}{_paragraphs(rng, 1, 2)}{parts}"


def _shop(rng: np.random.Generator, theme: Theme) -> str:
    pictures = [_picture(rng) for _ in range(4)]
    cards = "".join(
        f"<div class=card>{pick(rng, pictures)}<h3>{phrase(rng, 1, 3)}</h3>"
        f"<b>{rng.uniform(3, 900):.2f} €</b> ★★★★<p>{phrase(rng, 4, 10)}</p>"
        f"<button>{phrase(rng, 1, 2)}</button></div>"
        for _ in range(12)
    )
    return f"<h1>{phrase(rng, 1, 3)}</h1><div class=grid>{cards}</div>"


def _dashboard(rng: np.random.Generator, theme: Theme) -> str:
    figures = "".join(
        f"<div class=card>{phrase(rng, 1, 2)}<div class=big>{rng.integers(10, 99999):,}</div>"
        f"<b>{rng.normal(0, 9):+.1f} %</b></div>"
        for _ in range(4)
    )
    charts = "".join(
        f"<div class=card>{phrase(rng, 1, 3)}{_svg(rng, theme)}</div>" for _ in range(6)
    )
    return f"<h1>{phrase(rng, 1, 2)}</h1><div class=grid>{figures}{charts}</div>{_rows(rng, theme)}"


def _svg(rng: np.random.Generator, theme: Theme) -> str:
    """A small chart of lines or bars."""
    values = np.abs(np.cumsum(rng.normal(0, 1, 24)))
    heights, colour = 90 * (1 - values / values.max()) + 5, pick(rng, theme.accents)
    if rng.random() < 0.5:
        drawn = "".join(
            f"<rect x={12 * k} y={h:.1f} width=9 height={100 - h:.1f} fill='{colour}'/>"
            for k, h in enumerate(heights)
        )
    else:
        points = " ".join(f"{12 * k},{h:.1f}" for k, h in enumerate(heights))
        drawn = f"<polyline points='{points}' fill=none stroke='{colour}' stroke-width=3 />"
    ruled = "".join(f"<path d='M0 {y}H288' stroke='{theme.quiet}'/>" for y in (25, 50, 75, 100))
    return f"<svg viewBox='0 0 288 104' width='100%'>{ruled}{drawn}</svg>"


def _rows(rng: np.random.Generator, theme: Theme) -> str:
    columns = int(rng.integers(3, 7))

    def cell(column: int) -> str:
        if column == 0 or rng.random() < 0.3:
            return f"<td>{phrase(rng, 1, 2)}</td>"
        return f"<td>{rng.integers(0, 9999)}</td>"

    head = "".join(f"<th>{phrase(rng, 1, 1)}</th>" for _ in range(columns))
    rows = "".join(f"<tr>{''.join(cell(k) for k in range(columns))}</tr>" for _ in range(25))
    return f"<h2>{phrase(rng, 1, 3)}</h2><table><tr>{head}</tr>{rows}</table>"


def _form(rng: np.random.Generator, theme: Theme) -> str:
    fields = "".join(
        f"<label>{phrase(rng, 1, 2)}"
        + pick(
            rng,
            (
                f"<input value='{phrase(rng, 1, 3)}'>",
                f"<select><option>{phrase(rng, 1, 2)}</select>",
                f"<textarea rows=3>{prose(rng, 1)}</textarea>",
                "<input type=range>",
                "<input type=checkbox checked>",
            ),
        )
        + "</label>"
        for _ in range(int(rng.integers(5, 12)))
    )
    buttons = f"<button>{phrase(rng, 1, 1)}</button> <button>{phrase(rng, 1, 1)}</button>"
    return f"<div class=card><h1>{phrase(rng, 1, 3)}</h1>{fields}{buttons}</div>"


def _manual(rng: np.random.Generator, theme: Theme) -> str:
    def listing() -> str:
        lines = (
            f"{'    ' * int(rng.integers(0, 3))}<b>{phrase(rng, 1, 1).lower()}</b>"
            f"({phrase(rng, 1, 1).lower()}, {rng.integers(1, 99)})"
            for _ in range(int(rng.integers(3, 12)))
        )
        return "<pre>" + "\n".join(lines) + "</pre>"

    parts = (f"<h2>{phrase(rng, 1, 4)}</h2>{_paragraphs(rng, 1, 1)}{listing()}" for _ in range(5))
    return f"<h1>{phrase(rng, 1, 4)}</h1>{''.join(parts)}"


def _mail(rng: np.random.Generator, theme: Theme) -> str:
    return "".join(
        f"<div class=card style='display:flex;gap:1em;margin-bottom:.4em'>"
        f"<span style='flex:none;width:2.6em;height:2.6em;border-radius:50%;color:#fff;"
        f"background:{pick(rng, theme.accents)};text-align:center;line-height:2.6em'>"
        f"{phrase(rng, 1, 1)[0]}</span><div><strong>{phrase(rng, 1, 2)}</strong><br>"
        f"{phrase(rng, 6, 18)}</div></div>"
        for _ in range(20)
    )


BODIES: tuple[Callable[[np.random.Generator, Theme], str], ...] = (
    *(_article, _article, _shop, _shop, _dashboard, _rows, _form, _manual, _mail),
)
