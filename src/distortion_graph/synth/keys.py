"""Random generators seeded by a key, so that a draw depends on what it is for and nothing else."""

from __future__ import annotations

import hashlib
import json

import numpy as np

KeyPart = str | int


def generator(*key: KeyPart) -> np.random.Generator:
    """A generator that is the same for the same key on any machine, process and order of work.

    The design's key of a degraded region is (seed, picture tag, version, region id).
    """
    digest = hashlib.sha256(json.dumps(key, ensure_ascii=False).encode()).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
