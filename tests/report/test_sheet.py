"""The sheet shows both pictures and the worst regions, pixel for pixel, of any size."""

from __future__ import annotations

import numpy as np
import pytest
from optional import present
from report_samples import pair, photo, with_metrics

from distortion_graph.base.errors import ImageError
from distortion_graph.formats import published
from distortion_graph.report import sheet as module
from distortion_graph.report.cutouts import cutout_of
from distortion_graph.report.palette import INK, comparison_colours, severity_colours
from distortion_graph.report.sheet import LARGEST_PX, SMALLEST_PX, sheet
from distortion_graph.report.wording import worst_first


def drawn(sample, worst=4):
    return sheet(sample.graph, sample.anchor.image, sample.target.image, worst)


def places(page, part):
    """Corners (y, x) at which `part` stands on the page, pixel for pixel."""
    h, w = part.shape[:2]
    pixel = (page[: page.shape[0] - h + 1, : page.shape[1] - w + 1] == part[0, 0]).all(2)
    return [
        (int(y), int(x))
        for y, x in np.argwhere(pixel)
        if (page[y, x : x + w] == part[0]).all() and (page[y : y + h, x : x + w] == part).all()
    ]


def enlarged(rgb, factor):
    return rgb.repeat(factor, 0).repeat(factor, 1)


def written(monkeypatch):
    """Every line that is written."""
    lines = []
    write = module.write_middle  # type: ignore[attr-defined]

    def note(canvas, text, *more):
        lines.append(text)
        write(canvas, text, *more)

    monkeypatch.setattr(module, "write_middle", note)
    return lines


def changed(graph, k, **values):
    regions = list(graph.regions)
    regions[k] = regions[k].model_copy(update=values)
    return graph.model_copy(update={"regions": tuple(regions)})


@pytest.mark.parametrize(("h", "w", "factor"), [(48, 64, 10), (420, 700, 1), (3, 3, 200)])
def test_the_plain_pictures_are_not_touched(h, w, factor):
    rng = np.random.default_rng(0)
    sample = pair(1, 1, h=h, w=w)
    pictures = [rng.integers(0, 256, (h, w, 3), np.uint8) for _ in range(2)]
    page = sheet(sample.graph, *pictures, 0)  # type: ignore[arg-type, call-arg]
    assert factor == -(-SMALLEST_PX // max(h, w))
    (left,), (right,) = (places(page, enlarged(p, factor)) for p in pictures)
    assert left[0] == right[0] and left[1] + w * factor < right[1]


def test_a_cutout_holds_the_pictures_pixels_up_to_its_outline():
    sample = pair(3, 4, h=120, w=160)
    page = drawn(sample, 1)
    region = worst_first(sample.graph)[0]
    x, y, w, h = present(region.bbox_of("anchor"))
    inside = (slice(y + 2, y + h - 2), slice(x + 2, x + w - 2))
    found = []
    for version in (sample.anchor, sample.target):
        cutout = present(cutout_of(region, "anchor", (120, 160), 375))
        assert cutout.factor > 4 and cutout.whole
        found.append(places(page, enlarged(version.image[inside], cutout.factor)))
    ((left,), (right,)) = found
    assert left[0] == right[0] and left[1] < right[1]


def test_a_cutout_is_never_resampled_and_a_large_region_is_shown_in_part():
    sample = pair(1, 1, h=900, w=1500)
    rng = np.random.default_rng(0)
    noise = rng.integers(0, 256, (900, 1500, 3), np.uint8)
    region = sample.graph.regions[0]
    cutout = present(cutout_of(region, "anchor", (900, 1500), 400))
    assert (cutout.factor, cutout.whole, cutout.mask.shape) == (1, False, (400, 400))
    page = sheet(sample.graph, noise, noise, 1)
    x, y = cutout.window.x, cutout.window.y
    assert y < 440 < 460 < y + 400 and x < 740 < 760 < x + 400
    assert len(places(page, noise[440:460, 740:760])) == 2
    assert page.shape[1] < 2 * LARGEST_PX + 200


@pytest.mark.parametrize("room", [10, 37, 240])
@pytest.mark.parametrize("box", [(0, 0, 64, 48), (60, 40, 4, 8), (10, 0, 2, 48), (5, 5, 1, 1)])
def test_the_window_of_a_cutout_lies_in_the_picture_and_holds_something_of_the_region(box, room):
    region = pair(1, 1).graph.regions[0]
    node = region.anchor.model_copy(update={"mask": None, "bbox_xywh_px": box})
    cutout = present(
        cutout_of(region.model_copy(update={"anchor": node}), "anchor", (48, 64), room)
    )
    h, w = cutout.mask.shape
    assert 0 <= cutout.window.x <= 64 - w and 0 <= cutout.window.y <= 48 - h
    assert max(cutout.shown) <= room and max(cutout.shown) > room // 2 and cutout.mask.any()
    assert cutout.whole == (max(box[2:]) <= room)
    if cutout.whole:
        assert cutout.mask.sum() == box[2] * box[3]


def test_the_caption_says_everything_of_the_worst_regions(monkeypatch):
    sample = pair(2, 3)
    graph = with_metrics(sample.graph)
    lines = written(monkeypatch)
    page = sheet(graph, sample.anchor.image, sample.target.image, 2)
    first, second, *others = worst_first(graph)
    for region in (first, second):
        assert f"{region.id} {region.name}" in lines
        for side in ("anchor", "target"):
            node = region.node(side)
            assert any(
                t.startswith(f"{side}: {graph.vocabulary.in_words(node.distortion.label)}")
                and t.endswith(f", {node.score:.2f}")
                for t in lines
            )
        label = graph.vocabulary.in_words(region.comparison.label)
        assert f"anchor against target: {label}" in lines
    assert not any(t == f"{r.id} {r.name}" for r in others for t in lines)
    measured = "PSNR 21.2 dB, SSIM 0.50, HaarPSI 0.75, CIEDE2000 12.5, flip 0.188, "
    assert f"{measured}ssimulacra2 -12.2, vif" in " ".join(lines)
    colour = comparison_colours(5)[graph.vocabulary.comparison_index(first.comparison.label)]
    assert (page == colour).all(2).any()
    level = graph.vocabulary.severity_index(first.anchor.severity.label)
    assert (page == severity_colours(4)[level]).all(2).any()


def test_the_summary_is_wrapped_to_the_page(monkeypatch):
    sample = pair(2, 3, h=300, w=30)
    lines = written(monkeypatch)
    page = drawn(sample, 0)
    face = module.typeface(module._FACE)  # type: ignore[attr-defined]
    assert len(lines) > 1 and max(map(face.width, lines)) <= page.shape[1]
    assert " ".join(lines).endswith(").")


def test_more_regions_make_a_longer_page_and_none_is_no_error():
    sample = pair(2, 3)
    heights = [drawn(sample, n).shape[0] for n in (0, 1, 6, 100)]
    assert heights[0] < heights[1] < heights[2] == heights[3]
    empty = sample.graph.model_copy(update={"regions": ()})
    page = sheet(empty, sample.anchor.image, sample.target.image)
    assert len(places(page, enlarged(sample.anchor.image, 10))) == 1


def test_a_region_without_a_mask_is_its_box_and_one_without_a_box_is_left_out():
    sample = pair(2, 3)
    bare = published.from_published(published.to_published(sample.graph))
    assert all(r.anchor.mask is None for r in bare.regions)
    boxed = [r for r in bare.regions if r.anchor.bbox_xywh_px is not None]
    page = sheet(bare, sample.anchor.image, sample.target.image, 6)
    nodes = {
        s: sample.graph.regions[0].node(s).model_copy(update={"mask": None, "bbox_xywh_px": None})
        for s in ("anchor", "target")
    }
    without = sheet(changed(sample.graph, 0, **nodes), sample.anchor.image, sample.target.image, 6)
    assert without.shape[0] < drawn(sample, 6).shape[0]
    assert (page.shape[0] == drawn(sample, 6).shape[0]) == (len(boxed) == 6)


def test_a_name_that_cannot_be_drawn_is_the_regions_number(monkeypatch):
    sample = pair(1, 1)
    lines = written(monkeypatch)
    name = "木<script>\n\x1b[31m"
    sheet(changed(sample.graph, 0, name=name), sample.anchor.image, sample.target.image)
    assert "region 0" in lines and "木" not in "".join(lines)
    assert all(module.typeface(module._FACE).can_draw(t) for t in lines)  # type: ignore[attr-defined]
    long = changed(sample.graph, 0, name="w" * 500)
    assert sheet(long, sample.anchor.image, sample.target.image).shape[1] < 1600


@pytest.mark.parametrize(("h", "w"), [(3, 3), (1, 1), (3, 4000), (4000, 3), (20, 3000)])
def test_extreme_pictures(h, w):
    page = drawn(pair(1, 1, h=h, w=w))
    assert max(page.shape[:2]) < 3000 and (page != INK).any()


def test_target_of_another_size_keeps_its_own_pixels():
    from distortion_graph.masks.rle import rle_from_mask

    sample = pair(1, 2)
    other = photo(96, 200, seed=5)
    mask = np.zeros((96, 200), bool)
    mask[10:60, 20:90] = True
    rle = rle_from_mask(mask)
    regions = tuple(
        r.model_copy(
            update={
                "target": r.target.model_copy(
                    update={
                        "mask": r.anchor.mask.model_copy(
                            update={"size": rle.size, "counts": rle.counts}
                        ),
                        "bbox_xywh_px": (20, 10, 70, 50),
                    }
                )
            }
        )
        for r in sample.graph.regions
    )
    info = sample.graph.target.model_copy(update={"width": 200, "height": 96, "sha256": None})
    graph = sample.graph.model_copy(update={"regions": regions, "target": info})
    page = sheet(graph, sample.anchor.image, other, 1)
    assert len(places(page, enlarged(other, 3))) == 1
    cutout = present(cutout_of(regions[0], "target", (96, 200), 420))
    assert (cutout.window.x, cutout.window.y, cutout.mask.shape) == (12, 2, (66, 86))


def test_the_same_every_time_and_the_input_is_left_alone():
    sample = pair()
    before = sample.anchor.image.copy(), sample.target.image.copy()
    assert (drawn(sample) == drawn(sample)).all()
    assert (sample.anchor.image == before[0]).all() and (sample.target.image == before[1]).all()


def test_what_does_not_fit_is_refused():
    sample = pair()
    with pytest.raises(ImageError, match="sheet: the target is 32×24, expected the graph's 64×48"):
        sheet(sample.graph, sample.anchor.image, photo(24, 32))
    with pytest.raises(ImageError, match="worst is -1, expected 0 or more regions"):
        drawn(sample, -1)
