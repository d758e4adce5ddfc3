"""`distortion-graph dataset pack` and `unpack`: a data set in a few tar files, and back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.cli.choice import EverySplit
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Quiet, Verbose
from distortion_graph.cli.progress import WorkTalk


def dataset_pack(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The folder of a data set.")],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Write the shards to FOLDER, which must be new or empty."
        ),
    ],
    shard_mb: Annotated[
        int, typer.Option(min=1, metavar="N", help="Make shards of about N MB (10^6 bytes).")
    ] = 256,
    split: EverySplit = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Pack a data set into WebDataset tar shards.

    A picture with all its versions, regions, labels and scores is one sample; picture files are
    copied byte for byte. The same data set gives the same shards. Nothing is left at FOLDER if it
    fails.

    \b
    Examples:
      distortion-graph dataset pack my-set --out my-shards
      distortion-graph dataset pack my-set --out my-shards --split train --shard-mb 1000
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)
    from distortion_graph.datasets.shards import pack

    with WorkTalk(talk) as work:
        done = pack(
            root,
            out,
            shard_bytes=shard_mb * 1_000_000,
            splits=split,
            progress=work.follow("packing", "pictures"),
        )
    for place, number in done.left_out.items():
        talk.warn(f"{root / place}: {counted(number, 'file')} that no stats file names, left out")
    talk.say(
        f"{out}: {counted(done.pictures, 'picture')} in {counted(done.shards, 'shard')}, "
        f"{done.bytes / 1e6:.1f} MB"
    )


def dataset_unpack(
    context: typer.Context,
    shards: Annotated[
        Path, typer.Argument(metavar="SHARDS", help="A folder made by `dataset pack`.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="ROOT", help="Write the data set to ROOT, which must be new or empty."
        ),
    ],
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Unpack shards into a data set of plain folders.

    Checksums are checked, and names inside the shards lead nowhere but into ROOT. Nothing is left
    at ROOT if it fails.

    \b
    Example:
      distortion-graph dataset unpack my-shards --out my-set
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)
    from distortion_graph.datasets.shards import unpack

    with WorkTalk(talk) as work:
        done = unpack(shards, out, progress=work.follow("unpacking", "pictures"))
    pictures, files = counted(done.pictures, "picture"), counted(done.files, "picture file")
    talk.say(f"{out}: {pictures}, {files}")
