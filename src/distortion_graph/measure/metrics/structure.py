"""The structure term of SSIM, as a loss, of planes at any scale.

Wang, Bovik, Sheikh, Simoncelli, *Image quality assessment: from error visibility to structural
similarity*, IEEE Transactions on Image Processing 13(4), 2004.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Planes = NDArray[Any]


class Structure(NamedTuple):
    """Planes of a window of two pictures x and y.

    Attributes:
        loss: 1 − (2σ_xy + C)/(σ_x² + σ_y² + C), in [0, 2].
        mean_sum: Local mean of x + y.
        mean_gap: Local mean of x − y.
    """

    loss: Planes
    mean_sum: Planes
    mean_gap: Planes


def structure(
    first: Planes, second: Planes, blur: Callable[[Planes], Planes], c: float, offset: float = 0.0
) -> Structure:
    """How much structure is lost between two pictures at every place.

    The loss is Var(x − y)/(σ_x² + σ_y² + C): no two nearly equal numbers are subtracted where the
    pictures are nearly equal, so it keeps its precision there. 2(σ_x² + σ_y²) is
    Var(x + y) + Var(x − y), which needs four blurred planes and not five.

    Args:
        first: (..., h, w) floats.
        second: The same shape.
        blur: The window's weighted mean.
        c: The constant C of the formula.
        offset: About the mean of x + y; sums of squares about it are smaller and more precise.
    """
    sums, gaps = first + second, first - second
    sums -= sums.dtype.type(offset)
    mean_sum, mean_gap = blur(sums), blur(gaps)
    sums *= sums
    spread = blur(sums)
    spread -= mean_sum * mean_sum
    gaps *= gaps
    loss = blur(gaps)
    loss -= mean_gap * mean_gap
    np.maximum(loss, 0, out=loss)
    spread += loss
    np.maximum(spread, 0, out=spread)
    spread *= spread.dtype.type(0.5)
    spread += spread.dtype.type(c)
    loss /= spread
    mean_sum += mean_sum.dtype.type(offset)
    return Structure(loss, mean_sum, mean_gap)
