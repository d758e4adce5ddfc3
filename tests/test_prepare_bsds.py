"""The official BSDS500 archive becomes what the sources of the data set read."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from optional import present
from PIL import Image
from scipy.io import savemat
from scripts import loaded

from distortion_graph.datasets.pictures import load_labelled

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "prepare_bsds.py"
SIZE = (48, 64)


@pytest.fixture(scope="module")
def script() -> ModuleType:
    return loaded(SCRIPT)


def grid(rows, columns, dtype=np.uint16):
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (y * rows // SIZE[0] * columns + x * columns // SIZE[1] + 1).astype(dtype)


def write_mat(path, maps):
    """A ground-truth file as MATLAB wrote them: a 1×N cell of structs."""
    cells = np.empty((1, len(maps)), object)
    for k, labels in enumerate(maps):
        cells[0, k] = {"Segmentation": labels, "Boundaries": np.zeros(labels.shape, np.uint8)}
    savemat(path, {"groundTruth": cells})


@pytest.fixture
def archive(tmp_path):
    data = tmp_path / "BSR" / "BSDS500" / "data"
    for split, names in {"train": ("12",), "val": ("34", "56")}.items():
        for part in ("images", "groundTruth"):
            (data / part / split).mkdir(parents=True)
        for name in names:
            rgb = np.full((*SIZE, 3), int(name), np.uint8)
            Image.fromarray(rgb).save(data / "images" / split / f"{name}.jpg")
            write_mat(data / "groundTruth" / split / f"{name}.mat", [grid(2, 2), grid(20, 20)])
        (data / "images" / split / "Thumbs.db").write_bytes(b"left behind by Windows")
    return data


def run(script, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["prepare_bsds.py", *map(str, arguments)])
    script.main()


def test_pictures_are_copied_and_every_annotator_is_a_label_map(
    script, archive, tmp_path, monkeypatch, capsys
):
    out = tmp_path / "out"
    run(script, monkeypatch, archive, out)
    assert capsys.readouterr().out.splitlines() == [
        f"{out / 'train'}: 1 pictures, 2 label maps",
        f"{out / 'val'}: 2 pictures, 4 label maps",
    ]
    assert sorted(p.name for p in (out / "val").rglob("*.*")) == [
        "34.jpg", "34_0.png", "34_1.png", "56.jpg", "56_0.png", "56_1.png",
    ]  # fmt: skip
    copied = (out / "val" / "images" / "34.jpg").read_bytes()
    assert copied == (archive / "images" / "val" / "34.jpg").read_bytes()
    first, second = (
        cv2.imread(str(out / "val" / "regions" / f"34_{k}.png"), cv2.IMREAD_UNCHANGED)
        for k in (0, 1)
    )
    assert present(first).dtype == np.uint8 and np.array_equal(present(first), grid(2, 2))
    assert present(second).dtype == np.uint16 and np.array_equal(present(second), grid(20, 20))
    loaded = load_labelled(out / "val")
    assert [p.tag for p in loaded] == ["34", "56"]
    assert np.array_equal(loaded[0].label_maps[1], grid(20, 20))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, r"34\.mat: no such file, expected the ground truth of this picture"),
        ([], r"34\.mat: has no segmentation, expected one an annotator"),
        (b"MATLAB 7.3 no more", r"34\.mat: cannot be read as ground truth of BSDS500 \("),
        ({"other": 1}, r"34\.mat: cannot be read as ground truth of BSDS500 \(KeyError: 'ground"),
        ([grid(2, 2)[:20]], r"34\.mat: Segmentation is 64×20, but .*34\.jpg is 64×48 pixels"),
        ([grid(2, 2, float)], r"34\.mat: Segmentation is \(48, 64\) of float64, expected an"),
    ],
)
def test_other_ground_truth_is_one_line(script, archive, tmp_path, content, expected):
    path = archive / "groundTruth" / "val" / "34.mat"
    if content is None:
        path.unlink()
    elif isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        savemat(path, content)
    else:
        write_mat(path, content)
    with pytest.raises(script.DatasetError, match=expected) as caught:
        list(script.prepare(archive, tmp_path / "out"))
    assert "\n" not in str(caught.value)


def test_another_folder_is_one_line(script, tmp_path):
    with pytest.raises(script.DatasetError, match="no images/train, images/val or images/test"):
        list(script.prepare(tmp_path, tmp_path / "out"))
    (tmp_path / "images" / "val").mkdir(parents=True)
    with pytest.raises(script.DatasetError, match=r"images/val: no \*\.jpg there, expected the"):
        list(script.prepare(tmp_path, tmp_path / "out"))
