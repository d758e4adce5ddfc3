"""Shares of a data set: exact, the same every time, and no copy on two sides."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import numpy as np
import pytest
from build_samples import photo
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.fingerprints import NEAR_BITS, near_hash, pixel_hash
from distortion_graph.datasets.make.splits import (
    DEFAULT_SPLITS,
    Fingerprint,
    parse_splits,
    split_by_lists,
    split_by_quota,
)

RATIOS = {"train": 0.8, "val": 0.1, "test": 0.1}


def prints_of(count, near=None):
    """Different pictures, whose near-copy hashes are far apart unless `near` gives them."""
    return {
        f"p{k}": Fingerprint(
            hashlib.sha256(str(k).encode()).hexdigest(),
            int.from_bytes(hashlib.sha256(f"n{k}".encode()).digest()[:8], "big")
            if near is None
            else near[k],
        )
        for k in range(count)
    }


@pytest.mark.parametrize(
    ("count", "expected"),
    [(10, (8, 1, 1)), (100, (80, 10, 10)), (7, (5, 1, 1)), (1, (1, 0, 0)), (0, (0, 0, 0))],
)
def test_quotas_are_exact(count, expected):
    found = Counter(split_by_quota(prints_of(count), RATIOS, 0).values())
    assert tuple(found[split] for split in RATIOS) == expected


def test_a_split_depends_on_seed_and_pixels_and_not_on_names_or_order():
    prints = prints_of(60)
    first = split_by_quota(prints, RATIOS, 0)
    backwards = dict(reversed(prints.items()))
    assert split_by_quota(backwards, RATIOS, 0) == first
    renamed = {f"other-{stem}": seen for stem, seen in prints.items()}
    assert split_by_quota(renamed, RATIOS, 0) == {f"other-{s}": v for s, v in first.items()}
    assert split_by_quota(prints, RATIOS, 1) != first


def test_one_picture_more_moves_at_most_one_of_each_split():
    prints = prints_of(101)
    fewer = dict(list(prints.items())[:-1])
    before, after = split_by_quota(fewer, RATIOS, 0), split_by_quota(prints, RATIOS, 0)
    assert sum(before[stem] != after[stem] for stem in fewer) <= len(RATIOS) - 1


def test_copies_and_near_copies_stay_together_also_through_others():
    prints = prints_of(50)
    chain = [0, 0b1111, 0b1111_1111, 1 << 63 | 0b1111_1111]
    for k, near in enumerate(chain):
        prints[f"chain{k}"] = Fingerprint(f"{k:064x}", near)
    prints["copy"] = Fingerprint(prints["p3"].pixels, 1 << 40 | 7 << 50)
    for seed in range(20):
        found = split_by_quota(prints, RATIOS, seed)
        assert len({found[f"chain{k}"] for k in range(len(chain))}) == 1
        assert found["copy"] == found["p3"]


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=12), st.data())
def test_near_copies_are_found_wherever_their_bits_differ(hashes, data):
    flips = data.draw(st.sets(st.integers(0, 63), max_size=NEAR_BITS))
    near = [*hashes, hashes[0] ^ sum(1 << bit for bit in flips)]
    found = split_by_quota(prints_of(len(near), near), {"train": 0.5, "test": 0.5}, 0)
    assert found["p0"] == found[f"p{len(near) - 1}"]


def test_a_re_encoded_picture_is_a_near_copy(tmp_path):
    from PIL import Image

    rgb = photo(3, (120, 160))
    Image.fromarray(rgb).save(tmp_path / "a.jpg", quality=90)
    again = np.asarray(Image.open(tmp_path / "a.jpg"))
    prints = prints_of(30)
    prints["a"] = Fingerprint(pixel_hash(rgb), near_hash(rgb))
    prints["b"] = Fingerprint(pixel_hash(again), near_hash(again))
    assert prints["a"].pixels != prints["b"].pixels
    for seed in range(10):
        found = split_by_quota(prints, RATIOS, seed)
        assert found["a"] == found["b"]


def test_rules_in_words():
    assert parse_splits("train=8,val=1,test=1") == DEFAULT_SPLITS
    assert dict(DEFAULT_SPLITS.ratios) == pytest.approx(RATIOS)
    assert DEFAULT_SPLITS.needs_pixels
    assert parse_splits("test").ratios == {"test": 1.0} and not parse_splits("test").needs_pixels
    assert parse_splits("source").ratios == {} and parse_splits("source").lists is None


@pytest.mark.parametrize(
    "text",
    ["", "all", "train=.8,train=.2", "train=0", "train=-1,test=2", "train=nan", "train=inf", "a=1"],
)
def test_rules_that_are_none(text):
    with pytest.raises(DatasetError, match=r"expected") as caught:
        parse_splits(text)
    assert "\n" not in str(caught.value)


def test_lists_of_names(tmp_path):
    path = tmp_path / "lists.json"
    path.write_text(json.dumps({"train": ["a"], "test": ["b"]}))
    rule = parse_splits(str(path))
    assert rule.lists == {"train": ("a",), "test": ("b",)} and not rule.needs_pixels
    assert split_by_lists(["a", "b", "c"], rule.lists) == {"a": "train", "b": "test", "c": None}
    with pytest.raises(DatasetError, match="'b' is listed under test and no source has a picture"):
        split_by_lists(["a"], rule.lists)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[", "cannot be read as JSON"),
        ("[]", 'expected {"train"'),
        ('{"dev": []}', "unknown split 'dev', expected train, val, test"),
        ('{"train": "a"}', "train must be a list of picture names"),
        ('{"train": ["a"], "val": ["a"]}', "'a' is listed under train and val"),
    ],
)
def test_bad_lists_are_one_line(tmp_path, text, words):
    path = tmp_path / "lists.json"
    path.write_text(text)
    with pytest.raises(DatasetError) as caught:
        parse_splits(str(path))
    assert words in str(caught.value) and str(path) in str(caught.value)
    with pytest.raises(DatasetError, match="no such file"):
        parse_splits(str(tmp_path / "nix.json"))
