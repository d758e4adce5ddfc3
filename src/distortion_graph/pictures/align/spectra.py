"""Two pictures in the plane of frequencies: what they share, shift, turn and scale.

The share of a frequency's power that two registered signals have in common is their coherence γ².
It gives the mutual information of the pictures, −½ Σ log(1 − γ²) nats over all frequencies, which
is largest where they lie right, and the weights γ²/(1 − γ²) of the maximum-likelihood delay
estimate (Hannan and Thomson 1973; Knapp and Carter, IEEE Trans. ASSP 24, 1976), which leave the
frequencies that noise, blur or blocks have spoiled out of account.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from distortion_graph.pictures.align.detail import Plane
from distortion_graph.pictures.align.matrices import Matrix, Size

_BINS = 9  # side of the box over which spectra are averaged
_MOST_COHERENT = 0.9  # above it, what is measured is how a picture was resampled
_SURE_CYCLES, _SPOILED_CYCLES = 0.2, 0.35  # per pixel
_BORDER_PX, _BORDER_SHARE = 6, 0.06  # distorted borders; at most that share of the shorter side
_PEAK_PX = 9  # second peaks nearer to the first than this are its flanks
_LEAST_KEPT = 0.4  # of what the pictures share, once one is moved on
_POLAR = 256
_POLAR_REACH = 0.9  # of the largest frequency


@dataclass(frozen=True)
class Shared:
    """What two pictures laid over each other share, by frequency (half a plane).

    `product` is the cross spectrum, `powers` the smoothed power spectra, `coherence` γ², `share`
    how much of the padded frame both pictures fill by the `window` they are seen through.
    """

    product: NDArray[np.complexfloating[Any, Any]]
    powers: tuple[Plane, Plane]
    coherence: Plane
    share: float
    padded: tuple[int, int]
    window: Plane

    @property
    def information(self) -> float:
        """Mutual information in nats."""
        return -float(np.log1p(-self.coherence).sum(dtype=np.float64)) * self.share

    @property
    def second_peak(self) -> float:
        """How high, beside the peak where the pictures lie now, the highest other peak is."""
        h, w = self.padded
        # On a grid twice as fine: half a pixel beside a sharp peak little of it is left.
        spectrum = np.zeros((2 * h, w + 1), np.complex64)
        spectrum[: h // 2, : w // 2 + 1], spectrum[h // 2 - h :, : w // 2 + 1] = np.split(
            self._weight * self.product, [h // 2]
        )
        surface = np.fft.irfft2(spectrum, (2 * h, 2 * w)).astype(np.float32)
        here = float(surface[0, 0])
        # Moved on, the pictures share less of their frames.
        kept = np.fft.irfft2(np.abs(np.fft.rfft2(self.window, self.padded)) ** 2, self.padded)
        kept = np.maximum(kept / kept[0, 0], _LEAST_KEPT).repeat(2, 0).repeat(2, 1)
        centred = np.fft.fftshift(surface / kept).astype(np.float32)
        peaks = centred == cv2.dilate(centred, np.ones((9, 9), np.uint8))
        flanks = (slice(max(n - 2 * _PEAK_PX, 0), n + 2 * _PEAK_PX + 1) for n in self.padded)
        peaks[tuple(flanks)] = False
        other = float(centred[peaks].max(initial=0))
        return min(other / here, 2.0) if here > 0 else 2.0

    @property
    def _weight(self) -> Plane:
        """Of each frequency of the cross spectrum, in the maximum-likelihood delay estimate."""
        powers = np.sqrt(self.powers[0] * self.powers[1])
        return np.asarray(self.coherence / (1 - self.coherence) / powers, np.float32)


def shared(onto: Plane, of: Plane, indices: Matrix) -> Shared:
    """What `onto` and `of`, resampled by `indices` (`level_indices`), have in common."""
    product, powers, padded, window = _spectra(onto, of, indices)
    # Registered pictures have real cross spectra; the imaginary part is noise or a shift.
    real = np.maximum(_smoothed(product.real), 0)
    chance = 1 / _BINS**2
    coherence = np.clip(real * real / (powers[0] * powers[1]) - chance, 0, _MOST_COHERENT)
    coherence *= _without_finest(padded)
    share = float((window * window).sum()) / (padded[0] * padded[1])
    return Shared(product, powers, coherence.astype(np.float32), share, padded, window)


def cross_spectra(
    onto: Plane, of: Plane, indices: Matrix
) -> tuple[Plane, tuple[Plane, Plane], Size]:
    """The real part of the cross spectrum, both power spectra, smoothed, and the padded frame."""
    product, powers, padded, _ = _spectra(onto, of, indices)
    return _smoothed(product.real), powers, padded


def _spectra(
    onto: Plane, of: Plane, indices: Matrix
) -> tuple[NDArray[np.complexfloating[Any, Any]], tuple[Plane, Plane], Size, Plane]:
    """Cross spectrum, smoothed power spectra, the padded frame, and the window on both."""
    h, w = onto.shape
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    laid = cv2.warpPerspective(of, indices, (w, h), flags=flags)
    window = soft_overlap((h, w), of.shape, indices)
    padded = (cv2.getOptimalDFTSize(h), cv2.getOptimalDFTSize(w))
    first, second = (np.fft.rfft2(plane * window, padded) for plane in (onto, laid))
    powers = _smoothed(np.abs(first) ** 2), _smoothed(np.abs(second) ** 2)
    floor = 1e-6 * max(float(p.max()) for p in powers) + 1e-12
    return first.conj() * second, (powers[0] + floor, powers[1] + floor), padded, window


def turn_and_scale(onto: Plane, of: Plane) -> tuple[float, float]:
    """The turn (radians, up to half a turn more or less) and scale that lay `of` onto `onto`.

    From the magnitudes of the spectra, which shifts leave alone, in log-polar form (Reddy and
    Chatterji, IEEE Trans. Image Processing 5, 1996).
    """
    first, second = (_log_polar(plane) for plane in (onto, of))
    (along, around), _ = cv2.phaseCorrelate(first, second, _polar_window())
    return -around * math.pi / _POLAR, math.exp(along * math.log(_reach()) / _POLAR)


def shift_between(onto: Plane, of: Plane) -> tuple[float, float]:
    """By how many pixels (x, y) `of` is to move to lie over `onto`, by phase correlation."""
    side = cv2.getOptimalDFTSize(max(*onto.shape, *of.shape))
    first, second = (_on_square(plane * _window(plane), side) for plane in (onto, of))
    (x, y), _ = cv2.phaseCorrelate(first, second)
    return -x, -y


def soft_overlap(size: tuple[int, int], of: tuple[int, ...], indices: Matrix) -> Plane:
    """1 well inside of both pictures, falling to 0 at the borders of either."""
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    both = cv2.warpPerspective(np.ones(of, np.uint8), indices, size[::-1], flags=flags)
    side = 2 * min(_BORDER_PX, max(1, round(_BORDER_SHARE * min(*size, *of)))) + 1
    around = cv2.copyMakeBorder(both, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    inner = cv2.erode(around, np.ones((side, side), np.uint8), borderValue=0)
    soft = cv2.blur(inner.astype(np.float32), (side, side), borderType=cv2.BORDER_CONSTANT)
    return np.asarray(soft[1:-1, 1:-1], np.float32)


def _smoothed(plane: NDArray[np.floating[Any]]) -> Plane:
    """The mean over a box of frequencies."""
    return np.asarray(cv2.blur(np.ascontiguousarray(plane, np.float32), (_BINS, _BINS)), np.float32)


@lru_cache(16)
def _without_finest(size: tuple[int, int]) -> Plane:
    """1 for low frequencies, falling to 0 at those that linear interpolation spoils."""
    down, across = _frequencies(size)
    place = (np.hypot(down, across) - _SURE_CYCLES) / (_SPOILED_CYCLES - _SURE_CYCLES)
    return np.asarray(np.cos(np.clip(place, 0, 1) * (math.pi / 2)) ** 2, np.float32)


def _frequencies(size: tuple[int, int]) -> tuple[Plane, Plane]:
    """Cycles per pixel down and across, for half a plane."""
    down, across = np.fft.fftfreq(size[0])[:, None], np.fft.rfftfreq(size[1])[None]
    return down.astype(np.float32), across.astype(np.float32)


def _log_polar(plane: Plane) -> Plane:
    spectrum = np.fft.fft2(_on_square(plane * _window(plane), _POLAR))
    magnitude = np.log1p(np.abs(np.fft.fftshift(spectrum)))
    angle = np.linspace(-math.pi / 2, math.pi / 2, _POLAR)
    # The high-pass of Reddy and Chatterji: without it the low frequencies, alike in all pictures,
    # decide.
    high = 1 - np.cos(angle)[:, None] * np.cos(angle)[None]
    centre = (_POLAR / 2, _POLAR / 2)
    flags = cv2.WARP_POLAR_LOG | cv2.INTER_LINEAR
    polar = cv2.warpPolar(
        (magnitude * high).astype(np.float32), (_POLAR, 2 * _POLAR), centre, _reach(), flags
    )
    return np.ascontiguousarray(polar[:_POLAR])  # the other half circle is the same


def _reach() -> float:
    return _POLAR / 2 * _POLAR_REACH


def _polar_window() -> Plane:
    """Falls off along the logarithm of the frequency alone; the angle is periodic."""
    window = cv2.createHanningWindow((_POLAR, _POLAR), cv2.CV_32F)
    return np.ascontiguousarray(np.tile(window[_POLAR // 2], (_POLAR, 1)), np.float32)


def _window(plane: Plane) -> Plane:
    return np.asarray(cv2.createHanningWindow(plane.shape[::-1], cv2.CV_32F), np.float32)


def _on_square(plane: Plane, side: int) -> Plane:
    """A plane in the middle of a black square."""
    out = np.zeros((side, side), np.float32)
    top, left = ((side - n) // 2 for n in plane.shape)
    out[top : top + plane.shape[0], left : left + plane.shape[1]] = plane
    return out
