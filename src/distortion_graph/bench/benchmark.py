"""The whole benchmark of a data-set root: lists, runs, baselines, result."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.baselines import BASELINES
from distortion_graph.bench.evaluate import ModelRun, Pooled, Run, evaluate, pristine_share
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.graph_folder import FolderRun
from distortion_graph.bench.resampling import DRAWS
from distortion_graph.bench.results import (
    AnswerColumns,
    BenchResult,
    PristineFigures,
    RootIdentity,
    RunIdentity,
    RunResult,
    SplitResult,
    TruthColumns,
)
from distortion_graph.data.layout import DATASET_FILE, INDEX_FILE, MANIFEST_FILE, PairKey
from distortion_graph.data.pair_lists import Pairs
from distortion_graph.data.samples import Sample
from distortion_graph.data.synthesis import MIXED
from distortion_graph.errors import DatasetError
from distortion_graph.vocabulary import Vocabulary

LISTS = ("easy", "medium", "hard")
ALL_PAIRS = "all-pairs"
SPLITS = (*LISTS, "all", ALL_PAIRS)
"""What can be asked for: one of the three lists, `all` three, or every ordered pair."""

_PAIRS: Mapping[str, Pairs] = MappingProxyType(
    {"easy": "easy", "medium": "medium", "hard": "hard", ALL_PAIRS: "all"}
)


class Reader(Protocol):
    """What the benchmark asks of a data set; `data.reader.PandaSet` is one."""

    root: Path
    vocabulary: Vocabulary

    def versions(self, split: str) -> Sequence[str]:
        """Names of the degraded versions of a part."""
        ...

    def keys(self, split: str, pairs: Pairs) -> Sequence[PairKey]:
        """The pairs of a list."""
        ...

    def sample(self, split: str, key: PairKey) -> Sample:
        """One pair with its truth."""
        ...

    def clean(self, split: str, tag: str) -> NDArray[np.uint8]:
        """A clean picture."""
        ...


@dataclass(frozen=True)
class BenchOptions:
    """What to run on: a list of `SPLITS`, the data set's part, and which pairs of it.

    `only` are names of pictures, with or without their suffix; `limit` takes the first pairs of
    each list. `seed` is of the random baseline and of the intervals, which take `draws` draws.
    """

    split: str = "all"
    part: str = "test"
    only: Collection[str] | None = None
    limit: int | None = None
    seed: int = 0
    baselines: bool = True
    draws: int = DRAWS


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
    lists = LISTS if options.split == "all" else (options.split,)
    keys = {name: chosen_keys(reader, name, options) for name in lists}
    for run in runs:
        if isinstance(run, FolderRun):
            run.check([key for listed in keys.values() for key in listed])
    splits = [_split(reader, name, keys[name], runs, options, progress) for name in lists]
    tags = sorted({key.tag for listed in keys.values() for key in listed})
    identities = {run.name: _identity(run, reader, tags, options, progress) for run in runs}
    if options.baselines:
        identities |= {name: RunIdentity(kind="baseline") for name in BASELINES}
    return BenchResult(
        root=root_identity(reader.root),
        part=options.part,
        seed=options.seed,
        vocabulary=reader.vocabulary,
        identities=identities,
        splits=splits,
        software=software(),
    )


def chosen_keys(reader: Reader, name: str, options: BenchOptions) -> list[PairKey]:
    """The pairs of a list, picture by picture; raises DatasetError where none is left."""
    listed = reader.keys(options.part, _PAIRS[name])
    kept = [key for key in listed if _wanted(key.tag, options.only)][: options.limit]
    if not kept:
        what = "pictures named by --only" if options.only is not None else f"part {options.part}"
        raise DatasetError(f"{reader.root}: no {name} pair in the {what} ({len(listed)} in all)")
    return sorted(kept, key=lambda key: key.tag)


def all_keys(reader: Reader, options: BenchOptions) -> list[PairKey]:
    """The pairs of every list asked for, each once; raises as `chosen_keys` does."""
    lists = LISTS if options.split == "all" else (options.split,)
    listed = [chosen_keys(reader, name, options) for name in lists]
    return list(dict.fromkeys(key for part in listed for key in part))


def _wanted(tag: str, only: Collection[str] | None) -> bool:
    return only is None or tag in only or Path(tag).stem in only


def _split(
    reader: Reader,
    name: str,
    keys: Sequence[PairKey],
    runs: Sequence[ModelRun | FolderRun],
    options: BenchOptions,
    progress: Progress,
) -> SplitResult:
    progress.begin(name, len(keys), "pairs")
    before = {
        run.name: (run.missing_files, run.extra_regions)
        for run in runs
        if isinstance(run, FolderRun)
    }
    asked: Sequence[Run] = runs
    truth, pooled = evaluate(
        (reader.sample(options.part, key) for key in keys),
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
    return SplitResult(
        split=name, pairs=[tuple(key) for key in keys], truth=TruthColumns.of(truth), runs=results
    )


def _run_result(
    run: ModelRun | FolderRun,
    truth: Truth,
    said: Pooled,
    vocabulary: Vocabulary,
    options: BenchOptions,
) -> RunResult:
    kept, rows = truth.without(said.left_out)
    figures = figures_of(
        kept,
        said.answers.take(rows),
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
        answers=AnswerColumns.of(said.answers),
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
    run: ModelRun | FolderRun,
    reader: Reader,
    tags: Sequence[str],
    options: BenchOptions,
    progress: Progress,
) -> RunIdentity:
    if isinstance(run, FolderRun):
        return RunIdentity(kind="predictions")
    identity = run.model.identity
    return RunIdentity(
        kind="model",
        model=identity.name,
        version=identity.version,
        sha256=identity.sha256,
        pristine=_pristine(run, reader, tags, options.part, progress),
    )


def _pristine(
    run: ModelRun, reader: Reader, tags: Sequence[str], part: str, progress: Progress
) -> PristineFigures:
    """The clean pictures of all lists as targets, beside themselves and beside a mixed version."""
    versions = tuple(reader.versions(part))
    mixed = next((name for name in MIXED if name in versions), None)
    version = mixed or versions[0]
    other = next((name for name in versions if name != version), version)
    counts = np.zeros((2, 2), np.int64)
    progress.begin("clean pictures", len(tags), "pictures")
    for tag in tags:
        sample, clean = reader.sample(part, PairKey(version, other, tag)), reader.clean(part, tag)
        for row, itself in enumerate((True, False)):
            if itself or mixed:
                counts[row] += pristine_share(run, sample, clean, beside_itself=itself)
        progress.advance(1)
    shares = [float(hits / total) if total else None for hits, total in counts.tolist()]
    return PristineFigures(beside_itself=shares[0], beside_version=shares[1], version=mixed)


def root_identity(root: Path) -> RootIdentity:
    """The root's name, and the SHA-256 of those of its three describing files that are there."""
    found = {}
    for name in (DATASET_FILE, MANIFEST_FILE, INDEX_FILE):
        if (root / name).is_file():
            with (root / name).open("rb") as stream:
                found[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return RootIdentity(name=root.resolve().name, sha256=found)


def software() -> dict[str, str]:
    """Versions of what figures may depend on."""
    from importlib.metadata import version

    names = ("distortion-graph", "numpy", "scipy", "onnxruntime", "opencv-python-headless")
    return {name: version(name) for name in names}


def _kind(run: ModelRun | FolderRun) -> str:
    return "model" if isinstance(run, ModelRun) else "predictions"
