"""Automatic regions: superpixels of the pair's mean picture, merged to about 5 … 25 regions.

Where the two pictures differ in a few places only, each place is a region of its own.

SLIC superpixels (Achanta et al., PAMI 2012; scikit-image's) are merged pairwise, cheapest first.
Joining neighbours a and b costs (n_a·n_b/(n_a + n_b)/n)^⅔ · |f_a − f_b|² · c: Ward's criterion,
its size term softened, over mean L*a*b* colour and local contrast, times the mean contrast c
along their common border. Work is done at a reduced size, so that the cost does not grow with
the picture; nothing is random.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.container import RegionSet

if TYPE_CHECKING:
    from distortion_graph.measure.differences import DifferenceMap

MAX_REGIONS = 25
MIN_REGIONS = 5
MOST_PLACES = 8
"""Places where the pictures differ that become regions, the largest first."""

_WORK_SIDE = 320  # longest side of the picture that is segmented, px
_SUPERPIXELS = 300
_COMPACTNESS = 12.0  # L*a*b* difference that weighs as much as one superpixel's width
_TEXTURE_WEIGHT = 2.0  # of local contrast against colour
_SIZE_EXPONENT = 2 / 3
_SMALLEST_SHARE = 0.008  # of the picture: smaller regions always join a neighbour
_SMALLEST_PX = 36  # as above, in pixels of the reduced picture
# Chosen by overlap with outlines that people drew on photographs:
_STOP_COST = 176.0  # a join that costs more hides too much
_LOCAL_SHARE = 0.2  # spots on more of the picture than this are no places
_INVISIBLE = 0.1  # a join below this unites what looks the same, whatever the number left


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

    Where two pictures of one size differ in some places and not all over (`_places`), the regions
    are those of the mean picture with a region for each of these places cut out of them, however
    small it is. `differences` are those of the two pictures, where they are already known.
    """
    h, w = picture.shape[:2]
    size = _work_size(h, w)
    mean = _reduced(picture, size)
    if other is not None:
        # Summed before halving: the order of two summands changes no bit.
        mean = (mean + _reduced(other, size)) / np.float32(2)
    features = _features(mean)
    superpixels = _superpixels(features[..., :3])
    places = None
    if other is not None and other.shape == picture.shape:
        # Deferred: whoever only names regions need not load OpenCV.
        from distortion_graph.measure.differences import find_differences

        places = _places(differences or find_differences(picture, other), size)
    labels = _merge(superpixels, features, places)
    return RegionSet.from_label_map(_enlarged(_by_place(labels), (h, w)), source="auto")


def _places(differences: DifferenceMap, size: tuple[int, int]) -> NDArray[np.uint8] | None:
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
        while np.count_nonzero(grown) < min(_SMALLEST_PX, grown.size):
            grown = cv2.dilate(grown, np.ones((3, 3), np.uint8))
        labels[grown > 0] = number
    return labels


def _work_size(h: int, w: int) -> tuple[int, int]:
    scale = min(1.0, _WORK_SIDE / max(h, w))
    return max(1, round(h * scale)), max(1, round(w * scale))


def _reduced(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.float32]:
    """(h, w, 3) float32 in [0, 1], each pixel the mean of the area it covers."""
    import cv2

    small = cv2.resize(rgb, (size[1], size[0]), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32) / np.float32(255)


def _enlarged(labels: NDArray[np.int32], size: tuple[int, int]) -> NDArray[np.int32]:
    """Nearest neighbour; connected regions stay connected as no size shrinks."""
    rows = np.arange(size[0]) * labels.shape[0] // size[0]
    cols = np.arange(size[1]) * labels.shape[1] // size[1]
    return np.asarray(labels[rows[:, None], cols[None, :]], np.int32)


def _features(mean: NDArray[np.float32]) -> NDArray[np.float32]:
    """(h, w, 4): L*, a*, b* and weighted local contrast (deviation of L* in 7×7)."""
    import cv2

    lab = cv2.cvtColor(cv2.GaussianBlur(mean, (3, 3), 0.8), cv2.COLOR_RGB2LAB)
    light = lab[..., 0]
    spread = cv2.blur(light * light, (7, 7)) - cv2.blur(light, (7, 7)) ** 2
    texture = np.sqrt(np.maximum(spread, 0)) * np.float32(_TEXTURE_WEIGHT)
    return np.dstack([lab, texture]).astype(np.float32)


def _superpixels(lab: NDArray[np.float32]) -> NDArray[np.int64]:
    """(h, w) labels from 0 without gaps, each connected; blocks where SLIC has no room."""
    h, w = lab.shape[:2]
    if min(h, w) < 16:
        # Square blocks, as many as superpixels would be: single pixels in the smallest pictures.
        step = max(1, math.ceil(math.sqrt(h * w / _SUPERPIXELS)), math.ceil(max(h, w) / 500))
        rows, cols = np.arange(h) // step, np.arange(w) // step
        blocks = rows[:, None] * (cols[-1] + 1) + cols[None, :]
        return np.asarray(blocks, np.int64)
    from skimage.segmentation import slic

    # scikit-image rescales its input to [0, 1]; the compactness here is in L*a*b* units.
    spread = max(float(np.ptp(lab)), 1.0)
    segments = slic(
        lab,
        n_segments=_SUPERPIXELS,
        compactness=_COMPACTNESS / spread,
        convert2lab=False,
        enforce_connectivity=True,
        start_label=0,
        channel_axis=-1,
    )
    return np.unique(segments, return_inverse=True)[1].reshape(h, w).astype(np.int64)


class _Merger:
    """Greedy merging of neighbouring regions with a heap of costs; ties fall by number."""

    def __init__(
        self,
        labels: NDArray[np.int64],
        features: NDArray[np.float32],
        fixed: Iterable[int] = (),
    ) -> None:
        """Regions in `fixed` are joined with another only where that one has no other neighbour."""
        self.fixed = set(fixed)
        count = int(labels.max()) + 1
        flat = labels.ravel()
        self.pixels = flat.size
        self.area = np.bincount(flat, minlength=count).astype(float).tolist()
        sums = [
            np.bincount(flat, features[..., c].ravel().astype(float), count)
            for c in range(features.shape[2])
        ]
        self.sums = np.stack(sums, axis=1)
        self.borders = _borders(labels, features)
        self.parent = list(range(count))
        self.alive = set(range(count))
        self.heap: list[tuple[float, int, int]] = []
        for a, near in self.borders.items():
            for b in near:
                if a < b:
                    self._push(a, b)

    def cost(self, a: int, b: int) -> float:
        """What joining two neighbours hides; see the module's text."""
        na, nb = self.area[a], self.area[b]
        gap = self.sums[a] / na - self.sums[b] / nb
        length, contrast = self.borders[a][b]
        weight = (na * nb / (na + nb) / self.pixels) ** _SIZE_EXPONENT
        return float(weight * (gap @ gap) * (contrast / length))

    def _push(self, a: int, b: int) -> None:
        if a in self.fixed or b in self.fixed:
            return
        a, b = min(a, b), max(a, b)
        heapq.heappush(self.heap, (self.cost(a, b), a, b))

    def join(self, a: int, b: int) -> None:
        """Join two neighbours under a new number; old heap entries die with the old numbers."""
        new = len(self.parent)
        if a in self.fixed or b in self.fixed:
            self.fixed.add(new)
        self.parent.append(new)
        self.parent[a] = self.parent[b] = new
        self.area.append(self.area[a] + self.area[b])
        self.sums = np.vstack([self.sums, self.sums[a] + self.sums[b]])
        near: dict[int, tuple[float, float]] = {}
        for old in (a, b):
            for other, (length, contrast) in self.borders.pop(old).items():
                if other in (a, b):
                    continue
                before = near.get(other, (0.0, 0.0))
                near[other] = (before[0] + length, before[1] + contrast)
                del self.borders[other][old]
        self.borders[new] = near
        self.alive -= {a, b}
        self.alive.add(new)
        for other in sorted(near):
            self.borders[other][new] = near[other]
            self._push(other, new)

    def merge_cheapest(self, at_most: int, at_least: int, up_to_cost: float) -> None:
        """Join the cheapest pairs: down to `at_most` regions at any cost, then down to
        `at_least` while a join costs no more than `up_to_cost`, then only what looks the same."""
        while self.heap:
            cost, a, b = self.heap[0]
            if a in self.alive and b in self.alive:
                left = len(self.alive)
                if left <= at_most and cost > (up_to_cost if left > at_least else _INVISIBLE):
                    return
                self.join(a, b)
            else:
                heapq.heappop(self.heap)

    def absorb_small(self) -> None:
        """Give every region below the smallest size to its most similar neighbour."""
        limit = max(_SMALLEST_SHARE * self.pixels, _SMALLEST_PX)
        while len(self.alive) > 1:
            free = self.alive - self.fixed
            smallest = min(free, key=lambda r: (self.area[r], r), default=None)
            if smallest is None or self.area[smallest] >= limit:
                return
            near = set(self.borders[smallest])
            near = near - self.fixed or near
            self.join(smallest, min(near, key=lambda r: (self.cost(smallest, r), r)))

    def labels(self, start: NDArray[np.int64]) -> NDArray[np.int64]:
        """The map of the regions that are left, by their numbers."""
        final = list(range(len(self.parent)))
        for node in range(len(self.parent) - 1, -1, -1):  # a parent has the higher number
            final[node] = node if self.parent[node] == node else final[self.parent[node]]
        return np.array(final, np.int64)[start]


def _merge(
    labels: NDArray[np.int64],
    features: NDArray[np.float32],
    places: NDArray[np.uint8] | None = None,
) -> NDArray[np.int64]:
    most = MAX_REGIONS - (0 if places is None else int(places.max()))
    merger = _Merger(labels, features)
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
    from skimage.measure import label

    whole = np.where(places > 0, labels.max() + places, labels)
    pieces = np.asarray(label(whole + 1, background=0, connectivity=1), np.int64) - 1
    sizes = np.bincount(pieces.ravel())
    cut = np.unique(pieces[places > 0])
    merger = _Merger(pieces, features, fixed=cut[sizes[cut] >= _SMALLEST_PX].tolist())
    merger.absorb_small()
    merger.merge_cheapest(MAX_REGIONS, MAX_REGIONS, 0.0)
    return merger.labels(pieces)


def _borders(
    labels: NDArray[np.int64], features: NDArray[np.float32]
) -> dict[int, dict[int, tuple[float, float]]]:
    """For every pair of 4-neighbours: length of the border in pixels, sum of contrast along it."""
    count = int(labels.max()) + 1
    colour = features[..., :3].astype(float)
    pairs, contrasts = [], []
    for axis in (0, 1):
        a, b = (np.take(labels, i, axis) for i in _shifted(labels.shape[axis]))
        p, q = (np.take(colour, i, axis) for i in _shifted(labels.shape[axis]))
        edge = a != b
        low, high = np.minimum(a, b)[edge], np.maximum(a, b)[edge]
        pairs.append(low * count + high)
        contrasts.append(np.sqrt(((p - q)[edge] ** 2).sum(-1)))
    keys, inverse = np.unique(np.concatenate(pairs), return_inverse=True)
    lengths = np.bincount(inverse, minlength=keys.size)
    sums = np.bincount(inverse, np.concatenate(contrasts), keys.size)
    out: dict[int, dict[int, tuple[float, float]]] = {k: {} for k in range(count)}
    for key, length, total in zip(keys.tolist(), lengths.tolist(), sums.tolist(), strict=True):
        a, b = divmod(key, count)
        out[a][b] = out[b][a] = (float(length), total)
    return out


def _shifted(n: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return np.arange(n - 1), np.arange(1, n)


def _by_place(labels: NDArray[np.int64]) -> NDArray[np.int32]:
    """Renumber from 1 in the order in which regions appear, row by row."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.empty(first.size, np.int32)
    rank[np.argsort(first)] = np.arange(1, first.size + 1)
    return rank[inverse].reshape(labels.shape)
