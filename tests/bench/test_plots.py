"""Figures of a benchmark: what stands in them is what the result says."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from result_samples import SMALL, split_of

pytest.importorskip("matplotlib")

from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.metrics import MISSED, reliability
from distortion_graph.bench.plots import MANY_POINTS, bench_figures
from distortion_graph.bench.results import AnswerColumns
from distortion_graph.vocabulary import DEFAULT_VOCABULARY


def texts(svg):
    return [
        "".join(e.itertext()).strip() for e in ET.fromstring(svg).iter() if e.tag.endswith("}text")
    ]


@pytest.mark.parametrize("vocabulary", [DEFAULT_VOCABULARY, SMALL], ids=["default", "small"])
def test_figures_name_every_label_and_hold_the_results_own_numbers(vocabulary):
    split = split_of(vocabulary)
    found = bench_figures(split, split.runs, vocabulary, "svg")
    assert sorted(found) == sorted(
        ["f1"]
        + [
            f"{what}-{r.name}"
            for r in split.runs
            for what in ("calibration", "confusion", "scores")
        ]
    )
    labels = [label.replace("_", " ") for label in vocabulary.distortions]
    run = split.runs[0]
    f1 = texts(found["f1"])
    assert set(labels) <= set(f1) and {"mine", "$other$/x"} <= set(f1)
    for label, value in run.figures.f1_by_label["distortion"].items():
        assert f"{value:.2f}" in f1, label
    counts = np.array(run.figures.confusion["distortion"])
    cells = texts(found["confusion-mine"])
    for label, row in zip(labels, counts, strict=True):
        assert f"{label} ({row.sum()})" in cells
    shares = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    drawn = sum(re.fullmatch(r"\d+", text) is not None for text in cells)
    assert drawn == (shares >= 0.5).sum()
    sure = "".join(texts(found["calibration-mine"]))
    for what in ("distortion", "severity", "comparison"):
        assert f"ECE {run.figures.calibration[what]:.3f}" in sure


def test_the_same_result_gives_the_same_bytes_of_every_kind():
    split = split_of(SMALL)
    for kind, begin in (("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")):
        first = bench_figures(split, split.runs[:1], SMALL, kind)
        assert first == bench_figures(split, split.runs[:1], SMALL, kind)
        assert all(data.startswith(begin) for data in first.values())


def test_many_scores_are_counted_in_cells():
    few = split_of(SMALL, names=("mine",))
    many = split_of(SMALL, regions=MANY_POINTS + 2, names=("mine",))
    assert "nodes a cell" not in texts(bench_figures(few, few.runs, SMALL, "svg")["scores-mine"])
    assert "nodes a cell" in texts(bench_figures(many, many.runs, SMALL, "svg")["scores-mine"])


def test_a_run_without_probabilities_and_scores_has_neither_figure():
    split = split_of(SMALL, names=("mine",))
    [run] = split.runs
    none = [None] * 60
    answers = run.answers.model_copy(
        update={"score": (none, none), "distortion_confidence": (none, none)}
    )
    run = run.model_copy(update={"answers": answers})
    assert sorted(bench_figures(split, [run], SMALL, "svg")) == ["confusion-mine", "f1"]


def test_missed_answers_have_a_column_of_their_own():
    split = split_of(SMALL, names=("mine",))
    [run] = split.runs
    answers = run.answers.table()
    answers.distortion[0, :10] = MISSED
    figures = figures_of(split.table(), answers, SMALL, draws=10)
    run = run.model_copy(update={"figures": figures, "answers": AnswerColumns.of(answers)})
    assert "missed" in texts(bench_figures(split, [run], SMALL, "svg")["confusion-mine"])


def test_bins_hold_their_upper_edge_and_add_up():
    right = np.array([True, False, True, True])
    found = reliability(right, np.array([0.0, 0.5, 0.50001, np.nan]), bins=2)
    assert found.count.tolist() == [2, 1]
    assert found.hits.tolist() == [1, 1]
    assert found.error == pytest.approx((abs(1 - 0.5) + abs(1 - 0.50001)) / 3)
