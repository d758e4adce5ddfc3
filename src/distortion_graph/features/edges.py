"""Steps of brightness along the edges of regions, of each picture.

A tone curve that ends where a region ends leaves a step there that is as sharp as the mask, all
along the edge and always to the same side; the edges of things in a picture are softer, rarely lie
on a mask's to the pixel, and go up and down. It outlasts what washes the gaps out of a histogram:
recompression, scaling. Where two pictures differ by a tone curve, it tells which of them has it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.cells import Labels, Layer
from distortion_graph.features.colours import luma_of

Floats = NDArray[np.float32]

REACH_PX = 4
"""Steps are looked for so far from a mask's edge: masks may be a few pixels off."""

OFFSETS = 2 * REACH_PX + 1

EDGE_STATISTICS = 1 + 3 * OFFSETS
"""Of an edge: log(1 + its pixels) / 8; then by offset, from inside to outside, the mean share that
a step has in what happens around it, in −1 … 1 and above 0 where it is brighter outside; the mean
of this share's magnitude; and log(0.001 + the mean magnitude of the step) / 8. Steps are of
logarithms of luma."""

MOST_CROSSINGS = 1 << 16
"""Of an edge with more, in pictures of many megapixels, every second, third … crossing is seen."""

_DARKEST = 8  # added to luma before its logarithm: near black a grey level is no sign of tone
_QUIET = np.float32(
    0.01
)  # a step in logarithms of about one grey level, in the middle of the range
_LOG_LUMA = np.log(np.arange(256) + _DARKEST).astype(np.float32)
_PROFILE = np.arange(-REACH_PX - 1, REACH_PX + 3)[:, None]


def edge_steps(
    pictures: Sequence[NDArray[np.uint8]],
    layers: Sequence[Layer],
    regions: int,
    most_crossings: int = MOST_CROSSINGS,
) -> Floats:
    """(pictures, 1 + regions, `EDGE_STATISTICS`) of (H, W, 3) uint8 pictures.

    Row 0 stands for the whole picture and is 0, as is a region without an edge in the picture.
    """
    out = np.zeros((len(pictures), 1 + regions, EDGE_STATISTICS), np.float32)
    lumas = [luma_of(rgb).ravel() for rgb in pictures]
    for layer in layers:
        places, before, after, every = _crossings(layer.labels, most_crossings)
        steps = _steps(_LOG_LUMA.take(np.stack([luma.take(places) for luma in lumas])))
        count = len(layer.regions) + 1
        pixels, sums = _sums(steps, before, count)
        others, turned = _sums(steps, after, count)
        # Seen from behind, inside is outside, and up is down.
        turned = turned[:, :, :, ::-1]
        turned[:, :, 0] *= -1
        pixels, sums = pixels + others, sums + turned
        means = sums / np.maximum(pixels, 1)[:, None, None]
        means[:, :, 2] = np.log(means[:, :, 2] + np.float32(0.001)) / 8
        out[:, layer.regions, 0] = np.log1p(every * pixels[1:]) / 8
        out[:, layer.regions, 1:] = means[:, 1:].reshape(
            len(pictures), count - 1, EDGE_STATISTICS - 1
        )
    out[:, out[0, :, 0] == 0] = 0
    return out


def _crossings(labels: Labels, most: int) -> tuple[NDArray[np.intp], Labels, Labels, int]:
    """Where rows and columns go from one label to another: the pixels along them as positions in
    the picture, (2 · `REACH_PX` + 4, n); the labels before and after, (n,); and of how many
    crossings one is among the n.
    """
    height, width = labels.shape
    across = np.flatnonzero(labels[:, 1:] != labels[:, :-1])
    down = np.flatnonzero(labels[1:] != labels[:-1])
    every = max(1, -(-(len(across) + len(down)) // most))
    rows, columns = np.divmod(across[::every], max(width - 1, 1))
    along = rows * width + np.clip(columns + _PROFILE, 0, width - 1)
    places, before, after = [along], [labels[rows, columns]], [labels[rows, columns + 1]]
    rows, columns = np.divmod(down[::every], width)
    places.append(np.clip(rows + _PROFILE, 0, height - 1) * width + columns)
    before.append(labels[rows, columns])
    after.append(labels[rows + 1, columns])
    return np.concatenate(places, 1), np.concatenate(before), np.concatenate(after), every


def _steps(profiles: Floats) -> Floats:
    """(pictures, pixels, n) logarithms of luma → (pictures, n, 3, `OFFSETS`): a step's share of
    what happens around it, the share's magnitude and its own.
    """
    slopes = profiles[:, 1:] - profiles[:, :-1]
    # Worked out along the n, not along the few offsets.
    out = np.empty((len(profiles), 3, OFFSETS, profiles.shape[2]), np.float32)
    share, share_size, size = out[:, 0], out[:, 1], out[:, 2]
    np.subtract(slopes[:, 1:-1], (slopes[:, 2:] + slopes[:, :-2]) / 2, out=share)
    np.abs(share, out=size)
    np.abs(slopes, out=slopes)
    share /= size + slopes[:, 2:] + slopes[:, :-2] + _QUIET
    np.abs(share, out=share_size)
    return np.ascontiguousarray(np.moveaxis(out, 3, 1))


def _sums(steps: Floats, labels: Labels, count: int) -> tuple[NDArray[np.int64], Floats]:
    """How many pixels have each label (count,), and the sums of their steps."""
    pixels = np.bincount(labels, minlength=count)
    out = np.zeros((len(steps), count, *steps.shape[2:]), np.float32)
    there = np.flatnonzero(pixels)
    if len(there):
        order = np.argsort(labels, kind="stable")
        starts = np.cumsum(pixels)[there] - pixels[there]
        out[:, there] = np.add.reduceat(steps.take(order, 1), starts, axis=1)
    return pixels, out
