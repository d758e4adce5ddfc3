"""`rank` with the shipped model: order, ties, places in the pictures, and what is refused."""

from __future__ import annotations

import shutil
from itertools import combinations
from typing import Any

import cv2
import numpy as np
import pytest
from encoder_runs import encoder_runs
from optional import present
from PIL import Image
from ranked_pictures import SIZE, jpeg, ladder, scene

import distortion_graph
from distortion_graph import DistortionGraphError, Model, Ranking, compare, load_picture, rank
from distortion_graph.base.errors import ImageError, RankingError, RecipeError
from distortion_graph.measure.quality import region_scores, scene_score
from distortion_graph.predict.opinion import OpinionMaps
from distortion_graph.ranking.pairs import probability_better
from distortion_graph.ranking.seeing import see
from distortion_graph.ranking.seen import Looking
from distortion_graph.ranking.tables import table_of

QUALITIES = (5, 15, 40, 90)
STEPS = [f"jpeg-q{quality}" for quality in QUALITIES]


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return ladder(tmp_path_factory.mktemp("ladder") / "root", QUALITIES)


@pytest.fixture(scope="module")
def against(root):
    return rank(root / "encodes", reference=root / "original.png", regions="grid:1x2", sizes=True)


@pytest.fixture(scope="module")
def pairs(root):
    return rank(root / "encodes", regions="grid:1x2")


def order(standings):
    return [standing.candidate for standing in standings]


def test_a_ladder_is_in_order_everywhere_and_as_a_whole(against, pairs):
    assert (against.by, against.best) == ("score", ("jpeg-q90",))
    assert order(against.ordered) == STEPS[::-1]
    assert [order(region.ordered) for region in against.regions] == [STEPS[::-1]] * 2
    assert pairs.by == "pairs"
    for place in (pairs, *pairs.regions):  # fine steps are no matter for a model alone
        assert "jpeg-q90" in place.best and order(place.ordered)[-2:] == STEPS[1::-1]
    assert [r.name for r in against.regions] == ["r1c1", "r1c2"]


def test_scores_are_the_metrics_own_between_reference_and_candidate(root, against):
    original = np.asarray(Image.open(root / "original.png"))
    masks = np.zeros((2, *SIZE), np.bool_)
    masks[0, :, : SIZE[1] // 2] = masks[1, :, SIZE[1] // 2 :] = True
    assert against.metric == "haarpsi"
    for k, name in enumerate(STEPS):
        rgb = np.asarray(Image.open(root / "encodes" / f"{name}.jpg"))
        assert against.scene[k].node.score == pytest.approx(scene_score(original, rgb), abs=1e-6)
        expected = region_scores(original, rgb, masks)
        found = [present(region.standings[k].node).score for region in against.regions]
        assert found == pytest.approx(expected, abs=1e-6)


def test_further_metrics_are_those_of_compare_and_change_no_place(root, against):
    names = ("flip", "vif")
    ranking = rank(
        root / "encodes",
        reference=root / "original.png",
        regions="grid:1x2",
        metrics=names,
        sizes=True,
    )
    assert [metric.name for metric in ranking.metrics] == list(names)
    for k, name in enumerate(STEPS):
        graph = compare(
            root / "original.png",
            root / "encodes" / f"{name}.jpg",
            reference="anchor",
            regions="grid:1x2",
            metrics=names,
        )
        assert ranking.scene[k].more == present(present(graph.scene).evidence).more
        for mine, region in zip(ranking.regions, graph.regions, strict=True):
            assert mine.standings[k].more == present(region.evidence).more
    bare = {"metrics": (), "scene": against.scene, "regions": against.regions}
    assert ranking.model_copy(update=bare) == against
    assert not any(s.more for s in against.scene)
    assert [s.place for s in ranking.scene] == [s.place for s in against.scene]
    columns = table_of(ranking).columns
    assert list(columns)[-2:] == ["more.flip", "more.vif"]
    assert Ranking.model_validate_json(ranking.to_json()) == ranking


def test_further_metrics_of_a_cut_out_are_of_what_it_shows(tmp_path):
    whole = scene((160, 200))
    part = np.ascontiguousarray(whole[:, 40:])
    ranking = rank(
        {"part": part, "jpeg": jpeg(whole, 20)},
        reference=whole,
        regions="grid:1x2",
        metrics=["gmsd"],
    )
    first, second = ranking.scene
    assert first.more == {"gmsd": 0.0} and present(second.more["gmsd"]) > 0
    for region in ranking.regions:
        assert region.standings[0].more == {"gmsd": 0.0}


def test_n_candidates_take_n_runs_of_the_encoder(root):
    for reference, expected in ((None, 4), (root / "original.png", 5)):
        with encoder_runs() as runs:
            rank(root / "encodes", reference=reference, regions="grid:1x2")
        assert len(runs) == expected


def test_what_is_kept_of_candidates_says_of_each_pair_what_compare_does_to_the_bit(root):
    model = Model.load()
    candidates = [load_picture(root / "encodes" / f"{name}.jpg") for name in STEPS]
    seen = see(Looking(model), None, candidates, "grid:1x2", warn=print)
    said = seen.preferred
    assert said is not None
    for i, j in combinations(range(4), 2):
        graph = compare(candidates[i], candidates[j], regions="grid:1x2", model=model)
        places = [present(graph.scene).comparison, *(r.comparison for r in graph.regions)]
        expected = [probability_better(present(place), model.vocabulary) for place in places]
        assert said[:, i, j].tolist() == expected
        assert said[:, j, i].tolist() == [1 - share for share in expected]


def test_what_is_wrong_is_said_and_the_worst_is_compression(against, pairs):
    for ranking in (against, pairs):
        worst = present(ranking.region(0).ordered[-1].node)
        assert worst.distortion.label == "compression"
        assert worst.mask is None and worst.bbox_xywh_px is None


def test_permuting_the_candidates_permutes_the_ranking(root, against, pairs):
    moved = [2, 0, 3, 1]
    files = [root / "encodes" / f"{STEPS[k]}.jpg" for k in moved]
    again = rank(files, reference=root / "original.png", regions="grid:1x2", sizes=True)
    assert again.scene == tuple(against.scene[k] for k in moved)
    for region, before in zip(again.regions, against.regions, strict=True):
        assert region.standings == tuple(before.standings[k] for k in moved)
    assert again.rates == against.rates
    turned = rank(files, regions="grid:1x2")
    for place, k in enumerate(moved):
        assert turned.scene[place].node == pairs.scene[k].node
        assert turned.scene[place].value == pytest.approx(pairs.scene[k].value, abs=2e-6)


def test_a_copy_of_the_reference_is_clean_with_the_score_one(root, tmp_path):
    shutil.copy(root / "original.png", tmp_path / "copy.png")
    with pytest.warns(UserWarning, match="the reference and copy are equal, pixel for pixel"):
        ranking = rank(
            [tmp_path / "copy.png", root / "encodes" / "jpeg-q40.jpg"],
            reference=root / "original.png",
            regions="whole",
        )
    best = ranking.region(0).ordered[0]
    assert (best.candidate, best.value) == ("copy", 1.0)
    assert present(best.node).distortion.label == "clean"


def test_equal_candidates_are_tied_whichever_way_they_are_compared(root, tmp_path):
    first = root / "encodes" / "jpeg-q15.jpg"
    shutil.copy(first, tmp_path / "twin.jpg")
    files = [first, tmp_path / "twin.jpg", root / "encodes" / "jpeg-q90.jpg"]
    for reference in (root / "original.png", None):
        with pytest.warns(UserWarning, match="jpeg-q15 and twin are equal, pixel for pixel"):
            ranking = rank(files, reference=reference, regions="whole", tolerance=0)
        assert [s.place for s in ranking.scene] == [2, 2, 1]
        assert [s.place for s in ranking.region(0).standings] == [2, 2, 1]


def test_masks_lie_on_the_reference_and_found_regions_are_the_same_for_all(root):
    masks = np.zeros((1, *SIZE), np.bool_)
    masks[0, 10:50, 20:90] = True
    ranking = rank(root / "encodes", reference=root / "original.png", regions=masks)
    [region] = ranking.regions
    assert region.bbox_xywh_px == (20, 10, 70, 40)
    assert region.area_fraction == pytest.approx(40 * 70 / (SIZE[0] * SIZE[1]), abs=1e-6)
    found = rank(root / "encodes")
    assert all(len(region.standings) == 4 for region in found.regions)


def test_sizes_give_bits_per_pixel_of_the_reference_and_ladders_by_name(root, against):
    for candidate in against.candidates:
        size = (root / "encodes" / f"{candidate.name}.jpg").stat().st_size
        assert candidate.size_bytes == size
        assert candidate.bits_per_pixel == pytest.approx(8 * size / (SIZE[0] * SIZE[1]), abs=1e-6)
        assert candidate.ladder == "jpeg"
    rates = present(against.rates)
    assert [(one.name, one.candidates) for one in rates.ladders] == [("jpeg", tuple(STEPS))]
    assert rates.bd_rates == ()


def test_two_ladders_have_a_bd_rate_as_a_whole_and_in_each_region(root, tmp_path):
    folder = tmp_path / "two"
    shutil.copytree(root / "encodes", folder)
    for name in STEPS:  # the same pictures in files of twice the size: a comment fills them up
        data = (folder / f"{name}.jpg").read_bytes()
        filled = data[:2] + b"\xff\xfe" + (len(data) - 2).to_bytes(2, "big")
        filled += b" " * (len(data) - 4) + data[2:]
        (folder / f"{name.replace('jpeg', 'fat')}.jpg").write_bytes(filled)
    with pytest.warns(UserWarning, match="are equal, pixel for pixel"):
        ranking = rank(
            folder, reference=root / "original.png", regions="grid:1x2", sizes=True,
            ladders={"jpeg": ["jpeg-*"], "fat": ["fat-*"]},
        )  # fmt: skip
    found = present(ranking.rates).bd_rates
    assert [(rate.region, rate.anchor, rate.test) for rate in found] == [
        (None, "jpeg", "fat"), (0, "jpeg", "fat"), (1, "jpeg", "fat"),
    ]  # fmt: skip
    for rate in found:
        assert (rate.cubic_percent, rate.pchip_percent) == pytest.approx((100, 100), abs=0.01)


def test_json_holds_everything_and_the_text_tells_the_order(against, pairs):
    for ranking in (against, pairs):
        assert Ranking.model_validate_json(ranking.to_json()) == ranking
    text = str(against)
    assert text.splitlines()[3].startswith("1 jpeg-q90 0.9")
    assert "\n0 r1c1: jpeg-q90 best (0.9" in text
    assert "Ordered by score, tied within 0.005; scores are measured by haarpsi against" in text
    assert "with 95 % intervals; tied within 0.1 of a probability." in str(pairs)


def test_a_cut_out_candidate_is_laid_and_what_it_does_not_show_has_no_place(tmp_path):
    rgb = scene((192, 256))
    whole = jpeg(rgb, 20)
    cut = jpeg(np.ascontiguousarray(rgb[16:, 64:]), 60)
    masks = np.zeros((2, 192, 256), np.bool_)
    masks[0, 40:, 100:] = True
    masks[1, :, :48] = True
    with pytest.warns(UserWarning, match="^cut: does not show region 1$"):
        ranking = rank({"whole": whole, "cut": cut}, reference=rgb, regions=masks)
    both, lost = ranking.regions
    assert [s.candidate for s in both.ordered] == ["cut", "whole"]
    shown = present(both.standings[1].node)
    assert present(shown.bbox_xywh_px)[:2] == (36, 24)  # in its own pixels
    assert both.standings[1].valid == pytest.approx(1, abs=0.01)
    assert [(s.candidate, s.place) for s in lost.standings] == [("whole", 1), ("cut", None)]
    assert present(ranking.candidate("cut").alignment).model == "translation"
    # Moved by whole pixels, so that the score is that of the part itself.
    part = load_picture(cut).rgb
    mask = np.ascontiguousarray(masks[:1, 16:, 64:])
    [expected] = region_scores(np.ascontiguousarray(rgb[16:, 64:]), part, mask)
    assert shown.score == pytest.approx(expected, abs=1e-5)


def test_a_smaller_candidate_is_ranked_in_its_own_pixels_too(tmp_path):
    rgb = scene((192, 256))
    half = cv2.resize(rgb, (128, 96), interpolation=cv2.INTER_AREA)
    for reference in (rgb, None):
        files = {"good": jpeg(rgb, 90), "half": jpeg(np.asarray(half, np.uint8), 5)}
        other = "good" if reference is None else "reference"
        line = f"half: shows {other} at 0.50 of its size and is compared at that; what is lost by"
        with pytest.warns(UserWarning, match=f"^{line} it alone does not count$"):
            ranking = rank(files, reference=reference, regions="whole")
        assert ranking.best == ("good",)
        assert present(ranking.region(0).standings[1].node).bbox_xywh_px == (0, 0, 128, 96)


def test_opinions_order_where_that_is_wanted(root):
    model = Model.load()
    maps = OpinionMaps(common=((0.0, 0.1), (1.0, 0.9)))
    model.decoding = model.decoding.model_copy(update={"opinion": maps})
    rgb = scene((192, 256))
    files = {"whole": jpeg(rgb, 20), "cut": jpeg(np.ascontiguousarray(rgb[16:, 64:]), 60)}
    assert rank(files, reference=rgb, regions="whole", model=model).by == "score"
    found = rank(files, reference=rgb, regions="whole", model=model, by="opinion", sizes=True)
    assert (found.by, found.tolerance, present(found.rates).quality) == ("opinion", 0.01, "opinion")
    values = [(s.value, s.node.score) for s in found.scene]
    values += [(s.value, present(s.node).score) for s in found.region(0).standings]
    for value, score in values:
        assert value == pytest.approx(0.1 + 0.8 * present(score), abs=2e-6)
    without = rank(root / "encodes", regions="whole", model=model)
    assert without.by == "pairs" and without.scene[0].node.opinion is not None
    with pytest.raises(RankingError, match="by opinion follows from scores against the original"):
        rank(root / "encodes", regions="whole", model=model, by="opinion")
    model.decoding = model.decoding.model_copy(update={"opinion": None})
    with pytest.raises(RankingError, match="needs a model that gives opinions everywhere"):
        rank(files, reference=rgb, regions="whole", model=model, by="opinion")


def test_another_scene_is_left_out_or_refused(root):
    files: dict[str, Any] = {
        "a": jpeg(scene(), 40),
        "b": jpeg(scene(), 20),
        "other": scene((64, 200), of="astronaut"),
    }
    with pytest.warns(UserWarning, match=r"^other: may not show the scene of .*; left out$"):
        ranking = rank(files, reference=root / "original.png", regions="whole")
    assert [c.name for c in ranking.candidates] == ["a", "b"]
    assert [left.source for left in ranking.left_out] == ["other"]
    with pytest.raises(ImageError):
        rank(files, reference=root / "original.png", regions="whole", strict=True)


def test_without_alignment_another_size_is_left_out_with_what_to_do(root):
    files: dict[str, Any] = {
        "a": jpeg(scene(), 40),
        "b": jpeg(scene(), 20),
        "small": scene((48, 64)),
    }
    line = (
        "small: is 64×48, expected 128×96 as .*original.png; --align auto (align='auto') lays "
        "it there; left out"
    )
    with pytest.warns(UserWarning, match=line.replace("(", r"\(").replace(")", r"\)")):
        ranking = rank(files, reference=root / "original.png", regions="whole", align="none")
    assert len(ranking.candidates) == 2


def test_mistakes_are_one_line_each(root):
    folder, original = root / "encodes", root / "original.png"
    for wrong, line in (
        ({"tolerance": -0.1}, "tolerance is -0.1, expected a number from 0 to 1"),
        (
            {"ladders": {"a": ["*"]}},
            "ladders are about file sizes, expected sizes=True (--size) to",
        ),
        ({"sizes": True, "ladders": {"a": ["x"]}}, "ladder 'a': no candidate is called 'x', expec"),
    ):
        with pytest.raises(RankingError) as refusal:
            rank(folder, reference=original, regions="whole", **wrong)
        assert str(refusal.value).startswith(line)
    with pytest.raises(RankingError) as refusal:
        rank([scene(), 255 - scene()], sizes=True)
    assert str(refusal.value) == (
        "candidate 1: has no file whose size counts, expected a path or its bytes"
    )
    with pytest.raises(RecipeError, match="haarp"):
        rank(folder, reference=original, score_metric="haarp")
    with pytest.raises(RankingError, match="metrics vif are measured against an original, expect"):
        rank(folder, regions="whole", metrics=["vif"])
    with pytest.raises(RankingError, match=r"no region with the id 7 \(ids: 0\)"):
        rank(folder, reference=original, regions="whole").region(7)
    assert issubclass(RankingError, DistortionGraphError)


def test_it_is_a_public_name():
    assert distortion_graph.rank is rank and "rank" in distortion_graph.__all__
