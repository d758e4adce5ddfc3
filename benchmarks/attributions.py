"""Say who made the photographs that a model was trained on, and count them for its card.

    python benchmarks/attributions.py free/index.csv src/distortion_graph/weights/ATTRIBUTIONS.csv

INDEX is a table with a row for each picture: file, source (`github:ACCOUNT/NAME`, or another
collection), version, path, author, licence, licence_evidence and processing. Written is a table
with what an attribution needs; printed are the counts by licence and by source, in Markdown. A
picture without an author or a licence, or one whose licence does not allow every use, ends the
script.
"""

from __future__ import annotations

import argparse
import csv
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from distortion_graph.base.files import atomic_write_text

COLUMNS = ("picture", "author", "licence", "stated_in", "changes")
ANY_USE = ("Public domain", "CC0-1.0", "CC-BY", "BSD-2-Clause")
"""What the name of a licence that allows every use begins with."""
_NOT_ANY = ("-NC", "-ND", "-SA")


def attribution(row: Mapping[str, str]) -> dict[str, str]:
    """A row of the index as a row of the written table."""
    author, licence = row["author"].strip(), row["licence"].strip()
    allowed = licence.startswith(ANY_USE) and not any(part in licence for part in _NOT_ANY)
    if not author or not allowed:
        raise SystemExit(
            f"{row['file']}: author {author!r}, licence {licence!r}; expected an author and one of "
            f"{', '.join(ANY_USE)}"
        )
    values = (place(row), author, licence, row["licence_evidence"], row["processing"])
    return dict(zip(COLUMNS, values, strict=True))


def place(row: Mapping[str, str]) -> str:
    """Where a picture is: an address for one on GitHub, else collection, version and path."""
    kind, _, name = row["source"].partition(":")
    if kind == "github":
        return f"https://github.com/{name}/blob/{row['version']}/{quote(row['path'])}"
    return f"{row['source']} {row['version']}: {row['path']}"


def counts(title: str, values: Iterable[str]) -> Iterator[str]:
    """A Markdown table of how often each value is there, the commonest first."""
    yield from (f"| {title} | photographs |", "|---|---|")
    for value, number in sorted(Counter(values).items(), key=lambda item: (-item[1], item[0])):
        yield f"| {value} | {number} |"


def main() -> None:
    """See the head of this file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("index", type=Path)
    parser.add_argument("out", type=Path, help="the table to write")
    options = parser.parse_args()
    with options.index.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    made = [attribution(row) for row in rows]
    text = io.StringIO()
    table = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    table.writeheader()
    table.writerows(made)
    atomic_write_text(options.out, text.getvalue())
    print(*counts("licence", (row["licence"] for row in made)), sep="\n", end="\n\n")
    print(*counts("source", (row["source"] for row in rows)), sep="\n")


if __name__ == "__main__":
    main()
