"""The script behind the model card's table runs on any folder of pictures and label maps."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from distortion_graph.bench import protocol

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "bsds_val.py"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Two labelled pictures and short lists of pairs."""
    monkeypatch.setattr(protocol, "PAIRS_PER_LIST", 3)
    monkeypatch.chdir(tmp_path)
    labels = np.ones((64, 80), np.uint8)
    labels[:, 40:] = 2
    for part in ("images", "regions"):
        (tmp_path / part).mkdir()
    for name in ("coffee", "chelsea"):
        rgb = getattr(pictures, name)()[100:164, 100:180]
        Image.fromarray(rgb).save(tmp_path / "images" / f"{name}.png")
        Image.fromarray(labels).save(tmp_path / "regions" / f"{name}_0.png")
    return tmp_path


def run(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["bsds_val.py", *map(str, arguments)])
    runpy.run_path(str(SCRIPT), run_name="__main__")


def test_table_and_figures(folder, monkeypatch, capsys):
    run(monkeypatch, folder, "--json", "out.json")
    printed = capsys.readouterr().out
    figures = json.loads((folder / "out.json").read_text())
    assert {split: figures[split]["pairs"] for split in ("easy", "medium", "hard")} == {
        "easy": 3,
        "medium": 3,
        "hard": 4,
    }
    assert figures["hard"]["regions"] == 8
    for split in ("easy", "medium", "hard"):
        for what in ("distortion", "severity", "comparison"):
            low, high = figures[split]["intervals"][what]
            assert 0 <= low <= figures[split][what]["accuracy"] <= high <= 1
            assert f"{figures[split][what]['accuracy']:.3f} [" in printed
    assert figures["easy"]["majority"]["distortion"] >= 1 / 6
    assert all(0 <= share <= 1 for share in figures["pristine"].values())
    assert all(0 <= f1 <= 1 for f1 in figures["hard"]["f1_by_distortion"].values())


def test_only_keeps_the_named_pictures_and_bad_input_is_one_line(folder, monkeypatch, capsys):
    names = folder / "names.json"
    names.write_text('{"about": "coffee and others", "some": ["chelsea"]}')
    run(monkeypatch, folder, "--only", names)
    assert capsys.readouterr().out.startswith("1 pictures, model ")
    names.write_text('{"some": ["tea"]}')
    with pytest.raises(SystemExit, match="0 pictures and no region to report on"):
        run(monkeypatch, folder, "--only", names)
    with pytest.raises(SystemExit, match="nix: no model there"):
        run(monkeypatch, folder, "--model", "nix")
