"""Severity colours are ordered and told apart, also by colour-blind eyes."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from distortion_graph.report.palette import (
    CLEAN,
    INK,
    PAPER,
    hex_name,
    ink_on,
    label_colours,
    severity_colours,
)

# Machado, Oliveira, Fernandes 2009, severity 1.0, for linear RGB.
EYES = {
    "usual": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def linear(colour):
    c = np.array(colour) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(light):
    """CIE Lab (D65) of linear RGB."""
    matrix = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(matrix) @ np.clip(light, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", EYES)
def test_four_severities_are_told_apart_by_every_eye(eye):
    seen = [lab(np.array(EYES[eye]) @ linear(c)) for c in severity_colours(4)]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > 15


@pytest.mark.parametrize("count", [3, 4, 5, 9])
def test_worse_is_darker(count):
    colours = severity_colours(count)
    assert len(colours) == len(set(colours)) == count and colours[0] == CLEAN
    lightness = [lab(linear(c))[0] for c in colours[1:]]
    assert all(a > b for a, b in pairwise(lightness))


def test_two_severities_are_clean_and_the_strongest():
    assert severity_colours(2) == (CLEAN, severity_colours(4)[-1])


@pytest.mark.parametrize("colour", [*severity_colours(7), INK, PAPER, (0, 0, 0), (255, 255, 255)])
def test_text_on_a_colour_has_the_contrast_of_wcag_aa(colour):
    def luminance(c):
        return linear(c) @ [0.2126, 0.7152, 0.0722] + 0.05

    pair = sorted([luminance(ink_on(colour)), luminance(colour)])
    assert pair[1] / pair[0] > 4.5


def test_hex_names():
    assert hex_name((213, 94, 0)) == "#d55e00"


@pytest.mark.parametrize(("count", "clean"), [(2, 0), (15, 0), (15, 7), (40, 3)])
def test_labels_have_colours_of_their_own(count, clean):
    colours = label_colours(count, clean)
    assert len(set(colours)) == count and colours[clean] == CLEAN
    for one, other in combinations(colours[:15], 2):
        assert np.linalg.norm(lab(linear(one)) - lab(linear(other))) > 15
