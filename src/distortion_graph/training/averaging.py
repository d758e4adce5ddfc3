"""The average of a network's weights over the last steps, which is what is evaluated and kept."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class AveragedWeights:
    """Exponential moving average of a network's state; counters are copied.

    The tensors of `live` must stay the network's own, changed in place.
    """

    def __init__(self, live: Mapping[str, Tensor], decay: float) -> None:
        self.decay = decay
        self.live = {name: value.detach() for name, value in live.items()}
        self.tensors = {name: value.clone() for name, value in self.live.items()}
        floats = [name for name, value in self.live.items() if value.is_floating_point()]
        self._averaged = [self.tensors[name] for name in floats]
        self._sources = [self.live[name] for name in floats]
        self._copied = [name for name in self.live if name not in set(floats)]

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Take in the weights after `step` steps; early ones are forgotten sooner."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._averaged, self._sources, 1 - decay)
        for name in self._copied:
            self.tensors[name].copy_(self.live[name])

    @torch.no_grad()
    def take(self) -> None:
        """Begin anew with the network's weights as they are."""
        for name, value in self.live.items():
            self.tensors[name].copy_(value)
