"""Weights that fit to the last name and shape, or a list of what does not."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from distortion_graph.model.backbones import refuse_differences
from distortion_graph.model.panda.network import PandaNet


def fit_weights(network: PandaNet, weights: Mapping[str, Tensor], where: str) -> None:
    """Copy weights into a network, all but its backbone's.

    Raises ModelError, beginning with `where`, that lists names which are missing, extra or of
    another shape.
    """
    own = network.trainable_state()
    both = sorted(set(own) & set(weights))
    refuse_differences(
        where,
        sorted(set(own) - set(weights)),
        sorted(set(weights) - set(own)),
        [
            f"{name} {tuple(weights[name].shape)} for {tuple(own[name].shape)}"
            for name in both
            if own[name].shape != weights[name].shape
        ],
    )
    network.load_state_dict({k: v.to(own[k].dtype) for k, v in weights.items()}, strict=False)
