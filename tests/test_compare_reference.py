"""`compare` with the original at hand: measured, exact, and clear about what does not fit."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from optional import present
from PIL import Image
from skimage import data as pictures

from distortion_graph import Model, compare, load_graph, load_picture
from distortion_graph.base.errors import (
    DistortionGraphWarning,
    ImageError,
    RecipeError,
    VocabularyError,
)
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, FINE_COMPARISONS
from distortion_graph.graph import SIDES, ReferenceInfo, Scores
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.quality import HAARPSI, region_scores
from distortion_graph.report.wording import summary
from distortion_graph.synth.distort.compression import jpeg
from distortion_graph.synth.pairs import make_pair

CLEAN = np.ascontiguousarray(pictures.chelsea()[20:212, 60:316])
REGIONS = RegionSet.grid(CLEAN.shape[:2], 3, 4)
PAIR = make_pair(CLEAN, REGIONS, tag="cat", seed=2)
ANCHOR, TARGET = PAIR.anchor.image, PAIR.target.image
NONE = np.random.default_rng(0)


def against(reference: Any = CLEAN, anchor: Any = ANCHOR, target: Any = TARGET, **options: Any):
    asked: dict[str, Any] = {"regions": REGIONS, "evidence": "none"} | options
    return compare(anchor, target, reference=reference, **asked)


@pytest.fixture(scope="module")
def measured():
    return against()


def test_comparisons_are_true_by_construction(measured):
    for region, true in zip(measured.regions, PAIR.graph.regions, strict=True):
        for side in SIDES:
            assert region.node(side).score == true.node(side).score
        assert region.comparison.label == true.comparison.label
        assert region.comparison.margin == true.comparison.margin
    assert present(measured.scene).comparison is not None
    assert (
        present(present(measured.scene).comparison).label
        == present(present(PAIR.graph.scene).comparison).label
    )


def test_what_is_clean_in_truth_is_clean(measured):
    for region, true in zip(measured.regions, PAIR.graph.regions, strict=True):
        for side in SIDES:
            clean = true.node(side).distortion.label == "clean"
            assert (region.node(side).score == 1) == clean
            if clean:
                assert region.node(side).distortion.probability == 1


def test_the_graph_says_against_what_it_was_measured(measured, tmp_path):
    assert measured.scores == Scores(metric="haarpsi", source="measured")
    info = present(present(measured.reference).picture)
    assert (present(measured.reference).role, info.width, info.height) == ("third", 256, 192)
    assert info.sha256 == load_picture(CLEAN).sha256
    Image.fromarray(CLEAN).save(tmp_path / "clean.png")
    named = against(tmp_path / "clean.png")
    assert present(present(named.reference).picture).source == str(tmp_path / "clean.png")
    assert named.regions == measured.regions
    assert load_graph(named.to_json()) == named
    assert compare(ANCHOR, TARGET, regions="whole").scores == Scores(source="predicted")


def test_swapping_the_pictures_mirrors_the_graph_to_the_bit(measured):
    assert measured.swapped().to_json() == against(anchor=TARGET, target=ANCHOR).to_json()
    fine = against(scale="fine")
    back = against(anchor=TARGET, target=ANCHOR, scale="fine")
    assert fine.swapped().to_json() == back.to_json()


def test_permuting_the_regions_permutes_the_graph_to_the_bit(measured):
    order = np.random.default_rng(0).permutation(len(REGIONS))
    moved = against(regions=REGIONS.reorder(order))
    assert moved.regions == tuple(measured.regions[i] for i in order)
    assert moved.scene == measured.scene


def test_the_original_may_be_one_of_the_two():
    graph = against("anchor", anchor=CLEAN)
    assert graph.reference == ReferenceInfo(role="anchor")
    assert {r.anchor.distortion.label for r in graph.regions} == {"clean"}
    assert {r.anchor.score for r in graph.regions} == {1}
    expected = region_scores(CLEAN, TARGET, REGIONS.masks()).round(6)
    assert [r.target.score for r in graph.regions] == expected.tolist()
    back = against("target", anchor=TARGET, target=CLEAN)
    assert graph.swapped().to_json() == back.to_json()
    third = against(CLEAN, anchor=CLEAN)
    assert third.regions == graph.regions and third.scene == graph.scene
    assert summary(graph).count("measured against the anchor, which is the reference") == 1


def test_two_files_of_an_original_are_told_apart_on_the_fine_scale():
    first, second = jpeg(CLEAN, 85, NONE), jpeg(CLEAN, 90, NONE)
    common = against(anchor=first, target=second, regions="whole")
    fine = against(anchor=first, target=second, regions="whole", scale="fine")
    [coarse_region], [region] = common.regions, fine.regions
    assert coarse_region.comparison.label == "same"
    assert region.comparison.label == "measurably_worse"
    assert region.comparison.margin == coarse_region.comparison.margin
    assert fine.vocabulary.comparisons == FINE_COMPARISONS
    assert fine.vocabulary.distortions == DEFAULT_VOCABULARY.distortions
    # Two decimals would not show the step.
    scores = f"{present(region.anchor.score):.4f} against {present(region.target.score):.4f}"
    assert scores in summary(fine)


def test_two_clean_nodes_may_differ_where_scores_are_measured():
    graph = against("target", anchor=jpeg(CLEAN, 90, NONE), target=CLEAN, scale="fine")
    region = graph.regions[0]
    assert region.target.distortion.label == "clean"
    assert region.comparison.label == "measurably_worse"


def test_another_metric_by_name_or_itself():
    graph = against(score_metric=HAARPSI)
    assert graph.to_json() == against(score_metric="haarpsi").to_json()
    with pytest.raises(RecipeError, match=r"unknown metric 'psnr'; expected one of: .*haarpsi"):
        against(score_metric="psnr")


def test_words_that_are_no_side_and_no_scale_are_refused():
    with pytest.raises(ImageError, match="no such file"):
        against("both")
    with pytest.raises(VocabularyError) as caught:
        against(scale="finer")
    assert str(caught.value) == "scale is 'finer', expected one of 'common', 'fine'"


def line(*sizes, **options):
    """The error of comparing pictures of these sizes (h, w): anchor, target, reference."""
    anchor, target, reference = (np.zeros((*size, 3), np.uint8) for size in sizes)
    with pytest.raises(ImageError) as caught:
        compare(anchor, target, reference=reference, regions="whole", **options)
    return str(caught.value)


RULE = ": an original lies on what it is compared with pixel by pixel and is never scaled"


def test_a_reference_of_another_size_is_refused_with_advice():
    small, large = (40, 60), (50, 60)
    assert line(small, small, large) == (
        "reference: the reference is 60×50, expected 60×40 as the two pictures"
        + RULE
        + "; --fit crop (fit='crop') takes its top left"
    )
    assert line(large, large, small) == (
        "reference: the reference is 60×40, expected 60×50 as the two pictures" + RULE
    )
    assert line(large, small, (30, 60), fit="crop") == (
        "reference: the reference is 60×30, expected 60×40 as the common part of the two pictures"
        + RULE
    )
    assert line(small, (80, 120), (80, 120), fit="resize") == (
        "reference: the reference is 120×80, expected 60×40 as the anchor, to which the target "
        "is scaled" + RULE
    )


def test_the_common_part_is_measured_against_the_same_part_of_the_original():
    taller = np.concatenate([TARGET, TARGET[:20]])
    graph = against(anchor=ANCHOR, target=taller, fit="crop")
    assert (
        graph.fit == "crop" and graph.regions[0].target.score == against().regions[0].target.score
    )
    longer = np.concatenate([CLEAN, CLEAN[:9]])
    cut = against(longer, fit="crop")
    assert cut.regions == against().regions and cut.fit is None
    assert present(present(cut.reference).picture).height == 201
    note = "Of the reference only the top left 256×192 pixels were taken."
    assert summary(cut).endswith(note) and "top left" not in summary(graph).partition(note)[2]


def test_a_scaled_target_is_measured_as_it_was_scaled():
    double = np.kron(TARGET, np.ones((2, 2, 1), np.uint8))
    graph = against(target=double, fit="resize")
    assert graph.regions[0].target.score == against().regions[0].target.score


def test_a_loaded_picture_and_a_model_are_taken():
    picture, model = load_picture(CLEAN), Model.load()
    assert against(picture, model=model).to_json() == against().to_json()


def test_nothing_is_aligned_beside_an_original(measured):
    assert measured.alignment is None
    assert against(align="none").to_json() == measured.to_json()
    with pytest.raises(ImageError) as caught:
        against(align="translation")
    assert str(caught.value) == (
        "--align translation moves the target, and a reference lies on both pictures pixel by "
        "pixel; expected --align none with --reference"
    )


def test_a_picture_that_does_not_lie_on_its_original_is_said():
    moved = np.roll(TARGET, (2, 3), (0, 1))
    with pytest.warns(DistortionGraphWarning, match=r"target: shifted by .* measured scores take"):
        compare(ANCHOR, moved, regions="whole", reference=CLEAN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compare(ANCHOR, TARGET, regions="whole", reference=CLEAN)
        compare(ANCHOR, moved, regions="whole", reference=CLEAN, align="none")
