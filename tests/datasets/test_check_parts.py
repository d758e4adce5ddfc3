"""Masks by their runs, near copies and label tables, against doing it the slow way."""

from __future__ import annotations

import math
import pickle
from itertools import combinations, permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.check.inventory import Inventory
from distortion_graph.datasets.check.masks import mask_facts
from distortion_graph.datasets.check.presence import Named, named_in
from distortion_graph.datasets.fingerprints import NEAR_BITS, bits_apart, near_pairs
from distortion_graph.datasets.label_columns import (
    UNKNOWN,
    LabelColumn,
    RegionLabels,
    compare_all,
    compare_two,
)
from distortion_graph.masks.rle import rle_from_mask, unpack_counts

V = DEFAULT_VOCABULARY


def written(mask):
    rle = rle_from_mask(mask)
    return {"size": list(mask.shape), "counts": unpack_counts(rle.counts).tolist()}


@given(
    h=st.integers(1, 6),
    w=st.integers(1, 6),
    bits=st.integers(0, 2**36 - 1),
    cut=st.lists(st.integers(0, 36), max_size=4),
)
def test_box_and_digest_of_a_mask_are_those_of_its_pixels(h, w, bits, cut):
    mask = np.array([bits >> k & 1 for k in range(h * w)], bool).reshape(h, w)
    value = written(mask)
    facts = mask_facts(value, "here")
    ys, xs = np.nonzero(mask)
    box = None
    if len(ys):
        x, y = int(xs.min()), int(ys.min())
        box = (x, y, int(xs.max()) - x + 1, int(ys.max()) - y + 1)
    assert (facts.size, facts.box) == ((h, w), box)
    counts = list(value["counts"])
    for place in cut:  # the same mask with runs of 0 in it
        counts[place % (len(counts) + 1) : place % (len(counts) + 1)] = [0, 0]
    if counts[:2] != [0, 0] or bits:
        assert mask_facts({"size": [h, w], "counts": counts}, "here") == facts
    assert mask_facts({"size": [h, w], "counts": rle_from_mask(mask).counts}, "here") == facts


def test_different_masks_have_different_digests():
    masks = [np.zeros((4, 6), bool) for _ in range(3)]
    masks[1][2, 3] = True
    masks[2][3, 3] = True
    facts = [mask_facts(written(mask), "here") for mask in masks]
    facts.append(mask_facts(written(np.zeros((6, 4), bool)), "here"))
    assert len({fact.digest for fact in facts}) == 4


def test_near_pairs_are_all_pairs_that_are_near():
    rng = np.random.default_rng(0)
    hashes = [int(v) for v in rng.integers(0, 2**63, 40)]
    for value in hashes[:30]:
        flips = rng.choice(64, int(rng.integers(1, NEAR_BITS + 3)), replace=False)
        hashes.append(value ^ sum(1 << int(bit) for bit in flips))
    near = {
        frozenset(pair) for pair in combinations(set(hashes), 2) if bits_apart(*pair) <= NEAR_BITS
    }
    assert len(near) > 10
    assert {frozenset(pair) for pair in near_pairs(hashes)} == near


def columns(count, seed=0, regions=7):
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(count):
        column = LabelColumn()
        for tag in ("a", "b"):
            scores = (
                rng.integers(0, 21, regions) / 20
            )  # differences of exactly .1 and .3 among them
            column.add(tag, [RegionLabels(1, 2, float(s), True) for s in scores], 0.5)
        made.append(column)
    return made


def test_comparisons_of_all_pairs_are_those_of_each_pair():
    made = columns(5)
    expected = np.zeros(len(V.comparisons), int)
    for anchor, target in permutations(made, 2):
        for a, b in zip(anchor.scores_of("a"), target.scores_of("a"), strict=True):
            expected[V.comparison_index(V.compare_scores(a, b).label)] += 1
    assert compare_all("a", made, V).tolist() == expected.tolist()
    each = sum(compare_two("a", x, y, V) for x, y in permutations(made, 2))
    assert each.tolist() == expected.tolist()  # type: ignore[union-attr]
    assert compare_two("a", made[0], made[1], V).sum() == 7


def test_what_has_no_score_or_no_partner_is_not_compared():
    whole, gaps, other = LabelColumn(), LabelColumn(), LabelColumn()
    whole.add("a", [RegionLabels(1, 1, 0.5, True)] * 3, 0.5)
    gaps.add(
        "a",
        [
            RegionLabels(1, 1, math.nan, True),
            RegionLabels(1, 1, 0.5, False),
            RegionLabels(1, 1, 0.5, True),
        ],
        0.5,
    )
    other.add("a", [RegionLabels(1, 1, 0.5, True)] * 2, 0.5)
    other.add("b", [], 0.5)
    assert compare_two("a", whole, gaps, V).tolist() == [0, 0, 1, 0, 0]
    assert compare_two("a", whole, other, V).sum() == 0
    assert compare_two("b", whole, other, V).sum() == 0
    assert compare_all("a", [whole, gaps, other], V).tolist() == [0, 0, 2, 0, 0]
    assert compare_all("c", [whole, gaps], V).sum() == 0


def test_a_column_keeps_what_it_was_given():
    column = LabelColumn()
    column.add("x", [RegionLabels(3, 1, 0.25, True), RegionLabels(UNKNOWN, 2, 1.0, False)], 0.125)
    column.add("y", [], math.nan)
    column.add("z", [RegionLabels(3, 3, 0.75, True)], 1.0)
    for kept in (column, pickle.loads(pickle.dumps(column))):
        assert (len(kept), kept.tags, "y" in kept, "q" in kept) == (3, ("x", "y", "z"), True, False)
        assert kept.counts.tolist() == [2, 0, 1]
        assert kept.distortion.tolist() == [3, UNKNOWN, 3]
        assert kept.severity.tolist() == [1, 2, 3]
        assert kept.score.tolist() == [0.25, 1.0, 0.75]
        assert kept.usable.tolist() == [True, False, True]
        assert kept.scene_scores[[0, 2]].tolist() == [0.125, 1.0]
        assert kept.scores_of("x")[0] == 0.25
        assert np.isnan(kept.scores_of("x")[1])
        assert kept.scores_of("y").shape == (0,)
        table = kept.table(V)
        assert table.shape == (len(V.distortions), len(V.severities))
        assert (table[3].tolist(), table.sum()) == ([0, 1, 0, 1], 2)


def test_a_table_of_nothing_is_zero():
    assert LabelColumn().table(V).sum() == 0


@pytest.mark.parametrize("value", [None])
def test_a_mask_that_is_null_has_no_facts(value):
    with pytest.raises(ValueError, match="null"):
        mask_facts(value, "here")


def test_pictures_that_labels_name_come_in_an_order_that_no_hash_decides():
    names = [f"picture {k:02}.png" for k in range(40)]
    labels = {("test", "blur"): Named(set(names), whole=True)}
    assert [*named_in("test", Inventory(Path(), ("blur",)), labels)] == names
