"""benchmarks/opinion.py: agreement with opinions, maps fitted on other contents, refusals."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import kendalltau, spearmanr

from distortion_graph.errors import DatasetError

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import opinion


def measured(seed: int = 0, *, contents: int = 6, each: int = 12) -> opinion.Measured:
    """Two labels whose scores have different scales: at one opinion .5 apart."""
    rng = np.random.default_rng(seed)
    people = rng.uniform(0, 9, contents * each)
    label = np.where(rng.random(len(people)) < 0.5, "blur", "noise")
    score = np.where(label == "blur", 0.5, 0) + people / 20
    return opinion.Measured(
        people,
        tuple(label),
        tuple(f"{k}.png" for k in np.repeat(np.arange(contents), each)),
        tuple(label),
        {"score": score, "margin": score - 0.9},
    )


def test_a_monotone_map_is_isotonic_regression_between_its_steps():
    sklearn = pytest.importorskip("sklearn.isotonic", reason="needs the dev extra")
    rng = np.random.default_rng(1)
    x, weight = np.sort(rng.random(60)), rng.uniform(0.1, 2, 60)
    y = x**2 + rng.normal(0, 0.2, 60)
    curve = opinion.monotone_map(x, y, weight)
    grid = np.linspace(-1, 2, 400)
    assert (np.diff(curve(grid)) >= 0).all()
    steps = sklearn.IsotonicRegression().fit_transform(x, y, sample_weight=weight)
    for height in np.unique(steps):
        there = steps == height
        middle = np.average(x[there], weights=weight[there])
        assert curve(np.array([middle]))[0] == pytest.approx(height)
    assert curve(np.array([-1.0]))[0] == pytest.approx(steps[0])


def test_equal_scores_get_their_mean_opinion():
    curve = opinion.monotone_map(
        np.array([0.1, 0.1, 0.9]), np.array([2.0, 4.0, 8.0]), np.array([1.0, 3.0, 1.0])
    )
    assert curve(np.array([0.1, 0.5, 0.9])) == pytest.approx([3.5, 5.75, 8.0])


def test_maps_by_label_bring_labels_to_one_scale():
    found = measured()
    plain = spearmanr(found.given["score"], found.opinion).statistic
    together = spearmanr(opinion.mapped(found), found.opinion).statistic
    assert plain < 0.8 < 0.95 < together


def test_a_content_has_no_part_in_its_own_map():
    found = measured()
    own = np.array(found.content) == "2.png"
    other = opinion.Measured(
        np.where(own, 9 - found.opinion, found.opinion),
        found.kind,
        found.content,
        found.label,
        found.given,
    )
    before, after = opinion.mapped(found), opinion.mapped(other)
    assert np.array_equal(before[own], after[own])
    assert not np.array_equal(before[~own], after[~own])


def test_a_label_of_one_content_alone_gets_the_map_of_all():
    found = measured()
    label = np.array(found.label, dtype="<U6")
    label[0] = "rain"
    alone = opinion.Measured(found.opinion, found.kind, found.content, tuple(label), found.given)
    rest = np.array(found.content) != found.content[0]
    curve = opinion.monotone_map(
        found.given["score"][rest], found.opinion[rest], np.ones(int(rest.sum()))
    )
    assert opinion.mapped(alone)[0] == pytest.approx(curve(found.given["score"][:1])[0])


def test_agreement_is_that_of_scipy_and_the_logistic_straightens():
    rng = np.random.default_rng(2)
    given = rng.uniform(-3, 3, 200)
    people = 9 / (1 + np.exp(-2 * given)) + rng.normal(0, 0.1, 200)
    found = opinion.agreement(given, people)
    assert found["SRCC"] == pytest.approx(spearmanr(given, people).statistic)
    assert found["KRCC"] == pytest.approx(kendalltau(given, people).statistic)
    assert found["PLCC"] > 0.999 > 0.99 > np.corrcoef(given, people)[0, 1]
    constant = np.full(5, 0.5)
    assert np.array_equal(opinion.logistic(constant, np.arange(5.0)), constant)


def test_figures_are_by_kind_and_count_references_that_score_lower():
    found = measured()
    got = opinion.figures(found)
    assert got["pairs"] == 72
    assert got["by kind"]["score"] == {"blur": 1.0, "noise": 1.0}
    lower = found.given["score"] > 0.9
    assert got["reference scores lower"]["share"] == pytest.approx(lower.mean(), abs=1e-4)
    assert got["reference scores lower"]["by kind"]["noise"] == 0
    low, high = got["all"]["score"]["interval"]
    assert low <= got["all"]["score"]["SRCC"] <= high


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    rows = ["reference,distorted,score,kind"]
    for content in range(3):
        clean = rng.integers(40, 200, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(clean).save(tmp_path / f"r{content}.png")
        for level in (1, 2, 3):
            bad = np.clip(clean + rng.normal(0, 20 * level, clean.shape), 0, 255).astype(np.uint8)
            Image.fromarray(bad).save(tmp_path / f"d{content}{level}.png")
            rows.append(f"r{content}.png,d{content}{level}.png,{6 - level},noise")
    (tmp_path / "opinions.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_the_script_compares_every_pair_and_writes_the_tables(folder, monkeypatch, capsys):
    out = folder / "found.json"
    argv = ["opinion.py", str(folder), "--json", str(out), "--markdown", str(folder / "t.md")]
    monkeypatch.setattr(sys, "argv", argv)
    opinion.main()
    found = json.loads(out.read_text())
    # More noise is a lower PSNR, whatever the picture.
    assert found["pairs"] == 9 and found["all"]["PSNR"]["SRCC"] > 0.94
    mapped = {"score, mapped", "HaarPSI, mapped"}
    assert set(found["all"]) == {"score", "margin", "PSNR", "SSIM", "HaarPSI", *mapped}
    text = capsys.readouterr().out
    assert text == (folder / "t.md").read_text() + "\n" and "**Opinions of 9 pairs**" in text


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("score,kind", "mos,kind", "column 'score' is missing, expected reference, distorted"),
        ("d11.png", "lost.png", "line 5: {folder}/lost.png is no file"),
        (",3,noise", ",good,noise", "line 4: score is 'good', expected a number"),
        (",3,noise", ",nan,noise", "line 4: score is 'nan', expected a number"),
        (",3,noise", "", "line 4: score is None, expected a number"),
    ],
)
def test_a_wrong_line_is_named(folder, old, new, line):
    path = folder / "opinions.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(DatasetError) as caught:
        opinion.read_opinions(folder)
    assert line.format(folder=folder) in str(caught.value)


def test_a_missing_folder_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["opinion.py", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit) as caught:
        opinion.main()
    said = capsys.readouterr().err
    assert caught.value.code == 2 and said.count("\n") == 1
    assert "nowhere/opinions.csv: cannot be read (No such file or directory)" in said


def test_one_reference_is_too_few(folder):
    path = folder / "opinions.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:4]) + "\n")
    with pytest.raises(DatasetError, match="at least two references"):
        opinion.read_opinions(folder)
