"""Asking models about the pairs of a data set, and measuring what they say.

A *condition* is a model with cues and a hint. Every pair is asked about under every condition.
Answers are graphs in a folder, one file per pair, so the benchmark scores them as it scores
anyone's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Event, Lock

from distortion_graph.base.errors import OutputError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.bench.benchmark import Progress, all_keys
from distortion_graph.bench.graph_folder import graph_name
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.datasets.truth import true_graph
from distortion_graph.graph import DistortionGraph, ModelInfo
from distortion_graph.mllm.ask.answers import answers_to_graph
from distortion_graph.mllm.ask.asking import Asked, ask_regions
from distortion_graph.mllm.ask.pair_view import PairView, view_of
from distortion_graph.mllm.client.cache import UnderWayError
from distortion_graph.mllm.client.client import run_all
from distortion_graph.mllm.client.messages import EndpointError, ImageTooLargeError, TryAgainError
from distortion_graph.mllm.eval.conditions import (
    GRAPHS,
    OTHER_ORDER,
    Condition,
    EvalOptions,
    PairRecord,
    Problem,
)
from distortion_graph.mllm.eval.hint_graphs import HintGraphs
from distortion_graph.mllm.eval.hints import Hint
from distortion_graph.mllm.eval.measuring import counts_of, measured
from distortion_graph.mllm.eval.results import MllmResult
from distortion_graph.synth.keys import generator

FAILURES_IN_A_ROW = 5
"""After so many pairs without an answer, one after the other, asking stops."""


def evaluate_models(
    reader: PandaSet,
    conditions: Sequence[Condition],
    hints: HintGraphs,
    out: Path,
    options: EvalOptions,
    *,
    progress: Progress | None = None,
    stop: Event | None = None,
) -> MllmResult:
    """Ask about every pair under every condition, and measure the answers.

    In `out` every condition gets a folder with `graphs/`, `pairs.jsonl` and, where both orders are
    asked, `other-order/`. Raises EndpointError and BudgetError where asking cannot go on; the
    answers until then are in the clients' caches.
    """
    progress = progress or Progress()
    chosen = ChosenPairs(reader, options.pairs.splits)
    keys = all_keys(chosen, options.pairs)
    hints.check([condition.hint for condition in conditions], keys)
    material = _PairMaterial(reader, chosen, hints, options)
    counts, records = {}, {}
    for condition in conditions:
        progress.begin(condition.name, len(keys), "pairs")
        folder = out / condition.folder
        for place in (folder / GRAPHS, folder / OTHER_ORDER):
            _make_folder(place)
        records[condition.name] = _ask_condition(
            condition, material, keys, folder, progress, stop or Event()
        )
        counts[condition.name] = counts_of(records[condition.name], condition)
    return measured(reader, conditions, hints, out, options, records, counts, progress)


class _PairMaterial:
    """Prepares what is asked about a pair; one thread at a time, since readers have caches."""

    def __init__(
        self, reader: PandaSet, chosen: ChosenPairs, hints: HintGraphs, options: EvalOptions
    ) -> None:
        self.reader, self.chosen, self.hints, self.options = reader, chosen, hints, options
        self._lock = Lock()

    def of(
        self, key: PairKey, hint: Hint
    ) -> tuple[PairView, DistortionGraph, DistortionGraph | None]:
        """Pictures and regions, the true graph, and the hint."""
        with self._lock:
            sample = self.chosen.sample(key)
            truth = true_graph(sample, self.reader.vocabulary)
            view = view_of(self.reader, self.chosen.split_of(key.tag), sample)
            return view, truth, self.hints.of(hint, sample, truth)

    def shows_target_first(self, key: PairKey) -> bool:
        """Whether the pair is shown in the other order, drawn by its key."""
        if self.options.order == "as-is":
            return False
        return bool(generator("order", self.options.pairs.seed, *key).integers(2))


def _ask_condition(
    condition: Condition,
    material: _PairMaterial,
    keys: Sequence[PairKey],
    folder: Path,
    progress: Progress,
    stop: Event,
) -> dict[PairKey, PairRecord]:
    failures = _Failures()

    def task(key: PairKey) -> Callable[[], PairRecord]:
        return lambda: _ask_pair(condition, material, key, folder, failures)

    records = {}
    for record in run_all(map(task, keys), material.options.concurrency, stop):
        records[record.key] = record
        progress.advance(1)
    ordered = {key: records[key] for key in keys}
    _need_an_answer(condition, list(records.values()))
    lines = (json.dumps(_line(record)) for record in ordered.values())
    atomic_write_text(folder / "pairs.jsonl", "".join(line + "\n" for line in lines))
    return ordered


def _need_an_answer(condition: Condition, records: Sequence[PairRecord]) -> None:
    if any(record.asked for record in records):
        return
    left = sum(record.problem == "unasked" for record in records)
    raise EndpointError(
        f"{condition.name}: none of the {len(records)} pairs got an answer ({left} were under way "
        f"when an earlier run stopped, {len(records) - left} failed); {records[-1].why}"
    )


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


def _ask_pair(
    condition: Condition, material: _PairMaterial, key: PairKey, folder: Path, failures: _Failures
) -> PairRecord:
    view, truth, hint = material.of(key, condition.hint)
    swapped = material.shows_target_first(key)
    vocabulary = truth.vocabulary

    def ask(target_first: bool) -> Asked:
        return ask_regions(
            condition.client, view, vocabulary, condition.manner, hint=hint, swapped=target_first
        )

    model = ModelInfo(name=condition.name)
    places = [folder / part / graph_name(key) for part in (GRAPHS, OTHER_ORDER)]
    for place in places:  # an answer of another run must not stand for this one
        place.unlink(missing_ok=True)
    asked = other = None
    problem: Problem = ""
    why = ""
    try:
        asked = ask(swapped)
        other = ask(not swapped) if material.options.both_orders else None
        failures.succeeded()
    except UnderWayError as error:
        problem, why = "unasked", str(error)
    except (TryAgainError, ImageTooLargeError) as error:
        problem, why = "failed", str(error)
        if failures.failed():
            raise
    for place, said in zip(places, (asked, other), strict=True):
        if said is not None:
            graph = answers_to_graph(said.answer, truth, model)
            atomic_write_text(place, graph.to_json() + "\n")
    return PairRecord(key, swapped, asked, other, problem, why)


def _line(record: PairRecord) -> dict[str, object]:
    """A pair's line for people who look into the answers."""
    line: dict[str, object] = {
        "pair": list(record.key),
        "target_first": record.swapped,
        "problem": record.why or None,
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
