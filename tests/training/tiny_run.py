"""Two pictures, a small network and small batches: a run of a few seconds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from skimage import data as pictures

from distortion_graph.datasets.pictures import CleanPicture
from distortion_graph.model.config import NetworkConfig
from distortion_graph.training.config import (
    BudgetConfig,
    DataConfig,
    EvaluationConfig,
    IntervalConfig,
    LoggingConfig,
    OptimiserConfig,
    ScheduleConfig,
    TrainingConfig,
)
from distortion_graph.training.samples import SamplingConfig

SMALL = NetworkConfig(width=32, layers=1, heads=2, dropout=0.0)
SAMPLING = SamplingConfig(crops=((64, 2), (48, 3)))
NEVER = IntervalConfig(every_minutes=1e9)


def sources() -> list[CleanPicture]:
    found = []
    for name in ("coffee", "chelsea"):
        rgb = np.ascontiguousarray(getattr(pictures, name)()[:120, :140])
        rows, columns = np.mgrid[:120, :140]
        labels = (rows // 60 * 4 + columns // 70 + 1).astype(np.uint16)
        found.append(CleanPicture(name, rgb, (labels,)))
    return found


def settings(
    steps: int = 2,
    *,
    save: int | None = None,
    measure: int | None = None,
    dropout: float = 0.0,
    accumulation: int = 1,
    **others: Any,
) -> TrainingConfig:
    """A run by steps alone, computed in fp32 on the CPU; it saves at its end unless told."""
    given: dict[str, Any] = {
        "device": "cpu",
        "precision": "fp32",
        "network": replace(SMALL, dropout=dropout),
        "sampling": SAMPLING,
        "data": DataConfig(workers=0),
        "budget": BudgetConfig(steps=steps),
        "schedule": ScheduleConfig(warmup_steps=2),
        "optimiser": OptimiserConfig(accumulation=accumulation),
        "saving": replace(NEVER, every_steps=save),
        "evaluation": EvaluationConfig(every_minutes=1e9, every_steps=measure),
        "logging": LoggingConfig(every_steps=1, tensorboard=False),
    }
    return TrainingConfig(**(given | others))
