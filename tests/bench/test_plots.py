"""Figures of a benchmark: what stands in them is what the result says."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from optional import present
from result_samples import SMALL, bare, listed_of, result_of

pytest.importorskip("matplotlib", reason="needs the figures extra")

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.metrics import MISSED, calibration_error, reliability
from distortion_graph.bench.plots import MANY_POINTS, plots
from distortion_graph.bench.results import AnswerColumns
from distortion_graph.bench.tables import shown

pytestmark = pytest.mark.slow

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg):
    return ["".join(e.itertext()) for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def drawn(listed, vocabulary=SMALL, **options):
    return dict(plots(result_of(vocabulary, listed), **options))


@pytest.fixture(scope="module")
def one_run():
    """The pairs of one run, and its figures by file name."""
    listed = listed_of(SMALL, names=("mine",))
    return listed, drawn(listed)


def with_answers(listed, answers):
    """The pairs with other answers of its only run, and the figures that follow."""
    [run] = listed.runs
    figures = figures_of(listed.table(), answers, SMALL, draws=0)
    run = run.model_copy(update={"figures": figures, "answers": AnswerColumns.of(answers)})
    return listed.model_copy(update={"runs": [run]})


@pytest.mark.parametrize("vocabulary", [DEFAULT_VOCABULARY, SMALL], ids=["default", "small"])
def test_figures_name_every_label_and_hold_the_results_own_numbers(vocabulary):
    names = ("mine", "$other$/x") if vocabulary is SMALL else ("$other$/x",)
    listed = listed_of(vocabulary, names=names)
    found = drawn(listed, vocabulary)
    parts = ("confusion", "calibration", "score")
    ends = ("mine", "other-x")[-len(names) :]
    assert sorted(found) == sorted(
        ["f1-hard.svg", *(f"{part}-hard-{end}.svg" for part in parts for end in ends)]
    )
    labels = {label.replace("_", " ") for label in vocabulary.distortions}
    for run, end in zip(listed.runs, ends, strict=True):
        assert labels <= set(texts(found["f1-hard.svg"]))
        for value in run.figures.f1_by_label["distortion"].values():
            assert shown(value, 2) in texts(found["f1-hard.svg"])
        cells = texts(found[f"confusion-hard-{end}.svg"])
        assert labels | {"missed", f"{run.name}, hard"} <= set(cells)
        counts = np.array(run.figures.confusion["distortion"])
        numbers = sorted(int(t) for t in cells if t.isdecimal())
        assert numbers == sorted(counts[counts > 0].tolist())
        for what in ("distortion", "severity", "comparison"):
            told = f"ECE {shown(run.figures.calibration[what])}"
            assert told in texts(found[f"calibration-hard-{end}.svg"])
        agreement = "".join(texts(found[f"score-hard-{end}.svg"]))
        for name in ("srcc", "plcc"):
            value = getattr(run.figures.score.averaged, name)
            assert f"{name.upper()} {shown(value)}" in agreement
    assert len(names) == 1 or set(names) <= set(texts(found["f1-hard.svg"]))


@pytest.mark.parametrize(
    ("kind", "begin"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("pdf", b"%PDF")]
)
def test_the_same_result_gives_the_same_bytes_of_every_kind(kind, begin):
    listed = bare(listed_of(SMALL, names=("mine",)))
    first = drawn(listed, kind=kind)
    assert first == drawn(listed, kind=kind)
    assert list(first) == [f"f1-hard.{kind}", f"confusion-hard-mine.{kind}"]
    assert all(data.startswith(begin) for data in first.values())


def test_the_same_scores_and_confidences_give_the_same_bytes(one_run):
    listed, figures = one_run
    assert drawn(listed) == figures


def test_many_scores_are_counted_in_cells(one_run):
    many = drawn(listed_of(SMALL, regions=MANY_POINTS + 2, names=("mine",)))
    for figures, cells in ((one_run[1], False), (many, True)):
        shown_texts = texts(figures["score-hard-mine.svg"])
        assert ("nodes per cell" in shown_texts) == cells
        assert not any("mathdefault" in t for t in shown_texts)


def test_a_run_without_probabilities_and_scores_has_neither_figure():
    listed = bare(listed_of(SMALL, names=("mine",)))
    assert list(drawn(listed)) == ["f1-hard.svg", "confusion-hard-mine.svg"]


def test_answers_that_are_missing_are_counted_as_missed():
    listed = bare(listed_of(SMALL, names=("mine",)))
    answers = listed.runs[0].answers.table()
    for name in ("distortion", "severity", "comparison"):
        getattr(answers, name)[..., :17] = MISSED
    figures = drawn(with_answers(listed, answers))
    column = np.array(with_answers(listed, answers).runs[0].figures.confusion["distortion"])[:, -1]
    assert column.sum() == 34
    cells = texts(figures["confusion-hard-mine.svg"])
    assert {str(n) for n in column if n} <= set(cells)


def test_pairs_that_a_run_left_out_are_left_out_of_its_points(one_run):
    listed, whole = one_run
    run = listed.runs[0].model_copy(update={"left_out": [0]})
    fewer = drawn(listed.model_copy(update={"runs": [run]}))
    marks = [
        sum(e.tag.endswith("}use") for e in ElementTree.fromstring(svg).iter())
        for svg in (fewer["score-hard-mine.svg"], whole["score-hard-mine.svg"])
    ]
    assert marks[1] - marks[0] == 60


def test_runs_and_pairs_are_chosen_by_name_and_baselines_only_then():
    listed = bare(listed_of(SMALL))
    runs = [listed.runs[0], listed.runs[1].model_copy(update={"kind": "baseline"})]
    listed = listed.model_copy(update={"runs": runs})
    result = result_of(SMALL, listed, listed.model_copy(update={"pairs": "easy"}))
    mine = [f"{part}.svg" for p in ("hard", "easy") for part in (f"f1-{p}", f"confusion-{p}-mine")]
    assert [name for name, _ in plots(result)] == mine
    assert [name for name, _ in plots(result, pairs=["easy"], runs=["$other$/x"])] == [
        "f1-easy.svg",
        "confusion-easy-other-x.svg",
    ]
    with pytest.raises(DistortionGraphError, match=r"no test pairs .*: hard, easy$"):
        plots(result, pairs=["test"])
    with pytest.raises(DistortionGraphError, match="no run 'you' over the hard pairs"):
        plots(result, runs=["you"])


@pytest.fixture(scope="module")
def nine_runs():
    """Figures of runs with names that make the same file, or are long."""
    names = ("a/b", "a:b", "A b", "木" * 300, *(f"{'long name ' * 12}{k}" for k in range(5)))
    return drawn(bare(listed_of(SMALL, names=names)))


def test_names_that_become_the_same_file_are_numbered(nine_runs):
    names = [name for name in nine_runs if name.startswith("confusion")]
    start = "confusion-hard-"
    assert names[:3] == [f"{start}a-b.svg", f"{start}a-b-2.svg", f"{start}A-b-3.svg"]
    assert len(names) == 9 and max(map(len, names)) < 120


def test_many_runs_and_long_names_fit(nine_runs):
    data = nine_runs["f1-hard.svg"]
    width = float(present(ElementTree.fromstring(data).get("width")).removesuffix("pt"))
    assert abs(width - 83 / 25.4 * 72) < 0.1
    assert sum(t.startswith("long name") and t.endswith("…") for t in texts(data)) == 5


def test_bins_hold_their_upper_edge_and_add_up():
    right, sure = np.array([True, False, True, True]), np.array([0.0, 0.5, 0.50001, np.nan])
    found = reliability(right, sure, bins=2)
    assert found.answers.tolist() == [2, 1]
    assert found.hits.tolist() == [1, 1]
    assert calibration_error(right, sure, 2) == pytest.approx((0.5 + 0.49999) / 3)
    assert np.isnan(calibration_error(right, np.full(4, np.nan)))


def test_nothing_of_matplotlib_is_changed():
    import matplotlib

    before = dict(matplotlib.rcParams)
    drawn(bare(listed_of(SMALL, names=("mine",))))
    assert dict(matplotlib.rcParams) == before
