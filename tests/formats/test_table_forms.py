"""Tables of nodes and edges: CSV, Parquet and data frames say the same, and what the graph says."""

from __future__ import annotations

import csv
import io
import json
import sys

import pandas
import pytest
from format_samples import HOSTILE, empty, full, hostile, many, masked
from graph_samples import ALSO, changed
from pyarrow import parquet

from distortion_graph import DistortionGraph
from distortion_graph.base.errors import OutputError
from distortion_graph.formats.tables import TABLES, table_of, to_csv, to_parquet

GRAPHS = [full(), hostile(), many(40), empty(), masked()[0]]


def read_csv(text):
    first, *rows = csv.reader(io.StringIO(text, newline=""))
    return first, rows


def test_a_row_a_node_and_a_column_a_label():
    graph = full()
    frame = graph.to_dataframe().set_index("node")
    assert list(frame.index[:3]) == ["anchor:7", "anchor:2", "anchor:scene"]
    person = frame.loc["anchor:7"]
    assert (person["distortion"], person["severity"], person["score"]) == ("blur", "severe", 0.7)
    assert person["distortion_probabilities.blur"] == 0.9
    assert [c for c in frame if c.startswith("severity_probabilities.")] == [
        f"severity_probabilities.{label}" for label in graph.vocabulary.severities
    ]
    noisy = frame.loc["target:7"]
    assert (noisy["opinion"], json.loads(noisy["also"])) == (0.375, ALSO)
    assert pandas.isna(person["opinion"]) and pandas.isna(person["also"])
    assert frame.loc["anchor:scene", "opinion"] == 0.625
    assert frame.loc["anchor:scene", "distortion_share.clean"] == 0.5
    assert pandas.isna(frame.loc["anchor:scene", "distortion_share.haze"])
    assert frame["region"].dtype == "Int64" and pandas.isna(frame.loc["anchor:scene", "region"])


def test_edges_are_comparisons_the_scene_and_relations():
    frame = full().to_dataframe("edges")
    assert list(frame["kind"]) == ["comparison", "comparison", "scene", "relation"]
    assert list(frame["label"]) == ["same", "significantly_better", "slightly_better", "holding"]
    assert frame["margin"][0] == 0.7 - 0.6
    assert list(frame["measured"][:3]) == [True, False, True]
    assert pandas.isna(frame["psnr_db"][0]) and frame["psnr_db"][2] == 20.5
    assert frame["probabilities.same"][0] == 0.6


def test_further_metrics_have_a_column_each():
    frame = full().to_dataframe("edges")
    assert [c for c in frame if c.startswith("more")] == ["more.flip", "more.ssimulacra2"]
    assert list(frame["more.flip"].fillna(-1)) == [0.0, -1, 0.125, -1]
    assert list(frame["more.ssimulacra2"].fillna(-1)) == [-1, -1, 62.5, -1]


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("graph", GRAPHS)
def test_csv_parquet_and_data_frame_agree(graph, name):
    table = table_of(graph, name)
    frame = graph.to_dataframe(name)
    first, rows = read_csv(to_csv(table))
    stored = parquet.read_table(io.BytesIO(to_parquet(table)))
    assert first == list(frame.columns) == stored.column_names == list(table.columns)
    assert stored.num_rows == len(frame) == len(rows) == len(table.rows)
    assert [list(row.values()) for row in stored.to_pylist()] == table.rows
    for row, cells, framed in zip(table.rows, rows, frame.itertuples(index=False), strict=True):
        for value, cell, seen in zip(row, cells, framed, strict=True):
            assert cell == (
                ""
                if value is None
                else str(value).lower()
                if value is True or value is False
                else str(value)
            )
            assert pandas.isna(seen) if value is None else seen == value


def test_the_types_do_not_depend_on_what_is_known():
    graphs = full(), empty().model_copy(update={"metrics": full().metrics})
    for name in TABLES:
        kinds = [list(graph.to_dataframe(name).dtypes) for graph in graphs]
        assert kinds[0] == kinds[1]
        stored = [
            parquet.read_schema(io.BytesIO(to_parquet(table_of(graph, name)))) for graph in graphs
        ]
        assert stored[0] == stored[1]


def test_tables_of_graphs_of_one_vocabulary_can_be_stacked():
    stacked = pandas.concat([full().to_dataframe(), many(3).to_dataframe()])
    assert list(stacked.columns) == list(full().to_dataframe().columns)


def test_hostile_names_stay_as_they_are():
    _, rows = read_csv(to_csv(table_of(hostile(), "nodes")))
    assert [row[5] for row in rows[: len(HOSTILE)]] == HOSTILE
    assert list(hostile().to_dataframe()["name"][: len(HOSTILE)]) == HOSTILE


def test_csv_is_what_pandas_and_rfc_4180_expect():
    text = to_csv(table_of(full(), "nodes"))
    assert text.count("\r\n") == 7 and "\n" not in text.replace("\r\n", "")
    read = pandas.read_csv(io.StringIO(text))
    assert read["score"].tolist() == [0.7, 1.0, 0.75, 0.6, 0.25, 0.5]


def test_a_missing_extra_is_one_line(monkeypatch):
    for name in ("pandas", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.setattr("distortion_graph.formats.tables.find_spec", lambda _: None)
    with pytest.raises(OutputError, match=r"needs pandas.*'distortion-graph\[tables\]'"):
        full().to_dataframe()
    with pytest.raises(OutputError, match=r"needs pyarrow.*'distortion-graph\[tables\]'"):
        to_parquet(table_of(full(), "nodes"))


def test_another_table_or_a_huge_id_is_one_line():
    with pytest.raises(OutputError, match="table 'pixels': expected nodes or edges"):
        full().to_dataframe("pixels")
    value = changed("regions.0.id", 2**64)
    value["relations"] = []
    graph = DistortionGraph.model_validate(value)
    for write in (graph.to_dataframe, lambda: to_parquet(table_of(graph, "nodes"))):
        with pytest.raises(OutputError, match="beyond 64 bits"):
            write()
    assert str(2**64) in to_csv(table_of(graph, "nodes"))
