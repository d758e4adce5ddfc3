"""What a run begins with: a network, its chain, and groups of parameters; and what it refuses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from distortion_graph.base.errors import ModelError, RecipeError
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.predict.names import NETWORK_FILE
from distortion_graph.training.architectures import Architecture, architecture_in
from distortion_graph.training.chain import Link, read_chain
from distortion_graph.training.checkpoint import network_folder, read_weights
from distortion_graph.training.config import TrainingConfig
from distortion_graph.training.config_files import changed
from distortion_graph.training.material import Source, check_source


def check_run(source: Source, config: TrainingConfig) -> None:
    """Raise RecipeError for different vocabularies, and as `material.check_source` does."""
    is_root = isinstance(source, PandaSet)
    vocabulary = source.vocabulary if isinstance(source, PandaSet) else config.recipe.vocabulary
    if vocabulary != config.network.vocabulary:
        made_of = "data set" if is_root else "recipe"
        raise RecipeError(f"training: the {made_of} and the network have different vocabularies")
    check_source(source, config.sampling)


def first_network(
    config: TrainingConfig, chosen: Architecture, report: Callable[[str], None]
) -> tuple[nn.Module, tuple[Link, ...]]:
    """The network that a new run begins with, and the chain of runs that it comes from.

    Raises ModelError where the network to start from is of another kind, size or vocabulary, or,
    where only a part of it is wanted, has nothing that fits.
    """
    if config.start_from is None:
        return chosen.build(config.network), ()
    folder = network_folder(config.start_from)
    kind = architecture_in(folder).name
    if kind != chosen.name:
        raise ModelError(f"{folder / NETWORK_FILE}: a network {kind}, this run's is {chosen.name}")
    if config.start_partly:
        return _partly(config, chosen, folder, report), read_chain(folder)
    network: Any = chosen.load(folder)
    _forget_calibration(network)
    names = [name for name in vars(config.network) if name not in chosen.derived]
    before, now = (
        {name: getattr(settings, name) for name in names}
        for settings in (network.config, config.network)
    )
    if differs := changed(now, before):
        words = "; ".join(differs).replace(", was ", ", this run's ")
        raise ModelError(f"{folder}: made for another size or vocabulary than this run's: {words}")
    return network, read_chain(folder)


def _partly(
    config: TrainingConfig, chosen: Architecture, folder: Path, report: Callable[[str], None]
) -> nn.Module:
    """A new network with the weights of another one where names and shapes are the same."""
    network = chosen.build(config.network)
    own, weights = chosen.state(network), read_weights(folder)
    fitting = {k: v for k, v in weights.items() if k in own and own[k].shape == v.shape}
    if not fitting:
        raise ModelError(f"{folder}: none of its {len(weights)} weights fits this run's network")
    network.load_state_dict({k: v.to(own[k].dtype) for k, v in fitting.items()}, strict=False)
    _forget_calibration(network)
    new = sorted(set(own) - set(fitting))
    shown = f": {', '.join(new[:3])}{', …' if len(new) > 3 else ''}" if new else ""
    report(f"{len(fitting)} weights from {folder}, {len(new)} begin anew{shown}")
    return network


def _forget_calibration(network: nn.Module) -> None:
    """What was found for the finished weights would stand between the loss and the new ones."""
    if isinstance(network, DistortionGraphNet):
        network.head.reset_calibration()


def parameter_groups(network: nn.Module, decay: float) -> list[dict[str, Any]]:
    """Weight decay for matrices and filters, none for biases, norms and scalars."""
    trained = [p for p in network.parameters() if p.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim >= 2], "weight_decay": decay},
        {"params": [p for p in trained if p.ndim < 2], "weight_decay": 0.0},
    ]
