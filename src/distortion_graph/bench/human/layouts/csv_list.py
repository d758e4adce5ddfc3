"""Any other set: a table of pairs in `opinions.csv`.

    reference,distorted,score,kind
    ref_01.png,01_blur_1.png,6.2,blur

Names are paths below the folder. `kind` may be missing; pairs with one reference are one content.
"""

from __future__ import annotations

from pathlib import Path

from distortion_graph.bench.human.listing import Entry, Listing, number, table_rows

LIST = "opinions.csv"
COLUMNS = ("reference", "distorted", "score")


def read_csv_list(folder: Path, *, higher_is_worse: bool = False) -> Listing:
    """The list of a folder; the worst score in it becomes the opinion 0 and the best one 1."""
    path = folder / LIST
    entries = [
        Entry(
            where,
            row["reference"],
            row["distorted"],
            number(row["score"], "score", where),
            row.get("kind", ""),
            row["reference"],
        )
        for where, row in table_rows(path, COLUMNS)
    ]
    return Listing(path, entries, higher_is_worse=higher_is_worse)
