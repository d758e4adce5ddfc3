"""CID22 (Sneyers, Ben Baruch, Vaxman, "AIC-3 contribution from Cloudinary: CID22", 2023).

    CID22_validation_set.csv    reference_img,distorted_img,encoder,setting,bpp,MCOS,RMOS,Elo,…

Names are paths below the folder of the validation set, which may lie beside the table. The mean
corrected opinion score (MCOS) goes from 0 to 100, higher is better. Rows of the encoder
`Reference` are the reference itself; they are passed over.
"""

from __future__ import annotations

from pathlib import Path

from distortion_graph.bench.human.listing import Entry, Listing, number, table_rows

LIST = "CID22_validation_set.csv"
COLUMNS = ("reference_img", "distorted_img", "encoder", "MCOS")
REFERENCE = "reference"


def read_cid22(folder: Path) -> Listing:
    """The list of the set."""
    path = folder / LIST
    entries = [
        Entry(
            where,
            row["reference_img"],
            row["distorted_img"],
            number(row["MCOS"], "MCOS", where),
            row["encoder"],
            row["reference_img"],
        )
        for where, row in table_rows(path, COLUMNS)
        if row["encoder"].lower() != REFERENCE
    ]
    return Listing(path, entries, scale=(0, 100))
