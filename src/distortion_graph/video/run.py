"""`compare_videos`: two videos into a folder of tables, a page and reports; a stopped run goes on.

    out/video.json                        what was compared and how, offsets, totals
    out/pairs/part-00000.parquet          a row per moment
    out/regions/part-00000.parquet        a row per region of it
    out/index.html, out/summary.md        the timeline, the worst moments first
    out/reports/ID.html                   a report of each of the worst moments
    out/journal.jsonl                     only while the run is not complete

A part ends where a stretch of held regions does, so what is in one does not depend on what was done
before: a run that goes on decodes from the beginning and compares what is missing.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import OutputError, VideoError
from distortion_graph.batch.results import PART, TABLES, write_part
from distortion_graph.batch.rows import PAIR_COLUMNS, REGION_COLUMNS, Row
from distortion_graph.video.comparing import (
    TIME_COLUMNS,
    Compared,
    Job,
    Task,
    compare_moment,
)
from distortion_graph.video.notes import closing_notes
from distortion_graph.video.options import VideoOptions
from distortion_graph.video.pairing import Moments
from distortion_graph.video.preparing import (
    NothingComparedError,
    Prepared,
    nothing_shared,
    prepare,
)
from distortion_graph.video.sampling import Span
from distortion_graph.video.sync import Offset
from distortion_graph.video.worst import Worst, WorstMoment
from distortion_graph.video.writing import MANIFEST, Folder, Told, write_results
from distortion_graph.work.journal import Journal, first_difference
from distortion_graph.work.local import LocalThreads
from distortion_graph.work.threads import allowed_threads, thread_budget

SCHEMA = "distortion-graph video 1"
_FORM = "distortion-graph video journal 1"
_JOURNAL = "journal.jsonl"
_EDGE_BYTES = 1 << 20
_REASONS_SHOWN = 5
_MOST_DECODERS = 2
_OF_ONE_FRAME = re.compile(r"#t=[\d.]+| \([^()]*\)")


@dataclass(frozen=True)
class VideoReport:
    """What a run has done.

    `moments` in the folder, those of them that failed, and those that were there already; the
    offset of the target; the worst moments as (id, seconds, badness); reasons of failures with
    their number; `notes`, a line each; what was assumed; and how long it took.
    """

    moments: int
    failed: int
    kept: int
    offset: Offset
    worst: tuple[tuple[str, float, float], ...]
    reasons: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]
    details: tuple[str, ...]
    seconds: float


def compare_videos(
    anchor: str | Path,
    target: str | Path,
    out: str | Path,
    options: VideoOptions | None = None,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> VideoReport:
    """Compare two videos of one scene and write what was found into the folder `out`.

    `progress` is told how many moments are done, and about how many there are. Memory does not grow
    with the length of the videos. The same videos, options and versions give the same tables,
    however often the run was stopped.

    Raises VideoError for videos that cannot be read or fit together in no moment, and with `strict`
    for a moment that fails; RegionError, ModelError, WorkError and OutputError as `compare` and
    `run_batch` do. What is in the folder then is whole, and the same call goes on.
    """
    if find_spec("pyarrow") is None:
        raise VideoError(
            "videos need pyarrow, not installed: pip install 'distortion-graph[video]'"
        )
    folder = Path(out)
    with thread_budget():
        threads = min(_MOST_DECODERS, allowed_threads())
        run = _Run(
            prepare(str(anchor), str(target), options or VideoOptions(), threads), folder, progress
        )
        run.make_folders()
        done = run.complete()
        if done is not None:
            return done
        try:
            with Journal(
                folder / _JOURNAL, _FORM, named="number", advice="choose a new folder for --out"
            ) as journal:
                journal.begin(run.header())
                moments = run.work(journal)
                report = run.finish(moments)
        except NothingComparedError:
            run.clear()
            raise
    (folder / _JOURNAL).unlink()
    return report


@dataclass
class _Part:
    """The rows of a part on their way."""

    rows: list[Row] = field(default_factory=list)
    regions: list[Row] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)


class _Run:
    """One run on its way."""

    def __init__(
        self, prepared: Prepared, out: Path, progress: Callable[[int, int], object]
    ) -> None:
        self.prepared, self.out, self.progress = prepared, out, progress
        self.options, self.job = prepared.options, prepared.job
        measured = dict.fromkeys(self.job.comparing.metrics, float)
        self.columns: dict[str, type] = {**PAIR_COLUMNS, **measured, **TIME_COLUMNS}
        self.region_columns: dict[str, type] = {**REGION_COLUMNS, **measured, "time_s": float}
        if self.options.graph_column:
            self.columns["graph"] = str
        self.started = time.monotonic()
        self.total = _about(prepared)
        self.worst = Worst(self.options.moments, max(1.0, _length_s(prepared) / 50))
        self.done = self.failed = self.kept = 0
        self.reasons: Counter[str] = Counter()
        self.said: Counter[str] = Counter()
        self.clipped = [0.0] * len(self.job.videos)
        self.why: str | None = None

    def make_folders(self) -> None:
        """Raises OutputError where that is impossible, or something else is there."""
        own = any((self.out / name).exists() for name in (_JOURNAL, MANIFEST))
        if not own and any(self.out.glob("*/part-*.parquet")):
            raise OutputError(
                f"{self.out}: holds tables of something else; choose a new folder for --out"
            )
        try:
            for name in (*TABLES, "reports"):
                (self.out / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.out}: cannot be written ({error.strerror})") from error

    def clear(self) -> None:
        """Forget a run in which nothing could be compared: there is nothing to go on with."""
        for path in (self.out / _JOURNAL, *self.out.glob("*/part-*.parquet")):
            path.unlink(missing_ok=True)

    def header(self) -> dict[str, Any]:
        """What a run has to have in common with the one that it goes on."""
        identity = self.job.model.identity
        options = asdict(self.options)
        for name in ("comparing", "workers", "strict", "model", "providers", "max_pixels"):
            del options[name]
        return {
            "schema": SCHEMA,
            "version": version("distortion-graph"),
            "decoder": f"av {version('av')}",
            "model": f"{identity.name} {identity.version} {identity.sha256}",
            "videos": [[video.path, _digest(video.path)] for video in self.job.videos],
            **asdict(self.job.comparing),
            **options,
            "reference": self.options.reference or self.job.comparing.reference,
        }

    def complete(self) -> VideoReport | None:
        """What a complete run of these very options has left; None where there is none."""
        folder = Folder(self.out)
        value = folder.read()
        if value is None:
            return None
        header = json.loads(json.dumps(self.header()))
        if difference := first_difference(value.get("run", {}), header):
            raise VideoError(
                f"{self.out}: holds a comparison with {difference}; give the same options, or "
                "choose a new folder for --out"
            )
        count = value["moments"]
        return VideoReport(
            count,
            value["failed"],
            count,
            self.prepared.offsets[0],
            tuple((m["id"], m["time_s"], m["badness"]) for m in value["worst"]),
            tuple((reason, number) for reason, number in value["reasons"]),
            tuple(value["notes"]),
            tuple(value["assumed"]),
            time.monotonic() - self.started,
        )

    def work(self, journal: Journal) -> Moments:
        """Compare the moments of parts that are missing, and write each part when it is whole."""
        moments = self.prepared.moments()
        workers = self.options.workers
        current, part = 0, _Part()
        with LocalThreads[Job](self.job, workers, 1) as executor:
            tasks = self._missing(journal, moments)
            window = workers + min(workers, 2)
            for task, compared in executor.run(compare_moment, tasks, ordered=True, window=window):
                if task.stretch.part != current:
                    self._write(journal, current, part)
                    current, part = task.stretch.part, _Part()
                self._take(task, compared, part)
        self._write(journal, current, part)
        if not self.done:
            raise nothing_shared(self.prepared)
        return moments

    def finish(self, moments: Moments) -> VideoReport:
        """Write the page, the reports and what the folder holds."""
        if self.failed == self.done:
            reason = self.why or self.reasons.most_common(1)[0][0]
            raise NothingComparedError(f"no moment could be compared: {reason}")
        notes = [*self.prepared.notes, *self._notes(moments)]
        chosen = self.worst.chosen()
        value = {
            "run": self.header(),
            "moments": self.done,
            "failed": self.failed,
            "reasons": self.reasons.most_common(_REASONS_SHOWN),
            "offset_s": self.prepared.offsets[0].seconds,
            "offset_confidence": self.prepared.offsets[0].confidence,
            "reference_offset_s": [offset.seconds for offset in self.prepared.offsets[1:]],
            "notes": notes,
            "assumed": list(self.prepared.details),
            "worst": [{"id": m.id, "time_s": m.time_s, "badness": m.badness} for m in chosen],
            "columns": {name: kind.__name__ for name, kind in self.columns.items()},
        }
        told = Told(self.done, tuple(notes), self.prepared.details, self.prepared.offsets[0])
        write_results(
            Folder(self.out),
            self.job,
            value,
            chosen,
            told,
            lossy=self.options.lossy,
            workers=self.options.workers,
        )
        return self._report(chosen, notes)

    def _report(self, chosen: list[WorstMoment], notes: list[str]) -> VideoReport:
        return VideoReport(
            self.done,
            self.failed,
            self.kept,
            self.prepared.offsets[0],
            tuple((m.id, m.time_s, m.badness) for m in chosen),
            tuple(self.reasons.most_common(_REASONS_SHOWN)),
            tuple(notes),
            self.prepared.details,
            time.monotonic() - self.started,
        )

    def _missing(self, journal: Journal, moments: Moments) -> Iterator[Task]:
        """Tasks of parts that are not done; those that are give what they have found."""
        known = -1
        for task in self.prepared.tasks(moments):
            number = task.stretch.part
            kept = journal.get(PART, str(number))
            if kept is None:
                yield task
            elif number != known:
                known = number
                self._keep(kept)

    def _keep(self, kept: dict[str, Any]) -> None:
        self.kept += kept["moments"]
        self.done += kept["moments"]
        self._count(Counter(dict(kept["reasons"])))
        self.said.update(dict(kept["said"]))
        self.clipped = [max(pair) for pair in zip(self.clipped, kept["clipped"], strict=True)]
        for value in kept["worst"]:
            self.worst.add(WorstMoment.from_value(value))
        self.progress(self.done, max(self.total, self.done))

    def _take(self, task: Task, compared: Compared, part: _Part) -> None:
        if compared.failure is not None and self.options.strict:
            raise VideoError(f"at {task.moment.time_s:.3f} s: {compared.failure}")
        part.rows.append(compared.row)
        part.regions += compared.regions
        if compared.failure is not None:
            self.why = self.why or compared.failure
            part.reasons[_kind(compared.failure)] += 1
        if compared.graph is not None:
            self.worst.see(task.id, task.moment, compared.row, compared.graph)
        if compared.clipped:
            self.clipped = [max(pair) for pair in zip(self.clipped, compared.clipped, strict=True)]
        self.done += 1
        self.progress(self.done, max(self.total, self.done))

    def _write(self, journal: Journal, number: int, part: _Part) -> None:
        if not part.rows:
            return
        write_part(self.out, number, part.rows, part.regions, self.columns, self.region_columns)
        said = Counter(_kind(line) for row in part.rows for line in row["warnings"])
        worst = self.worst.among({row["id"] for row in part.rows})
        journal.add(
            PART,
            str(number),
            {
                "moments": len(part.rows),
                "reasons": list(part.reasons.items()),
                "said": list(said.items()),
                "clipped": self.clipped,
                "worst": [moment.to_value() for moment in worst],
            },
        )
        self._count(part.reasons)
        self.said.update(said)

    def _count(self, reasons: Counter[str]) -> None:
        self.failed += sum(reasons.values())
        self.reasons.update(reasons)

    def _notes(self, moments: Moments) -> list[str]:
        """What is known only now: where the videos end, damage, and what was said of moments."""
        lines = closing_notes(self.prepared, moments, self.clipped)
        for text, count in self.said.most_common(_REASONS_SHOWN):
            lines.append(f"{counted(count, 'moment')}: {text}")
        return lines


def _length_s(prepared: Prepared) -> float:
    """How long the videos last together, as their files say; 0 where they do not."""
    lengths = [video.duration_s for video in prepared.job.videos if video.duration_s]
    return min(lengths, default=0.0)


def _about(prepared: Prepared) -> int:
    """About how many moments there are; 0 where nobody knows."""
    if prepared.options.frames is not None:
        return prepared.options.frames
    span = Span.parse(prepared.options.every, "--every")
    step = span.seconds or (span.frames or 1) * prepared.job.videos[0].frame_s
    return round(_length_s(prepared) / step)


def _digest(path: str) -> str:
    """A file's size and SHA-256 of its two ends: enough to tell that it is another one."""
    sha = hashlib.sha256()
    with Path(path).open("rb") as stream:
        size = stream.seek(0, 2)
        for place in (0, max(0, size - _EDGE_BYTES)):
            stream.seek(place)
            sha.update(stream.read(_EDGE_BYTES))
    return f"{size} {sha.hexdigest()}"


def _kind(reason: str) -> str:
    """What was said, without the frame that it was said of and figures in brackets."""
    return _OF_ONE_FRAME.sub("", reason.partition(": ")[2] or reason)
