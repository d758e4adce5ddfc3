"""Scoring what arms said, and how they came by it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.bench.answers import Answers, Truth
from distortion_graph.bench.benchmark import Progress, benchmark
from distortion_graph.bench.graph_folder import FolderRun
from distortion_graph.bench.metrics import MISSED
from distortion_graph.bench.results import PairsResult
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.mllm.ask.cues import cues_text
from distortion_graph.mllm.ask.templates import load_prompt
from distortion_graph.mllm.eval.arms import GRAPHS, Arm, EvalOptions, PairRecord
from distortion_graph.mllm.eval.habits import (
    OrderFigures,
    copy_figures,
    order_figures,
    template_rate,
    truth_as_answers,
)
from distortion_graph.mllm.eval.hint_graphs import HintGraphs
from distortion_graph.mllm.eval.hints import Hint
from distortion_graph.mllm.eval.results import (
    ArmCounts,
    ArmHabits,
    ArmIdentity,
    MllmResult,
    PairsHabits,
)


def counts_of(records: dict[PairKey, PairRecord], arm: Arm) -> ArmCounts:
    """What happened while an arm was asked."""
    every = [
        asked
        for record in records.values()
        for asked in (record.asked, record.other)
        if asked is not None
    ]
    tokens = [asked.usage for asked in every]
    prices = arm.client.budget.prices
    inputs, outputs = (sum(t.input_tokens for t in tokens), sum(t.output_tokens for t in tokens))
    return ArmCounts(
        pairs=len(records),
        unasked=sum(record.problem == "unasked" for record in records.values()),
        failed=sum(record.problem == "failed" for record in records.values()),
        refused=sum(asked.refused for asked in every),
        unusable=sum(len(asked.answer.unusable) for asked in every),
        missing=sum(asked.missing for asked in every),
        invented=sum(len(asked.answer.invented) for asked in every),
        reworded=sum(asked.answer.reworded for asked in every),
        shrunk=sum(
            any(asked is not None and asked.side_px for asked in (record.asked, record.other))
            for record in records.values()
        ),
        input_tokens=inputs,
        output_tokens=outputs,
        tokens_estimated=any(t.estimated for t in tokens),
        cost=None if prices is None else prices.cost(inputs, outputs),
    )


def measured(
    reader: PandaSet,
    arms: Sequence[Arm],
    hints: HintGraphs,
    out: Path,
    options: EvalOptions,
    records: dict[str, dict[PairKey, PairRecord]],
    counts: dict[str, ArmCounts],
    progress: Progress,
) -> MllmResult:
    """The result of an evaluation whose answers lie in `out`."""
    vocabulary = reader.vocabulary

    def folder_run(name: str, folder: Path) -> FolderRun:
        return FolderRun(name, folder, vocabulary, missing="miss")

    runs = [folder_run(arm.name, out / arm.folder / GRAPHS) for arm in arms]
    given = [hint for hint in Hint if any(arm.hint is hint for arm in arms)]
    names: dict[Hint, str] = {h: f"hint: {h.value}" for h in given if h is not Hint.none}
    runs += [folder_run(name, hints.folder_of(hint)) for hint, name in names.items()]
    bench = benchmark(reader, runs, options.pairs, progress)
    habits = [_habits(listed, arms, names, records, vocabulary) for listed in bench.pairs]
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


def _habits(
    listed: PairsResult,
    arms: Sequence[Arm],
    hint_runs: dict[Hint, str],
    records: dict[str, dict[PairKey, PairRecord]],
    vocabulary: Vocabulary,
) -> PairsHabits:
    truth = listed.table()
    answers = {run.name: run.answers.table() for run in listed.runs}
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
    return PairsHabits(
        pairs=listed.pairs,
        truth_template_rate=template_rate(truth, truth_as_answers(truth)),
        truth_order=_true_order(truth, records[arms[0].name], vocabulary),
        arms=found,
    )


def _without_hint(arm: Arm, arms: Sequence[Arm]) -> Arm | None:
    """The same model with the same cues and no hint, if it was asked."""
    for other in arms:
        same = other.client is arm.client and other.manner == arm.manner
        if same and other.hint is Hint.none:
            return other
    return None


def _true_order(
    truth: Truth, records: dict[PairKey, PairRecord], vocabulary: Vocabulary
) -> OrderFigures:
    """What who is always right is measured as, shown the pictures in the order that counts."""
    return order_figures(truth.comparison, _swapped(truth, records), None, vocabulary)


def _swapped(truth: Truth, records: dict[PairKey, PairRecord]) -> NDArray[np.bool_]:
    """(N,) whether the target was shown first."""
    return np.array([records[key].swapped for key in truth.keys], bool)[truth.pair]


def _order(
    truth: Truth, said: Answers, records: dict[PairKey, PairRecord], vocabulary: Vocabulary
) -> OrderFigures:
    pairs = [records[key] for key in truth.keys]
    other = None
    if any(record.other for record in pairs):
        other = np.full(len(truth), MISSED, np.int64)
        for row, (number, region) in enumerate(zip(truth.pair, truth.region, strict=True)):
            asked = pairs[number].other
            if asked is not None and int(region) in asked.answer.regions:
                label = asked.answer.regions[int(region)].comparison
                other[row] = vocabulary.comparison_index(label)
    return order_figures(said.comparison, _swapped(truth, records), other, vocabulary)
