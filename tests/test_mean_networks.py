"""The mean of networks' weights: the arithmetic mean, with the chain of the last one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from scripts import loaded

torch = pytest.importorskip("torch", reason="needs the train extra")

from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.training.chain import (  # noqa: E402
    Link,
    read_chain,
    weights_sha256,
    write_chain,
)
from distortion_graph.training.checkpoint import load_network, save_network  # noqa: E402

SCRIPT = Path(__file__).parent.parent / "benchmarks" / "mean_networks.py"
SMALL = NetworkConfig(width=32, layers=1, heads=2)


@pytest.fixture(scope="module")
def script():
    return loaded(SCRIPT)


def network_in(folder, seed, **config):
    torch.manual_seed(seed)
    network = DistortionGraphNet(replace(SMALL, **config))
    save_network(folder, network, network.state_dict())
    write_chain(folder, [Link(name=f"link{seed}", sha256=weights_sha256(folder), seed=seed)])
    return load_network(folder).state_dict()


def run(script, monkeypatch, *arguments):
    monkeypatch.setattr("sys.argv", ["mean_networks.py", *map(str, arguments)])
    script.main()


def test_every_weight_is_the_weighted_mean(script, monkeypatch, tmp_path):
    a, b = network_in(tmp_path / "a", 1), network_in(tmp_path / "b", 2)
    run(script, monkeypatch, tmp_path / "m", f"{tmp_path}/a=0.25", f"{tmp_path}/b=0.75")
    mean = load_network(tmp_path / "m").state_dict()
    assert mean.keys() == a.keys()
    for name, value in mean.items():
        if value.is_floating_point():
            expected = 0.25 * a[name] + 0.75 * b[name]
            torch.testing.assert_close(value, expected, rtol=1e-3, atol=1e-6)
    (link,) = read_chain(tmp_path / "m")
    assert link.seed == 2
    assert link.name == "link2, weights averaged with those before"
    assert link.sha256 == weights_sha256(tmp_path / "m") != weights_sha256(tmp_path / "b")


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        (("a=0.5", "b=0.4"), "add up to 0.9, expected 1"),
        (("a=1",), "expected FOLDER=WEIGHT with a weight between 0 and 1, got"),
        (("a", "b=0.5"), "expected FOLDER=WEIGHT"),
        (("a=0.5", "missing=0.5"), "missing: not a readable network folder"),
        (("a=0.5", "wider=0.5"), "not of one shape"),
    ],
)
def test_what_has_no_mean_is_refused_in_one_line(
    script, monkeypatch, tmp_path, capsys, shares, problem
):
    network_in(tmp_path / "a", 1)
    network_in(tmp_path / "b", 2)
    network_in(tmp_path / "wider", 3, width=64)
    with pytest.raises(SystemExit) as end:
        run(script, monkeypatch, tmp_path / "m", *(f"{tmp_path}/{share}" for share in shares))
    assert end.value.code == 2
    assert problem in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "m").exists()
