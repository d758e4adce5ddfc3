"""Inputs that every command takes, how a run ended, and a disk that takes no more."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distortion_graph.cli.main import run

SIZE = (48, 64)

COMMANDS: dict[str, str] = {
    "compare": "compare a.png b.png --regions grid:2x2 --out OUT/g.json --overlay OUT/o.png "
    "--report OUT/r.html --map OUT/m.png",
    "rank": "rank a.png b.png --regions grid:2x2 --out OUT/r.json --report OUT/r.html",
    "report": "report g.json --out OUT/r.html",
    "draw": "draw g.json --overlay OUT/drawing.png",
    "csv": "convert g.json --to csv --out OUT/csv",
    "graphml": "convert g.json --to graphml --out OUT/x.graphml",
    "distort": "distort a.png --type noise --level 3 --out OUT/n.png",
    "batch": "batch A B --out OUT/run --workers 0 --quiet --regions grid:2x2",
    "check": "check A B --policy gate.yml --out OUT/gate --junit OUT/j.xml --sarif OUT/s.json "
    "--workers 0",
    "dataset build": "dataset build photos --split test --workers 0 --out OUT/set --quiet",
    "dataset pack": "dataset pack set --out OUT/shards",
    "dataset export-sft": "dataset export-sft set --split test --count 4 --out OUT/sft",
    "bench": "bench set --pairs hard --json OUT/b.json --markdown OUT/b.md",
    "serve-token": "serve-token ci --tokens OUT/tokens",
}
"""Every way of writing files that takes no training; OUT is a folder that is there."""

GOES_ON = {"batch", "check", "dataset build"}
"""They leave whole files behind, and a journal, so that the same command goes on."""


def photo(seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    blocks = rng.integers(30, 226, (SIZE[0] // 8, SIZE[1] // 8, 3))
    return np.kron(blocks, np.ones((8, 8, 1), int)).astype(np.uint8)


def make_inputs(folder: Path) -> None:
    """What COMMANDS name, in a folder."""
    clean = photo()
    noise = np.random.default_rng(1).normal(0, 60, clean.shape)
    noisy = np.clip(clean + noise, 0, 255).astype(np.uint8)
    for name in ("A", "B", "photos"):
        (folder / name).mkdir()
    for k in range(2):
        Image.fromarray(clean).save(folder / f"A/{k}.png")
        Image.fromarray(noisy).save(folder / f"B/{k}.png")
        Image.fromarray(photo(k)).save(folder / f"photos/{k}.png")
    Image.fromarray(clean).save(folder / "a.png")
    Image.fromarray(noisy).save(folder / "b.png")
    (folder / "gate.yml").write_text("comparison: {worst: slightly_worse}\n")
    with contextlib.chdir(folder):
        assert (
            run(
                ["compare", "a.png", "b.png", "--regions", "grid:2x2", "--out", "g.json", "--quiet"]
            )
            == 0
        )
        build = "dataset build photos --split test --workers 0 --out set --quiet"
        assert run(build.split()) == 0


def call(name: str, out: Path) -> int:
    """The exit code of a command that writes into `out`."""
    return run([part.replace("OUT", str(out)) for part in COMMANDS[name].split()])


def error_lines(err: str) -> list[str]:
    return [line for line in err.splitlines() if ": error: " in line]


def half_written(folder: Path) -> list[str]:
    """Temporary names below a folder."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    return [name for name in names if ".tmp" in name or "/." in f"/{name}"]


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes; the system refuses the write."""
    resource = pytest.importorskip("resource", reason="needs limits of POSIX")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@contextlib.contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write everywhere; act as nobody, whom permissions hold for."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)
