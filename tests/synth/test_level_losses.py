"""What levels cost in score: the shipped table, and the script that measures it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from distortion_graph.base.errors import RecipeError
from distortion_graph.measure.quality import haarpsi
from distortion_graph.synth.distort import LEVELS, PUBLISHED, SUBTYPES, apply
from distortion_graph.synth.distort.level_losses import level_losses

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import level_losses as script


def test_the_table_has_every_type_and_sub_type_and_rises_with_the_level():
    table = level_losses()
    assert list(table.by_type) == list(SUBTYPES)
    names = [entry.full_name for entry in PUBLISHED]
    assert list(table.by_subtype) == names
    for name, row in {**table.by_type, **table.by_subtype}.items():
        assert len(row) == LEVELS and row[0] > 0 and row[-1] < 1, name
        assert (np.diff(row) > 0).all(), name


def test_half_of_the_first_level_is_the_least_that_counts():
    table = level_losses()
    assert table.least("noise") == table.by_type["noise"][0] / 2
    with pytest.raises(RecipeError, match="unknown distortion type 'nose', expected one of blur"):
        table.least("nose")


def test_a_photograph_that_had_no_part_loses_about_as_much():
    """Medians over many photographs; one alone is within a factor of two and a half or so."""
    table, rgb = level_losses(), np.ascontiguousarray(data.coffee()[:300, :400])
    for label, name in (("blur", "gaussian"), ("noise", "gaussian_rgb"), ("compression", "jpeg")):
        for level in (1, 3, 5):
            made = apply(rgb, label, name, level, np.random.default_rng(0))
            lost = 1 - haarpsi(rgb, made)
            shipped = table.by_subtype[f"{label}:{name}"][level - 1]
            assert shipped / 2.5 < lost < shipped * 2.5, (label, level, lost, shipped)


def test_the_script_takes_medians_over_pictures_and_drawn_sub_types(tmp_path, monkeypatch, capsys):
    place = tmp_path / "pictures"
    place.mkdir()
    pictures = {"a": data.astronaut()[:64, :80], "b": data.chelsea()[60:130, 100:180]}
    pictures["grey"] = np.repeat(data.camera()[100:160, 200:280, None], 3, 2)
    for name, rgb in pictures.items():
        Image.fromarray(rgb).save(place / f"{name}.png")
    out = tmp_path / "losses.json"
    monkeypatch.setattr(sys, "argv", ["level_losses.py", str(place), "--out", str(out)])
    script.main()
    found = json.loads(out.read_text())
    assert found["pictures"] == 3 and found["metric"]["name"] == "haarpsi"
    rng = np.random.default_rng(0)  # gamma and quality draw nothing

    def lost(name: str, label: str, subtype: str, level: int) -> float:
        rgb = pictures[name]
        return 1 - haarpsi(rgb, apply(rgb, label, subtype, level, rng))

    jpeg = np.median([lost(name, "compression", "jpeg", 2) for name in pictures])
    assert found["by_subtype"]["compression:jpeg"][1] == pytest.approx(jpeg, abs=6e-5)
    both = [lost(n, "compression", s, 2) for n in pictures for s in ("jpeg", "jpeg2000")]
    assert found["by_type"]["compression"][1] == pytest.approx(np.median(both), abs=6e-5)
    colourful = [lost(name, "saturate_dec", "hsv", 5) for name in ("a", "b")]
    assert found["by_subtype"]["saturate_dec:hsv"][4] == pytest.approx(
        np.median(colourful), abs=6e-5
    )


def test_a_folder_without_pictures_is_one_line(tmp_path, monkeypatch, capsys):
    out = tmp_path / "losses.json"
    monkeypatch.setattr(sys, "argv", ["level_losses.py", str(tmp_path), "--out", str(out)])
    with pytest.raises(SystemExit) as caught:
        script.main()
    said = capsys.readouterr().err
    assert caught.value.code == 2 and said.count("\n") == 1
    assert "no picture found" in said and not out.exists()
