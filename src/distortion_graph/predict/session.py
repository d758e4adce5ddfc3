"""The model at run time: ONNX Runtime sessions, loaded once, torch-free.

The encoder sees tiles of the pictures at a fixed scale and gives sums over region cells; the sums
of all tiles are added. The reader sees the statistics of regions, a few of them at a time, and the
head turns sums and readings into predictions. So no picture is squeezed to a size that the model
wants, and beyond the pictures themselves memory grows only with the regions' cells (R·H·W/16
bytes).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from distortion_graph.base.errors import ModelError
from distortion_graph.base.validation import validation_line
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.features.cells import cell_counts, pad_picture
from distortion_graph.features.statistics import RegionStatistics, region_statistics
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks
from distortion_graph.measure.quality import check_pair
from distortion_graph.predict.names import (
    ENCODER_FILE,
    ENCODER_INPUTS,
    HEAD_FILE,
    HEAD_INPUTS,
    MANIFEST_FILE,
    MODEL_FILES,
    MOMENTS,
    OUTPUTS,
    READER_FILE,
    READING,
    REGION_AXES,
    STATISTICS,
)
from distortion_graph.predict.outputs import to_predictions
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.registry import HUB, SHIPPED, find_model
from distortion_graph.predict.tiles import (
    Tile,
    all_tiles,
    bands,
    encoder_inputs,
    enough_tiles,
    joined_moments,
    pixel_moments,
    tile_weights,
)
from distortion_graph.work.threads import (
    CachedCall,
    allowed_threads,
    check_threads,
    parallel_map,
    parallel_steps,
    thread_budget,
)

Picture = NDArray[np.uint8]
Pair = tuple[Picture, Picture]
Floats = NDArray[np.float32]
Sums = tuple[NDArray[np.intp], list[Floats]]
"""Regions, and what is summed (`MOMENTS`) of each."""

_INPUTS = {ENCODER_FILE: ENCODER_INPUTS, READER_FILE: STATISTICS, HEAD_FILE: HEAD_INPUTS}

_READ_REGIONS = 16  # by the reader at most in one go
_READINGS_AT_ONCE = 2
# The head of fewer regions is so many small steps that threads would wait for each other longer
# than they work, and ten times as long where another program has one of the cores.
_HEAD_SHARED_FROM = 64


@dataclass(frozen=True)
class ModelIdentity:
    """What a graph says about the model that made it."""

    name: str
    version: str
    sha256: str
    known_threshold: float | None = None


class Seen(NamedTuple):
    """Of a pair and R regions, the whole picture first: sums (`MOMENTS`), readings of a few regions
    each, and pixels (1 + R,).
    """

    sums: list[Floats]
    readings: list[Floats]
    areas: NDArray[np.int64]


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
        self.threads = check_threads(threads)
        self._providers = providers
        self._files = CachedCall(self._read_files)
        self._sessions: dict[tuple[str, int], CachedCall[Any]] = {}

    @classmethod
    def load(
        cls,
        source: str | Path | None = None,
        *,
        providers: Sequence[str] | None = None,
        threads: int = 0,
    ) -> Model:
        """The shipped model, or one made by `distortion-graph export`.

        One model may be used by several threads at once; each of its files is opened once.

        Args:
            source: None for the shipped one, else what `registry.find_model` finds: a name, a
                folder, or "hf://org/name".
            providers: ONNX Runtime execution providers in order of preference; CPU by default.
            threads: how many threads a comparison with this model uses; 0 for as many as
                `work.threads.available_cores` says. A smaller budget around a call holds too.

        Raises:
            ModelError: the folder is not a model, or a provider is not there.
            DistortionGraphError: `threads` is no whole number from 0.
        """
        model = cls(find_model(source), providers=providers, threads=threads)
        _check_providers(providers)
        _keep_freed_memory()
        return model

    def _read_files(self) -> dict[str, bytes]:
        """Encoder, reader and head, as the manifest says they are."""
        try:
            files = [(self.folder / name).read_bytes() for name in MODEL_FILES]
        except OSError as problem:
            raise ModelError(
                f"{problem.filename}: cannot be read ({problem.strerror}); the model is "
                "incomplete or of another version of distortion-graph, install or export it again"
            ) from None
        found = hashlib.sha256(b"".join(files)).hexdigest()
        if found != self.identity.sha256:
            raise ModelError(
                f"{self.folder}: model files have SHA-256 {found[:12]}…, the manifest expects "
                f"{self.identity.sha256[:12]}…; the model is damaged, install or export it again"
            )
        return dict(zip(MODEL_FILES, files, strict=True))

    def _session(self, name: str, threads: int) -> Any:
        """The one session of a file for so many threads; raises as `_open` does."""
        opening = partial(self._open, name, threads)
        # `setdefault` lets one thread win; `CachedCall` lets the others wait for what it opens.
        return self._sessions.setdefault((name, threads), CachedCall(opening))()

    def _open(self, name: str, threads: int) -> Any:
        """A session of one of the files; raises ModelError where it takes other inputs."""
        inputs = _INPUTS[name]
        session = _open(self._files()[name], self._providers, threads)
        found = {i.name for i in session.get_inputs()}
        if found != set(inputs):
            raise ModelError(
                f"{self.folder / name}: takes {', '.join(sorted(found))}, expected "
                f"{', '.join(sorted(inputs))}; the model was exported by another version of "
                "distortion-graph, export its network again"
            )
        return session

    def predict(
        self,
        anchor: NDArray[np.uint8],
        target: NDArray[np.uint8],
        masks: Masks | MaskArrays,
    ) -> Predictions:
        """Predictions for two (H, W, 3) uint8 pictures and R ≥ 0 masks, (H, W) bool each.

        The same input gives the same bits. Swapping the pictures or permuting the masks gives the
        same answer up to rounding; `compare` puts both into a canonical order to make it exact.

        Raises:
            ModelError: the model's files are damaged (they are opened at the first call).
            ImageError, RegionError: pictures or masks of unequal size or of another type.
        """
        check_pair(anchor, target)
        with thread_budget(self.threads):
            return self._predict((anchor, target), as_masks(masks, anchor.shape[:2]))

    def _predict(self, pictures: Pair, masks: Masks) -> Predictions:
        tiles = list(all_tiles(*masks.size))
        if len(tiles) > 1:
            seen = self._seen_in_tiles(pictures, masks, tiles)
        else:
            seen = self._seen_whole(pictures, masks, tiles[0])
        is_scene = np.zeros(len(seen.areas), np.float32)
        is_scene[0] = 1
        area = (seen.areas / seen.areas[0]).astype(np.float32)
        reading = np.concatenate(seen.readings, REGION_AXES[READING])
        given = dict(zip(HEAD_INPUTS, (*seen.sums, reading, area, is_scene), strict=True))
        threads = allowed_threads() if len(is_scene) > _HEAD_SHARED_FROM else 1
        found = self._session(HEAD_FILE, threads).run(list(OUTPUTS), given)
        return to_predictions(**dict(zip(OUTPUTS, found, strict=True)))

    def _seen_whole(self, pictures: Pair, masks: Masks, tile: Tile) -> Seen:
        """What is seen of pictures in one piece.

        Threads that want Python wait for each other: the encoder, which does not want it, takes
        half of them for as long as it needs. The others begin with the statistics, for which masks
        come in last.
        """
        allowed = allowed_threads()
        encoder = self._session(ENCODER_FILE, max(allowed // 2, 1))
        counted = CachedCall(lambda: cell_counts(masks))
        statistics = CachedCall(lambda: region_statistics(*pictures, masks))

        def map_sums() -> Sums:
            regions, weights = tile_weights(tile, counted()[0])
            return regions, _map_moments(encoder, tile, pictures, weights)

        def pixel_sums(band: Tile) -> Sums:
            regions, weights = tile_weights(band, counted()[0])
            return regions, pixel_moments(band, pictures, weights)

        pixels = [partial(pixel_sums, band) for band in bands(tile)]
        readings = [partial(self._read, statistics, part) for part in _parts(1 + len(masks))]
        works: list[Callable[[], Any]] = [*pixels, *readings]
        steps: list[tuple[int, Callable[[], Any]]] = [
            (allowed // 2, map_sums),
            (allowed // 4, statistics),
            *((1, work) for work in works),
        ]
        maps, _, *found = parallel_steps(steps)
        counts, areas = counted()
        of_pixels = _added(found[: len(pixels)], len(counts))
        sums = joined_moments(of_pixels, _added([maps], len(counts)))
        return Seen(sums, found[len(pixels) :], areas)

    def _seen_in_tiles(self, pictures: Pair, masks: Masks, tiles: list[Tile]) -> Seen:
        """What is seen of large pictures, of two tiles at once at most.

        Two tiles at once are faster than all threads on one; more would take too much memory.
        """
        counts, areas = cell_counts(masks)
        of_tile = (allowed_threads() + 1) // 2

        def sums(tile: Tile) -> Sums:
            regions, weights = tile_weights(tile, counts)
            pixels = pixel_moments(tile, pictures, weights)
            encoder = self._session(ENCODER_FILE, of_tile)
            return regions, joined_moments(pixels, _map_moments(encoder, tile, pictures, weights))

        steps: list[tuple[int, Callable[[], Any]]] = [
            (allowed_threads() // 2, partial(region_statistics, *pictures, masks)),
            *((of_tile, partial(sums, tile)) for tile in enough_tiles(tiles, counts)),
        ]
        statistics, *found = parallel_steps(steps)
        read = partial(self._read, lambda: statistics)
        readings = parallel_map(read, _parts(1 + len(masks)), _READINGS_AT_ONCE)
        return Seen(_added(found, len(counts)), readings, areas)

    def _read(self, statistics: Callable[[], RegionStatistics], part: slice) -> Floats:
        """What the reader makes of some regions."""
        given = {}
        for name, array in zip(STATISTICS, statistics(), strict=True):
            rows = (part,) if REGION_AXES[name] == 0 else (slice(None), part)
            given[name] = np.ascontiguousarray(array[rows])
        [reading] = self._session(READER_FILE, allowed_threads()).run([READING], given)
        return np.asarray(reading, np.float32)


def _parts(count: int) -> list[slice]:
    """Regions in as few equal parts as can be, none larger than `_READ_REGIONS`."""
    parts = -(-count // _READ_REGIONS)
    return [slice(count * k // parts, count * (k + 1) // parts) for k in range(parts)]


def _map_moments(encoder: Any, tile: Tile, pictures: Pair, weights: Floats) -> list[Floats]:
    """Moments of the encoder's maps of a tile."""
    padded = [pad_picture(picture[tile.seen]) for picture in pictures]
    return list(encoder.run(list(MOMENTS), encoder_inputs(padded, weights)))


def _added(parts: Sequence[Sums], count: int) -> list[Floats]:
    """Sums of tiles, each for the regions that it touches, of all `count` regions."""
    if len(parts) == 1 and len(parts[0][0]) == count:
        return parts[0][1]
    axes = [REGION_AXES[name] for name in MOMENTS]
    totals: list[NDArray[np.float64]] = []
    for regions, found in parts:
        for k, (part, axis) in enumerate(zip(found, axes, strict=True)):
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


def _keep_freed_memory() -> None:
    """Let what one pair frees serve the next one.

    glibc gives large blocks back to the system, and its idea of large grows with those that it has
    seen freed, up to 32 MB. Else some processes return thousands of pages in every pair and ask for
    them again, which takes a tenth of the time on one thread.
    """
    np.empty(31 << 20, np.uint8)


def _open(file: bytes, providers: Sequence[str] | None, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Without a plan for all tensors at once the same speed takes half the memory.
    options.enable_mem_pattern = False
    # Idle threads sleep: the rest of a comparison, and other programs, need the cores too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            file, options, providers=list(providers or ["CPUExecutionProvider"])
        )
    except Exception as problem:
        raise ModelError(f"model cannot be opened by ONNX Runtime: {problem}") from problem
