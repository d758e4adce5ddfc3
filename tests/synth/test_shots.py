"""Shots: what versions are made of. They are clean, keyed, and as frequent as the shares say."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from skimage import data as photographs

from distortion_graph.base.errors import RecipeError
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import HAARPSI
from distortion_graph.synth.keys import generator
from distortion_graph.synth.pairs import make_pair, suffered_by
from distortion_graph.synth.recipes import DEFAULT_RECIPE, WILD_RECIPE
from distortion_graph.synth.shots import (
    NO_HISTORY,
    WILD_SHOTS,
    ShotShares,
    common_shot,
    draw_shots,
    version_shot,
)
from distortion_graph.synth.synthesis import MIXED, make_version, make_versions
from distortion_graph.synth.warps import Motion, Warp, apply_warp

CLEAN = np.ascontiguousarray(photographs.coffee()[100:196, 200:328])
TINY = np.ascontiguousarray(CLEAN[:16, :16])
REGIONS = RegionSet.grid(CLEAN.shape[:2], 1, 2)
ALWAYS = ShotShares(1, 1, 1)
KEY: dict[str, Any] = {"tag": "coffee", "seed": 4}


def versions_of(names, shares, recipe=DEFAULT_RECIPE):
    made = make_versions(
        CLEAN, REGIONS.masks(), REGIONS.ids, names, **KEY, recipe=recipe, shares=shares
    )
    return {version.name: version for version in made}


def test_without_shares_versions_are_made_of_the_clean_picture_itself():
    made = versions_of(MIXED, NO_HISTORY)
    for name, version in made.items():
        alone = make_version(CLEAN, REGIONS.masks(), REGIONS.ids, version=name, **KEY)
        assert version.shot is None and np.array_equal(version.image, alone.image)
    anchor, target = draw_shots(CLEAN, NO_HISTORY, generator(0))
    assert anchor is CLEAN and target is CLEAN


def test_looks_and_misalignment_alone_score_one():
    untouched = replace(DEFAULT_RECIPE, clean_share=1.0)
    for version in versions_of(MIXED, ALWAYS, untouched).values():
        assert version.shot is not None and np.array_equal(version.image, version.shot.rgb)
        assert not np.array_equal(version.image, CLEAN)
        assert version.scores.tolist() == [1, 1] and version.scene_score == 1


def test_scores_are_against_the_shot():
    masks = REGIONS.masks()
    for version in versions_of(("blur", "mixed"), ALWAYS).values():
        scores = HAARPSI.against(version.shot.rgb).region_scores(version.image, masks)
        assert np.array_equal(version.scores, scores)
        assert not np.allclose(HAARPSI.against(CLEAN).region_scores(version.image, masks), scores)


def test_a_version_does_not_depend_on_the_others_that_are_made():
    forth = versions_of(("blur", "noise", "mixed"), WILD_SHOTS, WILD_RECIPE)
    back = versions_of(("mixed", "blur"), WILD_SHOTS, WILD_RECIPE)
    for name, version in back.items():
        assert np.array_equal(version.image, forth[name].image)
        assert version.draws == forth[name].draws
    pair = make_pair(
        CLEAN, REGIONS, **KEY, versions=("noise", "mixed"), recipe=WILD_RECIPE, shares=WILD_SHOTS
    )
    for version in (pair.anchor, pair.target):
        assert np.array_equal(version.image, forth[version.name].image)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_in_so_many_pairs_one_picture_is_moved(share):
    shares, count = ShotShares(moved_share=share), 500
    different = 0
    for k in range(count):
        common = common_shot(TINY, shares, seed=0, tag=str(k))
        shots = [version_shot(common, shares, seed=0, tag=str(k), version=v) for v in MIXED]
        assert common.rgb is TINY
        different += any(shot.warp is not None for shot in shots)
    # Four standard deviations of a binomial of 500.
    assert abs(different / count - share) <= 4 * (share * (1 - share) / count) ** 0.5
    drawn = [draw_shots(TINY, shares, generator("pair", k)) for k in range(count)]
    moved = sum(anchor is not target for anchor, target in drawn)
    assert abs(moved / count - share) <= 4 * (share * (1 - share) / count) ** 0.5


def test_the_common_look_is_the_same_in_all_versions():
    looked = ShotShares(look_share=1.0)
    for seed in range(6):
        common = common_shot(CLEAN, looked, seed=seed, tag="a")
        for version in ("blur", *MIXED):
            assert version_shot(common, looked, seed=seed, tag="a", version=version) is common
    assert len({len(common_shot(CLEAN, looked, seed=s, tag="a").looks) for s in range(6)}) == 2


def test_the_facts_of_a_warp_are_enough_to_move_the_picture_again():
    moved = ShotShares(moved_share=1.0)
    seen = set()
    for seed in range(40):
        shot = version_shot(
            common_shot(CLEAN, moved, seed=seed, tag="a"), moved, seed=seed, tag="a", version="blur"
        )
        facts = json.loads(json.dumps(shot.facts()))
        warp = facts["warp"]
        warp["motions"] = tuple(Motion(**motion) for motion in warp["motions"])
        warp["shift_px"] = tuple(warp["shift_px"])
        assert Warp(**warp) == shot.warp and set(facts) == {"warp"}
        assert np.array_equal(apply_warp(CLEAN, Warp(**warp)), shot.rgb)
        seen.add(bool(warp["motions"]))
    assert seen == {True, False}


def test_the_facts_of_looks_name_the_steps_that_were_taken():
    looked = ShotShares(look_share=1.0)
    for seed in range(40):
        shot = common_shot(CLEAN, looked, seed=seed, tag="a")
        facts = json.loads(json.dumps(shot.facts()))
        assert len(facts.get("looks", [])) == len(shot.looks)
        for look, told in zip(shot.looks, facts.get("looks", []), strict=True):
            assert set(told) == {name for name, step in vars(look).items() if step}
            if look.codec:
                assert told["codec"] == look.codec._asdict()


def test_what_is_suffered_has_the_first_distortion_and_the_further_ones():
    recipe = replace(WILD_RECIPE, also_share=1.0, clean_share=0.3)
    words = recipe.vocabulary
    several = 0
    for seed in range(6):
        pair = make_pair(CLEAN, REGIONS, tag="coffee", seed=seed, recipe=recipe)
        each = suffered_by(pair.anchor, pair.target, words).severity
        for side, version in enumerate((pair.anchor, pair.target)):
            for k, draw in enumerate(version.draws):
                suffered = {words.distortions[d] for d in np.flatnonzero(each[side, k])}
                parts = [draw, *draw.also]
                assert suffered == {p.distortion for p in parts} - {words.clean}
                for part in parts:
                    d = words.distortion_index(part.distortion)
                    assert words.severities[each[side, k, d]] == part.severity
                several += len(suffered) > 1
    assert several > 3


def test_shares_that_cannot_be():
    with pytest.raises(RecipeError, match=r"^moved_share must be in \[0, 1\], got 1.5$"):
        ShotShares(moved_share=1.5)
    with pytest.raises(RecipeError, match="look_share"):
        ShotShares(look_share=float("nan"))
