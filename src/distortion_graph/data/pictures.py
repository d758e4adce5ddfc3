"""Clean pictures with label maps, from folders: what training and benchmarks start from."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import ImageError
from distortion_graph.files import atomic_write_bytes
from distortion_graph.images import load_picture
from distortion_graph.regions.auto import auto_regions
from distortion_graph.regions.fitting import read_label_picture

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".bmp")
_LONGEST_SIDE_PX = 1280


@dataclass(frozen=True)
class CleanPicture:
    """A picture to degrade: H×W×3 uint8, its name, and one or more H×W label maps (0 = none)."""

    tag: str
    rgb: NDArray[np.uint8]
    label_maps: tuple[NDArray[np.uint16], ...]


def find_pictures(folder: Path) -> list[Path]:
    """Picture files below a folder, sorted by path; raises ImageError when there is none."""
    found = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise ImageError(f"{folder}: no picture found, expected files {', '.join(SUFFIXES)}")
    return found


def load_with_maps(picture: Path, map_folder: Path) -> CleanPicture:
    """A picture and every label map `<name>_<annotator>.png` (or `<name>.png`) of a folder."""
    maps = sorted(map_folder.glob(f"{picture.stem}_*.png")) or [map_folder / f"{picture.stem}.png"]
    loaded = load_picture(picture)
    labels = tuple(read_label_picture(m, loaded).astype(np.uint16) for m in maps)
    return CleanPicture(picture.stem, loaded.rgb, labels)


def load_alone(picture: Path, cache: Path) -> CleanPicture:
    """A picture without masks: reduced to at most 1280 px, regions found automatically.

    Regions are kept in `cache` as label maps, keyed by the pixels.
    """
    rgb = load_picture(picture).rgb
    scale = _LONGEST_SIDE_PX / max(rgb.shape[:2])
    if scale < 1:
        size = (round(rgb.shape[1] * scale), round(rgb.shape[0] * scale))
        rgb = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    kept = cache / f"{hashlib.sha256(rgb.tobytes()).hexdigest()[:24]}.png"
    if not kept.is_file():
        cache.mkdir(parents=True, exist_ok=True)
        labels = auto_regions(rgb).label_map().astype(np.uint16)
        atomic_write_bytes(kept, cv2.imencode(".png", labels)[1].tobytes())
    return CleanPicture(picture.stem, rgb, (read_label_picture(kept, load_picture(rgb)),))


def load_labelled(folder: Path) -> list[CleanPicture]:
    """Every picture of `folder`/images with its label maps from `folder`/regions."""
    pictures = find_pictures(folder / "images")
    return [load_with_maps(picture, folder / "regions") for picture in pictures]


def load_sources(
    labelled: Sequence[Path], alone: Sequence[Path], *, cache: Path
) -> list[CleanPicture]:
    """All pictures of the folders: `labelled` hold images/ and regions/, `alone` pictures only."""
    found = [picture for folder in labelled for picture in load_labelled(folder)]
    for folder in alone:
        found += [load_alone(picture, cache) for picture in find_pictures(folder)]
    if not found:
        raise ImageError("no pictures given, expected at least one folder of them")
    return found


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
