"""The whole check of a root: what is there, what it says, and whether it agrees."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.datasets.check.agreement import (
    Size,
    Versions,
    check_copies,
    check_picture_sizes,
)
from distortion_graph.datasets.check.entries import Rules
from distortion_graph.datasets.check.findings import KINDS, Balance, CheckReport, FindingLog
from distortion_graph.datasets.check.inventory import Inventory, take_inventory
from distortion_graph.datasets.check.presence import Named, check_names, check_presence
from distortion_graph.datasets.check.records import (
    Manifest,
    check_description,
    check_index,
    check_manifest,
    take_manifest,
)
from distortion_graph.datasets.check.work import (
    CheckJob,
    PictureFacts,
    PictureName,
    PicturesTask,
    Result,
    StatsResult,
    StatsTask,
    Task,
    batches,
    work,
)
from distortion_graph.datasets.description import DatasetDescription, read_description
from distortion_graph.datasets.label_columns import LabelColumn, compare_two
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    DATASET_FILE,
    INDEX_FILE,
    MANIFEST_FILE,
    version_names,
)
from distortion_graph.pictures.images import PICTURE_SUFFIXES
from distortion_graph.synth.synthesis import MIXED
from distortion_graph.work.processes import local_processes

Progress = Callable[[int, int], None]
"""Is told how many files of how many are done."""

_BATCH = 16
FEW_FILES = 600
"""So many files or fewer are read faster in this process than others start."""


@dataclass
class _State:
    """What has been found out so far."""

    job: CheckJob
    inventory: Inventory
    log: FindingLog
    versions: Versions = field(default_factory=Versions)
    columns: dict[tuple[str, str], LabelColumn] = field(default_factory=dict)
    named: dict[tuple[str, str], Named] = field(default_factory=dict)
    stats_sums: dict[str, str] = field(default_factory=dict)
    sizes: dict[PictureName, Size] = field(default_factory=dict)
    sums: dict[PictureName, str] = field(default_factory=dict)
    clean: dict[PictureName, PictureFacts] = field(default_factory=dict)
    files: int = 0

    def take(self, task: Task, result: Result) -> None:
        if isinstance(task, StatsTask) and isinstance(result, StatsResult):
            self._take_stats(task, result)
        elif isinstance(task, PicturesTask) and isinstance(result, list):
            for name, facts in zip(task.names, result, strict=True):
                self._take_picture(name, facts)

    def _take_stats(self, task: StatsTask, result: StatsResult) -> None:
        key = task.split, task.version
        self.log.findings += result.log.findings
        self.versions.take(task, result.entries, self.log)
        self.columns[key] = result.column
        self.named[key] = Named(result.entries.keys() | result.broken, result.whole)
        self.stats_sums[task.place] = result.sha256

    def _take_picture(self, name: PictureName, facts: PictureFacts) -> None:
        self.files += 1
        if facts.size is None:
            self.log.fault("picture", name.place, facts.fault)
        else:
            self.sizes[name] = facts.size
        for note in facts.notes:
            self.log.warn("note", name.place, note.removeprefix(f"{name.place}: "))
        if facts.sha256 is not None:
            self.sums[name] = facts.sha256
        if name.folder == CLEAN_FOLDER:
            self.clean[name] = facts


def check_dataset(
    root: str | Path,
    *,
    quick: bool = False,
    workers: int = 0,
    few_files: int = FEW_FILES,
    progress: Progress | None = None,
) -> CheckReport:
    """Check a root of the published layout, with or without dataset.json; nothing is written.

    Args:
        root: the folder with gt/, stats/ and a folder for each version.
        quick: read the headers of pictures only; damage behind them, checksums of pictures and
            copies in two splits stay unseen.
        workers: processes to work in; 0 is this one.
        few_files: a root of so many files or fewer is always checked in this process.
        progress: called with the number of files done and of all.

    Damage is found and reported, never raised. Raises DatasetError where `root` is no folder of
    a data set at all, and WorkError where a worker process was killed.
    """
    root, log = Path(root), FindingLog()
    description = _description(root, log)
    vocabulary = description.vocabulary if description else DEFAULT_VOCABULARY
    wanted = description.versions if description else None
    inventory = take_inventory(root, version_names(vocabulary), wanted, log)
    manifest = take_manifest(root, log)
    checksums = (manifest.there or description is not None) and not quick
    predicates = len(description.predicates) or None if description else None
    recipe = description.recipe if description else None
    rules = Rules(
        vocabulary,
        predicates,
        by_loss=recipe is not None and recipe.labelled_by == "loss",
        several=recipe is not None and recipe.name != "published",
        judged=description is not None and description.judged is not None,
    )
    job = CheckJob(root, rules, quick, checksums)
    state = _State(job, inventory, log)
    _do(state, workers, few_files, progress)
    balance = _balance(state, vocabulary, description)
    _conclude(state, description, manifest)
    order = {kind: k for k, kind in enumerate(KINDS)}
    return CheckReport(
        str(root),
        quick,
        inventory.versions,
        {
            split: max(len(inventory.tags(f, split)) for f in (CLEAN_FOLDER, *inventory.versions))
            for split in inventory.splits
        }
        if rules.judged
        else {split: len(inventory.tags(CLEAN_FOLDER, split)) for split in inventory.splits},
        state.files,
        tuple(sorted(log.findings, key=lambda f: order[f.kind])),
        balance,
    )


def _description(root: Path, log: FindingLog) -> DatasetDescription | None:
    try:
        return read_description(root)
    except DatasetError as e:
        log.fault("description", DATASET_FILE, str(e).removeprefix(f"{root / DATASET_FILE}: "))
        return None


def _do(state: _State, workers: int, few_files: int, progress: Progress | None) -> None:
    """Read stats files and pictures."""
    inventory = state.inventory
    names = list(inventory.names())
    # Files with another suffix may be pictures too, if labels name them.
    by_suffix = [n for n in names if PurePosixPath(n.tag).suffix.lower() in PICTURE_SUFFIXES]
    tasks: list[Task] = [*inventory.stats_tasks(), *batches(by_suffix, _BATCH)]
    total = len(names) + len(inventory.stats)
    done = total - sum(map(_size, tasks))
    processes = workers if total > few_files else 0
    with local_processes(state.job, processes, option="--workers") as executor:
        # In order, so that findings do not depend on the processes.
        for task, result in executor.run(work, tasks, ordered=True):
            state.take(task, result)
            done += _size(task)
            if progress is not None:
                progress(done, total)
    # Files that only their labels make known as pictures.
    rest = set(names) - set(by_suffix)
    labelled = [n for n in sorted(rest) if _is_named(state, n)]
    for late in batches(labelled, _BATCH):
        state.take(late, work(state.job, late))


def _size(task: Task) -> int:
    return 1 if isinstance(task, StatsTask) else len(task.names)


def _is_named(state: _State, name: PictureName) -> bool:
    return any(
        name.tag in named.tags
        for (split, version), named in state.named.items()
        if split == name.split and name.folder in (CLEAN_FOLDER, version)
    )


def _conclude(state: _State, description: DatasetDescription | None, manifest: Manifest) -> None:
    """Everything that can be said only when all has been read."""
    inventory, log = state.inventory, state.log
    check_presence(inventory, state.named, log, originals=not state.job.rules.judged)
    check_names(inventory, log)
    check_picture_sizes(state.sizes, log)
    state.versions.check_sizes(state.sizes, log)
    check_copies(state.clean, log)
    check_index(inventory, {key: named.tags for key, named in state.named.items()}, log)
    missing = {f.place for f in log.findings if f.kind == "missing-file"}
    check_manifest(manifest, inventory, state.sums, missing, log)
    if description is None:
        return
    regions = {split: state.versions.regions(split) for split in inventory.splits}
    check_description(description, inventory, regions, state.stats_sums, log)
    recorded = description.build.files if description.build else {}
    for file in (MANIFEST_FILE, INDEX_FILE):
        if file not in recorded and not (inventory.root / file).exists():
            text = f"is not there, but the builder that wrote {DATASET_FILE} writes it"
            log.warn("missing-file", file, text)


def _balance(
    state: _State, vocabulary: Vocabulary, description: DatasetDescription | None
) -> Balance:
    """Count labels, and warn of those that do not occur."""
    table = np.zeros((len(vocabulary.distortions), len(vocabulary.severities)), np.int64)
    for column in state.columns.values():
        table += column.table(vocabulary)
    hard = np.zeros(len(vocabulary.comparisons), np.int64)
    for split in state.inventory.splits:
        sides = [state.columns.get((split, version)) for version in MIXED]
        if sides[0] is not None and sides[1] is not None:
            for tag in sides[0].tags:
                forth = compare_two(tag, sides[0], sides[1], vocabulary)
                hard += forth + forth[::-1]
    if description and description.judged:  # people say what there is, not a recipe
        return Balance(_by_label(table, vocabulary), _by_comparison(hard, vocabulary))
    recipe = description.recipe if description else None
    types = recipe.types if recipe else vocabulary.distortions
    mixed = any(version in MIXED for version in state.inventory.versions)
    for label, row in zip(vocabulary.distortions, table, strict=True):
        wanted = label in types if label != vocabulary.clean else mixed
        if wanted and not row.any():
            state.log.warn("balance", "stats/", f"no region is {label!r}")
    for severity, count in zip(vocabulary.severities[1:], table[:, 1:].sum(0), strict=True):
        if not count:
            state.log.warn("balance", "stats/", f"no region is of severity {severity!r}")
    if hard.any():
        for label, count in zip(vocabulary.comparison_labels, hard, strict=True):
            if not count:
                text = f"no region is {label!r} between {MIXED[0]} and {MIXED[1]}"
                state.log.warn("balance", "stats/", text)
    return Balance(_by_label(table, vocabulary), _by_comparison(hard, vocabulary))


def _by_label(table: NDArray[np.int64], vocabulary: Vocabulary) -> dict[str, dict[str, int]]:
    return {
        label: dict(zip(vocabulary.severities, row.tolist(), strict=True))
        for label, row in zip(vocabulary.distortions, table, strict=True)
    }


def _by_comparison(counts: NDArray[np.int64], vocabulary: Vocabulary) -> dict[str, int]:
    return dict(zip(vocabulary.comparison_labels, counts.tolist(), strict=True))
