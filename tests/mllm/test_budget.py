"""A cap is never passed, and what is held back for requests under way is given back."""

from __future__ import annotations

import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scripted_backend import Scripted, client, question

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.mllm.client.budget import Budget, BudgetError, Prices, Totals, estimated_input
from distortion_graph.mllm.client.client import StoppedError, run_all
from distortion_graph.mllm.client.messages import (
    EndpointError,
    Image,
    Request,
    Text,
    TryAgainError,
    Usage,
)


def test_prices_are_read() -> None:
    prices = Prices.parse("0.25, 2")
    assert prices.cost(1_000_000, 500_000) == pytest.approx(1.25)
    for wrong in ("", "1", "a,b", "1,2,3", "-1,2", "nan,1", "inf,1"):
        with pytest.raises(DistortionGraphError, match="expected dollars per million"):
            Prices.parse(wrong)


def test_a_cap_in_dollars_needs_prices() -> None:
    with pytest.raises(DistortionGraphError, match="needs prices: --price"):
        Budget(max_cost=1)


def test_the_cap_is_never_passed_however_many_are_under_way(tmp_path: Path) -> None:
    most = estimated_input(question()) + 50
    budget = Budget(max_tokens=10 * most)
    backend = Scripted(usage=Usage(most - 50, 50))
    asking = client(backend, tmp_path, budget=budget)
    with pytest.raises(BudgetError, match="raise --max-tokens and run again: answers are kept"):
        list(run_all([partial(asking.ask, question(k)) for k in range(40)], 8, asking.stop))
    spent = budget.spent.input_tokens + budget.spent.output_tokens
    assert spent <= 10 * most and backend.sent <= 10


def test_less_than_held_back_is_given_back(tmp_path: Path) -> None:
    most = estimated_input(question()) + 50
    backend = Scripted(usage=Usage(1, 1))
    asking = client(backend, tmp_path, budget=Budget(max_tokens=most + 60))
    for k in range(20):
        asking.ask(question(k))
    assert asking.budget.spent == Usage(20, 20)


def test_what_comes_from_the_cache_costs_nothing(tmp_path: Path) -> None:
    client(Scripted(), tmp_path).ask(question())
    asking = client(Scripted(), tmp_path, budget=Budget(max_cost=0, prices=Prices(1, 1)))
    assert asking.ask(question()).text == "yes"
    assert asking.budget.cost == 0


def test_a_failed_request_costs_nothing() -> None:
    asking = client(Scripted(EndpointError("no")), budget=Budget(prices=Prices(1, 1)))
    with pytest.raises(EndpointError):
        asking.ask(question())
    assert asking.budget.cost == 0


def test_the_estimate_is_on_the_high_side_for_pictures() -> None:
    """OpenAI's patches are of 32 px, Qwen's of 28: 1024×1024 are 1024 and 1369 tokens."""
    request = Request("", (Image(np.zeros((1024, 1024, 3), np.uint8)),))
    assert estimated_input(request) == 1369


def test_the_estimate_counts_words_and_schema() -> None:
    words = Request("é" * 3, (Text("abc"),))
    assert estimated_input(words) == 3
    assert estimated_input(Request("é" * 3, (Text("abc"),), {"type": "object"})) > 3


def test_dollars_are_capped_too() -> None:
    most = estimated_input(question()) + 50
    budget = Budget(max_cost=3.5 * most / 1e6, prices=Prices(1, 1))
    asking = client(Scripted(usage=Usage(most - 50, 50)), budget=budget)
    for k in range(3):
        asking.ask(question(k))
    with pytest.raises(BudgetError, match=r"^\$0.0002 of at most \$0.00\d+ are spent.*--max-cost"):
        asking.ask(question(3))
    assert budget.cost == pytest.approx(3 * most / 1e6)


def test_those_under_way_are_waited_for_as_they_may_cost_less() -> None:
    most = estimated_input(question()) + 50
    backend = Scripted(*[lambda: time.sleep(0.02)] * 12, usage=Usage(1, 1))
    asking = client(backend, budget=Budget(max_tokens=3 * most))
    tasks = [partial(asking.ask, question(k)) for k in range(12)]
    assert len(list(run_all(tasks, 8, asking.stop))) == 12
    assert asking.budget.spent == Usage(12, 12)


def test_who_waits_for_money_hears_that_it_is_to_stop() -> None:
    most = estimated_input(question()) + 50
    budget, stop = Budget(max_tokens=most), threading.Event()
    threading.Timer(0.05, stop.set).start()
    with (
        budget.reserved(question()),
        pytest.raises(StoppedError),
        budget.reserved(question(), stop),
    ):
        pass


def test_everything_is_counted(tmp_path: Path) -> None:
    backend = Scripted(TryAgainError("busy"), TryAgainError("busy"), "yes", EndpointError("no"))
    asking = client(backend, tmp_path, budget=Budget(prices=Prices(2, 4)))
    asking.ask(question(0))
    asking.ask(question(0))
    with pytest.raises(EndpointError):
        asking.ask(question(1))
    assert asking.budget.totals == Totals(Usage(10, 5), cost=40e-6, requests=2, retries=2, cached=1)
