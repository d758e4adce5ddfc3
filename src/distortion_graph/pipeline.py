"""`compare`: two pictures in, a distortion graph out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DistortionGraphWarning, ModelError
from distortion_graph.graph import DistortionGraph, Fitting, ModelInfo
from distortion_graph.graph.build import assemble, shared_areas
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks, Masks, crops
from distortion_graph.measure.differences import (
    NO_DIFFERENCES,
    DifferenceMap,
    MeasuredDifferences,
    changed_pixels,
    find_differences,
)
from distortion_graph.measure.evidence import NO_EVIDENCE, Level, MeasuredEvidence, measure_evidence
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND, background_words
from distortion_graph.pictures.images import (
    DEFAULT_MAX_PIXELS,
    ImageSource,
    Picture,
    load_picture,
    rgb_sha256,
)
from distortion_graph.predict.decode import decode
from distortion_graph.predict.names import MANIFEST_FILE
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.registry import find_model
from distortion_graph.predict.session import Model
from distortion_graph.predict.sizes import Fit, Fitted, fit_pair
from distortion_graph.regions.sources import RegionSpec, found_in_pictures, resolve_regions
from distortion_graph.work.threads import CachedCall, side_by_side, thread_budget

_SHOWN_IDS = 8


def _warn(text: str) -> None:
    warnings.warn(text, DistortionGraphWarning, stacklevel=2)


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
    threads: int = 0,
) -> DistortionGraph:
    """Compare two pictures of the same scene region by region.

    The same input gives the same graph to the bit; swapping the pictures mirrors it and permuting
    the regions permutes it, to the bit.

    Args:
        anchor: path, file bytes, Pillow image or H×W×3 uint8 array.
        target: the same; of the anchor's size unless `fit` says what to do with another one.
        regions: masks (R, H, W) bool, a label map (H, W), a `RegionSet`, or a source such as
            "auto", "whole", "grid:3x4", "labels.png", "regions.json" (see `resolve_regions`).
        model: a loaded `Model`, a model folder, or None for the shipped one.
        evidence: what to measure between the pictures: "all", "fast" (without CIEDE2000), "none".
        fit: what to do with a target of another size: "error"; "crop", compare the common part of
            the two from their top left corner; "resize" the target to the anchor's size where both
            have the same shape within a pixel, or "resize!" in any case.
        max_pixels: pictures of more pixels are refused.
        background: what transparent pixels are laid on: a CSS colour, "#rrggbb" or "checker".
        threads: at most so many work at once, this one among them; 0 for as many as the model was
            loaded with, which by default is one per core that the process may use.

    Raises:
        ImageError, RegionError, ModelError: one line each, see `distortion_graph.base.errors`.

    Warns:
        DistortionGraphWarning: a picture was not taken quite as it is (transparency, frames), or a
            region lies outside the common part.
    """

    of_model = model.threads if isinstance(model, Model) else 0
    with thread_budget(threads or of_model):
        pictures = load_pair(anchor, target, max_pixels=max_pixels, background=background)
    notes = list(pair_warnings(*pictures))
    graph = compare_pictures(
        *pictures,
        regions=regions,
        model=model,
        evidence=evidence,
        fit=fit,
        threads=threads,
        warn=notes.append,
    )
    for text in notes:
        warnings.warn(text, DistortionGraphWarning, stacklevel=2)
    return graph


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
    threads: int = 0,
    warn: Callable[[str], object] = _warn,
) -> DistortionGraph:
    """`compare` for pictures that are already loaded; their own warnings are the caller's to show.

    `warn` is told, in a line, of what else is left out; by default Python's warnings are.
    """
    loaded = model if isinstance(model, Model) else load_model(model)
    with thread_budget(threads or loaded.threads):
        pair = fit_pair(anchor, target, fit)
        differences = CachedCall(lambda: find_differences(pair.anchor.rgb, pair.target.rgb))
        found = _regions_of(regions, anchor, pair, differences, warn)
        masks = found.lazy_masks()
        predictions = predict_canonically(loaded, pair.anchor, pair.target, found, masks)
        measured = measure_evidence(pair.anchor.rgb, pair.target.rgb, masks, evidence)
        try:
            return build_graph(
                loaded,
                predictions,
                found,
                anchor,
                target,
                masks=masks,
                evidence=measured,
                differences=_measured(differences, masks, evidence),
                fit=pair.how,
            )
        except ModelError as problem:
            raise ModelError(f"{loaded.folder}: {problem}") from problem


def build_graph(
    model: Model,
    predictions: Predictions,
    regions: RegionSet,
    anchor: Picture,
    target: Picture,
    *,
    masks: LazyMasks | None = None,
    evidence: MeasuredEvidence = NO_EVIDENCE,
    differences: MeasuredDifferences = NO_DIFFERENCES,
    fit: Fitting | None = None,
) -> DistortionGraph:
    """The graph of what a model said: the one way from predictions to a graph.

    `masks` are the regions', where there already are some, so that none is decoded twice; `fit` is
    how pictures of unequal size were compared. Raises ModelError for predictions that do not fit
    the model's vocabulary.
    """
    masks = masks or regions.lazy_masks()
    areas = shared_areas(masks)
    return assemble(
        decode(predictions, model.vocabulary, areas),
        regions,
        anchor,
        target,
        vocabulary=model.vocabulary,
        masks=masks,
        model=ModelInfo(**asdict(model.identity)),
        evidence=evidence,
        differences=differences,
        fit=fit,
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
    return np.array([not (changed[c.box.area] & c.mask).any() for c in crops(masks)], np.bool_)


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


def _regions_of(
    spec: RegionSpec,
    anchor: Picture,
    pair: Fitted,
    differences: Callable[[], DifferenceMap],
    warn: Callable[[str], object],
) -> RegionSet:
    """The regions of what is compared; masks that are given lie on the whole anchor."""
    if pair.how != "crop" or found_in_pictures(spec):
        return resolve_regions(spec, pair.anchor, pair.target, differences)
    given = resolve_regions(spec, anchor, anchor)
    found = given.cut_to(pair.anchor.size)
    outside = [str(number) for number in given.ids if number not in set(found.ids)]
    if outside:
        few = ", ".join(outside[:_SHOWN_IDS]) + ", …" * (len(outside) > _SHOWN_IDS)
        warn(
            f"{len(outside)} region{'s' * (len(outside) > 1)} outside the common part of the "
            f"pictures, left out: {few}"
        )
    return found


def _unnamed(source: object, side: str) -> str | None:
    """What to call a picture that came without a path."""
    return None if isinstance(source, str | Path | Picture) else side
