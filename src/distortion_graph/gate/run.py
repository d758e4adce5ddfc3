"""`run_check`: many pairs held against a policy, or recorded as its baseline."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import DistortionGraphError, OutputError, PolicyError
from distortion_graph.base.vocabulary import scaled
from distortion_graph.batch.folders import few_names
from distortion_graph.batch.pairs import PairTask, checked
from distortion_graph.batch.worker import loaded_model
from distortion_graph.gate.baseline import (
    NOISE_QUANTILE,
    Baseline,
    Recorded,
    load_baseline,
    noise_of,
    save_baseline,
)
from distortion_graph.gate.policy import How, Policy
from distortion_graph.gate.worker import GateJob, Verdict, check_task
from distortion_graph.measure.quality import get_metric
from distortion_graph.pictures.backgrounds import check_background
from distortion_graph.predict.session import Model
from distortion_graph.regions import RegionSpec
from distortion_graph.work.processes import local_processes

_FOLDERS = ("overlays", "reports", "graphs")


@dataclass(frozen=True)
class CheckReport:
    """What came of all pairs, in their order; `notes` are lines about the run as a whole."""

    verdicts: tuple[Verdict, ...]
    seconds: float
    notes: tuple[str, ...] = ()
    recorded: Baseline | None = None

    @property
    def broken(self) -> list[Verdict]:
        """Pairs that do not keep the policy."""
        return [verdict for verdict in self.verdicts if verdict.findings]

    @property
    def failed(self) -> list[Verdict]:
        """Pairs that could not be compared."""
        return [verdict for verdict in self.verdicts if verdict.error is not None]


def run_check(
    pairs: Sequence[PairTask],
    policy: Policy,
    *,
    out: Path | None = None,
    record: bool = False,
    allow_unmatched: bool = False,
    workers: int = 1,
    threads_each: int = 1,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> CheckReport:
    """Hold pairs against a policy.

    Args:
        pairs: as `batch` takes them; rules of folders go by their ids.
        policy: see `gate.policy_files.load_policy`.
        out: a folder for overlays/, reports/ and graphs/ of the pairs that fail.
        record: judge nothing, and write the policy's baseline.
        allow_unmatched: allow pairs of the baseline that are not among these.
        workers: so many processes, 0 for none but the calling one.
        threads_each: of each worker.
        progress: is told how many pairs of all are done.

    Raises PolicyError for a policy, or its baseline, that does not fit the model and the pairs,
    BatchError for pairs that are none, ModelError, WorkError and OutputError. When recording, a
    pair that cannot be compared is a PolicyError: a baseline is whole or not written.
    """
    started = time.monotonic()
    checked(pairs, "check")
    rule = policy.baseline
    if record and rule is None:
        raise PolicyError(
            "--record: the policy names no baseline to write, expected baseline: {file: NAME.json}"
        )
    _check_how(policy.compare)
    model = loaded_model(policy.compare.comparing())
    _check_labels(policy, model)
    named = model_name(model)
    baseline = None
    notes = _unused_globs(policy, pairs)
    if rule is not None and not record:
        baseline = load_baseline(Path(rule.file), policy, named)
        notes += _unmatched(baseline, pairs, rule.file, allow_unmatched)
    job = GateJob(policy, out, baseline, record)
    verdicts = []
    with (
        folders_of(out),
        local_processes(job, min(workers, len(pairs)), threads_each, option="--workers") as pool,
    ):
        for _, verdict in pool.run(check_task, pairs, ordered=True):
            verdicts.append(verdict)
            progress(len(verdicts), len(pairs))
    recorded = None
    if record and rule is not None:
        recorded = _record(Path(rule.file), policy, named, verdicts)
    return CheckReport(tuple(verdicts), time.monotonic() - started, tuple(notes), recorded)


def model_name(model: Model) -> str:
    """What a baseline calls a model."""
    identity = model.identity
    return f"{identity.name} {identity.version} {identity.sha256}"


def _check_how(how: How) -> None:
    """Refuse what no pair could be compared with."""
    try:
        RegionSpec.parse(how.regions)
        get_metric(how.score_metric)
        check_background(how.background)
    except DistortionGraphError as error:
        raise PolicyError(f"policy: compare: {error}") from error


def _check_labels(policy: Policy, model: Model) -> None:
    try:
        policy.check_labels(scaled(model.vocabulary, policy.compare.scale))
    except DistortionGraphError as error:
        raise PolicyError(f"policy: {error}") from error


def _unused_globs(policy: Policy, pairs: Sequence[PairTask]) -> list[str]:
    used = {glob for pair in pairs for glob in policy.globs_of(pair.id)}
    return [
        f"folders: {glob!r} fits no pair (the first is {pairs[0].id!r})"
        for glob in policy.folders
        if glob not in used
    ]


def _unmatched(
    baseline: Baseline, pairs: Sequence[PairTask], file: str, allowed: bool
) -> list[str]:
    """Lines about pairs that only the baseline or only the run has."""
    here, recorded = {pair.id for pair in pairs}, baseline.pairs.keys()
    gone, new = sorted(recorded - here), sorted(here - recorded)
    lines = []
    if gone:
        line = f"{file}: recorded, and not here: {counted(len(gone), 'pair')} ({few_names(gone)})"
        if not allowed:
            raise PolicyError(f"{line}; --allow-unmatched leaves them out, --record records anew")
        lines.append(line)
    if new:
        lines.append(
            f"{file}: not recorded, held against the policy alone: {counted(len(new), 'pair')} "
            f"({few_names(new)})"
        )
    return lines


@contextmanager
def folders_of(out: Path | None) -> Iterator[None]:
    """Make the folders of what is written; where that or what follows fails, no empty one stays.

    Raises OutputError where they cannot be made.
    """
    folders = [] if out is None else [out, *(out / name for name in _FOLDERS)]
    new = [folder for folder in folders if not folder.exists()]
    try:
        try:
            for folder in folders:
                folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{out}: cannot be written ({error.strerror})") from error
        yield
    except BaseException:
        for folder in reversed(new):
            with suppress(OSError):
                folder.rmdir()
        raise


def _record(path: Path, policy: Policy, model: str, verdicts: Sequence[Verdict]) -> Baseline:
    for verdict in verdicts:
        if verdict.error is not None:
            raise PolicyError(f"{path}: not recorded: pair {verdict.pair.id}: {verdict.error}")
    noise = noise_of([move for verdict in verdicts for move in verdict.moved], NOISE_QUANTILE)
    pairs = {
        verdict.pair.id: Recorded(
            values=verdict.values or {}, noise=noise_of(verdict.moved, quantile=1)
        )
        for verdict in verdicts
    }
    return save_baseline(path, policy, model, pairs, noise)
