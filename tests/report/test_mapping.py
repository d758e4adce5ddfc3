"""Places of one picture on the other, by the matrix of the alignment."""

from __future__ import annotations

import numpy as np
import pytest
from aligned_samples import BENT, CROP, HALF, TURN, aligned, alignment
from hypothesis import given
from hypothesis import strategies as st
from optional import present

from distortion_graph.graph import ImageInfo
from distortion_graph.pictures.align.matrices import overlap_share
from distortion_graph.report.mapping import corners_of, jacobian, laid_of, mapped

KINDS = {
    "translation": (CROP, (56, 72)),
    "similarity": (TURN, (96, 128)),
    "homography": (BENT, (96, 128)),
    "scaled": (HALF, (48, 64)),
}


def laid(kind, swapped=False):
    matrix, size = KINDS[kind]
    graph = aligned("homography", matrix, size).graph
    return present(laid_of(graph.swapped() if swapped else graph))


@pytest.mark.parametrize("kind", KINDS)
@given(x=st.floats(0, 128), y=st.floats(0, 96))
def test_a_place_comes_back_by_the_other_matrix(kind, x, y):
    to, back = laid(kind).onto
    assert mapped(back, mapped(to, np.array([[x, y]]))) == pytest.approx(
        np.array([[x, y]]), abs=1e-6
    )


@pytest.mark.parametrize("kind", KINDS)
def test_what_the_other_picture_shows_is_the_share_that_alignment_counts(kind):
    matrix, size = KINDS[kind]
    both = laid(kind)
    assert both.share("anchor") == pytest.approx(overlap_share(matrix, size, (96, 128)), abs=0.01)
    back = np.linalg.inv(matrix)
    assert both.share("target") == pytest.approx(overlap_share(back, (96, 128), size), abs=0.01)


def test_what_both_show_of_a_cut_out_is_its_frame():
    both = laid("translation")
    assert both.shown("anchor").tolist() == [[40, 24], [112, 24], [112, 80], [40, 80]]
    assert sorted(both.shown("target").tolist()) == sorted(corners_of((56, 72)).tolist())
    assert both.has_more and not laid("scaled").has_more
    swapped = laid("translation", swapped=True)
    assert swapped.shown("target").tolist() == both.shown("anchor").tolist()


def test_pictures_of_different_parts_of_a_scene_show_nothing_of_each_other():
    apart = CROP + np.array([(0, 0, 500), (0, 0, 0), (0, 0, 0)])
    graph = aligned().graph.model_copy(update={"alignment": alignment("translation", apart)})
    both = present(laid_of(graph))
    assert both.shown("anchor").shape == (0, 2) and both.share("anchor") == 0
    assert both.scale == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_box_on_the_other_picture_holds_every_place_of_it(kind):
    both = laid(kind)
    x, y, w, h = present(both.box_on("anchor", (20, 10, 15, 8)))
    inside = np.array([(20, 10), (35, 10), (35, 18), (20, 18), (27, 14)])
    on = mapped(both.onto[0], inside)
    assert (on >= np.array([x, y]) - 1e-9).all() and (on <= np.array([x + w, y + h]) + 1e-9).all()


def test_a_box_is_cut_at_the_edge_of_the_picture_and_none_outside_of_it():
    both = laid("translation")
    assert both.box_on("target", (30, 20, 30, 10)) == (0, 0, 20, 6)
    assert both.box_on("target", (0, 0, 40, 24)) is None


def test_beside_the_anchor_the_target_has_its_own_shape_and_the_scene_one_size():
    both = laid("homography")
    straight = both.beside
    assert straight[0, 0] == straight[1, 1] == pytest.approx(both.scale)
    assert straight[0, 1] == straight[1, 0] == 0
    middle = np.array([both.middle])
    assert mapped(straight, middle) == pytest.approx(mapped(both.onto[0], middle))
    assert laid("scaled").scale == 2
    assert laid("similarity").scale == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("matrix", [TURN, BENT])
def test_the_jacobian_is_what_small_steps_become(matrix):
    place, step = (50.0, 30.0), 1e-5
    moved = [mapped(matrix, np.array([place]) + step * np.eye(2)[[axis]]) for axis in (0, 1)]
    here = mapped(matrix, np.array([place]))
    steps = np.concatenate([(to - here) / step for to in moved]).T
    assert jacobian(matrix, place) == pytest.approx(steps, abs=1e-6)


def changed(**update):
    return aligned().graph.model_copy(update=update)


@pytest.mark.parametrize(
    "graph",
    [
        changed(alignment=None),
        changed(alignment=alignment("flow", None)),
        changed(alignment=alignment("none"), target=aligned().graph.anchor),
        changed(target=ImageInfo()),
        changed(
            alignment=alignment("homography", np.array([(1, 0, 0), (0, 1, 0), (-0.1, 0, 1.0)]))
        ),
    ],
    ids=["not aligned", "flow", "as they are", "size unknown", "behind the picture"],
)
def test_nothing_is_laid_where_no_matrix_says_how(graph):
    assert laid_of(graph) is None


def test_a_matrix_that_flattens_the_picture_is_not_used():
    flat = alignment("homography").model_copy(update={"matrix": ((1, 1, 0), (1, 1, 0), (0, 0, 1))})
    assert laid_of(changed(alignment=flat)) is None
