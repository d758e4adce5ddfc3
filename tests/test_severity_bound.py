"""The full-reference bound on severity: what its figures and shares are."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scripts import loaded

from distortion_graph.bench.protocol import BenchPicture
from distortion_graph.synth.distort import apply
from distortion_graph.synth.synthesis import make_version

pytest.importorskip("sklearn", reason="needs the dev extra")

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "severity_bound.py"
SIZE = (96, 128)


@pytest.fixture(scope="module")
def script():
    return loaded(SCRIPT)


def photo(seed):
    rng = np.random.default_rng(seed)
    blocks = rng.integers(30, 200, (SIZE[0] // 8, SIZE[1] // 8, 3))
    picture = np.kron(blocks, np.ones((8, 8, 1), int)) + rng.integers(0, 40, (*SIZE, 3))
    return picture.astype(np.uint8)


def labels():
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    return (y * 2 // SIZE[0] * 3 + x * 3 // SIZE[1] + 1).astype(np.uint8)


MASKS = labels()[None] == np.arange(1, 7)[:, None, None]


def test_figures_are_of_the_region_and_follow_its_order(script):
    clean, noisy = photo(0), photo(0)
    changed = MASKS[0]
    noisy[changed] = apply(clean, "noise", "impulse", 5, np.random.default_rng(0))[changed]
    found = script.region_figures(clean, noisy, MASKS)
    same = script.region_figures(clean, clean, MASKS)
    assert np.isfinite(found).all() and found.shape == same.shape
    assert not np.array_equal(found[0], same[0])
    away = [2, 5]  # farther than the widest filter reaches
    assert np.allclose(found[away], same[away], atol=1e-4)
    order = [3, 0, 5, 1, 4, 2]
    # Sums in matrix products may be rounded in another order.
    again = script.region_figures(clean, noisy, MASKS[order])
    assert np.allclose(again, found[order], rtol=1e-4, atol=1e-4)


def test_a_region_of_a_few_pixels_has_figures(script):
    thin = np.zeros((2, *SIZE), bool)
    thin[0, 5, 5] = thin[1, :, 7] = True
    assert np.isfinite(script.region_figures(photo(0), photo(1), thin)).all()


def test_regions_are_those_of_the_hard_pairs_without_clean_ones(script):
    pictures = [BenchPicture(f"p{k}", photo(k), MASKS, tuple(range(1, 7))) for k in range(3)]
    found = script.regions_of(pictures, 0)
    expected = {}
    for k, p in enumerate(pictures):
        for name in ("mixed", "mixed2"):
            made = make_version(p.rgb, MASKS, p.region_ids, version=name, tag=p.tag, seed=0)
            for draw, score in zip(made.draws, made.scores, strict=True):
                if draw.subtype is not None:
                    expected[k, np.float32(score)] = draw
    assert len(found.label) == len(expected) and found.clean.sum() == 36 - len(expected)
    words = script.DEFAULT_RECIPE.vocabulary
    for k, figures, label, severity in zip(
        found.picture, found.figures, found.label, found.severity, strict=True
    ):
        draw = expected[int(k), figures[0]]
        assert words.distortions[label] == draw.distortion
        assert words.severities[severity] == draw.severity


def test_shares_and_their_interval_are_over_pictures(script):
    right, picture = np.array([True, False, True, True]), np.array([0, 0, 1, 2])
    none = np.zeros(3, int)
    found = script.share_right(right, picture, none)
    assert (found["accuracy"], found["regions"]) == (0.75, 4)
    assert found["interval"] == [0.5, 1]
    with_clean = script.share_right(right, picture, np.array([4, 0, 0]))
    assert (with_clean["accuracy"], with_clean["regions"]) == (0.875, 8)
    one = script.share_right(right[2:], picture[2:], none)
    assert one["interval"] == [1, 1]


def test_the_script_prints_and_writes_the_table(script, tmp_path, monkeypatch, capsys):
    for part, count in (("train", 6), ("val", 2)):
        for folder in ("images", "regions"):
            (tmp_path / part / folder).mkdir(parents=True)
        for k in range(count):
            Image.fromarray(photo(k)).save(tmp_path / part / "images" / f"{part}{k}.png")
            Image.fromarray(labels()).save(tmp_path / part / "regions" / f"{part}{k}_0.png")
    folders = [str(tmp_path / "train"), str(tmp_path / "val"), "--draws", "2"]
    options = ["--limit", "5", "--json", str(tmp_path / "out.json")]
    monkeypatch.setattr(sys, "argv", ["severity_bound.py", *folders, *options])
    script.main()
    rows = capsys.readouterr().out.splitlines()
    found = json.loads((tmp_path / "out.json").read_text())
    assert found["training pictures"] == 5 and found["trained on"] > 60
    assert found["with clean"]["regions"] == 24
    assert sum(row["regions"] for row in found["by type"].values()) == found["distorted"]["regions"]
    assert len(rows) == 3 + len(found["by type"])
    assert rows[2].split()[-1] == "24" and rows[1].startswith("all distorted regions")
