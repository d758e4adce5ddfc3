"""The queries of docs/batch.md, run on a folder of results."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.results import read_table
from distortion_graph.batch.run import BatchOptions, run_batch
from distortion_graph.batch.worker import Comparing

pytest.importorskip("pyarrow")
PAGE = (Path(__file__).parents[2] / "docs" / "batch.md").read_text("utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder that has results/, of two methods and a pair that failed."""
    here: Path = tmp_path_factory.mktemp("queries")
    pairs = []
    for k in range(3):
        small = np.random.default_rng(k).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        picture = Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC)
        picture.save(here / f"{k}.png")
        for method, quality in (("avif", 60), ("jxl", 5)):
            picture.save(here / f"{k}-{method}.jpg", quality=quality)
            target = here / f"{k}-{method}.jpg"
            columns = {"method": method}
            pairs.append(
                PairTask(f"{method}/{k}", str(here / f"{k}.png"), str(target), columns=columns)
            )
    bad = PairTask("bad", str(here / "no.png"), pairs[0].target, columns={"method": "avif"})
    options = BatchOptions(Comparing(regions="grid:1x2", align="none"), workers=0, part_pairs=4)
    run_batch([*pairs, bad], here / "results", options)
    return here


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def regions_of(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = read_table(folder / "results", "regions").to_pylist()
    return [{**row, "method": row["pair"].partition("/")[0]} for row in rows]


def test_duckdb_answers_the_questions_of_the_page(folder, monkeypatch):
    duckdb = pytest.importorskip("duckdb")
    monkeypatch.chdir(folder)
    worst, shares, failed = (duckdb.sql(query).fetchall() for query in blocks("sql"))
    rows = regions_of(folder)
    assert [row[0] for row in worst] == ["avif", "jxl"]
    for method, pair, name, _, margin in worst:
        most = max((row for row in rows if row["method"] == method), key=lambda row: row["margin"])
        assert (pair, name, margin) == (most["pair"], most["name"], most["margin"])
    for method, count, worse, sure in shares:
        own = [row for row in rows if row["method"] == method]
        assert count == len(own) == 6
        assert worse == pytest.approx(np.mean([row["rank"] > 0 for row in own]))
        assert sure == pytest.approx(np.mean([row["probability"] for row in own]))
    assert [row[2] for row in shares] == sorted((row[2] for row in shares), reverse=True)
    [(reason, count)] = failed
    assert "no such file" in reason and count == 1


def test_polars_answers_the_question_of_the_page(folder, monkeypatch, capsys):
    pytest.importorskip("polars")
    monkeypatch.chdir(folder)
    [query] = [block for block in blocks("python") if "polars" in block]
    names: dict[str, Any] = {}
    exec(query, names)
    table = names["shares"].collect()
    shares = dict(zip(table["target_distortion"], table["share"], strict=True))
    rows = regions_of(folder)
    counts = Counter(row["target_distortion"] for row in rows)
    assert shares == pytest.approx({label: count / 12 for label, count in counts.items()})
    assert "target_distortion" in capsys.readouterr().out
