"""How far long work is: a bar with rate and time left, or now and then a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from distortion_graph.cli.console import Talk, write_error_line

if TYPE_CHECKING:
    from rich.progress import Progress, Task, TaskID

_SECONDS_BETWEEN_LINES = 10.0


@dataclass
class WorkTalk:
    """Tells on standard error how far the work is, as far as `talk` wants it.

    On a terminal a bar with done and total, rate and time left; elsewhere a line about every ten
    seconds. Quiet runs show nothing.
    """

    talk: Talk
    _bar: Progress | None = None
    _task: TaskID | None = None
    _what: str = ""
    _unit: str = ""
    _total: int = 0
    _done: int = 0
    _began: float = 0.0
    _told: float = field(default_factory=time.monotonic)

    def warn(self, text: str) -> None:
        """A line about the input that does not stop the work."""
        with self._beside_bar():
            self.talk.warn(text)

    def detail(self, text: str) -> None:
        """A line for those who asked for more."""
        with self._beside_bar():
            self.talk.detail(text)

    def begin(self, what: str, total: int, unit: str) -> None:
        """Work of `total` units begins."""
        self.end()
        self._what, self._total, self._unit, self._done = what, total, unit, 0
        self._began = self._told = time.monotonic()
        if not self.talk.quiet and sys.stderr is not None and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task(what, total=total, unit=unit)
            self._bar.start()

    def advance(self, count: int) -> None:
        """So many more units are done."""
        self._done += count
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)
            return
        now = time.monotonic()
        if not self.talk.quiet and now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            write_error_line(self._line(now - self._began))

    def follow(self, what: str, unit: str) -> Callable[[int, int], None]:
        """A function that is told how many units of how many are done; work begins at its call."""

        def told(done: int, total: int) -> None:
            if (self._what, self._total) != (what, total):
                self.begin(what, total, unit)
            self.advance(done - self._done)

        return told

    def end(self) -> None:
        """The work is over, done or not."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._task = None

    def __enter__(self) -> WorkTalk:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def _line(self, seconds: float) -> str:
        rate = self._done / max(seconds, 1e-9)
        line = (
            f"{self._what}: {self._done} of {self._total} {self._unit}, {rate:.1f} {self._unit}/s"
        )
        if not rate:
            return line
        return f"{line}, {short_time((self._total - self._done) / rate)} left"

    def _beside_bar(self) -> _Paused:
        return _Paused(self._bar)


@dataclass
class _Paused:
    """Takes the bar off the terminal while a line is written."""

    bar: Progress | None

    def __enter__(self) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.start()


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Rate(ProgressColumn):
        """Units per second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text("" if speed is None else f"{speed:.1f} {task.fields['unit']}/s")

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        Rate(),
        TimeRemainingColumn(compact=True),
        TextColumn("left"),
        console=Console(stderr=True),
        transient=True,
    )


def short_time(seconds: float) -> str:
    """`42 s`, `3 min 20 s` or `2 h 5 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
