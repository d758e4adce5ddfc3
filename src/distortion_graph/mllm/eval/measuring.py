"""Scores of the answers under each condition, and how models came by them."""

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
from distortion_graph.mllm.eval.behaviour import (
    OrderFigures,
    copy_figures,
    order_figures,
    template_rate,
    truth_as_answers,
)
from distortion_graph.mllm.eval.conditions import GRAPHS, Condition, EvalOptions, PairRecord
from distortion_graph.mllm.eval.hint_graphs import HintGraphs
from distortion_graph.mllm.eval.hints import Hint
from distortion_graph.mllm.eval.results import (
    ConditionBehaviour,
    ConditionCounts,
    ConditionIdentity,
    MllmResult,
    PairsBehaviour,
)


def counts_of(records: dict[PairKey, PairRecord], condition: Condition) -> ConditionCounts:
    """What happened while a condition was asked about."""
    every = [
        asked
        for record in records.values()
        for asked in (record.asked, record.other)
        if asked is not None
    ]
    tokens = [asked.usage for asked in every]
    prices = condition.client.budget.prices
    inputs, outputs = (sum(t.input_tokens for t in tokens), sum(t.output_tokens for t in tokens))
    return ConditionCounts(
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
    conditions: Sequence[Condition],
    hints: HintGraphs,
    out: Path,
    options: EvalOptions,
    records: dict[str, dict[PairKey, PairRecord]],
    counts: dict[str, ConditionCounts],
    progress: Progress,
) -> MllmResult:
    """The result of an evaluation whose answers lie in `out`."""
    vocabulary = reader.vocabulary

    def folder_run(name: str, folder: Path) -> FolderRun:
        return FolderRun(name, folder, vocabulary, missing="miss")

    runs = [folder_run(condition.name, out / condition.folder / GRAPHS) for condition in conditions]
    given = [hint for hint in Hint if any(condition.hint is hint for condition in conditions)]
    names: dict[Hint, str] = {h: f"hint: {h.value}" for h in given if h is not Hint.none}
    runs += [folder_run(name, hints.folder_of(hint)) for hint, name in names.items()]
    bench = benchmark(reader, runs, options.pairs, progress)
    behaviours = [
        _behaviour(listed, conditions, names, records, vocabulary) for listed in bench.pairs
    ]
    return MllmResult(
        bench=bench,
        arms=[_identity(condition) for condition in conditions],
        counts=counts,
        habits=behaviours,
        both_orders=options.both_orders,
    )


def _identity(condition: Condition) -> ConditionIdentity:
    prompt = load_prompt(
        "regions" if condition.hint is Hint.none else "regions-hinted", condition.manner.prompts
    )
    return ConditionIdentity(
        name=condition.name,
        model=condition.client.backend.name,
        cues=cues_text(condition.manner.cues),
        hint=condition.hint.value,
        prompt=prompt.name,
        prompt_sha256=prompt.sha256,
    )


def _behaviour(
    listed: PairsResult,
    conditions: Sequence[Condition],
    hint_runs: dict[Hint, str],
    records: dict[str, dict[PairKey, PairRecord]],
    vocabulary: Vocabulary,
) -> PairsBehaviour:
    truth = listed.table()
    answers = {run.name: run.answers.table() for run in listed.runs}
    behaviours = {}
    for condition in conditions:
        said, blind = answers[condition.name], _without_hint(condition, conditions)
        copying = None
        if condition.hint is not Hint.none:
            hint = answers[hint_runs[condition.hint]]
            copying = copy_figures(truth, hint, said, answers[blind.name] if blind else None)
        behaviours[condition.name] = ConditionBehaviour(
            order=_order(truth, said, records[condition.name], vocabulary),
            template_rate=template_rate(truth, said),
            copying=copying,
        )
    return PairsBehaviour(
        pairs=listed.pairs,
        truth_template_rate=template_rate(truth, truth_as_answers(truth)),
        truth_order=_true_order(truth, records[conditions[0].name], vocabulary),
        arms=behaviours,
    )


def _without_hint(condition: Condition, conditions: Sequence[Condition]) -> Condition | None:
    """The same model with the same cues and no hint, if it was asked."""
    for other in conditions:
        same = other.client is condition.client and other.manner == condition.manner
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
