"""The model at run time: ONNX Runtime sessions, loaded once, torch-free.

The encoder sees tiles of the pictures at a fixed scale and gives sums over region cells; the sums
of all tiles are added. The reader sees the statistics of regions, a few of them at a time, and the
head turns sums and readings into predictions. So no picture is squeezed to a size that the model
wants, and beyond the pictures themselves memory grows only with the regions' cells (R·H·W/16
bytes).

`loading` opens the networks, `plan` says what is done with how many threads; here it is done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ModelError
from distortion_graph.features.statistics import OwnStatistics, RegionStatistics
from distortion_graph.masks.masks import MaskArrays, Masks, as_masks
from distortion_graph.measure.quality import check_pair
from distortion_graph.predict.loading import Networks, read_manifest
from distortion_graph.predict.looks import (
    Look,
    Looks,
    map_moments,
    pixel_moments,
    statistics_of,
)
from distortion_graph.predict.names import (
    ENCODER_FILE,
    HEAD_FILE,
    HEAD_INPUTS,
    IS_ORIGINAL,
    MANIFEST_FILE,
    MOMENTS,
    POOLING_FILE,
    READER_FILE,
    READING,
    REGION_AXES,
    STATISTICS,
)
from distortion_graph.predict.outputs import to_predictions
from distortion_graph.predict.plan import (
    DEFAULT_LIMITS,
    Limits,
    Plan,
    bands,
    enough_tiles,
    plan_pair,
)
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.registry import find_model
from distortion_graph.predict.tiles import (
    Sums,
    Tile,
    added_sums,
    joined_moments,
    tile_weights,
)
from distortion_graph.predict.views import (
    OwnView,
    View,
    with_own_moments,
    with_own_statistics,
)
from distortion_graph.work.threads import (
    CachedCall,
    allowed_threads,
    check_threads,
    parallel_map,
    parallel_steps,
    thread_budget,
)

Rgb = NDArray[np.uint8]
Pair = tuple[Rgb, Rgb]
Floats = NDArray[np.float32]

DEFAULT_KEPT_BYTES = 1 << 29
"""What a model keeps of pictures at most, unless it is told otherwise (`Model.keeping`)."""

_READINGS_AT_ONCE = 2


class Seen(NamedTuple):
    """Of a pair and R regions, the whole picture first: sums (`MOMENTS`), readings of a few regions
    each, and pixels (1 + R,).
    """

    sums: list[Floats]
    readings: list[Floats]
    areas: NDArray[np.int64]

    def without_first(self) -> Seen:
        """The same without the whole picture: the first region stands for the scene."""
        axes = [REGION_AXES[name] for name in MOMENTS]
        sums = [np.delete(part, 0, axis) for part, axis in zip(self.sums, axes, strict=True)]
        readings = [np.delete(self.readings[0], 0, REGION_AXES[READING]), *self.readings[1:]]
        return Seen(sums, readings, self.areas[1:])


class SeenAlone(NamedTuple):
    """What is seen of one picture in its own pixels: sums (`MOMENTS` without products) and
    statistics.
    """

    sums: list[Floats]
    statistics: OwnStatistics


class Model:
    """A loaded model: its vocabulary, its identity, `predict`, and how that is decoded."""

    def __init__(
        self, folder: Path, *, providers: Sequence[str] | None, threads: int, limits: Limits
    ) -> None:
        manifest = read_manifest(folder)
        self.vocabulary, self.identity = manifest.vocabulary, manifest.identity
        self.card = manifest.card
        self.folder = folder
        self.threads = check_threads(threads)
        self.limits = limits
        self.takes_reference, self.decoding = manifest.takes_reference, manifest.decoding
        self._outputs = manifest.outputs
        self._networks = Networks(folder, manifest, providers)
        self._looks = Looks(self._networks)

    @classmethod
    def load(
        cls,
        source: str | Path | None = None,
        *,
        providers: Sequence[str] | None = None,
        threads: int = 0,
        limits: Limits = DEFAULT_LIMITS,
    ) -> Model:
        """The shipped model, or one made by `distortion-graph export`.

        One model may be used by several threads at once; each of its files is opened once.

        Args:
            source: None for the shipped one, else what `registry.find_model` finds: a name, a
                folder, or "hf://org/name".
            providers: ONNX Runtime execution providers in order of preference; CPU by default.
            threads: how many threads a comparison with this model uses; 0 for as many as
                `work.threads.available_cores` says. A smaller budget around a call holds too.
            limits: from which sizes on pictures and regions are divided.

        Raises:
            ModelError: the folder is not a model, or a provider is not there.
            DistortionGraphError: `threads` is no whole number from 0.
        """
        return cls(find_model(source), providers=providers, threads=threads, limits=limits)

    def keeping(self, pictures: Sequence[Rgb], most_bytes: int = DEFAULT_KEPT_BYTES) -> Model:
        """The same model, which keeps what it sees of some pictures for as long as it lives.

        The encoder then sees each of them once, in whatever pairs it is asked about, and the
        answers are the same to the bit. It takes `looks.KEPT_BYTES_PER_PX` for each pixel, in all
        at most `most_bytes`: what does not fit is seen again in each pair. The (H, W, 3) uint8
        arrays must not be written to meanwhile.
        """
        model = copy(self)
        model._looks = Looks(self._networks, pictures, most_bytes)
        return model

    def openings(self, threads: int) -> list[Callable[[], object]]:
        """Calls that open the networks as a pair of usual size takes them with so many threads.

        The longest first; they may be made side by side. Without them the first pair opens what it
        needs. They raise ModelError where the model's files are damaged.
        """
        plan = plan_pair((1, 1), 1, threads, self.limits)
        sessions = (
            (HEAD_FILE, plan.head_threads),
            (READER_FILE, 1),
            (ENCODER_FILE, plan.encoder_threads),
            (POOLING_FILE, plan.encoder_threads),
        )
        return [partial(self._networks.session, name, share) for name, share in sessions]

    def predict(
        self,
        anchor: NDArray[np.uint8],
        target: NDArray[np.uint8],
        masks: Masks | MaskArrays,
        original: int | None = None,
    ) -> Predictions:
        """Predictions for two (H, W, 3) uint8 pictures and R ≥ 0 masks, (H, W) bool each.

        The same input gives the same bits. Swapping the pictures or permuting the masks gives the
        same answer up to rounding; `compare` puts both into a canonical order to make it exact.
        `original` is the side, 0 or 1, that is known to be the original.

        Raises:
            ModelError: the model's files are damaged (they are opened at the first call), or it
                takes no reference (`takes_reference`) and is told of one.
            ImageError, RegionError: pictures or masks of unequal size or of another type.
        """
        check_pair(anchor, target)
        self._check_original(original)
        with thread_budget(self.threads):
            return self._predict((anchor, target), as_masks(masks, anchor.shape[:2]), original)

    def predict_view(self, view: View, original: int | None = None) -> Predictions:
        """Predictions for R ≥ 0 regions of two pictures that do not lie on each other as they are.

        See `views.View`; the scene is what both pictures show. Raises as `predict` does.
        """
        self._check_original(original)
        check_pair(*view.pair)
        with thread_budget(self.threads):
            alone = [None if own is None else self._see_alone(own) for own in view.own]
            plan = self._plan(view.masks)
            looks = self._looks_at(view.pair, view.masks)
            of_own = [None if seen is None else seen.statistics for seen in alone]
            joint = CachedCall(lambda: statistics_of(*looks))
            seen = self._see(looks, plan, lambda: with_own_statistics(joint(), of_own))
            if any(alone):
                own_sums = [None if seen is None else seen.sums for seen in alone]
                seen = seen._replace(sums=with_own_moments(seen.sums, own_sums))
            return self._answer(seen.without_first(), plan, original)

    def _predict(self, pictures: Pair, masks: Masks, original: int | None) -> Predictions:
        plan = self._plan(masks)
        looks = self._looks_at(pictures, masks)
        return self._answer(self._see(looks, plan, lambda: statistics_of(*looks)), plan, original)

    def _looks_at(self, pictures: Sequence[Rgb], masks: Masks) -> list[Look]:
        cells = self._looks.cells(masks, pictures)
        return [self._looks.look(rgb, cells) for rgb in pictures]

    def _check_original(self, original: int | None) -> None:
        if original is not None and not self.takes_reference:
            raise ModelError(
                f"{self.folder}: the model {self.identity.name} {self.identity.version} takes no "
                "reference, expected one that does"
            )

    def _plan(self, masks: Masks) -> Plan:
        return plan_pair(masks.size, len(masks), allowed_threads(), self.limits)

    def _answer(self, seen: Seen, plan: Plan, original: int | None) -> Predictions:
        is_scene = np.zeros(len(seen.areas), np.float32)
        is_scene[0] = 1
        area = (seen.areas / seen.areas[0]).astype(np.float32)
        reading = np.concatenate(seen.readings, REGION_AXES[READING])
        given = dict(zip(HEAD_INPUTS, (*seen.sums, reading, area, is_scene), strict=True))
        if self.takes_reference:
            given[IS_ORIGINAL] = np.array([original == 0, original == 1], np.float32)
        head = self._networks.session(HEAD_FILE, plan.head_threads)
        answers = head.run(list(self._outputs), given)
        return to_predictions(**dict(zip(self._outputs, answers, strict=True)))

    def _see(
        self, looks: Sequence[Look], plan: Plan, statistics: Callable[[], RegionStatistics]
    ) -> Seen:
        """What is seen of two pictures, and read in their statistics."""
        given = CachedCall(statistics)
        readings = [partial(self._read, given, part) for part in plan.parts]
        if len(plan.tiles) == 1:
            sums, read = self._see_whole(looks, plan, given, readings)
        else:
            sums = self._see_tiles(looks, plan, given)
            read = parallel_map(lambda reading: reading(), readings, _READINGS_AT_ONCE)
        return Seen(sums, read, looks[0].cells.counted()[1])

    def _see_alone(self, own: OwnView) -> SeenAlone:
        """What is seen of a picture in its own pixels; nothing is read of it alone."""
        looks = self._looks_at([own.rgb], own.masks)
        plan = self._plan(own.masks)
        statistics = CachedCall(looks[0].statistics)
        if len(plan.tiles) == 1:
            sums, _ = self._see_whole(looks, plan, statistics, [])
        else:
            sums = self._see_tiles(looks, plan, statistics)
        return SeenAlone(sums, statistics())

    def _see_whole(
        self,
        looks: Sequence[Look],
        plan: Plan,
        statistics: Callable[[], object],
        readings: Sequence[Callable[[], Floats]],
    ) -> tuple[list[Floats], list[Floats]]:
        """Sums and readings of pictures in one piece, all steps side by side."""
        (tile,) = plan.tiles
        counted = looks[0].cells.counted

        def map_sums() -> Sums:
            regions, weights = tile_weights(tile, counted()[0])
            return regions, map_moments(looks, tile, weights, plan.encoder_threads)

        def pixel_sums(band: Tile) -> Sums:
            regions, weights = tile_weights(band, counted()[0])
            return regions, pixel_moments(looks, band, weights)

        pixels = [partial(pixel_sums, band) for band in bands(tile)]
        works: list[Callable[[], Any]] = [*pixels, *readings]
        steps: list[tuple[int, Callable[[], Any]]] = [
            (plan.encoder_threads, map_sums),
            (plan.statistics_threads, statistics),
            *((1, work) for work in works),
        ]
        of_maps, _, *rest = parallel_steps(steps)
        count = len(counted()[1])
        of_pixels = added_sums(rest[: len(pixels)], count)
        sums = joined_moments(of_pixels, added_sums([of_maps], count))
        return sums, rest[len(pixels) :]

    def _see_tiles(
        self, looks: Sequence[Look], plan: Plan, statistics: Callable[[], object]
    ) -> list[Floats]:
        """Sums of large pictures, of enough tiles, beside the statistics of all regions."""
        counts, areas = looks[0].cells.counted()

        def sums(tile: Tile) -> Sums:
            regions, weights = tile_weights(tile, counts)
            pixels = pixel_moments(looks, tile, weights)
            maps = map_moments(looks, tile, weights, plan.encoder_threads)
            return regions, joined_moments(pixels, maps)

        tiles = enough_tiles(plan.tiles, counts, self.limits)
        steps: list[tuple[int, Callable[[], Any]]] = [
            (plan.statistics_threads, statistics),
            *((plan.encoder_threads, partial(sums, tile)) for tile in tiles),
        ]
        _, *of_tiles = parallel_steps(steps)
        return added_sums(of_tiles, len(areas))

    def _read(self, statistics: Callable[[], RegionStatistics], part: slice) -> Floats:
        """What the reader makes of some regions."""
        given = {}
        for name, array in zip(STATISTICS, statistics(), strict=True):
            rows = (part,) if REGION_AXES[name] == 0 else (slice(None), part)
            given[name] = np.ascontiguousarray(array[rows])
        [reading] = self._networks.session(READER_FILE, allowed_threads()).run([READING], given)
        return np.asarray(reading, np.float32)


def load_model(
    source: str | Path | None = None,
    providers: Sequence[str] | None = None,
    threads: int = 0,
) -> Model:
    """`Model.load`, each model kept in memory once; one that was exported anew is loaded anew."""
    folder = find_model(source)
    manifest = folder / MANIFEST_FILE
    made = manifest.stat().st_mtime_ns if manifest.is_file() else 0
    return _loaded(folder, folder.resolve(), made, providers and tuple(providers), threads)


@lru_cache(maxsize=4)
def _loaded(
    folder: Path, place: Path, made: int, providers: tuple[str, ...] | None, threads: int
) -> Model:
    """The model of a folder; `place` and `made` tell it from another one under the same name."""
    del place, made
    return Model.load(folder, providers=providers, threads=threads)
