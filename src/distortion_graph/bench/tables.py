"""One table, drawn for the terminal, as Markdown and as LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from distortion_graph.report.wording import printable

if TYPE_CHECKING:
    from rich.console import RenderableType


@dataclass(frozen=True)
class Cell:
    """A figure's text, and its interval in smaller letters."""

    text: str
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Section:
    """Rows under a heading; each row begins with its name."""

    title: str
    rows: tuple[tuple[Cell, ...], ...]
    remark: str = ""


@dataclass(frozen=True)
class ResultTable:
    """A table of sections. The first column holds names, the others figures.

    `section_title` heads the column of section titles where they get one. A line break in a
    column's name is for the terminal. Below 100 columns intervals have `narrow_decimals`.
    """

    title: str
    columns: tuple[str, ...]
    sections: tuple[Section, ...]
    section_title: str = "pairs"
    narrow_decimals: int = 2
    notes: tuple[str, ...] = field(default=())


def shown(value: float | None, decimals: int = 3) -> str:
    """`.962`, `1.000`, `−.050`; a dash where it is not known."""
    if value is None:
        return "–"
    text = f"{abs(value):.{decimals}f}"
    sign = "−" if value < 0 and float(text) else ""
    return sign + (text[1:] if text.startswith("0.") else text)


def shown_interval(interval: tuple[float, float] | None) -> str:
    """`[.951, .971]`, or nothing."""
    return "" if interval is None else f"[{shown(interval[0])}, {shown(interval[1])}]"


def rich_table(table: ResultTable, width: int) -> RenderableType:
    """For a terminal of `width` columns: a part each section, intervals under their figures."""
    from rich.console import Group
    from rich.text import Text

    parts: list[RenderableType] = [Text(table.title, "bold")]
    for section in table.sections:
        heading = [(printable(section.title), "bold"), (f" {printable(section.remark)}", "dim")]
        parts += [Text(""), Text.assemble(*heading)] if section.title else []
        parts.append(_rich_section(table, section, wide=width >= _WIDE_COLUMNS))
    notes = [Text(printable(note), "dim") for note in table.notes]
    return Group(*parts, *([Text("")] if notes else []), *notes)


def _rich_section(table: ResultTable, section: Section, *, wide: bool) -> RenderableType:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    def under(cell: Cell) -> str:
        decimals = 3 if wide else table.narrow_decimals
        return "–".join(shown(v, decimals) for v in cell.interval) if cell.interval else ""

    # The box itself leaves a space between columns.
    drawn = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, int(wide), 0, 0),
        header_style="bold",
    )
    every = [row for part in table.sections for row in part.rows]
    for k, name in enumerate(table.columns):
        widest = max((max(len(row[k].text), len(under(row[k]))) for row in every), default=0)
        if k == 0:
            most = 24 if wide else 14
            drawn.add_column(name, min_width=min(widest, most), max_width=most, overflow="fold")
        else:
            drawn.add_column(name, justify="right", no_wrap=True, min_width=widest)
    for row in section.rows:
        cells = []
        for cell in row:
            interval = [("\n" + under(cell), "dim")] if cell.interval else []
            cells.append(Text.assemble(printable(cell.text), *interval))
        drawn.add_row(*cells)
    return drawn


def markdown(table: ResultTable) -> str:
    """A GitHub table with a column of section titles in front, and the notes below."""
    titled = any(section.title for section in table.sections)
    heads = [table.section_title] * titled + [_markdown_text(c) for c in table.columns]
    ruler = ["---"] * (titled + 1) + ["---:"] * (len(table.columns) - 1)
    lines = [_pipes(heads), "|" + "|".join(ruler) + "|"]
    for section in table.sections:
        for row in section.rows:
            cells = [_markdown_text(f"{c.text} {shown_interval(c.interval)}".strip()) for c in row]
            lines.append(_pipes([_markdown_text(section.title)] * titled + cells))
    remarks = [f"{s.title}: {s.remark}." for s in table.sections if s.title and s.remark]
    notes = [_markdown_text(line) for line in (*remarks, *table.notes)]
    parts = [f"**{_markdown_text(table.title)}**", "\n".join(lines), *notes]
    return "\n\n".join(parts) + "\n"


def _pipes(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _markdown_text(text: str) -> str:
    return "".join(f"\\{c}" if c in "\\|*_`<>#" else c for c in printable(text))


def latex(table: ResultTable) -> str:
    """A `tabular` in booktabs' style (needs that package), its title and notes around it."""
    titled = any(section.title for section in table.sections)
    heads = [table.section_title] * titled + list(table.columns)
    lines = [
        f"% {printable(table.title)}; needs \\usepackage{{booktabs}}",
        "\\begin{tabular}{" + "l" * (titled + 1) + "r" * (len(table.columns) - 1) + "}",
        "\\toprule",
        " & ".join(map(latex_text, heads)) + r" \\",
    ]
    for section in table.sections:
        lines.append("\\midrule")
        for k, row in enumerate(section.rows):
            front = [latex_text(section.title) if k == 0 else ""] * titled
            lines.append(" & ".join([*front, *map(_latex_cell, row)]) + r" \\")
    lines += ["\\bottomrule", "\\end{tabular}"]
    remarks = [f"{s.title}: {s.remark}." for s in table.sections if s.title and s.remark]
    notes = " ".join(latex_text(line) for line in (*remarks, *table.notes))
    lines += [f"\\par\\smallskip{{\\footnotesize {notes}\\par}}"] if notes else []
    return "\n".join(lines) + "\n"


def _latex_cell(cell: Cell) -> str:
    interval = latex_text(shown_interval(cell.interval))
    return latex_text(cell.text) + (f" {{\\scriptsize {interval}}}" if interval else "")


def latex_text(text: str) -> str:
    """Text in which every character stands for itself."""
    return "".join(_LATEX.get(c, c) for c in printable(text))


_WIDE_COLUMNS = 100
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}",
    "−": "$-$", "–": "--", "κ": r"$\kappa$", "×": r"$\times$", "…": r"\ldots{}", "[": "{[}",
    "]": "{]}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "Δ": r"$\Delta$",
}  # fmt: skip
