"""Small sources of clean pictures for builds, and roots as values to compare."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
from PIL import Image

TYPES = ("blur", "noise", "compression")
"""As few as still have draws of every kind."""


def photo(seed, size=(48, 64)):
    """Blocks and a gradient: structure at several sizes, different for every seed."""
    rng = np.random.default_rng(seed)
    h, w = size
    blocks = rng.integers(20, 200, (h // 8 + 1, w // 8 + 1, 3))
    picture = np.kron(blocks, np.ones((8, 8, 1), int))[:h, :w]
    return (picture + np.linspace(0, 50, w, dtype=int)[None, :, None]).astype(np.uint8)


def quarters(size=(48, 64)):
    """A label map of regions 1, 2, 5 and a strip without any."""
    h, w = size
    labels = np.ones(size, np.uint8)
    labels[:, w // 2 :] = 2
    labels[h // 2 :, : w // 2] = 5
    labels[-4:] = 0
    return labels


def make_source(folder: Path, names, size=(48, 64)):
    """`folder` with images/ and regions/ of so many different pictures."""
    for part in ("images", "regions"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name in names:
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        Image.fromarray(photo(seed, size)).save(folder / "images" / f"{name}.png")
        Image.fromarray(quarters(size)).save(folder / "regions" / f"{name}.png")
    return folder


def contents_of(root: Path):
    """Digest of every file of a root by its name, and every folder."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(root.rglob("*"))
    }
