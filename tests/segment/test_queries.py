"""Merging a mask classifier's queries: worked out by hand, and against other implementations."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from distortion_graph.segment import stuff
from distortion_graph.segment.queries import Frame, Segment, class_scores, merge_queries
from distortion_graph.segment.stuff import stuff_among

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "coco_panoptic_sample"
SETTINGS: dict[str, Any] = {"threshold": 0.8, "overlap": 0.8}


def classes(*rows):
    """Logits with these probabilities; the last is "no object"."""
    return np.log(np.array(rows))


def masks(*maps):
    """Logits with these probabilities."""
    p = np.array(maps)
    return np.log(p / (1 - p)).astype(np.float32)


def as_it_is(h, w):
    return Frame((h, w), (h, w), (h, w))


LEFT = [[0.9, 0.9, 0.1, 0.1], [0.9, 0.9, 0.1, 0.1]]
RIGHT = [[0.1, 0.6, 0.9, 0.9], [0.1, 0.6, 0.9, 0.9]]
ALL = [[0.9] * 4] * 2
CLASSES = classes(
    [0.9, 0.05, 0.05], [0.05, 0.85, 0.1], [0.01, 0.01, 0.98], [0.5, 0.2, 0.3]
)  # the third is no object, the fourth not sure enough


def test_an_example_by_hand():
    # Column 1: the left query has 0.9 · 0.9 = 0.81, the right one 0.85 · 0.6 = 0.51, so of the six
    # pixels of its mask the right one keeps four.
    numbers, found = merge_queries(
        CLASSES, masks(LEFT, RIGHT, ALL, ALL), as_it_is(2, 4), threshold=0.8, overlap=0.6
    )
    assert numbers.tolist() == [[1, 1, 2, 2], [1, 1, 2, 2]]
    assert numbers.dtype == np.int32
    assert [(s.label, round(s.score, 6)) for s in found] == [(0, 0.9), (1, 0.85)]


def test_a_query_of_which_others_took_too_much_is_dropped_and_its_pixels_stay_unlabelled():
    numbers, found = merge_queries(
        CLASSES, masks(LEFT, RIGHT, ALL, ALL), as_it_is(2, 4), threshold=0.8, overlap=0.7
    )
    assert numbers.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]]
    assert [s.label for s in found] == [0]


def test_pixels_that_the_winning_mask_does_not_have_stay_unlabelled():
    numbers, _ = merge_queries(CLASSES[:1], masks(LEFT), as_it_is(2, 4), threshold=0.8, overlap=0.5)
    assert numbers.tolist() == [[1, 1, 0, 0], [1, 1, 0, 0]]


def test_of_equal_queries_the_first_has_the_pixel():
    numbers, found = merge_queries(
        classes([0.9, 0.05, 0.05], [0.05, 0.9, 0.05]), masks(ALL, ALL), as_it_is(2, 4), **SETTINGS
    )
    assert (numbers == 1).all() and [s.label for s in found] == [0]


@pytest.mark.parametrize("threshold", [0.9, 0.95])
def test_the_threshold_must_be_exceeded(threshold):
    numbers, found = merge_queries(
        np.array([[np.log(9), -np.inf, 0.0]]), masks(ALL), as_it_is(2, 4),
        threshold=threshold, overlap=0.8,
    )  # fmt: skip
    assert found == [] and not numbers.any()


def test_stuff_of_one_label_is_one_segment_and_things_are_not():
    three = classes([0.9, 0.05, 0.05], [0.95, 0.02, 0.03], [0.02, 0.9, 0.08])
    maps = masks([[0.9, 0.1, 0.1, 0.1]], [[0.1, 0.1, 0.1, 0.9]], [[0.1, 0.9, 0.1, 0.1]])
    numbers, found = merge_queries(three, maps, as_it_is(1, 4), stuff={0}, **SETTINGS)
    assert numbers.tolist() == [[1, 2, 0, 1]]
    assert [s.label for s in found] == [0, 1] and found[0].score == pytest.approx(0.95)
    numbers, found = merge_queries(three, maps, as_it_is(1, 4), **SETTINGS)
    assert numbers.tolist() == [[1, 2, 0, 3]]
    assert [s.label for s in found] == [0, 1, 0]


def test_segments_are_numbered_by_place_and_small_ones_dropped():
    order = classes([0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.9, 0.04, 0.06])
    maps = masks(
        [[0.1, 0.1, 0.1], [0.1, 0.9, 0.9]],
        [[0.1, 0.9, 0.9], [0.1, 0.1, 0.1]],
        [[0.9, 0.1, 0.1], [0.1, 0.1, 0.1]],
    )
    numbers, found = merge_queries(order, maps, as_it_is(2, 3), **SETTINGS)
    assert numbers.tolist() == [[1, 2, 2], [0, 3, 3]]
    assert [s.label for s in found] == [0, 1, 0]
    numbers, found = merge_queries(order, maps, as_it_is(2, 3), min_pixels=2, **SETTINGS)
    assert numbers.tolist() == [[0, 1, 1], [0, 2, 2]]
    assert [s.label for s in found] == [1, 0]


def test_padding_is_cut_off_before_scaling_to_the_picture():
    # The network saw 8×8 pixels of which the left half is the picture, of 16×8 pixels.
    half = np.full((2, 4, 4), -4.0, np.float32)
    half[0, :, :2] = 4  # the picture
    half[1, :, 2:] = 4  # padding alone
    numbers, found = merge_queries(
        classes([0.9, 0.05, 0.05], [0.05, 0.9, 0.05]), half, Frame((16, 8), (8, 4), (8, 8)),
        **SETTINGS,
    )  # fmt: skip
    assert [s.label for s in found] == [0]
    assert numbers.shape == (16, 8) and (numbers == 1).mean() == 1


def test_no_query_at_all():
    numbers, found = merge_queries(
        np.zeros((0, 3)), np.zeros((0, 2, 2), np.float32), as_it_is(3, 5), **SETTINGS
    )
    assert found == [] and numbers.shape == (3, 5) and not numbers.any()


def test_class_scores_are_a_softmax():
    logits = np.random.default_rng(0).normal(0, 300, (50, 7))  # no overflow
    scores, labels = class_scores(logits)
    expected = np.exp(logits - np.logaddexp.reduce(logits, axis=1)[:, None])
    assert np.allclose(scores, expected.max(1)) and (labels == expected.argmax(1)).all()


# ---- other implementations ---------------------------------------------------------------------


def blobs(seed, queries, h, w):
    """Mask logits of smooth overlapping blobs, and class logits of which most are sure."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w] / np.array([h, w])[:, None, None]
    centres = rng.uniform(0, 1, (queries, 2))
    distance = np.hypot(y - centres[:, :1, None], x - centres[:, 1:, None])
    maps = 40 * (rng.uniform(0.06, 0.16, (queries, 1, 1)) - distance) + rng.normal(0, 0.5, (h, w))
    return rng.normal(0, 8, (queries, 5)), maps.astype(np.float32)


def naive(class_logits, mask_logits, frame, threshold, overlap, stuff):
    """The paper's inference with torch, every map at full size at once."""
    torch = pytest.importorskip("torch")
    scale = torch.nn.functional.interpolate
    maps = scale(torch.tensor(mask_logits)[None], frame.padded, mode="bilinear")
    maps = maps[..., : frame.content[0], : frame.content[1]]
    maps = scale(maps, frame.picture, mode="bilinear")[0].sigmoid()
    scores, labels = torch.tensor(class_logits).softmax(-1).max(-1)
    kept = (labels != class_logits.shape[1] - 1) & (scores > threshold)
    maps, scores, labels = maps[kept], scores[kept], labels[kept]
    owner = (scores[:, None, None] * maps).argmax(0)
    segments: dict[Any, Any] = {}
    seen: dict[Any, Any] = {}
    for k, label in enumerate(labels.tolist()):
        area, won = (maps[k] >= 0.5).sum(), (owner == k).sum()
        mask = (owner == k) & (maps[k] >= 0.5)
        if not mask.any() or won / area < overlap:
            continue
        key = seen.setdefault(label, k) if label in stuff else k
        old = segments.get(key)
        segments[key] = (label, mask if old is None else old[1] | mask)
    return [(label, mask.numpy()) for label, mask in segments.values()]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "frame",
    [
        Frame((60, 80), (96, 128), (96, 128)),
        Frame((200, 71), (90, 32), (96, 64)),
        Frame((8, 8), (64, 64), (64, 64)),
    ],
)
def test_the_segments_are_those_of_the_papers_inference(seed, frame):
    logits, maps = blobs(seed, 24, frame.padded[0] // 4, frame.padded[1] // 4)
    settings: dict[str, Any] = {"threshold": 0.6, "overlap": 0.3, "stuff": {0, 2}}
    expected = naive(logits, maps, frame, **settings)
    numbers, found = merge_queries(logits, maps, frame, **settings)
    assert sorted(s.label for s in found) == sorted(label for label, _ in expected)
    firsts = [int(np.flatnonzero(numbers == k + 1)[0]) for k in range(len(found))]
    assert firsts == sorted(firsts) and len(found) > 2
    for label, mask in expected:
        same = [(numbers == k + 1) for k, s in enumerate(found) if s.label == label]
        # Bilinear scaling rounds differently, so single pixels on an edge may.
        assert min(np.count_nonzero(one != mask) for one in same) <= 0.001 * mask.size


def test_the_segments_are_those_of_the_librarys_own_eomt():
    torch = pytest.importorskip("torch")
    pytest.importorskip("transformers")
    from transformers import EomtImageProcessorPil

    logits, maps = blobs(7, 40, 16, 16)
    answer = SimpleNamespace(
        masks_queries_logits=torch.tensor(maps)[None],
        class_queries_logits=torch.tensor(logits)[None],
    )
    size = {"shortest_edge": 64, "longest_edge": 64}
    [library] = EomtImageProcessorPil(size=size).post_process_panoptic_segmentation(
        answer,
        target_sizes=[(50, 100)],
        threshold=0.6,
        stuff_classes=[1],
        size=size,
        overlap_mask_area_threshold=0.4,
    )
    numbers, found = merge_queries(
        logits, maps, Frame((50, 100), (32, 64), (64, 64)), threshold=0.6, overlap=0.4, stuff={1}
    )
    theirs = library["segmentation"].numpy()
    assert len(found) == len(library["segments_info"]) > 2
    for segment in library["segments_info"]:
        mask = theirs == segment["id"]
        [ours] = np.unique(numbers[mask])
        assert ours > 0 and np.count_nonzero((numbers == ours) != mask) == 0
        mine = found[ours - 1]
        assert mine == Segment(segment["label_id"], pytest.approx(mine.score))  # type: ignore[arg-type]
        assert mine.score >= segment["score"] - 1e-5


# ---- stuff -------------------------------------------------------------------------------------


def test_the_numbers_of_stuff_labels_are_those_of_the_data_sets():
    assert (len(stuff.COCO), len(stuff.ADE20K), len(stuff.CITYSCAPES)) == (53, 50, 11)


@pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="the COCO panoptic sample is not beside the project"
)
def test_the_stuff_of_coco_is_what_its_categories_say():
    categories = json.loads((SAMPLE / "panoptic_coco_categories.json").read_text())
    assert len(categories) == 133
    assert stuff_among(c["name"] for c in categories) == {
        c["name"] for c in categories if not c["isthing"]
    }


def test_a_data_set_is_known_by_all_of_its_stuff():
    cityscapes = [*stuff.CITYSCAPES, "person", "rider", "car"]
    assert stuff_among(cityscapes) == stuff.CITYSCAPES
    assert stuff_among(cityscapes[1:]) == frozenset()
    assert stuff_among([*stuff.COCO, "person", "traffic light"]) == stuff.COCO
    assert stuff_among([f"{name} " for name in stuff.ADE20K]) == stuff.ADE20K
    assert stuff_among(["person", "sky"]) == frozenset()
