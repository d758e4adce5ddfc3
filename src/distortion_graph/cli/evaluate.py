"""`distortion-graph evaluate`: a trained network's figures on held-out pictures or a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.cli.choice import HardPairs, ValSplit, chosen
from distortion_graph.cli.console import Talk, talk_of, terminal_width
from distortion_graph.cli.options import (
    Labelled,
    MeasuredPictures,
    MeasuredRoot,
    Pictures,
    Quiet,
    check_outputs,
)
from distortion_graph.cli.streams import write_all

if TYPE_CHECKING:
    from distortion_graph.bench.figures import Figures
    from distortion_graph.training.evaluation import EvaluationResult


def evaluate(
    context: typer.Context,
    network: Annotated[
        Path, typer.Argument(metavar="NETWORK", help="The folder of a run, or of a network in it.")
    ],
    labelled: Labelled = None,
    pictures: Pictures = None,
    root: MeasuredRoot = None,
    split: ValSplit = None,
    held_out: MeasuredPictures = None,
    pairs: HardPairs = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed the pairs made of pictures.")] = 0,
    draws: Annotated[
        int, typer.Option(min=0, help="Draw N times for the intervals; 0 leaves them out.")
    ] = 1000,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all figures to FILE.")
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Measure a network as it was trained, before any export.

    Takes the pictures or the data set you name, or else the run's own held-out pictures or the
    split val of its data set. Needs the train extra.

    \b
    Examples:
      distortion-graph evaluate runs/first
      distortion-graph evaluate runs/first --labelled bsds500/val --pairs easy \\
          --pairs hard --json figures.json
    """
    from distortion_graph.cli.extras import need_torch

    need_torch("evaluate", "accelerate", "yaml")
    talk = talk_of(context)
    talk.set(quiet=quiet, outputs=(json,))
    check_outputs([("--json", json, False)] if json else [], [])
    from distortion_graph.training.config import DataConfig
    from distortion_graph.training.evaluation import Request, evaluate_network

    data = DataConfig(tuple(labelled or ()), tuple(pictures or ()), root, held_out)
    wanted = Request(data, chosen(pairs, ("hard",)), chosen(split, ("val",)), seed, draws)
    result = evaluate_network(network, wanted, talk.warn)
    if json is not None:
        write_all([(json, (result.model_dump_json(indent=1) + "\n").encode())])
    _show(network.name, result, talk)


def _show(name: str, result: EvaluationResult, talk: Talk) -> None:
    from distortion_graph.bench.resampling import FIGURES
    from distortion_graph.bench.summary import size_text
    from distortion_graph.bench.tables import Cell, ResultTable, Section, rich_table, shown

    def cells(figures: Figures) -> tuple[Cell, ...]:
        values = (Cell(shown(figures.value(k)), figures.intervals[k]) for k in FIGURES)
        return (*values, Cell(shown(figures.mean)))

    columns = ("network", "distortion", "F1", "severity", "F1", "comparison", "F1", "SRCC", "PLCC")
    sections = tuple(
        Section(
            pairs,
            ((Cell(name), *cells(figures)),),
            size_text(figures.pairs, figures.pictures, figures.regions),
        )
        for pairs, figures in result.figures.items()
    )
    talk.show(rich_table(ResultTable(result.of, (*columns, "mean"), sections), terminal_width()))
