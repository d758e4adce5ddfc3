"""The journal survives whatever stops a build, and a root has one writer."""

from __future__ import annotations

import errno
import os
import subprocess
import sys

import pytest
from optional import present

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.layout import JOURNAL_FILE
from distortion_graph.datasets.make.journal import Journal
from distortion_graph.datasets.make.root import LOCK_FILE, State, check_same, claimed


def begun(root):
    with Journal(root) as journal:
        journal.begin({"options": {}})
        journal.add("made", "a", {"n": 1})
        journal.add("made", "ü", {"n": 2})
        journal.add("made", "a", {"n": 3})
    return root / JOURNAL_FILE


def test_lines_are_found_again_and_the_later_one_counts(tmp_path):
    begun(tmp_path)
    with Journal(tmp_path) as journal:
        assert journal.header is not None and journal.header["options"] == {}
        assert (
            present(journal.get("made", "a"))["n"] == 3
            and present(journal.get("made", "ü"))["n"] == 2
        )
        assert journal.get("made", "b") is None and journal.get("skipped", "a") is None
        assert journal.has("made") and not journal.has("skipped") and journal.has("made", "a")
        journal.add("skipped", "b", {"reason": "r"})
        assert present(journal.get("skipped", "b"))["reason"] == "r"
        assert present(journal.get("made", "a"))["n"] == 3
        journal.forget("made", "a")
        assert not journal.has("made", "a")


def test_a_journal_cut_anywhere_is_read_up_to_its_last_whole_line(tmp_path):
    path = begun(tmp_path)
    whole = path.read_bytes()
    ends = [k + 1 for k, byte in enumerate(whole) if byte == 10]
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with Journal(tmp_path) as journal:
            lines = sum(end <= cut for end in ends)
            assert (journal.header is None) == (lines == 0)
            assert journal.has("made", "a") == (lines >= 2)
            assert journal.has("made", "ü") == (lines >= 3)
        assert path.read_bytes() == whole[: max([0, *(end for end in ends if end <= cut)])]


def test_a_line_lost_in_a_power_cut_ends_the_journal_there(tmp_path):
    path = begun(tmp_path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1] + b"\0" * 20 + b"\n" + lines[2])
    with Journal(tmp_path) as journal:
        assert journal.has("made", "a") and not journal.has("made", "ü")


def test_a_journal_that_cannot_be_written_ends_with_a_whole_line(tmp_path, monkeypatch):
    path = begun(tmp_path)
    before = path.read_bytes()
    write = os.write

    def full(file, data):
        if len(data) > 5:
            return write(file, bytes(data)[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with Journal(tmp_path) as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match=r"journal\.jsonl: cannot be written \(No space left"):
            journal.add("made", "c", {"text": "x" * 100})
        monkeypatch.undo()
        assert path.read_bytes() == before
        journal.add("made", "d", {})
        assert journal.has("made", "d") and present(journal.get("made", "a"))["n"] == 3


def test_a_journal_of_another_version_is_refused(tmp_path):
    (tmp_path / JOURNAL_FILE).write_text('{"format": "distortion-graph build 2"}\n')
    with pytest.raises(DatasetError, match="'distortion-graph build 2', expected"):
        Journal(tmp_path)


def test_a_root_is_new_begun_or_refused(tmp_path):
    root = tmp_path / "deep" / "root"
    with claimed(root):
        pass
    assert not root.exists()
    with claimed(root) as state:
        assert state is State.fresh and (root / LOCK_FILE).exists()
        (root / ".0123456789abcdef.tmp").write_text("left by a build that was killed")
    with claimed(root) as state:
        assert state is State.fresh
        assert [p.name for p in root.iterdir()] == [LOCK_FILE]
        (root / JOURNAL_FILE).write_text("")
    with claimed(root) as state:
        assert state is State.unfinished
    assert [p.name for p in root.iterdir()] == [JOURNAL_FILE]


@pytest.mark.parametrize("name", ["photo.png", ".hidden", "dataset.json"])
def test_a_folder_of_something_else_is_refused_and_left_alone(tmp_path, name):
    (tmp_path / name).write_text("{}")
    with (
        pytest.raises(DatasetError, match=f"is not empty \\('{name}' is there\\)"),
        claimed(tmp_path),
    ):
        pass
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "root").write_text("")
    with (
        pytest.raises(DatasetError, match="is a file, expected a folder"),
        claimed(tmp_path / "root"),
    ):
        pass


def test_the_second_writer_is_refused_until_the_first_is_dead(tmp_path):
    code = (
        "import sys, time\nfrom pathlib import Path\n"
        "from distortion_graph.datasets.make.root import claimed\n"
        "with claimed(Path(sys.argv[1])):\n    print('held', flush=True)\n    time.sleep(60)\n"
    )
    first = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert first.stdout is not None and first.stdout.readline() == "held\n"
        with (
            pytest.raises(DatasetError, match="another process is writing to it"),
            claimed(tmp_path),
        ):
            pass
        assert (tmp_path / LOCK_FILE).exists()
    finally:
        first.kill()
        first.wait()
    with claimed(tmp_path) as state:
        assert state is State.fresh
    assert list(tmp_path.iterdir()) == []


def test_the_first_option_that_differs_is_named(tmp_path):
    before = {"--seed": 0, "--types": ["blur", "noise"], "--severity": None}
    check_same(tmp_path, State.unfinished, before, dict(before))
    with pytest.raises(DatasetError) as caught:
        check_same(tmp_path, State.unfinished, before, before | {"--types": ["blur"]})
    assert str(caught.value) == (
        f"{tmp_path}: was begun with --types blur,noise, now it is blur; give the same options, "
        "or choose a new folder"
    )
    with pytest.raises(DatasetError, match="was made with --severity none, now it is minor=2"):
        check_same(tmp_path, State.complete, before, before | {"--severity": {"minor": 2}})
