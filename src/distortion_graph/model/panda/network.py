"""The published network: two pictures and masks in, what its seven heads say out.

*Panoptic Pairwise Distortion Graph*, ICLR 2026, arXiv 2604.11004. Modules and parameters have the
names of the published checkpoints; labels are in the vocabulary's order (`published.py` brings a
checkpoint into this form).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.base.errors import ModelError
from distortion_graph.model.backbones import FrozenBackbone, load_backbone
from distortion_graph.model.panda.config import PandaConfig
from distortion_graph.model.panda.decoder import Decoder, pointwise

BACKBONE = "backbone."
"""What the names of the frozen weights begin with."""


class PandaInputs(NamedTuple):
    """Arguments of `PandaNet.forward`; `inputs.prepare_pair` makes them from pictures.

    `images` (B, 2, S, S, 3) uint8, anchor first, S = `PandaConfig.side_px`; `masks` (B, R, S, S)
    bool; `valid` (B, R) bool, False for padding.
    """

    images: Tensor
    masks: Tensor
    valid: Tensor


class PandaOutput(NamedTuple):
    """What the heads say of B pairs of R regions; padded regions hold arbitrary finite numbers.

    `distortion` (B, 2, R, D) and `severity` (B, 2, R, S) logits, independent of each other;
    `score` (B, 2, R), not bounded; `comparison` (B, R, C) logits in rank order.
    """

    distortion: Tensor
    severity: Tensor
    score: Tensor
    comparison: Tensor


class MaskProjection(nn.Module):
    """A region's masked pool map → its features, one convolution the size of a patch."""

    def __init__(self, config: PandaConfig) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, config.width, config.patch_px, config.patch_px)

    def forward(self, maps: Tensor) -> Tensor:
        """(B, R, S, S) → (B, R, N, D) tokens."""
        found: Tensor = self.conv(maps.reshape(-1, 1, *maps.shape[2:])).flatten(2)
        return found.transpose(1, 2).reshape(*maps.shape[:2], found.shape[2], found.shape[1])


class VisionProjection(nn.Module):
    """Two 1×1 convolutions per side, for the picture as it is looked at from the other side."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.imgA_conv = nn.Conv2d(width, 2 * width, 1)
        self.imgA_proj = nn.Conv2d(2 * width, width, 1)
        self.imgB_conv = nn.Conv2d(width, 2 * width, 1)
        self.imgB_proj = nn.Conv2d(2 * width, width, 1)

    def forward(self, anchor: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (B, N, D) of both pictures → the same shapes."""
        return (
            pointwise(self.imgA_proj, F.gelu(pointwise(self.imgA_conv, anchor))),
            pointwise(self.imgB_proj, F.gelu(pointwise(self.imgB_conv, target))),
        )


class Head(nn.Module):
    """Three linear layers, halving the width twice."""

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.projection = nn.Linear(width, width // 2)
        self.ln1 = nn.LayerNorm(width // 2)
        self.projection_02 = nn.Linear(width // 2, width // 4)
        self.ln2 = nn.LayerNorm(width // 4)
        self.output = nn.Linear(width // 4, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, R, D) → (B, R, outputs)."""
        x = F.gelu(self.ln1(self.projection(x)))
        found: Tensor = self.output(F.gelu(self.ln2(self.projection_02(x))))
        return found


class PandaNet(nn.Module):
    """The published architecture on any frozen backbone.

    Raises ModelError where the configuration is not the backbone's, or its sizes do not fit each
    other.
    """

    def __init__(self, config: PandaConfig, backbone: FrozenBackbone) -> None:
        super().__init__()
        _check(config, backbone)
        self.config = config
        self.backbone = backbone.frozen()
        words, width = config.vocabulary, config.width
        shape = (config.pool, config.side_px, config.side_px)
        self.a_token_pool = nn.Parameter(torch.randn(shape))
        self.t_token_pool = nn.Parameter(torch.randn(shape))
        self.mask_projection = MaskProjection(config)
        self.vision_projection = VisionProjection(width)
        self.anchor_decoder = Decoder(config)
        self.target_decoder = Decoder(config)
        self.region_prediction = Head(width, len(words.comparisons))
        self.a_distortion_prediction = Head(width, len(words.distortions))
        self.t_distortion_prediction = Head(width, len(words.distortions))
        self.a_severity_prediction = Head(width, len(words.severities))
        self.t_severity_prediction = Head(width, len(words.severities))
        self.a_score_regressor = Head(width, 1)
        self.t_score_regressor = Head(width, 1)

    def forward(
        self,
        images: Tensor,
        masks: Tensor,
        valid: Tensor,
        generator: torch.Generator | None = None,
    ) -> PandaOutput:
        """What the heads say of a batch; see `PandaInputs` for the arguments.

        `generator` draws the pool's order where that is random; None is torch's own, as for
        dropout. Regions beyond the pool begin at its first entry again, with its first position.
        """
        batch = len(images)
        rgb = images.flatten(0, 1).permute(0, 3, 1, 2).float()
        if not self.config.published_normalisation:
            rgb = rgb / 255
        tokens = self.backbone(rgb).flatten(2).transpose(1, 2)
        anchor, target = tokens[0::2], tokens[1::2]
        seen_anchor, seen_target = self.vision_projection(anchor, target)
        shown = (masks & valid[..., None, None]).to(tokens.dtype)
        # A first part without regions, so that a batch without any is no special case.
        none = tokens.new_zeros(batch, 0, self.config.width)
        anchors, targets = [none], [none]
        for start in range(0, shown.shape[1], self.config.pool):
            part = shown[:, start : start + self.config.pool]
            order = self._pool_order(part.shape[1], generator)
            a_maps = self.mask_projection(self.a_token_pool[order] * part)
            t_maps = self.mask_projection(self.t_token_pool[order] * part)
            anchors.append(self.anchor_decoder(anchor[:, None] * a_maps, seen_target))
            targets.append(self.target_decoder(target[:, None] * t_maps, seen_anchor))
        return self._answer(torch.cat(anchors, 1), torch.cat(targets, 1))

    def _pool_order(self, regions: int, generator: torch.Generator | None) -> Tensor:
        """(R,) the pool entry of each region, the same on both sides."""
        device = self.a_token_pool.device
        if not (self.training or self.config.random_pool_order):
            return torch.arange(regions, device=device)
        where = "cpu" if generator is None else generator.device
        order = torch.randperm(self.config.pool, generator=generator, device=where)
        return order[:regions].to(device)

    def _answer(self, anchor: Tensor, target: Tensor) -> PandaOutput:
        """Region vectors (B, R, D) of both sides → the heads' answers."""
        return PandaOutput(
            torch.stack(
                [self.a_distortion_prediction(anchor), self.t_distortion_prediction(target)], 1
            ),
            torch.stack(
                [self.a_severity_prediction(anchor), self.t_severity_prediction(target)], 1
            ),
            torch.stack([self.a_score_regressor(anchor), self.t_score_regressor(target)], 1)[
                ..., 0
            ],
            self.region_prediction(anchor),
        )

    def trainable_parameters(self) -> Iterator[nn.Parameter]:
        """All parameters but the backbone's."""
        return (p for p in self.parameters() if p.requires_grad)

    def trainable_state(self) -> dict[str, Tensor]:
        """The state without the backbone's."""
        state = self.state_dict()
        return {name: value for name, value in state.items() if not name.startswith(BACKBONE)}


def _check(config: PandaConfig, backbone: FrozenBackbone) -> None:
    width, patch = config.width, config.patch_px
    if (backbone.width, backbone.stride_px) != (width, patch):
        raise ModelError(
            f"panda: the backbone {backbone.source!r} is {backbone.width} wide with patches of "
            f"{backbone.stride_px} px, the configuration says {width} and {patch} px"
        )
    if width % config.heads or width % 4:
        raise ModelError(
            f"panda: width is {width}, expected a multiple of 4 and of heads, {config.heads}"
        )
    if config.side_px % patch:
        raise ModelError(
            f"panda: side_px is {config.side_px}, expected a multiple of the backbone's {patch}"
        )


def build(config: PandaConfig, *, fetch: bool = False) -> PandaNet:
    """A fresh network on the backbone that the configuration names.

    Width and patch are taken from the backbone. Raises ModelError as `load_backbone` does, and
    where the backbone does not fit the other sizes.
    """
    backbone = load_backbone(config.backbone, fetch=fetch)
    fitting = replace(config, width=backbone.width, patch_px=backbone.stride_px)
    return PandaNet(fitting, backbone)
