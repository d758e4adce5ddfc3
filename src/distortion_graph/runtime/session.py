"""The model at run time: two ONNX Runtime sessions, loaded once, torch-free.

The encoder sees tiles of the pictures at native resolution and gives sums over region cells; the
sums of all tiles are added and the head turns them into predictions. So nothing is ever squeezed,
and beyond the pictures themselves memory grows only with the regions' cells (R·H·W/16 floats).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from distortion_graph.errors import ModelError
from distortion_graph.graph_checks import validation_line
from distortion_graph.quality import check_pair
from distortion_graph.regions.cells import CELL_PX, pad_picture, with_scene
from distortion_graph.regions.container import Masks
from distortion_graph.regions.histograms import region_histograms
from distortion_graph.runtime.names import (
    ENCODER_FILE,
    HEAD_FILE,
    HEAD_INPUTS,
    MANIFEST_FILE,
    MOMENTS,
    OUTPUTS,
)
from distortion_graph.runtime.outputs import to_predictions
from distortion_graph.runtime.predictions import Predictions
from distortion_graph.runtime.registry import HUB, SHIPPED, find_model
from distortion_graph.vocabulary import Vocabulary

# Pictures up to this size go through in one piece; larger ones in tiles of TILE_PX with HALO_PX
# of surroundings on every side, which the encoder sees but does not count.
_ONE_PIECE_PX = 1_000_000
_TILE_PX = 768
_HALO_PX = 64


@dataclass(frozen=True)
class ModelIdentity:
    """What a graph says about the model that made it."""

    name: str
    version: str
    sha256: str
    known_threshold: float | None = None


class Model:
    """A loaded model: its vocabulary, its identity, and `predict`."""

    def __init__(self, folder: Path, *, providers: Sequence[str] | None, threads: int) -> None:
        manifest = _read_manifest(folder)
        try:
            self.vocabulary = Vocabulary.model_validate(manifest["vocabulary"])
        except ValidationError as problem:
            where = f"{folder / MANIFEST_FILE} (vocabulary)"
            raise ModelError(validation_line(problem, where, Vocabulary)) from problem
        self.identity = ModelIdentity(
            manifest["name"],
            manifest["version"],
            manifest["sha256"],
            manifest.get("known_threshold"),
        )
        self.card: dict[str, Any] = manifest.get("card", {})
        self.folder = folder
        self._providers, self._threads = providers, threads

    @classmethod
    def load(
        cls,
        source: str | Path | None = None,
        *,
        providers: Sequence[str] | None = None,
        threads: int = 0,
    ) -> Model:
        """The shipped model, or one made by `distortion-graph export`.

        Args:
            source: None for the shipped one, else what `registry.find_model` finds: a name, a
                folder, or "hf://org/name".
            providers: ONNX Runtime execution providers in order of preference; CPU by default.
            threads: threads within an operation, 0 for one a core.

        Raises:
            ModelError: the folder is not a model, or a provider is not there.
        """
        model = cls(find_model(source), providers=providers, threads=threads)
        _check_providers(providers)
        return model

    @cached_property
    def _sessions(self) -> tuple[Any, Any]:
        try:
            files = [(self.folder / name).read_bytes() for name in (ENCODER_FILE, HEAD_FILE)]
        except OSError as problem:
            raise ModelError(f"{problem.filename}: cannot be read ({problem.strerror})") from None
        found = hashlib.sha256(files[0] + files[1]).hexdigest()
        if found != self.identity.sha256:
            raise ModelError(
                f"{self.folder}: model files have SHA-256 {found[:12]}…, the manifest expects "
                f"{self.identity.sha256[:12]}…; the model is damaged, install or export it again"
            )
        encoder, head = (_open(file, self._providers, self._threads) for file in files)
        return encoder, head

    def predict(
        self,
        anchor: NDArray[np.uint8],
        target: NDArray[np.uint8],
        masks: Masks,
    ) -> Predictions:
        """Predictions for two (H, W, 3) uint8 pictures and R ≥ 0 masks, (H, W) bool each.

        The same input gives the same bits. Swapping the pictures or permuting the masks gives the
        same answer up to rounding; `compare` puts both into a canonical order to make it exact.

        Raises:
            ModelError: the model's files are damaged (they are opened at the first call).
            ImageError, RegionError: pictures or masks of unequal size or of another type.
        """
        check_pair(anchor, target)
        encoder, head = self._sessions
        weights, area = with_scene(anchor.shape[:2], masks)
        pictures = np.stack([pad_picture(anchor), pad_picture(target)])
        parts = (
            encoder.run(list(MOMENTS), {"images": images, "weights": cells})
            for images, cells in _tiles(pictures, weights)
        )
        sums = [moment.astype(np.float64) for moment in next(parts)]
        for part in parts:
            sums = [s + moment for s, moment in zip(sums, part, strict=True)]
        is_scene = np.zeros(len(area), np.float32)
        is_scene[0] = 1
        counts = region_histograms(anchor, target, masks)
        values = [*(s.astype(np.float32) for s in sums), *counts, area, is_scene]
        given = dict(zip(HEAD_INPUTS, values, strict=True))
        # A model of version 1 knows neither histograms nor `known`.
        wanted = {i.name for i in head.get_inputs()}
        outputs = [o.name for o in head.get_outputs() if o.name in OUTPUTS]
        found = head.run(outputs, {k: v for k, v in given.items() if k in wanted})
        return to_predictions(**dict(zip(outputs, found, strict=True)))


def _tiles(
    pictures: NDArray[np.uint8], weights: NDArray[np.float32]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """(2, h, w, 3) pieces of both pictures with the weights of their cells, halos weighing 0."""
    height, width = pictures.shape[1:3]
    if height * width <= _ONE_PIECE_PX:
        yield pictures, weights
        return
    for top in range(0, height, _TILE_PX):
        for left in range(0, width, _TILE_PX):
            bottom, right = min(top + _TILE_PX, height), min(left + _TILE_PX, width)
            y0, x0 = max(top - _HALO_PX, 0), max(left - _HALO_PX, 0)
            y1, x1 = min(bottom + _HALO_PX, height), min(right + _HALO_PX, width)
            inner = np.s_[:, top // CELL_PX : bottom // CELL_PX, left // CELL_PX : right // CELL_PX]
            cells = np.zeros((len(weights), (y1 - y0) // CELL_PX, (x1 - x0) // CELL_PX), np.float32)
            shift_y, shift_x = (top - y0) // CELL_PX, (left - x0) // CELL_PX
            part = weights[inner]
            cells[:, shift_y : shift_y + part.shape[1], shift_x : shift_x + part.shape[2]] = part
            yield np.ascontiguousarray(pictures[:, y0:y1, x0:x1]), cells


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST_FILE
    try:
        manifest = json.loads(path.read_text())
        missing = {"name", "version", "sha256", "vocabulary"} - set(manifest)
    except OSError:
        raise ModelError(
            f"{folder}: no model there, expected a folder with {MANIFEST_FILE}, {ENCODER_FILE} "
            f"and {HEAD_FILE}, {HUB}org/name, or the name {SHIPPED[0]!r}"
        ) from None
    except (ValueError, TypeError) as problem:
        raise ModelError(f"{path}: not a JSON object ({problem})") from None
    if missing:
        raise ModelError(f"{path}: {', '.join(sorted(missing))} missing")
    return dict(manifest)


def _check_providers(providers: Sequence[str] | None) -> None:
    if providers is None:
        return
    import onnxruntime

    there = onnxruntime.get_available_providers()
    unknown = [p for p in providers if p not in there]
    if unknown:
        raise ModelError(
            f"execution provider {', '.join(unknown)} is not in this ONNX Runtime, "
            f"there are {', '.join(there)}"
        )


def _cores() -> int:
    """Cores this process may use; all there are where the system does not tell."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def _open(file: bytes, providers: Sequence[str] | None, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _cores()
    options.log_severity_level = 3
    # Idle threads sleep instead of spinning: the rest of a comparison needs the cores too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            file, options, providers=list(providers or ["CPUExecutionProvider"])
        )
    except Exception as problem:
        raise ModelError(f"model cannot be opened by ONNX Runtime: {problem}") from problem
