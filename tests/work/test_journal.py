"""A journal keeps what was finished through whatever stops its run, for that run alone."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys
from typing import Any

import pytest

from distortion_graph.base.errors import OutputError, WorkError
from distortion_graph.work.journal import Journal, first_difference

RUN = {"model": "m1", "sizes": (3, 4)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def opened(path, form="test 1"):
    return Journal(path, form, advice="choose a new folder")


@pytest.fixture
def begun(path):
    """The place of a journal of four lines."""
    with opened(path) as journal:
        journal.begin(RUN)
        journal.add("done", "a", {"n": 1})
        journal.add("done", "ü", {"n": 2})
        journal.add("done", "a", {"n": 3})
    return path


def test_a_journal_is_a_line_of_json_for_the_run_and_for_each_thing_done(begun):
    assert begun.read_text("utf-8").splitlines() == [
        '{"format":"test 1","model":"m1","sizes":[3,4]}',
        '{"kind":"done","task":"a","n":1}',
        '{"kind":"done","task":"ü","n":2}',
        '{"kind":"done","task":"a","n":3}',
    ]


def test_lines_are_there_again_and_the_later_one_counts(begun):
    with opened(begun) as journal:
        journal.begin(RUN)
        assert journal.get("done", "a") == {"kind": "done", "task": "a", "n": 3}
        assert journal.get("done", "ü")["n"] == 2
        assert journal.get("done", "b") is None and journal.get("failed", "a") is None
        assert journal.has("done") and not journal.has("failed") and journal.has("done", "a")
        journal.add("failed", "b", {"reason": "r"})
        assert journal.get("failed", "b")["reason"] == "r"
        assert journal.get("done", "a")["n"] == 3
        journal.forget("done", "a")
        assert not journal.has("done", "a")
    with opened(begun) as journal:
        assert journal.has("done", "a") and journal.has("failed", "b")


def test_a_journal_cut_anywhere_keeps_its_whole_lines_and_goes_on_behind_them(begun):
    whole = begun.read_bytes()
    ends = [k + 1 for k, byte in enumerate(whole) if byte == 10]
    for cut in range(len(whole) + 1):
        begun.write_bytes(whole[:cut])
        with opened(begun) as journal:
            lines = sum(end <= cut for end in ends)
            assert (journal.header is None) == (lines == 0)
            assert journal.has("done", "a") == (lines >= 2)
            assert journal.has("done", "ü") == (lines >= 3)
            kept = whole[: max([0, *(end for end in ends if end <= cut)])]
            assert begun.read_bytes() == kept
            journal.begin(RUN)
            journal.add("done", "new", {})
            assert journal.get("done", "new") == {"kind": "done", "task": "new"}
        kept = kept or whole[: ends[0]]
        assert begun.read_bytes() == kept + b'{"kind":"done","task":"new"}\n'


def test_a_line_lost_in_a_power_cut_ends_the_journal_there(begun):
    lines = begun.read_bytes().splitlines(keepends=True)
    begun.write_bytes(lines[0] + lines[1] + b"\0" * 20 + b"\n" + lines[2])
    with opened(begun) as journal:
        assert journal.has("done", "a") and not journal.has("done", "ü")
    begun.write_bytes(b"\0" * 20)
    with opened(begun) as journal:
        assert journal.header is None


_ADDING = """
import sys
from pathlib import Path
from distortion_graph.work.journal import Journal
with Journal(Path(sys.argv[1]), "test 1", advice="") as journal:
    journal.begin({})
    for number in range(10**9):
        journal.add("done", str(number), {"text": "x" * 5000})
        print(number, flush=True)
"""


def test_after_kill_9_every_line_that_was_added_is_there(path):
    rng, last = random.Random(0), 0
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", _ADDING, str(path)], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(rng.randrange(20, 200))]
        process.kill()
        told += process.stdout.readlines()
        process.wait()
        last = max(last, *(int(line) for line in told if line.endswith("\n")))
        with opened(path) as journal:
            journal.begin({})
            assert all(journal.has("done", str(number)) for number in range(last + 1))
            assert len(journal.get("done", str(last))["text"]) == 5000


def test_a_second_writer_is_refused_until_the_first_is_dead(path):
    first = subprocess.Popen(
        [sys.executable, "-c", _ADDING, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert first.stdout is not None
    first.stdout.readline()
    try:
        with pytest.raises(WorkError) as caught:
            opened(path)
        assert str(caught.value) == (
            f"{path}: another process is writing to it; wait until it is done"
        )
    finally:
        first.kill()
        first.communicate()
    with opened(path) as journal:
        assert journal.has("done", "0")
        with pytest.raises(WorkError, match="another process is writing to it"):
            opened(path)  # nor may one process write twice
    with opened(path):
        pass


def test_the_journal_of_another_run_is_refused_and_what_differs_is_named(begun):
    before = begun.read_bytes()
    with opened(begun) as journal, pytest.raises(WorkError) as caught:
        journal.begin({"model": "m2", "sizes": (3, 4)})
    assert str(caught.value) == (
        f"{begun}: is of a run with model m1, now it is m2; give the same options, or choose a new "
        "folder"
    )
    assert begun.read_bytes() == before


def test_the_journal_of_another_version_is_refused(begun):
    before = begun.read_bytes()
    with pytest.raises(WorkError, match=r"found 'test 1', expected 'test 2'; .*choose a new"):
        opened(begun, "test 2")
    assert begun.read_bytes() == before


@pytest.mark.parametrize("content", [b"some text", b"some text\n", b"{}\n", b"[1]\n", b"test 1\n"])
def test_a_file_that_is_no_journal_is_refused_and_stays_as_it_is(path, content):
    path.write_bytes(content)
    with pytest.raises(WorkError, match="expected 'test 1'"):
        opened(path)
    assert path.read_bytes() == content


def test_only_durable_lines_wait_for_the_disk(path, monkeypatch):
    waited: list[Any] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    with opened(path) as journal:
        journal.begin(RUN)
        journal.add("done", "a", {})
        assert len(waited) == 2
        journal.add("done", "b", {}, durable=False)
        assert len(waited) == 2 and journal.has("done", "b")


def test_a_journal_that_cannot_be_written_ends_with_a_whole_line(begun, monkeypatch):
    before = begun.read_bytes()
    write = os.write

    def full(file, data):
        if len(data) > 5:
            return write(file, bytes(data)[:5])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with opened(begun) as journal:
        monkeypatch.setattr(os, "write", full)
        with pytest.raises(OutputError, match=r"journal\.jsonl: cannot be written \(No space left"):
            journal.add("done", "c", {"text": "x" * 100})
        monkeypatch.undo()
        assert begun.read_bytes() == before
        journal.add("done", "d", {})
        assert journal.has("done", "d") and journal.get("done", "a")["n"] == 3


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    with pytest.raises(OutputError, match=r"journal\.jsonl: cannot be written \(No such file"):
        opened(tmp_path / "missing" / "journal.jsonl")


@pytest.mark.parametrize(
    ("now", "text"),
    [
        ({"--seed": 0, "--types": ["blur", "noise"]}, ""),
        ({"--seed": 1, "--types": ["blur"]}, "--seed 0, now it is 1"),
        ({"--seed": 0, "--types": ["blur"]}, "--types blur,noise, now it is blur"),
        ({"--seed": 0}, "--types blur,noise, now it is none"),
        (
            {"--seed": 0, "--types": ["blur", "noise"], "--more": {"a": 1}},
            "--more none, now it is a=1",
        ),
        ({"--seed": "x" * 99, "--types": []}, f"--seed 0, now it is {'x' * 79}…"),
    ],
)
def test_the_first_member_that_differs_is_named(now, text):
    assert first_difference({"--seed": 0, "--types": ["blur", "noise"]}, now) == text
