"""Small pictures and masks in a folder of their own, and the command line run in-process."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cli_runs import SIZE, Ended, photo
from PIL import Image

from distortion_graph.cli.main import run


@pytest.fixture
def cli(capsys):
    """Run the command line with these arguments."""

    def call(*arguments):
        capsys.readouterr()
        code = run([str(a) for a in arguments])
        caught = capsys.readouterr()
        return Ended(code, caught.out, caught.err)

    return call


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a.png, b.png (a, its right half noisy), masks.png (1 left, 2 right)."""
    clean = photo()
    noise = np.random.default_rng(1).normal(0, 60, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    noisy[:, :32] = clean[:, :32]
    labels = np.ones(SIZE, np.uint8)
    labels[:, 32:] = 2
    Image.fromarray(clean).save(tmp_path / "a.png")
    Image.fromarray(noisy).save(tmp_path / "b.png")
    Image.fromarray(labels).save(tmp_path / "masks.png")
    (tmp_path / "names.json").write_text(json.dumps({"1": "left", "2": "right"}))
    monkeypatch.chdir(tmp_path)
    return tmp_path
