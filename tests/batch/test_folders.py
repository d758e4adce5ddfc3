"""Pairs of folders: matched by names, never by order; what has no partner is said."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distortion_graph.base.errors import BatchError
from distortion_graph.batch.folders import Matching, match_folders
from distortion_graph.batch.storage import joined, listed, parent


def pictures(folder: Path, *names: str) -> str:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(path)
    return str(folder)


def test_names_belong_together_with_their_folders_and_in_no_other_order(tmp_path):
    anchors = pictures(tmp_path / "a", "x/1.png", "y/1.png", "2.png")
    targets = pictures(tmp_path / "b", "2.png", "y/1.png", "x/1.png")
    (tmp_path / "a" / "notes.txt").write_text("no picture")
    pairs, unmatched = match_folders(anchors, [targets])
    assert [pair.id for pair in pairs] == ["2.png", "x/1.png", "y/1.png"]
    assert all(
        Path(p.anchor).relative_to(anchors) == Path(p.target).relative_to(targets) for p in pairs
    )
    assert unmatched == []


def test_stems_and_patterns_read_names_and_carry_groups_through(tmp_path):
    anchors = pictures(tmp_path / "a", "1.png", "2.png")
    targets = pictures(tmp_path / "b", "1.jpg", "2.webp")
    pairs, _ = match_folders(anchors, [targets], matching=Matching("stem"))
    assert [(pair.id, Path(pair.target).name) for pair in pairs] == [
        ("1", "1.jpg"),
        ("2", "2.webp"),
    ]
    coded = pictures(tmp_path / "c", "1_avif_q50.png", "2_avif_q50.png")
    pattern = Matching(r"(?P<id>\d+)(?:_(?P<method>\w+?)_q(?P<quality>\d+))?\.png$")
    pairs, _ = match_folders(anchors, [coded], matching=pattern)
    assert [dict(pair.columns) for pair in pairs] == [{"method": "avif", "quality": "50"}] * 2


def test_several_folders_of_targets_are_methods(tmp_path):
    anchors = pictures(tmp_path / "a", "1.png")
    targets = [pictures(tmp_path / "runs" / name, "1.png") for name in ("new", "old")]
    pairs, _ = match_folders(anchors, targets)
    assert [(pair.id, pair.columns["method"]) for pair in pairs] == [
        ("new/1.png", "new"),
        ("old/1.png", "old"),
    ]
    with pytest.raises(BatchError, match="given twice"):
        match_folders(anchors, [targets[0], targets[0]])


def test_pictures_without_a_partner_are_an_error_unless_allowed(tmp_path):
    anchors = pictures(tmp_path / "a", "1.png", "2.png")
    targets = pictures(tmp_path / "b", "2.png", "3.png")
    with pytest.raises(BatchError) as error:
        match_folders(anchors, [targets])
    assert str(error.value) == (
        f"pictures without a partner: 1 of {anchors} (1.png); 1 of {targets} (3.png); --match says "
        "how names belong together, --allow-unmatched leaves these out"
    )
    pairs, unmatched = match_folders(anchors, [targets], matching=Matching(allow_unmatched=True))
    assert [pair.id for pair in pairs] == ["2.png"]
    assert {left.names for left in unmatched} == {("1.png",), ("3.png",)}


@pytest.mark.parametrize(
    ("by", "line"),
    [
        ("(", "no regular expression"),
        (r"\d+", "a regular expression with a group"),
        (r"(?P<id>\w)\.png", "are both of the pair 'a'"),
    ],
)
def test_a_pattern_that_cannot_tell_pairs_apart_is_refused(tmp_path, by, line):
    folder = pictures(tmp_path / "a", "1a.png", "2a.png")
    with pytest.raises(BatchError, match=line.replace("(", r"\(")):
        match_folders(folder, [folder], matching=Matching(by))


def test_a_folder_that_is_none_or_has_no_picture_is_refused(tmp_path):
    good = pictures(tmp_path / "a", "1.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BatchError, match="no such folder"):
        match_folders(good, [str(tmp_path / "b")])
    with pytest.raises(BatchError, match="no picture there"):
        match_folders(good, [str(tmp_path / "empty")])


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text_is_refused_in_one_line(tmp_path):
    folder = pictures(tmp_path / "a", "1.png")
    (tmp_path / "a" / os.fsdecode(b"\xff.png")).write_bytes(b"")
    with pytest.raises(BatchError, match=r"pair 2: '\\udcff.png' has bytes .* rename that file"):
        match_folders(folder, [folder])


def test_references_join_by_the_same_names(tmp_path):
    folders = [pictures(tmp_path / name, "1.png") for name in "abr"]
    pairs, _ = match_folders(folders[0], [folders[1]], references=folders[2])
    assert pairs[0].reference == str(tmp_path / "r" / "1.png")


def test_links_in_a_loop_end(tmp_path):
    pictures(tmp_path / "a", "1.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path / "a")
    assert listed(str(tmp_path / "a")) == ["1.png"]


def test_urls_and_paths_are_joined_as_they_are_written():
    assert joined("s3://bucket/a", "b/1.png") == "s3://bucket/a/b/1.png"
    assert joined("/data", "s3://x/1.png") == "s3://x/1.png"
    assert parent("s3://bucket/lists/pairs.csv") == "s3://bucket/lists"
    assert joined("lists", "1.png") == str(Path("lists") / "1.png")


def test_files_behind_a_url_are_listed_and_read():
    fsspec = pytest.importorskip("fsspec")
    system = fsspec.filesystem("memory")
    for name in ("/set/a/1.png", "/set/b/1.png"):
        with system.open(name, "wb") as stream:
            stream.write(b"x")
    pairs, _ = match_folders("memory://set/a", ["memory://set/b"])
    assert [(p.id, p.anchor, p.target) for p in pairs] == [
        ("1.png", "memory://set/a/1.png", "memory://set/b/1.png")
    ]
    with pytest.raises(BatchError, match="no files there"):
        listed("memory://set/none")
