"""Export of a trained network to ONNX, in four parts, weights stored as 16-bit floats.

The encoder is run per picture or tile of it, the pooling of its maps and of their products by the
regions, the reader per few regions, the head once per pair (`predict.session`). What the encoder
makes of a picture depends neither on the other one nor on regions, so it can be kept. Weights are
stored in half precision and cast to 32 bits by the graph itself, which the runtime folds away when
it loads the model: small on disk, computed in full precision.
"""

from __future__ import annotations

import hashlib
import io
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from distortion_graph.base.errors import ModelError
from distortion_graph.base.files import atomic_write_all
from distortion_graph.bench.human.manifest import OPINION_KEY
from distortion_graph.features.edges import EDGE_STATISTICS
from distortion_graph.features.histograms import (
    CHANNELS,
    DETAIL_CHANNELS,
    JOINT_CHANNELS,
    JOINT_LEVELS,
    LEVELS,
    PATTERNS,
)
from distortion_graph.graph.build import DECIMALS
from distortion_graph.model.network import DistortionGraphNet, GraphHead, Statistics
from distortion_graph.model.pair_encoder import Moments, PairEncoder, cell_weights, coverage
from distortion_graph.predict.names import (
    HEAD_INPUTS,
    IS_ORIGINAL,
    MANIFEST_FILE,
    MAPS,
    MODEL_FILES,
    OUTPUTS,
    PICTURE,
    POOLED,
    POOLING_INPUTS,
    PRESENT,
    READING,
    REGION_AXES,
    STATISTICS,
    WEIGHTS,
)
from distortion_graph.predict.opinion import OpinionMaps

OPSET = 18
_HALVED_FROM_ELEMENTS = 64


class _EncoderPart(nn.Module):
    """The encoder for one picture, without the batch axis."""

    def __init__(self, encoder: PairEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, picture: Tensor) -> tuple[Tensor, ...]:
        """(H, W, 3) uint8 → a map (C, h, w) of every level."""
        return tuple(m[0] for m in self.encoder.maps(picture.permute(2, 0, 1)[None].float() / 255))


class _PoolingPart(nn.Module):
    """Sums of maps by the regions' weights; it has learned nothing."""

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """N maps (N, C, h, w) and R regions' coverage (R, h, w) of every level → the sums of the
        weights (R, levels), and of the maps (N, R, all C).
        """
        levels = len(PairEncoder.map_strides)
        totals, sums = [], []
        for i, stride in enumerate(PairEncoder.map_strides):
            w = cell_weights(inputs[levels + i], stride)
            totals.append(w.sum(1))
            sums.append(torch.matmul(w[None], inputs[i].flatten(2).transpose(1, 2)))
        return torch.stack(totals, 1), torch.cat(sums, 2)


class _ReaderPart(nn.Module):
    """What the head reads in the statistics of one pair, without the batch axis."""

    def __init__(self, head: GraphHead) -> None:
        super().__init__()
        self.head = head

    def forward(self, *statistics: Tensor) -> Tensor:
        """Statistics of R regions → (2, R, width)."""
        return self.head.read(Statistics(*(s[None] for s in statistics)))[0]


class _HeadPart(nn.Module):
    """The rest of the head for one pair, without the batch axis; no region is padding."""

    def __init__(self, head: GraphHead) -> None:
        super().__init__()
        self.head = head

    def forward(
        self,
        weight_sum: Tensor,
        first: Tensor,
        second: Tensor,
        cross: Tensor,
        reading: Tensor,
        area: Tensor,
        is_scene: Tensor,
        *is_original: Tensor,
    ) -> tuple[Tensor, ...]:
        """Moments, reading, area and scene flag of R regions, and where the head takes it which
        picture is the original → the network's outputs.
        """
        moments = Moments(weight_sum[None], first[None], second[None], cross[None])
        valid = torch.ones_like(area[None], dtype=torch.bool)
        flags = [flag[None] for flag in is_original]
        output = self.head.relate(moments, reading[None], area[None], is_scene[None], valid, *flags)
        return tuple(o[0] for o in output if o is not None)


def export_onnx(
    network: DistortionGraphNet,
    folder: Path,
    *,
    name: str,
    version: str,
    card: dict[str, Any],
    opinion: OpinionMaps | None = None,
) -> None:
    """Write the networks and their manifest; picture size and region count stay dynamic.

    The manifest keeps `card` as it is (data, licences, results) and the maps from score to
    `opinion`. Its `sha256` is the hash of the four files' bytes.
    """
    network = network.eval().cpu()
    images = torch.zeros(2, 64, 80, 3, dtype=torch.uint8)
    weights = torch.ones(3, 16, 20)
    covered = [share[0] for share in coverage(PairEncoder.map_strides, weights[None])]
    encoder_part = _EncoderPart(network.encoder)
    with torch.no_grad():
        maps = [torch.stack([m, m]) for m in encoder_part(images[0])]
    encoder = _to_onnx(
        encoder_part, (images[0],), (PICTURE,), MAPS, {PICTURE: {0: "height", 1: "width"}}
    )
    pooling_axes = {name: {0: "maps", 2: f"rows_{name}", 3: f"columns_{name}"} for name in MAPS} | {
        name: {0: "regions", 1: f"rows_{name}", 2: f"columns_{name}"} for name in WEIGHTS
    }
    pooling = _to_onnx(_PoolingPart(), (*maps, *covered), POOLING_INPUTS, POOLED, pooling_axes)
    statistics = (
        torch.ones(2, 3, len(CHANNELS), LEVELS),
        torch.ones(3, len(JOINT_CHANNELS), JOINT_LEVELS, JOINT_LEVELS),
        torch.ones(3, len(DETAIL_CHANNELS), JOINT_LEVELS, JOINT_LEVELS),
        torch.ones(2, 3, PATTERNS),
        torch.ones(2, 3, EDGE_STATISTICS),
    )
    reader = _ReaderPart(network.head)
    with torch.no_grad():
        moments = tuple(m[0] for m in network.encoder(images[None], weights[None]))
        reading = reader(*statistics)
    area, is_scene = torch.full((3,), 0.3), torch.tensor([1.0, 0.0, 0.0])
    config, nodes = network.config, network.head.nodes
    head_inputs = (*HEAD_INPUTS, *((IS_ORIGINAL,) if config.reference else ()))
    is_original = (torch.zeros(2),) if config.reference else ()
    files = (
        encoder,
        pooling,
        _to_onnx(reader, statistics, STATISTICS, (READING,), _regions(STATISTICS)),
        _to_onnx(
            _HeadPart(network.head),
            (*moments, reading, area, is_scene, *is_original),
            head_inputs,
            (*OUTPUTS, *((PRESENT,) if config.also else ())),
            _regions(HEAD_INPUTS),
        ),
    )
    folder.mkdir(parents=True, exist_ok=True)
    manifest = {
        "name": name,
        "version": version,
        "sha256": hashlib.sha256(b"".join(files)).hexdigest(),
        "known_threshold": _rounded(nodes.known_threshold),
        "takes_reference": config.reference,
        "names_further": config.also,
        **({"also_threshold": _rounded(nodes.also_threshold)} if config.also else {}),
        "vocabulary": config.vocabulary.model_dump(mode="json"),
        "card": card,
    }
    if opinion is not None:
        manifest[OPINION_KEY] = opinion.model_dump(mode="json")
    atomic_write_all(
        [
            *((folder / name, file) for name, file in zip(MODEL_FILES, files, strict=True)),
            (folder / MANIFEST_FILE, (json.dumps(manifest, indent=1) + "\n").encode()),
        ]
    )


def _rounded(threshold: Tensor) -> float:
    return round(float(threshold), DECIMALS)


def _regions(inputs: tuple[str, ...]) -> dict[str, dict[int, str]]:
    """The axis of regions of such inputs, dynamic."""
    return {name: {REGION_AXES[name]: "regions"} for name in inputs}


def _to_onnx(
    module: nn.Module,
    arguments: tuple[Tensor, ...],
    inputs: tuple[str, ...],
    outputs: tuple[str, ...],
    axes: dict[str, dict[int, str]],
) -> bytes:
    buffer = io.BytesIO()
    module.eval()  # the exporter gives the mode back that it finds: a new module's is training
    with warnings.catch_warnings():
        # The tracing exporter is the one whose graphs keep every axis dynamic here.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            arguments,
            buffer,  # type: ignore[arg-type]  # a file object is fine without dynamo
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    _halve_weights(model)
    onnx.checker.check_model(model, full_check=True)
    return bytes(model.SerializeToString())


def _halve_weights(model: onnx.ModelProto) -> None:
    """Store large 32-bit weights as 16-bit ones followed by a cast."""
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _HALVED_FROM_ELEMENTS:
            continue
        name = tensor.name
        half = numpy_helper.to_array(tensor).astype(np.float16)
        if not np.isfinite(half).all():
            raise ModelError(f"export: weights that no 16-bit float can hold in {name}")
        tensor.CopyFrom(numpy_helper.from_array(half, name + "_half"))
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    nodes = casts + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
