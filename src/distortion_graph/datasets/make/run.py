"""`build_dataset`: from sources to a complete root, in one go or in several."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.folders import ReaderNotes, first_names, left_out_lines
from distortion_graph.datasets.layout import JOURNAL_FILE
from distortion_graph.datasets.make.complete import check_complete
from distortion_graph.datasets.make.finish import finish
from distortion_graph.datasets.make.journal import MADE, SCANNED, SKIPPED, build_journal
from distortion_graph.datasets.make.listing import Listing, check_apart, list_pictures
from distortion_graph.datasets.make.options import SILENT, BuildOptions, BuildReport, Reporter
from distortion_graph.datasets.make.root import State, check_same, claimed
from distortion_graph.datasets.make.splits import Fingerprint, split_by_lists, split_by_quota
from distortion_graph.datasets.make.work import (
    Job,
    Kept,
    Known,
    Made,
    Skipped,
    Task,
    check_unchanged,
    file_digest,
    scan_picture,
    work_on,
)
from distortion_graph.datasets.sources import Source
from distortion_graph.synth.distort.compression import codec_versions, optional_codec_versions
from distortion_graph.work.executor import Executor
from distortion_graph.work.journal import Journal
from distortion_graph.work.processes import local_processes

_LIBRARIES = ("numpy", "opencv-python-headless", "pillow")
_WILD_LIBRARIES = ("simplejpeg",)
_SEGMENTING = ("torch", "transformers")
_GO_ON = "what was written is whole: mend that and start the same command again, and it goes on"


@dataclass
class _Run:
    """One build on its way."""

    job: Job
    listing: Listing
    report: Reporter
    started: float = field(default_factory=time.monotonic)
    notes: ReaderNotes = field(default_factory=ReaderNotes)
    made: int = 0
    kept: int = 0


def build_dataset(
    sources: Sequence[Source],
    out: Path,
    options: BuildOptions | None = None,
    report: Reporter = SILENT,
) -> BuildReport:
    """Build a data set of the published layout (`datasets.layout`) in the folder `out`.

    The same sources, options and library versions give the same bytes, whatever the number of
    workers and however often the build was stopped, by whatever, and started again. On a complete
    root it checks every file, and makes again what is damaged.

    Worker processes are started afresh and import the caller's main module, which must therefore
    not build when it is imported; with `options.workers` 0 there are none.

    Raises DatasetError for sources or a folder that do not fit, a source that changed, and with
    `options.strict` for a picture that cannot be used; WorkError where a worker process was killed;
    OutputError where a file cannot be written. What is in the folder then is whole, and the same
    call goes on.
    """
    options = options or BuildOptions()
    job = Job(Path(out), tuple(sources), options)
    _check_licences(job)
    run = _Run(job, list_pictures(job.sources, options.image_format), report)
    check_apart(run.listing, job.sources, job.root)
    _tell_left_out(run)
    splits = _splits_by_name(run)
    try:
        with claimed(job.root) as state:
            if state is State.complete:
                return check_complete(job, run.listing, report, run.started)
            return _build(run, state, splits)
    except OutputError as error:
        raise OutputError(f"{error}; {_GO_ON}") from error


def _build(run: _Run, state: State, splits: Mapping[str, str | None] | None) -> BuildReport:
    job, options = run.job, run.job.options
    software = _software(job)
    with build_journal(job.root) as journal:
        _open(run, journal, state, software)
        with local_processes(job, options.workers, option="--workers") as executor:
            if splits is None:
                splits = _splits_by_pixels(run, journal, executor)
            _work(run, journal, executor, splits)
        if not journal.has(MADE):
            (job.root / JOURNAL_FILE).unlink()
            raise DatasetError("none of the pictures can be used; the lines above say why")
        run.report.detail("writing statistics, manifest and index")
        totals = finish(job, run.listing, journal, software)
    (job.root / JOURNAL_FILE).unlink()
    return BuildReport(
        pictures={split: len(tags) for split, tags in totals.tags.items() if tags},
        skipped=sum(totals.skipped.values()),
        made=run.made,
        kept=run.kept,
        images=run.made * len(options.versions),
        seconds=time.monotonic() - run.started,
        noted=sum(totals.noted.values()),
        left_out=sum(map(len, run.listing.left_out)),
    )


def _tell_left_out(run: _Run) -> None:
    """Name the files that are taken for no picture; a strict build stops at them."""
    every = [file for of_source in run.listing.left_out for file in of_source]
    strange = list(left_out_lines(file for file in every if not file.expected))
    if strange and run.job.options.strict:
        raise DatasetError(
            f"{strange[0]} (--strict stops here; move what is no picture elsewhere, or leave out "
            "--strict)"
        )
    for line in left_out_lines(every):
        run.report.warn(line)
    for file in every:
        run.report.detail(f"left out: {file.folder / file.file}: {file.reason}")


def _check_licences(job: Job) -> None:
    names = [source.name for source in job.sources]
    if not names:
        raise DatasetError("no source given, expected at least one")
    unknown = next((name for name in job.options.licences if name and name not in names), None)
    if unknown is not None:
        raise DatasetError(
            f"licence: no source is called {unknown!r}, expected one of {', '.join(names)}"
        )


def _open(run: _Run, journal: Journal, state: State, software: Mapping[str, str]) -> None:
    """Begin the journal, or make sure that it is this build's."""
    job = run.job
    facts = job.options.facts(job.sources)
    count = len(run.listing.pictures)
    begun = journal.header
    if begun is not None:
        check_same(job.root, state, begun["options"], facts)
        check_same(job.root, state, begun["software"], software)
        if begun["listing"] != run.listing.digest:
            raise DatasetError(
                f"{job.root}: was begun with other pictures or annotations in its sources "
                f"({begun['pictures']} pictures then, {count} now); put them back, or choose "
                "a new folder"
            )
        run.report.detail(f"going on with {job.root}")
    journal.begin(
        {
            "options": facts,
            "listing": run.listing.digest,
            "pictures": count,
            "software": software,
        }
    )


def _splits_by_name(run: _Run) -> dict[str, str | None] | None:
    """Split of every stem where no pixel is needed for that; None where it is."""
    rule = run.job.options.splits
    pictures = run.listing.pictures
    if rule.lists is not None:
        splits = split_by_lists([listed.stem for listed in pictures], rule.lists)
        left = [stem for stem, split in splits.items() if split is None]
        if left:
            run.report.warn(
                f"{len(left)} of {len(splits)} pictures are on no list and are left out: "
                f"{first_names(left)}"
            )
        return splits
    if rule.needs_pixels:
        return None
    only = next(iter(rule.ratios), None)
    return {listed.stem: only or listed.item.split or "train" for listed in pictures}


def _splits_by_pixels(
    run: _Run, journal: Journal, executor: Executor[Job]
) -> dict[str, str | None]:
    """Split of every stem by what the pictures look like, from the journal or from them."""
    options, pictures = run.job.options, run.listing.pictures
    run.report.begin("looking for copies", len(pictures), "pictures")
    missing = []
    for listed in pictures:
        scanned = journal.get(SCANNED, listed.stem)
        if scanned is None:
            missing.append(Task(listed, ""))
        elif not journal.has(MADE, listed.stem):  # the others are looked at when it is checked
            # Its masks may still be mended: they do not decide its split.
            now, _ = file_digest(listed.item.picture)
            check_unchanged(listed, (scanned["sha256"],), (now,))
    run.report.advance(len(pictures) - len(missing))
    for task, result in executor.run(scan_picture, missing):
        seen = result.seen
        if isinstance(seen, Skipped) and options.strict:
            raise _stopped(seen)
        mark = None if isinstance(seen, Skipped) else [seen.pixels, seen.near]
        facts = {"sha256": result.sha256, "print": mark}
        journal.add(SCANNED, task.listed.stem, facts, durable=False)
        run.report.advance(1)
    run.report.end()
    prints: dict[str, Fingerprint] = {}
    for listed in pictures:
        scanned = journal.get(SCANNED, listed.stem)
        if scanned is not None and scanned["print"] is not None:
            prints[listed.stem] = Fingerprint(*scanned["print"])
    # One that cannot be read is in no split; it still gets its turn, to be reported.
    anywhere = next(iter(options.splits.ratios))
    splits = split_by_quota(prints, options.splits.ratios, options.seed)
    return {listed.stem: splits.get(listed.stem, anywhere) for listed in pictures}


def _work(
    run: _Run, journal: Journal, executor: Executor[Job], splits: Mapping[str, str | None]
) -> None:
    options, report = run.job.options, run.report
    wanted = sum(split is not None for split in splits.values())
    report.begin("building", wanted * len(options.versions), "images")
    for task, result in executor.run(work_on, _tasks(run.listing, journal, splits)):
        stem = task.listed.stem
        if isinstance(result, Kept):
            run.kept += 1
        elif isinstance(result, Made):
            journal.add(MADE, stem, result.record)
            run.made += 1
            for note in run.notes.take(result.notes):
                run.report.warn(note)
        else:
            _skip(run, journal, stem, result)
        report.advance(len(options.versions))
    for line in run.notes.rest():
        report.warn(f"{line} (manifest.jsonl has them all)")
    report.end()


def _tasks(listing: Listing, journal: Journal, splits: Mapping[str, str | None]) -> Iterator[Task]:
    for listed in listing.pictures:
        split = splits[listed.stem]
        if split is None:
            continue
        record = journal.get(MADE, listed.stem)
        known = None
        if record is not None:
            files = {name: (digest, size) for name, (digest, size) in record["files"].items()}
            known = Known(tuple(record["inputs"]), files)
        yield Task(listed, split, known)


def _skip(run: _Run, journal: Journal, stem: str, skipped: Skipped) -> None:
    if run.job.options.strict:
        raise _stopped(skipped)
    run.report.warn(f"{skipped.line}; left out")
    journal.forget(MADE, stem)
    journal.add(SKIPPED, stem, {"reason": skipped.reason})


def _stopped(skipped: Skipped) -> DatasetError:
    return DatasetError(
        f"{skipped.line} (--strict stops here; mend it, and the same command goes on, or leave "
        "out --strict)"
    )


def _software(job: Job) -> dict[str, str]:
    """Versions of everything that decides a byte of the result."""
    versions = {"distortion-graph": _version("distortion-graph")}
    versions |= {name: _version(name) for name in _LIBRARIES}
    codecs = codec_versions().items()
    versions |= {f"codec {name}": text for name, text in codecs if name != "pillow"}
    if job.options.wild:
        versions |= {name: _version(name) for name in _WILD_LIBRARIES}
        versions |= dict(text.rsplit(" ", 1) for text in optional_codec_versions().values())
    if any((source.segmenter or "").startswith("panoptic") for source in job.sources):
        versions |= {name: _version(name) for name in _SEGMENTING}
    return versions


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # under another name, such as opencv-python
        return "unknown"
