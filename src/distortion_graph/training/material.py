"""The pictures or the data set that a run's settings name, and what tells them from others."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import DistortionGraphError, ImageError, RegionError
from distortion_graph.bench.benchmark import root_identity
from distortion_graph.datasets.folders import LeftOut, ReaderNotes, left_out_lines
from distortion_graph.datasets.pictures import (
    CleanPicture,
    large_regions,
    left_out_of,
    load_sources,
    read_names,
)
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.pictures.picture_names import composed
from distortion_graph.training.config import DataConfig
from distortion_graph.training.samples import SamplingConfig

Source = Sequence[CleanPicture] | PandaSet
"""Clean pictures, of which pairs are made, or a data set, whose pairs are used as they are."""

_HASHED_EVERY_PX = 5


@dataclass(frozen=True)
class Material:
    """What to train on, and the pictures to choose on; of a data set the split val is for that.

    `left_out` are the other files in the pictures' folders.
    """

    training: Source
    held_out: tuple[CleanPicture, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    @property
    def everything(self) -> tuple[CleanPicture, ...]:
        """All pictures, held out or not; none of a data set."""
        if isinstance(self.training, PandaSet):
            return ()
        return (*self.training, *self.held_out)

    @property
    def notes(self) -> Iterator[str]:
        """Files that were left out, and what the reader says of pictures; of a kind a few."""
        yield from left_out_lines(self.left_out)
        notes = ReaderNotes()
        for picture in self.everything:
            yield from notes.take(picture.notes)
        yield from notes.rest()

    @property
    def summary(self) -> str:
        """How much there is, for people."""
        if not isinstance(self.training, PandaSet):
            pictures = counted(len(self.training), "picture")
            return f"{pictures} to train on, {len(self.held_out)} held out"
        pairs = counted(len(self.training.keys("train", "all")), "pair")
        if "val" not in self.training.splits():
            return f"{pairs} to train on, no val to choose on"
        choosing = len(self.training.keys("val", "hard"))
        return f"{pairs} to train on, {choosing} of val to choose on"


def open_material(data: DataConfig, *, cache: Path) -> Material:
    """Load the pictures, or open the data set.

    `cache` keeps the regions found in pictures without masks. Raises ImageError, RegionError or
    DatasetError, one line, for sources that cannot be used.
    """
    if data.root is not None:
        return Material(PandaSet(data.root))
    kept_out = read_names(data.held_out) if data.held_out else frozenset()
    sources = load_sources(data.labelled, data.pictures, cache=cache)
    training = [p for p in sources if composed(p.tag) not in kept_out]
    choosing = tuple(p for p in sources if composed(p.tag) in kept_out)
    if data.held_out and not choosing:
        raise DistortionGraphError(
            f"{data.held_out}: none of its {len(kept_out)} names is one of the {len(sources)} "
            "pictures"
        )
    return Material(training, choosing, left_out_of(data.labelled, data.pictures))


def check_source(source: Source, sampling: SamplingConfig) -> None:
    """Raise where there is nothing to learn from: drawing samples would never end."""
    if isinstance(source, PandaSet):
        source.keys("train", "all")
        _check_root(source)
        return
    if not source:
        raise ImageError("training: no pictures left to train on, all of them are held out")
    maps = (label_map for picture in source for label_map in picture.label_maps)
    if not any(large_regions(label_map, sampling.min_share) for label_map in maps):
        raise RegionError(
            f"training: none of the {len(source)} pictures has a region of at least "
            f"{sampling.min_share:.1%} of it"
        )


def _check_root(data: PandaSet) -> None:
    """A pair is usable where its regions are known in both versions."""
    keys = data.keys("train", "all")
    if not any(len(data.sample("train", key).regions) for key in keys):
        raise RegionError(
            f"{data.root}: none of the {len(keys)} pairs of the split train has a region that can "
            "be used; `distortion-graph dataset check` says what is wrong with them"
        )


def fingerprint(source: Source) -> dict[str, str]:
    """A name and a hash of everything in it that a run depends on.

    Of a picture some of its pixels and regions are hashed, of a data set its describing files and
    its list of pairs.
    """
    if isinstance(source, PandaSet):
        keys = source.keys("train", "all")
        listed = hashlib.sha256(json.dumps(keys).encode()).hexdigest()
        sums = {"pairs of train": f"{len(keys)} {listed[:16]}"}
        return sums | root_identity(source.root).sha256
    sums = {}
    for picture in source:
        name, k = picture.tag, 2
        while name in sums:
            name, k = f"{picture.tag} ({k})", k + 1
        sums[name] = _picture_hash(picture)
    return sums


def data_identity(material: Material) -> Mapping[str, Mapping[str, str]]:
    """Fingerprints of the training data and of what is held out."""
    return {"data": fingerprint(material.training), "held out": fingerprint(material.held_out)}


def _picture_hash(picture: CleanPicture) -> str:
    total = hashlib.blake2b(digest_size=8)
    arrays: list[NDArray[Any]] = [picture.rgb, *picture.label_maps]
    for array in arrays:
        total.update(str(array.shape).encode())
        total.update(array[::_HASHED_EVERY_PX, ::_HASHED_EVERY_PX].tobytes())
    return total.hexdigest()
