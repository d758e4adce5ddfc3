"""`distortion-graph bench human`: a model and metrics beside people's opinion of pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.cli.console import talk_of
from distortion_graph.cli.extras import need_extra
from distortion_graph.cli.human_options import HigherOption, LayoutOption, opinion_pairs
from distortion_graph.cli.options import LatexTables, MarkdownTables, Quiet, Threads
from distortion_graph.cli.result_tables import Outputs, show_tables


def human(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="A set of opinions, as its owners distribute it."),
    ],
    layout: LayoutOption,
    higher_is: HigherOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Measure this model: a folder made by `export`, or hf://ORG/NAME.",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write all figures to FILE.")
    ] = None,
    markdown: MarkdownTables = None,
    latex: LatexTables = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed the intervals.")] = 0,
    threads: Threads = 0,
    quiet: Quiet = False,
) -> None:
    """Measure how far a model and metrics agree with people's opinion of pictures.

    Rank and linear correlation with the opinions, and how often the better of two versions is
    found, with 95 % intervals over contents, for all pairs and by kind: of the model's score, its
    margin over the reference and its opinion where it has one, beside PSNR, SSIM, HaarPSI and
    every other registered metric. Nothing is downloaded; docs/human.md says where the sets come
    from and how each is laid out.

    \b
    Examples:
      distortion-graph bench human tid2013 --layout tid2013
      distortion-graph bench human my-study --layout csv --higher-is worse --json found.json

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, outputs=(json, markdown, latex))
    need_extra("bench human", "human", "scipy")
    outputs = Outputs(json, markdown, latex)
    outputs.check([])
    pairs = opinion_pairs(folder, layout, higher_is)
    from distortion_graph.bench.human.manifest import maps_of
    from distortion_graph.bench.human.measuring import judge
    from distortion_graph.bench.human.results import human_result, human_tables
    from distortion_graph.cli.progress import WorkTalk
    from distortion_graph.predict.session import load_model

    loaded = load_model(model, threads=threads)
    maps = maps_of(loaded)
    with WorkTalk(talk) as work:
        judged = judge(loaded, pairs, work.follow("opinions", "pairs"))
    name = folder.resolve().name
    result = human_result(judged, maps, loaded.identity.info, of=name, seed=seed)
    tables = human_tables(result)
    outputs.write(result.model_dump_json(indent=1) + "\n", tables)
    show_tables(tables, talk)
