"""What a run is told of the files it is given: what is left out, and what the reader changed."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
from distortion_graph.training.config import DataConfig
from distortion_graph.training.material import open_material


def rgb(seed):
    return np.random.default_rng(seed).integers(0, 256, (40, 60, 3), np.uint8)


def test_a_run_is_told_what_is_left_out_and_what_the_reader_says(tmp_path):
    labelled, alone = tmp_path / "lab", tmp_path / "alone"
    for folder in (labelled / "images", labelled / "regions", alone):
        folder.mkdir(parents=True)
    rgba = np.dstack([rgb(0), np.full((40, 60), 9, np.uint8)])
    Image.fromarray(rgba).save(labelled / "images" / "a.png")
    Image.fromarray(np.ones((40, 60), np.uint8)).save(labelled / "regions" / "a.png")
    frames = [Image.fromarray(rgb(k)).convert("P") for k in range(3)]
    frames[0].save(alone / "b.gif", save_all=True, append_images=frames[1:])
    Image.fromarray(rgb(5)).save(alone / "c.avif")
    (alone / "notes.txt").write_text("x")
    material = open_material(DataConfig((labelled,), (alone,)), cache=tmp_path / "cache")
    assert sorted(picture.tag for picture in material.everything) == ["a", "b", "c"]
    assert list(material.notes) == [
        f"{alone}: 1 file left out (.txt is no suffix of pictures): notes.txt",
        f"{labelled / 'images' / 'a.png'}: transparent pixels were laid on white",
        f"{alone / 'b.gif'}: has 3 frames, only number 1 is used",
    ]
