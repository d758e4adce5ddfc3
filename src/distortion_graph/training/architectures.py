"""The networks that can be trained, each behind the same few functions.

Another one is one more entry of `ARCHITECTURES`: nothing else of the trainer knows their names.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.bench.evaluate import Predictor
from distortion_graph.model.config import NetworkConfig
from distortion_graph.model.encoder import imagenet_state
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.model.predict import TorchPredictor
from distortion_graph.training.batch import Collate
from distortion_graph.training.checkpoint import load_network, read_facts, save_network
from distortion_graph.training.criterion import LossWeights, criterion


@dataclass(frozen=True)
class Architecture:
    """What the trainer asks of a kind of network.

    - `config` and `losses`: frozen dataclasses with a default for every field; `config` has a
      `vocabulary`, and the network keeps its own as `network.config`.
    - `build(config)`: a network as training begins with it.
    - `criterion(output, targets, valid, losses)`: a named tuple of losses, `total` first.
    - `predictor(network)`: answers for pictures, for evaluation.
    - `save(folder, network)`, `load(folder)`: network.json and network.safetensors, strictly.
    - `collate(config)`: how samples become a batch; None is `training.batch.collate`.
    - `freeze(network, blocks)`: leave the encoder's first blocks as they are; None where all of it
      stays as it is.
    - `state(network)`: what training changes. `derived` are settings that the network finds out
      by itself, so that they may differ from those asked for.
    """

    name: str
    config: type[Any]
    losses: type[Any]
    build: Callable[[Any], nn.Module]
    criterion: Callable[..., Any]
    predictor: Callable[[Any], Predictor]
    save: Callable[[Path, Any], None]
    load: Callable[[Path], nn.Module]
    collate: Callable[[Any], Collate] | None = None
    state: Callable[[Any], dict[str, Tensor]] = lambda network: network.state_dict()
    derived: tuple[str, ...] = ()
    freeze: Callable[[Any, int], None] | None = None


def architecture(name: str) -> Architecture:
    """The architecture of a name; raises DistortionGraphError with the nearest one."""
    if name in ARCHITECTURES:
        return ARCHITECTURES[name]()
    near = get_close_matches(name, ARCHITECTURES, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise DistortionGraphError(
        f"training: unknown model {name!r}, expected one of {', '.join(ARCHITECTURES)}{hint}"
    )


def architecture_in(folder: Path) -> Architecture:
    """The architecture of a network's folder: "model" of network.json, ours where it says none.

    Raises ModelError for a folder without one, DistortionGraphError for an unknown one.
    """
    return architecture(str(read_facts(folder).get("model", "lite0")))


def _lite0() -> Architecture:
    def build(config: NetworkConfig) -> DistortionGraphNet:
        network = DistortionGraphNet(config)
        network.encoder.encoder.load_imagenet(imagenet_state())
        return network

    return Architecture(
        name="lite0",
        config=NetworkConfig,
        losses=LossWeights,
        build=build,
        criterion=criterion,
        predictor=TorchPredictor,
        save=lambda folder, network: save_network(folder, network, network.state_dict()),
        load=load_network,
        freeze=lambda network, blocks: network.encoder.encoder.freeze(blocks),
    )


def _panda() -> Architecture:
    from distortion_graph.model import panda
    from distortion_graph.training.panda_batch import PandaCollate

    return Architecture(
        name="panda",
        config=panda.PandaConfig,
        losses=panda.PandaLossConfig,
        build=panda.build,
        criterion=panda.criterion,
        predictor=panda.PandaPredictor,
        save=panda.save_panda,
        load=panda.load_panda,
        collate=PandaCollate,
        state=panda.PandaNet.trainable_state,
        derived=("width", "patch_px"),
    )


# Functions, so that a model is imported when it is asked for.
ARCHITECTURES: dict[str, Callable[[], Architecture]] = {"lite0": _lite0, "panda": _panda}
