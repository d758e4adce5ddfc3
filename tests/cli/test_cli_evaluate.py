"""`distortion-graph evaluate`: figures of a network as it was trained, and refusals."""

from __future__ import annotations

import json

import numpy as np
import pytest
from cli_runs import contents, photo
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the train extra")
for needed in ("accelerate", "yaml"):
    pytest.importorskip(needed, reason="needs the train extra")

from distortion_graph.datasets.pictures import load_labelled  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.training.checkpoint import load_network, save_network  # noqa: E402
from distortion_graph.training.held_out import HeldOutScore  # noqa: E402


@pytest.fixture
def net(here):
    """A fresh network in net/, and labelled pictures a, b in lab/."""
    for part in ("images", "regions"):
        (here / "lab" / part).mkdir(parents=True)
    labels = np.asarray(Image.open("masks.png"))
    for k, name in enumerate("ab"):
        Image.fromarray(photo(k)).save(here / "lab" / "images" / f"{name}.png")
        Image.fromarray(labels).save(here / "lab" / "regions" / f"{name}_0.png")
    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=32, layers=1, heads=2))
    save_network(here / "net", network, network.state_dict())
    (here / "hold.json").write_text('{"lab": ["b"]}')
    return here / "net"


def test_figures_are_those_that_networks_are_chosen_by(cli, net, here):
    before = contents(here)
    ended = cli("evaluate", "net", "--labelled", "lab", "--json", "found.json", "--draws", 20)
    assert ended.code == 0, ended.err
    assert "4 pairs of 2 pictures, 8 regions" in " ".join(ended.out.split())
    found = json.loads((here / "found.json").read_text())
    assert (found["network"], found["of"]) == ("net", "pictures")
    assert [link["name"] for link in found["chain"]] == ["net"]
    score = HeldOutScore(load_labelled(here / "lab"))(load_network(net))
    assert found["figures"]["hard"]["mean"] == pytest.approx(score)
    low, high = found["figures"]["hard"]["intervals"]["comparison.accuracy"]
    assert low <= found["figures"]["hard"]["comparison"]["accuracy"] <= high
    after = contents(here)
    after.pop("found.json")
    assert after == before


def test_held_out_names_choose_the_pictures(cli, net):
    ended = cli("evaluate", "net", "--labelled", "lab", "--held-out", "hold.json", "--draws", 0)
    assert ended.code == 0 and "2 pairs of 1 picture, 4 reg" in " ".join(ended.out.split()), (
        ended.err
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("nix --labelled lab", "nix: not a readable network folder"),
        ("net", "net: has no training_config.yaml that says what it was chosen on; name pictures"),
        ("net --labelled nix", "nix/images: no picture found"),
        (
            "net --labelled lab --pairs hart",
            "'hart' is unknown, expected easy, medium",
        ),
        ("net --root nix", "nix: is not a folder, expected the root of a data set"),
        ("net --labelled lab --root lab", "data.root is a whole data set"),
        ("net --labelled lab --json nix/f.json", "nix/f.json: the folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(cli, net, options, words):
    assert words in cli("evaluate", *options.split()).refusal
