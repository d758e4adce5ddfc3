"""One set of bytes, whatever the number of processes and whoever kills them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from build_samples import contents_of, make_source

from distortion_graph.datasets.layout import JOURNAL_FILE
from distortion_graph.datasets.make import BuildOptions, build_dataset, parse_splits
from distortion_graph.datasets.make.root import LOCK_FILE
from distortion_graph.datasets.sources import parse_source

pytestmark = pytest.mark.slow

# A process that does not come forward in so long hangs, however busy the machine is.
PATIENCE_S = 600

# Large enough to be far from done when the first picture is.
SIZE = (120, 160)
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    return make_source(tmp_path_factory.mktemp("kill") / "lab", "abcdef", SIZE)


def command(lab, root, workers):
    return [
        *(sys.executable, "-m", "distortion_graph", "dataset", "build", str(lab)),
        *("--out", str(root), "--split", "train=.5,test=.5", "--workers", str(workers)),
    ]


@pytest.fixture(scope="module")
def whole(lab):
    """The root of an uninterrupted build without worker processes."""
    root = lab.parent / "whole"
    options = BuildOptions(splits=parse_splits("train=.5,test=.5"), workers=0)
    build_dataset([parse_source(str(lab))], root, options)
    return root


def made_lines(root):
    path = root / JOURNAL_FILE
    return path.read_bytes().count(b'{"kind":"made"') if path.exists() else 0


def kill_after(lab, root, lines, *, group):
    """Start a build by two workers and `kill -9` it once so many pictures are in the journal."""
    process = subprocess.Popen(
        command(lab, root, 2), start_new_session=True, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + PATIENCE_S
        assert process.pid == os.getsid(process.pid)
        while made_lines(root) < lines and process.poll() is None:
            assert time.monotonic() < until, "the build does not come forward"
            time.sleep(0.002)
        if sys.platform.startswith("linux"):
            assert len(running_in(process.pid)) > 2  # it, and its workers
    finally:
        if group:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
    return process.pid


def test_two_workers_make_the_same_bytes(lab, whole):
    root = lab.parent / "two"
    subprocess.run(command(lab, root, 2), check=True, capture_output=True)
    assert contents_of(root) == contents_of(whole)


@LINUX
def test_a_worker_that_dies_is_one_line(lab):
    root = lab.parent / "dead"
    process = subprocess.Popen(
        command(lab, root, 1), start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    until = time.monotonic() + PATIENCE_S
    while made_lines(root) < 1 and process.poll() is None:
        assert time.monotonic() < until, "the build does not come forward"
        time.sleep(0.002)
    for pid in workers_of(process.pid):
        os.kill(pid, signal.SIGKILL)
    _, told = process.communicate()
    *progress, last = told.splitlines()  # a slow machine shows how far it is
    assert process.returncode == 2 and "error: a worker process was killed" in last, told
    assert all("looking for copies" in line or "pairs/s" in line for line in progress), told


def killed_in_the_middle(lab):
    """A root whose build was killed; on a busy machine one may be done before that."""
    for attempt in range(5):
        root = lab.parent / f"killed{attempt}"
        kill_after(lab, root, 2, group=True)
        if made_lines(root) < 6 and not (root / "dataset.json").exists():
            return root
    raise AssertionError("five builds were done before they could be killed")


def test_killed_in_the_middle_and_started_again_the_bytes_are_the_same(lab, whole):
    root = killed_in_the_middle(lab)
    assert made_lines(root) >= 2
    again = subprocess.run(command(lab, root, 2), check=True, capture_output=True, text=True)
    assert re.search(r"; \d+ pictures? kept", again.stdout)
    assert contents_of(root) == contents_of(whole)
    once_more = subprocess.run(command(lab, root, 1), check=True, capture_output=True, text=True)
    assert "nothing to do, every file is whole" in once_more.stdout
    assert contents_of(root) == contents_of(whole)


@LINUX
def test_workers_end_with_the_one_that_started_them(lab):
    root = lab.parent / "orphans"
    session = kill_after(lab, root, 1, group=False)
    until = time.monotonic() + PATIENCE_S
    while running_in(session):
        assert time.monotonic() < until, "workers outlive their parent"
        time.sleep(0.05)
    assert (root / LOCK_FILE).exists()


def workers_of(parent):
    """Worker processes that a process has started, without what else Python starts for them."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [
        int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def running_in(session):
    """Processes of a session, those that have ended and wait for their parent left out."""
    found = []
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = place.read_text().rpartition(")")[2].split()[:4]
        except OSError:
            continue
        if int(own) == session and state != "Z":
            found.append(place.parent.name)
    return found
