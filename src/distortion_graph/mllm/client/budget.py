"""What asking costs, and a cap on it that is never passed, however many requests are under way."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Condition, Event

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.mllm.client.messages import Request, Text, Usage
from distortion_graph.mllm.client.waiting import wait_for_change

_BYTES_A_TOKEN = 3
"""Of text in UTF-8; most tokenizers need fewer tokens."""

_PATCH_PX = 28
"""Side of the patch that becomes a token in the finest of the common encoders (Qwen2.5-VL)."""


class BudgetError(DistortionGraphError):
    """The next request might cost more than what may be spent."""


@dataclass(frozen=True)
class Prices:
    """Dollars a million input and output tokens."""

    input_per_million: float
    output_per_million: float

    @classmethod
    def parse(cls, text: str) -> Prices:
        """`0.25,2`; raises DistortionGraphError for anything else."""
        try:
            first, second = (float(part) for part in text.split(","))
        except ValueError:
            first = second = math.nan
        if not (0 <= first < math.inf and 0 <= second < math.inf):
            raise DistortionGraphError(
                f"price {text!r}: expected dollars per million input and output tokens, as in "
                "0.25,2"
            )
        return cls(first, second)

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """In dollars."""
        return (
            input_tokens * self.input_per_million + output_tokens * self.output_per_million
        ) / 1e6


def estimated_text(text: str) -> int:
    """Tokens that a text may have, on the high side."""
    return math.ceil(len(text.encode("utf-8", "replace")) / _BYTES_A_TOKEN)


def estimated_input(request: Request) -> int:
    """Tokens that a request may have, its schema included, on the high side."""
    texts = [request.system, *(part.text for part in request.parts if isinstance(part, Text))]
    if request.schema is not None:
        texts.append(json.dumps(request.schema))
    tokens = estimated_text("".join(texts))
    for image in request.images:
        height, width = image.rgb.shape[:2]
        tokens += math.ceil(height / _PATCH_PX) * math.ceil(width / _PATCH_PX)
    return tokens


@dataclass(frozen=True)
class Totals:
    """What was asked so far: tokens and dollars of paid replies, and how requests were answered.

    `requests` were sent, `retries` more attempts of them; `cached` were not sent. `cost` is None
    without prices.
    """

    usage: Usage = field(default_factory=Usage)
    cost: float | None = None
    requests: int = 0
    retries: int = 0
    cached: int = 0


class Budget:
    """Counts tokens and dollars of several threads, and refuses what may go beyond a cap."""

    def __init__(
        self,
        *,
        max_cost: float | None = None,
        max_tokens: int | None = None,
        prices: Prices | None = None,
    ) -> None:
        """Caps in dollars and in tokens of input and output together, None for none.

        Raises DistortionGraphError for a cap in dollars without prices.
        """
        if max_cost is not None and prices is None:
            raise DistortionGraphError(
                "a cap on the cost needs prices: --price IN,OUT in dollars per million tokens"
            )
        self.max_cost, self.max_tokens, self.prices = max_cost, max_tokens, prices
        self._changed = Condition()
        self._totals, self._reserved = Totals(), Usage()

    @property
    def totals(self) -> Totals:
        """Everything that was counted."""
        with self._changed:
            return replace(self._totals, cost=self._cost(self._totals.usage))

    @property
    def spent(self) -> Usage:
        """Tokens of all replies that were paid."""
        return self.totals.usage

    @property
    def cost(self) -> float | None:
        """Dollars of all replies that were paid; None without prices."""
        return self.totals.cost

    def count(self, *, requests: int = 0, retries: int = 0, cached: int = 0) -> None:
        """Add to the totals."""
        with self._changed:
            now = self._totals
            self._totals = replace(
                now,
                requests=now.requests + requests,
                retries=now.retries + retries,
                cached=now.cached + cached,
            )

    @contextmanager
    def reserved(self, request: Request, stop: Event | None = None) -> Iterator[list[Usage]]:
        """Hold back what a request may cost while it is under way.

        Gives a list that takes the real usages. Where it fits only if requests under way cost less
        than is held back for them, it waits for them. Raises BudgetError where it does not fit
        beside what is spent, and StoppedError when stopped while waiting.
        """
        most = Usage(estimated_input(request), request.max_output_tokens)
        with self._changed:
            self._check(self._totals.usage + most)
            while not self._fits(self._totals.usage + self._reserved + most):
                wait_for_change(self._changed, stop or Event())
                self._check(self._totals.usage + most)
            self._reserved += most
        paid: list[Usage] = []
        try:
            yield paid
        finally:
            with self._changed:
                self._reserved = Usage(
                    self._reserved.input_tokens - most.input_tokens,
                    self._reserved.output_tokens - most.output_tokens,
                )
                spent = sum(paid, self._totals.usage)
                self._totals = replace(self._totals, usage=spent)
                self._changed.notify_all()

    def _fits(self, planned: Usage) -> bool:
        tokens, cost = planned.input_tokens + planned.output_tokens, self._cost(planned)
        if self.max_tokens is not None and tokens > self.max_tokens:
            return False
        return self.max_cost is None or cost is None or cost <= self.max_cost

    def _check(self, planned: Usage) -> None:
        if self._fits(planned):
            return
        spent = self._totals.usage
        tokens = planned.input_tokens + planned.output_tokens
        if self.max_tokens is not None and tokens > self.max_tokens:
            raise BudgetError(
                f"{spent.input_tokens + spent.output_tokens} of at most {self.max_tokens} tokens "
                "are spent, and the next request might need more than is left; raise --max-tokens "
                "and run again: answers are kept"
            )
        raise BudgetError(
            f"${self._cost(spent) or 0:.4f} of at most ${self.max_cost:g} are spent, and the next "
            "request might cost more than is left; raise --max-cost and run again: answers are kept"
        )

    def _cost(self, usage: Usage) -> float | None:
        if self.prices is None:
            return None
        return self.prices.cost(usage.input_tokens, usage.output_tokens)
