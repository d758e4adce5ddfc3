"""How a run of the command line ended, and the pictures it ran on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIZE = (48, 64)


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    code: int
    out: str
    err: str

    @property
    def refusal(self):
        """The one line of a refused input, without what every such line begins with."""
        assert (self.code, self.out) == (2, ""), (self.code, self.out, self.err)
        assert self.err.endswith("\n") and self.err.count("\n") == 1, self.err
        start = "distortion-graph: error: "
        assert self.err.startswith(start), self.err
        return self.err[len(start) : -1]


def photo(seed=0, size=SIZE):
    rng = np.random.default_rng(seed)
    h, w = size
    blocks = rng.integers(30, 226, (h // 8 + 1, w // 8 + 1, 3))
    return np.kron(blocks, np.ones((8, 8, 1), int))[:h, :w].astype(np.uint8)


def contents(folder):
    """Every file of a folder with its bytes."""
    return {p.name: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
