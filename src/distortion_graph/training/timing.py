"""Time in a run: how long it has been going on, when something is due, and how it stands."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from distortion_graph.training.config import IntervalConfig
from distortion_graph.training.state import Progress


@dataclass(frozen=True)
class Moment:
    """How a run stands after a step: its progress, the share of the budget used, the loss."""

    progress: Progress
    used: float
    loss: float


class Clock:
    """Seconds of training, going on from those of earlier stretches of the run."""

    def __init__(self, before: float) -> None:
        self._start = time.monotonic() - before

    def seconds(self) -> float:
        """All of them."""
        return time.monotonic() - self._start


class Due:
    """Tells when something that is done now and then is to be done again."""

    def __init__(self, every: IntervalConfig, progress: Progress) -> None:
        self.every, self.progress = every, progress
        self.done()

    def now(self) -> bool:
        """Whether it is due after this step."""
        steps = self.every.every_steps
        by_steps = steps is not None and self.progress.step % steps == 0
        return by_steps or self.progress.seconds >= self._next

    def done(self) -> None:
        """It has been done."""
        self._next = self.progress.seconds + 60 * self.every.every_minutes


@contextmanager
def untouched_generators(device: torch.device) -> Iterator[None]:
    """What happens inside takes no random number from what comes after."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        yield
