"""KonJND-1k (Lin et al., IEEE Transactions on Circuits and Systems for Video Technology 32, 2022).

    subjective_ratings.csv      image_id,Compression type,No. of ratings,mean,std,ratings
    source_image/SRC0001.png
    jpeg/SRC0001_JPEG_041.jpg   so is bpg/SRC0001_BPG_030.png; the number is the level of distortion

The ratings are a list of levels, one per person: the lowest at which that person sees a difference.
So a version's opinion is the share of people who do not see one (the satisfied user ratio). Taken
are the levels that 10, 25, 50, 75 and 90 % of the people see.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.listing import Entry, Listing, Row, known, table_rows

LIST = "subjective_ratings.csv"
COLUMNS = ("image_id", "Compression type", "ratings")
CODECS = {"JPEG": ("jpeg", "jpg", 100), "BPG": ("bpg", "png", 51)}
"""Codec → folder and suffix of its pictures, and the highest level."""
SEEN_BY = (0.1, 0.25, 0.5, 0.75, 0.9)


def read_konjnd(folder: Path) -> Listing:
    """The list of the set, with up to five levels of each picture and codec."""
    path = folder / LIST
    entries = [
        entry for where, row in table_rows(path, COLUMNS) for entry in _levels_of(row, where)
    ]
    return Listing(path, entries, scale=(0, 1))


def _levels_of(row: Row, where: str) -> Iterator[Entry]:
    codec = known(row["Compression type"], CODECS, "Compression type", where)
    place, suffix, highest = CODECS[codec]
    thresholds = _ratings(row["ratings"], where)
    levels = np.quantile(thresholds, SEEN_BY, method="inverted_cdf").clip(1, highest)
    name, content = row["image_id"], Path(row["image_id"]).stem
    for level in np.unique(levels).tolist():
        distorted = f"{place}/{content}_{codec}_{level:03d}.{suffix}"
        unseen = float(np.mean(thresholds > level))
        yield Entry(where, f"source_image/{name}", distorted, unseen, codec, content)


def _ratings(text: str, where: str) -> NDArray[np.int64]:
    """The levels from which on people see a difference."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        values = None
    whole = isinstance(values, list) and all(type(value) is int for value in values)
    if not values or not whole:
        raise DatasetError(f"{where}: ratings are {text[:60]!r}, expected a list of whole numbers")
    return np.array(values, np.int64)
