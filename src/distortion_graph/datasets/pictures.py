"""Clean pictures with label maps, from folders: what training and benchmarks start from."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DistortionGraphError, ImageError, RegionError
from distortion_graph.base.files import atomic_write_bytes
from distortion_graph.datasets.folders import Folder, LeftOut, list_folder, no_picture
from distortion_graph.pictures.images import PICTURE_SUFFIXES, Picture, load_picture, rgb_sha256
from distortion_graph.pictures.picture_names import composed
from distortion_graph.regions.fitting import read_label_picture
from distortion_graph.segment.auto import auto_regions

_LONGEST_SIDE_PX = 1280
_LARGEST_LABEL = 65535


@dataclass(frozen=True)
class CleanPicture:
    """A picture to degrade: H×W×3 uint8, its name, and one or more H×W label maps (0 = none).

    `notes` are what the reader says of it beside its pixels.
    """

    tag: str
    rgb: NDArray[np.uint8]
    label_maps: tuple[NDArray[np.uint16], ...]
    notes: tuple[str, ...] = ()


def find_pictures(folder: Path) -> list[Path]:
    """Picture files below a folder, sorted by path; raises ImageError when there is none."""
    return [folder / name for name in picture_folder(folder).names]


def picture_folder(folder: Path) -> Folder:
    """The pictures below a folder and what else is there; raises ImageError for no picture."""
    listed = list_folder(folder, PICTURE_SUFFIXES)
    if not listed.names:
        raise no_picture(folder, listed, PICTURE_SUFFIXES)
    return listed


def load_with_maps(picture: Path, map_folder: Path) -> CleanPicture:
    """A picture and its label maps: `<name>_<annotator>.png` in number order, or `<name>.png`.

    Raises RegionError where there is none, or one that is not a label map of the picture's size.
    """
    loaded = load_picture(picture)
    maps = _map_files(picture.stem, map_folder)
    labels = tuple(read_map(m, loaded) for m in maps)
    return CleanPicture(picture.stem, loaded.rgb, labels, loaded.warnings)


def _map_files(name: str, folder: Path) -> list[Path]:
    """Annotators are numbers, so that `a_b_0.png` is a map of `a_b` and not of `a`."""
    numbered = re.compile(rf"{re.escape(composed(name))}_(\d+)\.png")
    paths = {composed(path.name): path for path in folder.glob("*.png")}
    maps = [(m, path) for called, path in paths.items() if (m := numbered.fullmatch(called))]
    if maps:
        return [path for _, path in sorted(maps, key=lambda entry: int(entry[0][1]))]
    alone = paths.get(composed(f"{name}.png"))
    if alone is None:
        raise no_map(name, folder)
    return [alone]


def no_map(name: str, folder: Path) -> RegionError:
    """The error for a picture without a label map."""
    return RegionError(
        f"{folder}: no label map of {name!r} there, expected {name}_0.png, {name}_1.png … "
        f"(a number for each annotator) or {name}.png"
    )


def read_map(path: Path, picture: Picture) -> NDArray[np.uint16]:
    """The (H, W) label map of a picture; raises RegionError where the file is not such a one."""
    labels = read_label_picture(path, picture)
    if labels.ndim != 2:
        raise RegionError(f"{path}: found RGB, expected one channel of region numbers (0 = none)")
    if labels.min() < 0 or labels.max() > _LARGEST_LABEL:
        raise RegionError(
            f"{path}: found region numbers {labels.min()} to {labels.max()}, expected 0 (none) to "
            f"{_LARGEST_LABEL}"
        )
    return labels.astype(np.uint16)


def load_alone(picture: Path, cache: Path) -> CleanPicture:
    """A picture without masks: reduced to at most 1280 px, regions found automatically.

    Regions are kept in `cache` as label maps, keyed by the pixels.
    """
    loaded = load_picture(picture)
    rgb = loaded.rgb
    scale = _LONGEST_SIDE_PX / max(rgb.shape[:2])
    if scale < 1:
        size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    kept = cache / f"{rgb_sha256(rgb)[:24]}.png"
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        labels = auto_regions(rgb).label_map().astype(np.uint16)
        atomic_write_bytes(kept, cv2.imencode(".png", labels)[1].tobytes())
    return CleanPicture(picture.stem, rgb, (read_map(kept, load_picture(rgb)),), loaded.warnings)


def load_labelled(folder: Path) -> list[CleanPicture]:
    """Every picture of `folder`/images with its label maps from `folder`/regions."""
    pictures = find_pictures(folder / "images")
    return [load_with_maps(picture, folder / "regions") for picture in pictures]


def load_sources(
    labelled: Sequence[Path], alone: Sequence[Path], *, cache: Path
) -> list[CleanPicture]:
    """All pictures of the folders: `labelled` hold images/ and regions/, `alone` pictures only."""
    pictures = [picture for folder in labelled for picture in load_labelled(folder)]
    for folder in alone:
        pictures += [load_alone(picture, cache) for picture in find_pictures(folder)]
    if not pictures:
        raise ImageError("no pictures given, expected at least one folder of them")
    return pictures


def left_out_of(labelled: Sequence[Path], alone: Sequence[Path]) -> tuple[LeftOut, ...]:
    """What `load_sources` of the same folders leaves out, label maps of no picture aside."""
    folders = (*(folder / "images" for folder in labelled), *alone)
    return tuple(found for folder in folders for found in picture_folder(folder).left_out)


def read_names(path: Path) -> frozenset[str]:
    """Picture names listed in a JSON object of lists, such as a held-out list.

    They are in composed Unicode (NFC), as `composed` makes what they are compared with.
    """
    expected = 'expected a JSON object of lists of picture names, such as {"val": ["a", "b"]}'
    try:
        lists = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        why = (isinstance(problem, OSError) and problem.strerror) or problem
        raise DistortionGraphError(f"{path}: {expected} ({why})") from problem
    if not isinstance(lists, dict):
        found = "a list" if isinstance(lists, list) else f"{lists!r:.40}"
        raise DistortionGraphError(f"{path}: found {found}, {expected}")
    named = (names for names in lists.values() if isinstance(names, list))
    return frozenset(composed(str(name)) for names in named for name in names)


def choose_annotator(
    label_maps: Sequence[NDArray[np.integer]], *, min_share: float = 0.008, wanted: int = 8
) -> int:
    """Index of the map whose number of regions of at least `min_share` is nearest to `wanted`.

    Ties go to the first (docs/benchmark.md).
    """
    counts = [len(large_regions(m, min_share)) for m in label_maps]
    return min(range(len(counts)), key=lambda i: (abs(counts[i] - wanted), i))


def large_regions(label_map: NDArray[np.integer], min_share: float) -> list[int]:
    """Ids of a label map's regions that cover at least `min_share` of the picture, ascending."""
    counts = np.bincount(label_map.ravel())
    return [i for i in range(1, len(counts)) if counts[i] >= min_share * label_map.size]
