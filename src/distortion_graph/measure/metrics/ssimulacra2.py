"""SSIMULACRA 2.1, of the worse direction: structure, ringing and blur at six scales in XYB.

Sneyers, *SSIMULACRA 2: structural similarity unveiling local and compression related artifacts*,
as in the tools of libjxl (2023). Constants and weights are those of that implementation, Copyright
(c) the JPEG XL Project Authors, BSD-3-Clause:

    Redistribution and use in source and binary forms, with or without modification, are permitted
    provided that the copyright notice, these conditions and the disclaimer are kept, and that the
    name of the copyright holder is not used to endorse derived products without permission. It is
    provided "as is", without warranties of any kind.

A picture is halved in linear light. At every scale and in each channel of XYB, made positive, there
are three maps: the loss of structure (SSIM without its luminance denominator), edges that the other
picture has and the reference has not (ringing), and edges that only the reference has (blur). Each
counts by its mean and by the fourth root of the mean of its fourth power. Beyond the picture there
are zeros.

libjxl makes no scale of one that is narrower than 8 cells. It then gives a picture the weights of
other channels and scales, since it counts them through; here such a picture has no value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.measure.ciede2000 import linear_light
from distortion_graph.measure.metrics.metric import Level, MapMetric, Pooled, Slices
from distortion_graph.measure.metrics.planes import filtered, halved
from distortion_graph.measure.metrics.structure import structure

Floats = NDArray[np.float32]

SCALES = 6
NARROWEST = 113
"""Pictures with fewer rows or columns have no value: the fifth scale is narrower than 8 cells."""

_C2 = 0.0009
_BIAS = 0.0037930732552754493
_OPSIN = np.array(
    [
        [0.30, 1 - 0.30 - 0.078, 0.078, _BIAS],
        [0.23, 1 - 0.23 - 0.078, 0.078, _BIAS],
        [
            0.24342268924547819,
            0.20476744424496821,
            1 - 0.24342268924547819 - 0.20476744424496821,
            _BIAS,
        ],
    ],
    np.float32,
)
_ROOT = math.cbrt(_BIAS)
# From roots to 14·X + .42, Y + .01 and B − Y + .55; a root is cbrt(mixed) − cbrt(bias).
_XYB = np.array([[7.0, -7.0, 0.0], [0.5, 0.5, 0.0], [-0.5, -0.5, 1.0]])
_OFFSETS = np.array([0.42, 0.01, 0.55]) - _XYB.sum(axis=1) * _ROOT
_TO_XYB = np.concatenate([_XYB, _OFFSETS[:, None]], axis=1).astype(np.float32)

_CHANNELS, _NORMS, _KINDS = 3, 2, 3
# fmt: off
_WEIGHTS = (
    # By channel (X, Y, B), scale, norm (mean, fourth root) and kind (structure, ringing, blur).
    0.0, 0.0007376606707406586, 0.0,
    0.0, 0.0007793481682867309, 0.0,
    0.0, 0.0004371155730107379, 0.0,
    1.1041726426657346, 0.00066284834129271, 0.00015231632783718752,
    0.0, 0.0016406437456599754, 0.0,
    1.8422455520539298, 11.441172603757666, 0.0,
    0.0007989109436015163, 0.000176816438078653, 0.0,
    1.8787594979546387, 10.94906990605142, 0.0,
    0.0007289346991508072, 0.9677937080626833, 0.0,
    0.00014003424285435884, 0.9981766977854967, 0.00031949755934435053,
    0.0004550992113792063, 0.0, 0.0,
    0.0013648766163243398, 0.0, 0.0,
    0.0, 0.0, 0.0,
    7.466890328078848, 0.0, 17.445833984131262,
    0.0006235601634041466, 0.0, 0.0,
    6.683678146179332, 0.00037724407979611296, 1.027889937768264,
    225.20515300849274, 0.0, 0.0,
    19.213238186143016, 0.0011401524586618361, 0.001237755635509985,
    176.39317598450694, 0.0, 0.0,
    24.43300999870476, 0.28520802612117757, 0.0004485436923833408,
    0.0, 0.0, 0.0,
    34.77906344483772, 44.835625328877896, 0.0,
    0.0, 0.0, 0.0,
    0.0, 0.0, 0.0,
    0.0, 0.0008680556573291698, 0.0,
    0.0, 0.0, 0.0,
    0.0, 0.0005313191874358747, 0.0,
    0.00016533814161379112, 0.0, 0.0,
    0.0, 0.0, 0.0,
    0.0004179171803251336, 0.0017290828234722833, 0.0,
    0.0020827005846636437, 0.0, 0.0,
    8.826982764996862, 23.19243343998926, 0.0,
    95.1080498811086, 0.9863978034400682, 0.9834382792465353,
    0.0012286405048278493, 171.2667255897307, 0.9807858872435379,
    0.0, 0.0, 0.0,
    0.0005130064588990679, 0.0, 0.00010854057858411537,
)
# fmt: on


def _taps() -> Floats:
    """libjxl's Gaussian of σ = 1.5: a sum of cosines that ends after 4 cells.

    Charalampidis, *Recursive implementation of the Gaussian filter using truncated cosine
    functions*, IEEE Transactions on Signal Processing 64(14), 2016; the numbers in brackets are
    its equations.
    """
    sigma = 1.5
    radius = round(3.2795 * sigma + 0.2546)  # (57)
    sign, omega = np.array([1, -1, 1]), np.array([1, 3, 5]) * math.pi / (2 * radius)
    p = sign / np.tan(0.5 * omega)  # (37)
    r = sign * p * p / np.sin(omega)  # (44)
    rho = np.exp(-0.5 * sigma**2 * omega**2) / radius  # (50)
    cross = np.cross(p, r)  # (52)
    zeta = cross / cross[2]
    rows = np.array([p, r, zeta])  # (56)
    beta = np.linalg.solve(rows, [1, radius**2 - sigma**2, zeta @ rho])  # (53), (55)
    cells = np.arange(1 - radius, radius)
    return np.asarray(beta @ np.cos(omega[:, None] * cells), np.float32)


_TAPS = _taps()
_RADIUS = len(_TAPS) // 2


class _Term(NamedTuple):
    """A map that counts: its weight, channel, and kind (0 structure, 1 ringing, 2 blur)."""

    weight: float
    channel: int
    kind: int


def _terms(scale: int, norm: int) -> list[_Term]:
    """What counts at a scale by a norm."""
    found = []
    for channel in range(_CHANNELS):
        for kind in range(_KINDS):
            weight = _WEIGHTS[((channel * SCALES + scale) * _NORMS + norm) * _KINDS + kind]
            if weight:
                found.append(_Term(weight, channel, kind))
    return found


_MEANS, _ROOTS = ([_terms(scale, norm) for scale in range(SCALES)] for norm in range(_NORMS))
_COLUMNS = [
    [(term, direction) for term in terms for direction in ((0, 1) if term.kind else (0,))]
    for terms in _ROOTS
]
"""The fourth powers of every scale; the loss of structure has one for both directions."""


class Ssimulacra2Maps:
    """Per scale the weighted sum of maps in either direction, then fourth powers of some maps.

    There are six scales, and none of a picture narrower than `NARROWEST`.
    """

    def __init__(self, height: int, width: int) -> None:
        self.levels: list[Level] = []
        size = height, width
        for scale in range(SCALES) if min(size) >= NARROWEST else ():
            self.levels.append(Level(2**scale, size, _RADIUS))
            size = (size[0] + 1) // 2, (size[1] + 1) // 2

    def planes(self, rgb: NDArray[np.uint8]) -> Floats:
        """Linear light."""
        return np.ascontiguousarray(cv2.LUT(rgb, linear_light()).transpose(2, 0, 1))

    def terms(self, level: int, first: Floats, second: Floats) -> Floats:
        """(2 + Q, h, w): the weighted sum of either direction, then Q fourth powers."""
        losses = _losses(_xyb(first), _xyb(second))
        found = np.zeros((2 + len(_COLUMNS[level]), *first.shape[1:]), np.float32)
        for direction in (0, 1):
            for term in _MEANS[level]:
                found[direction] += np.float32(term.weight) * losses.of(term, direction)
        for power, (term, direction) in zip(found[2:], _COLUMNS[level], strict=True):
            np.square(losses.of(term, direction), out=power)
            np.square(power, out=power)
        return found

    def shrink(self, level: int, planes: Floats, own: Slices) -> Floats:
        """Means of 2×2."""
        return halved(planes, own)

    def values(self, pooled: Sequence[Pooled]) -> tuple[float | None, ...]:
        """The score in either direction."""
        if not pooled:
            return (None,)
        totals = [0.0, 0.0]
        for level, part in enumerate(pooled):
            means = part.means.tolist()
            totals = [total + mean for total, mean in zip(totals, means, strict=False)]
            for mean, (term, direction) in zip(means[2:], _COLUMNS[level], strict=True):
                for way in (0, 1) if term.kind == 0 else (direction,):
                    totals[way] += term.weight * mean**0.25
        return tuple(map(_score, totals))


class _Losses(NamedTuple):
    """Maps of three channels, (3, h, w) each: structure, and ringing and blur by direction."""

    structure: Floats
    ringing: tuple[Floats, Floats]
    blur: tuple[Floats, Floats]

    def of(self, term: _Term, direction: int) -> Floats:
        """The map of a term; direction 0 has the first picture as the reference."""
        kinds = (self.structure, self.ringing[direction], self.blur[direction])
        planes: Floats = kinds[term.kind][term.channel]
        return planes


def _losses(first: Floats, second: Floats) -> _Losses:
    found = structure(first, second, _blur, _C2)
    gap = found.mean_gap * found.mean_gap
    loss = found.loss + gap - found.loss * gap
    half = np.float32(0.5)
    one = np.abs(first - (found.mean_sum + found.mean_gap) * half)
    two = np.abs(second - (found.mean_sum - found.mean_gap) * half)
    more, less = np.maximum(two - one, 0), np.maximum(one - two, 0)
    one += 1
    two += 1
    return _Losses(loss, (more / one, less / two), (less / one, more / two))


def _xyb(linear: Floats) -> Floats:
    """Positive XYB, (3, h, w), of linear light."""
    mixed = cv2.transform(np.ascontiguousarray(linear.transpose(1, 2, 0)), _OPSIN)
    roots = np.cbrt(np.maximum(mixed, 0))
    return np.ascontiguousarray(cv2.transform(roots, _TO_XYB).transpose(2, 0, 1))


def _blur(planes: Floats) -> Floats:
    return filtered(planes, _TAPS, _TAPS, cv2.BORDER_CONSTANT)


def _score(total: float) -> float:
    x = total * 0.9562382616834844
    x = 2.326765642916932 * x - 0.020884521182843837 * x**2 + 6.248496625763138e-05 * x**3
    return 100.0 - 10.0 * x**0.6276336467831387 if x > 0 else 100.0


METRIC = MapMetric(
    name="ssimulacra2",
    version="2.1",
    range=(-math.inf, 100.0),
    direction="higher_is_better",
    licence="BSD-3-Clause",
    pooling="mean and 4-norm of each map inside the region, then the weighted sum over the maps; "
    "the lower of both directions unless one picture is the reference",
    maps=Ssimulacra2Maps,
)
