"""A baseline: what was measured of each pair when it was recorded, and how noisy that is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from distortion_graph.base.errors import PolicyError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.base.validation import validation_line
from distortion_graph.gate.amounts import Amount, worst_key
from distortion_graph.gate.policy import Policy
from distortion_graph.work.journal import first_difference

SCHEMA: Literal["distortion-graph baseline 1"] = "distortion-graph baseline 1"
NOISE_QUANTILE = 0.99
"""This share of all amounts moves by no more than the common noise."""

OWN_NOISE = 2.0
"""A pair may move by so many times its own largest move."""

Values = Mapping[str, float]


class Recorded(BaseModel):
    """Of a pair: its amounts by key, and by rule the largest move of one under noise."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    values: Values
    noise: Values


class Baseline(BaseModel):
    """What was recorded.

    `measured` says how, `model` by which model; another one is refused. `noise` is by rule how far
    amounts of all pairs move when the target is re-encoded (`NOISE_QUANTILE`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    schema_: Annotated[Literal["distortion-graph baseline 1"], Field(alias="schema")] = SCHEMA
    version: str
    model: str
    measured: Mapping[str, Any]
    noise: Values
    pairs: Mapping[str, Recorded]

    def tolerance(self, pair_id: str, fixed: float | None) -> Values:
        """By rule, how much more than what was recorded of a pair is allowed."""
        if fixed is not None:
            return dict.fromkeys(self.noise, fixed)
        own = self.pairs[pair_id].noise if pair_id in self.pairs else {}
        return {
            rule: max(noise, OWN_NOISE * own.get(rule, 0.0)) for rule, noise in self.noise.items()
        }


def values_of(amounts: Iterable[Amount], ids_stay: bool) -> dict[str, float]:
    """Amounts as they are recorded: by region where regions keep their ids, else the largest."""
    values: dict[str, float] = {}
    for amount in amounts:
        key = amount.key if ids_stay else worst_key(amount)
        values[key] = max(values.get(key, -1.0), round(amount.value, 6))
    return values


def moves(before: Values, after: Values) -> list[tuple[str, float]]:
    """How far each amount moved, by the first word of its key; one that is not there is 0."""
    keys = dict.fromkeys((*before, *after))
    return [
        (key.partition(" ")[0], abs(after.get(key, 0.0) - before.get(key, 0.0))) for key in keys
    ]


def noise_of(moved: Sequence[tuple[str, float]], quantile: float) -> dict[str, float]:
    """By rule, the quantile of how far amounts moved."""
    rules = {"loss": "loss", "worse": "comparison", "differs": "differs"}
    found: dict[str, list[float]] = {name: [0.0] for name in (*rules.values(), "distortions")}
    for word, move in moved:
        found[rules.get(word, "distortions")].append(move)
    return {name: round(float(np.quantile(m, quantile)), 6) for name, m in found.items()}


def save_baseline(
    path: Path, policy: Policy, model: str, pairs: Mapping[str, Recorded], noise: Values
) -> Baseline:
    """Write a baseline; raises OutputError where that is impossible."""
    made = Baseline(
        version=version("distortion-graph"),
        model=model,
        measured=policy.measured(),
        noise=noise,
        pairs=dict(sorted(pairs.items())),
    )
    text = json.dumps(made.model_dump(mode="json", by_alias=True), indent=1, ensure_ascii=False)
    atomic_write_text(path, text + "\n")
    return made


def load_baseline(path: Path, policy: Policy, model: str) -> Baseline:
    """The baseline of a policy and a model.

    Raises PolicyError, one line, where there is none, and for one of another policy or model.
    """
    again = "record it with `distortion-graph check --record`"
    try:
        tree = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise PolicyError(f"{path}: no such baseline; {again}") from error
    except (OSError, ValueError, RecursionError) as error:
        raise PolicyError(f"{path}: cannot be read as a baseline ({error}); {again}") from error
    try:
        found = Baseline.model_validate(tree)
    except ValidationError as error:
        raise PolicyError(f"{validation_line(error, str(path), Baseline)}; {again}") from error
    now = json.loads(json.dumps(policy.measured() | {"model": model}))
    if difference := first_difference(dict(found.measured) | {"model": found.model}, now):
        raise PolicyError(f"{path}: was recorded with {difference}; {again} again")
    return found
