"""A `panda` network in a folder: JSON, safetensors, and its frozen backbone beside them.

network.json            configuration, and the SHA-256 of the backbone's weights
network.safetensors     everything that was trained, at full precision
backbone/               the encoder, as `backbones.FrozenBackbone.save` writes it
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import atomic_write_all
from distortion_graph.model.backbones import WEIGHTS_FILE as BACKBONE_WEIGHTS
from distortion_graph.model.backbones import load_backbone
from distortion_graph.model.panda.config import PandaConfig
from distortion_graph.model.panda.network import PandaNet
from distortion_graph.model.panda.weights import fit_weights
from distortion_graph.predict.names import NETWORK_FILE

WEIGHTS_FILE = "network.safetensors"
BACKBONE_FOLDER = "backbone"
MODEL = "panda"
"""What `network.json` says under "model"."""

_MODEL_KEY, _HASH_KEY = "model", "backbone_sha256"


def save_panda(folder: Path, network: PandaNet) -> None:
    """Write a network's folder; what was there of another one is replaced.

    A backbone that is there already is not written again, so that a run which saves many times
    and is killed in the midst of it leaves the last network whole.
    """
    facts: dict[str, Any] = {_MODEL_KEY: MODEL, _HASH_KEY: _save_backbone(folder, network)}
    for field in dataclasses.fields(network.config):
        facts[field.name] = getattr(network.config, field.name)
    facts["vocabulary"] = network.config.vocabulary.model_dump(mode="json")
    weights = {k: v.detach().cpu().contiguous() for k, v in network.trainable_state().items()}
    atomic_write_all(
        [
            (folder / NETWORK_FILE, json.dumps(facts, indent=1).encode()),
            (folder / WEIGHTS_FILE, save(weights)),
        ]
    )


def load_panda(folder: Path) -> PandaNet:
    """The network of a folder, in evaluation mode; raises ModelError naming what differs."""
    path = folder / NETWORK_FILE
    try:
        facts = json.loads(path.read_text("utf-8"))
        weights = load((folder / WEIGHTS_FILE).read_bytes())
        found = _sha256(folder / BACKBONE_FOLDER)
    except (OSError, ValueError, RecursionError, SafetensorError) as problem:
        raise ModelError(f"{folder}: not a readable panda folder ({problem})") from problem
    config, expected = _read_config(facts, path)
    if found != expected:
        raise ModelError(
            f"{folder / BACKBONE_FOLDER}: weights have SHA-256 {found[:12]}…, {NETWORK_FILE} "
            f"expects {expected[:12]}…; the network was trained on another backbone"
        )
    backbone = load_backbone(str(folder / BACKBONE_FOLDER))
    backbone.source = config.backbone
    network = PandaNet(config, backbone)
    fit_weights(network, weights, str(folder / WEIGHTS_FILE))
    return network.eval()


def _save_backbone(folder: Path, network: PandaNet) -> str:
    """Write the frozen encoder, unless the same one is there; the SHA-256 of its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / BACKBONE_FOLDER
    with tempfile.TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder) as name:
        made = Path(name) / BACKBONE_FOLDER
        made.mkdir()
        network.backbone.save(made)
        sha256 = _sha256(made)
        there = (place / BACKBONE_WEIGHTS).is_file() and _sha256(place) == sha256
        if not there:
            shutil.rmtree(place, ignore_errors=True)
            made.rename(place)
    return sha256


def _sha256(folder: Path) -> str:
    with (folder / BACKBONE_WEIGHTS).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read_config(facts: object, path: Path) -> tuple[PandaConfig, str]:
    """Every key and no other, each of its type."""
    if not isinstance(facts, dict) or facts.get(_MODEL_KEY) != MODEL:
        raise ModelError(f'{path}: expected a JSON object with "{_MODEL_KEY}": "{MODEL}"')
    known = {f.name for f in dataclasses.fields(PandaConfig)} | {_MODEL_KEY, _HASH_KEY}
    if unknown := sorted(set(facts) - known):
        raise ModelError(f"{path}: unknown keys {unknown}, known are {sorted(known)}")
    if missing := sorted(known - set(facts)):
        raise ModelError(f"{path}: keys {missing} missing")
    settings = {k: v for k, v in facts.items() if k not in (_MODEL_KEY, _HASH_KEY)}
    try:
        return TypeAdapter(PandaConfig).validate_python(settings), str(facts[_HASH_KEY])
    except ValidationError as problem:
        first = problem.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelError(f"{path}: {place}: {first['msg']}") from problem
