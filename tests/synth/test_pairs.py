from __future__ import annotations

import numpy as np
import pytest
from optional import present
from skimage import data as pictures

from distortion_graph.base.errors import RecipeError
from distortion_graph.formats import published
from distortion_graph.graph import DistortionGraph
from distortion_graph.masks.container import RegionSet
from distortion_graph.synth.keys import generator
from distortion_graph.synth.pairs import draw_versions, make_pair
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, MIXED

CLEAN = np.ascontiguousarray(pictures.chelsea()[20:148, 60:220])
REGIONS = RegionSet.grid(CLEAN.shape[:2], 2, 3)


def test_difficulties():
    rng = generator(0)
    for _ in range(100):
        first, second = draw_versions("easy", DEFAULT_RECIPE.types, rng)
        assert first != second and not {first, second} & set(MIXED)
        assert len(set(draw_versions("medium", DEFAULT_RECIPE.types, rng)) & set(MIXED)) == 1
        assert set(draw_versions("hard", DEFAULT_RECIPE.types, rng)) == set(MIXED)
    with pytest.raises(RecipeError, match="easy, medium or hard"):
        draw_versions("harder", DEFAULT_RECIPE.types, rng)  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match="at least 2 distortion types, got \\['blur'\\]"):
        draw_versions("easy", ["blur"], rng)


@pytest.mark.parametrize("difficulty", ["easy", "medium", "hard"])
def test_true_graph_tells_what_was_done(difficulty):
    pair = make_pair(CLEAN, REGIONS, tag="cat", seed=3, difficulty=difficulty)
    graph = pair.graph
    assert [r.id for r in graph.regions] == list(REGIONS.ids)
    for k, region in enumerate(graph.regions):
        for node, version in ((region.anchor, pair.anchor), (region.target, pair.target)):
            assert node.distortion.label == version.draws[k].distortion
            assert node.severity.label == version.draws[k].severity
            assert node.score == pytest.approx(version.scores[k], abs=1e-6)
        d = present(region.anchor.score) - present(region.target.score)
        expected = graph.vocabulary.compare_scores(
            present(region.anchor.score), present(region.target.score)
        )
        assert region.comparison.margin == d and region.comparison.label == expected.label
    for side in (present(graph.scene).anchor, present(graph.scene).target):
        assert sum(present(side.distortion_share).values()) == pytest.approx(1, abs=1e-5)


def test_true_graph_round_trips():
    graph = make_pair(CLEAN, REGIONS, tag="cat").graph
    assert DistortionGraph.model_validate_json(graph.to_json()) == graph
    back = published.loads(published.dumps(graph))
    assert [r.comparison.label for r in back.regions] == [r.comparison.label for r in graph.regions]


def test_same_arguments_same_pair():
    first = make_pair(CLEAN, REGIONS, tag="cat", seed=5)
    second = make_pair(CLEAN, REGIONS, tag="cat", seed=5)
    assert first.graph == second.graph
    assert np.array_equal(first.anchor.image, second.anchor.image)
