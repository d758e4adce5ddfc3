"""The commands of docs/service.md, as a shell runs them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from served import EXAMPLES, listening

from distortion_graph.graph import DistortionGraph
from distortion_graph.ranking import Ranking
from distortion_graph.serve.http.app import Application
from distortion_graph.serve.http.problems import KINDS
from distortion_graph.serve.http.settings import Limits, Settings

PAGE = (EXAMPLES.parent / "docs" / "service.md").read_text("utf-8")
BLOCKS = re.findall(r"^```bash\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
QUIET = 'curl() { command curl -sS --fail-with-body "$@" && echo; }\n'


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_commands_of_the_page_do_what_it_says(tmp_path: Path) -> None:
    for file in EXAMPLES.iterdir():
        shutil.copy(file, tmp_path)
    asked = [block for block in BLOCKS if "127.0.0.1:8000/v1" in block and "docker" not in block]
    assert len(asked) == 5
    said: list[str] = []
    with listening(Application(Settings())) as (_, port):
        for block in asked:
            text = block.replace(":8000/", f":{port}/")
            if said and "JOB=" in text:  # the job of the block before
                place = f"{port}/v1/jobs/{json.loads(said[-1])['id']}"
                text = re.sub(rf"{port}/v1/jobs/\S+", place, text)
            done = subprocess.run(
                ["bash", "-ec", QUIET + text], cwd=tmp_path, capture_output=True, text=True
            )
            assert done.returncode == 0, done.stdout + done.stderr
            said.append(done.stdout)
    compared, options, ranked, job, followed = said
    names = [region.name for region in DistortionGraph.model_validate_json(compared).regions]
    assert len(names) > 3
    assert "coffee" in (tmp_path / "report.html").read_text("utf-8")
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    metrics, measured = map(DistortionGraph.model_validate_json, options.split("\n", 1))
    assert [metric.name for metric in metrics.metrics] == ["flip", "ssimulacra2"]
    assert measured.reference and measured.reference.role == "anchor"
    assert len(Ranking.model_validate_json(ranked).candidates) == 2
    assert "<svg" in (tmp_path / "ranking.html").read_text("utf-8")
    assert json.loads(job)["total"] == 2
    assert followed.count("event: pair") == 2 and followed.count("event: end") == 1
    assert '"status":"done"' in followed
    assert "<!doctype html>" in (tmp_path / "forth.html").read_text("utf-8")


def test_what_the_page_says_of_limits_and_problems_is_so() -> None:
    limits = Limits()
    assert f"{limits.candidates} candidates" in PAGE and f"{limits.pairs} pairs of a job" in PAGE
    assert f"{limits.jobs} jobs and {limits.requests} requests at once" in PAGE
    assert f"in {limits.upload_seconds:g} s" in PAGE
    table = PAGE[PAGE.index("| status | type ends in |") : PAGE.index("## Limits and safety")]
    for kind, (status, _) in KINDS.items():
        [row] = [row for row in table.splitlines() if f"`{kind}`" in row]
        assert str(status) in row
