"""Pairs of a list: CSV, JSON lines or Parquet, one row per pair.

The columns `anchor` and `target` must be there; `id`, `reference` and `regions` may be. All others
are carried through to the results. Relative paths count from the list's own folder.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any

from distortion_graph.base.errors import BatchError
from distortion_graph.batch.pairs import GIVEN, Cell, PairTask, checked
from distortion_graph.batch.storage import is_url, joined, parent, read_list

_NEEDED = ("anchor", "target")


def read_manifest(name: str) -> list[PairTask]:
    """The pairs of a list, in its order; pairs without an id are numbered from 1.

    Raises BatchError, one line, for a file of another kind, missing or double columns, an empty or
    wrong cell, and ids that occur twice.
    """
    suffix = PurePosixPath(name).suffix.lower()
    data = read_list(name)
    match suffix:
        case ".csv" | ".tsv":
            rows = _csv_rows(data, name, "\t" if suffix == ".tsv" else ",")
        case ".jsonl" | ".ndjson":
            rows = _json_rows(data, name)
        case ".parquet" | ".pq":
            rows = _parquet_rows(data, name)
        case _:
            raise BatchError(
                f"{name}: found {suffix or 'no suffix'}, expected a list of pairs as .csv, .tsv, "
                ".jsonl or .parquet"
            )
    folder = parent(name)
    pairs = [_pair(row, number, name, folder) for number, row in enumerate(rows, start=1)]
    return list(checked(pairs, name))


def _pair(row: Mapping[str, Cell], number: int, name: str, folder: str) -> PairTask:
    where = f"{name}: row {number}"
    paths = {key: _text(row, key, where) for key in ("anchor", "target", "reference")}
    for key in _NEEDED:
        if paths[key] is None:
            raise BatchError(f"{where}: {key} is empty, expected a path or URL")
    given_id = row.get("id")
    if isinstance(given_id, float | bool):
        raise BatchError(f"{where}: id is {given_id!r}, expected text or a whole number")
    placed = {key: path and joined(folder, path) for key, path in paths.items()}
    return PairTask(
        str(number) if given_id in (None, "") else str(given_id),
        placed["anchor"] or "",
        placed["target"] or "",
        placed["reference"],
        _regions(_text(row, "regions", where), folder),
        {key: value for key, value in row.items() if key not in GIVEN},
    )


def _regions(spec: str | None, folder: str) -> str | None:
    """A region spec; one that is the name of a file counts from the list's folder as well."""
    if spec is None or ":" in spec or "," in spec or "." not in spec or is_url(spec):
        return spec
    return joined(folder, spec)


def _text(row: Mapping[str, Cell], key: str, where: str) -> str | None:
    value = row.get(key)
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise BatchError(f"{where}: {key} is {value!r:.60}, expected a path or URL")
    return value


def _columns(names: Sequence[str | None], name: str) -> list[str]:
    """Names of columns, each once, those that are needed among them."""
    found: list[str] = []
    for number, column in enumerate(names, start=1):
        title = (column or "").strip()
        if not title:
            raise BatchError(f"{name}: column {number} has no name, expected one in the first row")
        if title in found:
            raise BatchError(f"{name}: two columns are called {title!r}, expected each once")
        found.append(title)
    for needed in _NEEDED:
        if needed not in found:
            near = get_close_matches(needed, found, n=1)
            hint = f"; is it {near[0]!r}?" if near else ""
            raise BatchError(
                f"{name}: no column {needed!r} (found {', '.join(map(repr, found))}){hint}"
            )
    return found


def _csv_rows(data: bytes, name: str, separator: str) -> Iterator[dict[str, Cell]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BatchError(f"{name}: not UTF-8 text at byte {error.start}") from error
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        head = next(lines, None)
        if head is None:
            raise BatchError(f"{name}: empty, expected a first row with the names of columns")
        columns = _columns(head, name)
        for cells in lines:
            if not cells:
                continue
            if len(cells) != len(columns):
                raise BatchError(
                    f"{name}: line {lines.line_num} has {len(cells)} cells, expected "
                    f"{len(columns)} as in the first row"
                )
            yield dict(zip(columns, cells, strict=True))
    except csv.Error as error:
        raise BatchError(f"{name}: line {lines.line_num}: {error}") from error


def _json_rows(data: bytes, name: str) -> Iterator[dict[str, Cell]]:
    for number, line in enumerate(data.splitlines(), start=1):
        if not line.strip():
            continue
        where = f"{name}: line {number}"
        try:
            value = json.loads(line, object_pairs_hook=_each_once)
        except (ValueError, RecursionError) as error:
            raise BatchError(f"{where}: {error}, expected a JSON object") from error
        if not isinstance(value, dict):
            raise BatchError(f"{where}: found {type(value).__name__}, expected a JSON object")
        _columns(list(value), where)
        yield {key: _cell(cell, f"{where}: {key}") for key, cell in value.items()}


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice")
    return found


def _parquet_rows(data: bytes, name: str) -> Iterator[dict[str, Cell]]:
    if find_spec("pyarrow") is None:
        raise BatchError(
            f"{name}: Parquet needs pyarrow, not installed: pip install 'distortion-graph[batch]'"
        )
    import pyarrow
    from pyarrow import parquet

    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        _columns(file.schema_arrow.names, name)
        rows = (row for batch in file.iter_batches() for row in batch.to_pylist())
        for number, row in enumerate(rows, start=1):
            yield {key: _cell(cell, f"{name}: row {number}: {key}") for key, cell in row.items()}
    except BatchError:
        raise
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        raise BatchError(f"{name}: cannot be read as Parquet ({error!s:.120})") from error


def _cell(value: Any, where: str) -> Cell:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)  # Arrow's whole numbers have 64 bits
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise BatchError(
        f"{where} is {type(value).__name__}, expected text, a number, true, false or null"
    )
