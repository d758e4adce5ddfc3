"""`distortion-graph dataset push` and `pull`: data sets to and from the Hugging Face Hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from distortion_graph.cli.console import talk_of
from distortion_graph.cli.options import Quiet, Verbose
from distortion_graph.cli.progress import WorkTalk


def dataset_push(
    context: typer.Context,
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A data set, or its shards (`dataset pack`).")
    ],
    repo_id: Annotated[
        str, typer.Argument(metavar="NAMESPACE/NAME", help="Where on the hub; made if missing.")
    ],
    private: Annotated[
        bool, typer.Option("--private", help="Make it private; refuse one that is public.")
    ] = False,
    revision: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="Branch, made if missing; else main.")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Send a data set to the Hugging Face Hub; needs the hub extra.

    Uses HF_TOKEN or what `hf auth login` stored. What is there and the same is not sent again, so
    that the same command goes on where it was stopped; nothing is deleted there. Where neither
    side has a README.md one is written there, with counts and the licences given.

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
        talk.warn(f"{folder}: {done.left_out} files that are of no data set, left out")
    talk.say(f"{done.url}: {done.sent} files sent, {done.unchanged} were there")


def dataset_pull(
    context: typer.Context,
    repo_id: Annotated[
        str, typer.Argument(metavar="NAMESPACE/NAME", help="A data set on the hub.")
    ],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="New folder, or a begun pull's.")],
    revision: Annotated[
        str | None, typer.Option(metavar="NAME", help="Branch, tag or commit; else main.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PATTERN", help="Only files such as '*/test/*' or 'val-*.tar'."),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Fetch a data set from the Hugging Face Hub; needs the hub extra.

    Every file is compared with the hub's checksum and with the data set's own. What is there and
    right is not fetched again, so that the same command goes on where it was stopped; no file that
    differs is overwritten.

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
    talk.say(
        f"{out}: {what} of {repo_id}, {done.fetched} files fetched, {done.unchanged} were there"
    )
