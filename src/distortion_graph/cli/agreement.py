"""`distortion-graph agreement`: how far people agree with the model and with each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.base.errors import GraphError
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import LatexTables, MarkdownTables, Quiet
from distortion_graph.cli.result_tables import Outputs, show_tables

JudgedGraphs = Annotated[
    list[Path],
    typer.Argument(
        metavar="GRAPH...",
        help="Graphs that people have judged, or folders of them: one per person and pair.",
    ),
]
"""What `graph_files` makes files of."""


def agreement(
    context: typer.Context,
    graphs: JudgedGraphs,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all figures to FILE.")
    ] = None,
    markdown: MarkdownTables = None,
    latex: LatexTables = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed the intervals.")] = 0,
    draws: Annotated[
        int, typer.Option(min=0, help="Draw N times for the intervals; 0 leaves them out.")
    ] = 1000,
    quiet: Quiet = False,
) -> None:
    """Measure how far people and the model agree.

    Cohen's kappa of distortions, and weighted by the square of the steps of severities and
    comparisons, with 95 % intervals over pictures. Takes graphs in which regions have `judged`;
    only what two raters both said counts.

    \b
    Examples:
      distortion-graph agreement judged/*.json
      distortion-graph agreement ada bob --json found.json --markdown found.md

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, outputs=(json, markdown, latex))
    outputs = Outputs(json, markdown, latex)
    files = graph_files(graphs)
    outputs.check([str(path) for path in files])
    from distortion_graph.bench.agreement import agreement_table, rater_agreement
    from distortion_graph.formats.files import read_graph

    named = [(str(path), read_graph(path)) for path in files]
    result = rater_agreement(named, seed=seed, draws=draws)
    tables = [agreement_table(result)]
    outputs.write(result.model_dump_json(indent=1) + "\n", tables)
    show_tables(tables, talk)


def graph_files(paths: list[Path]) -> list[Path]:
    """The files themselves, and those of folders whose name ends in .json."""
    files: list[Path] = []
    for path in paths:
        found = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not found:
            raise GraphError(f"{path}: a folder without .json files, expected judged graphs")
        files += found
    return files
