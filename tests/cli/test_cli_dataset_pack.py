"""`dataset pack` and `unpack` on a data set that `dataset build` made."""

from __future__ import annotations

import numpy as np
import pytest
from cli_runs import photo
from PIL import Image


@pytest.fixture
def built(cli, here):
    """A data set of two pictures, one of them in each of two splits."""
    labels = np.ones((48, 64), np.uint8)
    labels[:, 32:] = 2
    for folder in ("images", "regions"):
        (here / "source" / folder).mkdir(parents=True)
    for k, stem in enumerate(("one", "two")):
        Image.fromarray(photo(k)).save(here / "source" / "images" / f"{stem}.png")
        Image.fromarray(labels).save(here / "source" / "regions" / f"{stem}.png")
    options = ("--split", "train=.5,test=.5", "--workers", 0, "--quiet")
    assert cli("dataset", "build", "source", "--out", "set", *options).code == 0
    return here / "set"


def files(folder):
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def test_a_built_data_set_comes_back_to_the_byte(cli, built):
    done = cli("dataset", "pack", "set", "--out", "shards")
    size = sum(p.stat().st_size for p in (built.parent / "shards").glob("*.tar")) / 1e6
    assert (done.code, done.err) == (0, "")
    assert done.out == f"shards: 2 pictures in 2 shards, {size:.1f} MB\n"
    assert {p.name for p in (built.parent / "shards").iterdir()} == {
        "train-000000.tar",
        "test-000000.tar",
        "shards.json",
        "dataset.json",
        "manifest.jsonl",
        "pandabench_index.json",
    }
    done = cli("dataset", "unpack", "shards", "--out", "back")
    assert (done.code, done.out, done.err) == (0, "back: 2 pictures, 34 picture files\n", "")
    assert files(built.parent / "back") == files(built)
    assert {p.name for p in (built.parent / "back").iterdir()} == {p.name for p in built.iterdir()}


def test_options_choose_splits_and_sizes_and_silence(cli, built):
    done = cli("dataset", "pack", "set", "--out", "s", "--split", "train", "--shard-mb", 1, "-q")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert [p.name for p in (built.parent / "s").glob("*.tar")] == ["train-000000.tar"]


def test_files_left_out_are_told(cli, built):
    (built / "blur" / "test" / "x.png").write_bytes(b"x")
    done = cli("dataset", "pack", "set", "--out", "s")
    assert done.err == (
        "distortion-graph: warning: set/blur/test: 1 file that no stats file names, left out\n"
    )


def test_what_cannot_be_done_is_one_line(cli, built):
    assert cli("dataset", "pack", "source", "--out", "s").refusal == (
        "source: no stats/<split>_stats_<version>.json in it, expected a data set"
    )
    assert cli("dataset", "pack", "set", "--out", "source").refusal == (
        "source: is there already; name a new or an empty folder"
    )
    assert cli("dataset", "pack", "set", "--out", "s", "--split", "val").refusal == (
        "set: no stats of split val, there is train, test"
    )
    assert cli("dataset", "unpack", "set", "--out", "s").refusal == (
        "set: no shards.json in it, expected a folder made by `dataset pack`"
    )
    assert "shard-mb" in cli("dataset", "pack", "set", "--out", "s", "--shard-mb", 0).refusal
    assert not (built.parent / "s").exists()
