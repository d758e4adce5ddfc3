"""What is true of a pair: two versions' records, laid over each other as the published loader does.

Regions align by their index in the two lists, which is their id. A region is skipped when, in
either version, its box or its mask is null, or its mask is empty after nearest resizing to
`SKIP_EMPTY_AT` pixels a side. The others keep their ids; relations of a skipped one are dropped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.samples import Load, Sample
from distortion_graph.datasets.stats import (
    FurtherRecord,
    PictureRecord,
    RegionRecord,
    Relation,
)
from distortion_graph.graph import DistortionGraph
from distortion_graph.graph import Relation as GraphRelation
from distortion_graph.graph.truth import UNSAID, PairLabels, SufferedDistortions, graph_of_truth
from distortion_graph.masks.container import Region, RegionSet, default_name
from distortion_graph.masks.rle import Rle, unpack_counts

SKIP_EMPTY_AT = 224
"""Side in pixels to which the published loader resizes masks before it looks at them."""

Places = tuple[str, str]
"""What error lines about the anchor's and the target's record begin with."""


def make_sample(
    key: PairKey,
    anchor: PictureRecord,
    target: PictureRecord,
    *,
    size: tuple[int, int],
    vocabulary: Vocabulary,
    load_anchor: Load,
    load_target: Load,
    decode_masks: Callable[[RegionSet], NDArray[np.bool_]] = RegionSet.masks,
    skip_empty_at: int | None = SKIP_EMPTY_AT,
    places: Places | None = None,
) -> Sample:
    """The pair of two records of one picture, by the rules above.

    Args:
        key: names of the two versions and the picture.
        anchor: record of the anchor; masks, names and relations are taken from it.
        target: record of the target.
        size: (h, w) of both pictures in pixels.
        vocabulary: of the labels, and whose thresholds the comparisons follow from.
        load_anchor: gives (h, w, 3) RGB.
        load_target: gives (h, w, 3) RGB.
        decode_masks: gives the (R, h, w) masks of regions; for callers who keep them.
        skip_empty_at: side in pixels of the nearest resize that a mask has to survive; None keeps
            every mask.
        places: what error lines begin with.

    Where people judged, what they say of the anchor against the target is the comparison, and what
    they do not say is `UNSAID` or NaN.

    Raises DatasetError, naming the region, for records of different numbers of regions, masks of
    another size than the picture, unknown labels, scores that are not in [0, 1], judged comparisons
    that contradict each other or stand beside scores, and relations between regions that do not
    exist. What a skipped region says is not looked at.
    """
    where = places or (f"{key.tag}: {key.anchor}", f"{key.tag}: {key.target}")
    records = (anchor, target)
    kept = usable_regions(anchor, target, size, skip_empty_at, where)
    regions = RegionSet(
        size,
        tuple(Region(k, anchor.regions[k].name or default_name(k), mask) for k, mask in kept),
    )
    ids = regions.ids
    # (2, R, 3): what is said of each region, checked.
    said = [
        [_numbers(record.regions[k], k, vocabulary, place) for k in ids]
        for record, place in zip(records, where, strict=True)
    ]
    table = np.array(said, np.float64).reshape(2, len(ids), 3)
    scene = [_score(r.score, f"{w}: score_fr") for r, w in zip(records, where, strict=True)]
    labels = PairLabels.of(
        table[..., 0].astype(np.int64),
        table[..., 1].astype(np.int64),
        table[..., 2],
        np.array(scene),
        vocabulary,
        _judged(key, records, ids, vocabulary, where),
    )
    return Sample(
        key=key,
        regions=regions,
        labels=labels,
        suffered=_suffered(records, ids, vocabulary, where),
        relations=_relations(anchor, frozenset(ids), where[0]),
        load_anchor=load_anchor,
        load_target=load_target,
        load_masks=partial(decode_masks, regions),
    )


def _judged(
    key: PairKey,
    records: tuple[PictureRecord, PictureRecord],
    ids: Sequence[int],
    vocabulary: Vocabulary,
    places: Places,
) -> NDArray[np.int64] | None:
    """(R,) what people say of the anchor against the target; None where nobody judged."""
    said = [[records[side].regions[k].judged for k in ids] for side in range(2)]
    if all(judged is None for judged in (*said[0], *said[1])):
        return None
    found = np.full(len(ids), UNSAID, np.int64)
    for row, k in enumerate(ids):
        ways = [
            _compared(dict(said[side][row] or ()).get(key[1 - side]), vocabulary, f"{place}: {k}")
            for side, place in enumerate(places)
        ]
        mirrored = UNSAID if ways[1] == UNSAID else len(vocabulary.comparisons) - 1 - ways[1]
        if ways[0] != mirrored:
            raise DatasetError(
                f"{places[1]}: region {k}: judged says otherwise than in {places[0]}, expected the "
                "same comparison the other way round"
            )
        scores = [record.regions[k].score for record in records]
        if ways[0] != UNSAID and None not in scores:
            raise DatasetError(
                f"{places[0]}: region {k}: has both a judged comparison and scores, which say "
                "another; expected one of them"
            )
        found[row] = ways[0]
    return found


def _compared(label: str | None, vocabulary: Vocabulary, where: str) -> int:
    """The position of a judged comparison."""
    if label is None:
        return UNSAID
    if label not in vocabulary.comparison_labels:
        raise DatasetError(
            f"{where}: unknown judged comparison {label!r:.60}, expected one of "
            f"{', '.join(vocabulary.comparison_labels)}"
        )
    return vocabulary.comparison_labels.index(label)


def _suffered(
    records: tuple[PictureRecord, PictureRecord],
    ids: Sequence[int],
    vocabulary: Vocabulary,
    places: Places,
) -> SufferedDistortions | None:
    """All that the regions suffer; None where only their first distortions are said."""
    if not any(record.regions[k].also is not None for record in records for k in ids):
        return None
    found = np.zeros((2, len(ids), len(vocabulary.distortions)), np.int64)
    for side, (record, place) in enumerate(zip(records, places, strict=True)):
        for row, k in enumerate(ids):
            region = record.regions[k]
            parts: list[RegionRecord | FurtherRecord] = [region, *(region.also or ())]
            for part in parts:
                d, severity = _positions(part, f"{place}: region {k}", vocabulary)
                found[side, row, d] = severity
    return SufferedDistortions(found > 0, found)


def usable_regions(
    anchor: PictureRecord,
    target: PictureRecord,
    size: tuple[int, int],
    skip_empty_at: int | None,
    places: Places,
) -> list[tuple[int, Rle]]:
    """Index and the anchor's mask of every region that is not skipped; raises DatasetError."""
    if len(anchor.regions) != len(target.regions):
        raise DatasetError(
            f"{places[1]}: has {len(target.regions)} regions, but {places[0]} has "
            f"{len(anchor.regions)}; expected the same regions in both"
        )
    kept = []
    for k, pair in enumerate(zip(anchor.regions, target.regions, strict=True)):
        # A tuple of both, or None where one of them has no mask or no box.
        masks = [r.mask for r in pair if r.mask is not None and r.bbox_xywh_px is not None]
        if len(masks) < 2:
            continue
        for mask, place in zip(masks, places, strict=True):
            if mask.size != size:
                raise DatasetError(
                    f"{place}: region {k}: its mask is {_wxh(mask.size)}, expected the picture's "
                    f"{_wxh(size)} pixels (width × height)"
                )
        if skip_empty_at is None or all(survives(mask, skip_empty_at) for mask in masks):
            kept.append((k, masks[0]))
    return kept


@lru_cache(maxsize=1 << 15)
def survives(mask: Rle, side: int) -> bool:
    """Whether a pixel is left of a mask that is resized to `side` × `side` by `INTER_NEAREST`.

    Counted on the runs, without decoding: in column-major order, as runs are, the number of
    sampled pixels before pixel p is known from p's column and row alone.
    """
    h, w = mask.size
    rows, columns = (sampled_lines(n, side) for n in (h, w))
    is_column = np.isin(np.arange(w + 1), columns)
    before_column = np.searchsorted(columns, np.arange(w + 1))
    before_row = np.searchsorted(rows, np.arange(h))
    ends = np.concatenate(([0], np.cumsum(unpack_counts(mask.counts))))
    x, y = np.divmod(ends, h)
    before = before_column[x] * len(rows) + is_column[x] * before_row[y]
    return bool(np.diff(before)[1::2].any())


@lru_cache(maxsize=4096)
def _lines(length: int, side: int) -> tuple[int, ...]:
    # As OpenCV computes it: the scale is inverted twice, and lines lie at the floor.
    step = 1.0 / (side / length)
    return tuple(sorted({min(math.floor(k * step), length - 1) for k in range(side)}))


def sampled_lines(length: int, side: int) -> NDArray[np.int64]:
    """The rows or columns of `length` that resizing to `side` by OpenCV's `INTER_NEAREST` takes.

    Ascending, each once. (OpenCV has the corner of a pixel at its number: line k of the result is
    line ⌊k · length / side⌋.)
    """
    return np.array(_lines(length, side), np.int64)


def true_graph(
    sample: Sample, vocabulary: Vocabulary, predicates: Sequence[str] = ()
) -> DistortionGraph:
    """The sample's truth as a graph, without probabilities.

    Relations hold in both pictures; their predicates are the entries of `predicates`, or the
    numbers as text where there are none. Raises DatasetError for a predicate beyond the list, for
    labels that contradict each other, and where people did not say all of them.
    """
    labels = sample.labels
    for region, *said in zip(
        sample.regions.ids, *labels.distortion, *labels.severity, labels.comparison, strict=True
    ):
        if UNSAID in said:
            raise DatasetError(
                f"{sample.tag}: region {region}: people did not say all of its labels, which a "
                "graph of what is true needs"
            )
    relations = tuple(
        GraphRelation(
            subject=subject,
            predicate=_predicate(number, predicates, sample.tag),
            object=other,
            image="both",
        )
        for subject, other, number in dict.fromkeys(sample.relations)
    )
    try:
        return graph_of_truth(
            sample.labels,
            sample.regions,
            sample.pictures,
            vocabulary,
            relations,
            suffered=sample.suffered,
        )
    except ValidationError as error:
        raise DatasetError(validation_line(error, sample.tag, DistortionGraph)) from error


def _predicate(number: int, predicates: Sequence[str], tag: str) -> str:
    if not predicates:
        return str(number)
    if not 0 <= number < len(predicates):
        raise DatasetError(
            f"{tag}: a relation has predicate {number}, but only 0 … {len(predicates) - 1} have "
            "names; take the names that belong to this data set"
        )
    return predicates[number]


def _numbers(
    region: RegionRecord, k: int, vocabulary: Vocabulary, place: str
) -> tuple[int, int, float]:
    """Positions of distortion and severity, and the score; `UNSAID` or NaN what nobody said."""
    d, severity = _positions(region, f"{place}: region {k}", vocabulary)
    return d, severity, _score(region.score, f"{place}: region {k}: score_fr")


def _positions(
    said: RegionRecord | FurtherRecord, where: str, vocabulary: Vocabulary
) -> tuple[int, int]:
    """Positions of distortion and severity, `UNSAID` for what nobody said."""
    if said.degradation not in (*vocabulary.distortions, None):
        raise DatasetError(
            f"{where}: unknown degradation {said.degradation!r:.60}, expected one of "
            f"{', '.join(vocabulary.distortions)}"
        )
    if said.severity is not None and not 0 <= said.severity < len(vocabulary.severities):
        raise DatasetError(
            f"{where}: severity is {said.severity!r:.40}, expected 0 … "
            f"{len(vocabulary.severities) - 1}"
        )
    label, severity = said.degradation, said.severity
    return (
        UNSAID if label is None else vocabulary.distortions.index(label),
        UNSAID if severity is None else severity,
    )


def _score(value: float | None, where: str) -> float:
    if value is None:
        return math.nan
    if not 0 <= value <= 1:
        raise DatasetError(f"{where} is {value}, expected a number in [0, 1]")
    return value


def _relations(record: PictureRecord, kept: frozenset[int], place: str) -> tuple[Relation, ...]:
    for relation in record.relations:
        if not all(0 <= k < len(record.regions) for k in relation[:2]):
            raise DatasetError(
                f"{place}: the relation {list(relation)} names a region that is not there, "
                f"expected 0 … {len(record.regions) - 1}"
            )
    return tuple(r for r in record.relations if r[0] in kept and r[1] in kept)


def _wxh(size: tuple[int, int]) -> str:
    return f"{size[1]}×{size[0]}"
