"""Where a run computes: one CPU or GPU, or one of several processes that share the work."""

from __future__ import annotations

from datetime import timedelta

import torch
from accelerate import Accelerator
from accelerate.utils import InitProcessGroupKwargs

from distortion_graph.base.errors import DistortionGraphError

# The others wait while the first process measures the network on the held-out pictures.
_LONGEST_WAIT = timedelta(hours=6)


def has_bf16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 matrices faster than those of 32 bits."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    # A CPU without AMX converts back and forth: measured, a step takes 1.4 times as long.
    return device.type == "cpu" and torch.cpu._is_amx_tile_supported()


def accelerator_for(device: str, *, accumulation: int = 1) -> Accelerator:
    """The accelerator of this process: `device` is auto, cpu or cuda.

    Started by `torchrun` or `accelerate launch` it is one of several. Raises DistortionGraphError
    for a GPU that is not there.
    """
    if device == "cuda" and not torch.cuda.is_available():
        kind = "sees no GPU" if torch.version.cuda else "is a build for CPUs"
        raise DistortionGraphError(
            f"training: device is cuda, but torch {torch.__version__} {kind}; give device cpu or "
            "auto, or install a torch for this GPU"
        )
    return Accelerator(
        cpu=device == "cpu" or not torch.cuda.is_available(),
        # Precision is the loop's: the network chooses what is computed in bfloat16.
        mixed_precision="no",
        gradient_accumulation_steps=accumulation,
        kwargs_handlers=[InitProcessGroupKwargs(timeout=_LONGEST_WAIT)],
    )
