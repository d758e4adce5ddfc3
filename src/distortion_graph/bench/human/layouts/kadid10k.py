"""KADID-10k (Lin, Hosu, Saupe, QoMEX 2019).

    dmos.csv                 dist_img,ref_img,dmos,var
    images/I01.png
    images/I01_01_01.png     content, kind, level

In spite of its name `dmos` rises with quality, from 1 to 5.
"""

from __future__ import annotations

from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.listing import Entry, Listing, number, table_rows

LIST = "dmos.csv"
COLUMNS = ("dist_img", "ref_img", "dmos")
KINDS = (
    "gaussian blur",
    "lens blur",
    "motion blur",
    "colour diffusion",
    "colour shift",
    "colour quantisation",
    "saturation in HSV",
    "saturation in Lab",
    "jpeg 2000",
    "jpeg",
    "white noise",
    "white noise in colour",
    "impulse noise",
    "multiplicative noise",
    "denoised",
    "brighten",
    "darken",
    "mean shift",
    "jitter",
    "patches moved",
    "pixelate",
    "quantisation",
    "colour blocks",
    "sharpening",
    "contrast",
)


def read_kadid10k(folder: Path) -> Listing:
    """The list of the set."""
    path = folder / LIST
    entries = []
    for where, row in table_rows(path, COLUMNS):
        parts = row["dist_img"].partition(".")[0].split("_")
        if len(parts) != 3 or parts[1] not in _NUMBERS:
            raise DatasetError(
                f"{where}: dist_img is {row['dist_img']!r}, expected a name such as I01_08_03.png"
            )
        score = number(row["dmos"], "dmos", where)
        reference, distorted = (f"images/{row[name]}" for name in ("ref_img", "dist_img"))
        entries.append(
            Entry(where, reference, distorted, score, _NUMBERS[parts[1]], row["ref_img"])
        )
    return Listing(path, entries, scale=(1, 5))


_NUMBERS = {f"{number:02d}": kind for number, kind in enumerate(KINDS, start=1)}
