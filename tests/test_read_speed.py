"""The benchmark of reading makes a sound root and counts what it reads."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from scripts import loaded

from distortion_graph.datasets.reader import PandaSet

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "read_speed.py"


@pytest.fixture(scope="module")
def script():
    return loaded(SCRIPT)


def test_the_root_and_the_figures(script, tmp_path, capsys):
    script.make_root(tmp_path, 2)
    data = PandaSet(tmp_path)
    assert data.tags("test") == ("p0000.jpg", "p0001.jpg")
    assert [len(data.keys("test", pairs)) for pairs in script.PAIRS] == [4, 300, 300, 480]
    for sample in data.samples("test", "hard"):
        assert sample.anchor.shape == sample.target.shape == (321, 481, 3)
        assert sample.masks.shape == (8, 321, 481)
        assert (sample.masks.sum(0) == 1).all()
    count, wall, used = script.read(data, "test", data.keys("test", "hard"), 0.01, 0)
    assert count >= 1 and wall >= 0.01 and used > 0
    threads = cv2.getNumThreads()
    script.measure(tmp_path, "test", 0.01)
    cv2.setNumThreads(threads)
    rows = capsys.readouterr().out.splitlines()
    assert [row.split()[0] for row in rows[2:-1]] == [p for p in script.PAIRS for _ in range(3)]
