"""What an evaluation consists of: its conditions, and what happened with every pair."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from distortion_graph.bench.benchmark import BenchOptions
from distortion_graph.datasets.layout import PairKey
from distortion_graph.mllm.ask.asking import Asked, Manner
from distortion_graph.mllm.client.client import Client
from distortion_graph.mllm.eval.hints import Hint

Order = Literal["varied", "as-is"]
"""Which picture is shown first: a draw per pair, or always the anchor."""

GRAPHS, OTHER_ORDER = "graphs", "other-order"
"""Folders of a condition: the answers that are scored, and those in the other order."""


@dataclass(frozen=True)
class Condition:
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


Problem = Literal["", "unasked", "failed"]
"""Under way when an earlier run stopped, or without an answer in spite of trying again."""


@dataclass(frozen=True)
class PairRecord:
    """What happened with one pair. `asked` or `other` is None where no answer came, `why` says why.

    With both orders asked, the first may have an answer although the second was a problem.
    """

    key: PairKey
    swapped: bool
    asked: Asked | None
    other: Asked | None
    problem: Problem = ""
    why: str = ""
