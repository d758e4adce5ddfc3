"""Windows of desktop programs, as HTML: menus, tool bars, lists, trees, dialogs, editors."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from drawn_basics import colours, css, mix, phrase, pick, prose

FACES = ("Liberation Sans", "Liberation Sans", "DejaVu Sans", "DejaVu Sans Condensed", "sans-serif")
MONO = ("Liberation Mono", "DejaVu Sans Mono")
DARK = (("#2b2b2b", "#1e1e1e", "#dddddd"), ("#3c3f41", "#2b2b2b", "#bbbbbb"))
GREYS = ("#f0f0f0", "#ececec", "#d4d0c8", "#f6f5f4", "#ffffff")


class Style(NamedTuple):
    """The colours of a program."""

    face: str
    line: str
    marked: str
    accents: list[str]


def window(rng: np.random.Generator) -> str:
    """The HTML of a random window, often larger than what is seen of it."""
    accents = [css(c) for c in colours(rng, 6)]
    dark = rng.random() < 0.15
    face, paper, ink = pick(rng, GREYS), "#ffffff", "#000000"
    if dark:
        face, paper, ink = pick(rng, DARK)
    line = "#555" if dark else pick(rng, ("#a0a0a0", "#c8c8c8", "#dcdcdc"))
    marked = css(mix(colours(rng, 1)[0], (40, 40, 40) if dark else (255, 255, 255), 0.7))
    style = Style(face, line, marked, accents)
    size = float(pick(rng, (11, 12, 12, 12, 13, 14, 15)))
    title = pick(rng, (face, paper, accents[0]))
    sheet = f"""
      * {{ box-sizing: border-box }}
      body {{ margin: 0; background: {face}; color: {ink}; white-space: nowrap; cursor: default;
        font: {size}px/1.35 {pick(rng, FACES)} }}
      .title {{ background: {title}; padding: .4em .7em; display: flex;
        justify-content: space-between; color: {"#fff" if title == accents[0] else ink} }}
      .bar {{ display: flex; gap: 1.1em; padding: .2em .7em; border-bottom: 1px solid {line} }}
      .tools {{ display: flex; gap: .35em; padding: .3em .5em; border-bottom: 1px solid {line} }}
      .icon {{ width: 16px; height: 16px; flex: none }}
      .body {{ display: flex; height: {int(rng.integers(380, 620))}px }}
      .pane {{ background: {paper}; border: 1px solid {line}; margin: 4px; overflow: hidden;
        flex: 1 }}
      .side {{ flex: none; width: {int(rng.integers(120, 220))}px; padding: .3em }}
      .foot {{ display: flex; gap: 2em; padding: .15em .6em; border-top: 1px solid {line} }}
      table {{ border-collapse: collapse; width: 100% }}
      td, th {{ padding: .15em .5em; text-align: left; font-weight: normal }}
      th {{ background: {face}; border-right: 1px solid {line}; border-bottom: 1px solid {line} }}
      .ruled td {{ border: 1px solid {line} }}
      .on {{ background: {marked} }}
      .mono {{ font-family: {pick(rng, MONO)}; white-space: pre; padding: .2em .4em }}
      fieldset {{ border: 1px solid {line}; margin: .8em; padding: .6em }}
      .field, .push {{ color: {ink}; border: 1px solid {line}; font: inherit }}
      .field {{ background: {paper}; padding: .15em .3em }}
      .push {{ background: {face}; padding: .25em 1.4em;
        border-radius: {int(pick(rng, (0, 0, 3, 5)))}px }}
      u {{ text-underline-offset: 1px }}"""
    body = pick(rng, BODIES)(rng, style)
    menus = "".join(_menu(rng) for _ in range(int(rng.integers(4, 9))))
    icons = "".join(_icon(rng, style) for _ in range(int(rng.integers(6, 26))))
    parts = [
        f"<div class=title><span>{phrase(rng, 2, 4)}</span><span>– □ ✕</span></div>",
        f"<div class=bar>{menus}</div>",
        f"<div class=tools>{icons}</div>",
    ]
    kept = "".join(part for part in parts if rng.random() < 0.8)
    foot = "".join(f"<span>{phrase(rng, 1, 2)}: {rng.integers(0, 999)}</span>" for _ in range(4))
    return (
        f"<!doctype html><meta charset=utf-8><style>{sheet}</style>{kept}"
        f"<div class=body>{body}</div><div class=foot>{foot}</div>"
    )


def _menu(rng: np.random.Generator) -> str:
    word = phrase(rng, 1, 1)
    return f"<span><u>{word[0]}</u>{word[1:]}</span>"


def _icon(rng: np.random.Generator, style: Style) -> str:
    """Sixteen pixels of a few shapes, with and without anti-aliasing."""
    x, y, w, h = (int(v) for v in rng.integers(1, 8, 4))
    first, second = pick(rng, style.accents), pick(rng, style.accents)
    edges = pick(rng, ("crispEdges", "auto"))
    shapes = (
        f"<rect x={x} y={y} width={w + 4} height={h + 4} fill='{first}' stroke='#444'/>",
        f"<circle cx=8 cy=8 r={3 + w / 2} fill='{first}'/><path d='M4 8h8M8 4v8' stroke='#fff'/>",
        f"<path d='M2 13L{x + 6} 2L14 13z' fill='{first}' stroke='{second}'/>",
        f"<path d='M2 4h12M2 8h{w + 5}M2 12h{h + 5}' stroke='{first}'/>",
        "<path d='M3 1h7l3 3v11H3z' fill='#fff' stroke='#666'/>"
        f"<path d='M5 8h6M5 11h6' stroke='{second}'/>",
    )
    return f"<svg class=icon viewBox='0 0 16 16' shape-rendering={edges}>{pick(rng, shapes)}</svg>"


def _list(rng: np.random.Generator, style: Style, *, ruled: bool = False) -> str:
    columns, marked = int(rng.integers(2, 6)), int(rng.integers(0, 20))
    icons = rng.random() < 0.5

    def cell(column: int) -> str:
        if column == 0:
            icon = _icon(rng, style) if icons else ""
            return f"<td><span style='display:flex;gap:.4em'>{icon}{phrase(rng, 1, 3)}</span></td>"
        kind = rng.random()
        if kind < 0.4:
            return f"<td>{rng.integers(0, 9)}.{rng.integers(0, 20)}.{rng.integers(0, 9)}</td>"
        return (
            f"<td>{phrase(rng, 1, 4) if kind < 0.7 else format(rng.integers(0, 99999), ',')}</td>"
        )

    head = "".join(f"<th>{phrase(rng, 1, 1)}</th>" for _ in range(columns))
    rows = "".join(
        f"<tr{' class=on' if k == marked else ''}>{''.join(cell(c) for c in range(columns))}</tr>"
        for k in range(int(rng.integers(5, 30)))
    )
    kind = " class=ruled" if ruled else ""
    return f"<div class=pane><table{kind}><tr>{head}</tr>{rows}</table></div>"


def _sheet(rng: np.random.Generator, style: Style) -> str:
    return _list(rng, style, ruled=True)


def _tree(rng: np.random.Generator, style: Style) -> str:
    marked = int(rng.integers(0, 15))
    rows = "".join(
        f"<div style='padding-left:{16 * int(rng.integers(0, 4))}px;display:flex;gap:.3em'"
        f"{' class=on' if k == marked else ''}>{pick(rng, ('+', '−', '▸', '▾', ' '))}"
        f"{_icon(rng, style)}{phrase(rng, 1, 2)}</div>"
        for k in range(24)
    )
    rest = pick(rng, (_list, _editor, _form))(rng, style)
    return f"<div class='pane side'>{rows}</div>{rest}"


def _editor(rng: np.random.Generator, style: Style) -> str:
    def words() -> str:
        line = phrase(rng, 1, 8).lower()
        first, _, rest = line.partition(" ")
        return f"<span style='color:{pick(rng, style.accents)}'>{first}</span> {rest}"

    count = int(rng.integers(2, 30))
    lines = "\n".join(
        f"{k:3d}  {'    ' * int(rng.integers(0, 3))}{words()}" for k in range(1, count)
    )
    return f"<div class='pane mono'>{lines}</div>"


def _form(rng: np.random.Generator, style: Style) -> str:
    def field() -> str:
        return pick(
            rng,
            (
                f"<input class=field value='{phrase(rng, 1, 3)}'>",
                f"<select class=field><option>{phrase(rng, 1, 2)}</select>",
                "<input type=checkbox checked>",
                "<input type=radio>",
                f"<span>{prose(rng, 1)}</span>",
            ),
        )

    groups = "".join(
        f"<fieldset><legend>{phrase(rng, 1, 2)}</legend>"
        + "".join(
            f"<div style='margin:.4em 0'>{phrase(rng, 1, 3)}: {field()}</div>"
            for _ in range(int(rng.integers(2, 6)))
        )
        + "</fieldset>"
        for _ in range(int(rng.integers(1, 4)))
    )
    pushes = " ".join(f"<button class=push>{phrase(rng, 1, 1)}</button>" for _ in range(3))
    return f"<div style='flex:1'>{groups}<div style='padding:.8em'>{pushes}</div></div>"


BODIES: tuple[Callable[[np.random.Generator, Style], str], ...] = (
    *(_list, _list, _sheet, _tree, _editor, _form),
)
