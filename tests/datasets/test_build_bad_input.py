"""Pictures that do not fit, faults that are mended, disks that are full: one line, and it goes on.

What cannot be used in the simplest of cases is in `test_build_run`.
"""

from __future__ import annotations

import errno
import io
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from build_samples import TYPES, contents_of, make_source, photo, quarters
from PIL import Image

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.make import BuildOptions, build_dataset, parse_splits
from distortion_graph.datasets.make import work as work_module
from distortion_graph.datasets.make.journal import build_journal
from distortion_graph.datasets.manifest import SkippedLine, read_manifest
from distortion_graph.datasets.sources import parse_source

OPTIONS = BuildOptions(splits=parse_splits("test"), types=TYPES, workers=0)
SHARES = replace(OPTIONS, splits=parse_splits("train=.5,test=.5"))


@pytest.fixture
def lab(tmp_path):
    return make_source(tmp_path / "lab", "abc")


def build(folder, out, options=OPTIONS):
    return build_dataset([parse_source(str(folder))], out, options)


def skipped_of(root):
    lines = read_manifest(root / "manifest.jsonl")
    return {line.stem: line.reason for line in lines if isinstance(line, SkippedLine)}


@pytest.mark.parametrize("part", ["images", "regions"])
def test_strict_with_shares_goes_on_once_it_is_mended(tmp_path, lab, part):
    damaged = lab / part / "b.png"
    whole = damaged.read_bytes()
    damaged.write_bytes(b"\x89PNG\r\n\x1a\nno")
    strict = replace(SHARES, strict=True)
    with pytest.raises(DatasetError, match=rf"{part}/b\.png: .*--strict stops here; mend it"):
        build(lab, tmp_path / "root", strict)
    damaged.write_bytes(whole)
    build(lab, tmp_path / "root", strict)
    build(lab, tmp_path / "other", SHARES)
    assert contents_of(tmp_path / "root") == contents_of(tmp_path / "other")


@pytest.mark.parametrize(
    ("image_format", "types", "width", "words"),
    [
        ("webp", TYPES, 16384, "WEBP"),
        ("avif", ("darken", "noise"), 65537, "AVIF"),
        ("png", TYPES, 65501, "compression takes 65500 px; give --max-side"),
    ],
)
def test_a_picture_too_long_for_a_codec_is_left_out(
    tmp_path, lab, image_format, types, width, words
):
    pytest.importorskip("PIL.AvifImagePlugin")
    Image.fromarray(photo(1, (2, width))).save(lab / "images" / "b.png")
    Image.fromarray(np.ones((2, width), np.uint8)).save(lab / "regions" / "b.png")
    options = replace(OPTIONS, image_format=image_format, types=types)
    report = build(lab, tmp_path / "root", options)
    assert dict(report.pictures) == {"test": 2} and report.skipped == 1
    reason = skipped_of(tmp_path / "root")["b"]
    assert reason.startswith("b.png: ") and words in reason
    assert not list((tmp_path / "root").rglob(f"b.{image_format}"))


def test_a_long_picture_is_used_where_nothing_is_compressed(tmp_path, lab):
    Image.fromarray(photo(1, (2, 65501))).save(lab / "images" / "b.png")
    Image.fromarray(np.ones((2, 65501), np.uint8)).save(lab / "regions" / "b.png")
    report = build(lab, tmp_path / "root", replace(OPTIONS, types=("darken", "noise")))
    assert dict(report.pictures) == {"test": 3}


@pytest.mark.skipif(sys.platform == "win32", reason="has no named pipes in folders")
def test_a_pipe_among_the_pictures_is_not_waited_for(tmp_path, lab):
    os.mkfifo(lab / "images" / "pipe.png")
    Image.fromarray(quarters()).save(lab / "regions" / "pipe.png")
    build(lab, tmp_path / "root")
    assert "is not an ordinary file" in skipped_of(tmp_path / "root")["pipe"]


def test_after_a_damaged_line_the_journal_gives_what_was_added(tmp_path):
    with build_journal(tmp_path) as journal:
        journal.begin({})
        for n in range(50):
            journal.add("made", str(n), {"n": n})
    lines = journal.path.read_bytes().splitlines(keepends=True)
    lines[10] = b"\0" * (len(lines[10]) - 1) + b"\n"
    journal.path.write_bytes(b"".join(lines))
    with build_journal(tmp_path) as journal:
        assert journal.has("made", "8") and not journal.has("made", "9")
        journal.add("made", "again", {"n": -1})
        assert journal.get("made", "again") == {"kind": "made", "stem": "again", "n": -1}


class NoRoom(io.RawIOBase):
    """A file on a full disk."""

    def writable(self):
        return True

    def write(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_in_the_manifest_is_one_line(tmp_path, lab, monkeypatch):
    """What waits to be written is tried again in closing, and fails again."""
    real = Path.open

    def opened(path, mode="r", *args, **options):
        if mode != "w" or path.suffix != ".tmp":
            return real(path, mode, *args, **options)
        real(path, mode).close()
        return io.TextIOWrapper(io.BufferedWriter(NoRoom()), "utf-8")

    root = tmp_path / "root"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", opened)
        with pytest.raises(OutputError, match=r"manifest\.jsonl: cannot be written \(No space"):
            build(lab, root)
    assert not list(root.rglob("*.tmp"))
    assert build(lab, root).kept == 3


def test_a_finished_root_keeps_its_files_where_they_cannot_be_made_again(
    tmp_path, lab, monkeypatch
):
    root = tmp_path / "root"
    build(lab, root)
    (root / "mixed" / "test" / "b.png").unlink()
    before = contents_of(root)
    real = work_module.encode_picture  # type: ignore[attr-defined]
    monkeypatch.setattr(work_module, "encode_picture", lambda *args: real(*args) + b"other")
    with pytest.raises(DatasetError, match="b was damaged, and made again it is not what it was"):
        build(lab, root)
    assert contents_of(root) == before


def test_a_finished_root_whose_description_lost_a_file_is_one_line(tmp_path, lab):
    root = tmp_path / "root"
    build(lab, root)
    value = json.loads((root / "dataset.json").read_text())
    del value["build"]["files"]["manifest.jsonl"]
    (root / "dataset.json").write_text(json.dumps(value))
    (root / "manifest.jsonl").write_text("")
    with pytest.raises(DatasetError, match=r"manifest\.jsonl: is not what was built"):
        build(lab, root)


def test_shares_without_end_are_refused():
    with pytest.raises(DatasetError, match="expected train="):
        parse_splits("train=1e308,test=1e308")
