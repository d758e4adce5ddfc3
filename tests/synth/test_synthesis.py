"""Degraded versions hold to their recipe, key and masks."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.base.errors import RecipeError, RegionError, VocabularyError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, ComparisonLevel, Vocabulary
from distortion_graph.measure.quality import haarpsi
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import (
    DEFAULT_RECIPE,
    Recipe,
    draw_region,
    draw_strength,
    make_version,
    paste,
)

CLEAN = np.ascontiguousarray(pictures.coffee()[100:228, 200:360])
H, W = CLEAN.shape[:2]
MASKS = np.zeros((3, H, W), bool)
MASKS[0, :, :50] = True
MASKS[1, 20:90, 50:110] = True
MASKS[2, 60:, 90:] = True
UNLABELLED = ~MASKS.any(0)


def version(name="mixed", **options):
    arguments = {"version": name, "tag": "coffee", "seed": 0} | options
    return make_version(CLEAN, MASKS, [5, 6, 9], **arguments)


def test_the_same_key_gives_the_same_bytes():
    first, second = version(), version()
    assert np.array_equal(first.image, second.image) and first.draws == second.draws
    assert not np.array_equal(first.image, version(seed=1).image)
    assert not np.array_equal(first.image, version(tag="tea").image)
    assert not np.array_equal(first.image, version("mixed2").image)


def test_a_region_draws_the_same_whatever_stands_beside_it():
    alone = make_version(CLEAN, MASKS[1:2], [6], version="mixed", tag="coffee", seed=0)
    together = version()
    assert alone.draws[0] == together.draws[1]
    own = MASKS[1] & ~MASKS[2]
    assert np.array_equal(alone.image[own], together.image[own])


def test_single_type_versions_leave_no_region_clean_and_nothing_else_touched():
    for name in DEFAULT_RECIPE.types:
        made = version(name)
        assert {d.distortion for d in made.draws} == {name}
        assert all(d.severity != "clean" and d.level for d in made.draws)
        assert np.array_equal(made.image[UNLABELLED], CLEAN[UNLABELLED])
        assert (made.scores < 1).all()


def test_where_masks_overlap_the_later_region_wins():
    both = MASKS[1] & MASKS[2]
    assert both.any()
    later = make_version(CLEAN, MASKS[2:], [9], version="blur", tag="coffee", seed=0)
    assert np.array_equal(version("blur").image[both], later.image[both])


def test_severity_decides_the_levels():
    seen: Counter[Any] = Counter()
    for k in range(600):
        draw = draw_region("noise", DEFAULT_RECIPE, generator(0, "levels", k))
        seen[draw.severity, draw.level] += 1
    assert set(seen) == {
        ("minor", 1),
        ("minor", 2),
        ("moderate", 3),
        ("severe", 4),
        ("severe", 5),
    }
    assert seen["moderate", 3] == pytest.approx(200, abs=45)


def test_mixed_versions_keep_the_clean_share_and_draw_all_types_alike():
    draws = [draw_region("mixed", DEFAULT_RECIPE, generator(0, "mix", k)) for k in range(4000)]
    labels = Counter(d.distortion for d in draws)
    assert labels.pop("clean") / 4000 == pytest.approx(0.2, abs=0.02)
    assert set(labels) == set(DEFAULT_RECIPE.types)
    assert max(labels.values()) < 1.5 * min(labels.values())
    assert not any(d.subtype == "webp" for d in draws)


def test_clean_regions_score_exactly_one_and_scores_are_the_metrics():
    all_clean = Recipe(clean_share=1.0)
    made = version(recipe=all_clean)
    assert np.array_equal(made.image, CLEAN)
    assert made.scores.tolist() == [1, 1, 1] and made.scene_score == 1
    degraded = version("blur")
    only = np.where(MASKS[0][..., None], degraded.image, CLEAN)
    whole = make_version(CLEAN, np.ones((1, H, W), bool), [0], version="blur", tag="coffee", seed=0)
    assert whole.scores[0] == pytest.approx(haarpsi(CLEAN, whole.image), abs=1e-9)
    assert degraded.scores[0] < haarpsi(CLEAN, only)


def test_feathering_fades_in_from_the_edge_and_leaves_the_outside_alone():
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    mask = np.zeros((40, 40), bool)
    mask[:, 20:] = True
    hard, soft = paste(black, white, mask), paste(black, white, mask, feather_px=2)
    assert set(np.unique(hard)) == {0, 255}
    assert (soft[:, :20] == 0).all() and soft[0, 39, 0] == 255
    assert 0 < soft[0, 20, 0] < soft[0, 22, 0] < soft[0, 24, 0] <= 255


@pytest.mark.parametrize("feather_px", [1.0, 3.0, float("inf")])
def test_a_thin_region_still_shows_its_distortion_when_feathered(feather_px):
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    for thin in (np.s_[18:22], np.s_[20:21]):
        mask = np.zeros((40, 40), bool)
        mask[thin] = True
        made = paste(black, white, mask, feather_px)
        assert made[mask].max() > 127 and not made[~mask].any()
    nothing = np.zeros((40, 40), bool)
    assert np.array_equal(paste(black, white, nothing, feather_px), black)
    assert np.array_equal(paste(black, white, ~nothing, feather_px), white)


def test_feathered_neighbours_leave_a_clean_region_clean():
    made = make_version(
        CLEAN,
        MASKS[:2],
        [0, 1],
        version="mixed",
        tag="edges",
        seed=1,
        recipe=Recipe(feather_px=2, clean_share=0.5),
    )
    assert sorted(d.distortion == "clean" for d in made.draws) == [False, True]
    clean = [d.distortion for d in made.draws].index("clean")
    assert made.scores[clean] == 1 and made.scores[1 - clean] < 1


def test_another_vocabulary_needs_no_other_code():
    words = Vocabulary(
        distortions=("fine", "blur", "noise"),
        severities=("fine", "bad"),
        comparisons=tuple(
            ComparisonLevel(label=label, rank=rank, min_abs_d=d)
            for label, rank, d in (("worse", -1, 0.2), ("equal", 0, 0), ("better", 1, 0.2))
        ),
    )
    recipe = Recipe(vocabulary=words, severity_levels={"bad": (2, 4)})
    draws = [draw_region("mixed", recipe, generator(0, k)) for k in range(300)]
    assert {d.distortion for d in draws} == {"fine", "blur", "noise"}
    assert {(d.severity, d.level) for d in draws} == {("fine", 0), ("bad", 2), ("bad", 4)}


def test_errors():
    with pytest.raises(RecipeError, match="unknown version 'blurr'"):
        version("blurr")
    with pytest.raises(RecipeError, match="severity_levels must list"):
        Recipe(severity_levels={"minor": (1,)})
    with pytest.raises(RecipeError, match="clean_share"):
        Recipe(clean_share=1.5)
    with pytest.raises(RecipeError, match=r"levels of 'severe' must be some of 1 to 5, got \(\)"):
        Recipe(severity_levels={"minor": (1,), "moderate": (3,), "severe": ()})
    with pytest.raises(RegionError, match=r"masks must be \(2, 128, 160\) bool, .*got \(3, "):
        make_version(CLEAN, MASKS, [0, 1], version="blur", tag="coffee", seed=0)
    with pytest.raises(VocabularyError, match="did you mean 'blur'"):
        draw_strength("blurr", "minor", DEFAULT_RECIPE, generator(0))
    words = DEFAULT_VOCABULARY.model_copy(update={"distortions": ("clean", "fog")})
    with pytest.raises(RecipeError, match=r"no distortion is known under \['fog'\]"):
        Recipe(vocabulary=words)
