"""The files that stand for all pictures: statistics, manifest, index, description.

They are made of the journal's lines in the order of stems, one picture in memory at a time.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import OutputError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.description import (
    BuildDescription,
    DatasetDescription,
    SourceDescription,
    SplitDescription,
)
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    DATASET_FILE,
    DEPTH_FOLDER,
    INDEX_FILE,
    MANIFEST_FILE,
    SPLITS,
    STATS_FOLDER,
    stats_path,
)
from distortion_graph.datasets.make.journal import MADE, SKIPPED
from distortion_graph.datasets.make.listing import Listed, Listing
from distortion_graph.datasets.make.pictures import image_codec
from distortion_graph.datasets.make.work import Job, file_digest, put_file, tag_of
from distortion_graph.datasets.manifest import manifest_text
from distortion_graph.datasets.stats import FurtherRecord, PictureRecord, RegionRecord
from distortion_graph.datasets.stats_writer import MaskTexts, StatsWriter
from distortion_graph.masks.rle import Rle
from distortion_graph.synth.synthesis import MIXED
from distortion_graph.work.journal import Journal

_DRAWN = ("distortion", "severity", "subtype", "level")


@dataclass
class Totals:
    """What was counted while the files were written."""

    tags: dict[str, list[str]] = field(default_factory=lambda: {split: [] for split in SPLITS})
    regions: Counter[str] = field(default_factory=Counter)
    used: Counter[int] = field(default_factory=Counter)
    skipped: Counter[int] = field(default_factory=Counter)
    noted: Counter[int] = field(default_factory=Counter)


def finish(job: Job, listing: Listing, journal: Journal, software: Mapping[str, str]) -> Totals:
    """Write everything but the pictures, of which there is at least one; raises OutputError."""
    root = job.root
    try:
        (root / DEPTH_FOLDER).mkdir(exist_ok=True)
        (root / STATS_FOLDER).mkdir(exist_ok=True)
    except OSError as e:
        raise OutputError(f"{root}: cannot be written ({e.strerror})") from e
    totals = _write_lines(job, listing, journal)
    put_file(root, root / INDEX_FILE, _index(job, totals).encode())
    description = _describe(job, listing, totals, dict(software))
    text = description.model_dump_json(indent=2, exclude_none=False) + "\n"
    _reach_disk()
    put_file(root, root / DATASET_FILE, text.encode())
    return totals


def _reach_disk() -> None:
    """Everything that was written so far, before anything says that it is complete."""
    if hasattr(os, "sync"):
        os.sync()


def _write_lines(job: Job, listing: Listing, journal: Journal) -> Totals:
    """Manifest and stats files in one pass over the journal."""
    totals = Totals()
    root, versions = job.root, job.options.versions
    recipe_id = job.options.describe_recipe().id
    manifest = root / f".{secrets.token_hex(8)}.tmp"
    writers: dict[tuple[str, str], StatsWriter] = {}
    try:
        with contextlib.ExitStack() as stack:
            stack.callback(manifest.unlink, missing_ok=True)
            stream = stack.enter_context(manifest.open("w", encoding="utf-8", newline="\n"))
            for listed in listing.pictures:
                record = journal.get(MADE, listed.stem)
                if record is None:
                    stream.writelines(_skipped_line(job, listed, journal, totals))
                    continue
                split, tag = record["split"], tag_of(listed, job.options)
                stream.writelines(manifest_lines(job, listed, record, recipe_id))
                totals.tags[split].append(tag)
                totals.regions[split] += len(record["regions"])
                totals.used[listed.source] += 1
                totals.noted[listed.source] += bool(record["notes"])
                masks = MaskTexts()
                for version in versions:
                    if (split, version) not in writers:
                        path = stats_path(root, split, version)
                        writers[split, version] = stack.enter_context(StatsWriter(path, root))
                    entry = picture_record(record, version, job.options.vocabulary)
                    writers[split, version].add(tag, entry, masks)
            stream.flush()
            os.fsync(stream.fileno())
            stream.close()
            for writer in writers.values():
                writer.finish()
            manifest.replace(root / MANIFEST_FILE)
    except OSError as e:  # also of closing what could not be written
        raise OutputError(f"{root / MANIFEST_FILE}: cannot be written ({e.strerror})") from e
    return totals


def picture_record(
    record: Mapping[str, Any], version: str, vocabulary: Vocabulary
) -> PictureRecord:
    """One version's entry in the stats file, from the picture's journal line."""
    height, width = record["size"]
    made = record["versions"][version]
    regions = tuple(
        RegionRecord(
            name=region["name"],
            severity=vocabulary.severity_index(severity),
            degradation=distortion,
            score=score,
            bbox_xywh_px=_box(region["box"]),
            mask=Rle((height, width), region["counts"]),
            description=region["description"],
            category_id=region["category"],
            also=None
            if also is None
            else tuple(FurtherRecord(d, vocabulary.severity_index(s)) for d, s, _, _ in also),
        )
        for region, (distortion, severity, _, _, score), also in zip(
            record["regions"], made["draws"], _also(made), strict=True
        )
    )
    relations = tuple((a, b, predicate) for a, b, predicate in record["relations"])
    return PictureRecord(made["score"], relations, regions)


def _also(made: Mapping[str, Any]) -> Sequence[Any]:
    """Rows of every region's further distortions; None for each where the recipe has none."""
    return made.get("also") or [None] * len(made["draws"])


def _box(box: Sequence[int]) -> tuple[int, int, int, int]:
    x, y, w, h = box
    return x, y, w, h


def _skipped_line(job: Job, listed: Listed, journal: Journal, totals: Totals) -> Iterator[str]:
    """The line of a picture that was skipped; none for one that was on no list."""
    skipped = journal.get(SKIPPED, listed.stem)
    if skipped is not None:
        totals.skipped[listed.source] += 1
        yield manifest_text(
            {
                "skipped": listed.stem,
                "source": job.sources[listed.source].name,
                "source_file": listed.item.file,
                "reason": skipped["reason"],
            }
        )


def manifest_lines(
    job: Job, listed: Listed, record: Mapping[str, Any], recipe_id: str
) -> Iterator[str]:
    """The lines of one picture: the clean file, then its versions."""
    options, codec = job.options, image_codec(job.options.image_format)
    metric = f"{options.metric.name} {options.metric.version}"
    for folder in (CLEAN_FOLDER, *options.versions):
        sha256, size = record["files"][folder]
        tag, split = tag_of(listed, options), record["split"]
        line = {
            "file": f"{folder}/{split}/{tag}",
            "sha256": sha256,
            "bytes": size,
            "picture": tag,
            "split": split,
            "version": folder,
        }
        if folder == CLEAN_FOLDER:
            yield manifest_text(line | _origin(job, listed, record) | {"codecs": codec})
            continue
        key = [options.seed, listed.stem, folder]
        made = record["versions"][folder]
        ids = [region["id"] for region in record["regions"]]
        regions = [
            {"index": k, "id": i, "key": [*key, i]}
            | dict(zip((*_DRAWN, "score"), draw, strict=True))
            | ({"also": [dict(zip(_DRAWN, part, strict=True)) for part in also]} if also else {})
            for k, (i, draw, also) in enumerate(zip(ids, made["draws"], _also(made), strict=True))
        ]
        yield manifest_text(
            line
            | {
                "key": key,
                "regions": regions,
                "recipe": recipe_id,
                "codecs": codec | made["codecs"],
                "metric": metric,
                **made.get("shot", {}),
            }
        )


def _origin(job: Job, listed: Listed, record: Mapping[str, Any]) -> dict[str, Any]:
    picture, *others = record["inputs"]
    notes = {"notes": record["notes"]} if record["notes"] else {}
    return {
        "source": job.sources[listed.source].name,
        "source_file": listed.item.file,
        "source_sha256": picture,
        "regions_sha256": others,
        **notes,
    }


def _index(job: Job, totals: Totals) -> str:
    """The easy and medium lists over the test pictures, or else over those of val, or of train."""
    from distortion_graph.datasets.pair_lists import draw_lists, index_text

    tags = next(totals.tags[split] for split in SPLITS[::-1] if totals.tags[split])
    types = tuple(v for v in job.options.versions if v not in MIXED)
    if len(types) < 2:  # there are no two different types to draw
        return index_text({"easy": [], "medium": []})
    return index_text(draw_lists(tags, types, seed=job.options.seed))


def files_for_all(job: Job, splits: Iterable[str]) -> list[Path]:
    """Every file of a root with these splits that is neither a picture nor dataset.json."""
    stats = [stats_path(job.root, split, v) for split in splits for v in job.options.versions]
    return [job.root / MANIFEST_FILE, job.root / INDEX_FILE, *stats]


def _describe(
    job: Job, listing: Listing, totals: Totals, software: dict[str, str]
) -> DatasetDescription:
    root, options = job.root, job.options
    splits = {split: tags for split, tags in totals.tags.items() if tags}
    written = files_for_all(job, splits)
    return DatasetDescription(
        vocabulary=options.vocabulary,
        versions=options.versions,
        metric=options.metric.describe(),
        recipe=options.describe_recipe(),
        image=options.describe_image(),
        splits={
            split: SplitDescription(pictures=len(tags), regions=totals.regions[split])
            for split, tags in splits.items()
        },
        sources=tuple(
            SourceDescription(
                name=source.name,
                kind=source.kind,
                pictures=totals.used[number],
                skipped=totals.skipped[number],
                noted=totals.noted[number],
                left_out=dict(Counter(file.reason for file in listing.left_out[number])),
                licence=options.licence_of(source.name),
                segmenter=source.segmenter,
            )
            for number, source in enumerate(job.sources)
        ),
        predicates=job.predicates,
        software=software,
        build=BuildDescription(
            options=options.facts(job.sources),
            listing=listing.digest,
            files={path.relative_to(root).as_posix(): file_digest(path)[0] for path in written},
        ),
    )
