"""`panda` in the benchmark, by what its own heads say."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, positions_in
from distortion_graph.bench.evaluate import ModelRun, swapped_sample
from distortion_graph.datasets.samples import Sample
from distortion_graph.pictures.images import Picture
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model

if TYPE_CHECKING:
    from distortion_graph.model.panda import HeadAnswers, PandaPredictor


class PandaRun(ModelRun):
    """The most probable label of each head by itself, and the score clipped to [0, 1].

    A graph cannot say that a region is clean and severe; the answers can, as the published
    evaluation has it. Pictures and regions are asked about in the order they come in, without the
    canonical order of `compare`. Graphs that are kept, and the share of clean regions of pristine
    pictures, come from `PandaPredictor.predict`.
    """

    def __init__(
        self,
        panda: PandaPredictor,
        vocabulary: Vocabulary,
        *,
        name: str | None = None,
        graphs: Path | None = None,
    ) -> None:
        # All that a run asks of a model: its vocabulary, identity, decoding and predict.
        super().__init__(cast(Model, panda), vocabulary, name=name, graphs=graphs)
        self.panda = panda

    def answer(self, sample: Sample) -> Answers:
        """The heads' answers, timed."""
        pictures = sample.anchor, sample.target
        if not self._warm:
            self.panda.heads(*pictures, sample.masks)
            self._warm = True
        start = time.perf_counter()
        heads = self.panda.heads(*pictures, sample.masks)
        self.seconds.append(time.perf_counter() - start)
        if self.graphs is not None:
            loaded = sample.pictures
            self._keep(self._predict(loaded, sample), loaded, sample, self.graphs)
        return head_answers(heads, self.panda.vocabulary, self.vocabulary)

    def answer_swapped(self, sample: Sample) -> Answers:
        """The heads' answers when the pictures are exchanged, not timed."""
        other = swapped_sample(sample)
        heads = self.panda.heads(other.anchor, other.target, other.masks)
        return head_answers(heads, self.panda.vocabulary, self.vocabulary)

    def _predict(self, pictures: tuple[Picture, Picture], sample: Sample) -> Predictions:
        return self.panda.predict(pictures[0].rgb, pictures[1].rgb, sample.masks)


def open_panda(
    folder: Path, vocabulary: Vocabulary, *, name: str | None = None, graphs: Path | None = None
) -> PandaRun:
    """A run of the `panda` network in a folder; raises ModelError where there is none."""
    from distortion_graph.model.panda import PandaPredictor, load_panda

    predictor = PandaPredictor(load_panda(folder), name=folder.resolve().name)
    return PandaRun(predictor, vocabulary, name=name, graphs=graphs)


def head_answers(heads: HeadAnswers, own: Vocabulary, vocabulary: Vocabulary) -> Answers:
    """Answers in the words of `vocabulary` from heads that speak `own`; the first on a tie."""
    return Answers(
        distortion=positions_in(vocabulary, own)[heads.distortion.argmax(-1)],
        severity=heads.severity.argmax(-1).astype(np.int64),
        comparison=heads.comparison.argmax(-1).astype(np.int64),
        score=np.clip(heads.score, 0, 1),
        distortion_confidence=heads.distortion.max(-1),
        severity_confidence=heads.severity.max(-1),
        comparison_confidence=heads.comparison.max(-1),
    )
