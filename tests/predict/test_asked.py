"""A model asked about a pair: the same answers as ever, kept once, in words that people read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data as pictures

from distortion_graph.base.vocabulary import UNCERTAIN
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import load_picture
from distortion_graph.pipeline import compare_pictures
from distortion_graph.predict.asked import AskedPair, read_words
from distortion_graph.predict.canonical import predict_canonically
from distortion_graph.predict.session import Model

CLEAN = np.ascontiguousarray(pictures.chelsea()[20:148, 60:252])
NOISY = np.clip(CLEAN + np.random.default_rng(0).normal(0, 30, CLEAN.shape), 0, 255).astype(
    np.uint8
)
PAIR = load_picture(CLEAN), load_picture(NOISY)
REGIONS = RegionSet.grid(CLEAN.shape[:2], 2, 2)


@pytest.fixture(scope="module")
def model():
    return Model.load()


def test_answers_are_those_of_the_model_and_kept_for_the_same_masks(model):
    asked = AskedPair(model, *PAIR)
    said = asked.predictions(REGIONS)
    expected = predict_canonically(model, *PAIR, REGIONS)
    assert (said.distortion == expected.distortion).all()
    assert asked.predictions(REGIONS.renamed("abcd")) is said
    assert asked.beliefs(REGIONS) is said.distortion
    fewer = RegionSet.grid(CLEAN.shape[:2], 1, 2)
    assert asked.predictions(fewer).n_regions == 2


def test_words_are_those_of_the_graph(model):
    graph = compare_pictures(*PAIR, regions=REGIONS, model=model, align="none")
    asked = AskedPair(model, *PAIR)
    read = [
        (graph.in_words(region.anchor)[0], graph.in_words(region.target)[0])
        for region in graph.regions
    ]
    assert asked.words(REGIONS) == read
    assert asked.clean == "clean" and read[0] == ("clean", "noise")


def test_an_unknown_region_is_uncertain(model):
    said = predict_canonically(model, *PAIR, REGIONS)
    known = np.ones((2, 4))
    known[1, 2] = 0
    words = read_words(model, replace(said, known=known))
    assert words[2][1] == UNCERTAIN
    assert sum(UNCERTAIN in pair for pair in words) == 1
    assert not any(UNCERTAIN in pair for pair in read_words(model, replace(said, known=None)))
