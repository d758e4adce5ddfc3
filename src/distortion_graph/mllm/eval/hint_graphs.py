"""The graphs that models are given as hints, each kept as a file so that it can be scored too."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from distortion_graph.base.errors import DatasetError, GraphError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.graph_folder import graph_name
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.samples import Sample
from distortion_graph.formats.files import read_graph
from distortion_graph.graph import DistortionGraph, load_graph
from distortion_graph.mllm.eval.hints import Hint, corrupted, shuffled
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model

Predict = Callable[[Sample], DistortionGraph]
"""Gives the graph that is suggested for a pair."""


@dataclass(frozen=True)
class ModelPredictions:
    """Suggestions of a model of ours; `folder` keeps them, so that each pair is predicted once."""

    model: Model
    folder: Path

    def __call__(self, sample: Sample) -> DistortionGraph:
        """The model's graph of the pair, without evidence."""
        anchor, target = sample.pictures
        path = self.folder / graph_name(sample.key)
        kept = _kept(path)
        pictures = (anchor.sha256, target.sha256)
        if (
            kept is not None
            and kept.model == self.model.identity.info
            and (kept.anchor.sha256, kept.target.sha256) == pictures
            and tuple(region.id for region in kept.regions) == tuple(sample.regions.ids)
        ):
            return kept
        made = compare_pictures(
            anchor,
            target,
            regions=sample.regions,
            model=self.model,
            evidence="none",
            align="none",
        )
        _write(path, made)
        return made


@dataclass(frozen=True)
class FolderPredictions:
    """Suggestions from a folder of graphs, as `bench --graphs` writes it."""

    folder: Path
    vocabulary: Vocabulary

    def __call__(self, sample: Sample) -> DistortionGraph:
        """The pair's file; raises DatasetError where there is none."""
        self.check([sample.key])
        return read_graph(self.folder / graph_name(sample.key), self.vocabulary)

    def check(self, keys: Iterable[PairKey]) -> None:
        """Raise DatasetError unless every pair has a file."""
        for key in keys:
            path = self.folder / graph_name(key)
            if not path.is_file():
                raise DatasetError(
                    f"{path}: no such file, expected the graph that is suggested for this pair; "
                    "`distortion-graph bench … --graphs DIR` writes such a folder"
                )


class HintGraphs:
    """Hints by pair. `folder` gets a folder for each kind of hint that is given.

    `predict` is needed for predicted and shuffled hints alone. One thread at a time.
    """

    def __init__(self, folder: Path, seed: int, predict: Predict | None = None) -> None:
        self.predict, self.folder, self.seed = predict, folder, seed

    def check(self, hints: Collection[Hint], keys: Iterable[PairKey]) -> None:
        """Raise DatasetError where graphs that will be suggested are missing."""
        if {Hint.predicted, Hint.shuffled} & set(hints) and isinstance(
            self.predict, FolderPredictions
        ):
            self.predict.check(keys)

    def folder_of(self, hint: Hint) -> Path:
        """Where hints of a kind are kept."""
        return self.folder / hint.value

    def of(self, hint: Hint, sample: Sample, truth: DistortionGraph) -> DistortionGraph | None:
        """The hint for a pair whose true graph is `truth`; None for no hint."""
        if hint is Hint.none:
            return None
        key = (self.seed, *sample.key)
        if hint is Hint.true:
            graph = truth
        elif hint is Hint.corrupted:
            graph = corrupted(truth, *key)
        elif self.predict is None:
            raise DatasetError(f"the hint {hint.value} needs a model or predicted graphs")
        else:
            graph = self.predict(sample)
            graph = graph if hint is Hint.predicted else shuffled(graph, *key)
        _write(self.folder_of(hint) / graph_name(sample.key), graph)
        return graph


def _write(path: Path, graph: DistortionGraph) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_text(path, graph.to_json() + "\n")


def _kept(path: Path) -> DistortionGraph | None:
    """A graph that an earlier run kept; None where there is none that can be read."""
    try:
        return load_graph(path) if path.is_file() else None
    except GraphError:
        return None
