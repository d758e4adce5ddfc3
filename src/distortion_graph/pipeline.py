"""`compare`: two pictures in, a distortion graph out.

`compare_pictures` is the one way from pictures and regions to a graph. Each of its steps is one
function: `fit_pair`, `regions_of`, `predict_canonically`, `measure_pair`, `decode`, `assemble`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from distortion_graph.base.errors import DistortionGraphWarning, ModelError, warn_user
from distortion_graph.graph import DistortionGraph
from distortion_graph.graph.build import Decoded, assemble, shared_areas
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.measure.differences import (
    NO_DIFFERENCES,
    DifferenceMap,
    MeasuredDifferences,
    find_differences,
)
from distortion_graph.measure.evidence import Level, MeasuredEvidence, measure_evidence
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS, ImageSource, Picture
from distortion_graph.pictures.pairs import load_pair, pair_warnings
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.decode import decode
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model, load_model
from distortion_graph.predict.sizes import Fit, Fitted, fit_pair
from distortion_graph.regions import RegionSource, RegionSpec, resolve_regions
from distortion_graph.work.threads import CachedCall, thread_budget

_SHOWN_IDS = 8


class Measured(NamedTuple):
    """What is measured between two pictures, without a model."""

    evidence: MeasuredEvidence
    differences: MeasuredDifferences


def compare(
    anchor: ImageSource | Picture,
    target: ImageSource | Picture,
    *,
    regions: RegionSource = "auto",
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
        regions: masks (R, H, W) bool, a label map (H, W), a `RegionSet`, or a spec such as "auto",
            "whole", "grid:3x4", "labels.png", "regions.json" (see `resolve_regions`).
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


def compare_pictures(
    anchor: Picture,
    target: Picture,
    *,
    regions: RegionSource = "auto",
    model: Model | str | Path | None = None,
    evidence: Level = "all",
    fit: Fit = "error",
    threads: int = 0,
    warn: Callable[[str], object] = warn_user,
) -> DistortionGraph:
    """`compare` for pictures that are already loaded; their own warnings are the caller's to show.

    `warn` is told, in a line, of what else is left out; by default Python's warnings are.
    """
    loaded = model if isinstance(model, Model) else load_model(model)
    with thread_budget(threads or loaded.threads):
        pair = fit_pair(anchor, target, fit)
        differences = CachedCall(lambda: find_differences(pair.anchor.rgb, pair.target.rgb))
        shared = regions_of(regions, anchor, pair, differences, warn)
        masks = shared.lazy_masks()
        predictions = predict_canonically(loaded, pair.anchor, pair.target, shared, masks)
        measured = measure_pair(pair, masks, evidence, differences)
        return assemble(
            _decoded(loaded, predictions, masks),
            shared,
            anchor,
            target,
            vocabulary=loaded.vocabulary,
            masks=masks,
            model=loaded.identity.info,
            evidence=measured.evidence,
            differences=measured.differences,
            fit=pair.how,
        )


def regions_of(
    source: RegionSource,
    anchor: Picture,
    pair: Fitted,
    differences: Callable[[], DifferenceMap],
    warn: Callable[[str], object],
) -> RegionSet:
    """The regions that a fitted pair shares; masks that are given lie on the whole `anchor`.

    Raises as `resolve_regions` does. `warn` is told of regions outside the common part, and of what
    a file of regions has beside them.
    """
    if isinstance(source, str | Path):
        source = RegionSpec.parse(source)
    anywhere = isinstance(source, RegionSpec) and source.found_in_pictures
    if pair.how != "crop" or anywhere:
        return resolve_regions(source, pair.anchor, pair.target, differences, warn)
    given = resolve_regions(source, anchor, anchor, warn=warn)
    inside = given.cut_to(pair.anchor.size)
    outside = [str(number) for number in given.ids if number not in set(inside.ids)]
    if outside:
        few = ", ".join(outside[:_SHOWN_IDS]) + ", …" * (len(outside) > _SHOWN_IDS)
        warn(
            f"{len(outside)} region{'s' * (len(outside) > 1)} outside the common part of the "
            f"pictures, left out: {few}"
        )
    return inside


def measure_pair(
    pair: Fitted, masks: LazyMasks, level: Level, differences: Callable[[], DifferenceMap]
) -> Measured:
    """Evidence of a level, and the differences, which every level but "none" has."""
    evidence = measure_evidence(pair.anchor.rgb, pair.target.rgb, masks, level)
    if level == "none":
        return Measured(evidence, NO_DIFFERENCES)
    return Measured(evidence, differences().measure(masks))


def _decoded(model: Model, predictions: Predictions, masks: LazyMasks) -> Decoded:
    try:
        return decode(predictions, model.vocabulary, shared_areas(masks), model.decoding)
    except ModelError as problem:
        raise ModelError(f"{model.folder}: {problem}") from problem
