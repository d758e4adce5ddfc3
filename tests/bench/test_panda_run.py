"""`panda` in the benchmark: the answers are its heads' own."""

from __future__ import annotations

import numpy as np
import pytest
from bench_roots import write_root
from optional import present

torch = pytest.importorskip("torch", reason="needs the train extra")
pytest.importorskip("transformers", reason="needs the segment extra")

from tiny_panda import tiny_dinov2, tiny_panda  # noqa: E402

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS  # noqa: E402
from distortion_graph.bench.benchmark import BenchOptions, benchmark  # noqa: E402
from distortion_graph.bench.panda_run import PandaRun, head_answers  # noqa: E402
from distortion_graph.datasets.reader import PandaSet  # noqa: E402
from distortion_graph.graph import load_graph  # noqa: E402
from distortion_graph.model.backbones import TransformersBackbone  # noqa: E402
from distortion_graph.model.panda import PandaPredictor  # noqa: E402


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return PandaSet(write_root(tmp_path_factory.mktemp("bench") / "root"))


@pytest.fixture(scope="module")
def predictor():
    return PandaPredictor(tiny_panda(TransformersBackbone(tiny_dinov2(), source="tiny")))


def test_answers_are_what_each_head_finds_most_probable(reader, predictor):
    run = PandaRun(predictor, WORDS)
    contradictions = 0
    for key in reader.keys("test", "hard"):
        sample = reader.sample("test", key)
        heads = predictor.heads(sample.anchor, sample.target, sample.masks)
        found = run.answer(sample)
        assert np.array_equal(found.distortion, heads.distortion.argmax(-1))
        assert np.array_equal(found.severity, heads.severity.argmax(-1))
        assert np.array_equal(found.comparison, heads.comparison.argmax(-1))
        assert np.array_equal(found.score, heads.score.clip(0, 1))
        assert np.array_equal(found.distortion_confidence, heads.distortion.max(-1))
        contradictions += int(((found.distortion == 0) != (found.severity == 0)).sum())
        back = predictor.heads(sample.target, sample.anchor, sample.masks)
        assert np.array_equal(run.answer_swapped(sample).score, back.score.clip(0, 1))
    assert contradictions  # which a graph could not say
    assert len(run.seconds) == len(reader.keys("test", "hard")) and run.name == "panda"


def test_labels_are_found_again_in_a_larger_vocabulary(predictor):
    heads = predictor.heads(*(np.zeros((20, 20, 3), np.uint8),) * 2, np.ones((3, 20, 20), bool))
    turned = WORDS.model_copy(update={"distortions": WORDS.distortions[::-1]})
    found = head_answers(heads, WORDS, turned)
    assert np.array_equal(
        len(WORDS.distortions) - 1 - found.distortion, heads.distortion.argmax(-1)
    )


def test_the_whole_benchmark_takes_it_as_a_model(reader, predictor, tmp_path):
    run = PandaRun(predictor, WORDS, graphs=tmp_path)
    result = benchmark(reader, [run], BenchOptions(pairs=("hard",), draws=10))
    assert result.identities["panda"].kind == "model"
    assert result.identities["panda"].sha256 == predictor.identity.sha256
    graphs = sorted(tmp_path.iterdir())
    assert len(graphs) == len(result.pairs[0].keys)
    assert present(load_graph(graphs[0]).model).name == "panda"
