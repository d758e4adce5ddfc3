"""Published checkpoints: read without running code from them, renamed, labels put in our order.

A checkpoint is what `torch.save` wrote of {"epoch", "model_state_dict", "optimizer_state_dict",
"loss"}. The frozen encoder's weights in it have the names of DINOv2's hub code; they are given
those under which `transformers` saves a Dinov2, whatever it calls them in memory.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from distortion_graph.base.errors import ModelError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY, Vocabulary
from distortion_graph.formats.published import (
    PUBLISHED_COMPARISON_IDS,
    PUBLISHED_DISTORTION_IDS,
    PUBLISHED_SEVERITY_IDS,
)
from distortion_graph.model.backbones import (
    FrozenBackbone,
    TransformersBackbone,
    from_transformers,
    load_backbone,
)
from distortion_graph.model.panda.config import PandaConfig
from distortion_graph.model.panda.network import BACKBONE, PandaNet
from distortion_graph.model.panda.weights import fit_weights

_STATE = "model_state_dict"
_WRAPPERS = ("module.", "_orig_mod.")  # of torch's parallel and compiled modules
_HEAD_WIDTH = 64  # of every published DINOv2
_HUB_OFFSET = 0.1  # which the hub's code adds to the grid before it interpolates positions
# Inside a block of the hub's DINOv2 → as transformers saves it.
_BLOCK = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attn.proj": "attention.output.dense",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_OUTER = {
    "cls_token": "embeddings.cls_token",
    "mask_token": "embeddings.mask_token",
    "pos_embed": "embeddings.position_embeddings",
    "patch_embed.proj": "embeddings.patch_embeddings.projection",
    "norm": "layernorm",
}
_IDS: Mapping[str, Mapping[str, int]] = {
    "region_prediction": PUBLISHED_COMPARISON_IDS,
    "a_distortion_prediction": PUBLISHED_DISTORTION_IDS,
    "t_distortion_prediction": PUBLISHED_DISTORTION_IDS,
    "a_severity_prediction": PUBLISHED_SEVERITY_IDS,
    "t_severity_prediction": PUBLISHED_SEVERITY_IDS,
}


def read_published(path: Path) -> dict[str, Tensor]:
    """The state of a published checkpoint, wrappers' prefixes taken off its names.

    Raises ModelError for a file that is missing, damaged, holds more than tensors and plain values
    (only running code from it could load those), or has no `model_state_dict` of tensors.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as problem:
        raise ModelError(f"{path}: cannot be read ({problem.strerror or problem})") from None
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError) as problem:
        raise ModelError(
            f"{path}: refused: damaged, or not only tensors and plain values, which would have to "
            "run code from the file; expected what torch.save wrote of a dictionary with "
            f"{_STATE}"
        ) from problem
    state = loaded.get(_STATE) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        keys = ", ".join(map(str, loaded)) if isinstance(loaded, dict) else type(loaded).__name__
        raise ModelError(
            f"{path}: no {_STATE} of tensors in it, expected a checkpoint of the published Panda; "
            f"found {keys:.200}"
        )
    return {_bare(str(name)): value for name, value in state.items()}


def import_published(
    state: Mapping[str, Tensor],
    *,
    where: str,
    backbone: str | None = None,
    heads: int = PandaConfig.heads,
    vocabulary: Vocabulary = DEFAULT_VOCABULARY,
    fetch: bool = False,
) -> PandaNet:
    """The network of a published state, in evaluation mode, with the published normalisation.

    Sizes are read from the weights; `heads`, the number of attention heads, cannot be.

    Args:
        state: names and values as in `read_published`.
        where: begins error lines.
        backbone: what `load_backbone` takes, for a state without the encoder's weights.
        heads: of the decoders' attention.
        vocabulary: the published labels, in any order.
        fetch: download the named backbone if it is not on disk.

    Raises ModelError with the list of what is missing, extra or of another shape.
    """
    own = {k.removeprefix(BACKBONE): v for k, v in state.items() if k.startswith(BACKBONE)}
    rest = {k: v for k, v in state.items() if not k.startswith(BACKBONE)}
    config = _config(rest, heads, vocabulary, where)
    encoder: FrozenBackbone
    if own:
        encoder = hub_dinov2(own, config.grid, where=where)
    elif backbone is not None:
        encoder = load_backbone(backbone, fetch=fetch)
    else:
        raise ModelError(
            f"{where}: holds no weights of the frozen encoder ({BACKBONE}*); name it with "
            "--backbone, such as facebook/dinov2-small"
        )
    network = PandaNet(replace(config, backbone=encoder.source), encoder)
    fit_weights(network, to_our_form(rest, vocabulary, where=where), where)
    return network.eval()


def to_our_form(
    state: Mapping[str, Tensor], vocabulary: Vocabulary, *, where: str
) -> dict[str, Tensor]:
    """The state with rows of last layers in the vocabulary's order, and positions as tokens.

    Raises ModelError for a vocabulary without the published labels, or with others.
    """
    labels = {
        "region_prediction": vocabulary.comparison_labels,
        "a_distortion_prediction": vocabulary.distortions,
        "a_severity_prediction": vocabulary.severities,
    }
    ours = {name: _as_tokens(name, value) for name, value in state.items()}
    for head, ids in _IDS.items():
        words = labels[head.replace("t_", "a_", 1) if head.startswith("t_") else head]
        if set(words) != set(ids):
            raise ModelError(
                f"{where}: published checkpoints know {', '.join(ids)}, the vocabulary has "
                f"{', '.join(words)}"
            )
        rows = [ids[word] for word in words]
        for name in (f"{head}.output.weight", f"{head}.output.bias"):
            # Of another length, it is for `fit_weights` to refuse.
            if name in state and len(state[name]) == len(rows):
                ours[name] = state[name][rows]
    return ours


def hub_dinov2(state: Mapping[str, Tensor], grid: int, *, where: str) -> TransformersBackbone:
    """DINOv2 from the hub's names; its positions are interpolated to `grid` as the hub does it.

    `transformers` interpolates them without the hub's offset of 0.1, which makes slightly other
    features. Done here once and for this grid, so nothing is left to interpolate.

    Raises ModelError with the list of what differs.
    """
    try:
        width = state["pos_embed"].shape[2]
        settings = _hub_settings(state, grid)
    except (KeyError, IndexError) as problem:
        raise ModelError(
            f"{where}: {BACKBONE}* is no DINOv2 in the names of its hub code ({problem})"
        ) from None
    renamed: dict[str, Tensor] = {}
    for name, value in state.items():
        renamed |= _renamed(name, value, width)
    positions = renamed["embeddings.position_embeddings"]
    renamed["embeddings.position_embeddings"] = hub_positions(positions, grid)
    from transformers import Dinov2Config

    network = from_transformers(
        "Dinov2Model", None, where=where, config=Dinov2Config(**settings), state_dict=renamed
    )
    return TransformersBackbone(network, source="published checkpoint")


def hub_positions(positions: Tensor, grid: int) -> Tensor:
    """(1, 1 + M², D) position embeddings, class first → (1, 1 + grid², D), as DINOv2's hub code.

    Bicubic, with the scale (grid + 0.1) / M.
    """
    side = round((positions.shape[1] - 1) ** 0.5)
    if side == grid:
        return positions
    patches = positions[:, 1:].float().transpose(1, 2).reshape(1, -1, side, side)
    scale = (grid + _HUB_OFFSET) / side
    moved = F.interpolate(patches, scale_factor=(scale, scale), mode="bicubic")
    return torch.cat([positions[:, :1], moved.flatten(2).transpose(1, 2).to(positions)], 1)


def _as_tokens(name: str, value: Tensor) -> Tensor:
    """Positions (…, D, h, w) → (…, h·w, D); anything else, and other ranks, as they are."""
    rank = {"x_region_pe": 5, "x_spatial_pe": 5, "y_spatial_pe": 4}.get(name.rpartition(".")[2])
    return value.flatten(-2).transpose(-1, -2) if rank == value.ndim else value


def _bare(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.split(".", 1)[1]
    return name


def _config(
    state: Mapping[str, Tensor], heads: int, vocabulary: Vocabulary, where: str
) -> PandaConfig:
    """The sizes that the weights' shapes tell, and the published normalisation."""
    try:
        conv, pool = state["mask_projection.conv.weight"], state["a_token_pool"]
        inner = state["anchor_decoder.transformer.0.ffn.project_in.weight"]
        width, _, patch, _ = conv.shape
        entries, side, _ = pool.shape
    except (KeyError, ValueError) as problem:
        raise ModelError(f"{where}: not a checkpoint of the published Panda ({problem})") from None
    return PandaConfig(
        vocabulary=vocabulary,
        width=width,
        side_px=side,
        patch_px=patch,
        pool=entries,
        blocks=_count(state, r"anchor_decoder\.transformer\.(\d+)\."),
        heads=heads,
        expansion=inner.shape[0] // width,
        published_normalisation=True,
    )


def _count(names: Mapping[str, Tensor], pattern: str) -> int:
    """One more than the highest number that the pattern finds in the names."""
    return 1 + max((int(m[1]) for name in names if (m := re.match(pattern, name))), default=-1)


def _hub_settings(state: Mapping[str, Tensor], grid: int) -> dict[str, Any]:
    width, patch = state["pos_embed"].shape[2], state["patch_embed.proj.weight"].shape[2]
    return {
        "hidden_size": width,
        "num_hidden_layers": _count(state, r"blocks\.(\d+)\."),
        "num_attention_heads": max(1, width // _HEAD_WIDTH),
        "mlp_ratio": state["blocks.0.mlp.fc1.weight"].shape[0] // width,
        "patch_size": patch,
        "image_size": grid * patch,
    }


def _renamed(name: str, value: Tensor, width: int) -> dict[str, Tensor]:
    """A hub weight under the names of transformers; one that it does not know keeps its own."""
    block = re.match(r"blocks\.(\d+)\.(.+)", name)
    if block is None:
        for hub, ours in _OUTER.items():
            if name == hub or name.startswith(hub + "."):
                return {ours + name[len(hub) :]: value}
        return {name: value}
    start, inside = f"encoder.layer.{block[1]}.", block[2]
    if inside in ("attn.qkv.weight", "attn.qkv.bias"):
        kind = inside.rpartition(".")[2]
        parts = zip(("query", "key", "value"), torch.split(value, width), strict=False)
        return {f"{start}attention.attention.{part}.{kind}": rows for part, rows in parts}
    for hub, ours in _BLOCK.items():
        if inside == hub or inside.startswith(hub + "."):
            return {start + ours + inside[len(hub) :]: value}
    return {name: value}
