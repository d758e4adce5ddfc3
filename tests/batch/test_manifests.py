"""Pairs of a list: the same from CSV, JSON lines and Parquet, and one line for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from distortion_graph.base.errors import BatchError
from distortion_graph.batch.manifests import read_manifest
from distortion_graph.batch.pairs import digest

ROWS: list[dict[str, Any]] = [
    {"id": "x", "anchor": "a/1.png", "target": "b/1.png", "method": "new"},
    {"id": "y", "anchor": "a/2.png", "target": "s3://c/2.png", "method": "old, slow"},
]


def written(folder: Path, suffix: str, rows: list[dict[str, Any]] = ROWS) -> str:
    path = folder / f"pairs{suffix}"
    if suffix == ".csv":
        import csv

        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    elif suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8")
    else:
        pyarrow = pytest.importorskip("pyarrow")
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return str(path)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_every_form_gives_the_same_pairs_with_paths_beside_the_list(tmp_path, suffix):
    pairs = read_manifest(written(tmp_path, suffix))
    assert [pair.id for pair in pairs] == ["x", "y"]
    assert pairs[0].anchor == str(tmp_path / "a" / "1.png")
    assert pairs[1].target == "s3://c/2.png"
    assert [dict(pair.columns) for pair in pairs] == [{"method": "new"}, {"method": "old, slow"}]
    assert digest(pairs) == digest(read_manifest(written(tmp_path, ".csv")))


def test_pairs_without_ids_are_numbered_and_regions_may_be_a_pair_s_own(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text(
        '{"anchor": "1.png", "target": "2.png", "regions": "m.png", "gain": 1.5, "ok": true}\n\n'
        '{"anchor": "1.png", "target": "3.png", "regions": "grid:2x2", "reference": "r.png"}\n',
        encoding="utf-8",
    )
    first, second = read_manifest(str(path))
    assert (first.id, second.id) == ("1", "2")
    assert (first.regions, second.regions) == (str(tmp_path / "m.png"), "grid:2x2")
    assert second.reference == str(tmp_path / "r.png")
    assert dict(first.columns) == {"gain": 1.5, "ok": True}


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("p.csv", "", "empty, expected a first row"),
        ("p.csv", "anchor,targets\n", "no column 'target' (found 'anchor', 'targets'); is it 'ta"),
        ("p.csv", "anchor,target,anchor\n", "two columns are called 'anchor'"),
        ("p.csv", "anchor,target,\n", "column 3 has no name"),
        ("p.csv", "anchor,target\n1.png\n", "line 2 has 1 cells, expected 2"),
        ("p.csv", "anchor,target\n1.png,\n", "row 1: target is empty"),
        ("p.csv", "anchor,target\n", "no pair left"),
        ("p.csv", "id,anchor,target\nx,1.png,2.png\nx,1.png,2.png\n", "both have the id 'x'"),
        ("p.jsonl", "[1]\n", "line 1: found list, expected a JSON object"),
        ("p.jsonl", "{\n", "line 1: Expecting property name"),
        ("p.jsonl", '{"anchor": 1, "target": "b"}\n', "anchor is 1, expected a path or URL"),
        (
            "p.jsonl",
            '{"anchor": "a", "target": "b", "x": [1]}\n',
            "x is list, expected text, a num",
        ),
        ("p.jsonl", '{"anchor": "a", "anchor": "b"}\n', "the key 'anchor' stands twice"),
        (
            "p.jsonl",
            '{"anchor": "a", "target": "b", "x": "\\ud800"}\n',
            "pair 1: '\\ud800' has bytes or",
        ),
        (
            "p.jsonl",
            '{"anchor": "a", "target": "b", "\\ud800": 1}\n',
            "pair 1: '\\ud800' has bytes or",
        ),
        ("p.parquet", "no parquet", "cannot be read as Parquet"),
        ("p.txt", "anchor,target\n", "found .txt, expected a list of pairs as .csv"),
    ],
)
def test_what_is_wrong_with_a_list_is_one_line(tmp_path, name, text, line):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BatchError) as error:
        read_manifest(str(path))
    assert str(error.value).startswith(str(path)) and line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_list_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(BatchError, match="No such file"):
        read_manifest(str(tmp_path / "none.csv"))
    (tmp_path / "b.csv").write_bytes(b"anchor,target\n\xff,b\n")
    with pytest.raises(BatchError, match="not UTF-8 text at byte 14"):
        read_manifest(str(tmp_path / "b.csv"))
