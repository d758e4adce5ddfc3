"""Frozen encoders behind one interface: pictures in, a map of tokens out.

    backbone = load_backbone("facebook/dinov2-small")   # or a folder, or "lite0"
    tokens = backbone(rgb)                              # (N, 3, H, W) in [0, 1] → (N, D, h, w)

DINOv2 and SigLIP come through `transformers` (the segment extra), ours is the encoder of
`model.encoder`. Nothing is downloaded unless `fetch` is asked for.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from distortion_graph.base.errors import ModelError
from distortion_graph.model.encoder import Lite0Encoder, imagenet_state
from distortion_graph.segment.checkpoint import first_line, is_hub_name, quietly

LITE0 = "lite0"
"""Name of our own encoder with ImageNet weights."""

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
# Model type in config.json → class of transformers, and the mean and deviation it was trained with.
_FAMILIES = {
    "dinov2": ("Dinov2Model", _IMAGENET),
    "dinov2_with_registers": ("Dinov2WithRegistersModel", _IMAGENET),
    "siglip": ("SiglipVisionModel", _HALF),
    "siglip_vision_model": ("SiglipVisionModel", _HALF),
}
_WANTED = (CONFIG_FILE, "model*.safetensors", "model.safetensors.index.json")


class FrozenBackbone(nn.Module):
    """An encoder that is never trained: no gradients, always in evaluation mode.

    `width` is D, `stride_px` the side of a token in pixels, `source` what it was loaded from.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        width: int,
        stride_px: int,
        source: str,
        normalisation: tuple[tuple[float, ...], tuple[float, ...]] = _IMAGENET,
    ) -> None:
        super().__init__()
        self.width, self.stride_px, self.source = width, stride_px, source
        for name, values in zip(("mean", "std"), normalisation, strict=True):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)

    @abstractmethod
    def tokens(self, normalised: Tensor) -> Tensor:
        """(N, 3, H, W) less the mean, over the deviation → (N, D, h, w)."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write what `load_backbone(folder)` reads into a folder that is there."""

    def forward(self, rgb: Tensor) -> Tensor:
        """Tokens of pictures.

        Args:
            rgb: (N, 3, H, W) float in [0, 1]; H and W multiples of `stride_px`.

        Returns:
            (N, D, H / stride, W / stride), without a gradient.
        """
        with torch.no_grad():
            return self.tokens((rgb - self.mean) / self.std)

    def frozen(self) -> FrozenBackbone:
        """This encoder in evaluation mode, its parameters out of any optimiser's reach."""
        self.requires_grad_(False)
        self.train()
        return self

    def train(self, mode: bool = True) -> FrozenBackbone:
        """Stay in evaluation mode whatever the network around is told."""
        super().train(False)
        return self


class TransformersBackbone(FrozenBackbone):
    """DINOv2 or the vision tower of SigLIP; tokens are those after the final norm."""

    def __init__(self, network: nn.Module, *, source: str) -> None:
        facts: Any = network.config
        super().__init__(
            width=int(facts.hidden_size),
            stride_px=int(facts.patch_size),
            source=source,
            normalisation=_FAMILIES[facts.model_type][1],
        )
        self.network = network
        # DINOv2 interpolates its positions by itself, SigLIP has to be told.
        self.options = {} if "dino" in facts.model_type else {"interpolate_pos_encoding": True}
        self.frozen()

    def tokens(self, normalised: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, D, h, w) without class and register tokens, which come first."""
        height, width = (side // self.stride_px for side in normalised.shape[-2:])
        hidden = self.network(pixel_values=normalised, **self.options).last_hidden_state
        patches: Tensor = hidden[:, hidden.shape[1] - height * width :].transpose(1, 2)
        return patches.reshape(*patches.shape[:2], height, width)

    def save(self, folder: Path) -> None:
        """As transformers saves it."""
        with quietly():
            self.network.save_pretrained(folder)  # type: ignore[operator]


class Lite0Backbone(FrozenBackbone):
    """The last map, at stride 16, of our own encoder (`model.encoder.Lite0Encoder`)."""

    def __init__(self, encoder: Lite0Encoder, *, source: str = LITE0) -> None:
        super().__init__(width=Lite0Encoder.channels[-1], stride_px=16, source=source)
        self.encoder = encoder
        self.frozen()

    def tokens(self, normalised: Tensor) -> Tensor:
        """(N, 3, H, W) → (N, 112, H/16, W/16)."""
        last: Tensor = self.encoder(normalised)[-1]
        return last

    def save(self, folder: Path) -> None:
        """Weights, and a configuration that names the family."""
        save_file(self.encoder.state_dict(), folder / WEIGHTS_FILE)
        (folder / CONFIG_FILE).write_text(json.dumps({"model_type": LITE0}), "utf-8")


def load_backbone(spec: str, *, fetch: bool = False) -> FrozenBackbone:
    """The encoder that a spec names, frozen.

    Args:
        spec: "lite0"; a folder that `save` or transformers wrote; a name on the Hugging Face hub
            (org/name or org/name@revision), which is looked for in the local cache.
        fetch: download from the hub what the cache lacks.

    Raises ModelError for a backbone that cannot be fetched, naming the command that fetches it,
    and for a folder that is none.
    """
    if spec == LITE0:
        encoder = Lite0Encoder()
        encoder.load_imagenet(imagenet_state())
        return Lite0Backbone(encoder)
    folder = Path(spec)
    if not folder.is_dir():
        folder = _from_hub(spec, fetch)
    kind = _model_type(folder)
    if kind == LITE0:
        return _load_lite0(folder, spec)
    if kind not in _FAMILIES:
        raise ModelError(
            f"{folder / CONFIG_FILE}: model_type is {kind!r}, expected one of "
            f"{', '.join([LITE0, *_FAMILIES])}"
        )
    network = from_transformers(_FAMILIES[kind][0], folder, where=str(folder))
    return TransformersBackbone(network, source=spec)


def from_transformers(
    class_name: str, folder: Path | None, *, where: str, **options: Any
) -> nn.Module:
    """A network of transformers by class, from a folder or a given state; every weight must be in.

    `options` go to `from_pretrained`: without a folder, `config` and `state_dict`. Raises
    ModelError, beginning with `where`, with the list of what differs; weights of other towers in a
    folder are left aside.
    """
    need_transformers(where)
    import transformers

    try:
        with quietly():
            network, report = getattr(transformers, class_name).from_pretrained(
                folder, local_files_only=True, use_safetensors=True, output_loading_info=True,
                ignore_mismatched_sizes=True, dtype=torch.float32, **options,
            )  # fmt: skip
    except Exception as problem:  # whatever the libraries make of a damaged folder
        raise ModelError(f"{where}: cannot be loaded ({first_line(problem)})") from problem
    missing = sorted(report["missing_keys"])
    shapes = sorted(k if isinstance(k, str) else k[0] for k in report["mismatched_keys"])
    extra = sorted(report["unexpected_keys"]) if folder is None else []
    refuse_differences(where, missing, extra, shapes)
    return network  # type: ignore[no-any-return]


def refuse_differences(where: str, missing: list[str], extra: list[str], shapes: list[str]) -> None:
    """Raise ModelError, one line with the lists, unless all three are empty."""
    if missing or extra or shapes:
        raise ModelError(
            f"{where}: weights do not fit: {_listed('missing', missing)}; "
            f"{_listed('extra', extra)}; {_listed('of another shape', shapes)}"
        )


def need_transformers(what: str) -> None:
    """Raise ModelError, one line, unless transformers is installed."""
    if find_spec("transformers") is None:
        raise ModelError(
            f"backbone {what!r} needs transformers, not installed: "
            "pip install 'distortion-graph[train,segment]'"
        )


def _listed(what: str, names: list[str], most: int = 5) -> str:
    shown = ", ".join(names[:most]) + (f" and {len(names) - most} more" * (len(names) > most))
    return f"{len(names)} {what}" + (f" ({shown})" if names else "")


def _from_hub(spec: str, fetch: bool) -> Path:
    """The folder of a hub name in the local cache, downloaded where `fetch` says so."""
    if not is_hub_name(spec):
        raise ModelError(
            f"backbone {spec!r}: no such folder, expected {LITE0!r}, a folder, or a name on the "
            "Hugging Face hub such as facebook/dinov2-small"
        )
    need_transformers(spec)
    from huggingface_hub import snapshot_download

    name, _, revision = spec.partition("@")
    command = f"hf download {name}" + (f" --revision {revision}" if revision else "")
    why = ""
    for offline in (True, False) if fetch else (True,):
        try:
            folder = Path(
                snapshot_download(
                    name,
                    revision=revision or None,
                    allow_patterns=list(_WANTED),
                    local_files_only=offline,
                )
            )
        except Exception as problem:  # whatever the HTTP library underneath may raise
            why = (
                f" and it cannot be fetched from the hub ({first_line(problem)})"
                if not offline
                else ""
            )
            continue
        if (folder / CONFIG_FILE).is_file() and any(folder.glob("model*.safetensors")):
            return folder
    raise ModelError(
        f"backbone {spec!r}: no such folder, not in the local Hugging Face cache{why}; fetch it "
        f"with: {command}"
    )


def _model_type(folder: Path) -> str:
    path = folder / CONFIG_FILE
    try:
        return str(json.loads(path.read_text("utf-8"))["model_type"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as problem:
        raise ModelError(
            f"{path}: does not name a model_type ({type(problem).__name__}), expected a backbone's "
            "folder"
        ) from problem


def _load_lite0(folder: Path, spec: str) -> Lite0Backbone:
    encoder = Lite0Encoder()
    try:
        encoder.load_state_dict(load_file(folder / WEIGHTS_FILE))
    except (OSError, SafetensorError, RuntimeError) as problem:
        raise ModelError(f"{folder}: cannot be loaded ({first_line(problem)})") from problem
    return Lite0Backbone(encoder, source=spec)
