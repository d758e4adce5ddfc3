"""Versions made with shared work, in parts, or in another process are the same to the bit."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.base.errors import ImageError
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric
from distortion_graph.synth.distort import SUBTYPES, Frames
from distortion_graph.synth.distort.support import Near
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import (
    DEFAULT_RECIPE,
    MIXED,
    Recipe,
    apply_draw,
    draw_region,
    make_version,
    make_versions,
    paste,
)

CLEAN = np.ascontiguousarray(pictures.coffee()[100:221, 200:351])
H, W = CLEAN.shape[:2]
MASKS = np.zeros((4, H, W), bool)
MASKS[0, :, :50] = True
MASKS[1, 20:90, 40:110] = True
MASKS[2, 60:, 90:] = True
MASKS[2, 70:80, 100:110] = False
IDS = (5, 6, 9, 12)  # the last region has no pixel
NAMES = (*DEFAULT_RECIPE.types, *MIXED)
KEY: dict[str, Any] = {"tag": "coffee", "seed": 3}


def same(first, second):
    return (
        np.array_equal(first.image, second.image)
        and first.draws == second.draws
        and first.scores.tolist() == second.scores.tolist()
        and first.scene_score == second.scene_score
    )


@pytest.mark.parametrize("recipe", [DEFAULT_RECIPE, Recipe(feather_px=1.5)])
def test_shared_work_changes_nothing(recipe):
    together = list(make_versions(CLEAN, MASKS, IDS, NAMES, recipe=recipe, **KEY))
    assert [v.name for v in together] == list(NAMES)
    frames, reference = Frames(CLEAN, limit_bytes=CLEAN.nbytes), HAARPSI.against(CLEAN)
    for made in reversed(together):
        one = {"version": made.name, "recipe": recipe} | KEY
        assert same(made, make_version(CLEAN, MASKS, IDS, **one))
        shared = make_version(CLEAN, MASKS, IDS, frames=frames, reference=reference, **one)
        assert same(made, shared)


def test_versions_are_made_when_they_are_asked_for():
    made = make_versions(CLEAN, MASKS, IDS, ("blur", "no such version"), **KEY)
    assert next(made).name == "blur"
    with pytest.raises(Exception, match="no such version"):
        next(made)


def test_a_region_without_pixels_is_drawn_and_scores_one():
    made = make_version(CLEAN, MASKS, IDS, version="noise", **KEY)
    assert made.draws[3] == draw_region(
        "noise", DEFAULT_RECIPE, generator(3, "coffee", "noise", 12)
    )
    assert made.scores[3] == 1


def test_a_version_is_the_whole_frames_pasted_where_nothing_is_drawn_for_a_box():
    """The definition, region by region: the whole frame distorted, pasted into the mask."""
    for name in NAMES:
        expected, exact = CLEAN, np.ones((H, W), bool)
        made = make_version(CLEAN, MASKS, IDS, version=name, **KEY)
        for mask, region_id, draw in zip(MASKS, IDS, made.draws, strict=True):
            rng = generator(KEY["seed"], KEY["tag"], name, region_id)
            assert draw_region(name, DEFAULT_RECIPE, rng) == draw
            expected = paste(expected, apply_draw(CLEAN, draw, rng), mask)
            exact[mask] = draw.distortion != "noise" and draw.subtype not in ("glass", "jitter")
        gap = np.abs(expected.astype(int) - made.image)
        assert gap[exact].max(initial=0) <= 1, name


def test_noise_is_drawn_for_the_regions_box_and_so_depends_on_the_region_alone():
    assert all(isinstance(e.support, Near) for e in SUBTYPES["noise"].values() if e.drawn)
    together = make_version(CLEAN, MASKS, IDS, version="noise", **KEY)
    alone = make_version(CLEAN, MASKS[2:3], IDS[2:3], version="noise", **KEY)
    assert np.array_equal(together.image[MASKS[2]], alone.image[MASKS[2]])
    assert together.scores[2] == alone.scores[0]


def test_another_process_and_another_number_of_threads_give_the_same_bytes():
    program = (
        "import sys, cv2\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "import test_versions as t\n"
        "for threads in (1, 3):\n"
        "    cv2.setNumThreads(threads)\n"
        "    print(t.digest())\n"
    )
    here = str(Path(__file__).parent)
    done = subprocess.run([sys.executable, "-c", program, here], capture_output=True, text=True)
    assert done.stdout.split() == [digest()] * 2, done.stderr[-2000:]


def digest():
    found = hashlib.sha256()
    for made in make_versions(CLEAN, MASKS, IDS, NAMES, **KEY):
        found.update(made.image.tobytes() + made.scores.tobytes())
    return found.hexdigest()


def test_a_simple_metric_needs_no_reference_of_its_own():
    asked = []

    def sameness(clean, degraded, masks):
        asked.append(clean is CLEAN)
        return np.array([(clean[m] == degraded[m]).mean() if m.any() else 1.0 for m in masks])

    simple = FullReferenceMetric(
        name="sameness",
        version="1",
        range=(0.0, 1.0),
        direction="higher_is_better",
        licence="CC0-1.0",
        region_scores=sameness,
        scene_score=lambda a, b: float((a == b).mean()),
        pooling="share of equal values",
    )
    for made in make_versions(CLEAN, MASKS, IDS, ("blur", "mixed"), metric=simple, **KEY):
        assert made.scores.tolist() == sameness(CLEAN, made.image, MASKS).tolist()
        assert made.scene_score == (made.image == CLEAN).mean()
    assert len(asked) == 4 and all(asked)


def test_feathering_leaves_a_notch_and_a_hole_of_the_region_alone():
    black, white = np.zeros((40, 40, 3), np.uint8), np.full((40, 40, 3), 255, np.uint8)
    mask = np.ones((40, 40), bool)
    mask[20, 20] = mask[:10, 5] = False
    made = paste(black, white, mask, feather_px=2)
    assert not made[~mask].any() and made[30, 30].all()


def test_feathering_in_a_box_is_that_of_the_whole_frame():
    """Of a region far from the frame's border nothing but its surroundings counts."""
    small = np.zeros((60, 60), bool)
    small[22:41, 19:38] = True
    small[30:35, 25:60] = True
    inner = np.s_[:, :45]
    large = np.zeros((300, 300), bool)
    large[120:180, 120:180] = small
    frames = [np.full((*m.shape, 3), 255, np.uint8) for m in (small, large)]
    faded = [paste(f * 0, f, m, 1.5) for f, m in zip(frames, (small, large), strict=True)]
    assert np.array_equal(faded[0][inner], faded[1][120:180, 120:180][inner])


def test_frames_of_another_picture_are_refused():
    with pytest.raises(ImageError, match="frames must be those of the clean picture"):
        make_version(CLEAN, MASKS, IDS, version="blur", frames=Frames(CLEAN.copy()), **KEY)
