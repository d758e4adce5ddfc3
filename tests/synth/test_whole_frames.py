"""What a whole frame has lost decides its labels, and which of its distortions comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.base.errors import RecipeError
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import HAARPSI, haarpsi
from distortion_graph.synth.distort import HELD_OUT, WILD, Frames
from distortion_graph.synth.distort.level_losses import level_losses
from distortion_graph.synth.keys import generator
from distortion_graph.synth.pairs import make_pair
from distortion_graph.synth.recipes import DEFAULT_RECIPE, WILD_RECIPE, Draw, draw_region
from distortion_graph.synth.synthesis import make_version
from distortion_graph.synth.whole_frames import (
    AS_THEY_HAPPEN,
    apply_draw,
    labelled_frame,
    severity_of_loss,
)

CLEAN = np.ascontiguousarray(pictures.coffee()[100:228, 150:310])
REGIONS = RegionSet.grid(CLEAN.shape[:2], 2, 2)


def test_the_borders_are_those_of_the_table():
    row = level_losses().by_type["noise"]
    expected = [
        (0, "clean"),
        (0.499 * row[0], "clean"),
        (0.501 * row[0], "minor"),
        ((row[1] + row[2]) / 2 - 1e-6, "minor"),
        ((row[1] + row[2]) / 2 + 1e-6, "moderate"),
        ((row[2] + row[3]) / 2 - 1e-6, "moderate"),
        ((row[2] + row[3]) / 2 + 1e-6, "severe"),
        (1, "severe"),
    ]
    for loss, severity in expected:
        assert severity_of_loss("noise", loss, WILD_RECIPE) == severity, loss


def test_severities_that_share_levels_have_no_border():
    shared = replace(
        WILD_RECIPE, severity_levels={"minor": (1, 3), "moderate": (2,), "severe": (4, 5)}
    )
    with pytest.raises(RecipeError, match="severities that rise with their levels"):
        severity_of_loss("noise", 0.9, shared)
    with pytest.raises(RecipeError, match="labelled_by must be level or loss, got 'score'"):
        replace(WILD_RECIPE, labelled_by="score")  # type: ignore[arg-type]


def test_a_weak_draw_is_clean_and_still_says_what_it_was():
    for level, distortion in ((0.1, "clean"), (5.0, "noise")):
        draw = Draw("noise", "minor", "sensor", level)
        made, frame = labelled_frame(draw, Frames(CLEAN), WILD_RECIPE, generator(0))
        assert np.array_equal(frame, apply_draw(CLEAN, draw, generator(0)))
        assert made.distortion == distortion and made.level == level
        assert made.applied == ("noise", "sensor")
        kept, _ = labelled_frame(draw, Frames(CLEAN), DEFAULT_RECIPE, generator(0))
        assert kept == draw


def test_every_draw_of_a_version_has_the_label_of_its_frame():
    kinds = set()
    for seed in range(6):
        key: Any = {"version": "mixed", "tag": "coffee", "seed": seed, "recipe": WILD_RECIPE}
        version = make_version(CLEAN, REGIONS.masks(), REGIONS.ids, **key)
        again = make_version(
            CLEAN,
            REGIONS.masks(),
            REGIONS.ids,
            frames=Frames(CLEAN),
            reference=HAARPSI.against(CLEAN),
            **key,
        )
        assert np.array_equal(version.image, again.image) and version.draws == again.draws
        for mask, region_id, made in zip(REGIONS.masks(), REGIONS.ids, version.draws, strict=True):
            rng = generator(seed, "coffee", "mixed", int(region_id))
            asked = draw_region("mixed", WILD_RECIPE, rng)
            frame = apply_draw(CLEAN, asked, rng)
            assert np.array_equal(version.image[mask], frame[mask])
            if asked.applied is None:
                assert made == asked
                continue
            lost = 1 - haarpsi(CLEAN, frame)
            assert made.severity == severity_of_loss(asked.distortion, lost, WILD_RECIPE)
            assert made.applied == asked.applied
            kinds.add(made.severity)
    assert {"minor", "severe"} <= kinds


def test_levels_are_drawn_anywhere_down_to_the_one_below():
    draws = [draw_region("noise", WILD_RECIPE, generator("level", k)) for k in range(600)]
    levels = np.array([draw.level for draw in draws])
    assert 0 < levels.min() < 0.1 and 4.9 < levels.max() <= 5
    assert 0.1 < (levels < 1).mean() < 0.25  # half of the minor ones
    jitters = [d for d in draws if d.subtype == "jitter"]
    assert all(float(d.level).is_integer() for d in jitters)


def test_wild_draws_all_but_what_is_held_out():
    drawn = {e.full_name for label in WILD_RECIPE.types for e in WILD_RECIPE.sub_types(label)}
    assert drawn >= {e.full_name for e in WILD if e.available} - set(HELD_OUT)
    assert not drawn & set(HELD_OUT)
    published = {
        e.full_name for label in WILD_RECIPE.types for e in DEFAULT_RECIPE.sub_types(label)
    }
    assert published < drawn


def test_a_wild_pair_has_a_true_graph_with_clean_nodes_below_one():
    below = 0
    for seed in range(12):
        pair = make_pair(CLEAN, REGIONS, tag="coffee", seed=seed, recipe=WILD_RECIPE)
        for region in pair.graph.regions:
            for node in (region.anchor, region.target):
                assert (node.distortion.label == "clean") == (node.severity.label == "clean")
                assert node.score is not None
                below += node.distortion.label == "clean" and 0.7 < node.score < 1
    assert below > 0


def alone(part, seed):
    return 1 - haarpsi(CLEAN, apply_draw(CLEAN, part, generator(seed)))


def test_of_several_the_one_that_loses_most_comes_first_and_the_weakest_are_left_out():
    weak = Draw("darken", "minor", "rgb_gamma", 0.05)
    middle = Draw("compression", "minor", "jpeg", 2)
    strong = Draw("blur", "minor", "gaussian", 5)
    assert alone(weak, 0) < alone(middle, 0) < alone(strong, 0)
    asked = replace(weak, also=(middle, strong))
    made, frame = labelled_frame(asked, Frames(CLEAN), WILD_RECIPE, generator(0))
    assert (made.distortion, made.severity, made.level) == ("blur", "severe", 5)
    assert [(d.distortion, d.level, d.also) for d in made.also] == [("compression", 2, ())]
    # Blur and JPEG draw nothing, so that the frame is known: first the lens, then the file.
    blurred = apply_draw(CLEAN, strong, generator(1))
    assert np.array_equal(frame, apply_draw(blurred, middle, generator(1)))


def test_weak_ones_alone_are_clean():
    asked = Draw(
        *("darken", "minor", "rgb_gamma", 0.02), (Draw("noise", "minor", "gaussian_rgb", 0.02),)
    )
    made, frame = labelled_frame(asked, Frames(CLEAN), WILD_RECIPE, generator(0))
    assert made.distortion == made.severity == "clean" and made.also == ()
    assert made.applied is not None
    kind, name = made.applied
    assert alone(made, 0) == pytest.approx(1 - haarpsi(CLEAN, frame), abs=0.01), (kind, name)


def test_distortions_happen_from_the_air_to_the_file():
    assert set(AS_THEY_HAPPEN) == set(WILD_RECIPE.types)
    noise, jpeg = Draw("noise", "severe", "impulse", 5), Draw("compression", "severe", "jpeg", 5)
    noisy = apply_draw(CLEAN, noise, generator(0))
    expected = apply_draw(noisy, jpeg, generator(0))  # JPEG draws nothing
    for draw in (replace(noise, also=(jpeg,)), replace(jpeg, also=(noise,))):
        assert np.array_equal(apply_draw(CLEAN, draw, generator(0)), expected)


def test_several_are_drawn_as_often_as_asked_and_of_different_types():
    recipe = replace(WILD_RECIPE, also_share=0.4, clean_share=0)
    draws = [draw_region("mixed", recipe, generator("also", k)) for k in range(800)]
    counts = np.array([len(draw.also) for draw in draws])
    assert (counts > 0).mean() == pytest.approx(0.4, abs=0.06)
    assert (counts == 2).mean() == pytest.approx(0.16, abs=0.05) and counts.max() == 2
    for draw in draws:
        kinds = [draw.distortion, *(part.distortion for part in draw.also)]
        assert len(set(kinds)) == len(kinds)
    assert all(not draw_region("noise", recipe, generator("also", k)).also for k in range(50))


def test_a_version_with_several_keeps_them_and_its_own_score():
    recipe = replace(WILD_RECIPE, also_share=0.8)
    found = 0
    for seed in range(4):
        made = make_version(
            CLEAN, REGIONS.masks(), REGIONS.ids, version="mixed", tag="a", seed=seed, recipe=recipe
        )
        for draw, score in zip(made.draws, made.scores, strict=True):
            found += len(draw.also)
            assert draw.distortion != "clean" or not draw.also
            assert all(part.distortion != "clean" and not part.also for part in draw.also)
            assert score < 1 or draw.distortion == "clean"
    assert found > 3
    with pytest.raises(RecipeError, match=r"also_share must be in \[0, 1\], got 2"):
        replace(WILD_RECIPE, also_share=2)
