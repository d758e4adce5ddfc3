"""What every conversation is about, decided from labels alone, one after the other.

Kinds of conversations come in fixed shares, and short questions are chosen so that no answer
dominates. Every draw has the key (seed, pair, number), so a plan is the same anywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from filecmp import cmp
from types import MappingProxyType

import numpy as np

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.layout import CLEAN_FOLDER, SPLITS, PairKey, picture_path
from distortion_graph.graph import DistortionGraph
from distortion_graph.mllm.ask.cues import Cue
from distortion_graph.mllm.sft.questions import SHORT_KINDS, Turn, graph_of_labels, short_turn
from distortion_graph.synth.keys import generator

SHARES: Mapping[str, float] = MappingProxyType(
    {"regions": 0.45, "short": 0.3, "assessment": 0.15, "whole": 0.1}
)
"""Shares of the kinds of conversations."""

FEWEST_TURNS, MOST_TURNS = 2, 4
"""Turns of a conversation of short questions."""

MOST_WRONG = 0.5
"""The largest share of a hint's regions that are wrong, so that models learn to check it."""


@dataclass(frozen=True)
class Planned:
    """One conversation: its pair, the order pictures are shown in, cues, and what is asked.

    `hinted` conversations about regions get a suggestion; `turns` are the short questions.
    `graph` is the truth in the order shown, without pictures and masks. A conversation about whole
    pictures has no cues.
    """

    number: int
    key: PairKey
    kind: str
    swapped: bool
    cues: tuple[Cue, ...]
    hinted: bool
    graph: DistortionGraph
    turns: tuple[Turn, ...] = ()


@dataclass(frozen=True)
class PlanOptions:
    """How many conversations about pairs of which list and splits, and how they are drawn.

    `cues` are what one is drawn from; `hint_share` is of the conversations about regions.
    """

    splits: tuple[str, ...] = ("train",)
    pairs: tuple[str, ...] = ("all",)
    count: int | None = None
    cues: tuple[tuple[Cue, ...], ...] = ((Cue.marks,),)
    hint_share: float = 0.5
    seed: int = 0


def drawn_keys(chosen: ChosenPairs, options: PlanOptions) -> list[PairKey]:
    """The pairs, in an order drawn by the seed; at most `count`.

    Raises DatasetError where one of their pictures is in another split too.
    """
    keys = sorted({key for pairs in options.pairs for key in chosen.keys(pairs)})
    order = generator("sft pairs", options.seed).permutation(len(keys)).tolist()
    drawn = [keys[k] for k in order[: options.count]]
    _check_apart(chosen, sorted({key.tag for key in drawn}))
    return drawn


def _check_apart(chosen: ChosenPairs, tags: Iterable[str]) -> None:
    """What is trained on must not be measured on: no picture may be in another split as well."""
    root = chosen.reader.root
    for tag in tags:
        split = chosen.split_of(tag)
        own = picture_path(root, CLEAN_FOLDER, split, tag)
        for other in SPLITS:
            same = picture_path(root, CLEAN_FOLDER, other, tag)
            if (
                other != split
                and own.is_file()
                and same.is_file()
                and cmp(own, same, shallow=False)
            ):
                raise DatasetError(
                    f"{same}: the same picture as in the split {split}, expected splits without "
                    "common pictures; take it out of one of them (`dataset check` lists copies)"
                )


def planned(
    chosen: ChosenPairs, options: PlanOptions, keys: Sequence[PairKey] | None = None
) -> Iterator[Planned]:
    """One conversation a pair; pairs without regions have none.

    `keys` are `drawn_keys`, where they are drawn already.

    Raises DatasetError where no pair has a region.
    """
    kinds: Counter[str] = Counter()
    hinted: Counter[bool] = Counter()
    turned: Counter[bool] = Counter()
    answers: dict[str, Counter[str]] = {kind: Counter() for kind in SHORT_KINDS}
    number = 0
    for key in drawn_keys(chosen, options) if keys is None else keys:
        sample = chosen.sample(key)
        if not len(sample.regions):
            continue
        rng = generator("sft", options.seed, *key)
        graph = graph_of_labels(sample, chosen.reader.vocabulary)
        swapped = _turned(turned, rng)
        graph = graph.swapped() if swapped else graph
        kind = _least(kinds, SHARES)
        kinds[kind] += 1
        hint = kind == "regions" and _wanted(hinted, options.hint_share)
        cues = options.cues[int(rng.integers(len(options.cues)))] if kind != "whole" else ()
        turns = _short_turns(graph, answers, rng) if kind == "short" else ()
        yield Planned(number, key, kind, swapped, cues, hint, graph, turns)
        number += 1
    if not number:
        raise DatasetError(
            f"{chosen.reader.root}: no pair of the split {' or '.join(chosen.splits)} has a region "
            "to ask about"
        )


def _least(counts: Counter[str], shares: Mapping[str, float]) -> str:
    """The kind that lacks most of its share."""
    total = counts.total() + 1
    return max(shares, key=lambda kind: shares[kind] * total - counts[kind])


def _turned(counts: Counter[bool], rng: np.random.Generator) -> bool:
    """Whether the target is shown first: a draw, and as often as not."""
    drawn = bool(rng.integers(2))
    turned = drawn if counts[True] == counts[False] else counts[True] < counts[False]
    counts[turned] += 1
    return turned


def _wanted(counts: Counter[bool], share: float) -> bool:
    """Whether the next one is to be of that share; it is then counted."""
    wanted = counts[True] < share * (counts.total() + 1) and share > 0
    counts[wanted] += 1
    return wanted


def _short_turns(
    graph: DistortionGraph, answers: dict[str, Counter[str]], rng: np.random.Generator
) -> tuple[Turn, ...]:
    """Questions of different kinds, the least asked kinds first."""
    count = int(rng.integers(FEWEST_TURNS, MOST_TURNS + 1))
    order: Sequence[str] = sorted(
        SHORT_KINDS, key=lambda kind: (answers[kind].total(), rng.random())
    )
    turns = []
    for kind in order[:count]:
        turn = short_turn(kind, graph, answers[kind], rng)
        answers[kind][turn.label] += 1
        turns.append(turn)
    return tuple(turns)
