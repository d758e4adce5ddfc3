"""A pair as far as rules look at it: what is ignored is made equal before anything is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.batch.worker import Comparing, loaded_model
from distortion_graph.gate.places import pixels_of
from distortion_graph.gate.policy import Places, Rules
from distortion_graph.graph import DistortionGraph, Side
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.antialiasing import antialiased, redrawn
from distortion_graph.measure.differences import find_differences
from distortion_graph.pictures.images import Picture
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.session import Model
from distortion_graph.predict.sizes import Fit, fit_pair, with_pixels
from distortion_graph.regions import RegionSpec, resolve_regions
from distortion_graph.regions.spec import Auto, Distortions, Grid, Whole

Bools = NDArray[np.bool_]

_EXPLAINED = {"edges": antialiased, "text": redrawn}
_NEAR_PX = 13
"""Side of the square around a pixel that is not explained, in which nothing is."""


@dataclass(frozen=True)
class Seen:
    """What was seen of a pair.

    `pair` are the pictures as they were read, `shown` what was compared of them, with what was
    ignored; `sizes` the two sizes (h, w) where they are not the same and nothing says what to do,
    and the common part was compared. `graph` is None where nothing that counts differs. `counted`
    are the pixels (H, W) that differ visibly and where they may not; None without a rule of them.
    `ids_stay`: whether a region has the same id whatever the pictures show.
    """

    pair: tuple[Picture, Picture]
    shown: tuple[Picture, Picture]
    sizes: tuple[tuple[int, int], tuple[int, int]] | None
    graph: DistortionGraph | None
    counted: Bools | None
    ids_stay: bool


def see(
    how: Comparing,
    rules: Rules,
    pair: tuple[Picture, Picture],
    *,
    original: Picture | Side | None = None,
    regions: str | RegionSet | None = None,
    model: Model | None = None,
    warn: Callable[[str], object] = lambda _: None,
) -> Seen:
    """Look at a pair as its rules say; `regions` and `original` are its own where it has some.

    Raises as `compare` does, and PolicyError for places that do not fit the pictures.
    """
    anchor, target = pair
    source = how.regions if regions is None else regions
    spec = RegionSpec.parse(source) if isinstance(source, str) else source
    stay = isinstance(spec, RegionSet | Grid | Whole) or not spec.found_in_pictures
    if how.align != "none":
        graph = _compared(how, pair, spec, original, model, warn)
        return Seen(pair, pair, None, graph, None, stay)
    sizes = None if anchor.size == target.size or how.fit != "error" else (anchor.size, target.size)
    fitted = fit_pair(anchor, target, "crop" if sizes else how.fit)
    shown = fitted.anchor, fitted.target
    found = _regions(spec, anchor, shown, rules, warn)
    ignored = _pixels(rules.ignore, "ignore", anchor, found, shown) if rules.ignore else None
    judged = without(ignored, rules.ignore.antialiasing, shown)
    if judged is None and sizes is None:
        return Seen(pair, shown, sizes, None, None, stay)
    judged = judged or shown
    counted = None
    if rules.differs is not None:
        counted = find_differences(*(picture.rgb for picture in judged)).visible
        counted &= ~_pixels(rules.differs.outside, "differs.outside", anchor, found, shown)
    if found is not None and found.size != shown[0].size:
        found = found.cut_to(shown[0].size)
    fit: Fit = "crop" if sizes else how.fit
    graph = _compared(how, judged, found or spec, original, model, warn, fit)
    return Seen(pair, shown, sizes, graph, counted, stay)


def without(
    ignored: Bools | None,
    antialiasing: Literal["edges", "text"] | None,
    pair: tuple[Picture, Picture],
) -> tuple[Picture, Picture] | None:
    """The pair with the anchor's pixels in the target wherever nobody looks.

    That is where `ignored` (H, W) is, and where another drawing explains what differs
    (`gate.policy.Ignored`). None where the two pictures are then equal.
    """
    anchor, target = pair
    rgb = target.rgb
    if ignored is not None:
        rgb = np.where(ignored[..., None], anchor.rgb, rgb)
    if antialiasing is not None:
        rgb = _drawn_alike(anchor.rgb, rgb, antialiasing)
    if np.array_equal(rgb, anchor.rgb):
        return None
    return pair if rgb is target.rgb else (anchor, with_pixels(target, rgb))


def _pixels(
    places: Places,
    key: str,
    anchor: Picture,
    regions: RegionSet | None,
    shown: tuple[Picture, Picture],
) -> Bools:
    """Pixels of places of the whole anchor, on what is compared of it."""
    height, width = shown[0].size
    return pixels_of(places, anchor, regions, key)[:height, :width]


def _drawn_alike(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], how: Literal["edges", "text"]
) -> NDArray[np.uint8]:
    """The anchor with the target's pixels wherever another drawing does not explain the difference.

    Those are the ones that still differ visibly where what is explained is left out, and all near
    them: of a changed letter all is shown.
    """
    explained = _EXPLAINED[how](anchor, target)
    alike = np.where(explained[..., None], anchor, target)
    left = find_differences(anchor, alike).visible
    near = cv2.dilate(left.astype(np.uint8), np.ones((_NEAR_PX, _NEAR_PX), np.uint8))
    return np.where(near[..., None] > 0, target, anchor)


def _regions(
    spec: RegionSpec | RegionSet,
    anchor: Picture,
    shown: tuple[Picture, Picture],
    rules: Rules,
    warn: Callable[[str], object],
) -> RegionSet | None:
    """Regions that are given, and those that a rule names; None where these are found later.

    Those that are given lie on the whole anchor.
    """
    if isinstance(spec, RegionSet) or not spec.found_in_pictures:
        return resolve_regions(spec, anchor, anchor, warn=warn)
    if not rules.named_regions or isinstance(spec, Auto | Distortions):
        return None
    return resolve_regions(spec, *shown)


def _compared(
    how: Comparing,
    pair: tuple[Picture, Picture],
    regions: RegionSpec | RegionSet,
    original: Picture | Side | None,
    model: Model | None,
    warn: Callable[[str], object],
    fit: Fit | None = None,
) -> DistortionGraph:
    return compare_pictures(
        *pair,
        regions=regions,
        model=model or loaded_model(how),
        reference=original,
        score_metric=how.score_metric,
        scale=how.scale,
        evidence=how.evidence,
        align=how.align,
        fit=fit or how.fit,
        warn=warn,
    )
