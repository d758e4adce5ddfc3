"""Options of commands that take many pairs, and the pairs that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import BatchError
from distortion_graph.cli.console import Talk

if TYPE_CHECKING:
    from distortion_graph.batch.pairs import PairTask

ManifestOption: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Take the pairs of a list: .csv, .tsv, .jsonl or .parquet with the columns anchor "
        "and target; id, reference and regions may be there, others are carried through.",
    ),
]
MatchOption: TypeAlias = Annotated[
    str,
    typer.Option(
        metavar="name|stem|PATTERN",
        help="Fit files together by name, by stem, or by a regular expression with a group "
        "(?P<id>...); its other groups become columns.",
    ),
]
AllowUnmatched: TypeAlias = Annotated[
    bool, typer.Option("--allow-unmatched", help="Allow pictures without a partner.")
]
WorkersOption: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=0, metavar="N", help="Compare in N processes; by default one per core. 0 for none."
    ),
]


def pairs_of(
    folders: list[str],
    originals: str | None,
    manifest: str | None,
    match: str,
    allow_unmatched: bool,
    talk: Talk,
) -> list[PairTask]:
    """The pairs of folders or of a list; raises BatchError where both or none are given."""
    if (manifest is None) == (not folders):
        raise BatchError("expected either folders of anchors and targets, or --manifest FILE")
    if manifest is not None and originals is not None:
        raise BatchError(
            f"--reference {originals}: a list names the originals of its pairs in a column "
            "reference, expected anchor or target here"
        )
    if manifest is not None:
        from distortion_graph.batch.manifests import read_manifest

        return read_manifest(manifest)
    from distortion_graph.batch.folders import Matching, match_folders

    if len(folders) < 2:
        raise BatchError(f"{folders[0]}: expected a folder of targets beside it")
    pairs, unmatched = match_folders(
        folders[0],
        folders[1:],
        references=originals,
        matching=Matching(match, allow_unmatched),
    )
    for left in unmatched:
        many = counted(len(left.names), "picture")
        talk.warn(f"{left.folder}: {many} without a partner left out")
    return pairs
