"""Reads fuzzed inputs in a process of its own, which may die, grow or hang without harm to others.

    python tests/fuzz/fuzz_worker.py JOBS.json

An input is named by its reader, the seed of the campaign and its number, and made anew from these.
Before an input is read its number is written where the parent sees it, whatever becomes of the
process. What a reader did wrong is told in JSON lines, each `Finding` once for each place.
"""

from __future__ import annotations

import contextlib
import json
import logging
import mmap
import os
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random
from typing import Any, TextIO

from distortion_graph.base.errors import DistortionGraphWarning

MEGABYTE = 1 << 20
_MEMORY = Path("/dev/shm")
"""Where a file costs a tenth of one on a disk; the temporary folder where there is none."""
SECONDS = 20
"""CPU seconds that an input of some kilobytes may take; usual are milliseconds."""


@dataclass(frozen=True)
class Job:
    """Inputs `first` … `first + count − 1` of a reader; the files that are kept come before them.

    `seconds` ends the job early. `only` names files that are read instead.
    """

    reader: str
    seed: int = 0
    first: int = 0
    count: int = 0
    seconds: float = 1e9
    kept: bool = True
    only: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """What a reader did wrong: `number` is the input's, or `file` its name."""

    reader: str
    number: int
    kind: str
    place: str
    text: str
    file: str = ""


@dataclass
class Tally:
    """What became of the inputs of a job."""

    reader: str
    inputs: int = 0
    read: int = 0
    refused: int = 0
    peak_mb: int = 0
    slowest_s: float = 0.0
    cpu_s: float = 0.0


class WrongError(Exception):
    """A reader broke its promise; the text says which."""


def input_of(reader: Any, seeds: list[bytes], seed: int, number: int) -> bytes:
    """The input with this number."""
    data: bytes = reader.mutate(Random(f"{seed}/{reader.name}/{number}"), seeds)
    return data


class Watch:
    """Everything that a reader could do beside answering: output, warnings, memory."""

    def __init__(self, output: Path) -> None:
        self._file = os.open(output, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        self.said: list[str] = []
        os.dup2(self._file, 1)
        os.dup2(self._file, 2)
        warnings.simplefilter("always")
        warnings.showwarning = self._warned  # type: ignore[assignment]
        logging.raiseExceptions = True

    def _warned(self, message: Warning | str, category: type[Warning], *rest: object) -> None:
        if not issubclass(category, DistortionGraphWarning) or "\n" in str(message):
            self.said.append(f"{category.__name__}: {message}")

    def check(self) -> None:
        """Raise WrongError where anything was said."""
        if self.said:
            said, self.said = self.said[0], []
            raise WrongError(f"warning: {said[:300]}")
        sys.stdout.flush()
        sys.stderr.flush()
        if os.fstat(self._file).st_size:
            written = os.pread(self._file, 300, 0).decode("utf-8", "replace")
            os.ftruncate(self._file, 0)
            os.lseek(self._file, 0, os.SEEK_SET)
            raise WrongError(f"output: {written!r}")


@contextlib.contextmanager
def _limited(memory_mb: int) -> Iterator[None]:
    """So much more memory, and no more."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + memory_mb * MEGABYTE, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def read_once(reader: Any, data: bytes, folder: Path, watch: Watch) -> bool:
    """Whether the input was read; False where it was refused as it should be.

    Raises WrongError for a refusal that is none, and whatever a reader should not raise.
    """
    try:
        reader.read(data, folder)
    except reader.refusal as error:
        line = str(error)
        if not line.strip() or len(line.splitlines()) != 1 or not line.isprintable():
            raise WrongError(
                f"refusal of {type(error).__name__} is not one line: {line[:300]!r}"
            ) from error
        if len(line) > 4000:
            raise WrongError(f"refusal of {len(line)} characters: {line[:300]}") from error
        if reader.named not in line:
            raise WrongError(f"refusal does not name {reader.named!r}: {line[:300]}") from error
        if _of_memory(error):
            raise WrongError(f"asked for too much memory: {line[:300]}") from error
        watch.check()
        return False
    watch.check()
    return True


def _of_memory(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, MemoryError) or "nsufficient memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _finding(reader: str, number: int, error: BaseException, file: str) -> Finding:
    """The error with the innermost lines of the package and of all."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [f for f in frames if "distortion_graph" in f.filename]
    place = " < ".join(dict.fromkeys(map(_named, [*frames[-1:], *ours[-1:]])))
    kind = type(error).__name__
    if isinstance(error, WrongError):
        kind = str(error).partition(":")[0]
        cause = traceback.extract_tb(error.__cause__.__traceback__) if error.__cause__ else []
        place = " < ".join(map(_named, cause[-1:]))
    return Finding(reader, number, kind, place, f"{error!s:.400}", file)


def _named(frame: traceback.FrameSummary) -> str:
    return f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"


def _slow(reader: Any, seconds: float) -> None:
    if seconds > reader.seconds:
        raise WrongError(f"slow: {seconds:.1f} s of CPU")


def run(job: Job, reader: Any, out: TextIO, at: mmap.mmap, folder: Path, watch: Watch) -> None:
    """Read all inputs of a job and tell of each kind of finding once."""
    tally, seen = Tally(job.reader), set[tuple[str, str]]()
    kept = [(path.name, path.read_bytes()) for path in reader.kept()]
    seeds = [*reader.seeds(), *(data for _, data in kept)]

    def inputs() -> Iterator[tuple[int, str, bytes]]:
        if job.only:
            yield from ((-1 - k, name, Path(name).read_bytes()) for k, name in enumerate(job.only))
            return
        if job.kept:
            yield from ((-1 - k, name, data) for k, (name, data) in enumerate(kept))
        for number in range(job.first, job.first + job.count):
            if time.monotonic() > end:
                return
            yield number, "", input_of(reader, seeds, job.seed, number)

    _say(out, {"job": job.reader})
    for data in seeds[:3]:  # what is loaded when it is first used counts for nobody
        with contextlib.suppress(Exception):
            reader.read(data, folder)
    with contextlib.suppress(WrongError):
        watch.check()
    start_rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    end, begun = time.monotonic() + job.seconds, time.process_time()
    with _limited(reader.memory_mb):
        for number, name, data in inputs():
            struct.pack_into("<q", at, 0, number)
            # Nobody handles these signals: they end the process even inside of a library.
            signal.setitimer(signal.ITIMER_PROF, 3 * reader.seconds)
            signal.setitimer(signal.ITIMER_REAL, 100 * reader.seconds)
            tally.inputs += 1
            before = time.process_time()
            try:
                done = read_once(reader, data, folder, watch)
                took = time.process_time() - before
                tally.slowest_s = max(tally.slowest_s, took)
                _slow(reader, took)
            except BaseException as error:
                if isinstance(error, KeyboardInterrupt):
                    raise
                found = _finding(job.reader, number, error, name)
                with contextlib.suppress(WrongError):
                    watch.check()
                if (found.kind, found.place) not in seen:
                    seen.add((found.kind, found.place))
                    _say(out, asdict(found))
                continue
            if done:
                tally.read += 1
            else:
                tally.refused += 1
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.setitimer(signal.ITIMER_REAL, 0)
    tally.cpu_s = time.process_time() - begun
    tally.peak_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start_rss) // 1024
    _say(out, {"done": asdict(tally)})


def _say(out: TextIO, value: Any) -> None:
    out.write(json.dumps(value) + "\n")
    out.flush()


def main() -> None:
    """Do the jobs of a file."""
    order = json.loads(Path(sys.argv[1]).read_text())
    out = os.fdopen(os.dup(1), "w")
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as name:
        watch = Watch(Path(name, "output"))
        from fuzz_readers import READERS

        with Path(order["place"]).open("r+b") as shared:
            at = mmap.mmap(shared.fileno(), 8)
            for job in order["jobs"]:
                folder = Path(name, job["reader"])
                folder.mkdir(exist_ok=True)
                try:
                    run(Job(**job), READERS[job["reader"]], out, at, folder, watch)
                except Exception:  # a mistake of the fuzzing itself
                    _say(out, {"broken": traceback.format_exc()})
                    raise


if __name__ == "__main__":
    main()
