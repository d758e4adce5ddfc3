"""Better, worse and the same stay apart, for colour-blind eyes and any number of steps as well."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from skimage.color import deltaE_ciede2000
from test_palette import EYES, lab, linear

from distortion_graph.report.palette import NEUTRAL, comparison_colours

COUNTS = (3, 5, 7, 9, 11)


def seen(eye, colours):
    """Lab of the colours as that eye sees them."""
    return np.array([lab(np.array(EYES[eye]) @ linear(c)) for c in colours])


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("count", COUNTS)
def test_worse_the_same_and_better_stay_apart(eye, count):
    shown, middle = seen(eye, comparison_colours(count)), count // 2
    for k in range(middle):
        for other in shown[middle + 1 :]:
            assert deltaE_ciede2000(shown[k], other) > 40
    for k in {*range(count)} - {middle}:
        assert deltaE_ciede2000(shown[k], shown[middle]) > 15
    # Neighbours of 5 steps are told apart at a glance, those of 11 side by side.
    least = 12 if count <= 5 else 2.5
    assert min(deltaE_ciede2000(a, b) for a, b in pairwise(shown)) > least


@pytest.mark.parametrize("count", COUNTS)
def test_stronger_is_darker_on_both_sides_of_the_grey(count):
    colours, middle = comparison_colours(count), count // 2
    assert len(colours) == len(set(colours)) == count and colours[middle] == NEUTRAL
    lightness = seen("usual", colours)[:, 0]
    assert all(a < b for a, b in pairwise(lightness[:middle]))
    assert all(a > b for a, b in pairwise(lightness[middle + 1 :]))
    assert all(red > blue for red, _, blue in colours[:middle])
    assert all(blue > red for red, _, blue in colours[middle + 1 :])
