"""Fuzzing by coverage: inputs that went a new way through the package are changed further.

    python tests/fuzz/fuzz_guided.py READER FOLDER SECONDS INPUTS

is one reader's run of atheris (libFuzzer), as `fuzz_campaign.py --guided` starts it.
`FOLDER/corpus` grows by every input that went a new way, `FOLDER/crash-…` is one that ended the
process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fuzz_readers import Reader
    from fuzz_worker import Finding, Tally


def guided_inputs(reader: Reader, arguments: Namespace) -> Iterator[Finding | Tally]:
    """Run atheris, then read all that it kept as the other campaign reads its inputs."""
    from fuzz_parent import fuzz
    from fuzz_worker import Job

    place = arguments.out / "guided" / reader.name
    corpus = place / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, reader.name, str(place)]
    command += [str(min(arguments.seconds, 10**7)), str(arguments.inputs)]
    with (place / "log.txt").open("wb") as log:
        subprocess.run(command, stdout=log, stderr=log, check=False)
    kept = [*corpus.iterdir(), *place.glob("crash-*"), *place.glob("wrong-*")]
    kept += [*place.glob("timeout-*"), *place.glob("oom-*")]
    yield from fuzz([Job(reader.name, only=tuple(sorted(map(str, kept))))])


def main() -> None:
    """Fuzz one reader until libFuzzer ends the process."""
    import atheris

    sys.path.insert(0, str(Path(__file__).parent))
    with atheris.instrument_imports(include=["distortion_graph"]):
        from fuzz_readers import READERS
    name, place, seconds, inputs = sys.argv[1], Path(sys.argv[2]), sys.argv[3], sys.argv[4]
    reader = READERS[name]
    seeds = [*reader.seeds(), *(path.read_bytes() for path in reader.kept())]
    for number, data in enumerate(seeds):
        (place / "corpus" / f"seed-{number}").write_bytes(data)
    seen: set[tuple[str, int]] = set()
    folder = TemporaryDirectory()

    def changed(data: bytes, most: int, seed: int) -> bytes:
        return reader.mutate(Random(seed), [data, *seeds] if seed % 8 == 0 else [data])[:most]

    def read(data: bytes) -> None:
        try:
            reader.read(data, Path(folder.name))
        except reader.refusal:
            pass
        except Exception as error:  # told of by the process that reads what is kept
            last: Any = error.__traceback__
            while last.tb_next:
                last = last.tb_next
            where = last.tb_frame.f_code.co_filename, last.tb_lineno
            if where not in seen:
                seen.add(where)
                (place / f"wrong-{len(seen)}").write_bytes(data)

    for data in seeds:  # so that what is imported when it is needed is instrumented too
        with atheris.instrument_imports(include=["distortion_graph"]):
            read(data)
    options = [f"-max_total_time={int(float(seconds))}", f"-runs={inputs}", "-max_len=65536"]
    options += [f"-artifact_prefix={place}{os.sep}", "-rss_limit_mb=4096", "-timeout=120"]
    atheris.Setup([sys.argv[0], *options, str(place / "corpus")], read, custom_mutator=changed)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
