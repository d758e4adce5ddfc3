"""Workers that read fuzzed inputs, watched: one that dies is told of and another one goes on."""

from __future__ import annotations

import json
import mmap
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from fuzz_worker import Finding, Job, Tally

_WORKER = Path(__file__).with_name("fuzz_worker.py")
_MOST_DEATHS = 20


def fuzz(
    jobs: Sequence[Job], told: Callable[[str], object] = lambda line: None
) -> Iterator[Finding | Tally]:
    """Do the jobs in order; of a job whose inputs killed a worker there are several tallies."""
    left, deaths = list(jobs), 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "place")
        place.write_bytes(struct.pack("<q", 0))
        while left:
            for answer in _run(left, Path(name)):
                if isinstance(answer, int):  # the worker died
                    with place.open("rb") as shared:
                        (number,) = struct.unpack(
                            "<q", mmap.mmap(shared.fileno(), 8, access=mmap.ACCESS_READ)[:8]
                        )
                    job, deaths = left[0], deaths + 1
                    cause = signal.Signals(-answer).name if answer < 0 else f"exit {answer}"
                    yield Finding(
                        job.reader, number, "died", cause, f"the process ended by {cause}"
                    )
                    if deaths > _MOST_DEATHS:
                        return
                    # What is kept is read first, so a file of it that kills is met once.
                    after = max(number + 1, job.first)
                    left[0] = replace(
                        job, first=after, count=job.first + job.count - after, kept=False
                    )
                elif isinstance(answer, Tally):
                    left.pop(0)
                    yield answer
                else:
                    yield answer


def _run(jobs: Sequence[Job], folder: Path) -> Iterator[Finding | Tally | int]:
    order = {"place": str(folder / "place"), "jobs": [asdict(job) for job in jobs]}
    (folder / "jobs.json").write_text(json.dumps(order))
    command = [sys.executable, "-X", "faulthandler=0", str(_WORKER), str(folder / "jobs.json")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        done = 0
        try:
            for line in worker.stdout:
                value: Any = json.loads(line)
                if "broken" in value:
                    raise RuntimeError(value["broken"])
                if "done" in value:
                    done += 1
                    yield Tally(**value["done"])
                elif "kind" in value:
                    yield Finding(**value)
        except BaseException:
            worker.kill()
            raise
    if done < len(jobs):
        yield worker.returncode
