"""`run_batch`: many pairs, compared in workers, into a folder that a stopped run goes on in."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import BatchError, OutputError
from distortion_graph.base.files import atomic_write_bytes, atomic_write_text
from distortion_graph.batch.pairs import PairTask, checked, digest
from distortion_graph.batch.results import (
    JOURNAL_FILE,
    MANIFEST_FILE,
    PART,
    TABLES,
    open_journal,
    write_part,
)
from distortion_graph.batch.rows import PAIR_COLUMNS, REGION_COLUMNS, SCHEMA, further_columns
from distortion_graph.batch.worker import Compared, Comparing, Job, compare_task
from distortion_graph.predict.session import load_model
from distortion_graph.work.executor import Executor
from distortion_graph.work.journal import Journal, first_difference
from distortion_graph.work.processes import local_processes

PART_PAIRS = 500
_REASONS_SHOWN = 5


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is run.

    `part_pairs` pairs make a part of the tables; what a stopped run has to do again is at most one
    part. `workers` processes of `threads_each` threads, 0 for none but the calling one. `strict`
    ends the run at the first pair that fails. `graph_column` puts each graph's JSON into the table
    of pairs; `graphs` and `reports` write a file for each pair.
    """

    comparing: Comparing = field(default_factory=Comparing)
    workers: int = 1
    threads_each: int = 1
    part_pairs: int = PART_PAIRS
    strict: bool = False
    graph_column: bool = False
    graphs: bool = False
    reports: bool = False

    def __post_init__(self) -> None:
        if self.part_pairs < 1 or self.workers < 0 or self.threads_each < 1:
            raise BatchError(
                f"part_pairs is {self.part_pairs}, workers {self.workers}, threads_each "
                f"{self.threads_each}; expected at least 1, 0 and 1"
            )


@dataclass(frozen=True)
class Progress:
    """How far a run is: pairs of all, those that failed, and pairs per second so far."""

    pairs: int
    total: int
    failed: int
    rate: float


@dataclass(frozen=True)
class BatchReport:
    """What a run has done: pairs in the folder, those of them that failed, those that were there
    already, reasons of failures with their number, and seconds.
    """

    pairs: int
    failed: int
    kept: int
    reasons: tuple[tuple[str, int], ...]
    seconds: float


def run_batch(
    pairs: Sequence[PairTask],
    out: Path,
    options: BatchOptions = BatchOptions(),
    progress: Callable[[Progress], object] = lambda _: None,
    executor: Callable[[Job], Executor[Job]] | None = None,
) -> BatchReport:
    """Compare pairs and write the tables of `batch.results` into the folder `out`.

    The same pairs, options and versions give the same tables, whatever the workers and however
    often the run was stopped and started again. `executor` makes another one than processes of
    this machine.

    Raises BatchError for a list of pairs or a folder that does not fit, and with `strict` for a
    pair that fails; ModelError, WorkError and OutputError end the run. What is in the folder then
    is whole, and the same call goes on.
    """
    if find_spec("pyarrow") is None:
        raise BatchError(
            "a batch needs pyarrow, not installed: pip install 'distortion-graph[batch]'"
        )
    checked(pairs, "batch")
    job = Job(options.comparing, options.graph_column, options.graphs, options.reports)
    run = _Run(Path(out), job, pairs, options, progress)
    if run.complete():
        return run.report()
    header = run.header()
    run.prepare()
    with open_journal(run.out) as journal:
        journal.begin(header)
        run.sweep()
        make = executor or (
            lambda job: local_processes(
                job, options.workers, options.threads_each, option="--workers"
            )
        )
        with make(job) as workers:
            run.work(journal, workers)
        run.finish()
    (run.out / JOURNAL_FILE).unlink()
    return run.report()


class _Run:
    """One run on its way."""

    def __init__(
        self,
        out: Path,
        job: Job,
        pairs: Sequence[PairTask],
        options: BatchOptions,
        progress: Callable[[Progress], object],
    ) -> None:
        self.out, self.job, self.pairs = out, job, pairs
        self.options, self.progress = options, progress
        measured = dict.fromkeys(options.comparing.metrics, float)
        self.columns = {**PAIR_COLUMNS, **measured, **further_columns(pairs)}
        self.region_columns = {**REGION_COLUMNS, **measured}
        if job.graph_column:
            self.columns["graph"] = str
        self.started = time.monotonic()
        self.done = self.failed = self.kept = 0
        self.reasons: Counter[str] = Counter()

    def prepare(self) -> None:
        """Make the folders; raises OutputError where that is impossible, and BatchError where
        tables are whose run is unknown.
        """
        if not (self.out / JOURNAL_FILE).is_file() and any(self.out.glob("*/part-*.parquet")):
            raise BatchError(
                f"{self.out}: has tables without {MANIFEST_FILE} or {JOURNAL_FILE}, so nobody "
                "knows of what run; choose a new folder for --out"
            )
        wanted = [*TABLES, *(("graphs",) if self.job.graphs else ())]
        wanted += ["reports"] if self.job.reports else []
        try:
            for name in wanted:
                (self.out / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self.out}: cannot be written ({error.strerror})") from error

    def sweep(self) -> None:
        """Remove what a killed run was about to write."""
        for left in self.out.rglob(".*.tmp"):
            left.unlink(missing_ok=True)

    def header(self) -> dict[str, Any]:
        """What a run has to have in common with the one that it goes on."""
        # On the processor: a provider need only be there where the workers are.
        identity = load_model(self.options.comparing.model).identity
        return {
            "schema": SCHEMA,
            "version": version("distortion-graph"),
            "model": f"{identity.name} {identity.version} {identity.sha256}",
            "pairs": len(self.pairs),
            "list of pairs": digest(self.pairs)[:16],
            "part_pairs": self.options.part_pairs,
            "graph_column": self.job.graph_column,
            "graphs": self.job.graphs,
            "reports": self.job.reports,
            **asdict(self.options.comparing),
        }

    def complete(self) -> bool:
        """Whether the folder holds the whole result of this very run."""
        path = self.out / MANIFEST_FILE
        if not path.is_file():
            return False
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise BatchError(f"{path}: cannot be read ({error}); choose a new folder") from error
        header = json.loads(json.dumps(self.header()))
        if difference := first_difference(found.get("run", {}), header):
            raise BatchError(
                f"{self.out}: holds a batch with {difference}; give the same options, or "
                "choose a new folder for --out"
            )
        self.done = self.kept = found["pairs"]
        self.failed = found["failed"]
        self.reasons.update(dict(found["reasons"]))
        return True

    def work(self, journal: Journal, workers: Executor[Job]) -> None:
        """Do the parts that are missing, one after the other, their pairs in any worker."""
        size = self.options.part_pairs
        missing: list[int] = []
        for number in range(-(-len(self.pairs) // size)):
            kept = journal.get(PART, str(number))
            if kept is None:
                missing.append(number)
                continue
            self.kept += kept["pairs"]
            self._count(kept["pairs"], dict(kept["reasons"]))
        tasks = (pair for number in missing for pair in self._part(number))
        results = (result for _, result in workers.run(compare_task, tasks, ordered=True))
        for number in missing:
            self._write(journal, number, self._taken(results, len(self._part(number))))

    def finish(self) -> None:
        """Say what the folder holds."""
        value = {
            "run": self.header(),
            "pairs": self.done,
            "failed": self.failed,
            "reasons": self.reasons.most_common(_REASONS_SHOWN),
            "columns": {name: kind.__name__ for name, kind in self.columns.items()},
        }
        text = json.dumps(value, indent=1, ensure_ascii=False) + "\n"
        atomic_write_text(self.out / MANIFEST_FILE, text)

    def report(self) -> BatchReport:
        """What was done."""
        return BatchReport(
            self.done,
            self.failed,
            self.kept,
            tuple(self.reasons.most_common(_REASONS_SHOWN)),
            time.monotonic() - self.started,
        )

    def _part(self, number: int) -> Sequence[PairTask]:
        size = self.options.part_pairs
        return self.pairs[number * size : (number + 1) * size]

    def _taken(self, results: Iterator[Compared], count: int) -> list[Compared]:
        taken = []
        for compared in islice(results, count):
            if compared.failure is not None and self.options.strict:
                raise BatchError(f"pair {compared.pair['id']}: {compared.failure}")
            with _going_on():
                for name, data in compared.files:
                    atomic_write_bytes(self.out / name, data)
            taken.append(compared._replace(files=()))
            self._count(1, {} if compared.failure is None else {_kind(compared.failure): 1})
            self._tell()
        return taken

    def _write(self, journal: Journal, number: int, compared: Sequence[Compared]) -> None:
        rows = [one.pair for one in compared]
        regions = [row for one in compared for row in one.regions]
        reasons = Counter(_kind(one.failure) for one in compared if one.failure is not None)
        with _going_on():
            write_part(self.out, number, rows, regions, self.columns, self.region_columns)
            journal.add(PART, str(number), {"pairs": len(rows), "reasons": list(reasons.items())})

    def _count(self, pairs: int, reasons: dict[str, int]) -> None:
        self.done += pairs
        self.failed += sum(reasons.values())
        self.reasons.update(reasons)

    def _tell(self) -> None:
        seconds = time.monotonic() - self.started
        rate = (self.done - self.kept) / max(seconds, 1e-9)
        self.progress(Progress(self.done, len(self.pairs), self.failed, rate))


@contextmanager
def _going_on() -> Iterator[None]:
    """Say of a disk that cannot be written that nothing is lost."""
    try:
        yield
    except OutputError as error:
        raise OutputError(
            f"{error}; what was written is whole: mend that and start the same command again, and "
            "it goes on"
        ) from error


def _kind(reason: str) -> str:
    """What went wrong, without the name of the file it went wrong with."""
    return reason.partition(": ")[2] or reason
