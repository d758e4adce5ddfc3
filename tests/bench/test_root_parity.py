"""A built root holds the pairs of the protocol in memory: same lists, pixels, masks and truth."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from distortion_graph.bench.protocol import bench_picture, samples_of
from distortion_graph.cli.main import run
from distortion_graph.datasets.pictures import load_labelled
from distortion_graph.datasets.reader import PandaSet


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two labelled pictures, one with two annotators and a region that is too small."""
    folder = tmp_path_factory.mktemp("labelled")
    for part in ("images", "regions"):
        (folder / part).mkdir()
    labels = np.ones((64, 80), np.uint8)
    labels[:, 40:], labels[:3, :3] = 7, 9
    for name in ("coffee", "chelsea"):
        rgb = getattr(pictures, name)()[100:164, 100:180]
        Image.fromarray(rgb).save(folder / "images" / f"{name}.png")
        Image.fromarray(labels).save(folder / "regions" / f"{name}_1.png")
    Image.fromarray(np.ones((64, 80), np.uint8)).save(folder / "regions" / "coffee_0.png")
    return folder


def test_the_root_is_the_protocol(folder, tmp_path):
    root = tmp_path / "root"
    build = ["dataset", "build", str(folder), "--split", "test", "--out", str(root), "--quiet"]
    assert run([*build, "--workers", "1"]) == 0
    reader = PandaSet(root)
    in_memory = [bench_picture(p) for p in load_labelled(folder)]
    for pairs, most in (("hard", 4), ("easy", 25), ("medium", 25)):
        keys = sorted(reader.keys("test", pairs), key=lambda key: key.tag)
        samples = list(samples_of(in_memory, pairs))  # type: ignore[arg-type]
        assert [(*key[:2], key.tag.removesuffix(".png")) for key in keys] == [
            tuple(sample.key) for sample in samples
        ]
        for key, expected in list(zip(keys, samples, strict=True))[-most:]:
            found = reader.sample("test", key)
            assert np.array_equal(found.anchor, expected.anchor)
            assert np.array_equal(found.target, expected.target)
            assert np.array_equal(found.masks, expected.masks)
            for name, column in vars(expected.labels).items():
                assert np.array_equal(getattr(found.labels, name), column), name
