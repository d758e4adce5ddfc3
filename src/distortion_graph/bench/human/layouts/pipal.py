"""PIPAL (Gu et al., ECCV 2020), the part whose scores are public.

    Train_Label/A0001.txt          A0001_00_00.bmp,1409.9
    Train_Ref/A0001.bmp
    Train_Dist/A0001_00_00.bmp     content, kind, number; or in Distortion_1 to Distortion_4

Scores are Elo ratings, higher is better, without fixed ends.
"""

from __future__ import annotations

from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.listing import Entry, Listing, known, number, read_text

LABELS = "Train_Label"
KINDS = {
    "00": "traditional",
    "01": "super-resolution, traditional",
    "02": "super-resolution, PSNR-oriented",
    "03": "super-resolution, kernel mismatch",
    "04": "super-resolution, GAN-based",
    "05": "denoised",
    "06": "super-resolution and denoised",
}


def read_pipal(folder: Path) -> Listing:
    """The lists of the set, a file per content."""
    labels = folder / LABELS
    lists = sorted(labels.glob("*.txt"))
    if not lists:
        raise DatasetError(f"{labels}: holds no list, expected {LABELS}/A0001.txt and others")
    entries = []
    for path in lists:
        for line, text in enumerate(read_text(path, "names and scores").splitlines(), start=1):
            where = f"{path}, line {line}"
            if not text.strip():
                continue
            name, comma, score = (part.strip() for part in text.partition(","))
            parts = name.partition(".")[0].split("_")
            if not comma or len(parts) != 3:
                raise DatasetError(
                    f"{where}: found {text[:60]!r}, expected a line such as A0001_00_00.bmp,1409.9"
                )
            kind = KINDS[known(parts[1], KINDS, "the kind", where)]
            value = number(score, "score", where)
            entries.append(Entry(where, f"{path.stem}.bmp", name, value, kind, path.stem))
    return Listing(labels, entries)
