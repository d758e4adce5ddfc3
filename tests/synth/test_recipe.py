"""Which severities and types a recipe draws, and how often."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter

import pytest

from distortion_graph.base.errors import RecipeError, VocabularyError
from distortion_graph.synth.keys import generator
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, Recipe, draw_region

DRAWS = 4000
# Of the draws as they were before the registry had any sub-type beside the published table.
PUBLISHED_DRAWS_SHA256 = "8802d0b4eb3859f78cd2ae2adfabee120e1561339c17a253ee99c359ac6d18a7"


def draws(recipe, version="mixed", count=DRAWS):
    return [draw_region(version, recipe, generator("recipe", k)) for k in range(count)]


def test_the_published_recipe_draws_what_it_always_drew():
    names = ("mixed", "mixed2", *DEFAULT_RECIPE.types)
    rows = [
        [draw.distortion, draw.severity, draw.subtype, draw.level]
        for name in names
        for k in range(40)
        for draw in [draw_region(name, DEFAULT_RECIPE, generator(0, "picture", name, k))]
    ]
    assert hashlib.sha256(json.dumps(rows).encode()).hexdigest() == PUBLISHED_DRAWS_SHA256


def test_equal_weights_draw_what_no_weights_draw():
    expected = draws(DEFAULT_RECIPE, count=300)
    for weight in (1, 0.3):
        even = Recipe(severity_weights=dict.fromkeys(DEFAULT_RECIPE.severity_levels, weight))
        assert draws(even, count=300) == expected


@pytest.mark.parametrize("version", ["mixed", "blur"])
def test_severities_are_drawn_by_their_weights(version):
    recipe = Recipe(severity_weights={"severe": 1, "minor": 3}, clean_share=0)
    found = Counter(draw.severity for draw in draws(recipe, version))
    assert set(found) == {"minor", "severe"}
    # Four standard deviations of a binomial count.
    assert abs(found["minor"] - 0.75 * DRAWS) < 4 * math.sqrt(DRAWS * 0.75 * 0.25)


def test_only_the_types_asked_for_are_drawn_in_the_vocabulary_s_order():
    recipe = Recipe(drawn_types=("noise", "snow"))
    assert recipe.types == ("snow", "noise")
    assert {draw.distortion for draw in draws(recipe)} == {"clean", "snow", "noise"}
    with pytest.raises(RecipeError, match="unknown version 'blur'"):
        draw_region("blur", recipe, generator(0))


@pytest.mark.parametrize(
    "weights", [{}, {"minor": 0}, {"minor": -1, "severe": 2}, {"minor": math.nan}, {"mild": 1}]
)
def test_weights_that_cannot_be_drawn_by(weights):
    with pytest.raises(RecipeError, match=r"^recipe: "):
        Recipe(severity_weights=weights)


def test_types_that_are_none():
    with pytest.raises(VocabularyError, match="did you mean 'blur'"):
        Recipe(drawn_types=("blurr",))
    for types in ((), ("clean",), ("blur", "blur")):
        with pytest.raises(RecipeError, match="drawn_types must be different distortion types"):
            Recipe(drawn_types=types)
