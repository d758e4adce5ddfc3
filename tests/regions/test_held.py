"""Regions of files in memory are those of the same files on a disk; nothing else is read."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distortion_graph.base.errors import RegionError
from distortion_graph.base.files import HeldFile
from distortion_graph.pictures.images import load_picture
from distortion_graph.regions import resolve_regions
from distortion_graph.regions.spec import HeldRegions

PICTURE = load_picture(np.zeros((12, 16, 3), np.uint8))
LABELS = np.zeros((12, 16), np.uint8)
LABELS[:6, :8], LABELS[6:, 8:] = 1, 4
SEGMENTS = np.zeros((12, 16, 3), np.uint8)
SEGMENTS[..., 0] = 5
SEGMENTS[:6, :, 0] = 9
PANOPTIC = {
    "annotations": [
        {
            "file_name": "p.png",
            "segments_info": [{"id": 5, "category_id": 1}, {"id": 9, "category_id": 2}],
        }
    ],
    "categories": [{"id": 1, "name": "sea"}, {"id": 2, "name": "sky"}],
}
SVG = b"""<svg xmlns="http://www.w3.org/2000/svg" width="16" height="12">
<rect width="4" height="3"/></svg>"""


def png(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


FILES = {
    "labels": {"l.png": png(LABELS)},
    "labels and names": {"l.png": png(LABELS), "n.json": b'{"1": "one", "4": "four"}'},
    "list": {"r.json": b'[{"bbox": [1, 2, 3, 4], "name": "box"}]'},
    "SVG": {"d.svg": SVG},
    "panoptic": {"p.png": png(SEGMENTS), "p.json": json.dumps(PANOPTIC).encode()},
    "marked UTF-8": {"r.json": b'\xef\xbb\xbf [{"bbox": [1, 2, 3, 4]}]'},
}


@pytest.mark.parametrize("files", FILES.values(), ids=list(FILES))
def test_they_are_those_of_the_files(files: dict[str, bytes], tmp_path: Path) -> None:
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    spec = ",".join(str(tmp_path / name) for name in files)
    held = [HeldFile(name, data) for name, data in files.items()]
    for order in (held, held[::-1]):  # content tells them apart, not names and order
        found = resolve_regions(HeldRegions.of(order), PICTURE, PICTURE)
        assert found == resolve_regions(spec, PICTURE, PICTURE)


def test_panoptic_annotations_alone_do_not_read_the_picture_that_they_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.png").write_bytes(png(SEGMENTS))
    held = HeldRegions.of([HeldFile("p.json", json.dumps(PANOPTIC).encode())])
    with pytest.raises(RegionError, match=r"p\.json: COCO panoptic without its PNG"):
        resolve_regions(held, PICTURE, PICTURE)


def test_two_pictures_and_four_files_are_refused() -> None:
    two = [HeldFile(name, png(LABELS)) for name in ("a.png", "b.png")]
    with pytest.raises(RegionError, match="found 2 files, 2 of them pictures"):
        HeldRegions.of(two)
    with pytest.raises(RegionError, match="found 4 files, 0 of them pictures"):
        HeldRegions.of([HeldFile(f"{k}.json", b"{}") for k in range(4)])


def test_lines_name_the_file_as_its_sender_does() -> None:
    held = HeldRegions.of([HeldFile("mine.json", b"{")])
    with pytest.raises(RegionError, match=r"^mine\.json: not JSON"):
        resolve_regions(held, PICTURE, PICTURE)
    assert str(HeldRegions.of([HeldFile("a.json", b"[]")], "one")) == "a.json,image=one"
