"""`distortion-graph check`: pairs of pictures held against a policy."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import BatchError, OutputError
from distortion_graph.cli.console import POLICY_BROKEN, Talk, talk_of
from distortion_graph.cli.options import Quiet, Verbose, check_outputs
from distortion_graph.cli.pairs import (
    AllowUnmatched,
    ManifestOption,
    MatchOption,
    WorkersOption,
    pairs_of,
)

if TYPE_CHECKING:
    from distortion_graph.batch.pairs import PairTask
    from distortion_graph.gate.policy import Policy
    from distortion_graph.gate.run import CheckReport

_SUMMARY = "GITHUB_STEP_SUMMARY"


def check(
    context: typer.Context,
    policy: Annotated[
        Path, typer.Option(metavar="FILE", help="Take the rules of this policy (YAML).")
    ],
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ANCHORS TARGETS",
            help="Two folders or URLs, or two pictures: as they were accepted, and as they are "
            "now. With --against, pictures of a Git repository.",
        ),
    ] = None,
    manifest: ManifestOption = None,
    match: MatchOption = "name",
    allow_unmatched: AllowUnmatched = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="REVISION",
            help="Compare each picture with what this Git revision has of it; new ones are left "
            "out.",
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER",
            help="Measure scores against these originals, of the same names.",
        ),
    ] = None,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="Record the policy's baseline, and how noisy it is; judge nothing."
        ),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write overlay, report and graph of each pair that fails into FOLDER.",
        ),
    ] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML to FILE.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0 to FILE.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a summary in Markdown to FILE.")
    ] = None,
    github: Annotated[
        bool,
        typer.Option(
            "--github",
            help="Print annotations of GitHub Actions, and add the summary to "
            "$GITHUB_STEP_SUMMARY.",
        ),
    ] = False,
    workers: WorkersOption = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Hold pairs of pictures against a policy.

    The policy says what may not happen from the accepted picture (the anchor) to the new one (the
    target): how much worse a region may be, how much score it may lose, which distortions are
    forbidden, where the pictures may not differ; what is ignored; and which rules other folders
    have. With a baseline, what was recorded is allowed, and as much more as noise explains.

    \b
    Examples:
      distortion-graph check accepted new --policy gate.yml
      distortion-graph check accepted new --policy gate.yml --out shown --github
      distortion-graph check accepted new --policy gate.yml --record
      distortion-graph check --policy gate.yml --against HEAD docs/*.png

    Exit codes: 0 all pairs keep the policy, 3 one breaks it, 2 the input is at fault (one line says
    what; also where a pair cannot be compared and none breaks the policy), 1 a defect of the
    program, 130 interrupted.
    """
    talk = talk_of(context)
    talk.set(quiet=quiet, verbose=verbose, outputs=(junit, sarif, markdown))
    from distortion_graph.gate.policy_files import load_policy
    from distortion_graph.gate.run import folders_of

    outputs = [
        (option, path, False)
        for option, path in (("--junit", junit), ("--sarif", sarif), ("--markdown", markdown))
        if path is not None
    ]
    with folders_of(out), TemporaryDirectory(prefix="distortion-graph-") as folder:
        check_outputs(outputs, [str(policy)])
        read = load_policy(policy)
        pairs = _pairs(
            paths or [], reference, manifest, match, allow_unmatched, against, Path(folder), talk
        )
        if not pairs:
            talk.say("no picture to compare")
            return
        report = _run(pairs, read, out, record, allow_unmatched, workers, talk)
    _tell(report, talk)
    _write(report, junit, sarif, markdown, github, talk)
    if report.broken:
        raise typer.Exit(POLICY_BROKEN)
    if report.failed:
        total = counted(len(report.verdicts), "pair")
        raise BatchError(f"{len(report.failed)} of {total} cannot be compared")


def _pairs(
    paths: list[str],
    originals: str | None,
    manifest: str | None,
    match: str,
    allow_unmatched: bool,
    against: str | None,
    folder: Path,
    talk: Talk,
) -> list[PairTask]:
    from distortion_graph.batch.pairs import PairTask

    if against is not None:
        from distortion_graph.gate.committed import committed_pairs

        if not paths or manifest is not None or originals is not None:
            raise BatchError(
                f"--against {against}: expected pictures, and neither --manifest nor --reference"
            )
        pairs, new = committed_pairs(paths, against, folder)
        if new:
            talk.detail(f"not in {against}: {counted(len(new), 'picture')}: {', '.join(new)}")
        return pairs
    if len(paths) == 2 and all(Path(path).is_file() for path in paths):
        return [PairTask(Path(paths[1]).name, paths[0], paths[1], originals)]
    if len(paths) > 2:
        raise BatchError(f"{len(paths)} paths, expected two folders or two pictures")
    return pairs_of(paths, originals, manifest, match, allow_unmatched, talk)


def _run(
    pairs: list[PairTask],
    policy: Policy,
    out: Path | None,
    record: bool,
    allow_unmatched: bool,
    workers: int | None,
    talk: Talk,
) -> CheckReport:
    from distortion_graph.cli.progress import WorkTalk
    from distortion_graph.gate.run import run_check
    from distortion_graph.work.executor import worker_count

    # A worker takes a second to start, as long as a few small pairs take.
    count = 0 if workers is None and len(pairs) < 4 else worker_count(workers)
    with WorkTalk(talk) as bar:
        return run_check(
            pairs,
            policy,
            out=out,
            record=record,
            allow_unmatched=allow_unmatched,
            workers=count,
            progress=bar.follow("checking", "pairs"),
        )


def _tell(report: CheckReport, talk: Talk) -> None:
    from distortion_graph.gate.wording import headline, summary_line

    for note in report.notes:
        talk.warn(note)
    for verdict in report.verdicts:
        for note in verdict.notes:
            talk.warn(f"{verdict.pair.id}: {note}")
        if not verdict.passed:
            talk.say(f"{verdict.pair.id}: {headline(verdict)}")
            if verdict.files:
                talk.say(f"see {verdict.files['overlay']} and {verdict.files['report']}")
    talk.say(summary_line(report))
    if report.recorded is not None:
        noise = ", ".join(f"{rule} {value:.3g}" for rule, value in report.recorded.noise.items())
        talk.say(f"measured noise: {noise}")
    rate = len(report.verdicts) / max(report.seconds, 1e-9)
    talk.detail(f"{report.seconds:.1f} seconds, {rate:.1f} pairs per second")


def _write(
    report: CheckReport,
    junit_path: Path | None,
    sarif_path: Path | None,
    markdown_path: Path | None,
    github: bool,
    talk: Talk,
) -> None:
    from distortion_graph.cli.streams import write_all
    from distortion_graph.gate.github import annotation_lines, markdown
    from distortion_graph.gate.junit import junit
    from distortion_graph.gate.sarif import sarif

    texts = (junit_path, junit), (sarif_path, sarif), (markdown_path, markdown)
    write_all([(path, text(report).encode()) for path, text in texts if path is not None])
    if not github:
        return
    for line in annotation_lines(report):
        talk.write(line + "\n")
    summary = os.environ.get(_SUMMARY)
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write(markdown(report))
        except OSError as error:
            raise OutputError(
                f"${_SUMMARY} {summary}: cannot be written ({error.strerror})"
            ) from error
