"""Which regions of two records make a pair, judged by OpenCV and by pairs made in memory."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data as photographs

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.files import save_png
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.protocol import BenchPicture, samples_of
from distortion_graph.datasets.layout import PairKey, version_names
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.stats import PictureRecord, RegionRecord
from distortion_graph.datasets.stats_writer import StatsWriter
from distortion_graph.datasets.truth import make_sample, sampled_lines, survives, true_graph
from distortion_graph.masks.rle import Rle, rle_from_mask

NEAREST = cv2.INTER_NEAREST


def test_the_lines_that_nearest_resizing_takes():
    for side in (224, 7, 1):
        for length in (*range(1, 700), 1024, 1333, 2048, 4000, 5001):
            ramp = np.arange(length, dtype=np.float32)
            across = cv2.resize(ramp[None], (side, 1), interpolation=NEAREST)[0]
            down = cv2.resize(ramp[:, None], (1, side), interpolation=NEAREST).ravel()
            lines = sampled_lines(length, side)
            assert np.array_equal(lines, np.unique(across)), (length, side)
            assert np.array_equal(lines, np.unique(down))


@pytest.mark.parametrize("side", [224, 16, 1])
def test_a_mask_survives_as_opencv_resizes_it(side):
    rng = np.random.default_rng(side)
    fates = set()
    for _ in range(400):
        h, w = (int(n) for n in rng.integers(1, 500, 2))
        mask = np.zeros((h, w), bool)
        for _ in range(int(rng.integers(0, 4))):  # a few specks, or lines a pixel wide
            y, x = int(rng.integers(h)), int(rng.integers(w))
            down, across = (int(n) for n in rng.choice([1, 1, 2, 40], 2))
            mask[y : y + down, x : x + across] = True
        resized = cv2.resize(mask.astype(np.uint8), (side, side), interpolation=NEAREST)
        assert survives(rle_from_mask(mask), side) == resized.any()
        fates.add((bool(mask.any()), bool(resized.any())))
    # Empty, wiped out and left; a single pixel is left of too few to count on.
    assert len(fates) == 3 or side == 1


def test_an_empty_text_of_runs_is_an_empty_mask():
    assert not survives(Rle((3, 3), rle_from_mask(np.zeros((3, 3), bool)).counts), 224)


def region(score=0.5, mask=None, **changes):
    mask = np.ones((4, 6), bool) if mask is None else mask
    said: dict[str, Any] = {"name": "", "severity": 1, "degradation": "blur"}
    said |= {"bbox_xywh_px": (0, 0, 6, 4)} | changes
    return RegionRecord(score=score, mask=rle_from_mask(mask), **said)


def pair(anchor, target, **options):
    def never():
        raise AssertionError("pixels are not asked for")

    return make_sample(
        PairKey("mixed", "blur", "x.png"),
        PictureRecord(0.5, (), tuple(anchor)),
        PictureRecord(0.5, (), tuple(target)),
        size=(4, 6),
        vocabulary=WORDS,
        load_anchor=never,
        load_target=never,
        **options,
    )


def test_comparisons_follow_the_thresholds():
    steps = [(0.5, 0.5), (0.5, 0.45), (0.5, 0.25), (0.25, 0.5), (1.0, 0.0), (0.0, 1.0)]
    sample = pair([region(a) for a, _ in steps], [region(t) for _, t in steps])
    named = [WORDS.comparison_labels[k] for k in sample.labels.comparison]
    assert named == [
        "same",
        "same",
        "slightly_better",
        "slightly_worse",
        "significantly_better",
        "significantly_worse",
    ]
    assert sample.regions.ids == tuple(range(6)) and sample.regions.names[5] == "region 5"


def test_error_lines_name_the_records():
    with pytest.raises(DatasetError) as caught:
        pair([region()], [])
    assert str(caught.value) == (
        "x.png: blur: has 0 regions, but x.png: mixed has 1; expected the same regions in both"
    )
    with pytest.raises(DatasetError) as caught:
        pair([region()], [region(-0.5)], places=("here", "there"))
    assert str(caught.value) == "there: region 0: score_fr is -0.5, expected a number in [0, 1]"


def test_masks_come_from_the_callers_store():
    mask = np.zeros((4, 6), bool)
    mask[1:3] = True
    asked = []
    sample = pair([region(mask=mask)], [region()], decode_masks=lambda r: asked.append(r) or 7)  # type: ignore[func-returns-value]
    assert not asked
    assert sample.masks == 7 and sample.masks == 7 and asked == [sample.regions]
    assert np.array_equal(pair([region(mask=mask)], [region()]).masks, mask[None])


def test_a_root_says_the_same_as_pairs_in_memory(tmp_path):
    """The figures of a benchmark are the same from a root and from memory."""
    rgb = np.ascontiguousarray(photographs.chelsea()[50:114, 80:160])
    masks = np.zeros((3, 64, 80), bool)
    for k in range(3):
        masks[k, :, 26 * k : 26 * k + 26] = True
    made = list(samples_of([BenchPicture("cat", rgb, masks, (2, 5, 9))], "hard", seed=3))
    (tmp_path / "stats").mkdir()
    for sample in made:
        version, labels = sample.key.anchor, sample.labels
        records = tuple(
            RegionRecord(
                region.name,
                int(labels.severity[0, k]),
                WORDS.distortions[labels.distortion[0, k]],
                float(labels.score[0, k]),
                (0, 0, 1, 1),
                region.rle,
            )
            for k, region in enumerate(sample.regions)
        )
        path = tmp_path / "stats" / f"test_stats_{version}.json"
        with StatsWriter(path, tmp_path) as writer:
            writer.add("cat.png", PictureRecord(float(labels.scene_score[0]), (), records))
            writer.finish()
        (tmp_path / version / "test").mkdir(parents=True)
        save_png(tmp_path / version / "test" / "cat.png", sample.anchor)
    read = list(PandaSet(tmp_path).samples("test", "hard"))
    assert len(read) == len(made) == 2
    assert version_names(WORDS)[-2:] == (made[0].key.anchor, made[0].key.target)
    for here, there in zip(made, read, strict=True):
        assert there.key == here.key._replace(tag="cat.png")
        assert there.regions == here.regions and there.relations == ()
        for name in ("anchor", "target", "masks"):
            assert np.array_equal(getattr(here, name), getattr(there, name))
        for name in ("distortion", "severity", "score", "comparison", "scene_score"):
            assert np.array_equal(getattr(here.labels, name), getattr(there.labels, name))
        assert here.labels.scene_comparison == there.labels.scene_comparison
        named = true_graph(there, WORDS)
        root = tmp_path / there.key.anchor / "test" / "cat.png"
        assert named.anchor.source == str(root)
        assert true_graph(here, WORDS) == true_graph(replace(there, files=None), WORDS)
