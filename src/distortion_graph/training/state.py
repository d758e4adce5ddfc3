"""What a run saves of itself, so that it goes on exactly where it was after any kind of stop.

training.json               how far the run is and what it is of; names the file of its tensors
training-<step>.safetensors network, averaged network, optimiser, random generators

The tensors are written first, under a name of their own. Replacing the JSON is what makes them
count: a kill at any moment leaves the old pair or the new one.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import torch
from accelerate import Accelerator
from pydantic import ConfigDict, TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import atomic_write_bytes, atomic_write_text
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.training.config import TrainingConfig
from distortion_graph.training.config_files import changed, plain

STATE_FILE = "training.json"
FORMAT = "distortion-graph training 2"

FREE_TO_CHANGE = (
    "budget", "evaluation", "saving", "logging", "data", "device",
)  # fmt: skip
"""Settings that a resumed run may have otherwise; pictures are compared by what is in them."""


@dataclass
class Progress:
    """How far a run is. `evaluated` is the step of the last evaluation."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    step: int = 0
    pairs: int = 0
    seconds: float = 0.0
    waiting_seconds: float = 0.0
    best: float | None = None
    evaluated: int = -1


@dataclass
class RunState:
    """All that is saved: tensors by name, and what the run is of.

    `data` names every picture or file of the data with a hash; `parents` is the chain before.
    """

    tensors: dict[str, Tensor]
    progress: Progress
    config: dict[str, Any]
    data: Mapping[str, Mapping[str, str]]
    processes: int = 1
    parents: list[dict[str, Any]] = field(default_factory=list)


_PROGRESS = TypeAdapter(Progress)


def save_state(folder: Path, state: RunState) -> None:
    """Replace what the folder holds of the run."""
    name = f"training-{state.progress.step:09d}.safetensors"
    tensors = {k: v.detach().cpu().contiguous() for k, v in state.tensors.items()}
    facts: dict[str, Any] = {"format": FORMAT, "tensors": name, "progress": asdict(state.progress)}
    facts |= {"processes": state.processes, "parents": state.parents}
    facts |= {"config": state.config, "data": state.data}
    atomic_write_bytes(folder / name, save(tensors))
    atomic_write_text(folder / STATE_FILE, json.dumps(facts, indent=1, allow_nan=False) + "\n")
    remove_strays(folder, keep=name)


def load_state(folder: Path) -> RunState | None:
    """What `save_state` wrote, or None where there is nothing to resume.

    Raises ModelError for a state that is damaged or not whole.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        return None
    try:
        facts = json.loads(path.read_text("utf-8"))
        if not isinstance(facts, dict) or facts.get("format") != FORMAT:
            raise ValueError(f"{STATE_FILE} is not of the format {FORMAT!r}")
        return RunState(
            tensors=load((folder / facts["tensors"]).read_bytes()),
            progress=_PROGRESS.validate_python(facts["progress"]),
            config=dict(facts["config"]),
            data=dict(facts["data"]),
            processes=int(facts["processes"]),
            parents=list(facts["parents"]),
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError, SafetensorError) as problem:
        reason = _reason(problem)
        raise ModelError(
            f"{folder}: the run in it cannot be resumed ({reason}); choose another folder, or "
            f"delete {STATE_FILE} to begin anew"
        ) from problem


def refuse_another_run(
    state: RunState,
    folder: Path,
    config: TrainingConfig,
    data: Mapping[str, Mapping[str, str]],
    processes: int,
) -> None:
    """Raise ModelError with the list of what differs from the saved run."""
    before, now = _without_words(state.config), _without_words(plain(config))
    differences = changed(before, now, may=FREE_TO_CHANGE)
    for name in dict.fromkeys([*state.data, *data]):
        differences += _other_data(name, state.data.get(name, {}), data.get(name, {}))
    if processes != state.processes:
        differences.append(f"processes are {processes}, were {state.processes}")
    if differences:
        shown = "; ".join(differences[:6]) + (
            f"; and {len(differences) - 6} more" if len(differences) > 6 else ""
        )
        raise ModelError(
            f"{folder}: holds another run, which cannot go on with this one's settings: {shown}; "
            "give the options it started with, or another folder"
        )


def _without_words(config: dict[str, Any]) -> dict[str, Any]:
    """Settings without how people read the vocabulary's labels, which decides nothing."""
    recipe = config.get("recipe") or {}
    bare = {k: v for k, v in (recipe.get("vocabulary") or {}).items() if k != "words"}
    published = DEFAULT_VOCABULARY.model_dump(mode="json")
    return config | {"recipe": recipe | {"vocabulary": None if bare == published else bare or None}}


def _other_data(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    kinds = {
        "new": [k for k in now if k not in before],
        "gone": [k for k in before if k not in now],
        "changed": [k for k in now if k in before and before[k] != now[k]],
    }
    parts = [
        f"{len(names)} {kind} ({', '.join(sorted(names)[:3])}{', …' if len(names) > 3 else ''})"
        for kind, names in kinds.items()
        if names
    ]
    return [f"{name}: {', '.join(parts)}"] if parts else []


def remove_strays(folder: Path, keep: str | None = None) -> None:
    """Remove what a kill left behind: half-written files, and tensors that no JSON names."""
    for path in folder.glob("*.*"):
        old = re.fullmatch(r"training-\d+\.safetensors", path.name) and path.name != keep
        if old or re.fullmatch(r"\.[0-9a-f]{16}\.tmp", path.name):
            with contextlib.suppress(OSError):
                path.unlink()


def flatten_optimizer(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """AdamW's moments and step counts as named tensors."""
    return {
        f"optimizer.{index}.{name}": torch.as_tensor(value)
        for index, slots in optimizer.state_dict()["state"].items()
        for name, value in slots.items()
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Put the tensors of `flatten_optimizer` back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        if key.startswith("optimizer."):
            _, index, name = key.split(".", 2)
            state.setdefault(int(index), {})[name] = value
    whole = optimizer.state_dict()
    optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})


def generator_states(accelerator: Accelerator) -> dict[str, Tensor]:
    """The states of torch's generators on every process, a row each; all processes call it."""
    device = accelerator.device
    states = {"rng.cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["rng.cuda"] = torch.cuda.get_rng_state(device)
    return {
        name: accelerator.gather(state.to(device)[None].contiguous()).cpu()
        for name, state in states.items()
    }


def restore_generators(accelerator: Accelerator, tensors: Mapping[str, Tensor]) -> None:
    """Put this process's states back; a GPU's only where the run was on one."""
    row = accelerator.process_index
    torch.set_rng_state(tensors["rng.cpu"][row])
    if accelerator.device.type == "cuda" and "rng.cuda" in tensors:
        torch.cuda.set_rng_state(tensors["rng.cuda"][row], accelerator.device)


def part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with a prefix, without it."""
    return {k[len(prefix) :]: v for k, v in tensors.items() if k.startswith(prefix)}


def _reason(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        first = problem.errors(include_url=False)[0]
        return f"{STATE_FILE}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
    if isinstance(problem, KeyError):
        return f"{STATE_FILE} has no {problem}"
    return str(problem)
