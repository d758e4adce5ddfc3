"""What of an executor is Ray's alone; what every executor promises is in `test_executors.py`."""

from __future__ import annotations

import os
import signal
import socket
import sys
from importlib import util
from pathlib import Path
from typing import Any

import pytest

from distortion_graph.base.errors import WorkError
from distortion_graph.work import ray_actors
from distortion_graph.work.ray_actors import RayActors
from distortion_graph.work.threads import allowed_threads

needs_ray = pytest.mark.skipif(not util.find_spec("ray"), reason="needs the extra ray")


@pytest.fixture(scope="module")
def cluster():
    """A cluster of this machine that was started by somebody else."""
    import ray

    with pytest.MonkeyPatch.context() as patch:
        paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        quiet: dict[str, Any] = {"include_dashboard": False, "log_to_driver": False}
        ray.init("local", num_cpus=2, num_gpus=1, _node_ip_address="127.0.0.1", **quiet)
        yield ray
        ray.shutdown()


def dies_once(job: Path, task: int) -> int:
    """Kill the worker at task 2, unless that was done before."""
    if task == 2 and not job.exists():
        job.write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.SIGKILL)
    return task * 10


def dies(job: None, task: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def facts(job: None, task: int) -> tuple[int, str | None]:
    return allowed_threads(), os.environ.get("CUDA_VISIBLE_DEVICES")


@needs_ray
@pytest.mark.skipif(sys.platform == "win32", reason="kills processes as POSIX has it")
def test_a_task_of_a_lost_worker_is_done_again(cluster, tmp_path):
    marker = tmp_path / "killed"
    with RayActors(marker, 1) as executor:
        given = list(executor.run(dies_once, range(6), ordered=True))
    assert given == [(k, 10 * k) for k in range(6)]
    assert marker.exists()


@needs_ray
@pytest.mark.skipif(sys.platform == "win32", reason="kills processes as POSIX has it")
def test_a_task_that_kills_every_worker_is_one_line_that_names_the_option(cluster):
    with (
        RayActors(None, 1, option="--workers") as executor,
        pytest.raises(WorkError, match=r"was lost 4 times .*with fewer --workers") as caught,
    ):
        list(executor.run(dies, [0]))
    assert "\n" not in str(caught.value)


@needs_ray
def test_a_cluster_that_ran_before_runs_on_and_workers_are_as_many_as_it_has_room_for(cluster):
    with RayActors(None) as executor:
        assert len(executor._actors) == 2
    assert cluster.is_initialized()


@needs_ray
def test_workers_have_their_budget_and_reserve_the_cards_that_are_asked_for(cluster):
    with RayActors(None, 1, threads_each=2, gpus_each=0.5) as executor:
        assert list(executor.run(facts, [0])) == [(0, (2, "0"))]
    with RayActors(None, 1) as executor:
        [(_, (threads, cards))] = executor.run(facts, [0])
        assert threads == 1 and not cards


@needs_ray
def test_a_cluster_without_room_is_one_line(cluster):
    with pytest.raises(WorkError, match="room for 2 workers of 1 CPUs and 0 GPUs, asked for 3"):
        RayActors(None, 3).__enter__()
    line = "no machine of the Ray cluster has room for a worker of 1 CPUs and 2 GPUs: all 1 toget"
    with pytest.raises(WorkError, match=line):
        RayActors(None, gpus_each=2).__enter__()


@pytest.mark.parametrize("address", ["cluster", "127.0.0.1:", "localhost:http"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(WorkError, match=r"expected the address of a Ray cluster, host:port"):
        ray_actors._check_reachable(address)


@pytest.mark.parametrize("scheme", ["", "ray://"])
def test_an_address_where_nothing_listens_is_one_line(scheme):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"{scheme}127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(WorkError, match=f"^{address}: no Ray cluster can be reached there"):
            ray_actors._check_reachable(address)


def test_without_ray_one_line_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(ray_actors, "find_spec", lambda name: None)
    with pytest.raises(WorkError, match=r"pip install 'distortion-graph\[ray\]'"):
        RayActors(None).__enter__()
