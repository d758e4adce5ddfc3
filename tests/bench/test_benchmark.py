"""The benchmark of a small root: runs, folders of graphs, result files, comparisons, tables."""

from __future__ import annotations

import io
import json
import shutil
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from bench_roots import TAGS, write_root
from optional import present
from rich.console import Console

from distortion_graph.base.errors import DatasetError, DistortionGraphError, GraphError, ModelError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as WORDS
from distortion_graph.bench.benchmark import BenchOptions, benchmark, root_identity
from distortion_graph.bench.comparison import NamedResult, compare_results, comparison_table
from distortion_graph.bench.evaluate import ModelRun, evaluate, predict_all
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.graph_folder import FolderRun, graph_name
from distortion_graph.bench.results import AnswerColumns, read_result
from distortion_graph.bench.summary import tables_of
from distortion_graph.bench.tables import rich_table
from distortion_graph.datasets.layout import PairKey
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.formats import published
from distortion_graph.graph import load_graph
from distortion_graph.pipeline import compare
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import load_model

DRAWS = 40
ALL = BenchOptions(draws=DRAWS)
HARD = replace(ALL, pairs=("hard",))


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    return PandaSet(write_root(tmp_path_factory.mktemp("bench") / "root"))


@pytest.fixture(scope="module")
def model():
    return load_model(threads=1)


@pytest.fixture(scope="module")
def written(reader, model, tmp_path_factory):
    """The shipped model's result over all lists, and the folder of its graphs."""
    folder = tmp_path_factory.mktemp("graphs")
    run = ModelRun(model, WORDS, name="shipped", graphs=folder)
    return benchmark(reader, [run], ALL), folder


@pytest.fixture
def graphs(written, tmp_path):
    """A copy of the model's graphs, to be spoiled."""
    for path in written[1].iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def rows(result, pairs):
    found = next(listed for listed in result.pairs if listed.pairs == pairs)
    return {run.name: run for run in found.runs}


def folder_run(folder, **options):
    return FolderRun("mine", folder, WORDS, **options)


def test_a_model_is_measured_as_compare_answers(reader, model, written):
    result, _ = written
    assert [s.pairs for s in result.pairs] == ["easy", "medium", "hard"]
    assert [len(s.keys) for s in result.pairs] == [6, 6, 4]
    listed = result.pairs[2]
    truth, said = listed.table(), rows(result, "hard")["shipped"].answers.table()
    for number, key in enumerate(truth.keys):
        sample = reader.sample("test", key)
        graph = compare(
            sample.anchor, sample.target, regions=sample.regions, model=model, evidence="none"
        )
        here = np.flatnonzero(truth.pair == number)
        for k, region in zip(here, graph.regions, strict=True):
            assert truth.region[k] == region.id
            assert WORDS.distortions[said.distortion[1, k]] == region.target.distortion.label
            assert WORDS.comparison_labels[said.comparison[k]] == region.comparison.label
            assert said.score[0, k] == region.anchor.score
            assert said.severity_confidence[0, k] == region.anchor.severity.probability


def test_a_model_has_times_symmetry_and_pristine_shares(reader, model, written):
    result, _ = written
    for listed in result.pairs:
        figures = rows(result, listed.pairs)["shipped"].figures
        assert figures.swap_consistency == 1 and figures.coverage == 1
        assert 0 < figures.seconds_per_pair["median"] < 60
        baseline = rows(result, listed.pairs)["random"].figures
        assert baseline.swap_consistency is None and baseline.seconds_per_pair is None
    found = result.identities["shipped"]
    assert found.sha256 == load_model(threads=1).identity.sha256
    assert found.pristine.version == "mixed"
    itself: list[Any] = []
    version: list[Any] = []
    for tag in TAGS:
        sample = reader.sample("test", PairKey("mixed", "mixed2", tag))
        clean = reader.clean("test", tag)
        for anchor, called in ((clean, itself), (sample.anchor, version)):
            graph = compare(anchor, clean, regions=sample.regions, model=model, evidence="none")
            called += [region.target.distortion.label == "clean" for region in graph.regions]
    assert found.pristine.beside_itself == np.mean(itself)
    assert found.pristine.beside_version == np.mean(version)


def test_kept_graphs_score_as_the_model_did(reader, written):
    result, folder = written
    again = benchmark(reader, [folder_run(folder)], ALL)
    for listed in result.pairs:
        mine, theirs = rows(again, listed.pairs)["mine"], rows(result, listed.pairs)["shipped"]
        assert mine.answers == theirs.answers
        skip = {"seconds_per_pair", "swap_consistency"}
        assert mine.figures.model_dump(exclude=skip) == theirs.figures.model_dump(exclude=skip)
    # Both orders of a hard pair are in the folder, of an easy one only by chance.
    assert rows(again, "hard")["mine"].figures.swap_consistency == 1
    graph = load_graph(folder / graph_name(PairKey("mixed", "mixed2", TAGS[0])))
    assert present(graph.scene).anchor.distortion_share and present(graph.model).name


def test_kept_graphs_are_those_of_compare(reader, model, written):
    _, folder = written
    key = PairKey("mixed", "mixed2", TAGS[0])
    sample = reader.sample("test", key)
    kept = load_graph(folder / graph_name(key))
    files = list(map(str, sample.files))
    made = compare(*files, regions=sample.regions, model=model, evidence="none")
    assert kept.model == made.model and present(kept.model).known_threshold is not None
    assert kept.regions == made.regions and kept.scene == made.scene


def test_published_graphs_score_the_same(reader, written, graphs):
    for path in graphs.iterdir():
        path.write_text(published.dumps(load_graph(path)))
    again = benchmark(reader, [folder_run(graphs)], HARD)
    mine, theirs = rows(again, "hard")["mine"].figures, rows(written[0], "hard")["shipped"].figures
    for what in ("distortion", "severity", "comparison"):
        assert getattr(mine, what) == getattr(theirs, what)
    # The form rounds scores to four places and has no probabilities.
    assert mine.score.averaged.plcc == pytest.approx(theirs.score.averaged.plcc, abs=1e-3)
    assert mine.calibration == dict.fromkeys(mine.calibration)


def test_a_missing_region_is_a_miss_and_a_strange_one_is_counted(reader, graphs):
    key = PairKey("mixed", "mixed2", TAGS[0])
    path = graphs / graph_name(key)
    graph = load_graph(path)
    first, *rest = graph.regions
    strange = first.model_copy(update={"id": 77})
    path.write_text(graph.model_copy(update={"regions": (strange, *rest)}).to_json())
    result = rows(benchmark(reader, [folder_run(graphs)], HARD), "hard")["mine"]
    figures = result.figures
    assert figures.coverage == figures.score_coverage == pytest.approx(11 / 12)
    assert result.extra_regions == 1 and result.missing_files == 0
    assert result.answers.distortion[0].count(None) == 1
    assert sum(row[-1] for row in figures.confusion["comparison"]) == 1
    # That region's mirrored pair has an answer, it has none.
    assert figures.swap_consistency == pytest.approx(10 / 11)


def test_scores_that_are_left_out_are_told(reader, graphs):
    path = graphs / graph_name(PairKey("mixed", "mixed2", TAGS[0]))
    value = json.loads(path.read_text())
    value["regions"][0]["anchor"]["score"] = value["regions"][0]["comparison"]["margin"] = None
    path.write_text(json.dumps(value))
    result = benchmark(reader, [folder_run(graphs)], HARD)
    assert rows(result, "hard")["mine"].figures.score_coverage == pytest.approx(23 / 24)
    assert "hard, mine: scores for .958 of the nodes." in tables_of(result)[0].notes


def test_missing_files_stop_or_miss_or_are_left_out(reader, graphs):
    (graphs / graph_name(PairKey("mixed", "mixed2", TAGS[0]))).unlink()
    with pytest.raises(DatasetError) as caught:
        benchmark(reader, [folder_run(graphs)], HARD)
    assert str(caught.value) == (
        f"{graphs}: no file mixed__mixed2__one.png.json (1 of the 4 pairs have none), expected "
        "<anchor>__<target>__<picture>.json for every pair; --missing miss or skip goes on without"
    )
    miss = rows(benchmark(reader, [folder_run(graphs, missing="miss")], HARD), "hard")["mine"]
    assert miss.figures.coverage == 9 / 12 and miss.figures.pairs == 4
    assert miss.missing_files == 1 and miss.left_out == []
    # What is not there was not mirrored, nor was it not.
    assert miss.figures.swap_consistency == 1
    skip = rows(benchmark(reader, [folder_run(graphs, missing="skip")], HARD), "hard")["mine"]
    assert (skip.figures.coverage, skip.figures.pairs, skip.figures.regions) == (1, 3, 9)
    assert skip.left_out == [0] and skip.answers.comparison[:3] == [None] * 3
    # A miss counts against, a pair that is left out does not.
    hits = skip.figures.comparison.accuracy * 9
    assert miss.figures.comparison.accuracy == pytest.approx(hits / 12)


@pytest.mark.parametrize("missing", ["error", "miss", "skip"])
def test_a_folder_without_any_of_the_graphs_is_the_wrong_folder(reader, tmp_path, missing):
    with pytest.raises(DatasetError, match=r"\(4 of the 4 pairs have none\)"):
        benchmark(reader, [folder_run(tmp_path, missing=missing)], HARD)
    with pytest.raises(DatasetError, match="nix: no such folder, expected one of predicted graphs"):
        folder_run(tmp_path / "nix")


def test_unknown_labels_and_damaged_graphs_are_one_line(reader, graphs):
    path = graphs / graph_name(PairKey("mixed", "mixed2", TAGS[0]))
    whole = path.read_bytes()
    # A graph may have a vocabulary of its own, but must use the data set's words.
    value = json.loads(whole)
    value["vocabulary"]["distortions"].append("grain")
    for region in value["regions"]:
        for side in ("anchor", "target"):
            region[side]["distortion"] = {"label": "grain"}
            region[side]["severity"] = {"label": "minor"}
    path.write_text(json.dumps(value))
    with pytest.raises(GraphError) as caught:
        benchmark(reader, [folder_run(graphs)], HARD)
    assert str(caught.value).startswith(
        f"{path}: unknown distortion 'grain', expected one of clean"
    )
    path.write_bytes(whole[:-20])
    with pytest.raises(GraphError, match=r"mixed__mixed2__one.png.json: not valid JSON at line"):
        benchmark(reader, [folder_run(graphs)], HARD)


def test_a_published_graph_of_other_regions_is_one_line(reader, graphs):
    path = graphs / graph_name(PairKey("mixed", "mixed2", TAGS[0]))
    graph = load_graph(path)
    short = graph.model_copy(update={"regions": graph.regions[:2]})
    path.write_text(published.dumps(short))
    with pytest.raises(GraphError) as caught:
        benchmark(reader, [folder_run(graphs)], HARD)
    assert str(caught.value) == (
        f"{path}: the published form has 2 regions, expected the 3 of the pair, in their order; "
        "the native form may leave regions out"
    )


def test_names_that_leave_the_folder_are_refused():
    with pytest.raises(DatasetError, match="is not the plain name of a file"):
        graph_name(PairKey("../blur", "noise", "x.png"))


def test_a_model_of_other_words_is_one_line(model):
    fewer = WORDS.model_copy(update={"distortions": WORDS.distortions[:5]})
    with pytest.raises(ModelError, match="shipped: knows the distortion 'oversharpen', which the"):
        ModelRun(model, fewer, name="shipped")
    wide = [c.model_copy(update={"min_abs_d": 2 * c.min_abs_d}) for c in WORDS.comparisons]
    other = WORDS.model_copy(update={"comparisons": tuple(wide)})
    with pytest.raises(ModelError) as caught:
        ModelRun(model, type(WORDS).model_validate(other.model_dump()), name="shipped")
    assert str(caught.value) == (
        "shipped: its comparison thresholds are 0.1, 0.3, expected those of the data set: 0.2, 0.6"
    )


class Biased:
    """Says blur of the brighter anchor and noise of the rest: order matters to it."""

    name, seconds = "biased", ()

    def __init__(self, reader):
        self.seconds = []  # type: ignore[assignment]
        self.asked = []

    def answer(self, sample):
        self.asked.append(sample.key)
        answers = evaluate_none(len(sample.regions))
        answers.distortion[:] = [[1] * 3, [2] * 3]
        answers.severity[:] = 1
        answers.comparison[:] = [2, 4, 2]
        return answers

    def answer_swapped(self, sample):
        return self.answer(replace(sample, key=("swapped", *sample.key)))


def evaluate_none(count):
    from distortion_graph.bench.answers import Answers

    return Answers.none(count)


def test_swap_consistency_asks_the_swapped_pair_once(reader):
    keys = reader.keys("test", "hard")
    run = Biased(reader)
    _, (pooled,) = evaluate((reader.sample("test", k) for k in keys), [run], WORDS, within=keys)  # type: ignore[list-item]
    assert run.asked == keys and not pooled.mirrored.any()
    run = Biased(reader)
    one = [PairKey("blur", "noise", TAGS[0])]
    _, (pooled,) = evaluate((reader.sample("test", k) for k in one), [run], WORDS, within=one)  # type: ignore[list-item]
    assert run.asked == [*one, ("swapped", *one[0])] and not pooled.mirrored.any()


def test_a_mirror_is_exchanged_nodes_and_mirrored_comparisons():
    answers = evaluate_none(3)
    answers.distortion[:] = [[1, 1, 1], [2, 2, 2]]
    answers.severity[:] = [[1, 1, 1], [3, 3, 3]]
    answers.comparison[:] = [0, 1, 2]
    back = evaluate_none(3)
    back.distortion[:], back.severity[:] = answers.distortion[::-1], answers.severity[::-1]
    back.comparison[:] = [4, 3, 1]
    assert answers.mirrors(back, WORDS).tolist() == [True, True, False]
    back.severity[0, 1] = 2
    assert answers.mirrors(back, WORDS).tolist() == [True, False, False]


class Uniform:
    def predict(self, anchor, target, masks):
        count = len(masks)
        severity = np.full((2, count, 15, 4), 1 / 3)
        severity[..., 0] = 0
        severity[:, :, WORDS.clean_index] = [1, 0, 0, 0]
        flat = np.full((count, 5), 0.2)
        distortion = np.full((2, count, 15), 1 / 15)
        return Predictions(
            distortion, severity, np.full((2, count), 0.5), flat, np.full(2, 0.5), np.full(5, 0.2)
        )


def test_a_predictor_without_an_opinion_has_no_mean_figure(reader):
    samples = [reader.sample("test", key) for key in reader.keys("test", "hard")]
    figures = figures_of(*predict_all(Uniform(), samples, WORDS), WORDS, draws=0)
    assert figures.mean is None and figures.comparison.accuracy is not None


def test_only_and_limit_choose_pairs(reader, graphs):
    run = [folder_run(graphs)]
    one = benchmark(reader, run, replace(HARD, only={"two"}))
    assert [pair[2] for pair in one.pairs[0].keys] == ["two.png"] * 2
    first = benchmark(reader, run, replace(HARD, limit=1, baselines=False))
    assert first.pairs[0].keys == [("mixed", "mixed2", "one.png")]
    assert [r.name for r in first.pairs[0].runs] == ["mine"]
    # One picture has no interval.
    assert set(first.pairs[0].runs[0].figures.intervals.values()) == {None}
    with pytest.raises(DatasetError, match=r"no hard pair in the pictures named by --only \(4 in"):
        benchmark(reader, run, replace(HARD, only={"three"}))


def test_all_pairs_are_every_ordered_pair(reader):
    result = benchmark(reader, [], replace(ALL, pairs=("all",)))
    assert len(result.pairs[0].keys) == 2 * 5 * 4
    assert len({tuple(p) for p in result.pairs[0].keys}) == 40


def test_a_result_is_read_back_and_its_figures_follow_from_its_columns(written, tmp_path):
    result, _ = written
    path = tmp_path / "r.json"
    path.write_text(result.to_json())
    assert "NaN" not in path.read_text() and str(tmp_path) not in path.read_text()
    again = read_result(path)
    assert again == result
    for listed in again.pairs:
        for run in listed.runs:
            answers = run.answers.table()
            figures = figures_of(listed.table(), answers, WORDS, draws=DRAWS)
            skip = {"seconds_per_pair", "swap_consistency"}
            assert figures.model_dump(exclude=skip) == run.figures.model_dump(exclude=skip)


def broken(result, change):
    value = json.loads(result.to_json())
    change(value)
    return json.dumps(value)


def longer(value):
    value["pairs"][0]["runs"][0]["answers"]["comparison"].append(1)


def beyond(value):
    value["pairs"][0]["truth"]["distortion"][1][2] = 15


def negative(value):
    value["pairs"][1]["truth"]["pair"][0] = -1


def stranger(value):
    del value["identities"]["shipped"]


def huge(value):
    value["pairs"][0]["truth"]["region"][0] = 10**30


def second(value):
    value["pairs"].append(value["pairs"][0])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (longer, "easy pairs: run 'shipped'.comparison has 19 entries, expected 18"),
        (beyond, "easy pairs: truth.distortion holds 15, expected less than 15"),
        (negative, "pairs[1].truth.pair[0]: expected greater than or equal to 0, found -1"),
        (stranger, "pairs: 'shipped' is not among the identities"),
        (huge, "pairs[0].truth.region[0]: expected less than 9223372036854775808, found 10000"),
        (second, "pairs: 'easy' is there twice, expected once"),
        (lambda v: v.update(pairs=[]), "pairs: none there, expected at least one"),
        (lambda v: v.update(format="other 3"), "format is 'other 3', expected"),
        (lambda v: v.update(seeds=1), "top level: unknown key 'seeds', expected only"),
    ],
)
def test_damaged_results_are_one_line(written, tmp_path, change, expected):
    path = tmp_path / "r.json"
    path.write_text(broken(written[0], change))
    with pytest.raises(DistortionGraphError) as caught:
        read_result(path)
    assert str(caught.value).startswith(f"{path}: {expected}")
    assert "\n" not in str(caught.value)


def test_files_that_are_no_results_are_one_line(tmp_path):
    with pytest.raises(DistortionGraphError, match=r"nix\.json: cannot be read"):
        read_result(tmp_path / "nix.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(DistortionGraphError, match=r"list\.json: format is None, expected"):
        read_result(tmp_path / "list.json")


def altered(result, name):
    """The result under another name, without one right severity."""
    value = result.model_dump()
    for listed, dumped in zip(result.pairs, value["pairs"], strict=True):
        run = dumped["runs"][0]
        answers = AnswerColumns.model_validate(run["answers"]).table()
        answers.severity[:] = (listed.table().severity + 1) % 4
        run |= {"name": name, "answers": AnswerColumns.of(answers).model_dump()}
    value["identities"][name] = value["identities"].pop("shipped")
    return type(result).model_validate(value)


def test_results_are_set_side_by_side(written):
    result = written[0]
    files = [NamedResult("a", result), NamedResult("b", altered(result, "worse"))]
    found = compare_results([*files, NamedResult("c", result)], permutations=50, draws=50)
    assert [(c.pairs, c.other) for c in found.compared] == [
        (pairs, other) for pairs in ("easy", "medium", "hard") for other in ("worse", "shipped (c)")
    ]
    assert {c.first for c in found.compared} == {"shipped (a)"}
    worse, same = found.compared[4:]
    by_name = {f.figure: f for f in worse.figures}
    accuracy = rows(result, "hard")["shipped"].figures.severity.averaged.accuracy
    assert by_name["severity.accuracy"].first == pytest.approx(accuracy)
    assert present(by_name["severity.accuracy"].difference) < 0
    assert by_name["comparison.accuracy"].difference == 0
    assert all((f.difference, f.p, f.p_holm) == (0, 1, 1) for f in same.figures)
    assert all(present(f.p) <= present(f.p_holm) for c in found.compared for f in c.figures)
    table = comparison_table(found)
    assert [s.title for s in table.sections] == ["easy", "medium", "hard"]
    assert len(table.sections[0].rows) == 8


def test_only_like_is_compared_with_like(written, reader):
    result, folder = written
    one = NamedResult("a", result)

    def refusal(value):
        with pytest.raises(DistortionGraphError) as caught:
            compare_results([one, NamedResult("b", type(result).model_validate(value))])
        return str(caught.value)

    value = result.model_dump()
    value["pairs"][0]["keys"][3] = ("blur", "noise", "three.png")
    assert refusal(value).startswith("b: easy: pair 3 is blur__noise__three.png, but ")
    value = result.model_dump()
    value["pairs"][2]["truth"]["score"][0][0] = 0.123
    assert refusal(value) == (
        "b: hard: the true score of the regions is not that in a; run both on the same data set "
        "with the same options"
    )
    value = result.model_dump()
    del value["pairs"][1]
    assert refusal(value) == "b: has the pairs easy, hard, expected those of a: easy, medium, hard"
    with pytest.raises(
        DistortionGraphError, match="a: runs that are no baseline: 1 in all files, "
    ):
        compare_results([one])
    short = benchmark(reader, [folder_run(folder)], replace(HARD, limit=2))
    lists = [NamedResult("c", benchmark(reader, [folder_run(folder)], HARD))]
    with pytest.raises(DistortionGraphError, match="d: hard: 2 pairs, but 4 in c; run both"):
        compare_results([*lists, NamedResult("d", short)])


def test_pairs_that_one_left_out_are_not_compared(written, reader, graphs):
    (graphs / graph_name(PairKey("mixed2", "mixed", TAGS[1]))).unlink()
    left = benchmark(reader, [folder_run(graphs, missing="skip")], HARD)
    whole = benchmark(reader, [FolderRun("all", written[1], WORDS)], HARD)
    found = compare_results(
        [NamedResult("a", whole), NamedResult("b", left)], permutations=20, draws=20
    )
    first = found.compared[0]
    assert (first.pairs, first.pair_count, first.region_count) == ("hard", 3, 9)
    assert all(f.difference == 0 for f in found.compared[0].figures)


def test_the_root_is_known_by_its_files_and_not_by_its_place(reader, tmp_path):
    here = root_identity(reader.root)
    assert list(here.sha256) == ["pandabench_index.json"]
    assert root_identity(write_root(tmp_path / "root")) == here


def test_tables_tell_what_the_result_says(written):
    main, more, types = tables_of(written[0])
    hard = main.sections[2]
    assert hard.title == "hard" and hard.remark == "4 pairs of 2 pictures, 12 regions"
    assert [row[0].text for row in hard.rows] == ["shipped", "random", "majority", "metric oracle"]
    figures = rows(written[0], "hard")["shipped"].figures
    shown = f"{figures.distortion.averaged.accuracy:.3f}".removeprefix("0")
    assert hard.rows[0][1].text == shown
    assert hard.rows[3][5].text == "1.000"  # the oracle's comparison
    assert hard.rows[2][7].text == "–"  # the majority's score does not vary
    assert any("called clean by shipped" in note for note in main.notes)
    for width in (80, 100):
        stream = io.StringIO()
        Console(file=stream, width=width, color_system=None).print(
            *(rich_table(table, width) for table in (main, more, types))
        )
        text = stream.getvalue()
        # Rich leaves out columns that do not fit.
        assert text.count("PLCC") == 3 and text.count("pair") >= 6
        assert max(map(len, text.splitlines())) <= width
    assert more.sections[0].rows[0][8].text == "1.000"
    assert types.sections[0].title == "shipped"


def test_a_result_of_an_earlier_version_says_what_its_keys_are_called_now(written, tmp_path):
    value = json.loads(written[0].to_json())
    value |= {"part": "test", "splits": value.pop("pairs")}
    path = tmp_path / "old.json"
    path.write_text(json.dumps(value))
    with pytest.raises(DistortionGraphError) as caught:
        read_result(path)
    assert str(caught.value) == (
        f"{path}: has the keys 'part' and 'splits' of an earlier version, expected 'splits' "
        "(train, val, test) and 'pairs' (easy, medium, hard, all); run `bench --json` again"
    )


def test_several_splits_are_measured_as_one(reader, tmp_path):
    both = tmp_path / "both"
    shutil.copytree(reader.root, both)
    for folder in [path for path in both.iterdir() if (path / "test").is_dir()]:
        shutil.copytree(folder / "test", folder / "val")
        (folder / "val" / "two.png").unlink()
        (folder / "val" / "one.png").rename(folder / "val" / "three.png")
    for path in list((both / "stats").iterdir()):
        entries = json.loads(path.read_text())
        new = path.with_name(path.name.replace("test_", "val_"))
        new.write_text(json.dumps({"three.png": entries["one.png"]}))
    reader = PandaSet(both)
    options = BenchOptions(("hard", "all"), ("val", "test"), draws=DRAWS)
    result = benchmark(reader, [], options)
    assert result.splits == ["val", "test"]
    hard, every = result.pairs
    assert (
        sorted(key[2] for key in hard.keys) == ["one.png"] * 2 + ["three.png"] * 2 + ["two.png"] * 2
    )
    assert len(every.keys) == 3 * 5 * 4
    truth, alone = hard.table(), benchmark(reader, [], replace(options, splits=("test",)))
    rows_of_one = [truth.keys[k].tag == "one.png" for k in truth.pair]
    rows_of_three = [truth.keys[k].tag == "three.png" for k in truth.pair]
    assert truth.score[:, rows_of_one].tolist() == truth.score[:, rows_of_three].tolist()
    assert len(alone.pairs[0].keys) == 4
    with pytest.raises(DatasetError, match=r"both: no stats of the split 'train'"):
        benchmark(reader, [], replace(options, splits=("test", "train")))


def test_a_picture_in_two_of_the_splits_is_refused(reader, tmp_path):
    both = tmp_path / "both"
    shutil.copytree(reader.root, both)
    for folder in [path for path in both.iterdir() if (path / "test").is_dir()]:
        shutil.copytree(folder / "test", folder / "val")
    for path in list((both / "stats").iterdir()):
        shutil.copy(path, path.with_name(path.name.replace("test_", "val_")))
    with pytest.raises(DatasetError) as caught:
        benchmark(PandaSet(both), [], BenchOptions(("hard",), ("val", "test")))
    assert str(caught.value) == (
        f"{both}: one.png is in the splits val and test, expected every name once; choose one "
        "--split at a time"
    )
