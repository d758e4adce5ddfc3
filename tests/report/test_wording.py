"""The sentence about a graph says what the graph says."""

from __future__ import annotations

import pytest
from report_samples import pair

from distortion_graph.formats import published
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    Evidence,
    ImageInfo,
    LabelBelief,
    ModelInfo,
    Node,
    RegionComparison,
    Scene,
    SceneNode,
)
from distortion_graph.report.wording import (
    marks,
    printable,
    shown_shares,
    summary,
    words,
    worst_first,
)
from distortion_graph.vocabulary import DEFAULT_VOCABULARY


def node(label, severity, score):
    return Node(
        distortion=LabelBelief(label=label), severity=LabelBelief(label=severity), score=score
    )


def region(k, anchor, target, name="sky"):
    level = DEFAULT_VOCABULARY.compare_scores(anchor.score, target.score)
    margin = anchor.score - target.score
    belief = ComparisonBelief(label=level.label, margin=margin)
    return RegionComparison(id=k, name=name, anchor=anchor, target=target, comparison=belief)


def graph(*regions, scores=(0.9, 0.5)):
    level = DEFAULT_VOCABULARY.compare_scores(*scores)
    belief = ComparisonBelief(label=level.label, margin=scores[0] - scores[1])
    scene = Scene(
        anchor=SceneNode(score=scores[0]), target=SceneNode(score=scores[1]), comparison=belief
    )
    return DistortionGraph(
        vocabulary=DEFAULT_VOCABULARY,
        anchor=ImageInfo(),
        target=ImageInfo(),
        regions=regions,
        scene=scene,
    )


CLEAN = node("clean", "clean", 1.0)
HAZY = node("haze", "minor", 0.8)
NOISY = node("contrast_inc", "severe", 0.25)


def test_a_sentence_about_better_worse_and_the_worst():
    made = graph(region(4, CLEAN, NOISY), region(2, NOISY, HAZY, "region 2"), region(7, HAZY, HAZY))
    assert summary(made) == (
        "As a whole, the anchor is significantly better than the target (0.90 against 0.50); of 3 "
        "regions the anchor is better in 1, worse in 1 and the same in 1; the worst is region 4 "
        "(sky) of the target: contrast inc, severe (0.25)."
    )


def test_a_sentence_about_equal_pictures():
    made = graph(region(0, CLEAN, CLEAN), region(1, CLEAN, CLEAN), scores=(1.0, 1.0))
    assert summary(made) == (
        "As wholes, anchor and target are about equal (1.00 against 1.00); all 2 regions are the "
        "same; every region looks clean in both."
    )


def test_identical_pictures_are_called_so():
    made = graph(region(0, CLEAN, CLEAN), region(1, CLEAN, CLEAN), scores=(1.0, 1.0))
    measured = Evidence(psnr_db=None, ssim=1.0, haarpsi=1.0, delta_e=0.0)
    made = made.model_copy(update={"scene": made.scene.model_copy(update={"evidence": measured})})
    assert summary(made).startswith("The two pictures are identical, pixel for pixel; all 2 ")


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (region(0, CLEAN, NOISY, "image"), "better"),
        (region(0, NOISY, CLEAN, "image"), "worse"),
        (region(0, HAZY, HAZY, "image"), "the same"),
    ],
)
def test_a_sentence_about_one_region(one, word):
    assert f"; in the one region the anchor is {word}; the worst is region 0 (image)" in summary(
        graph(one)
    )


def test_a_graph_without_scene_scores_or_regions_has_a_sentence():
    lists = published.to_published(pair().graph)
    bare = published.from_published(lists)
    assert summary(bare).startswith("The pictures as wholes were not compared; of 6 regions")
    assert summary(graph()) == (
        "As a whole, the anchor is significantly better than the target (0.90 against 0.50)."
    )


def unsure(made, *places):
    """The graph by a model that calls the nodes at (region's position, side) unreliable."""
    regions = list(made.regions)
    for k, side in places:
        node = regions[k].node(side).model_copy(update={"known": 0.1})
        regions[k] = regions[k].model_copy(update={side: node})
    model = ModelInfo(name="m", known_threshold=0.2)
    return made.model_copy(update={"regions": tuple(regions), "model": model})


def test_what_is_uncertain_is_not_called_clean():
    made = graph(region(0, CLEAN, CLEAN), region(1, CLEAN, CLEAN), scores=(1.0, 1.0))
    assert summary(unsure(made)).endswith("; every region looks clean in both.")
    assert summary(unsure(made, (1, "target"))).endswith(
        "; all 2 regions are the same; no region looks distorted; the model is uncertain about "
        "1 of 2 regions."
    )
    one = unsure(graph(region(0, CLEAN, CLEAN)), (0, "anchor"), (0, "target"))
    assert summary(one).endswith("; the model is uncertain about the one region.")


def test_the_worst_region_may_be_uncertain():
    made = unsure(graph(region(4, CLEAN, NOISY), region(2, HAZY, HAZY)), (0, "target"))
    assert summary(made).endswith(
        "; the worst is region 4 (sky) of the target: uncertain (0.25); the model is uncertain "
        "about 1 of 2 regions."
    )


def test_shares_of_a_picture_set_apart_what_is_uncertain():
    made = graph(region(0, CLEAN, NOISY), region(1, CLEAN, CLEAN), region(2, CLEAN, CLEAN))
    areas = (0.25, 0.125, 0.5)
    regions = tuple(
        r.model_copy(update={"area_fraction": a}) for r, a in zip(made.regions, areas, strict=True)
    )
    anchor = SceneNode(score=0.9, distortion_share={"clean": 0.875})
    target = SceneNode(score=0.5, distortion_share={"clean": 0.625, "contrast_inc": 0.25})
    scene = made.scene.model_copy(update={"anchor": anchor, "target": target})
    made = made.model_copy(update={"regions": regions, "scene": scene})
    assert shown_shares(made, "anchor") == {"clean": 0.875}
    doubtful = unsure(made, (0, "anchor"), (1, "anchor"), (0, "target"))
    assert shown_shares(doubtful, "anchor") == {"clean": 0.5, "uncertain": 0.375}
    assert shown_shares(doubtful, "target") == {
        "clean": 0.625, "uncertain": 0.25, "contrast_inc": 0.0
    }  # fmt: skip
    assert list(shown_shares(doubtful, "target")) == ["clean", "uncertain", "contrast_inc"]
    assert shown_shares(graph(), "anchor") == {}


def test_regions_are_ordered_by_their_lower_score():
    made = graph(region(1, CLEAN, CLEAN), region(2, CLEAN, NOISY), region(3, HAZY, CLEAN))
    assert [r.id for r in worst_first(made)] == [2, 3, 1]
    assert [r.id for r in worst_first(made.swapped())] == [2, 3, 1]


def test_words_marks_and_text_that_cannot_steer_a_terminal():
    assert words("slightly_worse") == "slightly worse"
    assert [marks(r) for r in (-2, -1, 0, 1, 3)] == ["▼▼", "▼", "=", "▲", "▲▲▲"]
    assert printable("a\x1b[31m\nb\u202e") == "a [31m b"
