"""Checkpoints: safetensors and JSON, written atomically, loaded strictly, never pickled."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from distortion_graph.errors import ModelError
from distortion_graph.files import atomic_write_all
from distortion_graph.model.config import NetworkConfig
from distortion_graph.model.network import DistortionGraphNet

CONFIG_FILE = "network.json"
WEIGHTS_FILE = "network.safetensors"
STATE_FILE = "training.safetensors"
PROGRESS_FILE = "training.json"


def save_network(folder: Path, network: DistortionGraphNet, weights: Mapping[str, Tensor]) -> None:
    """Write configuration and weights (16-bit floats) of a network.

    Raises ModelError for a weight that is not finite or too large for 16 bits.
    """
    config = {
        f.name: getattr(network.config, f.name)
        for f in dataclasses.fields(network.config)
        if f.name != "vocabulary"
    }
    config["vocabulary"] = network.config.vocabulary.model_dump(mode="json")
    half = {
        name: (value.half() if value.is_floating_point() else value).contiguous()
        for name, value in weights.items()
    }
    broken = [name for name, value in half.items() if not torch.isfinite(value).all()]
    if broken:
        raise ModelError(f"{folder}: weights that no 16-bit float can hold in {broken[:3]}")
    folder.mkdir(parents=True, exist_ok=True)
    atomic_write_all(
        [
            (folder / CONFIG_FILE, json.dumps(config, indent=1).encode()),
            (folder / WEIGHTS_FILE, save(half)),
        ]
    )


def load_network(folder: Path) -> DistortionGraphNet:
    """Build a network from its folder, in evaluation mode; raises ModelError naming differences."""
    try:
        facts = json.loads((folder / CONFIG_FILE).read_text("utf-8"))
        weights = load((folder / WEIGHTS_FILE).read_bytes())
    except (OSError, ValueError, SafetensorError) as problem:
        raise ModelError(f"{folder}: not a readable network folder ({problem})") from problem
    config = _read_config(facts, folder / CONFIG_FILE)
    try:
        network = DistortionGraphNet(config)
    except (ValueError, RuntimeError, ZeroDivisionError) as problem:
        raise ModelError(f"{folder / CONFIG_FILE}: no such network ({problem})") from problem
    load_weights(network, weights, folder / WEIGHTS_FILE)
    return network.eval()


def _read_config(facts: object, path: Path) -> NetworkConfig:
    """Every field and no other, each of its type."""
    if not isinstance(facts, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(facts).__name__}")
    known = {f.name for f in dataclasses.fields(NetworkConfig)}
    if unknown := sorted(set(facts) - known):
        raise ModelError(f"{path}: unknown keys {unknown}, known are {sorted(known)}")
    if missing := sorted(known - set(facts)):
        raise ModelError(f"{path}: keys {missing} missing")
    try:
        return TypeAdapter(NetworkConfig).validate_python(facts)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(f"{path}: {place}: {first['msg']}") from problem


def load_weights(network: torch.nn.Module, weights: Mapping[str, Tensor], source: Path) -> None:
    """Copy weights into a network; every name and shape must fit."""
    own = network.state_dict()
    missing = sorted(set(own) - set(weights))
    extra = sorted(set(weights) - set(own))
    shapes = [
        f"{name} {tuple(weights[name].shape)} for {tuple(own[name].shape)}"
        for name in sorted(set(own) & set(weights))
        if own[name].shape != weights[name].shape
    ]
    if missing or extra or shapes:
        raise ModelError(
            f"{source}: weights do not fit: {len(missing)} missing {missing[:3]}, {len(extra)} "
            f"extra {extra[:3]}, {len(shapes)} of another shape {shapes[:3]}"
        )
    network.load_state_dict({k: v.to(own[k].dtype) for k, v in weights.items()})


def save_state(folder: Path, tensors: Mapping[str, Tensor], progress: Mapping[str, Any]) -> None:
    """Write everything that resuming needs; tensors and JSON always belong together."""
    state = save({k: v.detach().cpu().contiguous() for k, v in tensors.items()})
    facts = json.dumps(progress, indent=1, allow_nan=False).encode()
    atomic_write_all([(folder / STATE_FILE, state), (folder / PROGRESS_FILE, facts)])


def load_state(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """What `save_state` wrote, or None where there is nothing to resume.

    Raises ModelError for a state that is damaged or not whole.
    """
    if not (folder / PROGRESS_FILE).is_file():
        return None
    try:
        progress = json.loads((folder / PROGRESS_FILE).read_text("utf-8"))
        if not isinstance(progress, dict):
            raise ValueError(f"{PROGRESS_FILE} is not a JSON object")
        return load((folder / STATE_FILE).read_bytes()), progress
    except (OSError, ValueError, SafetensorError) as problem:
        raise ModelError(
            f"{folder}: the run in it cannot be resumed ({problem}); choose another folder, or "
            f"delete {PROGRESS_FILE} to begin anew"
        ) from problem


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
