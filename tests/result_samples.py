"""Stored results with known answers, for the tests of figures."""

from __future__ import annotations

import numpy as np

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.results import (
    AnswerColumns,
    BenchResult,
    PairsResult,
    RootIdentity,
    RunIdentity,
    RunResult,
    TruthColumns,
)
from distortion_graph.datasets.layout import PairKey

SMALL = Vocabulary(
    distortions=("fine", "mud_dy", "<torn>"),
    severities=("fine", "bad"),
    comparisons=(
        {"label": "worse", "rank": -1, "min_abs_d": 0.1},
        {"label": "alike", "rank": 0, "min_abs_d": 0},
        {"label": "better", "rank": 1, "min_abs_d": 0.1},
    ),
)


def listed_of(vocabulary, regions=60, wrong=0.25, names=("mine", "$other$/x"), seed=0):
    """A result whose runs answer wrongly in a known share."""
    rng = np.random.default_rng(seed)
    kinds = len(vocabulary.distortions), len(vocabulary.severities), len(vocabulary.comparisons)
    keys = (PairKey("a", "b", "one"), PairKey("a", "b", "two"))

    def draw(size, shape):
        return rng.integers(0, size, shape)

    truth = Truth(
        keys,
        np.repeat([0, 1], regions // 2),
        np.tile(np.arange(regions // 2), 2),
        draw(kinds[0], (2, regions)),
        draw(kinds[1], (2, regions)),
        draw(kinds[2], regions),
        rng.random((2, regions)),
    )
    runs = []
    for name in names:

        def said(true, size):
            other = (true + 1) % size
            return np.where(rng.random(true.shape) < wrong, other, true)

        answers = Answers(
            said(truth.distortion, kinds[0]),
            said(truth.severity, kinds[1]),
            said(truth.comparison, kinds[2]),
            np.clip(truth.score + 0.01, 0, 1),
            rng.random((2, regions)),
            rng.random((2, regions)),
            rng.random(regions),
        )
        figures = figures_of(truth, answers, vocabulary, draws=10)
        columns = AnswerColumns.of(answers)
        runs.append(RunResult(name=name, kind="model", figures=figures, answers=columns))
    named = [tuple(key) for key in keys]
    return PairsResult(pairs="hard", keys=named, truth=TruthColumns.of(truth), runs=runs)


def bare(listed):
    """The pairs whose runs told labels alone: figures are then F1 and a confusion per run."""
    runs = []
    for run in listed.runs:
        answers = run.answers.table()
        for name in (
            "score",
            "distortion_confidence",
            "severity_confidence",
            "comparison_confidence",
        ):
            getattr(answers, name)[:] = np.nan
        runs.append(run.model_copy(update={"answers": AnswerColumns.of(answers)}))
    return listed.model_copy(update={"runs": runs})


def result_of(vocabulary, *lists):
    """A result file of these lists of pairs."""
    runs = [run for listed in lists for run in listed.runs]
    return BenchResult(
        root=RootIdentity(name="set", sha256={}),
        splits=["test"],
        seed=0,
        vocabulary=vocabulary,
        identities={run.name: RunIdentity(kind=run.kind) for run in runs},
        pairs=list(lists),
        software={},
    )
