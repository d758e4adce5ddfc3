"""From a mask classifier's queries to segments that do not overlap.

Every panoptic network of the DETR and MaskFormer families answers alike: Q queries, each with
class logits (the last class is "no object") and a map of mask logits. They are merged as in
MaskFormer (Cheng, Schwing, Kirillov 2021, section 3.4): a pixel belongs to the query with the
largest class probability × mask probability, where that mask is more likely than not; a query of
which others have taken too much is dropped; stuff of one label is joined.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Frame:
    """Sizes (height, width) in pixels on the way from a picture to the network.

    The picture of size `picture` was scaled to `content` and padded at the bottom and right to
    `padded`, the size that the network saw and its mask maps cover.
    """

    picture: tuple[int, int]
    content: tuple[int, int]
    padded: tuple[int, int]


@dataclass(frozen=True)
class Segment:
    """One segment: its class index and the probability of that class."""

    label: int
    score: float


def merge_queries(
    class_logits: NDArray[np.floating],
    mask_logits: NDArray[np.floating],
    frame: Frame,
    *,
    threshold: float,
    overlap: float,
    stuff: Collection[int] = (),
    min_pixels: int = 1,
) -> tuple[NDArray[np.int32], list[Segment]]:
    """Segments of (Q, C + 1) class logits and (Q, h, w) mask logits.

    Queries count whose class is an object with a probability above `threshold`. One is dropped
    if it keeps less than the share `overlap` of the pixels of its mask, or a segment (after
    stuff was joined) of fewer than `min_pixels` pixels. Classes in `stuff` make one segment each,
    with the best score.

    Returns an (H, W) int32 map of the picture's size, 0 = no segment, and the segments numbered
    from 1 by place: top to bottom, left to right of the first pixel. A full-size map is held for
    one query at a time.
    """
    scores, labels = class_scores(class_logits)
    kept = np.flatnonzero((labels != class_logits.shape[1] - 1) & (scores > threshold))
    owner, sure, areas = _owners(mask_logits[kept], scores[kept], frame)
    won = np.bincount(owner.ravel() + 1, minlength=len(kept) + 1)[1:]
    group = np.zeros(len(kept) + 1, np.int32)  # of query k at k + 1; 0 = none
    segments: list[Segment] = []
    joined: dict[int, int] = {}
    for k, query in enumerate(kept):
        # A query that owns pixels and keeps none of its own mask has no area of its own either.
        if won[k] == 0 or areas[k] == 0 or won[k] < overlap * areas[k]:
            continue
        label, score = int(labels[query]), float(scores[query])
        if label in joined:
            number = joined[label]
            segments[number - 1] = Segment(label, max(score, segments[number - 1].score))
        else:
            segments.append(Segment(label, score))
            number = len(segments)
            if label in stuff:
                joined[label] = number
        group[k + 1] = number
    numbers = group[owner + 1]
    numbers[~sure] = 0
    return _by_place(numbers, segments, min_pixels)


def class_scores(
    class_logits: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Probability and index of each query's likeliest class, "no object" included."""
    shifted = class_logits.astype(np.float64)
    shifted -= shifted.max(axis=1, keepdims=True)
    weights = np.exp(shifted)
    labels = weights.argmax(axis=1)
    return weights.max(axis=1) / weights.sum(axis=1), labels


def _owners(
    mask_logits: NDArray[np.floating], scores: NDArray[np.float64], frame: Frame
) -> tuple[NDArray[np.int32], NDArray[np.bool_], NDArray[np.int64]]:
    """The query that owns each pixel, or −1; whether its mask has it; each mask's own area."""
    best = np.zeros(frame.picture, np.float32)
    owner = np.full(frame.picture, -1, np.int32)
    sure = np.zeros(frame.picture, np.bool_)
    areas = np.zeros(len(scores), np.int64)
    for k, (logits, score) in enumerate(zip(mask_logits, scores, strict=True)):
        full = _at_full_size(np.asarray(logits, np.float32), frame)
        inside = full >= 0  # the same as a probability of at least one half
        areas[k] = np.count_nonzero(inside)
        value = np.float32(score) * (
            np.float32(0.5) + np.float32(0.5) * np.tanh(full * np.float32(0.5))
        )
        better = value > best  # of equal ones the first query has it
        best[better] = value[better]
        owner[better] = k
        sure[better] = inside[better]
    return owner, sure, areas


def _at_full_size(logits: NDArray[np.float32], frame: Frame) -> NDArray[np.float32]:
    """A query's logits on the picture's pixels: bilinear, with the padding cut off."""
    import cv2

    (h, w), (content_h, content_w) = frame.padded, frame.content
    seen = cv2.resize(logits, (w, h), interpolation=cv2.INTER_LINEAR)
    seen = np.ascontiguousarray(seen[:content_h, :content_w])
    h, w = frame.picture
    return np.asarray(cv2.resize(seen, (w, h), interpolation=cv2.INTER_LINEAR), np.float32)


def _by_place(
    numbers: NDArray[np.int32], segments: list[Segment], min_pixels: int
) -> tuple[NDArray[np.int32], list[Segment]]:
    """Renumbered by the first pixel, without segments of too few pixels."""
    ids, first, pixels = np.unique(numbers, return_index=True, return_counts=True)
    wanted = [
        (place, number)
        for number, place, size in zip(ids.tolist(), first.tolist(), pixels.tolist(), strict=True)
        if number > 0 and size >= min_pixels
    ]
    renumber = np.zeros(len(segments) + 1, np.int32)
    ordered: list[Segment] = []
    for _, number in sorted(wanted):
        ordered.append(segments[number - 1])
        renumber[number] = len(ordered)
    return renumber[numbers], ordered
