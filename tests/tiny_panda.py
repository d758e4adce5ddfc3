"""A tiny DINOv2 and a tiny `panda`, also as a checkpoint of the published code has them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

WIDTH, GRID, PATCH = 128, 4, 14
SIDE = GRID * PATCH

# As transformers saves a Dinov2 → the names of DINOv2's hub code; written out, not taken from src.
_HUB = [
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection", "patch_embed.proj"),
    (r"^embeddings\.", ""),
    (r"^layernorm", "norm"),
    (r"^encoder\.layer\.", "blocks."),
    (r"attention\.output\.dense", "attn.proj"),
    (r"layer_scale(\d)\.lambda1", r"ls\1.gamma"),
]


def tiny_dinov2(grid: int = GRID, **settings: Any) -> Any:
    """Two layers of DINOv2 with random weights everywhere, biases and scales too."""
    import torch
    from transformers import Dinov2Config, Dinov2Model

    torch.manual_seed(3)
    given = {"hidden_size": WIDTH, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = Dinov2Config(
        image_size=grid * PATCH, patch_size=PATCH, mlp_ratio=2, **(given | settings)
    )
    network = Dinov2Model(config).eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return network


def hub_state(network: Any, folder: Path) -> dict[str, Any]:
    """The weights of a Dinov2 under the names of its hub code."""
    import torch
    from safetensors.torch import load_file

    network.save_pretrained(folder)
    saved = load_file(folder / "model.safetensors")
    state: dict[str, Any] = {}
    for name, value in saved.items():
        if ".attention.attention." in name:
            continue
        for pattern, replacement in _HUB:
            name = re.sub(pattern, replacement, name)
        state[name] = value
    for layer in range(network.config.num_hidden_layers):
        for kind in ("weight", "bias"):
            start = f"encoder.layer.{layer}.attention.attention."
            parts = [saved[f"{start}{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"blocks.{layer}.attn.qkv.{kind}"] = torch.cat(parts)
    return state


def published_checkpoint(network: Any, hub: dict[str, Any]) -> dict[str, Any]:
    """What the published code would have saved of a `PandaNet` with the default vocabulary."""
    import torch

    state = dict(network.trainable_state())
    # Published ids of the comparisons: same, slightly and significantly worse, the same better.
    order = [2, 1, 0, 3, 4]
    for kind in ("weight", "bias"):
        name = f"region_prediction.output.{kind}"
        state[name] = state[name][order]
    for name, value in state.items():
        if "x_region_pe" in name:  # (1, K, 1, D) → (1, K, D, 1, 1)
            state[name] = value[:, :, 0, :, None, None]
        elif "spatial_pe" in name:  # (…, N, D) → (…, D, h, w)
            grid = network.config.grid
            state[name] = value.transpose(-1, -2).unflatten(-1, (grid, grid))
    state |= {f"backbone.{name}": value for name, value in hub.items()}
    optimizer = {"state": {0: {"step": torch.tensor(1.0)}}, "param_groups": [{"lr": 1e-4}]}
    return {
        "epoch": 29,
        "model_state_dict": state,
        "optimizer_state_dict": optimizer,
        "loss": 0.5,
    }


def tiny_panda(backbone: Any, **settings: Any) -> Any:
    """A `PandaNet` with random weights on a backbone, in evaluation mode."""
    import torch

    from distortion_graph.model.panda import PandaConfig, PandaNet

    torch.manual_seed(4)
    sizes = {"width": backbone.width, "patch_px": backbone.stride_px, "pool": 5, "blocks": 2}
    sizes |= {"side_px": 4 * backbone.stride_px, "backbone": backbone.source}
    config = PandaConfig(**(sizes | settings))
    network = PandaNet(config, backbone)
    # Fresh heads say nearly the same of everything; large weights make tests bite.
    with torch.no_grad():
        for parameter in network.trainable_parameters():
            if parameter.ndim == 2:
                parameter.mul_(3)
    return network.eval()
