"""What readers under fuzzing have in common: the corpus, and what is checked."""

from __future__ import annotations

from functools import cache
from pathlib import Path

CORPUS = Path(__file__).with_name("corpus")
"""By reader: valid files of ours, and inputs that once broke something."""
H, W = 12, 16
"""Of the pictures in the corpus."""


def expect(holds: bool, what: str) -> None:
    if not holds:
        raise AssertionError(what)


def kept_file(reader: str, name: str) -> bytes:
    return _bytes_of(CORPUS / reader / name)


@cache
def _bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
