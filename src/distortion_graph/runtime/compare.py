"""`compare`: two pictures in, a distortion graph out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from distortion_graph.backgrounds import DEFAULT_BACKGROUND, background_words
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
from distortion_graph.regions.masks import LazyMasks
from distortion_graph.regions.sources import RegionSpec, resolve_regions
from distortion_graph.runtime.assemble import assemble
from distortion_graph.runtime.decode import decode, shared_areas
from distortion_graph.runtime.names import MANIFEST_FILE
from distortion_graph.runtime.predictions import Predictions
from distortion_graph.runtime.registry import find_model
from distortion_graph.runtime.session import Model
from distortion_graph.threads import side_by_side

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
    background: str = DEFAULT_BACKGROUND,
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
        background: what transparent pixels are laid on: a CSS colour, "#rrggbb" or "checker".

    Raises:
        ImageError, RegionError, ModelError: one line each, see `distortion_graph.errors`.

    Warns:
        DistortionGraphWarning: a picture was not taken quite as it is (transparency, frames).
    """

    pictures = load_pair(anchor, target, max_pixels=max_pixels, background=background)
    for text in pair_warnings(*pictures):
        warnings.warn(text, DistortionGraphWarning, stacklevel=2)
    return compare_pictures(
        pictures[0], pictures[1], regions=regions, model=model, evidence=evidence, fit=fit
    )


def load_pair(
    anchor: ImageSource | Picture,
    target: ImageSource | Picture,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    background: str = DEFAULT_BACKGROUND,
) -> tuple[Picture, Picture]:
    """`load_picture` of both, at the same time where they are files; raises ImageError."""

    def anchors() -> Picture:
        name = _unnamed(anchor, "anchor")
        return load_picture(anchor, max_pixels=max_pixels, name=name, background=background)

    def targets() -> Picture:
        name = _unnamed(target, "target")
        return load_picture(target, max_pixels=max_pixels, name=name, background=background)

    # Pillow images may share a file that only one thread can read.
    files = all(isinstance(source, str | Path | bytes) for source in (anchor, target))
    return side_by_side(anchors, targets) if files else (anchors(), targets())


def pair_warnings(anchor: Picture, target: Picture) -> tuple[str, ...]:
    """What a person should know of two pictures: their own warnings, and transparency that differs.

    One line each. Where only one picture is transparent, its own warning says enough, unless
    nothing else tells the two apart.
    """
    found = (*anchor.warnings, *target.warnings)
    share = _alpha_difference(anchor, target)
    equal = share > 0 and np.array_equal(anchor.rgb, target.rgb)
    if share == 0 or not (equal or (anchor.alpha is not None and target.alpha is not None)):
        return found
    laid = background_words(anchor.background or target.background or DEFAULT_BACKGROUND)
    names = f"{anchor.source or 'anchor'} and {target.source or 'target'}"
    differ = f"differ in transparency ({100 * share:.1f} % of the pixels)"
    if equal:
        return (*found, f"{names} are equal once laid on {laid}; they {differ}")
    return (*found, f"{names} {differ}; what is compared is what they look like on {laid}")


def _alpha_difference(anchor: Picture, target: Picture) -> float:
    """The share of pixels whose alpha differs; 0 where the pictures have two sizes."""
    if anchor.size != target.size or (anchor.alpha is None and target.alpha is None):
        return 0.0
    opaque = np.full(anchor.size, 255, np.uint8)
    first, second = (opaque if p.alpha is None else p.alpha for p in (anchor, target))
    return float((first != second).mean())


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
    found = resolve_regions(regions, anchor, fitted)
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
    )


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
    where there already are some, so that none is decoded twice.
    """
    hashes = rgb_sha256(anchor.rgb), rgb_sha256(target.rgb)
    different = {region.rle.counts: region.rle for region in regions}
    place = {code: k for k, code in enumerate(sorted(different))}
    masks = (masks or regions.lazy_masks()).pick(different[code] for code in place)
    pair = (anchor.rgb, target.rgb) if hashes[0] <= hashes[1] else (target.rgb, anchor.rgb)
    predictions = model.predict(*pair, masks)
    if hashes[0] > hashes[1]:
        predictions = predictions.swapped()
    elif hashes[0] == hashes[1]:
        predictions = predictions.symmetric()
    return predictions.reorder([place[region.rle.counts] for region in regions])


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
