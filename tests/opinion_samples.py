"""A tiny set of pairs with opinions, for tests of several rooms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

CONTENTS, LEVELS = 3, 3


def write_opinions(folder: Path) -> Path:
    """Three clean pictures, three strengths of two kinds of noise each; more noise is worse."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(3)
    rows = ["reference,distorted,score,kind"]
    for content in range(CONTENTS):
        clean = rng.integers(40, 200, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(clean).save(folder / f"r{content}.png")
        for kind, scale in (("noise", 20), ("grain", 8)):
            for level in range(1, LEVELS + 1):
                noise = rng.normal(0, scale * level, clean.shape)
                name = f"{kind}{content}{level}.png"
                Image.fromarray(np.clip(clean + noise, 0, 255).astype(np.uint8)).save(folder / name)
                rows.append(f"r{content}.png,{name},{100 - scale * level},{kind}")
    (folder / "opinions.csv").write_text("\n".join(rows) + "\n")
    return folder
