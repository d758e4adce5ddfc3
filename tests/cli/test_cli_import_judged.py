"""`dataset import-judged`, and training, calibrating and measuring on what it makes."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "datasets"))
from judged_graphs import judged_pair, written

from distortion_graph.graph import Judgement
from distortion_graph.graph.judging import judge


@pytest.fixture
def judged(here):
    """`judged` with graphs of six pairs, one of which is judged by the comparison alone."""
    for seed in range(6):
        graph = judged_pair(here, seed)
        if seed == 3:
            graph = judge(graph, 0, Judgement(by="ada", comparison="same"))
        written(here, graph, f"ada{seed}")
    return here


IMPORT = "dataset import-judged judged --pictures photos --out set --split train=2,val=2,test=2"


def test_a_root_is_made_checked_and_told(cli, judged):
    ended = cli(*IMPORT.split())
    assert ended.code == 0, ended.err
    assert "set: 6 pairs (train 2, val 2, test 2), 24 judged regions of 1 person" in ended.out
    checked = cli("dataset", "check", "set", "--sheet", "sheet.png")
    assert checked.code == 0 and "no fault in 6 pictures, 2 versions" in checked.out, checked.err
    told = cli("dataset", "info", "set")
    assert told.code == 0 and "24 regions judged by 1 person, from 6 graphs" in told.out, told.err
    again = cli(*IMPORT.split())
    assert again.code == 2 and "set: is there already" in again.err


def test_bad_input_is_one_line_and_exit_2(cli, judged):
    for call, said in (
        (IMPORT.replace("photos", "nowhere"), "nowhere: no such folder"),
        (IMPORT.replace("import-judged judged", "import-judged photos"), "without .json files"),
        (IMPORT.replace("train=2,val=2,test=2", "source"), "--split source: expected shares"),
    ):
        ended = cli(*call.split())
        assert ended.code == 2 and said in ended.err and ended.err.count("\n") == 1, ended.err


NETWORK = """
network: {width: 32, layers: 1, heads: 2}
sampling: {crops: [[64, 2]]}
data: {workers: 0}
logging: {every_steps: 1, tensorboard: false}
device: cpu
"""


@pytest.mark.slow
def test_a_team_adapts_a_network_to_what_it_sees(cli, judged):
    torch = pytest.importorskip("torch", reason="needs the train extra")
    for needed in ("accelerate", "yaml"):
        pytest.importorskip(needed, reason="needs the train extra")
    from distortion_graph.model.config import NetworkConfig
    from distortion_graph.model.network import DistortionGraphNet
    from distortion_graph.training.checkpoint import load_network, save_network

    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=32, layers=1, heads=2))
    save_network(judged / "net", network, network.state_dict())
    (judged / "run.yaml").write_text(NETWORK)
    assert cli(*IMPORT.split()).code == 0
    ended = cli(
        *[
            "train",
            "--config",
            "run.yaml",
            "--root",
            "set",
            "--start-from",
            "net",
            "--steps",
            "3",
            "--out",
            "run",
        ]
    )
    assert ended.code == 0, ended.err
    assert "4 pairs to train on, 4 of val to choose on" in ended.out
    # The score of a val without scores is defined, so that the best network is known.
    assert "step 3: held-out score 0." in ended.out, ended.out
    moved = load_network(judged / "run" / "best").state_dict()
    before = network.state_dict()
    assert all(torch.isfinite(value).all() for value in moved.values() if value.is_floating_point())
    assert any(not torch.equal(moved[name], before[name]) for name in before)
    ended = cli(*["calibrate", "run", "--root", "set", "--out", "cal"])
    assert ended.code == 0, ended.err
    found = json.loads((judged / "cal" / "calibration.json").read_text())
    assert set(found["temperature"]) == {"distortion", "severity", "comparison"}
    assert None not in found["error_after"].values()
    ended = cli(
        *[
            "evaluate",
            "cal",
            "--root",
            "set",
            "--split",
            "test",
            "--draws",
            "10",
            "--json",
            "e.json",
        ]
    )
    assert ended.code == 0, ended.err
    figures = json.loads((judged / "e.json").read_text())["figures"]["hard"]
    assert figures["score"]["averaged"]["srcc"] is None and figures["mean"] is not None


@pytest.mark.slow
def test_bench_counts_what_was_said(cli, judged):
    assert cli(*IMPORT.split()).code == 0
    ended = cli(*["bench", "set", "--json", "bench.json"])
    assert ended.code == 0, ended.err
    result = json.loads((judged / "bench.json").read_text())
    (hard,) = result["pairs"]
    assert hard["pairs"] == "hard" and len(hard["keys"]) == 4
    assert hard["truth"]["score"] == [[None] * 16] * 2
    runs = {run["name"]: run["figures"] for run in hard["runs"]}
    majority = runs["majority"]
    assert majority["comparison"]["accuracy"] > 0 and majority["score"]["averaged"]["srcc"] is None
    assert runs["metric oracle"]["comparison"]["accuracy"] == 0
    assert sum(map(sum, majority["confusion"]["comparison"])) == 16
