"""Readers of pictures, masks and files of regions, and what comes out checked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from fuzz_base import H, W, expect, kept_file, written

from distortion_graph.base.errors import ImageError
from distortion_graph.base.files import HeldFile
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import Picture, load_picture

MAX_PIXELS = 250_000


# ---- pictures ----------------------------------------------------------------------------------


def read_picture(name: str, data: bytes, folder: Path) -> None:
    from distortion_graph.pictures.images import displayed_size

    try:
        size = displayed_size(data, name, MAX_PIXELS)
    except ImageError:
        size = None
    picture = load_picture(data, max_pixels=MAX_PIXELS, name=name)
    h, w = picture.size
    expect(picture.rgb.dtype == np.uint8 and picture.rgb.shape == (h, w, 3), "pixels")
    expect(0 < h * w <= MAX_PIXELS, f"{w}×{h} pixels")
    expect(size == (h, w), f"size {size} of the header, {(h, w)} of the picture")
    expect(picture.alpha is None or picture.alpha.shape == (h, w), "alpha")
    expect(all(line.isprintable() and line.startswith(name) for line in picture.warnings), "notes")


def read_data_set_picture(data: bytes, folder: Path) -> None:
    from distortion_graph.datasets.decoding import decode_rgb, picture_size

    size = picture_size(data, "p.png")
    if size[0] * size[1] > MAX_PIXELS:  # the limit of data sets is that of all pictures
        return
    try:
        expected = load_picture(data, name="p.png").rgb
    except ImageError:
        expected = None
    rgb = decode_rgb(data, "p.png")
    expect(rgb.shape == (*size, 3), f"size {size} of the header, {rgb.shape} of the picture")
    # Its decoder does not look at the sum inside of the deflated pixels.
    expect(expected is None or np.array_equal(rgb, expected), "other pixels")


# ---- regions -----------------------------------------------------------------------------------


@cache
def _blank() -> Picture:
    picture = load_picture(np.zeros((H, W, 3), np.uint8))
    return replace(picture, source="a.png", stored_size=(H, W))


def _regions(files: Sequence[HeldFile]) -> None:
    from distortion_graph.regions import resolve_regions
    from distortion_graph.regions.spec import HeldRegions

    notes: list[str] = []
    found = resolve_regions(HeldRegions.of(files), _blank(), _blank(), warn=notes.append)
    _whole(found)
    expect(all(line.isprintable() for line in notes), f"notes {notes}")


def _whole(found: RegionSet) -> None:
    """Masks that decode to what their runs say."""
    expect(found.size == (H, W) and len(found) > 0, "size")
    masks = found.masks()
    expect(masks.shape == (len(found), H, W), "masks")
    expect(masks.sum((1, 2)).tolist() == found.areas().tolist(), "areas")
    expect(bool(found.areas().all()), "an empty mask")
    expect(
        all(
            isinstance(i, int) and isinstance(n, str)
            for i, n in zip(found.ids, found.names, strict=True)
        ),
        "ids",
    )


def read_table(name: str, data: bytes, folder: Path) -> None:
    _regions([HeldFile(name, data)])


def read_label_map(data: bytes, folder: Path) -> None:
    _regions([HeldFile("m.png", data)])


def read_named_label_map(data: bytes, folder: Path) -> None:
    """The names of a label map."""
    _regions([HeldFile("m.png", kept_file("label-map", "grey.png")), HeldFile("m.json", data)])


def read_panoptic_json(data: bytes, folder: Path) -> None:
    _regions([HeldFile("m.png", kept_file("panoptic-png", "three.png")), HeldFile("m.json", data)])


def read_panoptic_png(data: bytes, folder: Path) -> None:
    _regions(
        [HeldFile("m.png", data), HeldFile("m.json", kept_file("panoptic-json", "three.json"))]
    )


def read_alpha(data: bytes, folder: Path) -> None:
    from distortion_graph.regions import resolve_regions

    place = written(folder / "m.png", data)
    _whole(resolve_regions(f"alpha:{place}", _blank(), _blank()))


def read_rle_text(data: bytes, folder: Path) -> None:
    """Packed runs, as they stand in JSON."""
    from distortion_graph.masks.rle import rle_from_text

    rle = rle_from_text(data.decode("utf-8", "surrogateescape"), (H, W), "m")
    expect(int(rle.decode().sum()) == rle.area(), "area")
    expect(rle.crop().box == rle.box_xywh(), "box")


def read_rle_runs(data: bytes, folder: Path) -> None:
    from distortion_graph.masks.rle import rle_from_runs

    try:
        counts = json.loads(data)
    except (ValueError, RecursionError):
        return
    rle = rle_from_runs(counts, (H, W), "m")
    expect(int(rle.decode().sum()) == rle.area(), "area")
