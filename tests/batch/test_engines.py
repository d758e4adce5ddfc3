"""Engines: a cluster of Ray's gives the same folder of results as processes of this machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from distortion_graph.batch.folders import Matching, match_folders
from distortion_graph.batch.run import BatchOptions, run_batch
from distortion_graph.batch.worker import Comparing
from distortion_graph.work.ray_actors import RayActors

pytest.importorskip("pyarrow")
pytestmark = pytest.mark.slow


@pytest.fixture
def pairs(tmp_path):
    rng = np.random.default_rng(0)
    for k in range(5):
        small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
        for side, quality in (("a", 95), ("b", 20)):
            (tmp_path / side).mkdir(exist_ok=True)
            shown = small.resize((64, 48), Image.Resampling.BICUBIC)
            shown.save(tmp_path / side / f"{k}.jpg", quality=quality)
    (tmp_path / "b" / "3.jpg").write_bytes(b"no picture")
    found, _ = match_folders(str(tmp_path / "a"), [str(tmp_path / "b")], matching=Matching())
    return found


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_ray_cluster_gives_the_same_files_as_processes_of_this_machine(pairs, tmp_path):
    pytest.importorskip("ray")
    comparing = Comparing(regions="grid:1x2", align="none")
    options = BatchOptions(comparing, workers=0, part_pairs=2, graphs=True, reports=True)
    run_batch(pairs, tmp_path / "local", options)
    report = run_batch(
        pairs, tmp_path / "ray", options, executor=lambda job: RayActors(job, 2, option="workers")
    )
    assert (report.pairs, report.failed) == (5, 1)
    local = contents(tmp_path / "local")
    assert contents(tmp_path / "ray") == local
    assert len([name for name in local if name.endswith(".parquet")]) == 6
    assert len([name for name in local if name.endswith((".html", "s/4.jpg.json"))]) == 5
