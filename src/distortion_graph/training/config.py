"""Everything that a training run depends on besides the pixels: one frozen tree of settings.

`config_files` reads it from YAML and the command line; `docs/training.md` lists the keys.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.datasets.pair_lists import PAIRS
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, Recipe
from distortion_graph.training.architectures import architecture
from distortion_graph.training.samples import SamplingConfig

DEFAULT_MINUTES = 60.0
_WARM_UP_STEPS, _CHAIN_WARM_UP_STEPS = 200, 50


@dataclass(frozen=True)
class DataConfig:
    """Where pairs come from, and how many processes prepare them for each trainer.

    `labelled` folders hold images/ and regions/, `pictures` folders pictures alone; or `root` is
    a data set, the only source then. `held_out` lists the pictures to choose on.
    """

    labelled: tuple[Path, ...] = ()
    pictures: tuple[Path, ...] = ()
    root: Path | None = None
    held_out: Path | None = None
    workers: int = 1

    def __post_init__(self) -> None:
        _at_least("data.workers", self.workers, 0)
        if self.root is not None and (self.labelled or self.pictures or self.held_out):
            raise DistortionGraphError(
                "training: data.root is a whole data set: give no labelled, pictures or held_out "
                "beside it"
            )


@dataclass(frozen=True)
class OptimiserConfig:
    """AdamW, and what is done with its gradients and weights.

    A step takes `accumulation` batches on every process. `ema_decay` is of the averaged weights,
    which are what is evaluated and kept. The encoder's first `frozen_blocks` blocks stay as they
    are, and its stem with them.
    """

    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    gradient_clip: float = 1.0
    accumulation: int = 1
    ema_decay: float = 0.998
    frozen_blocks: int = 0

    def __post_init__(self) -> None:
        _at_least("optimiser.frozen_blocks", self.frozen_blocks, 0)
        for name in ("learning_rate", "gradient_clip"):
            _above_zero(f"optimiser.{name}", getattr(self, name))
        _at_least("optimiser.accumulation", self.accumulation, 1)
        for name, most in (("weight_decay", math.inf), ("ema_decay", 1.0)):
            if not 0 <= getattr(self, name) < most:
                raise DistortionGraphError(
                    f"training: optimiser.{name} must be at least 0 and below {most:g}, got "
                    f"{getattr(self, name)}"
                )


@dataclass(frozen=True)
class ScheduleConfig:
    """The learning rate over the run: a linear warm-up, then a cosine to `floor`, or level.

    Without `warmup_steps` the warm-up has 200 steps, or 50 where the run starts from a network.
    """

    kind: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int | None = None
    floor: float = 0.01

    def __post_init__(self) -> None:
        if self.warmup_steps is not None:
            _at_least("schedule.warmup_steps", self.warmup_steps, 1)
        if not 0 <= self.floor <= 1:
            raise DistortionGraphError(
                f"training: schedule.floor must be in [0, 1], got {self.floor}"
            )


@dataclass(frozen=True)
class BudgetConfig:
    """The run ends after so many minutes, evaluation included, or steps, whichever is first.

    With neither it takes 60 minutes.
    """

    minutes: float | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        if self.minutes is not None:
            _above_zero("budget.minutes", self.minutes)
        if self.steps is not None:
            _at_least("budget.steps", self.steps, 1)

    def used(self, seconds: float, steps: int) -> float:
        """Share that is used up; 1 and more is the end."""
        minutes = self.minutes
        if minutes is None and self.steps is None:
            minutes = DEFAULT_MINUTES
        by_time = seconds / (60 * minutes) if minutes is not None else 0.0
        return max(by_time, steps / self.steps if self.steps is not None else 0.0)


@dataclass(frozen=True)
class IntervalConfig:
    """Something is done every so many minutes, and every so many steps where that is given."""

    every_minutes: float = 5.0
    every_steps: int | None = None

    def __post_init__(self) -> None:
        if not self.every_minutes >= 0:
            raise DistortionGraphError(
                f"training: every_minutes must be at least 0, got {self.every_minutes}"
            )
        if self.every_steps is not None:
            _at_least("every_steps", self.every_steps, 1)


@dataclass(frozen=True)
class EvaluationConfig(IntervalConfig):
    """When the averaged network is measured, and on which lists of held-out pairs.

    The best one is chosen on `hard` whatever else is measured.
    """

    every_minutes: float = 15.0
    pairs: tuple[str, ...] = ("hard",)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in self.pairs:
            if name not in PAIRS:
                raise DistortionGraphError(
                    f"training: evaluation.pairs has {name!r}, expected some of {', '.join(PAIRS)}"
                )


@dataclass(frozen=True)
class LoggingConfig:
    """A row in log.csv, and in TensorBoard's files, every so many steps: means since the last."""

    every_steps: int = 50
    tensorboard: bool = True

    def __post_init__(self) -> None:
        _at_least("logging.every_steps", self.every_steps, 1)


@dataclass(frozen=True)
class TrainingConfig:
    """A run's settings.

    `model` names an architecture; `network` and `losses` are its own settings, None for its
    defaults. `start_from` is a network's folder whose weights a new run begins with;
    `start_partly` takes those that fit by name and shape and leaves the rest as in a new network.
    `recipe` is how pictures are degraded; its vocabulary must be the network's. With bf16 the
    forward pass computes in bfloat16 where the network allows it; auto does so where the device
    has arithmetic for it, since elsewhere it is slower than fp32.

    Raises DistortionGraphError for impossible values.
    """

    model: str = "lite0"
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    start_from: Path | None = None
    start_partly: bool = False
    data: DataConfig = field(default_factory=DataConfig)
    network: Any = None
    losses: Any = None
    sampling: SamplingConfig = field(default_factory=SamplingConfig)
    recipe: Recipe = DEFAULT_RECIPE
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    budget: BudgetConfig = field(default_factory=BudgetConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    saving: IntervalConfig = field(default_factory=IntervalConfig)
    logging: LoggingConfig = field(default_factory=LoggingConfig)

    def __post_init__(self) -> None:
        _at_least("seed", self.seed, 0)
        if not self.seed < 2**63:
            raise DistortionGraphError(f"training: seed must be below 2**63, got {self.seed}")
        chosen = architecture(self.model)
        if self.network is None:
            settings = chosen.config(vocabulary=self.recipe.vocabulary)
            object.__setattr__(self, "network", settings)
        if self.losses is None:
            object.__setattr__(self, "losses", chosen.losses())

    @property
    def warmup_steps(self) -> int:
        """Steps of the warm-up; a run that starts from a network has a short one."""
        if self.schedule.warmup_steps is not None:
            return self.schedule.warmup_steps
        return _WARM_UP_STEPS if self.start_from is None else _CHAIN_WARM_UP_STEPS

    def rate(self, step: int, used: float) -> float:
        """The learning rate of a step when a share `used` of the budget is gone."""
        warm = min(1.0, (step + 1) / self.warmup_steps)
        floor = self.schedule.floor
        level = 1.0
        if self.schedule.kind == "cosine":
            level = floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * min(1.0, used)))
        return self.optimiser.learning_rate * warm * level


def _above_zero(name: str, value: float) -> None:
    # Written so that NaN fails too.
    if not 0 < value < math.inf:
        raise DistortionGraphError(f"training: {name} must be a number above 0, got {value}")


def _at_least(name: str, value: int, least: int) -> None:
    if not value >= least:
        raise DistortionGraphError(f"training: {name} must be at least {least}, got {value}")
