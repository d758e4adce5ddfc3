"""Pixel statistics outside the network are those of `model.pair_encoder`, in any tile."""

from __future__ import annotations

import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.features.cells import pad_picture
from distortion_graph.predict.pixels import cell_statistics


@pytest.mark.parametrize("kind", ["photograph", "random", "grey", "flat"])
def test_they_are_the_networks(kind):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    from distortion_graph.model.pair_encoder import PixelStatistics

    rng = np.random.default_rng(0)
    picture = {
        "photograph": pictures.coffee()[:321, :481],
        "random": rng.integers(0, 256, (70, 35, 3), dtype=np.uint8),
        "grey": np.repeat(rng.integers(0, 256, (33, 47, 1), dtype=np.uint8), 3, 2),
        "flat": np.full((5, 3, 3), 255, np.uint8),
    }[kind]
    padded = pad_picture(np.ascontiguousarray(picture))
    height, width = padded.shape[:2]
    found = cell_statistics(picture, (slice(0, height), slice(0, width)))
    maps = PixelStatistics()(torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 255)
    for ours, theirs in zip(found, (maps, maps * maps), strict=True):
        expected = torch.nn.functional.avg_pool2d(theirs, 4)[0].numpy()
        assert np.abs(ours - expected).max() < 1e-4


def test_a_tile_sees_its_neighbours():
    picture = np.ascontiguousarray(pictures.coffee()[:160, :208])
    whole = cell_statistics(picture, (slice(0, 160), slice(0, 208)))
    part = cell_statistics(picture, (slice(48, 112), slice(16, 128)))
    for one, other in zip(whole, part, strict=True):
        assert np.abs(one[:, 12:28, 4:32] - other).max() < 1e-5
