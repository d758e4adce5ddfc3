"""Ladders by names and as they are told."""

from __future__ import annotations

import pytest

from distortion_graph.base.errors import RankingError
from distortion_graph.ranking.ladders import chosen_ladders, ladder_of, ladders_by_name


@pytest.mark.parametrize(
    ("name", "ladder"),
    [
        ("avif-q50", "avif"),
        ("jpeg_40", "jpeg"),
        ("webp80", "webp"),
        ("x265-crf23", "x265"),
        ("kodim01.jxl-d1.5", "kodim01.jxl"),
        ("photo quality 7", "photo"),
        ("svt-av1-qp=32", "svt-av1"),
        ("original", None),
        ("q50", "q"),
        ("17", None),
        ("-q17", None),
    ],
)
def test_a_name_that_ends_in_a_number_is_a_step(name, ladder):
    assert ladder_of(name) == ladder


def test_only_ladders_of_two_steps_count_in_the_order_they_come():
    names = ["jpeg-q10", "avif-q20", "png", "jpeg-q20", "avif-q30", "webp-q5"]
    assert ladders_by_name(names) == {
        "jpeg": ["jpeg-q10", "jpeg-q20"],
        "avif": ["avif-q20", "avif-q30"],
    }


NAMES = {
    "a1": ("a1", "out/a1.avif", "a1.avif"),
    "a2": ("a2", "out/a2.avif", "a2.avif"),
    "j1": ("j1", "out/j1.jpg", "j1.jpg"),
}


def test_names_files_and_patterns_choose():
    wanted = {"avif": ["*.avif"], "jpeg": ["j1"]}
    assert chosen_ladders(wanted, NAMES) == {"avif": ["a1", "a2"], "jpeg": ["j1"]}
    assert chosen_ladders({"one": ["out/a2.avif", "a2", "j1.jpg"]}, NAMES) == {"one": ["a2", "j1"]}


def test_a_pattern_of_nothing_and_a_candidate_of_two_ladders_are_refused():
    with pytest.raises(RankingError) as refusal:
        chosen_ladders({"avif": ["*.avf"]}, NAMES)
    assert str(refusal.value) == (
        "ladder 'avif': no candidate is called '*.avf', expected some of: a1, a2, j1"
    )
    with pytest.raises(RankingError) as refusal:
        chosen_ladders({"one": ["a*"], "two": ["a1"]}, NAMES)
    assert str(refusal.value) == "a1: in the ladders 'one' and 'two', expected one"
