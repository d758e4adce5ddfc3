"""The sentence about a graph says what the graph says."""

from __future__ import annotations

import pytest
from report_samples import pair

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.formats import published
from distortion_graph.graph import (
    ComparisonBelief,
    DistortionGraph,
    Evidence,
    FurtherDistortion,
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
    node_text,
    node_words,
    printable,
    quality_text,
    scene_words,
    summary,
    uncertain_places,
    words,
    worst_first,
)


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
        "(sky) of the target: too much contrast, severe (0.25)."
    )


def test_a_sentence_about_equal_pictures():
    made = graph(region(0, CLEAN, CLEAN), region(1, CLEAN, CLEAN), scores=(1.0, 1.0))
    assert summary(made) == (
        "As wholes, anchor and target are about equal (1.00 against 1.00); all 2 regions are the "
        "same; every region looks clean in both."
    )


def unknown(node):
    return node.model_copy(update={"known": 0.2})


def doubtful(*regions, **more):
    """A graph whose model is uncertain below .5."""
    made = graph(*regions, **more)
    return made.model_copy(update={"model": ModelInfo(name="small", known_threshold=0.5)})


@pytest.mark.parametrize(
    ("regions", "said"),
    [
        ([(unknown(CLEAN), CLEAN), (CLEAN, CLEAN)], "1 region is uncertain, the other looks clean"),
        (
            [(unknown(CLEAN), CLEAN), (CLEAN, unknown(CLEAN)), (CLEAN, CLEAN), (CLEAN, CLEAN)],
            "2 regions are uncertain, the others look clean in both.",
        ),
        ([(CLEAN, unknown(CLEAN))] * 3, "all 3 regions are the same; every region is uncertain."),
        ([(unknown(CLEAN), unknown(CLEAN))], "the anchor is the same; the region is uncertain."),
        ([(unknown(NOISY), CLEAN)], "the worst is region 0 (sky) of the anchor: uncertain (0.25)."),
    ],
)
def test_a_sentence_calls_nothing_clean_that_is_uncertain(regions, said):
    made = doubtful(*(region(k, *nodes) for k, nodes in enumerate(regions)))
    assert said in summary(made)
    certain = made.model_copy(update={"model": None})
    assert "uncertain" not in summary(certain)


def test_what_a_node_says():
    made = doubtful()
    assert node_words(made, NOISY) == ("too much contrast", "severe")
    assert node_words(made, CLEAN) == ("clean",)
    assert node_words(made, unknown(NOISY)) == ("uncertain",)


def test_a_node_names_what_it_suffers_also_and_the_opinion_to_expect():
    also = (FurtherDistortion(label="blur", severity="minor"),)
    both = NOISY.model_copy(update={"also": also, "opinion": 0.125})
    assert node_text(graph(), both) == "too much contrast, severe; also blur, minor"
    assert (quality_text(both), quality_text(NOISY)) == ("0.25, opinion 0.12", "0.25")
    assert node_text(doubtful(), unknown(both)) == "uncertain"
    assert summary(graph(region(4, CLEAN, both))).endswith(
        "region 4 (sky) of the target: too much contrast, severe; also blur, minor (0.25)."
    )


def test_a_scene_shows_uncertain_where_its_regions_are():
    regions = [
        region(k, anchor, CLEAN).model_copy(update={"area_fraction": area})
        for k, (anchor, area) in enumerate(
            [(NOISY, 0.25), (unknown(NOISY), 0.125), (unknown(CLEAN), 0.25), (CLEAN, 0.125)]
        )
    ]
    made = doubtful(*regions)
    shares = {"contrast_inc": 0.375, "clean": 0.375, "haze": 0.0}
    scene = made.scene.model_copy(update={"anchor": SceneNode(score=0.9, distortion_share=shares)})
    made = made.model_copy(update={"scene": scene})
    assert scene_words(made, "anchor") == [
        ("uncertain", 0.375), ("too much contrast", 0.25), ("clean", 0.125)
    ]  # fmt: skip
    assert scene_words(made, "target") == []
    assert scene_words(made.model_copy(update={"scene": None}), "anchor") == []
    assert uncertain_places(made) == ["region 1 of the anchor", "region 2 of the anchor"]


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


def test_regions_are_ordered_by_their_lower_score():
    made = graph(region(1, CLEAN, CLEAN), region(2, CLEAN, NOISY), region(3, HAZY, CLEAN))
    assert [r.id for r in worst_first(made)] == [2, 3, 1]
    assert [r.id for r in worst_first(made.swapped())] == [2, 3, 1]


def test_words_marks_and_text_that_cannot_steer_a_terminal():
    assert words(DEFAULT_VOCABULARY, "slightly_worse") == "slightly worse"
    assert words(DEFAULT_VOCABULARY, "a\x1b[31m_b") == "a [31m b"
    assert [marks(r) for r in (-2, -1, 0, 1, 3)] == ["▼▼", "▼", "=", "▲", "▲▲▲"]
    assert printable("a\x1b[31m\nb\u202e") == "a [31m b"
