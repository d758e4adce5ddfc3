"""A stats file written picture by picture says what one written in one piece says."""

from __future__ import annotations

import errno
import json
import os

import numpy as np
import pytest

from distortion_graph.base.errors import OutputError
from distortion_graph.datasets.stats import (
    FurtherRecord,
    PictureRecord,
    RegionRecord,
    picture_to_json,
    read_stats,
)
from distortion_graph.datasets.stats_writer import MaskTexts, StatsWriter, entry_text
from distortion_graph.masks.rle import rle_from_mask


def record(seed=0, relations=((0, 1, 7),)):
    rng = np.random.default_rng(seed)
    mask = rle_from_mask(rng.random((6, 9)) < 0.5)
    return PictureRecord(
        rng.random(),
        relations,
        (
            RegionRecord('sky "é"', 1, "blur", 0.1, (0, 1, 2, 3), mask, "null}", 4),
            RegionRecord("[]}", 0, "clean", 1.0, None, None),
            RegionRecord("", 3, "noise", 0.0, (1, 1, 1, 1), mask, also=()),
            RegionRecord("", 3, "rain", 0.5, (1, 1, 1, 1), mask, also=(FurtherRecord("blur", 1),)),
        ),
    )


@pytest.mark.parametrize("empty", [False, True])
def test_an_entry_is_the_published_form(empty):
    entry = PictureRecord(1.0, (), ()) if empty else record()
    assert json.loads("{" + entry_text("ü.png", entry) + "}") == {"ü.png": picture_to_json(entry)}


def test_what_is_written_is_read_again(tmp_path):
    path = tmp_path / "stats.json"
    records = {f"{k}.png": record(k) for k in range(4)}
    with StatsWriter(path, tmp_path) as writer:
        for tag, entry in records.items():
            masks = MaskTexts()
            writer.add(tag, entry, masks)
        assert not path.exists()
        writer.finish()
    assert read_stats(path) == records
    assert list(tmp_path.iterdir()) == [path]
    lines = path.read_text("utf-8").splitlines()
    assert len(lines) == 6 and lines[0] == "{" and lines[-1] == "}"


def test_a_file_without_pictures(tmp_path):
    with StatsWriter(tmp_path / "stats.json", tmp_path) as writer:
        writer.finish()
    assert read_stats(tmp_path / "stats.json") == {}


def test_left_early_or_failed_it_leaves_nothing(tmp_path, monkeypatch):
    path = tmp_path / "stats.json"
    path.write_text("before")
    with pytest.raises(KeyboardInterrupt), StatsWriter(path, tmp_path) as writer:
        writer.add("a.png", record())
        raise KeyboardInterrupt

    def full(file):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with (
        pytest.raises(OutputError, match=r"stats\.json: cannot be written \(No space left"),
        StatsWriter(path, tmp_path) as writer,
    ):
        writer.finish()
    with pytest.raises(OutputError, match="cannot be written"):
        StatsWriter(path, tmp_path / "nix")
    assert list(tmp_path.iterdir()) == [path] and path.read_text() == "before"


def test_scores_that_are_no_numbers_are_not_written(tmp_path):
    bad = PictureRecord(float("nan"), (), ())
    with pytest.raises(ValueError, match="not JSON compliant"):
        entry_text("a.png", bad)
