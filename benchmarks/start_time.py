"""How long the command line takes to start, beside importing what it cannot do without.

    python benchmarks/start_time.py [--runs 15]

In turn: Python that imports numpy, cv2, onnxruntime, pydantic and typer alone, `--help`, and
`compare` of the example pair with regions it finds itself and with the whole picture. Prints
medians of seconds by the clock and of all processors together, which say more on a busy machine,
and how many times the bare imports they are. Run it twice: the first run writes byte code, which
an installed package has, also where PYTHONDONTWRITEBYTECODE is set.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EXAMPLES = Path(__file__).parent.parent / "examples"
PAIR = [str(EXAMPLES / "anchor.png"), str(EXAMPLES / "target.png")]
PROGRAM = ["-m", "distortion_graph"]
BARE = "bare imports"
COMMANDS = {
    BARE: ["-c", "import numpy, cv2, onnxruntime, pydantic, typer"],
    "--help": [*PROGRAM, "--help"],
    "compare a b": [*PROGRAM, "compare", *PAIR],
    "compare a b --regions whole": [*PROGRAM, "compare", *PAIR, "--regions", "whole"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=15, help="of each command")
    runs = parser.parse_args().runs
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(runs):
            for name, words in COMMANDS.items():
                found[name].append(seconds_of(words, folder))
    medians = {
        name: [statistics.median(column) for column in zip(*times, strict=True)]
        for name, times in found.items()
    }
    print(f"{'':30} {'clock':>9}{'times':>7} {'processors':>11}{'times':>7}")
    for name, (clock, processors) in medians.items():
        times = [part / bare for part, bare in zip((clock, processors), medians[BARE], strict=True)]
        print(f"{name:30} {clock:7.3f} s{times[0]:7.2f} {processors:9.3f} s{times[1]:7.2f}")


def seconds_of(words: list[str], folder: str) -> tuple[float, float]:
    """Of one run of Python with these words: by the clock, and of all processors together."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, *words]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    clock, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
