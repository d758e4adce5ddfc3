"""`compare`: two pictures in, a distortion graph out.

`compare_pictures` is the one way from pictures and regions to a graph. Each of its steps is one
function: `fit_pair`, `fit_reference`, `regions_of`, `AskedPair`, `measure_pair`, `decode`,
`assemble`.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from distortion_graph.base.counting import counted
from distortion_graph.base.errors import (
    DistortionGraphWarning,
    ImageError,
    ModelError,
    RegionError,
    warn_user,
)
from distortion_graph.base.vocabulary import Scale
from distortion_graph.graph import SIDES, DistortionGraph, ReferenceInfo, Side
from distortion_graph.graph.build import Decoded, assemble, picture_info, shared_areas
from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks
from distortion_graph.measure.differences import (
    NO_DIFFERENCES,
    DifferenceMap,
    MeasuredDifferences,
    find_differences,
)
from distortion_graph.measure.evidence import Level, MeasuredEvidence, measure_evidence
from distortion_graph.measure.metrics.measuring import MeasuredMetrics, measure_metrics
from distortion_graph.measure.metrics.metric import MapMetric
from distortion_graph.measure.metrics.registry import map_metrics
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric, get_metric
from distortion_graph.pictures.align import Alignment, AlignMode
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS, ImageSource, Picture
from distortion_graph.pictures.pairs import load_pair, load_reference, pair_warnings
from distortion_graph.pictures.turning import Turn, turned
from distortion_graph.pipeline.laying import alignment_info, lay, not_moved, off_the_original
from distortion_graph.predict.against import Original
from distortion_graph.predict.answers import Answer
from distortion_graph.predict.asked import AskedBeside, AskedPair
from distortion_graph.predict.decode import decode
from distortion_graph.predict.session import Model, load_model
from distortion_graph.predict.sizes import Fit, Fitted, fit_pair, fit_reference
from distortion_graph.regions import Asked, RegionSource, RegionSpec, resolve_regions
from distortion_graph.work.threads import CachedCall, thread_budget

_SHOWN_IDS = 8


class Measured(NamedTuple):
    """What is measured between two pictures, without a model."""

    evidence: MeasuredEvidence
    metrics: MeasuredMetrics
    differences: MeasuredDifferences


def compare(
    anchor: ImageSource | Picture,
    target: ImageSource | Picture,
    *,
    regions: RegionSource = "auto",
    target_regions: RegionSource | None = None,
    reference: ImageSource | Picture | None = None,
    score_metric: str | FullReferenceMetric = HAARPSI.name,
    scale: Scale = "common",
    model: Model | str | Path | None = None,
    evidence: Level = "all",
    metrics: Sequence[str] = (),
    align: AlignMode = "auto",
    fit: Fit = "error",
    rotate: Turn = 0,
    strict: bool = False,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    background: str = DEFAULT_BACKGROUND,
    threads: int = 0,
    warn: Callable[[str], object] | None = None,
) -> DistortionGraph:
    """Compare two pictures of the same scene region by region.

    The same input gives the same graph to the bit; swapping the pictures mirrors it and permuting
    the regions permutes it, to the bit.

    Args:
        anchor: path, file bytes, Pillow image or H×W×3 uint8 array.
        target: the same, of any size that alignment finds on the anchor.
        regions: masks (R, H, W) bool, a label map (H, W), a `RegionSet`, or a spec such as "auto",
            "distortions", "whole", "grid:3x4", "labels.png" (see `resolve_regions`).
        target_regions: masks of the target where it has its own; they are matched with `regions`,
            which are then masks of the anchor, and a region without a partner stands alone.
        reference: the original that both were made from, where there is one: a picture of their
            size, or "anchor" or "target" where it is one of the two. Scores are then measured
            against it, and comparisons follow from them. All of them must lie on each other pixel
            by pixel: nothing is aligned.
        score_metric: the full-reference metric of these scores: the name of a registered one
            (`measure.quality.metric_names`), or one itself.
        scale: "common", the steps of the model's vocabulary; "fine", steps for near-lossless work
            (`base.vocabulary.FINE_COMPARISONS`).
        model: a loaded `Model`, a model folder, or None for the shipped one.
        evidence: what to measure between the pictures: "all", "fast" (without CIEDE2000), "none".
        metrics: names of further metrics to measure, at any level of evidence: "flip", "gmsd",
            "ms_ssim", "ssimulacra2", "vif" or registered ones (docs/metrics.md).
        align: how the target may lie on the anchor: "auto", the simplest of none, translation,
            similarity and homography that explains the pictures; one of these; "flow", small local
            motion too; "none", the two are compared pixel by pixel. Pictures that lie on each other
            are compared as with "none", to the bit.
        fit: what to do with a target of another size instead: "error", align it; "crop", compare
            the common part of the two from their top left corner; "resize" the target to the
            anchor's size where both have the same shape within a pixel, or "resize!" in any case.
        rotate: turn the target clockwise by 90, 180 or 270 degrees first.
        strict: refuse pictures that alignment is in doubt of (`DistortionGraph.alignment.reason`)
            instead of warning.
        max_pixels: pictures of more pixels are refused.
        background: what transparent pixels are laid on: a CSS colour, "#rrggbb" or "checker".
        threads: at most so many work at once, this one among them; 0 for as many as the model was
            loaded with, which by default is one per core that the process may use.
        warn: is told of each warning, in a line, instead of Python's warnings.

    Raises:
        DistortionGraphError: what was given is at fault, in one line: an ImageError, RegionError,
            ModelError, RecipeError (an unknown metric) or VocabularyError (an unknown scale).

    Warns:
        DistortionGraphWarning: a picture was not taken quite as it is (transparency, frames), or a
            region lies outside the common part.
    """

    of_model = model.threads if isinstance(model, Model) else 0
    with thread_budget(threads or of_model):
        first, second = load_pair(anchor, target, max_pixels=max_pixels, background=background)
        pictures = first, turned(second, rotate)
        original = load_reference(reference, max_pixels=max_pixels, background=background)
    notes = list(pair_warnings(*pictures))
    if isinstance(original, Picture):
        notes += original.warnings
    graph = compare_pictures(
        *pictures,
        regions=regions,
        target_regions=target_regions,
        reference=original,
        score_metric=score_metric,
        scale=scale,
        model=model,
        evidence=evidence,
        metrics=metrics,
        align=align,
        fit=fit,
        strict=strict,
        threads=threads,
        warn=notes.append,
    )
    for text in notes:
        if warn is None:
            warnings.warn(text, DistortionGraphWarning, stacklevel=2)
        else:
            warn(text)
    return graph


def compare_pictures(
    anchor: Picture,
    target: Picture,
    *,
    regions: RegionSource = "auto",
    target_regions: RegionSource | None = None,
    reference: Picture | Side | None = None,
    score_metric: str | FullReferenceMetric = HAARPSI.name,
    scale: Scale = "common",
    model: Model | str | Path | None = None,
    evidence: Level = "all",
    metrics: Sequence[str] = (),
    align: AlignMode = "auto",
    laid: Alignment | None = None,
    fit: Fit = "error",
    strict: bool = False,
    threads: int = 0,
    warn: Callable[[str], object] = warn_user,
) -> DistortionGraph:
    """`compare` for pictures that are already loaded; their own warnings are the caller's to show.

    `laid` is how the target lies on the anchor where that is known already, such as from another
    frame of the same shot: nothing is looked for then. `warn` is told, in a line, of what else is
    left out; by default Python's warnings are.
    """
    further = map_metrics(metrics)
    loaded = model if isinstance(model, Model) else load_model(model)
    with thread_budget(threads or loaded.threads):
        mode = _mode_with(reference, align, target_regions)
        alignment = laid or lay(anchor, target, mode, fit, strict=strict, warn=warn)
        if target_regions is not None and alignment is None:
            alignment = not_moved(anchor, target, fit)
        if alignment is not None and not (alignment.registered and target_regions is None):
            # Most pairs are registered, and need none of this.
            from distortion_graph.pipeline.aligned import compare_aligned
            from distortion_graph.pipeline.pair_regions import AlignedPair

            aligned = AlignedPair.of(anchor, target, alignment)
            return compare_aligned(
                loaded, aligned, regions, target_regions, evidence, warn, further, scale
            )
        pair = fit_pair(anchor, target, fit)
        original = original_of(pair, reference, score_metric, fit)
        for line in _moved(pair, original, align):
            warn(line)
        differences = CachedCall(lambda: find_differences(pair.anchor.rgb, pair.target.rgb))
        asked = asked_of(loaded, pair, original)
        shared = regions_of(regions, anchor, pair, differences, warn, asked)
        masks = shared.lazy_masks()
        answer = asked.answer(shared, masks, scale)
        side = reference if isinstance(reference, str) else None
        measured = measure_pair(pair, masks, evidence, differences, further, side)
        return assemble(
            _decoded(loaded, answer, masks),
            shared,
            anchor,
            target,
            vocabulary=answer.vocabulary,
            masks=masks,
            model=loaded.identity.info,
            evidence=measured.evidence,
            metrics=measured.metrics,
            differences=measured.differences,
            fit=pair.how,
            alignment=None if alignment is None else alignment_info(alignment, None),
            reference=_reference_info(reference),
            scores=answer.scores,
        )


def _moved(pair: Fitted, original: Original | None, mode: AlignMode) -> Iterator[str]:
    """What to say of pictures that do not lie on their original, unless nobody asks."""
    if original is None or mode == "none":
        return
    for name, picture in zip(SIDES, (pair.anchor, pair.target), strict=True):
        line = off_the_original(picture, original.picture, name)
        if line is not None:
            yield line


def _mode_with(
    reference: Picture | Side | None, mode: AlignMode, target_regions: RegionSource | None
) -> AlignMode:
    """How the target may lie on the anchor: pixel by pixel where there is an original."""
    if reference is None:
        return mode
    if target_regions is not None:
        raise RegionError(
            "--target-regions are for pictures that do not lie on each other; with --reference "
            "they do, expected --regions alone"
        )
    if mode in ("auto", "none"):
        return "none"
    raise ImageError(
        f"--align {mode} moves the target, and a reference lies on both pictures pixel by pixel; "
        "expected --align none with --reference"
    )


def original_of(
    pair: Fitted,
    reference: Picture | Side | None,
    metric: str | FullReferenceMetric = HAARPSI.name,
    fit: Fit = "error",
) -> Original | None:
    """The original of a fitted pair, as it lies on both pictures; None where there is none.

    Raises ImageError for one that does not lie on them or a side of another name, RecipeError for
    an unknown metric.
    """
    if reference is None:
        return None
    chosen = get_metric(metric) if isinstance(metric, str) else metric
    if isinstance(reference, Picture):
        return Original(fit_reference(reference, pair, fit), chosen)
    if reference not in SIDES:
        raise ImageError(
            f"reference is {reference!r}, expected a picture, or 'anchor' or 'target' where it is "
            "one of the two"
        )
    return Original(pair.anchor if reference == "anchor" else pair.target, chosen)


def asked_of(model: Model, pair: Fitted, original: Original | None) -> AskedPair:
    """The model to be asked about a fitted pair, beside its original where that is known."""
    if original is None:
        return AskedPair(model, pair.anchor, pair.target)
    return AskedBeside(model, pair.anchor, pair.target, (original, original))


def _reference_info(reference: Picture | Side | None) -> ReferenceInfo | None:
    if reference is None:
        return None
    if isinstance(reference, Picture):
        return ReferenceInfo(role="third", picture=picture_info(reference))
    return ReferenceInfo(role=reference)


def regions_of(
    source: RegionSource,
    anchor: Picture,
    pair: Fitted,
    differences: Callable[[], DifferenceMap],
    warn: Callable[[str], object],
    asked: Asked | None = None,
) -> RegionSet:
    """The regions that a fitted pair shares; masks that are given lie on the whole `anchor`.

    Raises as `resolve_regions` does. `warn` is told of regions outside the common part, and of what
    a file of regions has beside them. `asked` is the model, for regions that are found by it.
    """
    if isinstance(source, str | Path):
        source = RegionSpec.parse(source)
    anywhere = isinstance(source, RegionSpec) and source.found_in_pictures
    if pair.how != "crop" or anywhere:
        return resolve_regions(source, pair.anchor, pair.target, differences, asked, warn)
    given = resolve_regions(source, anchor, anchor, warn=warn)
    inside = given.cut_to(pair.anchor.size)
    outside = [str(number) for number in given.ids if number not in set(inside.ids)]
    if outside:
        few = ", ".join(outside[:_SHOWN_IDS]) + ", …" * (len(outside) > _SHOWN_IDS)
        warn(
            f"{counted(len(outside), 'region')} outside the common part of the "
            f"pictures, left out: {few}"
        )
    return inside


def measure_pair(
    pair: Fitted,
    masks: LazyMasks,
    level: Level,
    differences: Callable[[], DifferenceMap],
    metrics: Sequence[MapMetric] = (),
    reference: Side | None = None,
) -> Measured:
    """Evidence of a level, further metrics, and the differences, which "none" does not have.

    `reference` is the picture that is the other one's original, where one is.
    """
    rgb = pair.anchor.rgb, pair.target.rgb
    evidence = measure_evidence(*rgb, masks, level)
    further = measure_metrics(*rgb, masks, metrics, reference)
    differing = NO_DIFFERENCES if level == "none" else differences().measure(masks)
    return Measured(evidence, further, differing)


def _decoded(model: Model, answer: Answer, masks: LazyMasks) -> Decoded:
    try:
        return decode(
            answer.predictions,
            answer.vocabulary,
            shared_areas(masks),
            model.decoding,
            by_margin=answer.by_margin,
        )
    except ModelError as problem:
        raise ModelError(f"{model.folder}: {problem}") from problem
