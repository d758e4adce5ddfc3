"""Writes the valid files that fuzzing begins with to `corpus/`: all small, all made here.

    python tests/fuzz/fuzz_seeds.py

Files of the corpus that are not made here, inputs that once broke something, stay.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fuzz_base import CORPUS

sys.path.insert(0, str(Path(__file__).parents[1]))

from fuzz_seed_data import bodies, data_sets, graphs, models, moving, replies, settings
from fuzz_seed_pictures import masks, pictures, region_files


def main() -> None:
    """Write all of them."""
    for make in (
        pictures,
        masks,
        region_files,
        graphs,
        data_sets,
        settings,
        replies,
        models,
        moving,
        bodies,
    ):
        for name, data in make():
            path = CORPUS / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    sizes = [path.stat().st_size for path in CORPUS.rglob("*") if path.is_file()]
    print(f"{len(sizes)} files, {sum(sizes)} bytes")


if __name__ == "__main__":
    main()
