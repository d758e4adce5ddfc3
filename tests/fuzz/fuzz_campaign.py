"""Fuzzes readers for as long as one likes, and keeps every input that one of them fell over.

    python tests/fuzz/fuzz_campaign.py                         100 000 inputs for every reader
    python tests/fuzz/fuzz_campaign.py --inputs 2000 svg cvat  fewer, for some of them
    python tests/fuzz/fuzz_campaign.py --seconds 600           ten minutes at most for each
    python tests/fuzz/fuzz_campaign.py --guided --seconds 600  by coverage; needs atheris

Inputs that were found are written to `--out`, one for each place, and the exit status is 1. Moved
to tests/fuzz/corpus/READER/ an input is read by the suite from then on.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from fuzz_parent import fuzz
from fuzz_readers import READERS, Reader
from fuzz_worker import Finding, Job, Tally, input_of

_OUT = Path("runs/fuzz")


def found(finding: Finding, seed: int, out: Path) -> Path | None:
    """Where the input of a finding is kept now; None where it is in the corpus already."""
    if finding.number < 0:
        return None
    reader = READERS[finding.reader]
    seeds = [*reader.seeds(), *(path.read_bytes() for path in reader.kept())]
    data = input_of(reader, seeds, seed, finding.number)
    place = out / finding.reader / hashlib.sha256(data).hexdigest()[:12]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return place


def random_inputs(reader: Reader, arguments: argparse.Namespace) -> Iterator[Finding | Tally]:
    """Inputs that are made of valid files, whatever the reader does with them."""
    job = Job(reader.name, arguments.seed, arguments.first, arguments.inputs, arguments.seconds)
    yield from fuzz([job])


def main() -> int:
    """Fuzz what the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("readers", nargs="*", help=f"by default all: {', '.join(READERS)}")
    parser.add_argument("--inputs", type=int, default=100_000, help="for each reader")
    parser.add_argument("--seconds", type=float, default=1e9, help="at most, for each reader")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--out", type=Path, default=_OUT)
    parser.add_argument("--guided", action="store_true", help="look for inputs that go new ways")
    arguments = parser.parse_args()
    if unknown := set(arguments.readers) - set(READERS):
        parser.error(f"no reader {', '.join(sorted(unknown))}; there are {', '.join(READERS)}")
    if arguments.guided and find_spec("atheris") is None:
        parser.error("--guided needs atheris: pip install atheris")
    if hasattr(os, "nice"):
        os.nice(19)
    wrong = 0
    print("| reader | inputs | read | refused | findings | slowest | memory | CPU | seconds |")
    print("|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in arguments.readers or READERS:
        reader = READERS[name]
        if reader.needs and find_spec(reader.needs) is None:
            print(f"| {name} | not there: {reader.needs} | | | | | | | |", flush=True)
            continue
        if arguments.guided:
            from fuzz_guided import guided_inputs as inputs
        else:
            inputs = random_inputs
        start, tallies, findings = time.monotonic(), [], []
        for answer in inputs(reader, arguments):
            if isinstance(answer, Tally):
                tallies.append(answer)
                continue
            findings.append(answer)
            place = found(answer, arguments.seed, arguments.out) if not answer.file else answer.file
            print(json.dumps({**vars(answer), "kept": str(place)}), file=sys.stderr, flush=True)
        read, refused = (sum(getattr(t, what) for t in tallies) for what in ("read", "refused"))
        slowest = max((t.slowest_s for t in tallies), default=0.0)
        memory = max((t.peak_mb for t in tallies), default=0)
        cpu = sum(t.cpu_s for t in tallies)
        print(
            f"| {name} | {sum(t.inputs for t in tallies)} | {read} | {refused} | {len(findings)} | "
            f"{slowest:.2f} s | {memory} MB | {cpu:.1f} s | "
            f"{time.monotonic() - start:.0f} |",
            flush=True,
        )
        wrong += len(findings)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
