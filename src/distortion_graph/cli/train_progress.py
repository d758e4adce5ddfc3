"""How far a training run is: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from distortion_graph.cli.console import Talk, write_error_line
from distortion_graph.cli.progress import short_time

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from distortion_graph.training.timing import Moment

_SECONDS_BETWEEN_LINES = 30.0
_WHOLE = 1000


@dataclass
class TrainingTalk:
    """Tells how a run stands: budget used, pairs per second, loss, waiting for data, time left.

    Rate and time left are of the stretch since the program started. Quiet runs show nothing.
    """

    talk: Talk
    _bar: Progress | None = None
    _task: TaskID | None = None
    _first: tuple[float, int, float] | None = None
    _told: float = field(default_factory=time.monotonic)

    def __enter__(self) -> TrainingTalk:
        if not self.talk.quiet and sys.stderr is not None and sys.stderr.isatty():
            self._bar = _bar()
            self._task = self._bar.add_task("training", total=_WHOLE, facts="")
            self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def line(self, text: str) -> None:
        """A line of the result, the bar put aside while it is written."""
        if self._bar is not None:
            self._bar.stop()
        self.talk.say(text)
        if self._bar is not None:
            self._bar.start()

    def watch(self, moment: Moment) -> None:
        """A step is done."""
        progress = moment.progress
        if self._first is None:
            self._first = (progress.seconds, progress.pairs, moment.used)
        if self._bar is not None and self._task is not None:
            done = min(_WHOLE, round(_WHOLE * moment.used))
            self._bar.update(self._task, completed=done, facts=self._facts(moment))
            return
        now = time.monotonic()
        if not self.talk.quiet and now - self._told >= _SECONDS_BETWEEN_LINES:
            self._told = now
            write_error_line(f"training: {100 * moment.used:.0f} %, {self._facts(moment)}")

    def _facts(self, moment: Moment) -> str:
        progress = moment.progress
        seconds, pairs, used = self._first or (0.0, 0, 0.0)
        passed = progress.seconds - seconds
        facts = [f"step {progress.step}", f"loss {moment.loss:.3f}"]
        waiting = progress.waiting_seconds / max(progress.seconds, 1e-9)
        if passed > 0 and moment.used > used:
            left = passed * max(0.0, 1 - moment.used) / (moment.used - used)
            facts.insert(0, f"{(progress.pairs - pairs) / passed:.1f} pairs/s")
            facts.append(f"{short_time(left)} left")
        return ", ".join([*facts, f"{100 * waiting:.0f} % waiting for data"])


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TextColumn("{task.fields[facts]}"),
        console=Console(stderr=True),
        transient=True,
    )
