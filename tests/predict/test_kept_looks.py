"""What is seen of one picture is kept for the next pair: fewer encoder runs, the same bits."""

from __future__ import annotations

from dataclasses import fields
from itertools import combinations

import cv2
import numpy as np
import pytest
from encoder_runs import encoder_runs
from skimage import data

from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import load_picture
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.looks import KEPT_BYTES_PER_PX, Look, RegionCells
from distortion_graph.predict.plan import DEFAULT_LIMITS, Limits
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model

SIZE = 240, 400
GRID = RegionSet.grid(SIZE, 2, 3)
TILED = Limits(one_piece_px=1, tile_px=100_000)


@pytest.fixture(scope="module", params=[DEFAULT_LIMITS, TILED], ids=["whole", "tiles"])
def model(request):
    return Model.load(limits=request.param, threads=1)


@pytest.fixture(scope="module")
def versions():
    rgb = np.ascontiguousarray(cv2.resize(data.coffee(), SIZE[::-1]))
    blurred = [np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma)) for sigma in (0.5, 1.0, 2.0)]
    return [load_picture(one) for one in (rgb, *blurred)]


def answers(model, pictures, regions=GRID) -> list[Predictions]:
    return [predict_canonically(model, *pair, regions) for pair in combinations(pictures, 2)]


def equal(first: list[Predictions], second: list[Predictions]) -> bool:
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for one, other in zip(first, second, strict=True)
        for field in fields(Predictions)
        if getattr(one, field.name) is not None
    )


def test_the_encoder_sees_each_kept_picture_once_and_answers_are_the_same_to_the_bit(
    model, versions
):
    with encoder_runs() as runs:
        plain = answers(model, versions)
    tiles, rest = divmod(len(runs), 2 * len(plain))
    assert rest == 0 and (tiles == 1) == (model.limits is DEFAULT_LIMITS)
    with encoder_runs() as runs:
        kept = answers(model.keeping([v.rgb for v in versions]), versions)
    assert len(runs) == tiles * len(versions)
    assert equal(plain, kept)


def test_nothing_is_kept_beyond_the_bytes_that_are_allowed(versions):
    model = Model.load(threads=1)
    plain = answers(model, versions)
    room = 2 * KEPT_BYTES_PER_PX * SIZE[0] * SIZE[1]
    for most, expected in ((0, 12), (room - 1, 1 + 12 - 3), (room, 2 + 12 - 6)):
        with encoder_runs() as runs:
            kept = answers(model.keeping([v.rgb for v in versions], most), versions)
        assert len(runs) == expected
        assert equal(plain, kept)


def test_other_masks_and_other_pictures_are_seen_anew(versions):
    model = Model.load(threads=1)
    few, other = versions[:2], RegionSet.grid(SIZE, 3, 2)
    keeping = model.keeping([few[0].rgb])
    with encoder_runs() as runs:
        first = [*answers(keeping, few), *answers(keeping, few, other), *answers(keeping, few)]
    assert len(runs) == 1 + 1 + 1 + 1 + 0 + 1
    assert equal(first, [*answers(model, few), *answers(model, few, other), *answers(model, few)])
    with encoder_runs() as runs:
        answers(model, few)
    assert len(runs) == 2  # the model itself keeps nothing


def test_what_is_kept_takes_no_more_than_it_says(versions):
    model = Model.load(threads=1)
    pictures = [np.ascontiguousarray(cv2.resize(data.coffee(), (560, 368)))] * 2
    pictures[1] = np.asarray(cv2.GaussianBlur(pictures[0], (0, 0), 1.0))
    keeping = model.keeping(pictures)
    keeping.predict(pictures[0], pictures[1], RegionSet.grid((368, 560), 2, 2).lazy_masks())
    taken: dict[int, int] = {}

    def weigh(value) -> None:
        """Bytes of every array that is reached; of a part of an array those of all of it."""
        if isinstance(value, np.ndarray):
            whole = value if value.base is None else value.base
            taken[id(whole)] = getattr(whole, "nbytes", value.nbytes)
        elif isinstance(value, list | tuple):
            for one in value:
                weigh(one)
        elif isinstance(value, Look) and value._kept is not None:
            for call in value._kept.values():
                weigh(call())

    for look in keeping._looks._looks.values():
        weigh(look)
    statistics = 5 * 4 * (7 * 256 + 64 + 28)  # of five regions, whatever the picture's size
    pixels = 368 * 560
    sums = 4 * 5 * 3 * 210 * 4
    assert sum(taken.values()) <= 2 * (KEPT_BYTES_PER_PX * pixels + statistics + sums)
    assert sum(taken.values()) >= 2 * 14 * pixels


def test_cells_of_the_same_masks_are_counted_once():
    cells = RegionCells(GRID.lazy_masks())
    assert cells.counted()[0] is cells.counted()[0] and cells.layers() is cells.layers()
