"""The model at run time: two ONNX Runtime sessions, loaded once, torch-free.

The encoder sees tiles of the pictures at a fixed scale and gives sums over region cells; the sums
of all tiles are added and the head turns them into predictions. So no picture is squeezed to a size
that the model wants, and beyond the pictures themselves memory grows only with the regions' cells
(R·H·W/16 bytes).
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from distortion_graph.errors import ModelError
from distortion_graph.graph_checks import validation_line
from distortion_graph.quality import check_pair
from distortion_graph.regions.cells import cell_counts, pad_picture
from distortion_graph.regions.container import Masks
from distortion_graph.regions.statistics import RegionStatistics, region_statistics
from distortion_graph.runtime.names import (
    ENCODER_FILE,
    ENCODER_INPUTS,
    HEAD_FILE,
    HEAD_INPUTS,
    MANIFEST_FILE,
    MOMENTS,
    OUTPUTS,
)
from distortion_graph.runtime.outputs import to_predictions
from distortion_graph.runtime.predictions import Predictions
from distortion_graph.runtime.registry import HUB, SHIPPED, find_model
from distortion_graph.runtime.tiles import (
    Tile,
    all_tiles,
    bands,
    enough_tiles,
    joined_moments,
    pixel_moments,
    tile_weights,
)
from distortion_graph.threads import in_order, side_by_side
from distortion_graph.vocabulary import Vocabulary

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]

# Two tiles at once are faster than all threads on one; on a picture in one piece a second thread
# works beside the encoder.
_AT_ONCE = 2
_REGION_AXES = 0, 1, 1, 0  # of the `MOMENTS`


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
    def _files(self) -> list[bytes]:
        """Encoder and head, as the manifest says they are."""
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
        return files

    @cached_property
    def _head(self) -> Any:
        # Nothing else of a comparison runs beside the head.
        return self._open(HEAD_FILE, self._threads, alone=True)

    @cached_property
    def _encoder(self) -> Any:
        """The encoder for a picture in one piece, beside which one thread does all the rest."""
        return self._open(ENCODER_FILE, max(self._all_threads - 1, 1))

    @cached_property
    def _tile_encoder(self) -> Any:
        """The encoder with its share of the threads, for several tiles at once."""
        return self._open(ENCODER_FILE, max(self._all_threads // _AT_ONCE, 1))

    def _open(self, name: str, threads: int, *, alone: bool = False) -> Any:
        """A session of one of the files; raises ModelError where it takes other inputs."""
        file, inputs = {
            ENCODER_FILE: (self._files[0], ENCODER_INPUTS),
            HEAD_FILE: (self._files[1], HEAD_INPUTS),
        }[name]
        session = _open(file, self._providers, threads, alone=alone)
        found = {i.name for i in session.get_inputs()}
        if found != set(inputs):
            raise ModelError(
                f"{self.folder / name}: takes {', '.join(sorted(found))}, expected "
                f"{', '.join(sorted(inputs))}; the model was exported by another version of "
                "distortion-graph, export its network again"
            )
        return session

    @property
    def _all_threads(self) -> int:
        return self._threads or _cores()

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
        counts, pixels = cell_counts(anchor.shape[:2], masks)
        sums, statistics = self._seen((anchor, target), masks, counts)
        is_scene = np.zeros(len(pixels), np.float32)
        is_scene[0] = 1
        area = (pixels / pixels[0]).astype(np.float32)
        values = [*sums, *statistics, area, is_scene]
        given = dict(zip(HEAD_INPUTS, values, strict=True))
        found = self._head.run(list(OUTPUTS), given)
        return to_predictions(**dict(zip(OUTPUTS, found, strict=True)))

    def _seen(
        self, pictures: tuple[Picture, Picture], masks: Masks, counts: NDArray[np.uint8]
    ) -> tuple[list[Floats], RegionStatistics]:
        """Moments of a pair and its statistics; `counts` are pixels of cells, the scene's first."""
        tiles = enough_tiles(list(all_tiles(*pictures[0].shape[:2])), counts)
        if len(tiles) > 1:
            return side_by_side(
                lambda: self._sums(pictures, counts, tiles),
                lambda: region_statistics(*pictures, masks),
            )
        # Two threads that both want Python wait for each other: the encoder, which does not want
        # it, takes one of them for as long as it needs.
        tile = tiles[0]
        regions, weights = tile_weights(tile, counts)
        works: list[Callable[[], Any]] = [
            lambda: _map_moments(self._encoder, tile, pictures, weights),
            lambda: region_statistics(*pictures, masks),
            *(partial(pixel_moments, band, pictures, weights) for band in bands(tile)),
        ]
        maps, statistics, *parts = in_order(
            lambda work: work(), works, min(self._all_threads, _AT_ONCE)
        )
        pixels = [np.sum(moment, 0) for moment in zip(*parts, strict=True)]
        return _added([(regions, joined_moments(pixels, maps))], len(counts)), statistics

    def _sums(
        self, pictures: tuple[Picture, Picture], counts: NDArray[np.uint8], tiles: list[Tile]
    ) -> list[Floats]:
        """Moments over several tiles."""
        encoder = self._tile_encoder

        def run(tile: Tile) -> tuple[NDArray[np.intp], list[Floats]]:
            regions, weights = tile_weights(tile, counts)
            pixels = pixel_moments(tile, pictures, weights)
            return regions, joined_moments(pixels, _map_moments(encoder, tile, pictures, weights))

        found = in_order(run, tiles, min(self._all_threads, _AT_ONCE))
        return _added(found, len(counts))


def _map_moments(
    encoder: Any, tile: Tile, pictures: tuple[Picture, Picture], weights: Floats
) -> list[Floats]:
    """Moments of the encoder's maps of a tile."""
    images = np.stack([pad_picture(picture[tile.seen]) for picture in pictures])
    given = dict(zip(ENCODER_INPUTS, (images, weights), strict=True))
    return list(encoder.run(list(MOMENTS), given))


def _added(parts: Sequence[tuple[NDArray[np.intp], list[Floats]]], count: int) -> list[Floats]:
    """Sums of tiles, each for the regions that it touches, of all `count` regions."""
    totals: list[NDArray[np.float64]] = []
    for regions, found in parts:
        for k, (part, axis) in enumerate(zip(found, _REGION_AXES, strict=True)):
            if len(totals) == k:
                shape = (*part.shape[:axis], count, *part.shape[axis + 1 :])
                totals.append(np.zeros(shape))
            np.moveaxis(totals[k], axis, 0)[regions] += np.moveaxis(part, axis, 0)
    return [total.astype(np.float32) for total in totals]


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


def _open(
    file: bytes, providers: Sequence[str] | None, threads: int, *, alone: bool = False
) -> Any:
    """A session; `alone` lets its idle threads spin until a run has ended, which is faster."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or _cores()
    options.log_severity_level = 3
    # Without a plan for all tensors at once the same speed takes half the memory.
    options.enable_mem_pattern = False
    # Else they sleep: the rest of a comparison needs the cores too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "1" if alone else "0")
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        return onnxruntime.InferenceSession(
            file, options, providers=list(providers or ["CPUExecutionProvider"])
        )
    except Exception as problem:
        raise ModelError(f"model cannot be opened by ONNX Runtime: {problem}") from problem
