"""Conversions in strips are those of the whole picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from distortion_graph.features.colours import as_numbers, luma_of


@pytest.mark.parametrize("size", [(1, 1), (300, 401), (3, 70_001)])  # one strip, two, one a row
def test_strips_are_those_of_the_whole_picture(size):
    rgb = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    for picture in (rgb, rgb[:, ::-1]):
        assert (luma_of(picture) == cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)).all()
        values = picture.astype(np.uint32)
        packed = values[..., 0] | values[..., 1] << 8 | values[..., 2] << 16 | 255 << 24
        assert (as_numbers(picture) == packed).all()
