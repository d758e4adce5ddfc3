"""Which neighbouring pixels of a picture are exactly alike.

Pixelation repeats every value a few times along rows and columns and changes it at the same places
in all of them; a strong codec leaves few steps inside its blocks, noise next to no equal
neighbours. This shows however small the steps are: on a sky, or in a photograph of many megapixels,
where neighbours differ by a grey level or not at all, little else is left of a distortion.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from distortion_graph.features.colours import as_numbers

PATTERNS = 64
"""A pixel's pattern has a bit for each of six pairs of neighbours, set where both have the same
three values: along the row this pixel and the next (1), the next two (2), and those two a row below
(4); and down the column likewise (8, 16), and in the column to the right (32). Where a pair lies
beyond the picture its bit is 0."""


def equal_patterns(rgb: NDArray[np.uint8], rows: slice) -> NDArray[np.uint8]:
    """(h, W) patterns, 0 to 63, of h rows of a (H, W, 3) picture."""
    seen = rgb[rows.start : rows.stop + 2]
    height, width = rows.stop - rows.start, rgb.shape[1]
    pixels = as_numbers(seen)
    right = np.zeros((height + 2, width + 1), np.uint8)
    down = np.zeros((height + 1, width + 1), np.uint8)
    np.equal(pixels[:, 1:], pixels[:, :-1], out=right[: len(seen), : width - 1].view(bool))
    steps = len(seen) - 1
    np.equal(pixels[1:], pixels[:-1], out=down[:steps, :width].view(bool))
    patterns = right[:height, :width].copy()
    others = (right[:height, 1:], right[1:-1, :-1], down[:-1, :-1], down[1:, :-1], down[:-1, 1:])
    for bit, alike in enumerate(others, start=1):
        patterns |= alike << bit
    return patterns
