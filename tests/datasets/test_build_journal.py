"""The journal of a build, and its root, which has one writer (`work/test_journal.py` has more)."""

from __future__ import annotations

import subprocess
import sys

import pytest

from distortion_graph.base.errors import DatasetError, WorkError
from distortion_graph.datasets.layout import JOURNAL_FILE
from distortion_graph.datasets.make.journal import MADE, build_journal
from distortion_graph.datasets.make.root import LOCK_FILE, State, check_same, claimed


def test_a_builds_journal_has_lines_by_kind_and_stem(tmp_path):
    with build_journal(tmp_path) as journal:
        journal.begin({"options": {}})
        journal.add(MADE, "a", {"n": 1})
    assert (tmp_path / JOURNAL_FILE).read_text() == (
        '{"format":"distortion-graph build 1","options":{}}\n{"kind":"made","stem":"a","n":1}\n'
    )
    with build_journal(tmp_path) as journal:
        assert journal.header == {"format": "distortion-graph build 1", "options": {}}
        assert journal.get(MADE, "a") == {"kind": "made", "stem": "a", "n": 1}


def test_a_journal_of_another_version_is_refused(tmp_path):
    (tmp_path / JOURNAL_FILE).write_text('{"format": "distortion-graph build 2"}\n')
    with pytest.raises(WorkError, match="'distortion-graph build 2', expected"):
        build_journal(tmp_path)


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
