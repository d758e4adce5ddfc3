"""The statistics table of a data set: pictures, regions, labels, comparisons, scores, sizes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.datasets.decoding import picture_size_of
from distortion_graph.datasets.description import DatasetDescription, read_description
from distortion_graph.datasets.label_columns import (
    UNKNOWN,
    LabelColumn,
    RegionLabels,
    compare_all,
    compare_two,
)
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    INDEX_FILE,
    SPLITS,
    STATS_FOLDER,
    PairKey,
    picture_path,
    stats_path,
    version_names,
)
from distortion_graph.datasets.pair_lists import read_index
from distortion_graph.datasets.stats import (
    also_from_json,
    judged_from_json,
    relations_from_json,
    score_from_json,
)
from distortion_graph.datasets.stats_stream import stream_stats
from distortion_graph.synth.synthesis import MIXED

Progress = Callable[[int, int], None]
"""Is told how many files of how many are done."""

Counts = Mapping[str, int]


@dataclass(frozen=True)
class SplitInfo:
    """A split. `images` are all versions with the clean ones; regions are counted once a picture,
    `without_mask` of them are left out by readers; relations once a picture too."""

    pictures: int
    images: int
    regions: int
    regions_mean: float
    regions_max: int
    without_mask: int
    relations: int


@dataclass(frozen=True)
class LabelInfo:
    """A distortion of a severity: regions in single-type versions, in mixed ones, and the mean
    score of all of them, None where there is none. Regions count by their first distortion."""

    distortion: str
    severity: str
    single: int
    mixed: int
    score_mean: float | None


@dataclass(frozen=True)
class VersionInfo:
    """A version: number of pictures, and the mean score of regions and of whole pictures."""

    version: str
    pictures: int
    region_score_mean: float | None
    scene_score_mean: float | None


@dataclass(frozen=True)
class DatasetInfo:
    """Everything about a root, ready for `json.dumps` by `to_json`.

    `comparisons` are regions by comparison over lists of pairs: `hard` and `all` over all pictures,
    `easy` and `medium` of the index where there is one. `score_deciles` are regions of degraded
    versions with scores in [0, .1), [.1, .2), … [.9, 1]. `sizes` are (width, height, pictures), the
    most common first. `predicates` is the number of different ones in use. `also` are regions by
    each distortion that they have beside their first, `together` regions by how many distortions
    they have, from two on; empty where none has several. `facts` are what dataset.json says of
    licences, seed, metric and so on; empty without one.
    """

    root: str
    versions: tuple[VersionInfo, ...]
    splits: Mapping[str, SplitInfo]
    total: SplitInfo
    labels: tuple[LabelInfo, ...]
    comparisons: Mapping[str, Counts]
    score_deciles: tuple[int, ...]
    sizes: tuple[tuple[int, int, int], ...]
    predicates: int
    also: Counts = field(default_factory=dict)
    together: Mapping[int, int] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """A value for `json.dumps`."""
        return asdict(self)


@dataclass
class _Split:
    """Labels of a split by version, and what is counted once a picture."""

    columns: dict[str, LabelColumn] = field(default_factory=dict)
    relations: int = 0
    predicates: set[int] = field(default_factory=set)

    def pictures(self) -> dict[str, LabelColumn]:
        """Every picture with the first version that has it."""
        columns: dict[str, LabelColumn] = {}
        for column in self.columns.values():
            for tag in column.tags:
                columns.setdefault(tag, column)
        return columns


def dataset_info(root: str | Path, *, progress: Progress | None = None) -> DatasetInfo:
    """Count everything in a root of the published layout, with or without dataset.json.

    One stats file's labels are read at a time; of clean pictures the headers. `progress` is called
    with the number of files done and of all. Raises DatasetError for a folder without stats, and
    for labels that cannot be read (`datasets.check` finds all of them).
    """
    root = Path(root)
    if not (root / STATS_FOLDER).is_dir():
        raise DatasetError(
            f"{root}: there is no folder {STATS_FOLDER}/, expected a data set's root"
        )
    description = read_description(root)
    vocabulary = description.vocabulary if description else DEFAULT_VOCABULARY
    splits, sizes = _read(root, vocabulary, progress)
    if not splits:
        raise DatasetError(f"{root / STATS_FOLDER}: holds no labels of a known split and version")
    columns = {
        name: [split.columns[name] for split in splits.values() if name in split.columns]
        for name in version_names(vocabulary)
    }
    columns = {name: found for name, found in columns.items() if found}
    return DatasetInfo(
        root=str(root),
        versions=tuple(_version(name, found) for name, found in columns.items()),
        splits={name: _split_info([split]) for name, split in splits.items()},
        total=_split_info(list(splits.values())),
        labels=_labels(columns, vocabulary),
        comparisons=_comparisons(root, splits, vocabulary),
        score_deciles=_deciles([c for found in columns.values() for c in found]),
        sizes=tuple((w, h, count) for (h, w), count in sizes.most_common()),
        predicates=len(set().union(*(split.predicates for split in splits.values()))),
        also=_also(columns, vocabulary),
        together=_together(columns),
        facts=_facts(description) if description else {},
    )


def _read(
    root: Path, vocabulary: Vocabulary, progress: Progress | None
) -> tuple[dict[str, _Split], Counter[tuple[int, int]]]:
    """All labels by split, and the sizes (h, w) of clean pictures that are there."""
    files = [
        (split, version)
        for split in SPLITS
        for version in version_names(vocabulary)
        if stats_path(root, split, version).is_file()
    ]
    splits: dict[str, _Split] = {}
    for done, (split, version) in enumerate(files):
        if progress is not None:
            progress(done, len(files))
        _read_stats(root, split, version, splits.setdefault(split, _Split()), vocabulary)
    sizes: Counter[tuple[int, int]] = Counter()
    for split, found in splits.items():
        for tag in found.pictures():
            path = picture_path(root, CLEAN_FOLDER, split, tag)
            if path.is_file():
                sizes[picture_size_of(path)] += 1
    if progress is not None:
        progress(len(files), len(files))
    return splits, sizes


def _read_stats(root: Path, split: str, version: str, into: _Split, vocabulary: Vocabulary) -> None:
    path = stats_path(root, split, version)
    labels = {label: k for k, label in enumerate(vocabulary.distortions)}
    levels = {label: k for k, label in enumerate(vocabulary.comparison_labels)}
    known = into.pictures()
    column = LabelColumn()
    for tag, entry in stream_stats(path):
        place = f"{path}: {tag}"
        if tag in column:
            raise DatasetError(f"{place}: is listed twice, expected one entry for a picture")
        regions = entry.get("regions")
        if not isinstance(regions, list):
            raise DatasetError(f"{place}: expected an object with `score_fr` and a list `regions`")
        found = [
            _region(region, f"{place}: region {k}", labels, levels, len(vocabulary.severities))
            for k, region in enumerate(regions)
        ]
        judged = any(isinstance(r, Mapping) and r.get("judged") is not None for r in regions)
        column.add(tag, found, _score(entry, place, judged))
        if tag not in known:
            relations = relations_from_json(entry.get("relations"), place)
            into.relations += len(relations)
            into.predicates.update(predicate for _, _, predicate in relations)
    into.columns[version] = column


def _region(
    region: Any,
    place: str,
    labels: Mapping[str, int],
    comparisons: Mapping[str, int],
    severities: int,
) -> RegionLabels:
    """What a region is said to be; masks are not looked into."""
    if not isinstance(region, Mapping):
        raise DatasetError(f"{place}: expected an object, got {type(region).__name__}")
    judged = judged_from_json(region, place)
    distortion, severity = _label(region, place, labels, severities, judged is not None)
    further = also_from_json(region, place) or ()
    also = tuple(_label(part._asdict(), place, labels, severities)[0] for part in further)
    usable = region.get("bbox") is not None and region.get("segmentation_mask") is not None
    score = _score(region, place, judged is not None)
    said = dict(judged or ()).values()  # the two mixed versions are all that there is
    levels = [comparisons[label] for label in said if label in comparisons]
    compared = levels[0] if levels else UNKNOWN
    return RegionLabels(distortion, severity, score, usable, also, compared)


def _label(
    region: Mapping[str, Any],
    place: str,
    labels: Mapping[str, int],
    severities: int,
    judged: bool = False,
) -> tuple[int, int]:
    """Positions of distortion and severity; `UNKNOWN` where people judged and did not say."""
    degradation, severity = region.get("degradation"), region.get("severity")
    distortion = labels.get(degradation) if isinstance(degradation, str) else None
    if judged:
        distortion = UNKNOWN if degradation is None else distortion
        if severity is None and distortion is not None:
            return distortion, UNKNOWN
    if distortion is None:
        raise DatasetError(
            f"{place}: unknown degradation {degradation!r:.60}, expected one of {', '.join(labels)}"
        )
    if type(severity) is not int or not 0 <= severity < severities:
        raise DatasetError(f"{place}: severity is {severity!r:.40}, expected 0 … {severities - 1}")
    return distortion, severity


def _score(entry: Mapping[str, Any], place: str, judged: bool) -> float:
    score = score_from_json(entry, f"{place}: score_fr", judged=judged)
    if score is None:
        return math.nan
    if not 0 <= score <= 1:
        raise DatasetError(f"{place}: score_fr is {score}, expected a number in [0, 1]")
    return score


def _split_info(splits: Sequence[_Split]) -> SplitInfo:
    counts: list[int] = []
    usable = 0
    for split in splits:
        for tag, column in split.pictures().items():
            counts.append(len(column.scores_of(tag)))
        usable += sum(column.usable_of(tag) for tag, column in split.pictures().items())
    return SplitInfo(
        pictures=len(counts),
        images=len(counts) + sum(len(c) for split in splits for c in split.columns.values()),
        regions=sum(counts),
        regions_mean=sum(counts) / max(len(counts), 1),
        regions_max=max(counts, default=0),
        without_mask=sum(counts) - usable,
        relations=sum(split.relations for split in splits),
    )


def _version(name: str, columns: Sequence[LabelColumn]) -> VersionInfo:
    return VersionInfo(
        name,
        sum(map(len, columns)),
        _mean(np.concatenate([column.score for column in columns])),
        _mean(np.concatenate([column.scene_scores for column in columns])),
    )


def _mean(values: NDArray[np.float64]) -> float | None:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else None


def _labels(
    columns: Mapping[str, Sequence[LabelColumn]], vocabulary: Vocabulary
) -> tuple[LabelInfo, ...]:
    """Every distortion with the severities it can have, in the vocabulary's order."""
    shape = len(vocabulary.distortions), len(vocabulary.severities)
    counts, scored = np.zeros((2, *shape), np.int64), np.zeros(shape, np.int64)
    sums = np.zeros(shape)
    for version, found in columns.items():
        for column in found:
            counts[int(version in MIXED)] += column.table(vocabulary)
            known = (column.distortion != UNKNOWN) & (column.severity != UNKNOWN)
            known &= np.isfinite(column.score)
            place = column.distortion[known], column.severity[known]
            np.add.at(sums, place, column.score[known])
            np.add.at(scored, place, 1)
    rows = []
    for d, distortion in enumerate(vocabulary.distortions):
        for s, severity in enumerate(vocabulary.severities):
            single, mixed = counts[:, d, s].tolist()
            expected = (d == vocabulary.clean_index) == (s == 0)
            if expected or single or mixed:
                mean = float(sums[d, s] / scored[d, s]) if scored[d, s] else None
                rows.append(LabelInfo(distortion, severity, single, mixed, mean))
    return tuple(rows)


def _also(columns: Mapping[str, Sequence[LabelColumn]], vocabulary: Vocabulary) -> dict[str, int]:
    counts = Counter[int]()
    for column in chain.from_iterable(columns.values()):
        counts.update(column.also)
    return {vocabulary.distortions[d]: counts[d] for d in sorted(counts)}


def _together(columns: Mapping[str, Sequence[LabelColumn]]) -> dict[int, int]:
    counts = Counter[int]()
    for column in chain.from_iterable(columns.values()):
        counts.update(column.together)
    return {number: counts[number] for number in sorted(counts) if number > 1}


def _comparisons(
    root: Path, splits: Mapping[str, _Split], vocabulary: Vocabulary
) -> dict[str, Counts]:
    levels = vocabulary.comparison_labels
    tables: dict[str, NDArray[np.int64]] = {}
    path = root / INDEX_FILE
    if path.is_file():
        for name, keys in read_index(path).items():
            tables[name] = _listed(keys, splits, vocabulary)
    hard, every = np.zeros((2, len(levels)), np.int64)
    for split in splits.values():
        sides = [split.columns[version] for version in MIXED if version in split.columns]
        for tag in split.pictures():
            every += compare_all(tag, list(split.columns.values()), vocabulary)
            if len(sides) == 2:
                forth = compare_two(tag, sides[0], sides[1], vocabulary)
                hard += forth + forth[::-1]
    tables |= {"hard": hard, "all": every}
    return {name: dict(zip(levels, table.tolist(), strict=True)) for name, table in tables.items()}


def _listed(
    keys: Sequence[PairKey], splits: Mapping[str, _Split], vocabulary: Vocabulary
) -> NDArray[np.int64]:
    """Pairs that are not there are not counted."""
    table = np.zeros(len(vocabulary.comparisons), np.int64)
    for anchor, target, tag in keys:
        for split in splits.values():
            sides = [split.columns.get(version) for version in (anchor, target)]
            if sides[0] is not None and sides[1] is not None:
                table += compare_two(tag, sides[0], sides[1], vocabulary)
    return table


def _deciles(columns: Sequence[LabelColumn]) -> tuple[int, ...]:
    table = np.zeros(10, np.int64)
    for column in columns:
        # Compared as the tenths are written: 0.3 · 10 is a hair under 3.
        known = column.score[np.isfinite(column.score)]
        places = np.searchsorted(np.arange(1, 10) / 10, known, side="right")
        table += np.bincount(places, minlength=10)
    return tuple(table.tolist())


def _facts(description: DatasetDescription) -> dict[str, Any]:
    recipe, image = description.recipe, description.image
    quality = "lossless" if image.quality is None else f"quality {image.quality}"
    if recipe is None:
        return {"judged": description.judged and description.judged.model_dump()}
    return {
        "seed": recipe.seed,
        "recipe": recipe.id,
        "recipe_name": recipe.name,
        "clean_share": recipe.clean_share,
        "feather_px": recipe.feather_px,
        "metric": description.metric,
        "image": f"{image.format}, {quality}",
        "predicates": len(description.predicates),
        "sources": [
            {
                "name": source.name,
                "kind": source.kind,
                "pictures": source.pictures,
                "skipped": source.skipped,
                "noted": source.noted,
                "left_out": source.left_out,
                "licence": source.licence,
            }
            for source in description.sources
        ],
    }
