"""`compare_many`: the graphs of `compare`, in order, a few pairs ahead."""

from __future__ import annotations

import itertools
import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image

from distortion_graph import compare, compare_many
from distortion_graph.base.errors import (
    BatchError,
    DistortionGraphWarning,
    ImageError,
    ModelError,
    RegionError,
)
from distortion_graph.batch.pairs import PairTask
from distortion_graph.graph import DistortionGraph
from distortion_graph.masks.container import RegionSet

HOW: Any = {"regions": "grid:1x2", "align": "none", "evidence": "fast"}


def picture(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return np.asarray(small.resize((64, 48), Image.Resampling.BICUBIC))


def pair(seed: int) -> tuple[Any, Any]:
    return picture(seed), np.roll(picture(seed), 2, 1)


def test_graphs_are_those_of_compare_in_the_order_of_the_pairs():
    pairs = [pair(k) for k in range(7)]
    graphs = list(compare_many(pairs, workers=3, **HOW))
    assert graphs == [compare(a, b, **HOW) for a, b in pairs]
    assert len({graph.anchor.sha256 for graph in graphs}) == 7


def test_few_pairs_are_taken_ahead_of_the_graphs_and_none_before_the_first_is_asked_for():
    taken = 0

    def endless():
        nonlocal taken
        for k in itertools.count():
            taken += 1
            yield pair(k % 3)

    graphs = compare_many(endless(), workers=2, **HOW)
    assert taken == 0
    for given in range(1, 12):
        next(graphs)
        assert given <= taken <= given + 6
    graphs.close()
    stopped = taken
    with pytest.raises(StopIteration):
        next(graphs)
    assert taken == stopped


def test_an_error_is_raised_in_its_place_or_given_there():
    pairs = [pair(0), (b"no picture", picture(1)), pair(2)]
    graphs = compare_many(pairs, workers=2, **HOW)
    assert isinstance(next(graphs), DistortionGraph)
    with pytest.raises(ImageError, match="anchor: not a picture") as caught:
        next(graphs)
    assert caught.value.__notes__ == ["pair 1, counted from 0"]
    first, second, third = compare_many(pairs, workers=2, errors="return", **HOW)
    assert isinstance(second, ImageError)
    assert [first, third] == [compare(*pairs[0], **HOW), compare(*pairs[2], **HOW)]


def test_a_pair_may_say_how_it_is_compared(tmp_path):
    (a, b), masks = pair(0), RegionSet.grid((48, 64), 3, 1)
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    for path, rgb in zip(paths, (a, b), strict=True):
        Image.fromarray(rgb).save(path)
    own, listed, plain = compare_many(
        [
            {"anchor": a, "target": b, "regions": masks, "reference": "anchor"},
            PairTask("x", paths[0], paths[1], regions="grid:2x2"),
            (a, b),
        ],
        **HOW,
    )
    assert own.reference is not None and len(own.regions) == 3
    assert len(listed.regions) == 4 and len(plain.regions) == 2 and plain.reference is None


def test_pictures_may_be_behind_urls():
    fsspec = pytest.importorskip("fsspec")
    for name, rgb in zip("ab", pair(0), strict=True):
        with fsspec.open(f"memory://many/{name}.png", "wb") as stream:
            Image.fromarray(rgb).save(stream, "PNG")
    urls = ("memory://many/a.png", "memory://many/b.png")
    [graph] = compare_many([urls], **HOW)
    assert graph.anchor.source == urls[0]
    assert graph.scene == compare(*pair(0), **HOW).scene
    [error] = compare_many([("memory://many/c.png", urls[1])], errors="return", **HOW)
    assert str(error).startswith("memory://many/c.png: cannot be read")


def test_one_pillow_image_may_be_of_many_pairs(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(picture(0)).save(path)
    shared = Image.open(path)
    graphs = list(compare_many([(shared, pair(0)[1]) for _ in range(9)], workers=3, **HOW))
    assert graphs == [graphs[0]] * 9


def test_warnings_name_their_pair():
    transparent = Image.fromarray(np.dstack([picture(0), np.full((48, 64), 99, np.uint8)]))
    pairs = [pair(0), (transparent, picture(0))]
    with pytest.warns(DistortionGraphWarning, match="pair 1: anchor: .*transparent"):
        list(compare_many(pairs, **HOW))
    told: list[tuple[int, str]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(compare_many(pairs, warn=lambda number, text: told.append((number, text)), **HOW))
    assert [number for number, _ in told] == [1]


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ((1, 2, 3), r"pair 1, counted from 0: found tuple of 3, expected \(anchor, target\)"),
        ("ab", "pair 1, counted from 0: found str, expected"),
        ({"anchor": 1}, "pair 1, counted from 0: has no 'target'"),
        ({"anchor": 1, "target": 2, "region": 3}, "unknown argument 'region', did you mean 'reg"),
    ],
)
def test_what_is_no_pair_is_refused_whatever_errors_says(wrong, line):
    graphs = compare_many([pair(0), wrong], errors="return", **HOW)
    assert isinstance(next(graphs), DistortionGraph)
    with pytest.raises(BatchError, match=line):
        next(graphs)


def test_wrong_arguments_are_refused_at_once():
    with pytest.raises(BatchError, match="unknown argument 'allign', did you mean 'align'"):
        compare_many([], allign="none")  # type: ignore[call-overload]
    with pytest.raises(BatchError, match="errors is 'skip'"):
        compare_many([], errors="skip")  # type: ignore[call-overload]
    with pytest.raises(BatchError, match="workers is 0"):
        compare_many([], workers=0)
    with pytest.raises(ModelError):
        compare_many([], model="no-such-model")
    assert list(compare_many([])) == []


def test_a_wrong_option_is_an_error_of_every_pair():
    [error] = compare_many([pair(0)], errors="return", regions="gridd:2x2")
    assert isinstance(error, RegionError)
