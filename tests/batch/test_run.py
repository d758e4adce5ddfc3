"""A batch: rows of every pair, failures recorded, and runs that go on after any end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from distortion_graph.base.errors import BatchError, ModelError, WorkError
from distortion_graph.batch.manifests import read_manifest
from distortion_graph.batch.pairs import PairTask
from distortion_graph.batch.results import MANIFEST_FILE, open_journal, read_table
from distortion_graph.batch.run import BatchOptions, run_batch
from distortion_graph.batch.worker import Comparing, file_name
from distortion_graph.graph import load_graph
from distortion_graph.pipeline import compare

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.slow

COMPARING = Comparing(regions="grid:1x2", evidence="fast", align="none")
OPTIONS = BatchOptions(COMPARING, workers=0, part_pairs=3)


def photo(seed: int) -> Any:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((64, 48), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> list[PairTask]:
    folder = tmp_path_factory.mktemp("pairs")
    made = []
    for k in range(8):
        anchor, target = folder / f"{k}.png", folder / f"{k}.jpg"
        photo(k).save(anchor)
        photo(k).save(target, quality=20)
        columns = {"method": "old" if k % 2 else "new", "k": k}
        made.append(PairTask(f"set/{k}", str(anchor), str(target), columns=columns))
    bad = folder / "bad.png"
    bad.write_bytes(b"no picture")
    return [*made, PairTask("bad", str(bad), str(folder / "0.jpg"), columns={"method": "new"})]


def tables(out: Path) -> tuple[list[Any], list[Any]]:
    return read_table(out, "pairs").to_pylist(), read_table(out, "regions").to_pylist()


@pytest.fixture(scope="module")
def whole(pairs, tmp_path_factory) -> Path:
    out: Path = tmp_path_factory.mktemp("whole") / "out"
    report = run_batch(pairs, out, OPTIONS)
    assert (report.pairs, report.failed, report.kept) == (9, 1, 0)
    return out


def test_rows_say_what_the_graphs_say_and_a_bad_pair_says_why(whole, pairs):
    rows, regions = tables(whole)
    assert [row["id"] for row in rows] == [pair.id for pair in pairs]
    graph = compare(pairs[3].anchor, pairs[3].target, regions="grid:1x2", evidence="fast")
    assert graph.scene is not None and graph.scene.comparison is not None
    assert rows[3]["margin"] == graph.scene.comparison.margin
    assert rows[3]["k"] == 3 and rows[3]["method"] == "old"
    own = [row for row in regions if row["pair"] == "set/3"]
    assert [row["target_score"] for row in own] == [r.target.score for r in graph.regions]
    assert [row["comparison"] for row in own] == [r.comparison.label for r in graph.regions]
    assert rows[8]["status"] == "failed" and "not a picture" in rows[8]["reason"]
    assert rows[8]["margin"] is None and not [r for r in regions if r["pair"] == "bad"]
    assert read_table(whole, "pairs").schema.metadata[b"schema"] == b"distortion-graph batch 1"
    assert not (whole / "journal.jsonl").exists()


def test_workers_and_parts_change_no_row(whole, pairs, tmp_path):
    run_batch(pairs, tmp_path / "out", BatchOptions(COMPARING, workers=2, part_pairs=4))
    assert tables(tmp_path / "out") == tables(whole)


def test_the_same_run_again_does_nothing_and_another_one_is_refused(whole, pairs):
    before = {path: path.stat().st_mtime_ns for path in whole.rglob("*") if path.is_file()}
    assert run_batch(pairs, whole, OPTIONS).kept == 9
    assert {path: path.stat().st_mtime_ns for path in before} == before
    other = BatchOptions(Comparing(regions="whole"), workers=0, part_pairs=3)
    with pytest.raises(BatchError, match="holds a batch with regions grid:1x2, now it is whole"):
        run_batch(pairs, whole, other)


def test_graphs_are_written_and_stand_in_the_table_when_asked_for(pairs, tmp_path):
    options = BatchOptions(COMPARING, workers=0, graph_column=True, graphs=True, reports=True)
    run_batch(pairs[:2], tmp_path / "out", options)
    rows, _ = tables(tmp_path / "out")
    path = tmp_path / "out" / "graphs" / f"{file_name('set/1')}.json"
    assert load_graph(path) == load_graph(rows[1]["graph"])
    assert (tmp_path / "out" / "reports" / f"{file_name('set/1')}.html").is_file()


def test_scores_are_measured_against_originals_and_further_metrics_have_columns(pairs, tmp_path):
    comparing = Comparing(regions="whole", reference="anchor", metrics=("gmsd",))
    run_batch(pairs[:2], tmp_path / "out", BatchOptions(comparing, workers=0))
    rows, regions = tables(tmp_path / "out")
    graph = compare(pairs[1].anchor, pairs[1].target, regions="whole", reference="anchor")
    assert graph.scene is not None
    assert rows[1]["scores"] == "measured" and rows[1]["anchor_score"] == 1
    assert rows[1]["target_score"] == graph.scene.target.score
    assert 0 < rows[1]["gmsd"] < 1 and regions[1]["gmsd"] == pytest.approx(rows[1]["gmsd"], abs=0.1)


def test_strict_ends_at_the_pair_that_fails(pairs, tmp_path):
    options = BatchOptions(COMPARING, workers=0, part_pairs=3, strict=True)
    with pytest.raises(BatchError, match=r"pair bad: .*not a picture"):
        run_batch(pairs, tmp_path / "out", options)


def test_a_second_writer_is_refused(pairs, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    with open_journal(out), pytest.raises(WorkError, match="another process is writing"):
        run_batch(pairs, out, OPTIONS)


def test_names_of_files_are_different_for_different_ids():
    ids = ["a/b", "a%2Fb", "a:b", "A/b", ".", "..", " ", "x" * 300, "x" * 301, "é", "a."]
    names = [file_name(one) for one in ids]
    assert len(set(names)) == len(ids)
    assert all(len(name.encode()) < 200 and "/" not in name for name in names)


def test_a_column_that_the_results_have_themselves_is_refused(pairs, tmp_path):
    clash = PairTask("x", pairs[0].anchor, pairs[0].target, columns={"margin": 1})
    with pytest.raises(BatchError, match="column 'margin'"):
        run_batch([clash], tmp_path / "out", OPTIONS)


def test_a_column_may_be_empty_or_hold_numbers_that_arrow_does_not(pairs, tmp_path):
    given = {"anchor": pairs[0].anchor, "target": pairs[0].target, "none": None, "large": 1 << 64}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(given), encoding="utf-8")
    run_batch(read_manifest(str(tmp_path / "pairs.jsonl")), tmp_path / "out", OPTIONS)
    rows, _ = tables(tmp_path / "out")
    assert [(row["none"], row["large"]) for row in rows] == [(None, "18446744073709551616")]


def test_a_run_of_other_pairs_says_so_and_one_without_a_model_makes_no_folder(
    whole, pairs, tmp_path
):
    with pytest.raises(BatchError, match=r"holds a batch with list of pairs [0-9a-f]{16}, now"):
        run_batch(pairs[::-1], whole, OPTIONS)
    missing = BatchOptions(Comparing(model=str(tmp_path / "none")), workers=0)
    with pytest.raises(ModelError):
        run_batch(pairs, tmp_path / "out", missing)
    assert not (tmp_path / "out").exists()


def killed(command: Sequence[str], seconds: float) -> int:
    """Start a process group and kill all of it after so long; its code where it was done before."""
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL)
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="kills process groups as POSIX has them")
def test_a_run_that_is_killed_goes_on_and_its_tables_are_those_of_one_that_was_not(
    whole, pairs, tmp_path
):
    manifest, out = tmp_path / "pairs.jsonl", tmp_path / "out"
    lines = [{"id": p.id, "anchor": p.anchor, "target": p.target, **p.columns} for p in pairs]
    manifest.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    command = [sys.executable, "-m", "distortion_graph", "batch", "--manifest", str(manifest)]
    command += ["--out", str(out), "--regions", "grid:1x2", "--align", "none", "--workers", "1"]
    rng = np.random.default_rng(0)
    ended, began = None, time.monotonic()
    for _ in range(6):
        ended = killed([*command, "--quiet"], float(rng.uniform(0.3, 4)))
        if ended == 0:
            break
    if ended != 0:
        assert killed([*command, "--quiet"], 600) == 0
    assert (out / MANIFEST_FILE).is_file()
    assert tables(out) == tables(whole), f"after {time.monotonic() - began:.0f} s"
