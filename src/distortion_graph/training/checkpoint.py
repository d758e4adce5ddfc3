"""A network in a folder: safetensors and JSON, written atomically, loaded strictly, never pickled.

network.json            configuration; of another architecture than ours also "model", its name
network.safetensors     weights
training_config.yaml    the settings of the run it comes from (`training.config_files`)
chain.json              that run and those it began from (`training.chain`)
calibration.json        what its calibration found (`training.calibration`)
opinion.json            its maps from score to opinion (`training.opinion`)
"""

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

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import atomic_write_all
from distortion_graph.model.config import NetworkConfig
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.predict.names import NETWORK_FILE

WEIGHTS_FILE = "network.safetensors"
SETTINGS_FILE = "training_config.yaml"
CALIBRATION_FILE = "calibration.json"
OPINION_FILE = "opinion.json"
BEST_FOLDER = "best"
_MODEL_KEY, _OURS = "model", "lite0"

# Settings that every network.json has. One that came later takes its default where it is missing,
# which therefore has to mean what networks were before.
_FIRST = frozenset({"vocabulary", "width", "layers", "heads", "dropout"})


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
            (folder / NETWORK_FILE, json.dumps(config, indent=1).encode()),
            (folder / WEIGHTS_FILE, save(half)),
        ]
    )


def load_network(folder: Path) -> DistortionGraphNet:
    """Build a network from its folder, in evaluation mode; raises ModelError naming differences."""
    facts = read_facts(folder)
    model = facts.pop(_MODEL_KEY, _OURS)
    if model != _OURS:
        raise ModelError(
            f"{folder / NETWORK_FILE}: a network of the architecture {model!r}, expected {_OURS!r}"
        )
    weights = read_weights(folder)
    config = _read_config(facts, folder / NETWORK_FILE)
    try:
        network = DistortionGraphNet(config)
    except (ValueError, RuntimeError, ZeroDivisionError) as problem:
        raise ModelError(f"{folder / NETWORK_FILE}: no such network ({problem})") from problem
    load_weights(network, weights, folder / WEIGHTS_FILE)
    return network.eval()


def network_folder(place: Path) -> Path:
    """The folder of a network: the one given, or the best network of the run in it."""
    best = place / BEST_FOLDER
    return best if (best / NETWORK_FILE).is_file() else place


def read_facts(folder: Path) -> dict[str, Any]:
    """What network.json of a network's folder says; raises ModelError."""
    try:
        facts = json.loads((folder / NETWORK_FILE).read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as problem:
        raise ModelError(f"{folder}: not a readable network folder ({problem})") from problem
    if not isinstance(facts, dict):
        raise ModelError(
            f"{folder / NETWORK_FILE}: expected a JSON object, found {type(facts).__name__}"
        )
    return facts


def read_weights(folder: Path) -> dict[str, Tensor]:
    """The weights of a network's folder by name; raises ModelError."""
    try:
        return dict(load((folder / WEIGHTS_FILE).read_bytes()))
    except (OSError, SafetensorError) as problem:
        raise ModelError(f"{folder}: not a readable network folder ({problem})") from problem


def _read_config(facts: dict[str, Any], path: Path) -> NetworkConfig:
    """Every field and no other, each of its type."""
    known = {f.name for f in dataclasses.fields(NetworkConfig)}
    if unknown := sorted(set(facts) - known):
        raise ModelError(f"{path}: unknown keys {unknown}, known are {sorted(known)}")
    if missing := sorted((known & _FIRST) - set(facts)):
        raise ModelError(f"{path}: keys {missing} missing")
    try:
        return TypeAdapter(NetworkConfig).validate_python(facts)
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(f"{path}: {place}: {first['msg']}") from problem


def load_weights(
    network: torch.nn.Module,
    weights: Mapping[str, Tensor],
    source: Path,
    own: Mapping[str, Tensor] | None = None,
) -> None:
    """Copy weights into a network; every name and shape must fit.

    `own` is the part of its state that the weights are of; None is all of it. Raises ModelError
    with the list of what differs.
    """
    strict = own is None
    own = network.state_dict() if own is None else own
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
    fitting = {k: v.to(own[k].dtype) for k, v in weights.items()}
    network.load_state_dict(fitting, strict=strict)
