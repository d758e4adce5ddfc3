"""Measuring a network on held-out pairs: the score checkpoints are chosen by, and all figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from distortion_graph.base.errors import RegionError
from distortion_graph.bench.clean_pairs import CleanSample
from distortion_graph.bench.evaluate import Predictor, predict_all
from distortion_graph.bench.figures import Figures, figures_of
from distortion_graph.bench.protocol import MIN_SHARE, bench_picture, samples_of
from distortion_graph.bench.resampling import FIGURES
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.pair_lists import Pairs
from distortion_graph.datasets.pictures import CleanPicture
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.samples import Sample
from distortion_graph.model.predict import TorchPredictor
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, Recipe
from distortion_graph.training.samples import FURTHER_SHARE

CHOOSING = "hard"
"""The list of pairs that networks are chosen on."""

MakePredictor = Callable[[Any], Predictor]


class Evaluation(NamedTuple):
    """The score to choose by, higher is better and NaN where it is not defined; all figures."""

    score: float
    figures: dict[str, Figures]


class HeldOutScore:
    """Mean of the four headline figures over hard pairs of held-out pictures."""

    def __init__(
        self,
        pictures: Sequence[CleanPicture],
        *,
        seed: int = 0,
        recipe: Recipe = DEFAULT_RECIPE,
        pairs: Sequence[str] = (CHOOSING,),
        predictor: MakePredictor = TorchPredictor,
    ) -> None:
        """`pairs` are the lists that `measure` gives figures of. Raises RegionError."""
        self.pictures = [bench_picture(p) for p in pictures]
        if not any(len(p.masks) for p in self.pictures):
            raise RegionError(
                f"none of the {len(pictures)} held-out pictures has a region of at least "
                f"{MIN_SHARE:.1%} of it; hold out others"
            )
        self.seed, self.recipe, self.pairs, self.predictor = seed, recipe, pairs, predictor

    def samples(self, pairs: str) -> Iterable[Sample]:
        """The pairs of a list."""
        name = cast(Pairs, pairs)
        return samples_of(self.pictures, name, seed=self.seed, recipe=self.recipe)

    def several(self) -> Iterable[Sample]:
        """Hard pairs whose regions often have several distortions."""
        recipe = replace(self.recipe, also_share=FURTHER_SHARE)
        return samples_of(self.pictures, cast(Pairs, CHOOSING), seed=self.seed, recipe=recipe)

    def clean(self) -> Iterator[CleanSample]:
        """The clean pictures, each with a hard pair of its versions."""
        rgb = {picture.tag: picture.rgb for picture in self.pictures}
        return _clean_samples(self.samples(CHOOSING), rgb.__getitem__)

    def __call__(self, network: nn.Module) -> float:
        """Higher is better; NaN where every score is the same."""
        return _score(measure(network, self.samples, (CHOOSING,), self.predictor))

    def measure(self, network: nn.Module) -> Evaluation:
        """The score, and the figures of all lists asked for."""
        return _evaluation(network, self.samples, self.pairs, self.predictor)


class RootScore:
    """The same over the hard pairs of some splits of a data set."""

    def __init__(
        self,
        data: PandaSet,
        splits: Sequence[str] = ("val",),
        *,
        pairs: Sequence[str] = (CHOOSING,),
        predictor: MakePredictor = TorchPredictor,
    ) -> None:
        """Raises DatasetError where there are no such pairs, RegionError without a region."""
        self.chosen, self.pairs, self.predictor = ChosenPairs(data, splits), pairs, predictor
        self.lists = {name: self.chosen.keys(name) for name in dict.fromkeys([CHOOSING, *pairs])}
        self.keys = self.lists[CHOOSING]
        if not any(len(self.chosen.sample(key).regions) for key in self.keys):
            where = " or ".join(self.chosen.splits)
            raise RegionError(f"{data.root}: no hard pair of {where} has a region to choose on")

    def samples(self, pairs: str) -> Iterable[Sample]:
        """The pairs of a list."""
        return (self.chosen.sample(key) for key in self.lists[pairs])

    def several(self) -> Iterable[Sample]:
        """The hard pairs of which the data set says all that their regions suffer."""
        return (sample for sample in self.samples(CHOOSING) if sample.suffered is not None)

    def clean(self) -> Iterator[CleanSample]:
        """The clean pictures that there are, each with a hard pair of its versions."""
        there = (s for s in self.samples(CHOOSING) if self.chosen.has_clean(s.tag))
        return _clean_samples(there, self.chosen.clean)

    def __call__(self, network: nn.Module) -> float:
        """Higher is better; NaN where every score is the same."""
        return _score(measure(network, self.samples, (CHOOSING,), self.predictor))

    def measure(self, network: nn.Module) -> Evaluation:
        """The score, and the figures of all lists asked for."""
        return _evaluation(network, self.samples, self.pairs, self.predictor)


def _clean_samples(
    samples: Iterable[Sample], clean: Callable[[str], NDArray[np.uint8]]
) -> Iterator[CleanSample]:
    """The first pair of every picture that has a region, with the picture; `clean` gives it by
    tag.
    """
    seen: set[str] = set()
    for sample in samples:
        if sample.tag not in seen and len(sample.regions):
            seen.add(sample.tag)
            yield CleanSample(clean(sample.tag), sample)


def measure(
    network: nn.Module,
    samples: Callable[[str], Iterable[Sample]],
    pairs: Iterable[str],
    predictor: MakePredictor = TorchPredictor,
    *,
    draws: int = 0,
) -> dict[str, Figures]:
    """Figures of a network on lists of pairs; with `draws` also 95 % intervals."""
    words: Any = network.config
    answering, vocabulary = predictor(network), words.vocabulary
    return {
        name: figures_of(
            *predict_all(answering, samples(name), vocabulary), vocabulary, draws=draws
        )
        for name in pairs
    }


def flat_figures(figures: Figures) -> dict[str, float | None]:
    """The benchmark's figures as one row: mean, accuracies, F1, correlations, F1 by distortion."""
    row = {"mean": figures.mean} | {name: figures.value(name) for name in FIGURES}
    row |= {f"calibration.{what}": value for what, value in figures.calibration.items()}
    return row | {f"f1.{label}": f1 for label, f1 in figures.f1_by_label["distortion"].items()}


def _evaluation(
    network: nn.Module,
    samples: Callable[[str], Iterable[Sample]],
    pairs: Sequence[str],
    predictor: MakePredictor,
) -> Evaluation:
    figures = measure(network, samples, dict.fromkeys([CHOOSING, *pairs]), predictor)
    return Evaluation(_score(figures), figures)


def _score(figures: dict[str, Figures]) -> float:
    mean = figures[CHOOSING].mean
    return math.nan if mean is None else mean
