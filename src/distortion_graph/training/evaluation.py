"""Measuring a saved network: which one, on what, and its figures as a value for a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import torch

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.bench.benchmark import check_pairs
from distortion_graph.bench.clean_pairs import CleanSample
from distortion_graph.bench.evaluate import check_vocabularies
from distortion_graph.bench.figures import Figures, Part
from distortion_graph.datasets.pictures import load_sources
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.samples import Sample
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, Recipe
from distortion_graph.training.architectures import Architecture, architecture_in
from distortion_graph.training.chain import Link, read_chain
from distortion_graph.training.checkpoint import SETTINGS_FILE, network_folder
from distortion_graph.training.config import DataConfig, TrainingConfig
from distortion_graph.training.config_files import read_config
from distortion_graph.training.held_out import HeldOutScore, RootScore, measure
from distortion_graph.training.material import open_material


@dataclass(frozen=True)
class Request:
    """What to measure on: pictures or splits of a data set, which pairs, seed, draws of intervals.

    Raises DatasetError for pairs that are not easy, medium, hard or all.
    """

    data: DataConfig
    pairs: tuple[str, ...] = ("hard",)
    splits: tuple[str, ...] = ("val",)
    seed: int = 0
    draws: int = 1000

    def __post_init__(self) -> None:
        check_pairs(self.pairs)


class EvaluationResult(Part):
    """A network's figures by list of pairs; `of` says in words what they are of."""

    format: Literal["distortion-graph evaluation 1"] = "distortion-graph evaluation 1"
    network: str
    chain: tuple[Link, ...]
    of: str
    seed: int
    figures: dict[str, Figures]


@dataclass(frozen=True)
class Opened:
    """A network and the pairs to measure it on, by list; `of` says in words what they are of.

    `notes` are files that were left out, and what the reader says of pictures.
    """

    folder: Path
    kind: Architecture
    network: Any
    score: RootScore | HeldOutScore
    recipe: Recipe
    of: str
    notes: tuple[str, ...] = ()

    def samples(self, split: str) -> Iterable[Sample]:
        """The pairs of a list."""
        return self.score.samples(split)

    def several(self) -> Iterable[Sample]:
        """Hard pairs whose regions may have several distortions."""
        return self.score.several()

    def clean(self) -> Iterable[CleanSample]:
        """The clean pictures of the pairs."""
        return self.score.clean()

    def clean_in(self, folders: Sequence[Path]) -> Iterable[CleanSample]:
        """The photographs in folders, with regions found automatically."""
        with TemporaryDirectory() as nowhere:
            pictures = load_sources([], folders, cache=Path(nowhere))
        return HeldOutScore(pictures, recipe=self.recipe).clean()


def open_network(place: Path, wanted: Request) -> Opened:
    """The network in a folder, or the best one of the run in it, and the pairs asked for.

    Without pictures or a data set those of its run are taken. Raises DistortionGraphError and its
    kinds, one line, for a folder or data that cannot be used.
    """
    folder = network_folder(place)
    kind = architecture_in(folder)
    settings = folder / SETTINGS_FILE
    of_run = read_config(settings) if settings.is_file() else None
    network: Any = kind.load(folder)
    network.to("cuda" if torch.cuda.is_available() else "cpu")
    wanted = _completed(wanted, of_run, folder)
    recipe = of_run.recipe if of_run else DEFAULT_RECIPE
    score, of, notes = _score(wanted, recipe, network.config.vocabulary, folder)
    return Opened(folder, kind, network, score, recipe, of, notes)


def evaluate_network(
    place: Path, wanted: Request, warn: Callable[[str], None] = lambda line: None
) -> EvaluationResult:
    """Measure a network on the pairs asked for; raises as `open_network` does.

    `warn` is told what was left out, and what the reader says of pictures.
    """
    it = open_network(place, wanted)
    for note in it.notes:
        warn(note)
    figures = measure(it.network, it.samples, wanted.pairs, it.kind.predictor, draws=wanted.draws)
    return EvaluationResult(
        network=str(it.folder),
        chain=read_chain(it.folder),
        of=it.of,
        seed=wanted.seed,
        figures=figures,
    )


def _completed(wanted: Request, of_run: TrainingConfig | None, folder: Path) -> Request:
    """The request, on its run's own held-out pictures where it names no data."""
    data = wanted.data
    if data.labelled or data.pictures or data.root:
        return wanted
    if of_run is None:
        raise DistortionGraphError(
            f"{folder}: has no {SETTINGS_FILE} that says what it was chosen on; name pictures or a "
            "data set"
        )
    own = of_run.data
    if own.root is None and not (data.held_out or own.held_out):
        raise DistortionGraphError(
            f"{folder}: nothing was held out from its run; name pictures or a data set"
        )
    if data.held_out is not None:
        own = replace(own, held_out=data.held_out)
    return replace(wanted, data=own)


def _score(
    wanted: Request, recipe: Recipe, words: Any, folder: Path
) -> tuple[RootScore | HeldOutScore, str, tuple[str, ...]]:
    """What gives the pairs of each list, what they are of, and notes."""
    data = wanted.data
    score: RootScore | HeldOutScore
    if data.root is not None:
        root = PandaSet(data.root)
        check_vocabularies(words, root.vocabulary, str(folder))
        score = RootScore(root, wanted.splits, pairs=wanted.pairs)
        return score, f"{data.root}, {' and '.join(wanted.splits)}", ()
    if recipe.vocabulary != words:
        raise DistortionGraphError(
            f"{folder}: pictures cannot be degraded in its vocabulary; measure it on a data set"
        )
    with TemporaryDirectory() as nowhere:
        # A run keeps the regions that were found in its pictures; nothing is written elsewhere.
        kept = folder.parent / "regions"
        material = open_material(data, cache=kept if kept.is_dir() else Path(nowhere))
    held_out = material.held_out if data.held_out else material.everything
    score = HeldOutScore(held_out, seed=wanted.seed, recipe=recipe)
    of = "held-out pictures" if data.held_out else "pictures"
    return score, of, tuple(material.notes)
