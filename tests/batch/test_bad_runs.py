"""Runs that cannot go on: one line each, and nothing is lost."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distortion_graph.base.errors import BatchError, OutputError
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.run import BatchOptions, run_batch
from distortion_graph.batch.worker import Comparing
from distortion_graph.cli.main import run as command

pytest.importorskip("pyarrow")

OPTIONS = BatchOptions(
    Comparing(regions="whole", align="none"), workers=0, part_pairs=2, graphs=True
)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> list[PairTask]:
    folder = tmp_path_factory.mktemp("pairs")
    made = []
    for k in range(6):
        small = np.random.default_rng(k).integers(0, 256, (4, 4, 3), dtype=np.uint8)
        for side, quality in (("a", 95), ("b", 20)):
            shown = Image.fromarray(small).resize((32, 32), Image.Resampling.BICUBIC)
            shown.save(folder / f"{k}{side}.jpg", quality=quality)
        made.append(PairTask(str(k), str(folder / f"{k}a.jpg"), str(folder / f"{k}b.jpg")))
    return made


@pytest.fixture(scope="module")
def whole(pairs, tmp_path_factory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("whole")
    run_batch(pairs, out, OPTIONS)
    return contents(out)


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def listed(pairs, path: Path) -> Path:
    rows = [{"id": p.id, "anchor": p.anchor, "target": p.target} for p in pairs]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


@pytest.mark.parametrize("full_after", range(14))
def test_a_disk_that_is_full_ends_the_run_and_when_there_is_room_it_goes_on(
    pairs, whole, tmp_path, monkeypatch, full_after
):
    written = 0

    def fsync(file: int) -> None:
        nonlocal written
        written += 1
        if written > full_after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fsync)
        with pytest.raises(OutputError, match="No space left on device") as caught:
            run_batch(pairs, tmp_path / "out", OPTIONS)
    said = str(caught.value)
    assert str(tmp_path / "out") in said and "\n" not in said
    report = run_batch(pairs, tmp_path / "out", OPTIONS)
    assert report.kept == 2 * ((full_after - 1) // 5 if full_after else 0)
    assert contents(tmp_path / "out") == whole


def test_what_a_killed_run_has_half_written_is_removed(pairs, whole, tmp_path):
    for folder in ("pairs", "graphs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / ".0123456789abcdef.tmp").write_bytes(b"half")
    run_batch(pairs, tmp_path, OPTIONS)
    assert contents(tmp_path) == whole


def test_tables_of_an_unknown_run_are_refused(pairs, tmp_path):
    run_batch(pairs, tmp_path, OPTIONS)
    (tmp_path / "batch.json").unlink()
    with pytest.raises(BatchError, match=r"has tables without batch.json or journal.jsonl"):
        run_batch(pairs[:2], tmp_path, OPTIONS)


def test_a_folder_that_cannot_be_made_is_one_line(pairs, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="file/out: cannot be written"):
        run_batch(pairs, tmp_path / "file" / "out", OPTIONS)


def said_by(capsys, *arguments: object) -> str:
    assert command(["batch", "--workers", "0", "--quiet", *map(str, arguments)]) == 2
    said: str = capsys.readouterr().err.strip()
    assert "\n" not in said
    return said


def test_a_column_to_count_by_is_checked_before_anything_is_compared(pairs, tmp_path, capsys):
    given = listed(pairs, tmp_path / "pairs.jsonl")
    said = said_by(capsys, "--manifest", given, "--by", "codec", "--out", tmp_path / "out")
    assert "--by codec: no column of that name" in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("option", "value", "line"),
    [
        ("--metric", "filp", "unknown metric 'filp'"),
        ("--score-metric", "harpsi", "unknown metric 'harpsi'"),
        ("--background", "rad", "background 'rad': not a colour"),
        ("--regions", "gird:2x2", "regions 'gird:2x2': no file 'gird:2x2'"),
        ("--model", "no-model", "no-model: no model there"),
    ],
)
def test_an_option_that_no_pair_can_be_compared_with_is_refused_at_once(
    pairs, tmp_path, capsys, option, value, line
):
    given = listed(pairs, tmp_path / "pairs.jsonl")
    said = said_by(capsys, "--manifest", given, "--out", tmp_path / "out", option, value)
    assert line in said
    assert not (tmp_path / "out").exists()


def test_a_run_of_which_every_pair_failed_ends_with_an_error(pairs, tmp_path, capsys):
    bad = [PairTask("x", str(tmp_path / "no.png"), pairs[0].target)]
    given, out = listed(bad, tmp_path / "pairs.jsonl"), tmp_path / "out"
    said = said_by(capsys, "--manifest", given, "--out", out)
    assert "no pair could be compared, no such file" in said.splitlines()[-1]
    assert (out / "index.html").is_file()


def test_options_of_a_cluster_are_refused_without_one(pairs, tmp_path, capsys):
    given = listed(pairs, tmp_path / "pairs.jsonl")
    for option, value in (("--address", "auto"), ("--gpus-each", "1")):
        said = said_by(capsys, "--manifest", given, "--out", tmp_path / "out", option, value)
        assert f"{option} is for workers of a cluster, expected --engine ray too" in said
