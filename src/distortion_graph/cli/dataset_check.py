"""`distortion-graph dataset check`: is a data set whole, and what does it look like."""

from __future__ import annotations

import json as json_module
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.cli.console import Talk, one_line, talk_of, write_json, write_output
from distortion_graph.cli.options import Quiet, Verbose, check_outputs
from distortion_graph.cli.progress import WorkTalk, short_time
from distortion_graph.cli.streams import is_standard, named, write_all

if TYPE_CHECKING:
    from rich.table import Table

    from distortion_graph.datasets.check import CheckReport, Finding

_EXAMPLES = 5


def dataset_check(
    context: typer.Context,
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The folder of a data set.")],
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a contact sheet to FILE: some pictures in all versions."
        ),
    ] = None,
    sheet_pictures: Annotated[
        int, typer.Option(min=1, max=40, metavar="N", help="Show N pictures on the contact sheet.")
    ] = 4,
    quick: Annotated[
        bool,
        typer.Option(
            "--quick",
            help="Read only the headers of pictures: no checksums, copies or damage behind them.",
        ),
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print every finding as JSON on standard output.")
    ] = False,
    workers: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Use N processes; by default one per core."),
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Check a data set of the published layout; nothing in it is changed.

    Looks for missing and extra files, damaged pictures, sizes, masks, boxes, scores and labels
    that do not fit, versions that disagree, pairs of the index that are not there, copies of
    pictures in two splits, and files that are not as the manifest says. Then it counts labels.

    \b
    Examples:
      distortion-graph dataset check my-set
      distortion-graph dataset check my-set --sheet sheet.png --verbose
      distortion-graph dataset check my-set --json | jq '.findings[] | select(.kind == "mask")'

    Exit codes: 0 whole (warnings may be told), 2 faults were found or ROOT is no data set, 1 a
    defect of the program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(sheet,))
    if json and is_standard(sheet):
        raise OutputError("--json prints to standard output too; leave it out, or name a file")
    if sheet is not None:
        _check_sheet(sheet, root)

    import time

    from distortion_graph.datasets.check import check_dataset
    from distortion_graph.work.executor import worker_count

    start = time.perf_counter()
    with WorkTalk(talk) as report:
        checked = check_dataset(
            root,
            quick=quick,
            workers=worker_count(workers),
            progress=report.follow("checking", "files"),
        )
    talk.detail(
        f"{counted(checked.files, 'picture')} read in {short_time(time.perf_counter() - start)}"
    )
    if json:
        text = json_module.dumps(checked.to_json(), ensure_ascii=False, allow_nan=False)
        write_json(_printable(text))
    else:
        _tell(checked, talk)
    if sheet is not None:
        _write_sheet(sheet, root, sheet_pictures, talk)
    if checked.faults:
        raise DatasetError(f"{root}: {_summary(checked)}")


def _check_sheet(sheet: Path, root: Path) -> None:
    """Refuse a place that cannot be written to, or is in the data set."""
    check_outputs([("--sheet", sheet, True)], [])
    if not is_standard(sheet) and Path(os.path.realpath(sheet)).is_relative_to(
        os.path.realpath(root)
    ):
        raise OutputError(f"{sheet}: --sheet would write into the data set; choose another place")


def _write_sheet(sheet: Path, root: Path, pictures: int, talk: Talk) -> None:
    from distortion_graph.base.files import encode_image
    from distortion_graph.datasets.contact_sheet import make_sheet

    try:
        drawn = make_sheet(root, pictures=pictures)
    except DatasetError as e:  # the check ends with the faults that it comes from
        talk.warn(str(e))
        return
    write_all([(sheet, encode_image(named(sheet), drawn))])
    if not is_standard(sheet):
        talk.detail(f"wrote {sheet}")


def _printable(text: str) -> str:
    """JSON whose names of files can be written as UTF-8, whatever the disk calls them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _tell(checked: CheckReport, talk: Talk) -> None:
    """Findings by kind with some examples, tables of labels, and one line of summary."""
    from distortion_graph.cli.tables import comparison_table
    from distortion_graph.datasets.check import KINDS

    most = len(checked.findings) if talk.verbose else _EXAMPLES
    for severity in ("fault", "warning"):
        for kind, findings in checked.groups(severity):
            talk.say(f"{severity}: {KINDS[kind]} ({len(findings)})")
            for text in _examples(findings, most):
                _indented(talk, text)
    if checked.findings:
        talk.say("")
    talk.show(_label_table(checked))
    if any(checked.balance.hard.values()):
        talk.say("")
        talk.show(comparison_table({"hard": checked.balance.hard}))
    talk.say("")
    if not checked.faults:
        talk.say(f"{checked.root}: {_summary(checked)}")


def _examples(findings: Sequence[Finding], most: int) -> list[str]:
    told = [str(finding) for finding in findings[:most]]
    left = len(findings) - len(told)
    return [*told, f"… and {left} more (all of them: --verbose or --json)"] if left else told


def _indented(talk: Talk, text: str) -> None:
    if not (talk.quiet or talk.piped):
        write_output(f"  {one_line(text)}\n")


def _summary(checked: CheckReport) -> str:
    """`3 faults, 1 warning in 34 pictures, 16 versions (test 34, 578 files read)`."""
    clean = sum(checked.pictures.values())
    held = f"{counted(clean, 'picture')}, {counted(len(checked.versions), 'version')}"
    parts = "".join(f"{split} {count}, " for split, count in checked.pictures.items())
    read = f"{'headers of ' if checked.quick else ''}{counted(checked.files, 'file')} read"
    faults = counted(checked.faults, "fault") if checked.faults else "no fault"
    warnings = f", {counted(checked.warnings, 'warning')}" if checked.warnings else ""
    return f"{faults}{warnings} in {held} ({parts}{read})"


def _label_table(checked: CheckReport) -> Table:
    """How many regions have each label and severity, over all versions."""
    from distortion_graph.cli.tables import count_table, spaced

    rows = checked.balance.regions
    severities = list(next(iter(rows.values()), {}))
    table = count_table("regions", [*severities, "share"])
    total = sum(sum(row.values()) for row in rows.values())
    for label, row in rows.items():
        cells = [str(row[severity] or "–") for severity in severities]
        table.add_row(spaced(label), *cells, f"{100 * sum(row.values()) / max(total, 1):.1f} %")
    return table
