"""Commands that need SciPy, with the core alone: one line that says what to install."""

from __future__ import annotations

from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize(
    ("words", "extra"),
    [
        ("bench human study --layout csv", "human"),
        ("calibrate model --out model --human study --layout csv", "human"),
        ("batch a b --out results", "batch"),
        ("dataset export-sft root --out sft", "mllm"),
        ("dataset export-sft root --out sft --cues varied", "mllm"),
        ("ask a.png b.png --model some", "mllm"),
        ("rank a.png b.png --size", "rank"),
    ],
)
def test_a_command_without_scipy_says_what_to_install(cli, tmp_path, monkeypatch, words, extra):
    monkeypatch.chdir(tmp_path)
    for value, name in enumerate(("a.png", "b.png")):
        Image.fromarray(np.full((16, 16, 3), value, np.uint8)).save(name)
    for module in ("cli.extras", "ranking.ranking"):
        monkeypatch.setattr(
            f"distortion_graph.{module}.find_spec",
            lambda name: None if name == "scipy" else find_spec(name),
        )
    line = cli(*words.split()).refusal
    assert "needs scipy, not installed" in line
    assert line.endswith(f"pip install 'distortion-graph[{extra}]'")


def test_conversations_without_marks_need_no_scipy(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("distortion_graph.cli.extras.find_spec", lambda name: None)
    line = cli("dataset", "export-sft", "root", "--out", "sft", "--cues", "boxes").refusal
    assert line.startswith("root: ")
