"""The shipped model and photographs with nothing wrong in them: it does not doubt what it sees."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from optional import present
from PIL import Image
from skimage import data as photographs

from distortion_graph import compare
from distortion_graph.graph import SIDES
from distortion_graph.report.wording import summary

# Not `rocket`: what smoke, glare and film grain at night make of a picture may be doubted.
NAMES = ("astronaut", "coffee", "chelsea")


def photograph(name):
    return np.ascontiguousarray(getattr(photographs, name)())


def jpeg(picture, quality):
    memory = io.BytesIO()
    Image.fromarray(picture).save(memory, "JPEG", quality=quality)
    return np.asarray(Image.open(memory).convert("RGB"))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_uncertain_in_a_picture_beside_itself(name):
    picture = photograph(name)
    graph = compare(picture, picture, evidence="fast")
    doubtful = [r.id for r in graph.regions for s in SIDES if graph.is_uncertain(r.node(s))]
    assert present(present(graph.model).known_threshold) > 0 and doubtful == []
    assert "uncertain" not in summary(graph)


@pytest.mark.parametrize("beside", ["JPEG 95", "JPEG 40", "JPEG 10", "a blurred copy"])
def test_little_is_uncertain_in_a_clean_picture_beside_a_damaged_one(beside):
    doubtful = []
    for name in NAMES:
        picture = photograph(name)
        if beside.startswith("JPEG"):
            other = jpeg(picture, int(beside.split()[1]))
        else:
            other = cv2.GaussianBlur(picture, (0, 0), 2)
        graph = compare(picture, other, evidence="none")
        doubtful += [graph.is_uncertain(region.anchor) for region in graph.regions]
    assert np.mean(doubtful) <= 0.04
