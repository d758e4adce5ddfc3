"""Nodes and edges as tables: CSV, Parquet, pandas.

The columns are the facts of `flat`; a map has a column per label, such as
`severity_probabilities.minor`, or per metric, such as `more.flip`. A graph's columns follow from
its vocabulary and its metrics, so tables of several graphs can be stacked. Model, pictures,
vocabulary and what the metrics are do not stand in them.
"""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from distortion_graph.base.errors import OutputError
from distortion_graph.formats.flat import EDGE_FACTS, NODE_FACTS, Row, edge_rows, node_rows
from distortion_graph.graph import DistortionGraph

if TYPE_CHECKING:
    import pandas

TableName: TypeAlias = Literal["nodes", "edges"]
TABLES: tuple[TableName, TableName] = ("nodes", "edges")
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


@dataclass(frozen=True)
class Table:
    """Columns with their types (str, int, float or bool), and rows with a value or None each."""

    columns: Mapping[str, type]
    rows: list[list[Any]]


def table_of(graph: DistortionGraph, name: TableName) -> Table:
    """The table of a graph's nodes or edges. Raises OutputError for another name."""
    if name not in TABLES:
        raise OutputError(f"table {name!r:.40}: expected nodes or edges")
    facts = NODE_FACTS if name == "nodes" else EDGE_FACTS
    columns = dict(_columns(facts, graph))
    rows = node_rows(graph) if name == "nodes" else edge_rows(graph)
    return Table(columns, [_cells(row, columns) for row in rows])


def _columns(facts: Mapping[str, type], graph: DistortionGraph) -> Iterator[tuple[str, type]]:
    vocabulary = graph.vocabulary
    labels: dict[str, Sequence[str]] = {
        "distortion_probabilities": vocabulary.distortions,
        "severity_probabilities": vocabulary.severities,
        "distortion_share": vocabulary.distortions,
        "probabilities": vocabulary.comparison_labels,
        "more": [metric.name for metric in graph.metrics],
    }
    for fact, kind in facts.items():
        if kind is dict:
            yield from ((f"{fact}.{label}", float) for label in labels[fact])
        else:
            yield fact, kind


def _cells(row: Row, columns: Mapping[str, type]) -> list[Any]:
    cells: dict[str, Any] = {}
    for fact, value in row.items():
        if isinstance(value, Mapping):
            cells |= {f"{fact}.{label}": share for label, share in value.items()}
        else:
            cells[fact] = value
    return [cells.get(column) for column in columns]


def to_csv(table: Table) -> str:
    """CSV as RFC 4180 has it; what is not known is empty, floats are written in full."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(table.columns)
    for row in table.rows:
        writer.writerow([str(v).lower() if isinstance(v, bool) else v for v in row])
    return text.getvalue()


def to_spreadsheet(table: Table) -> bytes:
    """CSV as Excel, LibreOffice and Numbers open it right: marked as UTF-8, no text a formula.

    A text that begins as formulas do gets a ' in front, which shows that it is text.
    """
    rows = [[f"'{v}" if _is_formula(v) else v for v in row] for row in table.rows]
    return to_csv(Table(table.columns, rows)).encode("utf-8-sig")


def formulas(graph: DistortionGraph) -> list[str]:
    """Texts in a graph's tables that a spreadsheet would run: a name may come from anywhere."""
    cells = (v for name in TABLES for row in table_of(graph, name).rows for v in row)
    return list(dict.fromkeys(v for v in cells if _is_formula(v)))


def _is_formula(value: Any) -> bool:
    """Whether spreadsheets take a cell for a formula (OWASP, *CSV Injection*)."""
    return isinstance(value, str) and value[:1] in _FORMULA_STARTS and bool(value)


def to_parquet(table: Table) -> bytes:
    """The bytes of a Parquet file. Raises OutputError where pyarrow is missing."""
    _need("pyarrow", "Parquet")
    import pyarrow
    from pyarrow import parquet

    types = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    types |= {bool: pyarrow.bool_()}
    fields = [pyarrow.field(name, types[kind]) for name, kind in table.columns.items()]
    columns = [[row[k] for row in table.rows] for k in range(len(fields))]
    with _whole_numbers_that_fit():
        arrays = [pyarrow.array(c, f.type) for c, f in zip(columns, fields, strict=True)]
    data = pyarrow.BufferOutputStream()
    parquet.write_table(pyarrow.Table.from_arrays(arrays, schema=pyarrow.schema(fields)), data)
    written: bytes = data.getvalue().to_pybytes()
    return written


def to_dataframe(graph: DistortionGraph, name: TableName = "nodes") -> pandas.DataFrame:
    """The table as a data frame with pandas' types for missing values.

    Raises OutputError where pandas is missing, and for another name.
    """
    table = table_of(graph, name)
    _need("pandas", "a data frame")
    import pandas

    types = {str: "string", int: "Int64", float: "float64", bool: "boolean"}
    cells = zip(*table.rows, strict=True) if table.rows else [()] * len(table.columns)
    with _whole_numbers_that_fit():
        columns = {
            column: pandas.Series(list(values), dtype=types[kind])
            for (column, kind), values in zip(table.columns.items(), cells, strict=True)
        }
    return pandas.DataFrame(columns)


@contextlib.contextmanager
def _whole_numbers_that_fit() -> Iterator[None]:
    try:
        yield
    except OverflowError as error:
        raise OutputError("a region id beyond 64 bits, which such a table cannot hold") from error


def _need(module: str, what: str) -> None:
    if find_spec(module) is None:
        raise OutputError(
            f"{what} needs {module}, not installed: pip install 'distortion-graph[tables]'"
        )
