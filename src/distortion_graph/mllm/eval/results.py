"""The results of an evaluation of language models, as a file and as tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from distortion_graph.bench.figures import Part
from distortion_graph.bench.results import BenchResult, PairsResult
from distortion_graph.bench.summary import size_of, title
from distortion_graph.bench.tables import Cell, ResultTable, Section, shown
from distortion_graph.mllm.eval.behaviour import FIELDS, CopyFigures, OrderFigures


class ConditionIdentity(Part):
    """A model asked in one manner: who, with which cues, hint and prompt (name and SHA-256)."""

    name: str
    model: str
    cues: str
    hint: str
    prompt: str
    prompt_sha256: str


class ConditionCounts(Part):
    """What happened while asking, over all pairs; regions count once an order that is asked.

    `unasked` pairs were under way when an earlier run was killed, `failed` ones got no answer in
    spite of trying again; both count as missed, unless only the other order got none. `refused`
    are replies that were none. `unusable` and `missing` are regions without a usable entry or any
    entry, `invented` entries for regions that are not there, `reworded` labels taken from synonyms,
    `shrunk` pairs whose pictures had to be made smaller. Tokens and cost are of this evaluation,
    answers from the cache included.
    """

    pairs: int = 0
    unasked: int = 0
    failed: int = 0
    refused: int = 0
    unusable: int = 0
    missing: int = 0
    invented: int = 0
    reworded: int = 0
    shrunk: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tokens_estimated: bool = False
    cost: float | None = None


class ConditionBehaviour(Part):
    """Behaviour under one condition over one list of pairs; `copying` is None without a hint."""

    order: OrderFigures
    template_rate: float | None
    copying: dict[str, CopyFigures] | None


class PairsBehaviour(Part):
    """Behaviour under all conditions, over one list of pairs.

    `truth_template_rate` and `truth_order` are what a perfect model would have, the latter in the
    order that counts; asked in both orders it would have no bias.
    """

    pairs: str
    truth_template_rate: float | None
    truth_order: OrderFigures
    arms: dict[str, ConditionBehaviour]


class MllmResult(Part):
    """All of an evaluation's result file; `bench` has every condition's answers.

    `arms` are the conditions and `habits` how models behaved: these words are the file's keys.
    """

    format: Literal["distortion-graph mllm 1"] = "distortion-graph mllm 1"
    bench: BenchResult
    arms: list[ConditionIdentity]
    counts: dict[str, ConditionCounts]
    habits: list[PairsBehaviour]
    both_orders: bool

    def to_json(self) -> str:
        """The text of the file."""
        return self.model_dump_json(indent=1) + "\n"


def tables_of(result: MllmResult) -> list[ResultTable]:
    """Accuracy; how answers came; and, where hints were given, what was made of them."""
    tables = [_main_table(result), _behaviour_table(result)]
    if any(condition.copying for listed in result.habits for condition in listed.arms.values()):
        tables.append(_copy_table(result))
    return tables


def _title(result: MllmResult, what: str) -> str:
    return f"{title(result.bench)}: {what}"


def _main_table(result: MllmResult) -> ResultTable:
    columns = (
        "run", "answered", "distortion", "F1", "severity", "F1", "comparison", "F1", "SRCC",
    )  # fmt: skip
    return ResultTable(
        _title(result, "accuracy, macro F1, score correlation"),
        columns,
        tuple(_main_section(listed) for listed in result.bench.pairs),
        notes=(
            "Regions without a usable answer count as misses. Intervals: 95 %, bootstrap over "
            "pictures. Rows named hint are what the hint alone reaches.",
            *_count_notes(result),
        ),
    )


def _main_section(listed: PairsResult) -> Section:
    rows = []
    for run in listed.runs:
        figures = run.figures
        cells = [Cell(run.name), Cell(shown(figures.coverage))]
        for what in FIELDS:
            accuracy = f"{what}.accuracy"
            cells.append(Cell(shown(figures.value(accuracy)), figures.intervals[accuracy]))
            cells.append(Cell(shown(figures.value(f"{what}.f1"))))
        cells.append(Cell(shown(figures.value("score.srcc")), figures.intervals["score.srcc"]))
        rows.append(tuple(cells))
    return Section(listed.pairs, tuple(rows), size_of(listed))


def _behaviour_table(result: MllmResult) -> ResultTable:
    columns = ("run", "template", "first\nbetter", "second\nbetter", "order\nbias", "both\norders")
    sections = []
    for listed in result.habits:
        rows = [
            _behaviour_cells(name, condition.template_rate, condition.order)
            for name, condition in listed.arms.items()
        ]
        rows.append(_behaviour_cells("truth", listed.truth_template_rate, listed.truth_order))
        sections.append(Section(listed.pairs, tuple(rows)))
    return ResultTable(
        _title(result, "how answers come about"),
        columns,
        tuple(sections),
        notes=(
            "template: share of answers that another picture's pair got too, or nearly. first, "
            "second better: share of comparisons in favour of the picture shown first, second; "
            "bias: their difference, to be held against the truth's, or against 0 where every pair "
            "is asked in both orders. both orders: share of comparisons that stay the same when "
            "the pictures are shown in the other order.",
        ),
    )


def _behaviour_cells(name: str, template: float | None, order: OrderFigures) -> tuple[Cell, ...]:
    values = (template, order.first_better, order.second_better, order.bias, order.consistency)
    return Cell(name), *(Cell(shown(value)) for value in values)


def _copy_table(result: MllmResult) -> ResultTable:
    columns = (
        "run", "label", "agrees", "unseen", "right", "hint\nright", "kept\nright",
        "right where\nhint wrong", "over-\nrides", "override\nright",
    )  # fmt: skip
    sections = []
    for listed in result.habits:
        rows = [
            (Cell(name), Cell(label), *_copy_cells(figures))
            for name, condition in listed.arms.items()
            for label, figures in (condition.copying or {}).items()
        ]
        sections.append(Section(listed.pairs, tuple(rows)))
    return ResultTable(
        _title(result, "does it reason or copy?"),
        columns,
        tuple(sections),
        notes=(
            "Over answered labels. agrees: equal to the hint; unseen: equal to it although the "
            "model was not given it. kept right: right where the hint is right. overrides: "
            "differs from the hint; override right: share of those that are right.",
        ),
    )


def _copy_cells(figures: CopyFigures) -> tuple[Cell, ...]:
    values = (
        figures.agreement,
        figures.agreement_unseen,
        figures.accuracy,
        figures.hint_accuracy,
        figures.kept_right,
        figures.accuracy_where_wrong,
        figures.override_rate,
        figures.override_precision,
    )
    return tuple(Cell(shown(value)) for value in values)


def _count_notes(result: MllmResult) -> Iterator[str]:
    for name, counts in result.counts.items():
        yield f"{name}: {', '.join(_facts(counts))}."


def _facts(counts: ConditionCounts) -> Sequence[str]:
    tokens = f"{counts.input_tokens} tokens in, {counts.output_tokens} out"
    facts = [tokens + (" (estimated)" if counts.tokens_estimated else "")]
    if counts.cost is not None:
        facts.append(f"${counts.cost:.2f}")
    words = (
        (counts.unasked, "pairs under way when an earlier run stopped, not asked again"),
        (counts.failed, "pairs without an answer in spite of trying again"),
        (counts.refused, "replies refused"),
        (counts.missing, "regions left out"),
        (counts.unusable, "regions with unusable entries"),
        (counts.invented, "invented regions ignored"),
        (counts.reworded, "labels taken from synonyms"),
        (counts.shrunk, "pairs sent smaller than they are"),
    )
    return [*facts, *(f"{count} {what}" for count, what in words if count)]
