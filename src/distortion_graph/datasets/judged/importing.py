"""A data-set root of judged graphs and their pictures: anchors are `mixed`, targets `mixed2`.

Nothing was synthesised and nothing is measured, so scores are null; a comparison is what people
say, not what follows from scores, and stands in `judged` (`datasets.stats`). A region of which
nobody says anything has no mask, so that readers leave it out.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path, PurePath
from typing import Any

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.datasets.description import (
    DatasetDescription,
    ImageDescription,
    JudgedDescription,
    SplitDescription,
)
from distortion_graph.datasets.judged.finding import PictureFolders
from distortion_graph.datasets.judged.merging import merged
from distortion_graph.datasets.layout import (
    CLEAN_FOLDER,
    DATASET_FILE,
    DEPTH_FOLDER,
    INDEX_FILE,
    MANIFEST_FILE,
    SPLITS,
    picture_path,
    stats_path,
)
from distortion_graph.datasets.make.pictures import encode_picture, image_codec
from distortion_graph.datasets.make.splits import DEFAULT_SPLITS, SplitRule, split_by_groups
from distortion_graph.datasets.make.work import put_file
from distortion_graph.datasets.manifest import manifest_text
from distortion_graph.datasets.pair_lists import index_text
from distortion_graph.datasets.stats import PictureRecord, RegionRecord
from distortion_graph.datasets.stats_writer import StatsWriter
from distortion_graph.graph import SIDES, DistortionGraph, Judgement, RegionComparison, Side
from distortion_graph.graph.judges import JudgedPair, NamedGraph, groups_of, judged_pairs
from distortion_graph.masks.rle import Rle
from distortion_graph.pictures.images import Picture
from distortion_graph.report.alignment import is_moved
from distortion_graph.synth.synthesis import MIXED

_FORMAT = "png"
_NAME_CHARACTERS = 40


@dataclass
class ImportReport:
    """What was imported: pairs by split, judged regions, people, and lines of what was left out."""

    pairs: Counter[str] = field(default_factory=Counter)
    regions: int = 0
    people: int = 0
    originals: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Region:
    """A region and what people together say of it, None where that is nothing."""

    region: RegionComparison
    judgement: Judgement | None


@dataclass(frozen=True)
class _Pair:
    """A pair of pictures, anchor and target as in its first graph."""

    tag: str
    where: str
    graph: DistortionGraph
    regions: tuple[_Region, ...]
    names: tuple[str, str]


def import_judged(
    graphs: Sequence[NamedGraph],
    pictures: Sequence[Path],
    out: Path,
    *,
    splits: SplitRule = DEFAULT_SPLITS,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ImportReport:
    """Write a root of judged graphs; nothing is left at `out` if it fails.

    Args:
        graphs: one per person and pair of pictures.
        pictures: folders or files among which the graphs' pictures are, by their hashes.
        out: a folder that is new or empty.
        splits: shares of train, val and test; pairs that share a picture stay together.
        seed: of who goes where.
        progress: called with the number of pairs done and of all.

    Raises GraphError as `judged_pairs` does, and DatasetError, one line, for pictures that are
    missing or have changed, that do not lie on each other, or are of two sizes, for a judged region
    without a mask, and where nothing judged is left.
    """
    if splits.lists is not None or not splits.ratios:
        raise DatasetError(
            f"--split {splits.text}: expected shares such as train=.8,val=.1,test=.1, or one "
            "split's name"
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DatasetError(f"{out}: is there already, expected a new or empty folder")
    report, folders = ImportReport(), PictureFolders(pictures)
    judged = judged_pairs(graphs)
    pairs = [_pair_of(pair, report) for pair in judged]
    pairs = [pair for pair in pairs if any(part.judgement for part in pair.regions)]
    if not pairs:
        raise DatasetError(f"{graphs[0][0]}: people agree on nothing, so there is nothing to learn")
    everything = (said for pair in judged for many in pair.said.values() for said in many)
    report.people = len({said.by for said in everything})
    split_of = _split(pairs, judged, splits.ratios, seed)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as made:
            root = Path(made) / "root"
            root.mkdir()
            _write(root, pairs, split_of, folders, graphs, report, progress)
            if out.exists():
                out.rmdir()
            shutil.move(root, out)
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror})") from error
    return report


def _pair_of(pair: JudgedPair, report: ImportReport) -> _Pair:
    """What people together say of a pair; pairs that a root cannot hold are refused."""
    where = pair.members[0][0]
    members = [graph.swapped() if pair.turned else graph for _, graph in pair.members]
    graph, words = members[0], members[0].vocabulary
    _check_one_frame(where, graph)
    regions: dict[int, _Region] = {}
    for region in (region for member in members for region in member.regions):
        if region.id in regions:
            continue
        said = [one.judgement for one in pair.said.get(region.id, ())]
        together = merged([one.swapped(words) for one in said] if pair.turned else said, words)
        judgement = together.judgement
        if together.left_out:
            told = "; ".join(together.left_out)
            report.notes.append(f"{where}: region {region.id}: no majority, left out: {told}")
        if judgement is not None and region.mask_of("anchor") is None:
            raise DatasetError(f"{where}: region {region.id} is judged and has no mask")
        if judgement is not None and region.mask_of("anchor") != region.mask_of("target"):
            raise DatasetError(
                f"{where}: region {region.id} has another mask in the target, expected pictures "
                "that lie on each other; leave this graph out"
            )
        regions[region.id] = _Region(region, judgement)
    names = pair.pictures[::-1] if pair.turned else pair.pictures
    return _Pair(_tag(graph, names), where, graph, tuple(regions.values()), names)


def _check_one_frame(where: str, graph: DistortionGraph) -> None:
    sizes = [(info.width, info.height) for info in (graph.anchor, graph.target)]
    if graph.fit is not None or sizes[0] != sizes[1]:
        raise DatasetError(
            f"{where}: its pictures are of two sizes, which a data set cannot hold; leave it out"
        )
    if is_moved(graph):
        raise DatasetError(
            f"{where}: its pictures do not lie on each other, which a data set cannot hold; leave "
            "it out"
        )


def _tag(graph: DistortionGraph, names: tuple[str, str]) -> str:
    """File names for people, and a hash for what is one of its kind."""
    stems = []
    for side in SIDES:
        source = graph.picture_of(side).source
        stem = PurePath(source).stem if source else side
        kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "-" for c in stem)
        stems.append(kept[:_NAME_CHARACTERS] or side)
    digest = hashlib.sha256(" ".join(names).encode()).hexdigest()
    return f"{'-'.join(stems)}-{digest[:8]}.{_FORMAT}"


def _split(
    pairs: Sequence[_Pair], judged: Sequence[JudgedPair], ratios: Mapping[str, float], seed: int
) -> dict[str, str]:
    """The split of every tag; pairs that share a picture are in one."""
    number = groups_of(judged)
    groups: dict[int, list[str]] = {}
    for pair in pairs:
        groups.setdefault(number[pair.names[0]], []).append(pair.tag)
    return split_by_groups({min(tags): tags for tags in groups.values()}, ratios, seed)


def _write(
    root: Path,
    pairs: Sequence[_Pair],
    split_of: Mapping[str, str],
    folders: PictureFolders,
    graphs: Sequence[NamedGraph],
    report: ImportReport,
    progress: Callable[[int, int], None],
) -> None:
    vocabulary = graphs[0][1].vocabulary
    there = [split for split in SPLITS if split in split_of.values()]
    for folder in (CLEAN_FOLDER, *MIXED):
        for split in there:
            (root / folder / split).mkdir(parents=True)
    (root / DEPTH_FOLDER).mkdir()
    (root / "stats").mkdir()
    counts = {split: Counter[str]() for split in there}
    report.pairs = Counter(dict.fromkeys(there, 0))
    lines: list[str] = []
    writers = {
        (split, name): StatsWriter(stats_path(root, split, name), root)
        for split in there
        for name in MIXED
    }
    for done, pair in enumerate(sorted(pairs, key=lambda pair: pair.tag)):
        progress(done, len(pairs))
        split = split_of[pair.tag]
        lines += _write_pictures(root, pair, split, folders, report)
        for side, name in enumerate(MIXED):
            writers[split, name].add(pair.tag, _record(pair, side, vocabulary))
        counts[split].update(pictures=1, regions=len(pair.regions))
        report.pairs[split] += 1
        report.regions += sum(part.judgement is not None for part in pair.regions)
    for writer in writers.values():
        writer.finish()
    progress(len(pairs), len(pairs))
    put_file(root, root / MANIFEST_FILE, "".join(lines).encode())
    put_file(root, root / INDEX_FILE, index_text({"easy": [], "medium": []}).encode())
    description = DatasetDescription(
        vocabulary=vocabulary,
        versions=MIXED,
        metric={},
        image=ImageDescription(format=_FORMAT, quality=None),
        splits={split: SplitDescription(**count) for split, count in counts.items()},
        sources=(),
        software={"distortion-graph": version("distortion-graph")},
        judged=JudgedDescription(graphs=len(graphs), people=report.people, regions=report.regions),
    )
    put_file(root, root / DATASET_FILE, (description.model_dump_json(indent=2) + "\n").encode())


def _write_pictures(
    root: Path, pair: _Pair, split: str, folders: PictureFolders, report: ImportReport
) -> list[str]:
    """Write anchor, target and original, and give their lines of the manifest."""
    shown = {
        side: folders.find(pair.graph.picture_of(side), f"{pair.where}: its {side}")
        for side in SIDES
    }
    if shown["anchor"].size != shown["target"].size:
        raise DatasetError(f"{pair.where}: its pictures are of two sizes, expected one")
    made: list[tuple[str, Picture]] = [
        (name, shown[side]) for name, side in zip(MIXED, SIDES, strict=True)
    ]
    original = _original(pair, shown, folders, report)
    if original is not None:
        report.originals += 1
        made.insert(0, (CLEAN_FOLDER, original))
    lines = []
    for folder, picture in made:
        data = encode_picture(picture.rgb, _FORMAT, None)
        put_file(root, picture_path(root, folder, split, pair.tag), data)
        facts: dict[str, Any] = {
            "file": f"{folder}/{split}/{pair.tag}",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "picture": pair.tag,
            "split": split,
            "version": folder,
            "source_file": PurePath(picture.source or "").name,
            "source_sha256": picture.sha256,
            "codecs": image_codec(_FORMAT),
        }
        lines.append(manifest_text(facts))
    return lines


def _original(
    pair: _Pair, shown: Mapping[Side, Picture], folders: PictureFolders, report: ImportReport
) -> Picture | None:
    """The original of both, where the graph knows one."""
    reference = pair.graph.reference
    if reference is None:
        return None
    if reference.side is not None:
        return shown[reference.side]
    if reference.picture is None or reference.picture.sha256 is None:
        return None
    found = folders.find(reference.picture, f"{pair.where}: its original")
    if found.size == shown["anchor"].size:
        return found
    report.notes.append(f"{pair.where}: its original has another size, left out of gt/")
    return None


def _record(pair: _Pair, side: int, vocabulary: Vocabulary) -> PictureRecord:
    """One version's entry: what people say of that picture's regions, and against the other."""
    regions = tuple(_region(part, side, vocabulary) for part in pair.regions)
    return PictureRecord(None, (), regions)


def _region(part: _Region, side: int, vocabulary: Vocabulary) -> RegionRecord:
    judgement, region = part.judgement, part.region
    mask = region.mask_of("anchor")
    if judgement is None or mask is None:
        return RegionRecord(region.name, None, None, None, None, None, judged=())
    seen = judgement if side == 0 else judgement.swapped(vocabulary)
    rle = Rle(mask.size, mask.counts)
    box = rle.crop().box
    severity = seen.anchor.severity
    return RegionRecord(
        name=region.name,
        severity=None if severity is None else vocabulary.severity_index(severity),
        degradation=seen.anchor.distortion,
        score=None,
        bbox_xywh_px=(box.x, box.y, box.width, box.height),
        mask=rle,
        judged=() if seen.comparison is None else ((MIXED[1 - side], seen.comparison),),
    )
