"""`distortion-graph calibrate`: temperatures and threshold found, kept, exported, and refusals."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from cli_runs import photo
from optional import present
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the train extra")
for needed in ("accelerate", "yaml"):
    pytest.importorskip(needed, reason="needs the train extra")

from distortion_graph.datasets.layout import INDEX_FILE  # noqa: E402
from distortion_graph.datasets.pictures import load_sources  # noqa: E402
from distortion_graph.datasets.reader import PandaSet  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.model.predict import TorchPredictor  # noqa: E402
from distortion_graph.predict.decode import choose_further  # noqa: E402
from distortion_graph.training.calibration import _tempered, calibrate  # noqa: E402
from distortion_graph.training.checkpoint import load_network, save_network  # noqa: E402
from distortion_graph.training.held_out import HeldOutScore, RootScore  # noqa: E402

pytestmark = pytest.mark.slow


@pytest.fixture
def net(here):
    """A fresh, overconfident network in net/, and a labelled picture in lab/."""
    for part in ("images", "regions"):
        (here / "lab" / part).mkdir(parents=True)
    Image.fromarray(photo()).save(here / "lab" / "images" / "a.png")
    (here / "masks.png").rename(here / "lab" / "regions" / "a_0.png")
    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=32, layers=1, heads=2))
    with torch.no_grad():
        network.head.nodes.distortion.weight.mul_(12)
    save_network(here / "net", network, network.state_dict())
    return here / "net"


def test_a_calibrated_network_is_less_sure_and_says_the_same(cli, net, here):
    (here / "photos").mkdir()
    Image.fromarray(photo(7)).save(here / "photos" / "other.png")
    build = "dataset build lab --out set --split val --types blur,noise,compression --workers 0"
    assert cli(*build.split()).code == 0
    lists = json.loads((here / "set" / INDEX_FILE).read_text())
    few = {name: keys[:12] for name, keys in lists.items()}
    (here / "few.json").write_text(json.dumps(few))
    (here / "few.json").replace(here / "set" / INDEX_FILE)
    arguments = "calibrate net --out cal --root set --clean-pictures photos"
    ended = cli(*arguments.split())
    assert ended.code == 0, ended.err
    found = json.loads((here / "cal" / "calibration.json").read_text())
    assert set(found["temperature"]) == {"distortion", "severity", "comparison"}
    assert found["temperature"]["distortion"] > 1
    assert found["error_after"]["distortion"] < found["error_before"]["distortion"]
    assert "uncertain where known is below" in ended.out
    before, after = load_network(net), load_network(here / "cal")
    assert after.head.nodes.temperature[0].item() == pytest.approx(
        found["temperature"]["distortion"], rel=1e-3
    )
    score = RootScore(PandaSet(here / "set"))
    for sample in score.samples("hard"):
        pair = sample.anchor, sample.target, sample.masks
        p, q = (TorchPredictor(network).predict(*pair) for network in (before, after))
        assert (p.distortion.argmax(-1) == q.distortion.argmax(-1)).all()
        assert q.distortion.max(-1).mean() < p.distortion.max(-1).mean()
        assert (p.score == q.score).all()
    # Found once more, nothing changes: the temperatures are not piled up.
    again, first = (calibrate(n, score.samples("hard"), score.clean()) for n in (after, before))
    assert again.error_before["distortion"] == pytest.approx(
        first.error_before["distortion"], abs=1e-3
    )
    # Of no kind of pair more than two in a hundred are below the threshold, nor fewer of all.
    told = found["uncertain"]
    assert told["clean pictures beside itself"] == 0
    assert 0 < max(told.values()) <= 0.02 + 1 / 24  # one node of a kind with few
    assert "  0.0 % clean pictures beside itself" in ended.out
    threshold = after.head.nodes.known_threshold.item()
    for clean in score.clean():
        picture, masks = clean.picture, clean.versions.masks
        known = TorchPredictor(after).predict(picture, picture, masks).known
        assert known is not None and (known > threshold).all()
    chain = json.loads((here / "cal" / "chain.json").read_text())
    assert [link["name"] for link in chain] == ["net"]


def test_a_missing_folder_of_clean_pictures_is_refused(cli, net):
    ended = cli(
        *("calibrate", "net", "--out", "x", "--labelled", "lab", "--clean-pictures", "nowhere")
    )
    assert ended.code == 2 and "nowhere" in ended.err


def test_a_temperature_is_a_power():
    p = np.array([[0.7, 0.2, 0.1, 0.0]])
    assert np.allclose(_tempered(p, 1), p)
    cold, hot = _tempered(p, 0.5), _tempered(p, 2)
    assert np.allclose(cold, np.array([[0.49, 0.04, 0.01, 0]]) / 0.54)
    assert hot[0, 0] < 0.7 < cold[0, 0] and hot[0, 3] == 0


def test_nothing_to_learn_from_is_refused(cli, net):
    ended = cli("calibrate", "net", "--out", "cal")
    assert ended.code == 2 and "name pictures or a data set" in ended.err
    assert "\n" not in ended.err.strip()


def test_further_distortions_are_listed_from_the_probability_of_highest_f1(net, here):
    network = DistortionGraphNet(NetworkConfig(width=32, layers=1, heads=2, also=True))
    score = HeldOutScore(load_sources([here / "lab"], [], cache=here / "regions"))
    samples = list(score.several())
    suffered = [present(sample.suffered).present for sample in samples]
    assert max(each.sum(-1).max() for each in suffered) > 1
    found = calibrate(network, samples, score.clean(), samples)
    words, predictor = network.config.vocabulary, TorchPredictor(network)
    said = [predictor.predict(s.anchor, s.target, s.masks) for s in samples]

    def further(predictions, threshold):
        first = predictions.distortion.argmax(-1)
        return choose_further(predictions, first, words, threshold).ravel()

    true = np.concatenate(
        [
            further(replace(p, present=t.astype(float)), 1)
            for p, t in zip(said, suffered, strict=True)
        ]
    )

    def f1(threshold):
        listed = np.concatenate([further(p, threshold) for p in said])
        return 2 * (listed & true).sum() / (listed.sum() + true.sum())

    assert f1(present(found.also_threshold)) == pytest.approx(found.also_f1)
    assert present(found.also_f1) >= max(f1(t) for t in (0.1, 0.3, 0.5, 0.7, 0.9))
    save_network(here / "again", network, network.state_dict())
    kept = load_network(here / "again").head.nodes.also_threshold
    assert kept == pytest.approx(found.also_threshold, abs=1e-3)
