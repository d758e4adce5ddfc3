"""Progress: a bar on a terminal, a line now and then elsewhere, nothing where quiet is asked."""

from __future__ import annotations

import io
import sys

import pytest

from distortion_graph.cli import progress
from distortion_graph.cli.console import Talk
from distortion_graph.cli.progress import WorkTalk, short_time


class Clock:
    now = 100.0

    def monotonic(self):
        return self.now


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(progress, "time", clock)
    return clock


def work(clock, talk, steps=25):
    with WorkTalk(talk) as report:
        report.begin("building", 160, "images")
        for _ in range(steps):
            clock.now += 1
            report.advance(4)


def test_without_a_terminal_a_line_every_ten_seconds(clock, capsys):
    work(clock, Talk())
    assert capsys.readouterr().err.splitlines() == [
        "distortion-graph: building: 40 of 160 images, 4.0 images/s, 30 s left",
        "distortion-graph: building: 80 of 160 images, 4.0 images/s, 20 s left",
    ]


def test_quiet_runs_show_nothing(clock, capsys, monkeypatch):
    work(clock, Talk(quiet=True))
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    work(clock, Talk(quiet=True))
    assert capsys.readouterr() == ("", "") and terminal.getvalue() == ""


def test_on_a_terminal_a_bar_that_makes_room_for_lines_and_goes_away(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with WorkTalk(Talk(verbose=True)) as report:
        report.begin("building", 160, "images")
        report.advance(40)
        report.warn("x.png: damaged")
        report.detail("more")
        report.advance(40)
    shown = terminal.getvalue()
    assert "building" in shown and "80/160" in shown and "images/s" in shown
    assert "distortion-graph: warning: x.png: damaged\n" in shown
    assert "distortion-graph: more\n" in shown
    assert shown.rstrip().endswith("\x1b[2K") or "80/160" not in shown.rsplit("\n", 1)[-1]


def test_parts_follow_each_other(clock, capsys):
    with WorkTalk(Talk()) as report:
        report.begin("looking for copies", 2, "pictures")
        report.advance(2)
        report.begin("building", 160, "images")
        clock.now += 20
        report.advance(0)
    assert capsys.readouterr().err == (
        "distortion-graph: building: 0 of 160 images, 0.0 images/s\n"
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_times_in_words(seconds, words):
    assert short_time(seconds) == words
