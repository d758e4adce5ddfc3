"""What asking costs, and a cap on it that is never passed, however many requests are under way."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from distortion_graph.errors import DistortionGraphError
from distortion_graph.mllm.messages import Request, Text, Usage

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
                f"price {text!r}: expected dollars a million input and output tokens, as in 0.25,2"
            )
        return cls(first, second)

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """In dollars."""
        return (
            input_tokens * self.input_per_million + output_tokens * self.output_per_million
        ) / 1e6


def estimated_input(request: Request) -> int:
    """Tokens that a request may have, on the high side."""
    texts = [request.system, *(part.text for part in request.parts if isinstance(part, Text))]
    tokens = math.ceil(sum(len(text.encode()) for text in texts) / _BYTES_A_TOKEN)
    for image in request.images:
        height, width = image.rgb.shape[:2]
        tokens += math.ceil(height / _PATCH_PX) * math.ceil(width / _PATCH_PX)
    return tokens


class Budget:
    """Counts tokens and dollars of several threads, and refuses what may go beyond a cap."""

    def __init__(
        self,
        *,
        max_cost: float | None = None,
        max_tokens: int | None = None,
        prices: Prices | None = None,
    ) -> None:
        """Caps in dollars and in tokens, None for none.

        Raises DistortionGraphError for a cap in dollars without prices.
        """
        if max_cost is not None and prices is None:
            raise DistortionGraphError(
                "a cap on the cost needs prices: --price IN,OUT in dollars a million tokens"
            )
        self.max_cost, self.max_tokens, self.prices = max_cost, max_tokens, prices
        self._lock = Lock()
        self._spent, self._reserved = Usage(), Usage()

    @property
    def spent(self) -> Usage:
        """Tokens of all replies that were paid."""
        return self._spent

    @property
    def cost(self) -> float | None:
        """Dollars of all replies that were paid; None without prices."""
        return self._cost(self._spent)

    @contextmanager
    def reserved(self, request: Request) -> Iterator[list[Usage]]:
        """Hold back what a request may cost while it is under way.

        Gives a list that takes the real usages. Raises BudgetError where spent and held-back
        tokens together might pass a cap.
        """
        most = Usage(estimated_input(request), request.max_output_tokens)
        with self._lock:
            self._check(self._spent + self._reserved + most)
            self._reserved += most
        paid: list[Usage] = []
        try:
            yield paid
        finally:
            with self._lock:
                self._reserved = Usage(
                    self._reserved.input_tokens - most.input_tokens,
                    self._reserved.output_tokens - most.output_tokens,
                )
                for usage in paid:
                    self._spent += usage

    def _check(self, planned: Usage) -> None:
        tokens = planned.input_tokens + planned.output_tokens
        if self.max_tokens is not None and tokens > self.max_tokens:
            spent = self._spent.input_tokens + self._spent.output_tokens
            raise BudgetError(
                f"{spent} of at most {self.max_tokens} tokens are spent, and the next request "
                "might need more than is left; raise --max-tokens and run again: answers are kept"
            )
        cost = self._cost(planned)
        if self.max_cost is not None and cost is not None and cost > self.max_cost:
            raise BudgetError(
                f"${self.cost or 0:.4f} of at most ${self.max_cost:g} are spent, and the next "
                "request might cost more than is left; raise --max-cost and run again: answers "
                "are kept"
            )

    def _cost(self, usage: Usage) -> float | None:
        if self.prices is None:
            return None
        return self.prices.cost(usage.input_tokens, usage.output_tokens)
