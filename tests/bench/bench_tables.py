"""Made-up truth and answers of any number of regions."""

from __future__ import annotations

import numpy as np

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.metrics import MISSED
from distortion_graph.datasets.layout import PairKey
from distortion_graph.graph.truth import compare_positions

SIZES = {
    "distortion": len(WORDS.distortions),
    "severity": len(WORDS.severities),
    "comparison": len(WORDS.comparisons),
}


def made_truth(seed=0, pictures=6, pairs=2, regions=5):
    """`pairs` pairs of every picture; scores in steps, so that there are ties."""
    rng = np.random.default_rng(seed)
    names = [("mixed", "mixed2"), ("mixed2", "mixed"), ("blur", "noise"), ("noise", "mixed")]
    keys = tuple(PairKey(*names[j], f"p{k}.png") for k in range(pictures) for j in range(pairs))
    count = len(keys) * regions
    score = rng.integers(0, 21, (2, count)) / 20
    return Truth(
        keys,
        np.repeat(np.arange(len(keys)), regions),
        np.tile(np.arange(regions), len(keys)),
        rng.integers(0, SIZES["distortion"], (2, count)),
        rng.integers(0, SIZES["severity"], (2, count)),
        compare_positions(score[0], score[1], WORDS),
        score,
    )


def made_answers(truth, seed=1, right=0.6, missing=0.1, confident=True):
    """Answers that are right with probability `right`, some regions without any."""
    rng = np.random.default_rng(seed)
    columns = {}
    for name, size in SIZES.items():
        true = getattr(truth, name)
        guess = rng.integers(0, size, true.shape)
        columns[name] = np.where(rng.random(true.shape) < right, true, guess)
    score = np.clip(truth.score + rng.normal(0, 0.2, truth.score.shape), 0, 1).round(1)
    shapes = {name: column.shape for name, column in columns.items()}
    given = [
        rng.random(shape) if confident else np.full(shape, np.nan) for shape in shapes.values()
    ]
    answers = Answers(*columns.values(), score, *given)  # type: ignore[call-arg]
    gone = rng.random(len(truth)) < missing
    for name in SIZES:
        getattr(answers, name)[..., gone] = MISSED
        getattr(answers, f"{name}_confidence")[..., gone] = np.nan
    answers.score[:, gone] = np.nan
    return answers
