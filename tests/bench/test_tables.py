from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from distortion_graph.bench.tables import (
    Cell,
    ResultTable,
    Section,
    latex,
    latex_text,
    markdown,
    rich_table,
    shown,
    shown_interval,
)

NASTY = r"a|b_c & 50 % \x {y} <z> [q] #1 $2 ^~"


def table(name="mine", sections=1):
    row = (Cell(name), Cell("1.000", (1.0, 1.0)), Cell("−.051", (-0.0513, 0.02)), Cell("–"))
    parts = [Section(f"part {k}", (row, row), "4 pairs") for k in range(sections)]
    return ResultTable("A title", ("run", "κ\nsev.", "score", "swap"), tuple(parts), notes=("N.",))


def drawn(value, width):
    stream = io.StringIO()
    Console(file=stream, width=width, color_system=None).print(rich_table(value, width))
    return stream.getvalue()


def test_numbers_are_shown_without_the_zero_and_with_a_real_minus():
    values = [0.9621, 1, 0, -0.05, -0.0001, None, 12.3456]
    assert [shown(v) for v in values] == [".962", "1.000", ".000", "−.050", ".000", "–", "12.346"]
    assert shown(0.98765, 2) == ".99"
    assert shown_interval((-0.5, 1.0)) == "[−.500, 1.000]" and shown_interval(None) == ""


def test_terminal_table_keeps_every_figure_at_80_and_at_100_columns():
    for width, interval in ((80, "1.00–1.00"), (100, "1.000–1.000")):
        text = drawn(table("x" * 40, 2), width)
        assert max(map(len, text.splitlines())) <= width
        assert text.count(interval) == 4 and text.count("–.02") == 4
        assert "part 0 4 pairs" in text and "part 1" in text and text.rstrip().endswith("N.")
        folded = re.sub(r"\s", "", text)
        assert folded.count("x") == 4 * 40


def test_terminal_table_does_not_take_names_for_markup():
    text = drawn(table("[red]mine[/red]\x1b[31m"), 100)
    assert "[red]mine[/red] [31m" in text


def test_markdown_is_one_row_a_run_and_escapes_names():
    lines = markdown(table(NASTY, 2)).splitlines()
    assert lines[:5] == [
        "**A title**",
        "",
        "| pairs | run | κ sev. | score | swap |",
        "|---|---|---:|---:|---:|",
        r"| part 0 | a\|b\_c & 50 % \\x {y} \<z\> [q] \#1 $2 ^~ | 1.000 [1.000, 1.000] "
        "| −.051 [−.051, .020] | – |",
    ]
    assert len([line for line in lines if line.startswith("| part")]) == 4
    assert lines[-5:] == ["part 0: 4 pairs.", "", "part 1: 4 pairs.", "", "N."]


def test_latex_is_booktabs_and_escapes_names():
    lines = latex(table(NASTY, 2)).splitlines()
    assert lines[0] == r"% A title; needs \usepackage{booktabs}"
    assert lines[1] == r"\begin{tabular}{llrrr}"
    assert lines[2:5] == [
        r"\toprule",
        r"pairs & run & $\kappa$ sev. & score & swap \\",
        r"\midrule",
    ]
    assert lines[5] == (
        r"part 0 & a\textbar{}b\_c \& 50 \% \textbackslash{}x \{y\} \textless{}z\textgreater{} "
        r"{[}q{]} \#1 \$2 \textasciicircum{}\textasciitilde{} "
        r"& 1.000 {\scriptsize {[}1.000, 1.000{]}} & $-$.051 {\scriptsize {[}$-$.051, .020{]}} "
        r"& -- \\"
    )
    assert lines[6].startswith(" & a")  # the section's name stands once
    assert lines[-3:] == [
        r"\bottomrule",
        r"\end{tabular}",
        r"\par\smallskip{\footnotesize part 0: 4 pairs. part 1: 4 pairs. N.\par}",
    ]
    # Every row has as many cells as columns.
    rows = [line for line in lines if line.endswith(r"\\")]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {4}


@pytest.mark.parametrize("text", ["×", "ß", "plain text-1"])
def test_other_text_is_left_alone(text):
    assert latex_text(text) == {"×": r"$\times$"}.get(text, text)


def test_a_table_without_sections_titles_has_no_column_for_them():
    plain = ResultTable("T", ("run", "x"), (Section("", ((Cell("a"), Cell("1")),)),))
    assert markdown(plain) == "**T**\n\n| run | x |\n|---|---:|\n| a | 1 |\n"
    assert r"\begin{tabular}{lr}" in latex(plain)
    assert drawn(plain, 80).splitlines()[0].strip() == "T"
