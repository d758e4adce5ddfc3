"""`distortion-graph dataset import-judged`: a data set of what people judged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.cli.agreement import JudgedGraphs, graph_files
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Quiet, Verbose
from distortion_graph.cli.progress import WorkTalk


def dataset_import_judged(
    context: typer.Context,
    graphs: JudgedGraphs,
    pictures: Annotated[
        list[Path],
        typer.Option(
            metavar="FOLDER",
            help="Look for the graphs' pictures in FOLDER, by their checksums; may be repeated.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Write the data set to FOLDER, which must be new or empty."
        ),
    ],
    split: Annotated[
        str,
        typer.Option(
            metavar="RULE",
            help="Share out the pairs: train=.8,val=.1,test=.1 or one split's name; pairs that "
            "share a picture stay together.",
        ),
    ] = "train=.8,val=.1,test=.1",
    seed: Annotated[int, typer.Option(min=0, help="Seed who goes where.")] = 0,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Make a data set of judged graphs and their pictures.

    `train --root`, `calibrate --root`, `evaluate --root` and `bench` take it. Of several people
    who judged a region, the label that most of them gave counts; on a tie there is none, and a line
    says so. Regions that nobody judged are left out, and so is every label that nobody gave. There
    are no scores. Nothing is left at FOLDER if it fails.

    \b
    Examples:
      distortion-graph dataset import-judged judged/*.json --pictures photos --out judged-set
      distortion-graph train --root judged-set --start-from runs/first --out runs/ours

    Exit codes: 0 done, 2 the input is at fault (one line says what), 1 a defect of the program,
    130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)
    from distortion_graph.datasets.judged import import_judged
    from distortion_graph.datasets.make.splits import parse_splits
    from distortion_graph.formats.files import read_graph

    rule = parse_splits(split)
    named = [(str(path), read_graph(path)) for path in graph_files(graphs)]
    with WorkTalk(talk) as work:
        done = import_judged(
            named,
            pictures,
            out,
            splits=rule,
            seed=seed,
            progress=work.follow("importing", "pairs"),
        )
    for note in done.notes:
        talk.warn(note)
    shares = ", ".join(f"{name} {count}" for name, count in done.pairs.items())
    pairs = counted(done.pairs.total(), "pair")
    talk.say(
        f"{out}: {pairs} ({shares}), {done.regions} judged regions of "
        f"{done.people} {'person' if done.people == 1 else 'people'}, {done.originals} originals"
    )
