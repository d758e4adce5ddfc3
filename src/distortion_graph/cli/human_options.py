"""Options of the commands that read people's opinions of pictures."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

if TYPE_CHECKING:
    from distortion_graph.bench.human.opinions import OpinionPair


class Layout(StrEnum):
    """How a set is laid out; `bench.human.opinions` has the same words."""

    tid2013 = "tid2013"
    kadid10k = "kadid10k"
    csiq = "csiq"
    live = "live"
    pipal = "pipal"
    cid22 = "cid22"
    konjnd = "konjnd"
    csv = "csv"


class Higher(StrEnum):
    """What a higher score says of a picture."""

    better = "better"
    worse = "worse"


LayoutOption: TypeAlias = Annotated[
    Layout,
    typer.Option(
        help="Read the folder in this layout; csv is a table opinions.csv of any other pairs."
    ),
]
HigherOption: TypeAlias = Annotated[
    Higher | None,
    typer.Option(
        "--higher-is", help="Take a higher score of --layout csv as better (default) or as worse."
    ),
]


def opinion_pairs(folder: Path, layout: Layout, higher: Higher | None) -> list[OpinionPair]:
    """The pairs of a folder; raises DatasetError, and a usage error for --higher-is elsewhere."""
    from distortion_graph.bench.human.opinions import read_opinions

    if higher is not None and layout is not Layout.csv:
        raise typer.BadParameter(
            f"--higher-is is for --layout csv; {layout.value} says itself what its scores mean"
        )
    return read_opinions(folder, layout.value, higher_is_worse=higher is Higher.worse)
