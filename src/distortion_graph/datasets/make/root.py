"""The folder that a build writes: whether it may, and that nobody else does at the same time."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.layout import DATASET_FILE, JOURNAL_FILE, MANIFEST_FILE
from distortion_graph.datasets.make.options import PUBLISHED
from distortion_graph.work.journal import first_difference

LOCK_FILE = "build.lock"
_UNSAID = {"--recipe": PUBLISHED}
"""What is not written down of a build that goes by the published recipe."""
_TEMPORARY = re.compile(r"\.[0-9a-f]{16}\.tmp")


class State(Enum):
    """How far a root is."""

    fresh = "nothing is there yet"
    unfinished = "a build was begun"
    complete = "a build was finished"


@contextlib.contextmanager
def claimed(root: Path) -> Iterator[State]:
    """Make the folder where it is missing and hold it alone; what stopped builds left is removed.

    The lock is the system's and ends with the process, however that ends. Raises DatasetError for
    a folder that is none of a build's and one that another process writes to, OutputError where
    the system does not let us.
    """
    import filelock

    _check_ours(root)
    new = not root.exists()
    try:
        root.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(root / LOCK_FILE)
        lock.acquire(blocking=False)
    except filelock.Timeout as e:
        raise DatasetError(
            f"{root}: another process is writing to it; wait until it is done"
        ) from e
    except OSError as e:
        raise OutputError(f"{root}: cannot be written ({e.strerror})") from e
    try:
        if not (root / LOCK_FILE).exists():  # another one just finished and took it away
            raise DatasetError(f"{root}: another process was writing to it; start again")
        for path in root.iterdir():
            if _TEMPORARY.fullmatch(path.name) and path.is_file():
                path.unlink(missing_ok=True)
        yield _state(root)
    finally:
        # While it is still held: who waits for this file finds it gone and makes a new one.
        with contextlib.suppress(OSError):
            (root / LOCK_FILE).unlink(missing_ok=True)
            if new:
                root.rmdir()  # refuses, rightly, where something was written
        lock.release()


def _check_ours(root: Path) -> None:
    """A new, an empty, or a build's folder."""
    if root.exists() and not root.is_dir():
        raise DatasetError(f"{root}: is a file, expected a folder to write the data set to")
    if not root.is_dir() or _state(root) is not State.fresh:
        return
    try:
        names = sorted(path.name for path in root.iterdir())
    except OSError as e:
        raise OutputError(f"{root}: cannot be read ({e.strerror})") from e
    other = next((n for n in names if n != LOCK_FILE and not _TEMPORARY.fullmatch(n)), None)
    if other is not None:
        raise DatasetError(
            f"{root}: is not empty ({other!r} is there) and no data set of this command; choose a "
            "new folder"
        )


def _state(root: Path) -> State:
    if (root / JOURNAL_FILE).exists():
        return State.unfinished
    if (root / DATASET_FILE).is_file() and (root / MANIFEST_FILE).is_file():
        description = read_description(root)
        if description is not None and description.build is not None:
            return State.complete
    return State.fresh


def check_same(root: Path, state: State, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Raise DatasetError, naming the first option that differs from when the root was begun."""
    done = "was made" if state is State.complete else "was begun"
    if difference := first_difference({**_UNSAID, **before}, {**_UNSAID, **now}):
        raise DatasetError(
            f"{root}: {done} with {difference}; give the same options, or choose a new folder"
        )
