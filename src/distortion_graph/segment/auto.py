"""Automatic regions: superpixels of the pair's mean picture, merged to about 5 … 25 regions.

Where the two pictures differ in a few places only, each place is a region of its own.

Superpixels (`superpixels`) are joined pairwise, cheapest first (`merging`): by mean L*a*b*
colour, local contrast, and the contrast along the common border.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.container import RegionSet
from distortion_graph.segment.merging import SMALLEST_PX, Merger, borders_of
from distortion_graph.segment.superpixels import (
    by_place,
    connected_parts,
    enlarged,
    look,
    reduced,
    superpixels,
    work_size,
)

if TYPE_CHECKING:
    from distortion_graph.measure.differences import DifferenceMap

MAX_REGIONS = 25
MIN_REGIONS = 5
MOST_PLACES = 8
"""Places where the pictures differ that become regions, the largest first."""

# Chosen by overlap with outlines that people drew on photographs, BSDS train:
_SUPERPIXELS = 450
_CHANNELS = np.array([1.0, 1.5, 1.5], np.float32)  # of L*, a* and b*, for superpixels
_COMPACTNESS = 12.0  # difference of these that weighs as much as one superpixel's width
_ITERATIONS = 5
_TEXTURE_WEIGHT = 3.0  # of local contrast against colour
_STOP_COST = 176.0  # a join that costs more hides too much
_LOCAL_SHARE = 0.2  # spots on more of the picture than this are no places


def auto_regions(
    picture: NDArray[np.uint8],
    other: NDArray[np.uint8] | None = None,
    differences: DifferenceMap | None = None,
) -> RegionSet:
    """Regions of the mean of two (H, W, 3) uint8 pictures, or of one; the size is the first's.

    Every pixel has a region, every region is connected (4-neighbours) and, unless it is the only
    one, at least about 0.8 % of the picture and 36 pixels. At most 25 regions, at least 5 unless
    fewer differ visibly or have room; a flat picture is one. Ids run from 1 by place (top to
    bottom, left to right of the first pixel). The same for the two pictures in either order.

    Where two pictures of one size differ in some places and not all over (`places_of`), the regions
    are those of the mean picture with a region for each of these places cut out of them, however
    small it is. `differences` are those of the two pictures, where they are already known.
    """
    h, w = picture.shape[:2]
    size = work_size(h, w)
    mean = reduced(picture, size)
    if other is not None:
        # Summed before halving: the order of two summands changes no bit.
        mean = (mean + reduced(other, size)) / np.float32(2)
    features = _features(mean)
    segments = superpixels(features[..., :3] * _CHANNELS, _SUPERPIXELS, _COMPACTNESS, _ITERATIONS)
    places = None
    if other is not None and other.shape == picture.shape:
        # Deferred: whoever only names regions need not load OpenCV.
        from distortion_graph.measure.differences import find_differences

        places = places_of(differences or find_differences(picture, other), size)
    labels = _merge(segments, features, places)
    return RegionSet.from_label_map(enlarged(by_place(labels), (h, w)), source="auto")


def places_of(differences: DifferenceMap, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """(h, w) of that size: the number of a place where the pictures differ, from 1, or 0.

    A place is the convex hull of a spot and the pixels around it, so that it is in one piece and
    nothing of the spot is left outside. None where the pictures do not differ in places: without
    a spot, with spots on more than a fifth of the picture, or where more than a quarter of the
    pixels outside the spots are not equal either, as after a distortion all over.
    """
    import cv2

    if not differences.is_local(_LOCAL_SHARE):
        return None
    scale = np.array(size[::-1]) / np.array(differences.classes.shape[::-1])
    labels = np.zeros(size, np.uint8)
    # The largest first: a place inside another stays visible.
    for number, outline in enumerate(differences.outlines()[:MOST_PLACES], start=1):
        points = np.floor(outline * scale).astype(np.int32)
        place = np.zeros(size, np.uint8)
        cv2.fillConvexPoly(place, cv2.convexHull(points), 1)
        grown = cv2.dilate(place, np.ones((3, 3), np.uint8))
        while np.count_nonzero(grown) < min(SMALLEST_PX, grown.size):
            grown = cv2.dilate(grown, np.ones((3, 3), np.uint8))
        labels[grown > 0] = number
    return labels


def _features(mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 4): L*, a*, b* and weighted local contrast."""
    features = look(mean)
    features[..., 3] *= np.float32(_TEXTURE_WEIGHT)
    return features


def _merge(
    labels: NDArray[np.int64],
    features: NDArray[np.float32],
    places: NDArray[np.uint8] | None = None,
) -> NDArray[np.int64]:
    most = MAX_REGIONS - (0 if places is None else int(places.max()))
    merger = Merger(labels, features, borders_of(labels, features[..., :3]))
    merger.merge_cheapest(most, most, 0.0)
    # Slivers go before the last merges, which then see regions of a size that counts.
    merger.absorb_small()
    merger.merge_cheapest(most, MIN_REGIONS, _STOP_COST)
    merged = merger.labels(labels)
    return merged if places is None else _cut_out(merged, features, places)


def _cut_out(
    labels: NDArray[np.int64], features: NDArray[np.float32], places: NDArray[np.uint8]
) -> NDArray[np.int64]:
    """The map with every place as a region; what it cuts off and is too small joins another."""
    pieces = connected_parts(np.where(places > 0, labels.max() + places, labels))
    sizes = np.bincount(pieces.ravel())
    cut = np.unique(pieces[places > 0])
    fixed = cut[sizes[cut] >= SMALLEST_PX].tolist()
    merger = Merger(pieces, features, borders_of(pieces, features[..., :3]), fixed)
    merger.absorb_small()
    merger.merge_cheapest(MAX_REGIONS, MAX_REGIONS, 0.0)
    return merger.labels(pieces)
