"""People are told how two pictures lie on each other, and which regions one of them alone has."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest
from aligned_samples import CROP, HALF, aligned, alignment, node
from rich.cells import cell_len
from rich.console import Console

from distortion_graph.graph import Evidence, ModelInfo, Relation
from distortion_graph.report.alignment import alignment_detail, alignment_notes
from distortion_graph.report.html.agreement import agreement
from distortion_graph.report.html.table import notebook
from distortion_graph.report.html.table import table as html_table
from distortion_graph.report.table import render
from distortion_graph.report.tree import tree_text
from distortion_graph.report.wording import (
    all_regions,
    alone_last,
    summary,
    uncertain_places,
    worst_first,
)

SAME = (96, 128)


def graph(model="translation", matrix=CROP, size=(56, 72), **more):
    return aligned(model, matrix, size, **more).graph


def about_the_middle(degrees=0.0, scale=1.0, shift=(0.0, 0.0)):
    """A matrix that turns clockwise and enlarges 128×96 pixels around their middle."""
    c, s = (scale * f(math.radians(degrees)) for f in (math.cos, math.sin))
    turned = np.array([(c, -s), (s, c)])
    middle = np.array([64, 48])
    to = middle + shift - turned @ middle
    return np.array([(*turned[0], to[0]), (*turned[1], to[1]), (0, 0, 1)])


@pytest.mark.parametrize(
    ("model", "matrix", "said"),
    [
        ("translation", CROP, "shifted by 40.0, 24.0 px against the anchor"),
        ("translation", CROP * [1, 1, -0.001], "shifted by 0.0, 0.0 px against the anchor"),
        ("similarity", about_the_middle(2), "turned by 2.0° anticlockwise against the anchor"),
        ("similarity", about_the_middle(-0.5), "turned by 0.5° clockwise against the anchor"),
        ("similarity", about_the_middle(scale=2), "shown at 0.50 of the anchor's scale"),
        (
            "similarity",
            about_the_middle(3, 0.8, (4, -2)),
            "turned by 3.0° anticlockwise, shown at 1.25 of the anchor's scale and shifted by 4.0, "
            "-2.0 px in its middle",
        ),
        ("similarity", about_the_middle(0.01), "moved a little against the anchor"),
        (
            "homography",
            np.array([(1, 0, 0), (0, 1, 0), (1e-6, 0, 1)]),
            "distorted in perspective against the anchor",
        ),
    ],
)
def test_how_the_target_is_moved(model, matrix, said):
    made = graph(model, matrix, SAME)
    assert alignment_notes(made)[0] == f"The target is {said}."
    assert summary(made).count(f" The target is {said}.") == 1


def test_a_shift_and_a_scale_are_seen_from_the_other_picture_when_swapped():
    swapped = graph().swapped()
    assert (
        alignment_notes(swapped)[0]
        == "The target is shifted by -40.0, -24.0 px against the anchor."
    )
    half = graph("similarity", HALF, (48, 64))
    assert alignment_notes(half) == ["The target is shown at 0.50 of the anchor's scale."]
    assert alignment_notes(half.swapped()) == ["The target is shown at 2.00 of the anchor's scale."]
    wide = graph("none", np.diag([2.0, 4.0, 1.0]), (24, 64))
    assert alignment_notes(wide) == ["The target is shown at 0.50 × 0.25 of the anchor's scale."]


def test_small_motion_has_no_matrix():
    made = graph().model_copy(update={"alignment": alignment("flow", None)})
    assert alignment_notes(made) == [
        "The target is bent against the anchor: its parts are moved by different amounts."
    ]


@pytest.mark.parametrize(
    ("overlap", "target_overlap", "said"),
    [
        (0.64, 1.0, ["The target shows 64 % of the anchor."]),
        (1.0, 0.256, ["The anchor shows 26 % of the target."]),
        (0.98, 0.9, ["The target shows 98 % of the anchor, the anchor 90 % of the target."]),
        (0.997, 0.996, []),
    ],
)
def test_how_much_of_each_both_show(overlap, target_overlap, said):
    made = graph(overlap=overlap, target_overlap=target_overlap)
    assert alignment_notes(made)[1:] == said


def as_they_are(**more):
    made = graph("none", np.eye(3), SAME)
    return made.model_copy(update={"alignment": alignment("none", frame=None, **more)})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({}, []),
        ({"reason": "flat", "confidence": 0.0}, []),
        (
            {"reason": "unrelated", "same_scene": 0.03, "confidence": 0.01},
            ["The pictures may not show the same scene (probability 0.03 that they do)."],
        ),
        (
            {"reason": "mirrored"},
            ["The target seems to be mirrored; they were compared as they are."],
        ),
        (
            {"reason": "a\x1bb"},
            ["Their alignment is in doubt: a b; they were compared as they are."],
        ),
        (
            {"confidence": 0.31},
            ["How the pictures lie on each other is uncertain (confidence 0.31)."],
        ),
        (
            {"reason": "uncertain", "confidence": 0.31},
            [
                "How the pictures lie on each other is uncertain (confidence 0.31); they were "
                "compared as they are."
            ],
        ),
    ],
)
def test_of_pictures_as_they_are_only_a_doubt_is_said(more, said):
    made = as_they_are(**more)
    assert alignment_notes(made) == said
    assert (alignment_detail(made) is None) == (not said)
    assert summary(made).endswith(said[-1] if said else "(0.75).")


def test_a_doubt_about_a_movement_is_said_too():
    made = graph(reason="ambiguous", confidence=0.4)
    assert alignment_notes(made)[1] == "The target matches the anchor in several places."


def test_nothing_is_said_of_pictures_that_nobody_aligned():
    made = graph().model_copy(update={"alignment": None})
    assert alignment_notes(made) == [] and alignment_detail(made) is None


def test_one_line_says_what_was_measured():
    assert alignment_detail(graph(frame="target")) == (
        "Alignment: translation, residual 0.03 px, confidence 0.99, same scene 0.98, compared in "
        "the pixels of the target."
    )
    assert alignment_detail(as_they_are(residual_px=None, confidence=0.2)) == (
        "Alignment: none, confidence 0.20, same scene 0.98."
    )
    for text in (tree_text(graph()), notebook(graph())):
        assert "Alignment: translation, residual 0.03 px, confidence 0.99" in " ".join(text.split())


def test_equal_parts_are_not_called_equal_pictures():
    same = Evidence(psnr_db=None, ssim=1.0, haarpsi=1.0, delta_e=0.0)
    made = graph()
    scene = made.scene.model_copy(update={"evidence": same})
    told = summary(made.model_copy(update={"scene": scene}))
    assert told.startswith("The compared parts are identical, pixel for pixel; ")
    assert "what both pictures show" in html_table(made)
    assert "the whole picture" in html_table(as_they_are())


# --- regions of one picture ---


def test_the_sentence_counts_regions_of_one_picture():
    made = graph()
    assert (len(made.regions), len(made.alone)) == (9, 3)
    assert summary(made).startswith(
        "As a whole, the anchor is slightly better than the target (1.00 against 0.75); of 9 "
        "shared regions the anchor is better in 9; 3 regions are in the anchor alone; the worst is "
        "region 1 of the target: blur, minor (0.75). The target is shifted"
    )
    assert "; 3 regions are in the target alone; " in summary(made.swapped())
    both = made.alone[0], made.alone[1].swapped(), made.alone[2].swapped()
    assert "; 1 region is in the anchor alone and 2 in the target alone; the" in summary(
        made.model_copy(update={"alone": both})
    )
    assert "shared" not in summary(made.model_copy(update={"alone": ()}))


def test_a_clean_picture_with_regions_of_its_own_is_not_said_to_be_clean_in_both():
    made = graph()
    regions = tuple(r.model_copy(update={"target": r.anchor}) for r in made.regions)
    told = summary(made.model_copy(update={"regions": regions}))
    assert "3 regions are in the anchor alone; every shared region looks clean in both." in told


def test_regions_of_one_picture_stand_last_the_worst_of_them_first():
    made = graph()
    worse = made.alone[2].model_copy(update={"anchor": node("noise", "severe", 0.1)})
    made = made.model_copy(update={"alone": (*made.alone[:2], worse)})
    ids = [region.id for region in alone_last(made)]
    assert ids == [r.id for r in worst_first(made)] + [worse.id, made.alone[0].id, made.alone[1].id]
    assert len(all_regions(made)) == 12


def rows(made, width):
    memory = io.StringIO()
    Console(file=memory, width=width).print(render(made, width))
    return memory.getvalue().splitlines()


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_has_dashes_for_the_other_picture(width):
    facts = Evidence(psnr_db=21.25, ssim=0.5, haarpsi=0.75, delta_e=12.5)
    made = graph()
    regions = tuple(r.model_copy(update={"evidence": facts}) for r in made.regions)
    lines = rows(made.model_copy(update={"regions": regions}), width)
    assert max(map(cell_len, lines)) <= width
    lone = [k for k, line in enumerate(lines) if "– in the anchor alone" in line]
    assert len(lone) == 3
    for k in lone:
        assert "clean" in lines[k]
        assert lines[k + 1].split()[-4:] == ["target", "–", "–", "–"]
    swapped = rows(made.swapped(), width)
    (first, *_) = (line for line in swapped if "in the target alone" in line)
    assert "anchor  –" in first


def test_the_html_table_has_dashes_for_the_other_picture():
    text = html_table(graph())
    assert text.count("<td>– in the anchor alone</td>") == 3
    assert text.count('in the anchor alone</td><td>–</td><td>–</td><td class="number">–</td>') == 3
    assert text.count("data-region=") == 12


def test_how_much_of_a_region_both_show_is_told_where_that_is_not_all():
    made = graph()
    first = made.regions[0].model_copy(update={"valid": 0.4})
    made = made.model_copy(update={"regions": (first, *made.regions[1:])})
    for text in (tree_text(made), html_table(made), "\n".join(rows(made, 100))):
        assert text.count("40.0 % of it in both") == 1


def test_the_tree_names_a_region_of_one_picture_and_its_relations():
    made = graph()
    lone, shared = made.alone[0], made.regions[0]
    relation = Relation(subject=lone.id, predicate="beside", object=shared.id, image="anchor")
    text = tree_text(made.model_copy(update={"relations": (relation,)}))
    title = f"{lone.id} region {lone.id}"
    assert f"{title} – beside → {shared.id} region {shared.id}, in the anchor" in text
    assert text.count("└── in the anchor alone") == 3


def test_an_uncertain_region_of_one_picture_is_named_among_the_uncertain():
    made = graph()
    lone = made.alone[0].model_copy(update={"anchor": node(known=0.1)})
    model = ModelInfo(name="small", known_threshold=0.5)
    made = made.model_copy(update={"alone": (lone, *made.alone[1:]), "model": model})
    assert uncertain_places(made) == [f"region {lone.id} of the anchor"]


def test_a_true_region_that_one_picture_alone_shows_is_not_missing():
    made = graph()
    whole = graph("none", np.eye(3), SAME)
    assert len(whole.regions) == 12
    told = agreement(made, whole).sentence()
    assert "not in the graph" not in told and "comparison 9 of 9" in told
    fewer = made.model_copy(update={"alone": made.alone[1:]})
    assert "not in the graph: 1 true region" in agreement(fewer, whole).sentence()
