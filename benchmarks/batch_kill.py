"""Whether a batch that is killed again and again gives what an undisturbed one gives.

    python benchmarks/batch_kill.py [--pairs N] [--kills N] [--seed N]

`kill -9` at random moments: of all its processes, and every second time of the first one alone,
whose workers then have to end by themselves. The same command is started again each time. Every
file of the results is compared to the byte with those of a run that nobody has killed. A run that
is done before it was killed often enough is compared, and another one begun.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import tempfile
import time
from pathlib import Path

import psutil
from batch_pairs import command, write_pairs

PART = "20"
SIZE = (48, 64)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=1600)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    rng = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        listed = write_pairs(folder / "in", options.pairs, size=SIZE, grid=(1, 2))
        (folder / "in" / "7b.jpg").write_bytes(b"no picture")
        how = ("--workers", "2", "--align", "none", "--graphs", "--part-pairs", PART)
        start = time.monotonic()
        subprocess.run(command(listed, folder / "whole", *how), check=True)
        whole = time.monotonic() - start
        expected = contents(folder / "whole")
        kills = runs = 0
        parts: list[int] = []
        while kills < options.kills:
            runs += 1
            out = folder / f"killed{runs}"
            done = False
            while not done and kills < options.kills:
                done = killed(command(listed, out, *how), rng.uniform(0, whole / 3), kills % 2 == 1)
                kills += not done
                parts.append(len(list((out / "regions").glob("part-*.parquet"))))
            if not done:
                subprocess.run(command(listed, out, *how), check=True)
            found = contents(out)
            if found != expected:
                names = [n for n in {**found, **expected} if found.get(n) != expected.get(n)]
                raise SystemExit(f"run {runs} differs from the one that was not killed: {names}")
    print(
        f"{options.pairs} pairs, {len(expected)} files, killed {kills} times in {runs} runs, with "
        f"{parts} parts of {-(-options.pairs // int(PART))} done: all files are the same"
    )


def killed(arguments: list[str], seconds: float, first_alone: bool) -> bool:
    """Start it and kill it after so long; whether it was done before."""
    process = subprocess.Popen(arguments, start_new_session=True)
    try:
        if code := process.wait(seconds):
            raise SystemExit(f"the batch ended with {code}")
        return True
    except subprocess.TimeoutExpired:
        workers = psutil.Process(process.pid).children(recursive=True)
        if first_alone:
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if psutil.wait_procs(workers, timeout=120)[1]:
            raise SystemExit("workers of a killed batch live on") from None
        return False


def contents(folder: Path) -> dict[str, bytes]:
    """All but what a killed process was about to write, which has a hidden name."""
    files = (path for path in folder.rglob("[!.]*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


if __name__ == "__main__":
    main()
