"""`compare`: two pictures in, a distortion graph out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.differences import (
    DifferenceMap,
    MeasuredDifferences,
    changed_pixels,
    find_differences,
)
from distortion_graph.errors import DistortionGraphWarning, ImageError, ModelError
from distortion_graph.evidence import Level, measure_evidence
from distortion_graph.graph import DistortionGraph, ModelInfo
from distortion_graph.images import (
    DEFAULT_MAX_PIXELS,
    ImageSource,
    Picture,
    load_picture,
    rgb_sha256,
)
from distortion_graph.regions.container import RegionSet
from distortion_graph.regions.masks import LazyMasks, Masks, crops
from distortion_graph.regions.sources import RegionSpec, resolve_regions
from distortion_graph.runtime.assemble import assemble
from distortion_graph.runtime.decode import decode, shared_areas
from distortion_graph.runtime.names import MANIFEST_FILE
from distortion_graph.runtime.predictions import Predictions
from distortion_graph.runtime.registry import find_model
from distortion_graph.runtime.session import Model
from distortion_graph.threads import Once, side_by_side

Fit = Literal["error", "resize"]


def compare(
    anchor: ImageSource | Picture,
    target: ImageSource | Picture,
    *,
    regions: RegionSpec = "auto",
    model: Model | str | Path | None = None,
    evidence: Level = "all",
    fit: Fit = "error",
    max_pixels: int = DEFAULT_MAX_PIXELS,
) -> DistortionGraph:
    """Compare two pictures of the same scene region by region.

    The same input gives the same graph to the bit; swapping the pictures mirrors it and permuting
    the regions permutes it, to the bit.

    Args:
        anchor: path, file bytes, Pillow image or H×W×3 uint8 array.
        target: the same; of the anchor's size unless `fit` is "resize".
        regions: masks (R, H, W) bool, a label map (H, W), a `RegionSet`, or a source such as
            "auto", "whole", "grid:3x4", "labels.png", "regions.json" (see `resolve_regions`).
        model: a loaded `Model`, a model folder, or None for the shipped one.
        evidence: what to measure between the pictures: "all", "fast" (without CIEDE2000), "none".
        fit: what to do with a target of another size: "error", or "resize" it to the anchor's.
        max_pixels: pictures of more pixels are refused.

    Raises:
        ImageError, RegionError, ModelError: one line each, see `distortion_graph.errors`.

    Warns:
        DistortionGraphWarning: a picture was not taken quite as it is (transparency, frames).
    """

    def anchors() -> Picture:
        return load_picture(anchor, max_pixels=max_pixels, name=_unnamed(anchor, "anchor"))

    def targets() -> Picture:
        return load_picture(target, max_pixels=max_pixels, name=_unnamed(target, "target"))

    # Pillow images may share a file that only one thread can read.
    files = all(isinstance(source, str | Path | bytes) for source in (anchor, target))
    pictures = side_by_side(anchors, targets) if files else (anchors(), targets())
    for picture in pictures:
        for text in picture.warnings:
            warnings.warn(text, DistortionGraphWarning, stacklevel=2)
    return compare_pictures(
        pictures[0], pictures[1], regions=regions, model=model, evidence=evidence, fit=fit
    )


def compare_pictures(
    anchor: Picture,
    target: Picture,
    *,
    regions: RegionSpec = "auto",
    model: Model | str | Path | None = None,
    evidence: Level = "all",
    fit: Fit = "error",
) -> DistortionGraph:
    """`compare` for pictures that are already loaded; their warnings are the caller's to show."""
    fitted = _fitted(anchor, target, fit)
    differences = Once(lambda: find_differences(anchor.rgb, fitted.rgb))
    found = resolve_regions(regions, anchor, fitted, differences)
    loaded = model if isinstance(model, Model) else load_model(model)
    masks = found.lazy_masks()
    predictions = predict_canonically(loaded, anchor, fitted, found, masks)
    try:
        decoded = decode(predictions, loaded.vocabulary, shared_areas(masks))
    except ModelError as problem:
        raise ModelError(f"{loaded.folder}: {problem}") from problem
    return assemble(
        decoded,
        found,
        anchor,
        target,
        vocabulary=loaded.vocabulary,
        model=ModelInfo(**asdict(loaded.identity)),
        evidence=measure_evidence(anchor.rgb, fitted.rgb, masks, evidence),
        differences=_measured(differences, masks, evidence),
    )


def _measured(
    differences: Callable[[], DifferenceMap], masks: LazyMasks, level: Level
) -> MeasuredDifferences:
    """The differences of the regions and the scene, which every level but "none" measures."""
    if level == "none":
        return MeasuredDifferences((None,) * len(masks), None)
    return differences().measure(masks)


def predict_canonically(
    model: Model,
    anchor: Picture,
    target: Picture,
    regions: RegionSet,
    masks: LazyMasks | None = None,
) -> Predictions:
    """Predictions whose bits depend on the pictures and masks, not on the order they came in.

    The model is run once, pictures ordered by the hash of their pixels, each different mask once
    and ordered by its run lengths; then the caller's order is restored. `masks` are the regions',
    where there already are some, so that none is decoded twice. A region whose pixels are equal in
    both pictures is the same in both, whatever the model says (`Predictions.where_equal`).
    """
    hashes = rgb_sha256(anchor.rgb), rgb_sha256(target.rgb)
    different = {region.rle.counts: region.rle for region in regions}
    place = {code: k for k, code in enumerate(sorted(different))}
    masks = (masks or regions.lazy_masks()).pick(different[code] for code in place)
    pair = (anchor.rgb, target.rgb) if hashes[0] <= hashes[1] else (target.rgb, anchor.rgb)
    predictions = model.predict(*pair, masks)
    if hashes[0] > hashes[1]:
        predictions = predictions.swapped()
    identical = hashes[0] == hashes[1]
    equal = np.ones(len(masks), np.bool_) if identical else _equal_inside(*pair, masks)
    predictions = predictions.where_equal(equal, scene=identical)
    return predictions.reorder([place[region.rle.counts] for region in regions])


def _equal_inside(
    first: NDArray[np.uint8], second: NDArray[np.uint8], masks: Masks
) -> NDArray[np.bool_]:
    """(R,): whether all pixels of a region are equal in both pictures."""
    changed = changed_pixels(first, second)
    return np.array([not (changed[c.box] & c.mask).any() for c in crops(masks)], np.bool_)


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


def _fitted(anchor: Picture, target: Picture, fit: Fit) -> Picture:
    """The target at the anchor's size."""
    if fit not in ("error", "resize"):
        raise ImageError(f"fit is {fit!r}, expected 'error' or 'resize'")
    if target.size == anchor.size:
        return target
    if fit == "error":
        raise ImageError(
            f"{target.source or 'target'}: is {target.width}×{target.height}, expected "
            f"{anchor.width}×{anchor.height} as {anchor.source or 'anchor'}; "
            "--fit resize (fit='resize') scales the target to the anchor's size"
        )
    shrinks = target.width * target.height > anchor.width * anchor.height
    way = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    resized = cv2.resize(target.rgb, (anchor.width, anchor.height), interpolation=way)
    return load_picture(np.asarray(resized, np.uint8))


def _unnamed(source: object, side: str) -> str | None:
    """What to call a picture that came without a path."""
    return None if isinstance(source, str | Path | Picture) else side
