"""The overlay shows the pictures as they are, and the graph on them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from report_samples import pair, photo

from distortion_graph.base.errors import ImageError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.formats import published
from distortion_graph.graph import SIDES, ModelInfo
from distortion_graph.report.colouring import meanings
from distortion_graph.report.drawing import Chip, Typeface
from distortion_graph.report.layout import LARGEST_PX, SHOWN_PX
from distortion_graph.report.overlay import overlay
from distortion_graph.report.palette import (
    CLEAN,
    INK,
    NEUTRAL,
    PLACE,
    comparison_colours,
    label_colours,
    severity_colours,
)


def drawn(sample):
    return overlay(sample.graph, sample.anchor.image, sample.target.image)


def panels(picture, h, w):
    """Corners (y, x) at which something of h × w pixels framed by the dark ground begins."""
    dark = (picture == INK).all(2)
    columns = np.flatnonzero(~dark[picture.shape[0] // 2])
    splits = np.flatnonzero(np.diff(columns) > 3)
    return [int(columns[0]), *(int(columns[k + 1]) for k in splits)][:2]


def without_regions(sample):
    return sample.graph.model_copy(update={"regions": ()})


def test_a_small_picture_is_enlarged_by_a_whole_factor_and_not_touched():
    sample = pair()
    picture = overlay(without_regions(sample), sample.anchor.image, sample.target.image)
    factor = -(-SHOWN_PX // 64)
    big = sample.anchor.image.repeat(factor, 0).repeat(factor, 1)
    h, w = big.shape[:2]
    rows = [y for y in range(picture.shape[0] - h) if (picture[y + h // 2, :, :] != INK).any()]
    starts = [
        (y, x)
        for x in range(0, 60)
        for y in rows[:120]
        if (picture[y, x : x + w] == big[0]).all() and (picture[y : y + h, x : x + w] == big).all()
    ]
    assert len(starts) == 1
    assert picture.shape[1] > 2 * w and picture.dtype == np.uint8


def test_further_boxes_are_framed_on_both_pictures_and_nothing_else_of_them_changes():
    sample = pair()
    plain, framed = (
        overlay(without_regions(sample), sample.anchor.image, sample.target.image, framed=boxes)
        for boxes in ((), [(20, 10, 8, 6)])
    )
    # The legend says what the frame is, in a row that is there in any case.
    assert plain.shape == framed.shape
    factor = -(-SHOWN_PX // 64)
    y, x = np.nonzero((plain != framed).any(2))
    height = sample.anchor.image.shape[0] * factor
    on_pictures = y < plain.shape[0] - (plain.shape[0] - height) // 2
    columns = np.unique(x[on_pictures])
    gap = int(np.flatnonzero(np.diff(columns) > 64 * factor // 2)[0])
    for side in (columns[: gap + 1], columns[gap + 1 :]):
        # A frame of 8 pixels and its line, not a whole picture.
        assert 8 * factor < side[-1] - side[0] + 1 < 14 * factor
    left = columns[: gap + 1]
    colours = framed[y[on_pictures], x[on_pictures]]
    assert (colours == PLACE).all(1).mean() > 0.2
    inside = (left[0] + left[-1]) // 2
    middle = (y[on_pictures].min() + y[on_pictures].max()) // 2
    assert (plain[middle, inside] == framed[middle, inside]).all()


def test_the_order_is_anchor_then_target():
    sample = pair()
    white = np.full_like(sample.anchor.image, 255)
    picture = overlay(without_regions(sample), white * 0, white)
    h, w = picture.shape[:2]
    assert picture[h // 2, w // 4].max() == 0 and picture[h // 2, 3 * w // 4].min() == 255


@pytest.mark.parametrize(
    ("h", "w", "longest"), [(64, 64, 960), (321, 481, 962), (1000, 800, 1000), (500, 5000, 2400)]
)
def test_the_long_side_as_shown(h, w, longest):
    sample = pair(1, 1, h=h, w=w)
    picture = drawn(sample)
    across = 1 if w > 2.2 * h else 2
    shown = longest if w >= h else round(longest * w / h)
    assert shown * across < picture.shape[1] < shown * across + 200
    assert longest <= LARGEST_PX


def test_regions_are_tinted_by_severity_and_clean_ones_are_not():
    sample = pair(1, 2, h=96, w=96)
    anchor = sample.anchor.image
    grey = np.full_like(anchor, 128)
    vocabulary = sample.graph.vocabulary
    nodes = [r.anchor for r in sample.graph.regions]
    labels = [("clean", "clean"), ("noise", "severe")]
    regions = tuple(
        r.model_copy(
            update={
                "anchor": n.model_copy(
                    update={
                        "distortion": n.distortion.model_copy(update={"label": d}),
                        "severity": n.severity.model_copy(update={"label": s}),
                    }
                )
            }
        )
        for r, n, (d, s) in zip(sample.graph.regions, nodes, labels, strict=True)
    )
    graph = sample.graph.model_copy(update={"regions": regions})
    picture = overlay(graph, grey, grey).astype(int)
    y = picture.shape[0] // 5  # above the labels, in the left panel
    left, right = picture[y, picture.shape[1] // 12], picture[y, 5 * picture.shape[1] // 12]
    assert (left == 128).all()
    towards = np.array(severity_colours(len(vocabulary.severities))[-1]) - 128
    assert ((right - 128) * np.sign(towards) > 0).all()


def test_an_uncertain_region_is_not_tinted_and_has_a_grey_number():
    sample = pair(1, 2, h=96, w=96)
    grey = np.full_like(sample.anchor.image, 128)
    regions = tuple(
        r.model_copy(update={s: r.node(s).model_copy(update={"known": 0.1}) for s in SIDES})
        for r in sample.graph.regions
    )
    model = ModelInfo(name="small", known_threshold=0.5)
    unsure = sample.graph.model_copy(update={"regions": regions, "model": model})
    tints: dict[Any, Any] = {}
    for name, graph in (("sure", sample.graph), ("unsure", unsure)):
        picture = overlay(graph, grey, grey)
        panel = picture[picture.shape[0] // 5, : picture.shape[1] // 2]
        tints[name] = (panel == 128).mean()
        tints[name, "grey"] = (picture == NEUTRAL).all(2).sum()
    assert tints["unsure"] > 0.9 > tints["sure"]
    assert tints["unsure", "grey"] > tints["sure", "grey"]
    by_comparison = [overlay(g, grey, grey, "comparison") for g in (sample.graph, unsure)]
    assert by_comparison[0].shape == by_comparison[1].shape


def labelled(sample, *labels):
    """The sample's graph with these distortions in the anchor."""
    regions = []
    for region, text in zip(sample.graph.regions, labels, strict=True):
        said = region.anchor.distortion.model_copy(update={"label": text})
        anchor = region.anchor.model_copy(update={"distortion": said})
        regions.append(region.model_copy(update={"anchor": anchor}))
    return sample.graph.model_copy(update={"regions": tuple(regions)})


def test_a_map_has_a_colour_for_each_label_and_clean_is_one():
    sample = pair(1, 2, h=96, w=96)
    grey = np.full_like(sample.anchor.image, 128)
    picture = overlay(labelled(sample, "clean", "noise"), grey, grey, "distortion")
    y, w = picture.shape[0] // 5, picture.shape[1]
    vocabulary = sample.graph.vocabulary
    colours = label_colours(len(vocabulary.distortions), vocabulary.clean_index)
    for x, label in ((w // 12, "clean"), (5 * w // 12, "noise")):
        colour = np.array(colours[vocabulary.distortion_index(label)])
        expected = 128 + 0.45 * (colour - 128)
        assert np.abs(picture[y, x] - expected).max() <= 1


def test_a_maps_legend_has_the_labels_that_occur():
    sample = pair(1, 2)
    there = [meaning.text for meaning in meanings(labelled(sample, "clean", "rain"), "distortion")]
    labels = {r.target.distortion.label for r in sample.graph.regions} | {"clean", "rain"}
    vocabulary = sample.graph.vocabulary
    assert there == [vocabulary.in_words(v) for v in vocabulary.distortions if v in labels]


def test_it_is_the_same_every_time_and_leaves_its_input_alone():
    sample = pair()
    before = sample.anchor.image.copy(), sample.target.image.copy()
    assert (drawn(sample) == drawn(sample)).all()
    assert (sample.anchor.image == before[0]).all() and (sample.target.image == before[1]).all()


def test_300_regions_have_a_place():
    assert drawn(pair(15, 20, h=150, w=200)).shape[1] > 2 * 1000


def test_a_graph_without_masks_is_drawn_without_regions():
    sample = pair()
    bare = published.from_published(published.to_published(sample.graph))
    picture = overlay(bare, sample.anchor.image, sample.target.image)
    full = overlay(without_regions(sample), sample.anchor.image, sample.target.image)
    h = picture.shape[0] // 2
    assert (picture[h] == full[h]).all()


def test_words_the_typeface_lacks_leave_the_number():
    sample = pair()
    vocabulary = DEFAULT_VOCABULARY.model_copy(
        update={"distortions": tuple(f"歪み{d}" for d in DEFAULT_VOCABULARY.distortions)}
    )
    regions = tuple(
        r.model_copy(
            update={
                s: r.node(s).model_copy(
                    update={
                        "distortion": r.node(s).distortion.model_copy(
                            update={"label": f"歪み{r.node(s).distortion.label}"}
                        )
                    }
                )
                for s in ("anchor", "target")
            }
        )
        for r in sample.graph.regions
    )
    graph = sample.graph.model_copy(update={"vocabulary": vocabulary, "regions": regions})
    assert (overlay(graph, sample.anchor.image, sample.target.image) != drawn(sample)).any()


def test_pictures_of_another_size_are_refused():
    sample = pair()
    with pytest.raises(ImageError, match="the target is 32×24, expected the graph's 64×48"):
        overlay(sample.graph, sample.anchor.image, photo(24, 32))
    with pytest.raises(ImageError, match=r"the anchor is an array of shape \(48, 64\)"):
        overlay(sample.graph, sample.anchor.image[..., 0], sample.target.image)


def test_the_typeface_knows_what_it_can_draw():
    face = Typeface(20)
    assert face.can_draw("3 noise · severe") and face.can_draw("")
    assert not face.can_draw("空") and not face.can_draw("a\nb")
    assert face.width("severe") > face.width("s")


def test_a_chip_is_drawn_within_its_size():
    face = Typeface(20)
    for rank in (None, -3, 0, 2):
        for words in ("", "noise"):
            chip = Chip("17", words, rank, CLEAN)
            w, h = chip.size(face)
            canvas = np.zeros((h + 40, w + 40, 3), np.uint8)
            chip.draw(canvas, 20, 20, face)
            edge = slice(17, -17)  # a thin frame around it, antialiased
            inside = canvas[edge, edge].copy()
            canvas[edge, edge] = 0
            assert not canvas.any() and inside.any()


def with_ranks(graph, ranks):
    """The graph with these comparisons, one a region."""
    words = {c.rank: c.label for c in graph.vocabulary.comparisons}
    regions = tuple(
        r.model_copy(update={"comparison": r.comparison.model_copy(update={"label": words[rank]})})
        for r, rank in zip(graph.regions, ranks, strict=True)
    )
    return graph.model_copy(update={"regions": regions})


def test_by_comparison_the_better_side_is_blue_the_worse_one_vermilion_and_the_same_untouched():
    sample = pair(1, 5, h=100, w=500)
    graph = with_ranks(sample.graph, [-2, -1, 0, 1, 2])
    grey = np.full_like(sample.anchor.image, 128)
    picture = overlay(graph, grey, grey, "comparison").astype(int)
    colours = comparison_colours(5)
    tops = [y for y in range(picture.shape[0]) if (picture[y] == 128).all(1).any()]
    half = len(tops) // 2  # very wide: one picture above the other
    for rows, ranks in ((tops[:half], [-2, -1, 0, 1, 2]), (tops[half:], [2, 1, 0, -1, -2])):
        y = rows[len(rows) // 6]  # above the labels
        shown = picture[y, picture.shape[1] // 10 :: picture.shape[1] // 5][:5] - 128
        for pixel, rank in zip(shown, ranks, strict=True):
            towards = np.array(colours[rank + 2]) - 128
            assert (pixel == 0).all() if rank == 0 else (pixel * np.sign(towards) > 0).all()


def test_the_legend_has_the_colours_that_the_regions_are_filled_with():
    sample = pair(1, 1)
    by = {
        by: overlay(without_regions(sample), *[photo()] * 2, by)[-60:]  # type: ignore[call-arg]
        for by in ("severity", "comparison")
    }
    for colour in severity_colours(4)[1:3]:
        assert (by["severity"] == colour).all(2).any()
    for colour in comparison_colours(5):
        assert (by["comparison"] == colour).all(2).any()
    assert not (by["comparison"] == severity_colours(4)[1]).all(2).any()


def test_words_never_cover_one_another_among_100_regions(monkeypatch):
    boxes = []

    def note(self, canvas, x, y, face):
        boxes.append((x, y, x + self.size(face)[0], y + self.size(face)[1]))

    monkeypatch.setattr(Chip, "draw", note)
    sample = pair(10, 10, h=400, w=600)
    overlay(sample.graph, sample.anchor.image, sample.target.image, "comparison")
    assert len(boxes) == 200
    for side in (boxes[:100], boxes[100:]):
        for k, (x0, y0, x1, y1) in enumerate(side):
            assert all(x1 <= a or c <= x0 or y1 <= b or d <= y0 for a, b, c, d in side[k + 1 :])


def test_another_meaning_of_the_colour_is_refused():
    sample = pair()
    with pytest.raises(ImageError, match="colour_by is 'score', expected one of 'sever"):
        overlay(sample.graph, sample.anchor.image, sample.target.image, "score")  # type: ignore[arg-type]
