"""What a run writes down while it goes on: CSV for people and scripts, TensorBoard for curves.

log.csv          a row every so many steps: means of the losses since the last row
evaluations.csv  a row for every list of held-out pairs at every evaluation
tensorboard/     the same as curves: `tensorboard --logdir runs`
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from torch import Tensor

from distortion_graph.base.errors import DistortionGraphError
from distortion_graph.base.files import atomic_write_text
from distortion_graph.training.config import LoggingConfig

LOG_FILE = "log.csv"
EVALUATIONS_FILE = "evaluations.csv"
TENSORBOARD_FOLDER = "tensorboard"

Value = float | int | str | None


class RunLog:
    """The logs of a run's folder, going on after `step`: what was logged later is taken away.

    A silent one writes nothing: of several processes the first one logs.
    """

    def __init__(
        self, folder: Path, config: LoggingConfig, *, step: int = 0, silent: bool = False
    ) -> None:
        self.folder, self.silent = folder, silent
        self.writer: Any = None
        if silent:
            return
        for name in (LOG_FILE, EVALUATIONS_FILE):
            _cut_after(folder / name, step)
        if config.tensorboard:
            self.writer = _writer(folder / TENSORBOARD_FOLDER, step)

    def steps(self, step: int, values: Mapping[str, Value]) -> None:
        """A row of log.csv."""
        if self.silent:
            return
        _append(self.folder / LOG_FILE, {"step": step, **values})
        self._curves("training", step, values)

    def evaluation(self, step: int, pairs: str, values: Mapping[str, Value]) -> None:
        """A row of evaluations.csv."""
        _append(self.folder / EVALUATIONS_FILE, {"step": step, "pairs": pairs, **values})
        self._curves(f"held out, {pairs}", step, values)

    def flush(self) -> None:
        """Let readers see what was logged."""
        if self.writer is not None:
            self.writer.flush()

    def __enter__(self) -> RunLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.writer is not None:
            self.writer.close()

    def _curves(self, group: str, step: int, values: Mapping[str, Value]) -> None:
        if self.writer is None:
            return
        for name, value in values.items():
            if isinstance(value, int | float) and math.isfinite(value):
                self.writer.add_scalar(f"{group}/{name}", value, step)


class MeanLosses:
    """Sums losses, on whatever device they are, until a row is due."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._count = 0

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """The losses of a step."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0) + value
        self._count += 1

    def take(self) -> dict[str, Value]:
        """Their means, and begin anew."""
        means: dict[str, Value] = {
            name: round(value.item() / self._count, 5) for name, value in self._sums.items()
        }
        self._sums, self._count = {}, 0
        return means


def _writer(folder: Path, step: int) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as problem:
        raise DistortionGraphError(
            "training: TensorBoard's files need the package tensorboard, not installed: pip "
            "install 'distortion-graph[train]', or set logging.tensorboard to false"
        ) from problem
    # Curves of steps that will be made again give way to the new ones.
    return SummaryWriter(str(folder), purge_step=step + 1 if step else None)


def _append(path: Path, row: Mapping[str, Value]) -> None:
    """A row under the columns of the file; a column that it lacks is added to it."""
    columns = list(row)
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            before = next(csv.reader(file), [])
        if new := [name for name in columns if name not in before]:
            _rewrite(path, [*before, *new], _rows(path))
        columns = [*before, *new]
    else:
        _rewrite(path, columns, [])
    with path.open("a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, columns).writerow(row)


def _cut_after(path: Path, step: int) -> None:
    if not path.exists():
        return
    rows = _rows(path)
    kept = [row for row in rows if (row.get("step") or "").isdigit() and int(row["step"]) <= step]
    if len(kept) < len(rows):
        _rewrite(path, list(rows[0]), kept)


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _rewrite(path: Path, columns: list[str], rows: list[dict[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    atomic_write_text(path, text.getvalue())
