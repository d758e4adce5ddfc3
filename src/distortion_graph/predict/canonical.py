"""Predictions in a canonical order, so that their bits depend on nothing else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.container import RegionSet
from distortion_graph.masks.masks import LazyMasks, Masks, crops
from distortion_graph.measure.differences import changed_pixels
from distortion_graph.pictures.images import Picture, rgb_sha256
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model
from distortion_graph.predict.views import View


def predict_canonically(
    model: Model,
    anchor: Picture,
    target: Picture,
    regions: RegionSet,
    masks: LazyMasks | None = None,
    original: int | None = None,
) -> Predictions:
    """Predictions whose bits depend on the pictures and masks, not on the order they came in.

    The model is run once, pictures ordered by the hash of their pixels, each different mask once
    and ordered by its run lengths; then the caller's order is restored. `masks` are the regions',
    where there already are some, so that none is decoded twice. `original` is the side, 0 or 1,
    that is known to be the original. A region whose pixels are equal in
    both pictures is the same in both, whatever the model says (`Predictions.where_equal`).
    """
    hashes = rgb_sha256(anchor.rgb), rgb_sha256(target.rgb)
    different = {region.rle.counts: region.rle for region in regions}
    place = {code: k for k, code in enumerate(sorted(different))}
    masks = (masks or regions.lazy_masks()).pick(different[code] for code in place)
    exchanged = hashes[0] > hashes[1]
    pair = (target.rgb, anchor.rgb) if exchanged else (anchor.rgb, target.rgb)
    if exchanged and original is not None:
        original = 1 - original
    predictions = model.predict(*pair, masks, original)
    if exchanged:
        predictions = predictions.swapped()
    identical = hashes[0] == hashes[1]
    equal = np.ones(len(masks), np.bool_) if identical else equal_inside(*pair, masks)
    predictions = predictions.where_equal(equal, scene=identical)
    return predictions.reorder([place[region.rle.counts] for region in regions])


def predict_view_canonically(
    model: Model,
    view: View,
    hashes: tuple[str, str],
    regions: Sequence[tuple[str, str]],
    original: int | None = None,
) -> Predictions:
    """`predict_canonically` for pictures that do not lie on each other as they are.

    `hashes` are of the whole pictures' pixels, `regions` the run lengths of each region's masks on
    anchor and target; both tell the order. No region counts as equal in both pictures: one of them
    is resampled.
    """
    exchanged = hashes[0] > hashes[1]
    keys = [key[::-1] if exchanged else key for key in regions]
    chosen: dict[tuple[str, str], int] = {}
    for k, key in enumerate(keys):
        chosen.setdefault(key, k)
    place = {key: k for k, key in enumerate(sorted(chosen))}
    ordered = (view.swapped() if exchanged else view).pick([chosen[key] for key in place])
    if exchanged and original is not None:
        original = 1 - original
    predictions = model.predict_view(ordered, original)
    if exchanged:
        predictions = predictions.swapped()
    return predictions.reorder([place[key] for key in keys])


def equal_inside(
    first: NDArray[np.uint8], second: NDArray[np.uint8], masks: Masks
) -> NDArray[np.bool_]:
    """(R,): whether all pixels of a region are equal in both pictures."""
    changed = changed_pixels(first, second)
    return np.array([not (changed[c.box.area] & c.mask).any() for c in crops(masks)], np.bool_)
