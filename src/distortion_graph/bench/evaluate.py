"""Ask runs about pairs and pool what they say of every region.

A run is anything that answers: a model (`ModelRun`), or a folder of graphs
(`bench.graph_folder.FolderRun`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Numbers, Truth, TruthOfPair, answers_of
from distortion_graph.bench.graph_folder import graph_name
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.samples import Sample
from distortion_graph.graph.build import assemble, shared_areas
from distortion_graph.pictures.images import Picture
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.decode import ChosenLabels, choose_further, choose_labels, decode
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model


class Predictor(Protocol):
    """Anything that looks at two pictures and their masks."""

    def predict(
        self,
        anchor: NDArray[np.uint8],
        target: NDArray[np.uint8],
        masks: NDArray[np.bool_],
    ) -> Predictions:
        """Predictions for R regions, in the order of the masks."""
        ...


class Run(Protocol):
    """Something that is measured. `seconds` grows by one per pair where time is measured."""

    name: str
    seconds: list[float]

    def answer(self, sample: Sample) -> Answers | None:
        """Answers for the sample's regions, in their order; None leaves the pair out."""
        ...

    def answer_swapped(self, sample: Sample) -> Answers | None:
        """Answers for the pair (target, anchor); None where they are not known."""
        ...


@dataclass(frozen=True, eq=False)
class Pooled:
    """All that one run said: answers of N regions in the order of the truth.

    `mirrored` (N,) is 1 where the answer was mirrored when the pair was swapped, 0 where it was
    not, NaN where that is not known; `left_out` are positions of pairs without an answer.
    """

    answers: Answers
    mirrored: Numbers
    seconds: list[float]
    left_out: frozenset[int]


def predict_all(
    predictor: Predictor, samples: Iterable[Sample], vocabulary: Vocabulary
) -> tuple[Truth, Answers]:
    """The truth of samples and what a predictor with the same vocabulary says."""
    truths, answers = [], []
    for sample in samples:
        predictions = predictor.predict(sample.anchor, sample.target, sample.masks)
        truths.append(TruthOfPair.of(sample))
        chosen = choose_labels(predictions, vocabulary)
        answers.append(answers_of(chosen, vocabulary, vocabulary, present=predictions.present))
    return Truth.of(truths), Answers.joined(answers)


def evaluate(
    samples: Iterable[Sample],
    runs: Sequence[Run],
    vocabulary: Vocabulary,
    *,
    within: Collection[PairKey] = (),
    after_pair: Callable[[], None] = lambda: None,
) -> tuple[Truth, list[Pooled]]:
    """Ask every run about every sample.

    A pair whose swapped pair is in `within`, the keys of all samples, is asked once: the other
    pair's answer is the swapped one.
    """
    listed = frozenset(within)
    truths: list[TruthOfPair] = []
    talks = [_Talk(run, len(run.seconds)) for run in runs]
    for sample in samples:
        truths.append(TruthOfPair.of(sample))
        for talk in talks:
            talk.ask(sample, truths[-1], listed, vocabulary)
        after_pair()
    return Truth.of(truths), [talk.pooled(truths, vocabulary) for talk in talks]


def swapped_key(key: PairKey) -> PairKey:
    """The key of the pair (target, anchor)."""
    return PairKey(key.target, key.anchor, key.tag)


class _Talk:
    """What one run has said so far."""

    def __init__(self, run: Run, seconds_before: int) -> None:
        self.run, self.seconds_before = run, seconds_before
        self.answers: list[Answers] = []
        self.mirrored: list[Numbers | None] = []
        self.first: dict[PairKey, int] = {}
        self.left_out: set[int] = set()

    def ask(
        self,
        sample: Sample,
        truth: TruthOfPair,
        listed: frozenset[PairKey],
        vocabulary: Vocabulary,
    ) -> None:
        number, answer = len(self.answers), self.run.answer(sample)
        if answer is None:
            self.left_out.add(number)
            answer = Answers.none(len(truth.region))
        self.answers.append(answer)
        self.first.setdefault(sample.key, number)
        other = swapped_key(sample.key)
        if other in listed:
            self.mirrored.append(None)
            return
        back = None if number in self.left_out else self.run.answer_swapped(sample)
        self.mirrored.append(_mirrored(answer, back, vocabulary))

    def pooled(self, truths: Sequence[TruthOfPair], vocabulary: Vocabulary) -> Pooled:
        columns = []
        for k, known in enumerate(self.mirrored):
            other = self.first.get(swapped_key(truths[k].key))
            if known is None:
                same = other is not None and np.array_equal(truths[k].region, truths[other].region)
                back = None
                if other is not None and same and not {k, other} & self.left_out:
                    back = self.answers[other]
                known = _mirrored(self.answers[k], back, vocabulary)
            columns.append(known)
        return Pooled(
            Answers.joined(self.answers),
            np.concatenate([np.zeros(0), *columns]),
            self.run.seconds[self.seconds_before :],
            frozenset(self.left_out),
        )


def _mirrored(answers: Answers, back: Answers | None, vocabulary: Vocabulary) -> Numbers:
    """1, 0 or NaN a region; only regions that were answered are asked.

    A region that only `back` lacks is not mirrored; a pair without any answer says nothing.
    """
    mirrored = np.full(len(answers), np.nan)
    if back is not None and back.answered.any():
        asked = answers.answered
        mirrored[asked] = answers.mirrors(back, vocabulary)[asked]
    return mirrored


class ModelRun:
    """A model, answering as `compare` does for given regions; optionally its graphs are kept.

    `seconds` are of predicting and choosing labels alone: pictures are decoded before, the first
    pair is predicted once more for warming up, and swapped pairs are not counted.
    """

    by_margin = False
    """Whether comparisons follow from the scores (`choose_labels`)."""

    def __init__(
        self,
        model: Model,
        vocabulary: Vocabulary,
        *,
        name: str | None = None,
        graphs: Path | None = None,
    ) -> None:
        self.name = name or model.identity.name
        self.model, self.vocabulary, self.graphs = model, vocabulary, graphs
        self.seconds: list[float] = []
        self._warm = False
        check_vocabularies(model.vocabulary, vocabulary, self.name)

    def answer(self, sample: Sample) -> Answers:
        """The model's answers, timed."""
        pictures = sample.pictures
        if not self._warm:
            self._predict(pictures, sample)
            self._warm = True
        start = time.perf_counter()
        predictions = self._predict(pictures, sample)
        chosen = self._chosen(predictions)
        self.seconds.append(time.perf_counter() - start)
        if self.graphs is not None:
            self._keep(predictions, pictures, sample, self.graphs)
        own = self.model.vocabulary
        return answers_of(
            chosen,
            own,
            self.vocabulary,
            also=choose_further(
                predictions, chosen.distortion, own, self.model.decoding.also_threshold
            ),
            present=predictions.present,
        )

    def answer_swapped(self, sample: Sample) -> Answers:
        """The model's answers when the pictures are exchanged, not timed."""
        chosen = self.chosen(swapped_sample(sample))
        return answers_of(chosen, self.model.vocabulary, self.vocabulary)

    def chosen(self, sample: Sample) -> ChosenLabels:
        """The model's answers in its own vocabulary, not timed."""
        return self._chosen(self._predict(sample.pictures, sample))

    def _chosen(self, predictions: Predictions) -> ChosenLabels:
        return choose_labels(predictions, self.model.vocabulary, by_margin=self.by_margin)

    def _predict(self, pictures: tuple[Picture, Picture], sample: Sample) -> Predictions:
        return predict_canonically(self.model, *pictures, sample.regions)

    def _keep(
        self,
        predictions: Predictions,
        pictures: tuple[Picture, Picture],
        sample: Sample,
        folder: Path,
    ) -> None:
        vocabulary, masks = self.model.vocabulary, sample.regions.lazy_masks()
        graph = assemble(
            decode(predictions, vocabulary, shared_areas(masks), self.model.decoding),
            sample.regions,
            *pictures,
            vocabulary=vocabulary,
            masks=masks,
            model=self.model.identity.info,
        )
        atomic_write_text(folder / graph_name(sample.key), graph.to_json(indent=1) + "\n")


def swapped_sample(sample: Sample) -> Sample:
    """The pair (target, anchor), without its truth turned round: for those who only look."""
    return replace(
        sample,
        key=swapped_key(sample.key),
        load_anchor=lambda: sample.target,
        load_target=lambda: sample.anchor,
        files=sample.files and sample.files[::-1],
    )


def check_vocabularies(model: Vocabulary, truth: Vocabulary, name: str) -> None:
    """Raise ModelError unless a model's answers can be said in the data set's words."""
    unknown = [label for label in model.distortions if label not in truth.distortions]
    if unknown:
        raise ModelError(
            f"{name}: knows the distortion {unknown[0]!r}, which the data set does not have; "
            f"expected some of {', '.join(truth.distortions)}"
        )
    for what, mine, theirs in (
        ("severities", model.severities, truth.severities),
        ("comparisons", model.comparison_labels, truth.comparison_labels),
        ("comparison thresholds", model.thresholds, truth.thresholds),
    ):
        if mine != theirs:
            raise ModelError(
                f"{name}: its {what} are {', '.join(map(str, mine))}, expected those of the data "
                f"set: {', '.join(map(str, theirs))}"
            )


def pristine_share(
    run: ModelRun, sample: Sample, clean: NDArray[np.uint8], *, beside_itself: bool
) -> tuple[int, int]:
    """How many of an untouched target's regions are called clean, and of how many.

    The anchor is the clean picture itself, or the sample's anchor.
    """
    anchor = clean if beside_itself else sample.anchor
    pair = replace(sample, load_anchor=lambda: anchor, load_target=lambda: clean, files=None)
    labels = run.chosen(pair).distortion[1]
    return int(np.count_nonzero(labels == run.model.vocabulary.clean_index)), len(labels)
