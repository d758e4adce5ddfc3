"""The published `stats` files: regions, labels and scores of one version of every picture.

    {tag: {"score_fr": float, "relations": [[[subject, object, predicate], …]],
           "regions": [region, …]}}

with region `{"name", "description"?, "category_id"?, "bbox": [x, y, w, h] px, "severity": 0–3,
"degradation": label, "score_fr", "segmentation_mask": {"size": [h, w], "counts": [uncompressed
COCO RLE]}}`. `bbox` or `segmentation_mask` may be null. Relations name regions by their index in
the list. Severities are positions on the vocabulary's scale.

Beyond the published layout, where a region can have several distortions, each region also has
`"also": [{"degradation", "severity"}, …]`: the further ones, the one that loses most first. The
score is that of all together.

Where people judged (`dataset import-judged`), each region of the picture has `"judged": {version:
comparison}`: what is said of this version against others, maybe nothing. There, and nowhere else,
`severity`, `degradation` and `score_fr` may be null, and `score_fr` of the picture: nobody said,
or nothing was measured.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from distortion_graph.base.errors import DatasetError, RegionError
from distortion_graph.datasets.layout import check_tag
from distortion_graph.masks.rle import Rle, rle_from_runs, rle_from_text, unpack_counts

LONGEST_SIDE_PX = 2**31 - 1
"""No mask has a longer side."""

Relation = tuple[int, int, int]
"""Subject and object, each a region's index in the list, and the predicate's number."""


class FurtherRecord(NamedTuple):
    """A distortion that a region has beside its first: a label, and a position on the scale."""

    degradation: str
    severity: int


@dataclass(frozen=True, slots=True)
class RegionRecord:
    """One region of one version. `severity` is a position on the scale, `degradation` a label.

    `also` are further distortions, None where that is not said, as in the published layout.
    `judged` are (version, comparison label) of this version against others, None where no people
    judged; only where they did, severity, degradation and score may be None.
    """

    name: str
    severity: int | None
    degradation: str | None
    score: float | None
    bbox_xywh_px: tuple[int, int, int, int] | None
    mask: Rle | None
    description: str | None = None
    category_id: int | None = None
    also: tuple[FurtherRecord, ...] | None = None
    judged: tuple[tuple[str, str], ...] | None = None


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """One version of a picture: the whole picture's score, its relations and regions.

    The score is None where people judged the regions and nothing was measured.
    """

    score: float | None
    relations: tuple[Relation, ...]
    regions: tuple[RegionRecord, ...]


def picture_to_json(record: PictureRecord) -> dict[str, Any]:
    """The published form of a picture's entry."""
    return {
        "score_fr": record.score,
        "relations": [[list(relation) for relation in record.relations]],
        "regions": [_region_to_json(region) for region in record.regions],
    }


def _region_to_json(region: RegionRecord) -> dict[str, Any]:
    value: dict[str, Any] = {"name": region.name}
    if region.description is not None:
        value["description"] = region.description
    if region.category_id is not None:
        value["category_id"] = region.category_id
    mask = region.mask
    also = {} if region.also is None else {"also": [part._asdict() for part in region.also]}
    return value | {
        "bbox": None if region.bbox_xywh_px is None else list(region.bbox_xywh_px),
        "severity": region.severity,
        "degradation": region.degradation,
        **also,
        **({} if region.judged is None else {"judged": dict(region.judged)}),
        "score_fr": region.score,
        "segmentation_mask": None
        if mask is None
        else {"size": list(mask.size), "counts": unpack_counts(mask.counts).tolist()},
    }


def read_stats(path: Path) -> dict[str, PictureRecord]:
    """All entries of a stats file by tag, in the file's order; raises DatasetError.

    Only the form is checked here: whether labels are known and scores in [0, 1] is asked by those
    who have a vocabulary (`datasets.reader`, `datasets.check`).
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as e:
        raise DatasetError(f"{path}: no such file, expected the stats of a data set") from e
    except (OSError, ValueError, RecursionError) as e:
        raise DatasetError(f"{path}: cannot be read as JSON ({e})") from e
    if not isinstance(value, dict):
        raise DatasetError(f"{path}: expected an object of pictures, got {type(value).__name__}")
    masks: dict[str, Rle] = {}
    return {
        check_tag(tag, str(path)): picture_from_json(entry, f"{path}: {tag}", masks)
        for tag, entry in value.items()
    }


def picture_from_json(value: Any, where: str, masks: dict[str, Rle] | None = None) -> PictureRecord:
    """A picture's entry; `where` begins error lines, equal masks found in `masks` are shared.

    Masks may also be `Rle` objects already.
    """
    if not isinstance(value, Mapping) or not isinstance(value.get("regions"), list):
        raise DatasetError(f"{where}: expected an object with `score_fr` and a list `regions`")
    known = {} if masks is None else masks
    regions = tuple(
        _region_from_json(entry, f"{where}: region {k}", known)
        for k, entry in enumerate(value["regions"])
    )
    judged = any(region.judged is not None for region in regions)
    return PictureRecord(
        score_from_json(value, f"{where}: score_fr", judged=judged),
        relations_from_json(value.get("relations"), where),
        regions,
    )


def _region_from_json(entry: Any, where: str, masks: dict[str, Rle]) -> RegionRecord:
    if not isinstance(entry, Mapping):
        raise DatasetError(f"{where}: expected an object, got {type(entry).__name__}")
    judged = judged_from_json(entry, where)
    degradation, severity = region_label_from_json(entry, where, judged=judged is not None)
    description, category = entry.get("description"), entry.get("category_id")
    return RegionRecord(
        # The same few words in every version of every picture.
        name=sys.intern(str(entry.get("name") or "")),
        severity=severity,
        degradation=degradation,
        score=score_from_json(entry, f"{where}: score_fr", judged=judged is not None),
        bbox_xywh_px=box_from_json(entry.get("bbox"), where),
        mask=mask_from_json(entry.get("segmentation_mask"), where, masks),
        description=None if description is None else str(description),
        category_id=category if isinstance(category, int) else None,
        also=also_from_json(entry, where),
        judged=judged,
    )


def judged_from_json(entry: Mapping[str, Any], where: str) -> tuple[tuple[str, str], ...] | None:
    """`judged` of a region, None where no people judged; raises DatasetError."""
    value = entry.get("judged")
    if value is None:
        return None
    if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
        raise DatasetError(f"{where}: judged must be {{version: comparison}}")
    return tuple((sys.intern(str(k)), sys.intern(v)) for k, v in value.items())


def region_label_from_json(
    entry: Mapping[str, Any], where: str, *, judged: bool
) -> tuple[str | None, int | None]:
    """`degradation` and `severity`; where people judged, each may be null. Raises DatasetError."""
    if not judged or None not in (entry.get("degradation"), entry.get("severity")):
        return label_from_json(entry, where)
    stand_in = {"degradation": "", "severity": 0}
    said = {key: value for key in stand_in if (value := entry.get(key)) is not None}
    label_from_json(stand_in | said, where)
    return entry.get("degradation"), entry.get("severity")


def score_from_json(entry: Mapping[str, Any], where: str, *, judged: bool) -> float | None:
    """`score_fr`; where people judged, it may be null. Raises DatasetError."""
    value = entry.get("score_fr")
    return None if judged and value is None else number_from_json(value, where)


def label_from_json(entry: Mapping[str, Any], where: str) -> FurtherRecord:
    """`degradation` and `severity` of a region or of a part of `also`; raises DatasetError."""
    severity, degradation = entry.get("severity"), entry.get("degradation")
    if isinstance(severity, bool) or not isinstance(severity, int):
        raise DatasetError(f"{where}: severity is {severity!r:.40}, expected a whole number")
    if not isinstance(degradation, str):
        raise DatasetError(f"{where}: degradation is {degradation!r:.40}, expected a label")
    return FurtherRecord(sys.intern(degradation), severity)


def also_from_json(entry: Mapping[str, Any], where: str) -> tuple[FurtherRecord, ...] | None:
    """`also` of a region, None where there is none; raises DatasetError."""
    parts = entry.get("also")
    if parts is None:
        return None
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise DatasetError(f"{where}: also must be [{{degradation, severity}}, …]")
    return tuple(label_from_json(part, f"{where}: also") for part in parts)


def number_from_json(value: Any, where: str) -> float:
    """A number, also one that is not finite; raises DatasetError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DatasetError(f"{where} is {value!r:.40}, expected a number")
    try:
        return float(value)
    except OverflowError as e:
        raise DatasetError(f"{where} is {value!r:.40}…, too large for a number") from e


def box_from_json(value: Any, where: str) -> tuple[int, int, int, int] | None:
    """`bbox`, in whole pixels, wherever it lies; raises DatasetError."""
    if value is None:
        return None
    ok = isinstance(value, list) and len(value) == 4
    if not ok or not all(isinstance(v, int | float) and abs(v) < 2**31 for v in value):
        raise DatasetError(f"{where}: bbox is {value!r:.60}, expected [x, y, w, h] in pixels")
    x, y, w, h = (int(v) for v in value)
    return x, y, w, h


def mask_from_json(value: Any, where: str, masks: dict[str, Rle]) -> Rle | None:
    """`segmentation_mask`; equal ones found in `masks` are shared. Raises DatasetError."""
    if value is None or isinstance(value, Rle):
        return value
    size = value.get("size") if isinstance(value, Mapping) else None
    if not (
        isinstance(size, list)
        and len(size) == 2
        and all(type(n) is int and 0 < n <= LONGEST_SIDE_PX for n in size)
    ):
        raise DatasetError(f'{where}: segmentation_mask must be {{"size": [h, w], "counts"}}')
    counts, shape = value.get("counts"), (size[0], size[1])
    key = _mask_key(counts, shape)
    if key in masks:
        return masks[key]
    try:
        if isinstance(counts, str):
            mask = rle_from_text(counts, shape, where)
        else:
            mask = rle_from_runs(counts, shape, where)
    except RegionError as e:
        raise DatasetError(str(e)) from e
    masks[key] = mask
    return mask


def _mask_key(counts: Any, shape: tuple[int, int]) -> str:
    """The same for equal counts only; far quicker than reading them as a mask again."""
    try:
        data = counts.encode() if isinstance(counts, str) else array("Q", counts).tobytes()
    except (TypeError, ValueError, OverflowError):
        data = b""  # no counts at all, as reading them will say
    kind = "text" if isinstance(counts, str) else "runs"
    return f"{shape}{kind}{hashlib.blake2b(data, digest_size=16).hexdigest()}"


def relations_from_json(value: Any, where: str) -> tuple[Relation, ...]:
    """Triplets of `[[…]]`; `[[]]`, `[]` and a missing list are none. Flat lists are read too.

    Raises DatasetError. Whether the regions they name are there is not asked.
    """
    outer = value or []
    if not isinstance(outer, list):
        raise DatasetError(f"{where}: relations must be [[[subject, object, predicate], …]]")
    relations: list[Relation] = []
    for entry in outer:
        triplets = [entry] if entry and isinstance(entry, list) and _is_triplet(entry) else entry
        if not isinstance(triplets, list) or not all(_is_triplet(t) for t in triplets):
            raise DatasetError(f"{where}: relations must be [[[subject, object, predicate], …]]")
        relations += [(t[0], t[1], t[2]) for t in triplets]
    return tuple(relations)


def _is_triplet(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    )
