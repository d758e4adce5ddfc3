"""Pairs in folders, and the command line run in-process."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from skimage import data as photographs

from distortion_graph.cli.main import run

NAMES = ("chelsea", "astronaut", "coffee")


def photo(which):
    """96×72 pixels of a photograph; there are three."""
    return Image.fromarray(getattr(photographs, NAMES[which])()[:72, 160:256])


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """accepted/ and now/ with same.png, patch.png (a red square), soft/noisy.png."""
    monkeypatch.chdir(tmp_path)
    for name in ("accepted", "now"):
        (tmp_path / name / "soft").mkdir(parents=True)
    for seed, name in enumerate(("same.png", "patch.png", "soft/noisy.png")):
        for folder in ("accepted", "now"):
            photo(seed).save(tmp_path / folder / name)
    patched = np.array(photo(1))
    patched[20:40, 50:80] = (255, 0, 0)
    Image.fromarray(patched).save(tmp_path / "now" / "patch.png")
    noise = np.random.default_rng(9).normal(0, 50, (72, 96, 3))
    noisy = np.clip(np.array(photo(2)) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(noisy).save(tmp_path / "now" / "soft" / "noisy.png")
    return tmp_path


@pytest.fixture
def check(capsys):
    """`check accepted now --policy gate.yml` of this text, and more arguments: (code, out, err)."""

    def call(policy, *arguments, paths=("accepted", "now")):
        from pathlib import Path

        Path("gate.yml").write_text(policy, "utf-8")
        capsys.readouterr()
        code = run(
            ["check", *paths, "--policy", "gate.yml", "--workers", "0", *map(str, arguments)]
        )
        caught = capsys.readouterr()
        return code, caught.out, caught.err

    return call
