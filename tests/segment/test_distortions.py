"""Regions found by what a model says: whose borders, how many, and the same in either order."""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from skimage.measure import label

from distortion_graph.masks.container import RegionSet
from distortion_graph.segment.distortions import distortion_regions

WORDS = ("clean", "noise", "blur")


@dataclass
class Oracle:
    """Says of a region what most of its pixels suffer, (2, H, W) positions in `WORDS`."""

    truth: NDArray[np.int64]
    asked: list[int] = field(default_factory=list)

    clean = WORDS[0]

    def beliefs(self, regions: RegionSet) -> NDArray[np.float64]:
        self.asked.append(len(regions))
        shares = [
            [np.bincount(side[mask], minlength=len(WORDS)) / mask.sum() for mask in regions.masks()]
            for side in self.truth
        ]
        return np.array(shares)

    def words(self, regions: RegionSet) -> list[tuple[str, str]]:
        anchors, targets = self.beliefs(regions).argmax(-1)
        return [(WORDS[a], WORDS[t]) for a, t in zip(anchors, targets, strict=True)]

    def swapped(self) -> Oracle:
        return Oracle(self.truth[::-1])


def scene(h=200, w=300, seed=0):
    """A soft picture, a version of it with noise on the left and blur in a disc on the right."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 216, (h // 20 + 1, w // 20 + 1, 3), dtype=np.uint8)
    clean = cv2.resize(coarse, (w, h), interpolation=cv2.INTER_CUBIC)
    clean = np.clip(clean + rng.normal(0, 6, clean.shape), 0, 255).astype(np.uint8)
    y, x = np.mgrid[:h, :w]
    truth = np.zeros((2, h, w), np.int64)
    truth[1, :, : w // 3] = 1
    truth[1][(y - h // 2) ** 2 + (x - 3 * w // 4) ** 2 < (h // 4) ** 2] = 2
    noisy = np.clip(clean + rng.normal(0, 40, clean.shape), 0, 255).astype(np.uint8)
    blurred = cv2.GaussianBlur(clean, (0, 0), 4)
    target = np.select(
        [truth[1, ..., None] == 1, truth[1, ..., None] == 2], [noisy, blurred], clean
    )
    return clean, np.asarray(target, np.uint8), truth


def check_tiling(regions, size):
    labels = regions.label_map()
    assert labels.shape == size and regions.areas().sum() == labels.size
    assert regions.ids == tuple(range(1, len(regions) + 1)) and len(regions) <= 25
    assert all(label(labels == i, connectivity=1).max() == 1 for i in regions.ids)
    assert len(set(regions.names)) == len(regions)


@pytest.mark.parametrize("seed", range(3))
def test_each_distortion_is_one_region_named_after_it(seed):
    anchor, target, truth = scene(seed=seed)
    regions = distortion_regions(anchor, target, Oracle(truth))
    check_tiling(regions, (200, 300))
    assert sorted(regions.names) == ["blur, right", "clean, most of the picture", "noise, left"]
    for word, number in (("noise", 1), ("blur", 2)):
        [mask] = regions.masks()[[name.startswith(word) for name in regions.names]]
        true = truth[1] == number
        assert (mask & true).sum() / (mask | true).sum() > 0.85


def test_the_order_of_the_pictures_changes_nothing():
    anchor, target, truth = scene()
    oracle = Oracle(truth)
    assert distortion_regions(anchor, target, oracle) == distortion_regions(
        target, anchor, oracle.swapped()
    )


def test_the_cells_are_asked_about_once_and_then_few_regions():
    anchor, target, truth = scene()
    oracle = Oracle(truth)
    distortion_regions(anchor, target, oracle)
    cells, *rounds = oracle.asked
    assert 100 < cells < 300 and rounds and max(rounds) <= 25
    assert rounds == sorted(set(rounds), reverse=True)


@pytest.mark.parametrize("number", [0, 2])
def test_one_answer_for_all_is_one_region(number):
    anchor, target, truth = scene()
    regions = distortion_regions(anchor, target, Oracle(np.full_like(truth, number)))
    assert regions.names == (f"{WORDS[number]}, whole picture",)
    assert regions.mask(0).all()


def test_a_place_smaller_than_a_cell_is_found():
    clean, _, truth = scene(900, 1200)
    spot = slice(400, 440), slice(600, 640)
    other = clean.copy()
    other[spot] = 255 - clean[spot]
    truth[:] = 0
    truth[1][spot] = 1
    regions = distortion_regions(clean, other, Oracle(truth))
    check_tiling(regions, (900, 1200))
    found = dict(zip(regions.names, regions.masks(), strict=True))
    assert sorted(found) == ["clean, most of the picture", "noise, centre"]
    assert found["noise, centre"][spot].all() and found["noise, centre"].sum() < 9 * 40 * 40


@given(
    size=st.tuples(st.integers(1, 60), st.integers(1, 60)), seed=st.integers(0, 99), data=st.data()
)
def test_pictures_of_any_size_and_answers_of_any_kind(size, seed, data):
    rng = np.random.default_rng(seed)
    anchor, target = rng.integers(0, 256, (2, *size, 3), dtype=np.uint8)
    if data.draw(st.booleans()):
        target = anchor
    truth = rng.integers(0, 3, (2, *size))
    oracle = Oracle(truth)
    regions = distortion_regions(anchor, target, oracle)
    check_tiling(regions, size)
    assert regions == distortion_regions(target, anchor, oracle.swapped())
