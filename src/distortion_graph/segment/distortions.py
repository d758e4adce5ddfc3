"""Regions by what is wrong in them: where in two pictures is which distortion?

Superpixels of both pictures are the cells about which a model is asked. Neighbours are joined,
cheapest pair first (`merging`), by what the model believes of them, how the two pictures differ in
colour and local contrast, and the contrast along their border in both. The model is then asked
about what came out, and touching regions of one answer are joined until there are none.

The model is behind a protocol (`Asked`), so that this room needs no network. Nothing is random.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.container import RegionSet
from distortion_graph.segment.auto import MAX_REGIONS, places_of
from distortion_graph.segment.merging import SMALLEST_PX, Merger, borders_of
from distortion_graph.segment.region_names import region_names
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

# All chosen on hard pairs of BSDS train by benchmarks/found_distortions.py:
_CELLS = 200
_COMPACTNESS = 12.0  # difference of colours that weighs as much as one cell's width
_ITERATIONS = 5
_MEAN_WEIGHT = 0.5  # of what both pictures show against how they differ, for the cells' outlines
_TEXTURE_WEIGHT = 1.0  # of local contrast against colour
_DETAIL_WEIGHT = 20.0  # of twice the fine detail against a step of colour
_BELIEF_WEIGHT = 5.0  # of a factor e between two probabilities against a step of colour
_LEAST_BELIEF = 0.01  # added to probabilities, so that the unlikely ones weigh little
_CONTRAST_POWER = 0.5
_STOP_COST = 120.0  # a join that costs more hides too much


class Asked(Protocol):
    """A model that is asked about regions of one pair of pictures."""

    @property
    def clean(self) -> str:
        """The word where nothing is wrong."""
        ...

    def beliefs(self, regions: RegionSet) -> NDArray[np.float64]:
        """(2, R, D) probabilities of D labels, of the anchor and then of the target."""
        ...

    def words(self, regions: RegionSet) -> Sequence[tuple[str, str]]:
        """What people read of each of R regions in the anchor and in the target."""
        ...


class _Looks(NamedTuple):
    """Both pictures at a reduced size, in an order that depends on their pixels alone.

    Attributes:
        mean: (h, w, 3) L*a*b* of the mean of both.
        difference: (h, w, 5) half of how they differ in L*a*b*, local contrast and fine detail,
            weighted.
        both: (h, w, 6) L*a*b* of one and the other.
        exchanged: Whether the target is the first one.
    """

    mean: NDArray[np.float32]
    difference: NDArray[np.float32]
    both: NDArray[np.float32]
    exchanged: bool


def distortion_regions(
    anchor: NDArray[np.uint8],
    target: NDArray[np.uint8],
    asked: Asked,
    differences: DifferenceMap | None = None,
) -> RegionSet:
    """Regions of two (H, W, 3) uint8 pictures of one size, one for each distortion found.

    Every pixel has a region, every region is connected (4-neighbours) and, unless it is the only
    one or a place where the pictures differ (`places_of`), at least about 0.8 % of the picture.
    At most 25 regions; one where the model says the same of all. Ids run from 1 by place; names
    say what is wrong and where (`region_names`). The same for the two pictures in either order.
    `differences` are those of the two pictures, where they are already known.
    """
    if differences is None:
        from distortion_graph.measure.differences import find_differences

        differences = find_differences(anchor, target)
    full = anchor.shape[:2]
    size = work_size(*full)
    looks = _looks_of(anchor, target, size)
    cells, fixed = _cells(looks, places_of(differences, size))
    believed = asked.beliefs(_regions(cells, full))
    if looks.exchanged:
        believed = believed[::-1]
    labels = _merged(cells, fixed, looks, believed)
    while True:
        regions = _regions(labels, full)
        words = asked.words(regions)
        joined = _joined(labels, words)
        if joined.max() == labels.max():
            return regions.renamed(region_names(regions, words, asked.clean))
        labels = joined


def _regions(labels: NDArray[np.int64], size: tuple[int, int]) -> RegionSet:
    """Regions of a map of labels in the order of their places."""
    return RegionSet.from_label_map(enlarged(labels.astype(np.int32) + 1, size))


def _ordered(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """Numbers from 0 without gaps, in the order in which regions appear."""
    return by_place(labels).astype(np.int64) - 1


def _looks_of(
    anchor: NDArray[np.uint8], target: NDArray[np.uint8], size: tuple[int, int]
) -> _Looks:
    exchanged = _stands_behind(anchor, target)
    pair = (target, anchor) if exchanged else (anchor, target)
    first, second = (np.dstack([look(reduced(rgb, size)), _detail(rgb, size)]) for rgb in pair)
    half, root = np.float32(0.5), np.float32(0.5**0.5)
    difference = (first - second) * half
    difference[..., 3] *= np.float32(_TEXTURE_WEIGHT)
    difference[..., 4] *= np.float32(_DETAIL_WEIGHT)
    return _Looks(
        mean=(first + second)[..., :3] * half,
        difference=difference,
        both=np.dstack([first[..., :3], second[..., :3]]) * root,
        exchanged=exchanged,
    )


def _stands_behind(anchor: NDArray[np.uint8], target: NDArray[np.uint8]) -> bool:
    """Whether the first pixel in which they differ has the larger values in the anchor."""
    for one, other in zip(anchor, target, strict=True):
        if (one != other).any():
            return bool(one.tobytes() > other.tobytes())
    return False


def _detail(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w): the logarithm of what the picture's own pixels differ by from those around them.

    Noise, blur and blocks of a large picture show there; in its reduced pixels they do not.
    """
    import cv2

    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    fine = cv2.absdiff(grey, cv2.blur(grey, (3, 3))).astype(np.float32)
    mean = cv2.resize(fine, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(np.log2(1 + cv2.blur(mean, (5, 5))), np.float32)


def _cells(looks: _Looks, places: NDArray[np.uint8] | None) -> tuple[NDArray[np.int64], list[int]]:
    """Superpixels with every place cut out of them, and which of them are places."""
    mean = looks.mean * np.float32(_MEAN_WEIGHT)
    values = np.dstack([mean, looks.difference])
    cells = superpixels(values, _CELLS, _COMPACTNESS, _ITERATIONS)
    if places is None:
        return _ordered(cells), []
    pieces = connected_parts(np.where(places > 0, cells.max() + places, cells))
    cut = np.unique(pieces[places > 0])
    return pieces, cut[np.bincount(pieces.ravel())[cut] >= SMALLEST_PX].tolist()


def _merged(
    cells: NDArray[np.int64],
    fixed: Sequence[int],
    looks: _Looks,
    believed: NDArray[np.float64],
) -> NDArray[np.int64]:
    """Cells joined to regions, by what is believed of them, (2, R, D), and what they look like."""
    count = believed.shape[1]
    area = np.bincount(cells.ravel(), minlength=count)
    look_sums = [
        np.bincount(cells.ravel(), looks.difference[..., c].ravel().astype(float), count)
        for c in range(looks.difference.shape[2])
    ]
    beliefs = np.log(believed + _LEAST_BELIEF) * _BELIEF_WEIGHT
    means = np.concatenate([np.stack(look_sums, 1) / area[:, None], *beliefs], axis=1)
    borders = borders_of(cells, looks.both)
    merger = Merger(cells, means, borders, fixed, _CONTRAST_POWER)
    merger.merge_cheapest(MAX_REGIONS, MAX_REGIONS, 0.0)
    # Slivers go before the last merges, which then see regions of a size that counts.
    merger.absorb_small()
    merger.merge_cheapest(MAX_REGIONS, 1, _STOP_COST)
    return _ordered(merger.labels(cells))


def _joined(labels: NDArray[np.int64], words: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
    """The map with touching regions of one answer as one."""
    numbers = {answer: number for number, answer in enumerate(dict.fromkeys(words), start=1)}
    answers = np.array([numbers[answer] for answer in words])[labels]
    return connected_parts(answers)
