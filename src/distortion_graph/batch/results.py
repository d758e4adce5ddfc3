"""The folder of a batch's results: parts of two tables, a journal, and what the run was.

    out/batch.json                        what was compared and how, versions, totals
    out/pairs/part-00000.parquet          a row per pair
    out/regions/part-00000.parquet        a row per region
    out/graphs/ID.json, out/reports/ID.html   where they were asked for
    out/journal.jsonl                     only while the run is not complete

A part holds a fixed number of pairs in their order, so the parts do not depend on how often a run
was stopped. A part counts when the journal has it: its files are written before.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from distortion_graph.base.errors import BatchError
from distortion_graph.base.files import atomic_write_bytes
from distortion_graph.batch.rows import REGION_COLUMNS, Row, arrow_table
from distortion_graph.work.journal import Journal

if TYPE_CHECKING:
    import pyarrow

MANIFEST_FILE = "batch.json"
JOURNAL_FILE = "journal.jsonl"
TABLES = ("pairs", "regions")
PART = "part"
_FORM = "distortion-graph batch journal 1"


def open_journal(out: Path) -> Journal:
    """The journal of a run into this folder; raises WorkError where another one writes there."""
    return Journal(
        out / JOURNAL_FILE, _FORM, named="number", advice="choose a new folder for --out"
    )


def part_path(out: Path, table: str, number: int) -> Path:
    """Where a part of a table is."""
    return out / table / f"part-{number:05d}.parquet"


def write_part(
    out: Path,
    number: int,
    pairs: Sequence[Row],
    regions: Sequence[Row],
    columns: Mapping[str, type],
    region_columns: Mapping[str, type] = REGION_COLUMNS,
) -> None:
    """Write a part of both tables, each file whole or not at all; raises OutputError."""
    for table, rows, kinds in (("pairs", pairs, columns), ("regions", regions, region_columns)):
        atomic_write_bytes(part_path(out, table, number), parquet_bytes(rows, kinds))


def parquet_bytes(rows: Sequence[Row], columns: Mapping[str, type]) -> bytes:
    """Rows as the bytes of a Parquet file."""
    from pyarrow import parquet

    memory = io.BytesIO()
    parquet.write_table(arrow_table(rows, columns), memory, compression="zstd")
    return memory.getvalue()


def read_table(out: Path, table: str, columns: Sequence[str] | None = None) -> pyarrow.Table:
    """A whole table of results, or some of its columns; raises BatchError where there is none."""
    import pyarrow
    from pyarrow import parquet

    paths = part_paths(out, table)
    try:
        return pyarrow.concat_tables([parquet.read_table(path, columns=columns) for path in paths])
    except (OSError, pyarrow.ArrowException) as error:
        raise BatchError(f"{out / table}: cannot be read ({error!s:.160})") from error


def part_rows(out: Path, table: str, columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of a table one by one, in their order, a part at a time."""
    from pyarrow import parquet

    for path in part_paths(out, table):
        rows: list[dict[str, Any]] = parquet.read_table(path, columns=columns).to_pylist()
        yield from rows


def part_paths(out: Path, table: str) -> list[Path]:
    """The parts of a table in their order; raises BatchError where there is none."""
    paths = sorted((out / table).glob("part-*.parquet"))
    if not paths:
        raise BatchError(f"{out}: no parts of a table {table!r}, expected the folder of a batch")
    return paths
