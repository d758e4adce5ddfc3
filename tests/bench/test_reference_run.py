"""The benchmark with the clean picture as reference: true comparisons, and what it adds."""

from __future__ import annotations

import numpy as np
import pytest
from bench_roots import clean_picture, write_root
from optional import present

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.benchmark import BenchOptions, benchmark
from distortion_graph.bench.evaluate import ModelRun
from distortion_graph.bench.protocol import BenchPicture, samples_of
from distortion_graph.bench.reference_run import ReferenceRun
from distortion_graph.bench.reference_run import clean_picture as clean_of
from distortion_graph.bench.results import read_result
from distortion_graph.bench.summary import tables_of
from distortion_graph.cli.main import run as command
from distortion_graph.datasets.chosen_pairs import ChosenPairs
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.predict.session import load_model


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_root(tmp_path_factory.mktemp("set") / "my-set")


@pytest.fixture(scope="module")
def result(root):
    reader, model = PandaSet(root), load_model(threads=1)
    runs = [ModelRun(model, WORDS, name="m"), ReferenceRun(model, WORDS, name="m + reference")]
    return benchmark(reader, runs, BenchOptions(pairs=("hard",), draws=20))


def test_scores_and_comparisons_are_the_true_ones(result):
    [listed] = result.pairs
    row = next(run for run in listed.runs if run.name == "m + reference")
    figures, answers, truth = row.figures, row.answers.table(), listed.table()
    assert figures.comparison.accuracy == 1 and figures.score.averaged.mean_error < 1e-6
    assert figures.swap_consistency == 1
    assert np.array_equal(answers.comparison, truth.comparison)
    clean = truth.distortion == WORDS.clean_index
    assert clean.any() and (answers.distortion[clean] == WORDS.clean_index).all()
    assert (answers.distortion[~clean] != WORDS.clean_index).mean() > 0.5
    assert result.identities["m + reference"].pristine.beside_itself == 1


def test_a_line_below_the_table_says_what_the_reference_adds(result):
    notes = [note for note in tables_of(result)[0].notes if "reference adds" in note]
    plain, measured = result.pairs[0].runs[:2]
    gain = measured.figures.comparison.accuracy - plain.figures.comparison.accuracy
    assert len(notes) == 1 and notes[0].startswith("hard, what the reference adds: distortion ")
    assert f"comparison +{gain:.3f}".replace("0.", ".") in notes[0]


def test_the_command_has_a_row_more_for_each_model(root, tmp_path, capsys):
    path = tmp_path / "r.json"
    arguments = ["bench", str(root), "--pairs", "hard", "--reference", "--no-baselines"]
    assert command([*arguments, "--threads", "1", "--json", str(path)]) == 0
    names = [run.name for run in read_result(path).pairs[0].runs]
    assert names == ["lite0-regions", "lite0-regions + reference"]
    assert "what the reference adds" in capsys.readouterr().out


def test_pairs_know_their_clean_picture(root):
    chosen = ChosenPairs(PandaSet(root), ("test",))
    key = chosen.keys("hard")[0]
    sample = chosen.sample(key)
    assert np.array_equal(present(sample.load_clean)(), chosen.clean(key.tag))
    made = BenchPicture("one", clean_picture(0), np.ones((1, 48, 64), bool), (1,))
    [first, _] = samples_of([made], "hard")
    assert np.array_equal(clean_of(first).rgb, made.rgb)


def test_a_pair_of_unknown_origin_is_refused(root):
    sample = PandaSet(root).sample("test", PairKey("mixed", "mixed2", "one.png"))
    with pytest.raises(DatasetError) as caught:
        clean_of(sample)
    assert str(caught.value) == "one.png: the clean picture is not known, expected one"
