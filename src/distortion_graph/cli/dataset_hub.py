"""`distortion-graph dataset push` and `pull`: data sets to and from the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Quiet, Verbose
from distortion_graph.cli.progress import WorkTalk


def dataset_push(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A data set, or its shards (`dataset pack`).")
    ],
    repo_id: Annotated[
        str, typer.Argument(metavar="NAMESPACE/NAME", help="Its name on the Hub; made if missing.")
    ],
    private: Annotated[
        bool, typer.Option("--private", help="Make the data set private; stop if it is public.")
    ] = False,
    revision: Annotated[
        str | None,
        typer.Option(
            metavar="BRANCH", help="Send to this branch, made if missing; by default main."
        ),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Send a data set to the Hugging Face Hub; needs the hub extra.

    Uses HF_TOKEN or what `hf auth login` stored. Files that the Hub already has are not sent
    again, so the same command resumes where it was stopped. Nothing is deleted on the Hub. Where
    neither side has a README.md, one is written there, with counts and the licences given.

    \b
    Examples:
      distortion-graph dataset push my-set me/my-set --private
      distortion-graph dataset push my-shards me/my-shards
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)
    from distortion_graph.datasets.hub import push

    with WorkTalk(talk) as work:
        done = push(
            folder,
            repo_id,
            private=private,
            revision=revision,
            progress=work.follow("pushing", "files"),
        )
    if done.left_out:
        talk.warn(f"{folder}: {counted(done.left_out, 'file')} of no data set left out")
    talk.say(f"{done.url}: {counted(done.sent, 'file')} sent, {done.unchanged} were there")


def dataset_pull(
    context: typer.Context,
    repo_id: Annotated[
        str, typer.Argument(metavar="NAMESPACE/NAME", help="A data set on the Hub.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FOLDER", help="Write to FOLDER: a new one, or that of a pull that was stopped."
        ),
    ],
    revision: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Fetch this branch, tag or commit; by default main."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Fetch only files such as '*/test/*' or 'val-*.tar'; may be repeated.",
        ),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Fetch a data set from the Hugging Face Hub; needs the hub extra.

    Every file is compared with the Hub's checksum and with the data set's own. Files that are
    already there and right are not fetched again, so the same command resumes where it was
    stopped. No file that differs is overwritten.

    \b
    Examples:
      distortion-graph dataset pull me/my-set --out my-set
      distortion-graph dataset pull me/my-shards --out shards --only 'test-*.tar'
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose)
    from distortion_graph.datasets.hub import pull

    with WorkTalk(talk) as work:
        done = pull(
            repo_id,
            out,
            revision=revision,
            only=only or (),
            progress=work.follow("pulling", "files"),
        )
    talk.detail(f"commit {done.commit}")
    what = "shards" if done.shards else "data set"
    fetched = counted(done.fetched, "file")
    talk.say(f"{out}: {what} of {repo_id}, {fetched} fetched, {done.unchanged} were there")
