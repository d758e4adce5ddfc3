"""The whole benchmark of a data-set root: lists, runs, baselines, result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.baselines import BASELINES
from distortion_graph.bench.evaluate import ModelRun, Pooled, Run, evaluate, pristine_share
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.graph_folder import FolderRun
from distortion_graph.bench.resampling import DRAWS
from distortion_graph.bench.results import (
    AnswerColumns,
    BenchResult,
    PairsResult,
    PristineFigures,
    RootIdentity,
    RunIdentity,
    RunResult,
    TruthColumns,
)
from distortion_graph.datasets.chosen_pairs import ChosenPairs, Reader
from distortion_graph.datasets.description import DatasetDescription
from distortion_graph.datasets.layout import DATASET_FILE, INDEX_FILE, MANIFEST_FILE, PairKey
from distortion_graph.datasets.pair_lists import PAIRS
from distortion_graph.pictures.picture_names import composed
from distortion_graph.synth.synthesis import MIXED

LISTS = ("easy", "medium", "hard")
"""The three lists of pairs that are measured where nothing else is asked for."""


def lists_of(description: DatasetDescription | None) -> tuple[str, ...]:
    """`LISTS`, or of a data set of what people judged the one that it has: hard."""
    return ("hard",) if description is not None and description.judged else LISTS


@dataclass(frozen=True)
class BenchOptions:
    """What to run on: which pairs of which splits of the data set.

    `pairs` are some of easy, medium, hard and all, which is every ordered pair of versions.
    `only` are names of pictures, with or without their suffix; `limit` takes the first pairs of
    each list. `seed` is of the random baseline and of the intervals, which take `draws` draws.
    Raises DatasetError for other names of pairs.
    """

    pairs: tuple[str, ...] = LISTS
    splits: tuple[str, ...] = ("test",)
    only: Collection[str] | None = None
    limit: int | None = None
    seed: int = 0
    baselines: bool = True
    draws: int = DRAWS

    def __post_init__(self) -> None:
        check_pairs(self.pairs)


def check_pairs(names: Sequence[str]) -> None:
    """Raise DatasetError unless every name is easy, medium, hard or all, and one is there."""
    for name in names or ("",):
        if name not in PAIRS:
            raise DatasetError(f"unknown pairs {name!r}, expected some of {', '.join(PAIRS)}")


@dataclass
class Progress:
    """Called while it works: `begin(what, total, unit)`, then `advance(count)`."""

    begin: Callable[[str, int, str], None] = field(default=lambda what, total, unit: None)
    advance: Callable[[int], None] = field(default=lambda count: None)


def benchmark(
    reader: Reader,
    runs: Sequence[ModelRun | FolderRun],
    options: BenchOptions,
    progress: Progress | None = None,
) -> BenchResult:
    """Every run over every list asked for, with baselines.

    Raises DatasetError for lists without pairs and for the data set's faults.
    """
    progress = progress or Progress()
    chosen = ChosenPairs(reader, options.splits)
    keys = {name: chosen_keys(chosen, name, options) for name in options.pairs}
    for run in runs:
        if isinstance(run, FolderRun):
            run.check([key for listed in keys.values() for key in listed])
    results = [_measured(chosen, name, keys[name], runs, options, progress) for name in keys]
    tags = sorted({key.tag for listed in keys.values() for key in listed})
    identities = {run.name: _identity(run, chosen, tags, progress) for run in runs}
    if options.baselines:
        identities |= {name: RunIdentity(kind="baseline") for name in BASELINES}
    return BenchResult(
        root=root_identity(reader.root),
        splits=list(chosen.splits),
        seed=options.seed,
        vocabulary=reader.vocabulary,
        identities=identities,
        pairs=results,
        software=software(),
    )


def chosen_keys(chosen: ChosenPairs, name: str, options: BenchOptions) -> list[PairKey]:
    """The pairs of a list, picture by picture; raises DatasetError where none is left."""
    listed = chosen.keys(name)
    kept = [key for key in listed if _wanted(key.tag, options.only)][: options.limit]
    if not kept:
        splits = " and ".join(chosen.splits)
        of = "the pictures named by --only" if options.only is not None else f"the split {splits}"
        raise DatasetError(f"{chosen.reader.root}: no {name} pair in {of} ({len(listed)} in all)")
    return sorted(kept, key=lambda key: key.tag)


def all_keys(chosen: ChosenPairs, options: BenchOptions) -> list[PairKey]:
    """The pairs of every list asked for, each once; raises as `chosen_keys` does."""
    listed = [chosen_keys(chosen, name, options) for name in options.pairs]
    return list(dict.fromkeys(key for keys in listed for key in keys))


def _wanted(tag: str, only: Collection[str] | None) -> bool:
    return only is None or bool({composed(tag), composed(Path(tag).stem)} & set(only))


def _measured(
    chosen: ChosenPairs,
    name: str,
    keys: Sequence[PairKey],
    runs: Sequence[ModelRun | FolderRun],
    options: BenchOptions,
    progress: Progress,
) -> PairsResult:
    reader = chosen.reader
    progress.begin(name, len(keys), "pairs")
    before = {
        run.name: (run.missing_files, run.extra_regions)
        for run in runs
        if isinstance(run, FolderRun)
    }
    asked: Sequence[Run] = runs
    truth, pooled = evaluate(
        (chosen.sample(key) for key in keys),
        asked,
        reader.vocabulary,
        within=keys,
        after_pair=lambda: progress.advance(1),
    )
    if not len(truth):
        raise DatasetError(f"{reader.root}: the {len(keys)} {name} pairs have no region to report")
    results = []
    for run, said in zip(runs, pooled, strict=True):
        result = _run_result(run, truth, said, reader.vocabulary, options)
        if isinstance(run, FolderRun):
            missing, extra = before[run.name]
            counts = {"missing_files": run.missing_files - missing}
            counts["extra_regions"] = run.extra_regions - extra
            result = result.model_copy(update=counts)
        results.append(result)
    if options.baselines:
        results += _baselines(truth, reader.vocabulary, options)
    return PairsResult(
        pairs=name, keys=[tuple(key) for key in keys], truth=TruthColumns.of(truth), runs=results
    )


def _run_result(
    run: ModelRun | FolderRun,
    truth: Truth,
    said: Pooled,
    vocabulary: Vocabulary,
    options: BenchOptions,
) -> RunResult:
    answers = said.answers
    if truth.present is None:  # nothing to compare them with, and many numbers
        answers = replace(answers, also=None, present=None)
    kept, rows = truth.without(said.left_out)
    figures = figures_of(
        kept,
        answers.take(rows),
        vocabulary,
        mirrored=None if np.isnan(said.mirrored).all() else said.mirrored[rows],
        seconds=said.seconds,
        seed=options.seed,
        draws=options.draws,
    )
    return RunResult(
        name=run.name,
        kind=_kind(run),
        figures=figures,
        answers=AnswerColumns.of(answers),
        left_out=sorted(said.left_out),
    )


def _baselines(truth: Truth, vocabulary: Vocabulary, options: BenchOptions) -> list[RunResult]:
    rows = []
    for name, baseline in BASELINES.items():
        answers: Answers = baseline(truth, vocabulary, options.seed)
        figures = figures_of(truth, answers, vocabulary, seed=options.seed, draws=options.draws)
        columns = AnswerColumns.of(answers)
        rows.append(RunResult(name=name, kind="baseline", figures=figures, answers=columns))
    return rows


def _identity(
    run: ModelRun | FolderRun, chosen: ChosenPairs, tags: Sequence[str], progress: Progress
) -> RunIdentity:
    if isinstance(run, FolderRun):
        return RunIdentity(kind="predictions")
    identity = run.model.identity
    return RunIdentity(
        kind="model",
        model=identity.name,
        version=identity.version,
        sha256=identity.sha256,
        pristine=_pristine(run, chosen, tags, progress),
    )


def _pristine(
    run: ModelRun, chosen: ChosenPairs, tags: Sequence[str], progress: Progress
) -> PristineFigures:
    """The clean pictures of all lists as targets, beside themselves and beside a mixed version."""
    versions = chosen.versions()
    mixed = next((name for name in MIXED if name in versions), None)
    version = mixed or versions[0]
    other = next((name for name in versions if name != version), version)
    counts = np.zeros((2, 2), np.int64)
    progress.begin("clean pictures", len(tags), "pictures")
    for tag in (tag for tag in tags if chosen.has_clean(tag)):
        sample, clean = chosen.sample(PairKey(version, other, tag)), chosen.clean(tag)
        for row, itself in enumerate((True, False)):
            if itself or mixed:
                counts[row] += pristine_share(run, sample, clean, beside_itself=itself)
        progress.advance(1)
    shares = [float(hits / total) if total else None for hits, total in counts.tolist()]
    return PristineFigures(beside_itself=shares[0], beside_version=shares[1], version=mixed)


def root_identity(root: Path) -> RootIdentity:
    """The root's name, and the SHA-256 of those of its three describing files that are there."""
    sums = {}
    for name in (DATASET_FILE, MANIFEST_FILE, INDEX_FILE):
        if (root / name).is_file():
            with (root / name).open("rb") as stream:
                sums[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return RootIdentity(name=root.resolve().name, sha256=sums)


def software() -> dict[str, str]:
    """Versions of what figures may depend on."""
    from importlib.metadata import version

    names = ("distortion-graph", "numpy", "onnxruntime", "opencv-python-headless")
    return {name: version(name) for name in names}


def _kind(run: ModelRun | FolderRun) -> str:
    return "model" if isinstance(run, ModelRun) else "predictions"
