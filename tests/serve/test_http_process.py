"""`distortion-graph serve` as a process: it starts, answers, and finishes what it holds."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from httpx2 import Client, HTTPError
from served import ANCHOR, PAIR, QUICK, asked, png, problem, until

pytestmark = pytest.mark.slow


@contextmanager
def served(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[bytes], Client, Path]]:
    """The process, a client of it, and the file of what it says."""
    said = folder / "said"
    command = [sys.executable, "-m", "distortion_graph", "serve", "--port", "0", *options]
    place = {**os.environ, "TMPDIR": str(folder)}
    with said.open("wb") as file:
        process = subprocess.Popen(command, stderr=file, env=place)
    try:
        until(lambda: process.poll() is not None or b"serving" in said.read_bytes())
        assert process.poll() is None, said.read_text()
        found = re.search(r"serving (http://\S+) until", said.read_text())
        assert found
        with Client(base_url=found[1], timeout=120) as client:
            until(lambda: client.get("/readyz").status_code == 200)
            yield process, client, said
    finally:
        process.kill()
        process.wait()


def under_way(client: Client) -> int:
    """Requests that wait or are worked at, beside this one."""
    text = client.get("/metrics").text
    found = re.search(r"^distortion_graph_workers_busy (\S+)$", text, re.MULTILINE)
    assert found
    return int(float(found[1]))


def test_it_answers_finishes_what_it_holds_and_leaves_nothing(tmp_path: Path) -> None:
    with served(tmp_path, "--verbose") as (process, client, said):
        secret = {"anchor": ("my-secret-name.png", ANCHOR), "target": PAIR["target"]}
        assert asked(client, secret, regions="whole").status_code == 200
        children = psutil.Process(process.pid).children(recursive=True)
        large = png(1, (800, 800))
        files = {"anchor": ("a.png", large), "target": ("b.png", png(2, (800, 800)))}
        with ThreadPoolExecutor() as threads:
            held = threads.submit(asked, client, files, regions="grid:3x3")
            until(lambda: under_way(client))
            process.send_signal(signal.SIGTERM)
            until(lambda: client.get("/readyz").status_code == 503)
            refused = asked(client, regions="whole")
            assert held.result().status_code == 200
        assert len(held.result().json()["regions"]) == 9
        assert "takes nothing new" in problem(refused, 503, "stopping")
        assert process.wait(60) == 0
        until(lambda: not any(child.is_running() for child in children))
        text = said.read_text()
        assert "stopping (SIGTERM), what was taken is finished" in text
        assert "POST /v1/compare 200" in text
        assert "secret" not in text and "Traceback" not in text
        assert all(line.startswith("distortion-graph: ") for line in text.splitlines())
        assert list(tmp_path.iterdir()) == [said]


def test_a_job_is_finished_and_can_be_fetched_while_it_stops(tmp_path: Path) -> None:
    with served(tmp_path) as (process, client, _):
        pairs = json.dumps([{"anchor": "a.png", "target": "b.png"}] * 8)
        files = [("files", file) for file in QUICK.values()]
        data = {"pairs": pairs, "regions": "whole"}
        place = client.post("/v1/jobs", files=files, data=data).headers["location"]
        process.send_signal(signal.SIGTERM)
        until(lambda: client.get("/readyz").status_code == 503)
        until(lambda: client.get(place).json()["status"] == "done")
        graphs = client.get(f"{place}/results").json()["pairs"]
        assert len(graphs) == 8 and all(pair["graph"] for pair in graphs)
        assert process.wait(60) == 0


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    with served(tmp_path) as (process, client, _):
        pairs: Any = json.dumps([{"anchor": "a.png", "target": "b.png"}] * 100)
        files = [("files", file) for file in QUICK.values()]
        client.post("/v1/jobs", files=files, data={"pairs": pairs})
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGINT)
        until(lambda: client.get("/readyz").status_code == 503)
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 130
        until(lambda: not any(child.is_running() for child in children))


def test_its_workers_go_when_it_is_killed(tmp_path: Path) -> None:
    with served(tmp_path) as (process, client, _):
        children = psutil.Process(process.pid).children(recursive=True)
        assert children
        process.kill()
        until(lambda: not any(child.is_running() for child in children))
        with pytest.raises(HTTPError):
            client.get("/healthz")


def test_a_port_that_is_taken_is_one_line(tmp_path: Path) -> None:
    with served(tmp_path) as (_, client, _):
        command = [sys.executable, "-m", "distortion_graph", "serve"]
        done = subprocess.run(
            [*command, "--port", str(client.base_url.port)], capture_output=True, text=True
        )
        assert done.returncode == 2 and done.stdout == ""
        assert "cannot be used (Address already in use" in done.stderr
        assert done.stderr.count("\n") == 1
