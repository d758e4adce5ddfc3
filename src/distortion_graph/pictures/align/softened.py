"""The sharper of two pictures made as soft as the other: blur then tells nothing apart.

How much of each frequency of one picture is left in the other is the transfer function of a linear
filter, the real part of the cross spectrum over the power spectrum; being real, it moves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from distortion_graph.pictures.align.detail import Plane, band_pass
from distortion_graph.pictures.align.matrices import Matrix, Size
from distortion_graph.pictures.align.refine import Levels
from distortion_graph.pictures.align.spectra import cross_spectra

_FULL_SHARE = 0.9  # the quantile of the gain at low frequencies that counts as all of it
_LOW = (8, 4)  # those are one part in so many of the frequencies down and across
_LEAST = 1e-6


def softened(levels: Levels, indices: Matrix, firsts: Sequence[bool]) -> list[Levels]:
    """Both with equal spectra, once for each of `firsts`: whether it is the first that is sharper.

    Only ever less is left of a frequency: where the soft one has more, it is itself that is
    filtered.
    """
    one, other = (band_pass(level.grey) for level in levels)
    product, powers, padded = cross_spectra(one, other, indices)
    kept = np.maximum(product, 0)
    gains = (
        kept / powers[0] if first else powers[1] / np.maximum(kept, _LEAST * powers[1])
        for first in firsts
    )
    return [_evened(levels, np.asarray(gain, np.float32), padded) for gain in gains]


def _evened(levels: Levels, gain: Plane, padded: Size) -> Levels:
    """Both with what the second has of each frequency of the first, `gain`, taken off the more."""
    low = gain[: gain.shape[0] // _LOW[0], : gain.shape[1] // _LOW[1]]
    gain = gain / (float(np.quantile(low, _FULL_SHARE)) + _LEAST)
    pair = np.minimum(gain, 1), np.minimum(1 / (gain + _LEAST), 1)
    onto, of = (
        replace(level, grey=_filtered(level.grey, g, padded))
        for level, g in zip(levels, pair, strict=True)
    )
    return Levels(onto, of)


def _filtered(plane: Plane, gain: Plane, padded: Size) -> Plane:
    """A plane with each frequency times `gain`, which is known for a frame of the size `padded`."""
    h, w = plane.shape
    size = max(padded[0], h), max(padded[1], w)
    around = cv2.copyMakeBorder(plane, 0, size[0] - h, 0, size[1] - w, cv2.BORDER_REFLECT)
    if size != padded:
        centred = np.fft.fftshift(gain, axes=0)
        resized = cv2.resize(centred, (size[1] // 2 + 1, size[0]), interpolation=cv2.INTER_LINEAR)
        gain = np.asarray(np.fft.ifftshift(resized, axes=0), np.float32)
    out = np.fft.irfft2(np.fft.rfft2(around) * gain, size)
    return np.ascontiguousarray(out[:h, :w], np.float32)
