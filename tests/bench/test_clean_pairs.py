"""Pairs with pictures that are clean all over: which side is clean, and what stands beside it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

from distortion_graph.bench.clean_pairs import IDENTICAL, CleanSample, clean_pairs
from distortion_graph.bench.protocol import bench_picture, samples_of
from distortion_graph.datasets.pictures import CleanPicture
from distortion_graph.synth.distort import SUBTYPES


def as_jpeg(picture, quality):
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=quality, subsampling="4:2:0")
    return np.asarray(Image.open(memory).convert("RGB"))


@pytest.fixture(scope="module")
def sample():
    rgb = np.ascontiguousarray(photographs.astronaut()[40:160, 160:320])
    labels = (np.mgrid[:120, :160][0] // 40 + 1).astype(np.uint16)
    pictures = [bench_picture(CleanPicture("a", rgb, (labels,)))]
    return CleanSample(rgb, next(samples_of(pictures, "hard")))


def test_a_clean_side_is_the_picture_itself_or_a_good_jpeg_of_it(sample):
    pairs = list(clean_pairs(sample, np.random.default_rng(0)))
    good = [as_jpeg(sample.picture, quality) for quality in (95, 85, 75)]
    for pair in pairs:
        sides = (pair.anchor, pair.target)
        for k in (0, 1):
            there = sides[k]
            is_clean = any(np.array_equal(there, image) for image in (sample.picture, *good))
            assert is_clean == (k in pair.sides), pair.kind
    kinds = [pair.kind for pair in pairs]
    assert kinds.count(IDENTICAL) == 1
    for quality in (95, 85, 75, 60, 40, 10):
        assert kinds.count(f"beside JPEG {quality}") == 1
    both = [pair for pair in pairs if pair.kind == "beside a mixed version"]
    assert both[0].target is sample.versions.target and both[1].anchor is sample.versions.anchor


def test_the_same_generator_gives_the_same_pairs(sample):
    first, second = (list(clean_pairs(sample, np.random.default_rng(5))) for _ in range(2))
    other = list(clean_pairs(sample, np.random.default_rng(6)))

    def same(one, two):
        return all(
            np.array_equal(a.anchor, b.anchor) and np.array_equal(a.target, b.target)
            for a, b in zip(one, two, strict=True)
        )

    assert same(first, second) and not same(first, other)


def test_a_copy_damaged_all_over_says_by_what(sample):
    """JPEG 60 and below and blur by hand; the others are of one type everywhere."""
    damage: dict[str, list[str | None]] = {}
    for pair in clean_pairs(sample, np.random.default_rng(0)):
        damage.setdefault(pair.kind, []).append(pair.damage)
        assert pair.damage is None or pair.sides == (0,)
    assert damage["beside JPEG 60"] == damage["beside JPEG 10"] == ["compression"]
    assert damage["beside a blurred copy"] == ["blur"]
    assert set(damage["beside a copy damaged all over"]) <= set(SUBTYPES)
    assert len(set(damage["beside a copy damaged all over"])) == 3
    for kind in (IDENTICAL, "beside JPEG 75", "beside a mixed version"):
        assert set(damage[kind]) == {None}
