"""CSIQ (Larson and Chandler, Journal of Electronic Imaging 19(1), 2010).

    csiq.DMOS.csv                   image, dst_type, dst_lev, dmos: the sheet all_by_image
    src_imgs/1600.png
    dst_imgs/awgn/1600.AWGN.1.png

The owners distribute the scores as a workbook, csiq.DMOS.xlsx, of which a spreadsheet program saves
the sheet as CSV. Pictures are found by their names, in whatever folders they lie. DMOS goes from 0
to 1, higher is worse.
"""

from __future__ import annotations

from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.listing import Entry, Listing, known, number, table_rows

LIST = "csiq.DMOS.csv"
WORKBOOK = "csiq.DMOS.xlsx"
SHEET = "all_by_image"
COLUMNS = ("image", "dst_type", "dst_lev", "dmos")
KINDS = {
    "noise": "AWGN",
    "blur": "BLUR",
    "contrast": "contrast",
    "fnoise": "fnoise",
    "jpeg": "JPEG",
    "jpeg 2000": "jpeg2000",
}
"""The sheet's words for kinds → those in the pictures' names."""


def read_csiq(folder: Path) -> Listing:
    """The list of the set."""
    path = folder / LIST
    if not path.is_file() and (folder / WORKBOOK).is_file():
        raise DatasetError(
            f"{folder / WORKBOOK}: workbooks are not read; open it, and save its sheet {SHEET} as "
            f"CSV with commas, {LIST} beside it"
        )
    entries = []
    for where, row in table_rows(path, COLUMNS):
        kind = known(row["dst_type"].lower(), KINDS, "dst_type", where)
        level = f"{number(row['dst_lev'], 'dst_lev', where):g}"
        distorted = f"{row['image']}.{KINDS[kind]}.{level}.png"
        score = number(row["dmos"], "dmos", where)
        entries.append(Entry(where, f"{row['image']}.png", distorted, score, kind, row["image"]))
    return Listing(path, entries, scale=(1, 0))
