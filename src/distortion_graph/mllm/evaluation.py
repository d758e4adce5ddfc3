"""Asking models about the pairs of a data set, and measuring what they say.

An *arm* is a model with cues and a hint. Every arm answers every pair; answers are graphs in a
folder, one file a pair, so the benchmark scores them as it scores anyone's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from typing import Literal

import numpy as np

from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.benchmark import LISTS, BenchOptions, Progress, benchmark, chosen_keys
from distortion_graph.bench.graph_folder import FolderRun, graph_name
from distortion_graph.bench.metrics import MISSED
from distortion_graph.bench.results import SplitResult
from distortion_graph.data.keys import generator
from distortion_graph.data.layout import PairKey
from distortion_graph.data.reader import PandaSet
from distortion_graph.data.samples import Sample
from distortion_graph.data.truth import true_graph
from distortion_graph.errors import OutputError
from distortion_graph.files import atomic_write_text
from distortion_graph.graph import DistortionGraph, ModelInfo
from distortion_graph.mllm.answers import answers_to_graph
from distortion_graph.mllm.asking import Asked, Manner, ask_regions
from distortion_graph.mllm.cache import UnderWayError
from distortion_graph.mllm.client import Client, run_all
from distortion_graph.mllm.cues import cues_text
from distortion_graph.mllm.habits import (
    OrderFigures,
    copy_figures,
    order_figures,
    template_rate,
    truth_as_answers,
)
from distortion_graph.mllm.hint_graphs import HintGraphs
from distortion_graph.mllm.hints import Hint
from distortion_graph.mllm.messages import TryAgainError
from distortion_graph.mllm.pair_view import PairView
from distortion_graph.mllm.results import (
    ArmCounts,
    ArmHabits,
    ArmIdentity,
    MllmResult,
    SplitHabits,
)
from distortion_graph.mllm.templates import load_prompt
from distortion_graph.vocabulary import Vocabulary

Order = Literal["varied", "as-is"]
"""Which picture is shown first: a draw a pair, or always the anchor."""

FAILURES_IN_A_ROW = 5
"""After so many pairs without an answer, one after the other, asking stops."""

GRAPHS, OTHER_ORDER = "graphs", "other-order"


@dataclass(frozen=True)
class Arm:
    """A model that is asked in one manner; `folder` is the name of its folder."""

    name: str
    folder: str
    client: Client
    manner: Manner
    hint: Hint


@dataclass(frozen=True)
class EvalOptions:
    """Which pairs, in which order pictures are shown, and how many requests at once."""

    pairs: BenchOptions
    order: Order = "varied"
    both_orders: bool = False
    concurrency: int = 8


@dataclass(frozen=True)
class PairRecord:
    """What happened with one pair; None for `asked` where no answer came."""

    key: PairKey
    swapped: bool
    asked: Asked | None
    other: Asked | None
    problem: Literal["", "unasked", "failed"] = ""


def evaluate_models(
    reader: PandaSet,
    arms: Sequence[Arm],
    hints: HintGraphs,
    out: Path,
    options: EvalOptions,
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> MllmResult:
    """Ask every arm about every pair, and measure.

    In `out` every arm gets a folder with `graphs/`, `pairs.jsonl` and, where both orders are asked,
    `other-order/`. Raises EndpointError and BudgetError where asking cannot go on; everything that
    was answered until then is in the clients' caches.
    """
    progress = progress or Progress()
    lists = LISTS if options.pairs.split == "all" else (options.pairs.split,)
    listed = [chosen_keys(reader, name, options.pairs) for name in lists]
    keys = list(dict.fromkeys(key for part in listed for key in part))
    desk = _Desk(reader, hints, options)
    counts, records = {}, {}
    for arm in arms:
        progress.begin(arm.name, len(keys), "pairs")
        for place in (out / arm.folder / GRAPHS, out / arm.folder / OTHER_ORDER):
            _make_folder(place)
        records[arm.name] = _ask_arm(arm, desk, keys, out / arm.folder, progress, stop or Event())
        counts[arm.name] = _counts(records[arm.name], arm)
    return _measured(reader, arms, hints, out, options, records, counts, progress)


class _Desk:
    """Prepares what is asked about a pair; one thread at a time, since readers have caches."""

    def __init__(self, reader: PandaSet, hints: HintGraphs, options: EvalOptions) -> None:
        self.reader, self.hints, self.options = reader, hints, options
        self._lock = Lock()

    def material(
        self, key: PairKey, hint: Hint
    ) -> tuple[PairView, DistortionGraph, DistortionGraph | None]:
        """Pictures and regions, the true graph, and the hint."""
        part = self.options.pairs.part
        with self._lock:
            sample = self.reader.sample(part, key)
            truth = true_graph(sample, self.reader.vocabulary)
            view = PairView.of_regions(
                sample.anchor, sample.target, sample.regions, self._descriptions(sample)
            )
            return view, truth, self.hints.of(hint, sample, truth)

    def _descriptions(self, sample: Sample) -> dict[int, str]:
        part, key = self.options.pairs.part, sample.key
        regions = self.reader.record(part, key.anchor, key.tag).regions
        found = {k: regions[k].description for k in sample.regions.ids}
        return {k: text for k, text in found.items() if text}

    def shows_target_first(self, key: PairKey) -> bool:
        """Whether the pair is shown in the other order, drawn by its key."""
        if self.options.order == "as-is":
            return False
        return bool(generator("order", self.options.pairs.seed, *key).integers(2))


def _ask_arm(
    arm: Arm, desk: _Desk, keys: Sequence[PairKey], folder: Path, progress: Progress, stop: Event
) -> dict[PairKey, PairRecord]:
    failures = _Failures()

    def task(key: PairKey) -> Callable[[], PairRecord]:
        return lambda: _ask_pair(arm, desk, key, folder, failures)

    found = {}
    for record in run_all(map(task, keys), desk.options.concurrency, stop):
        found[record.key] = record
        progress.advance(1)
    ordered = {key: found[key] for key in keys}
    lines = (json.dumps(_line(record)) for record in ordered.values())
    atomic_write_text(folder / "pairs.jsonl", "".join(line + "\n" for line in lines))
    return ordered


class _Failures:
    """Counts pairs in a row that got no answer."""

    def __init__(self) -> None:
        self._lock, self._row = Lock(), 0

    def succeeded(self) -> None:
        """A pair was answered."""
        with self._lock:
            self._row = 0

    def failed(self) -> bool:
        """A pair was not; whether that is often enough to stop."""
        with self._lock:
            self._row += 1
            return self._row >= FAILURES_IN_A_ROW


def _ask_pair(arm: Arm, desk: _Desk, key: PairKey, folder: Path, failures: _Failures) -> PairRecord:
    view, truth, hint = desk.material(key, arm.hint)
    swapped = desk.shows_target_first(key)
    vocabulary = truth.vocabulary

    def ask(target_first: bool) -> Asked:
        return ask_regions(
            arm.client, view, vocabulary, arm.manner, hint=hint, swapped=target_first
        )

    model = ModelInfo(name=arm.name)
    places = [folder / part / graph_name(key) for part in (GRAPHS, OTHER_ORDER)]
    for place in places:  # an answer of another run must not stand for this one
        place.unlink(missing_ok=True)
    try:
        asked = ask(swapped)
        other = ask(not swapped) if desk.options.both_orders else None
    except UnderWayError:
        return PairRecord(key, swapped, None, None, "unasked")
    except TryAgainError:
        if failures.failed():
            raise
        return PairRecord(key, swapped, None, None, "failed")
    failures.succeeded()
    for place, said in zip(places, (asked, other), strict=True):
        if said is not None:
            graph = answers_to_graph(said.answer, truth, model)
            atomic_write_text(place, graph.to_json() + "\n")
    return PairRecord(key, swapped, asked, other)


def _line(record: PairRecord) -> dict[str, object]:
    """A pair's line for people who look into the answers."""
    line: dict[str, object] = {
        "pair": list(record.key),
        "target_first": record.swapped,
        "problem": record.problem or None,
    }
    for name, asked in (("asked", record.asked), ("other_order", record.other)):
        if asked is not None:
            line[name] = {
                "answered": sorted(asked.answer.regions),
                "unusable": {str(k): why for k, why in asked.answer.unusable.items()},
                "invented": list(asked.answer.invented),
                "scaled_to_px": asked.side_px,
                "replies": list(asked.texts),
            }
    return line


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); choose another") from error


def _counts(records: dict[PairKey, PairRecord], arm: Arm) -> ArmCounts:
    every = [
        (record, asked)
        for record in records.values()
        for asked in (record.asked, record.other)
        if asked is not None
    ]
    tokens = [asked.usage for _, asked in every]
    prices = arm.client.budget.prices if arm.client.budget else None
    inputs, outputs = (sum(t.input_tokens for t in tokens), sum(t.output_tokens for t in tokens))
    return ArmCounts(
        pairs=len(records),
        unasked=sum(record.problem == "unasked" for record in records.values()),
        failed=sum(record.problem == "failed" for record in records.values()),
        refused=sum(asked.refused for _, asked in every),
        unusable=sum(len(asked.answer.unusable) for _, asked in every),
        missing=sum(asked.missing for _, asked in every),
        invented=sum(len(asked.answer.invented) for _, asked in every),
        reworded=sum(asked.answer.reworded for _, asked in every),
        shrunk=sum(asked.side_px is not None for _, asked in every),
        input_tokens=inputs,
        output_tokens=outputs,
        tokens_estimated=any(t.estimated for t in tokens),
        cost=None if prices is None else prices.cost(inputs, outputs),
    )


def _measured(
    reader: PandaSet,
    arms: Sequence[Arm],
    hints: HintGraphs,
    out: Path,
    options: EvalOptions,
    records: dict[str, dict[PairKey, PairRecord]],
    counts: dict[str, ArmCounts],
    progress: Progress,
) -> MllmResult:
    vocabulary = reader.vocabulary

    def folder_run(name: str, folder: Path) -> FolderRun:
        return FolderRun(name, folder, vocabulary, missing="miss")

    runs = [folder_run(arm.name, out / arm.folder / GRAPHS) for arm in arms]
    given = [hint for hint in Hint if any(arm.hint is hint for arm in arms)]
    names: dict[Hint, str] = {h: f"hint: {h.value}" for h in given if h is not Hint.none}
    runs += [folder_run(name, hints.folder_of(hint)) for hint, name in names.items()]
    bench = benchmark(reader, runs, options.pairs, progress)
    habits = [_split_habits(split, arms, names, records, vocabulary) for split in bench.splits]
    return MllmResult(
        bench=bench,
        arms=[_identity(arm) for arm in arms],
        counts=counts,
        habits=habits,
        both_orders=options.both_orders,
    )


def _identity(arm: Arm) -> ArmIdentity:
    prompt = load_prompt(
        "regions" if arm.hint is Hint.none else "regions-hinted", arm.manner.prompts
    )
    return ArmIdentity(
        name=arm.name,
        model=arm.client.backend.name,
        cues=cues_text(arm.manner.cues),
        hint=arm.hint.value,
        prompt=prompt.name,
        prompt_sha256=prompt.sha256,
    )


def _split_habits(
    split: SplitResult,
    arms: Sequence[Arm],
    hint_runs: dict[Hint, str],
    records: dict[str, dict[PairKey, PairRecord]],
    vocabulary: Vocabulary,
) -> SplitHabits:
    truth = split.table()
    answers = {run.name: run.answers.table() for run in split.runs}
    found = {}
    for arm in arms:
        said, blind = answers[arm.name], _without_hint(arm, arms)
        copying = None
        if arm.hint is not Hint.none:
            copying = copy_figures(
                truth, answers[hint_runs[arm.hint]], said, answers[blind.name] if blind else None
            )
        found[arm.name] = ArmHabits(
            order=_order(truth, said, records[arm.name], vocabulary),
            template_rate=template_rate(truth, said),
            copying=copying,
        )
    return SplitHabits(
        split=split.split,
        truth_template_rate=template_rate(truth, truth_as_answers(truth)),
        arms=found,
    )


def _without_hint(arm: Arm, arms: Sequence[Arm]) -> Arm | None:
    """The same model with the same cues and no hint, if it was asked."""
    for other in arms:
        same = other.client is arm.client and other.manner == arm.manner
        if same and other.hint is Hint.none:
            return other
    return None


def _order(
    truth: Truth, said: Answers, records: dict[PairKey, PairRecord], vocabulary: Vocabulary
) -> OrderFigures:
    pairs = [records[key] for key in truth.keys]
    swapped = np.array([record.swapped for record in pairs], bool)[truth.pair]
    other = None
    if any(record.other for record in pairs):
        other = np.full(len(truth), MISSED, np.int64)
        for row, (number, region) in enumerate(zip(truth.pair, truth.region, strict=True)):
            asked = pairs[number].other
            if asked is not None and int(region) in asked.answer.regions:
                label = asked.answer.regions[int(region)].comparison
                other[row] = vocabulary.comparison_index(label)
    return order_figures(said.comparison, swapped, other, vocabulary)
