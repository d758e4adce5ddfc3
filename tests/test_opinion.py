"""benchmarks/opinion.py: the figures of `bench human`, and what maps would make of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from opinion_samples import write_opinions

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import opinion

from distortion_graph.cli.main import run


def test_the_script_has_the_figures_of_the_command_and_mapped_ones(tmp_path, monkeypatch, capsys):
    folder = write_opinions(tmp_path / "set")
    out, table = tmp_path / "found.json", tmp_path / "t.md"
    argv = ["opinion.py", str(folder), "--json", str(out), "--markdown", str(table)]
    monkeypatch.setattr(sys, "argv", argv)
    opinion.main()
    text = capsys.readouterr().out
    assert text == table.read_text() + "\n" and "| score, mapped |" in text
    found = json.loads(out.read_text())["overall"]["agreement"]
    assert run(["bench", "human", str(folder), "--layout", "csv", "--json", str(out), "-q"]) == 0
    plain = json.loads(out.read_text())["overall"]["agreement"]
    mapped = {"score, mapped", "HaarPSI, mapped"}
    plain.pop("opinion", None)  # by maps that may have been fitted to the same pairs
    assert set(found) == set(plain) | mapped
    assert {name: found[name] for name in plain} == plain


def test_a_missing_folder_is_one_line_and_exit_code_2(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["opinion.py", str(tmp_path / "nowhere")])
    with pytest.raises(SystemExit) as caught:
        opinion.main()
    said = capsys.readouterr().err
    assert caught.value.code == 2
    assert said == (
        f"opinion: error: {tmp_path}/nowhere: is not a folder, expected one of the layout 'csv'\n"
    )
