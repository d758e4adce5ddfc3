"""Training: batches by index, a criterion that counts, networks saved and loaded strictly."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from skimage import data as pictures  # noqa: E402

from distortion_graph.base.errors import ModelError, RecipeError  # noqa: E402
from distortion_graph.base.vocabulary import ComparisonLevel, Vocabulary  # noqa: E402
from distortion_graph.datasets.pictures import CleanPicture  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet, NetworkOutput  # noqa: E402
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, Recipe  # noqa: E402
from distortion_graph.training.batch import Targets  # noqa: E402
from distortion_graph.training.checkpoint import load_network, save_network  # noqa: E402
from distortion_graph.training.criterion import LossWeights, criterion  # noqa: E402
from distortion_graph.training.crops import random_crop  # noqa: E402
from distortion_graph.training.extras import IGNORED  # noqa: E402
from distortion_graph.training.samples import SampleStream, SamplingConfig  # noqa: E402

WORDS = Vocabulary(
    distortions=("noise", "fine", "blur"),
    severities=("fine", "bad"),
    comparisons=tuple(
        ComparisonLevel(label=f"r{rank}", rank=rank, min_abs_d=d)
        for rank, d in ((-3, 0.5), (-2, 0.3), (-1, 0.1), (0, 0), (1, 0.1), (2, 0.3), (3, 0.5))
    ),
)
LEVELS: dict[str, Any] = {"severity_levels": {"bad": (2, 4)}}
SMALL = NetworkConfig(width=32, layers=1, heads=2, dropout=0.0)
SAMPLING = SamplingConfig(crops=((64, 3), (96, 2)), feather_share=0.0, wild_share=0.0)


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
    settings: dict[str, Any] = {"seed": 0, "recipe": DEFAULT_RECIPE, "sampling": SAMPLING} | options
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
        regions_only = (inputs.valid & (inputs.is_scene == 0))[:, None]
        assert (known == (regions_only & (targets.known != 0))).all()  # outliers have no label
        clean = targets.distortion == 0
        assert ((targets.severity == 0) == clean).all()
        # What loses less than level 1 of its type is clean where labels follow the loss.
        assert (targets.score[clean & known] > 0.9).all()
        margin = targets.score[:, 0] - targets.score[:, 1]
        better = (targets.comparison > 2) & inputs.valid
        assert (margin[better] >= 0.1).all()


def test_small_crops_may_show_the_whole_picture_and_never_more():
    across = np.tile(np.arange(240, dtype=np.uint8), (200, 1))
    picture = CleanPicture("ramp", np.dstack([across] * 3), (np.ones((200, 240), np.uint16),))
    rng = np.random.default_rng(0)
    shown = []
    for _ in range(400):
        crop, labels = random_crop(picture, 32, rng)
        assert crop.shape == (32, 32, 3) and labels.shape == (32, 32)
        shown.append(float(crop.max()) - crop.min())
    assert min(shown) < 40 and 170 < max(shown) <= 200  # the crop is square, the picture is not


def test_an_enlarged_crop_shows_so_much_less():
    across = np.tile(np.arange(240, dtype=np.uint8), (200, 1))
    picture = CleanPicture("ramp", np.dstack([across] * 3), (np.ones((200, 240), np.uint16),))
    rng = np.random.default_rng(0)
    for _ in range(40):
        crop, labels = random_crop(picture, 96, rng, 2.4)
        assert crop.shape == (96, 96, 3) and labels.shape == (96, 96)
        assert 37 <= float(crop.max()) - crop.min() <= 41


def test_criterion_by_hand():
    output = NetworkOutput(
        distortion=torch.full((1, 2, 2, 15), -np.log(15.0)),
        severity_given=torch.full((1, 2, 2, 15, 4), -np.log(4.0)),
        score=torch.tensor([[[0.5, 0.5], [0.5, 0.5]]]),
        comparison=torch.full((1, 2, 5), -np.log(5.0)),
        known=torch.full((1, 2, 2), 0.5),
        present=torch.full((1, 2, 2, 15), 0.5),
    )
    targets = Targets(
        distortion=torch.tensor([[[3, IGNORED], [7, IGNORED]]]),
        severity=torch.tensor([[[1, IGNORED], [2, IGNORED]]]),
        score=torch.tensor([[[0.9, 0.0], [0.6, 0.0]]]),
        comparison=torch.tensor([[4, IGNORED]]),
        present=torch.zeros(1, 2, 2, 15),
        known=torch.tensor([[[1, IGNORED], [1, IGNORED]]]),
    )
    valid = torch.tensor([[True, False]])
    losses = criterion(output, targets, valid, LossWeights(1, 2, 3, 4, 5, 6, 7))
    assert losses.distortion.item() == pytest.approx(np.log(15))
    assert losses.severity.item() == pytest.approx(np.log(4))
    assert losses.score.item() == pytest.approx((0.4 + 0.1) / 2)
    assert losses.margin.item() == pytest.approx(0.3)
    assert losses.comparison.item() == pytest.approx(np.log(5))
    # The mean of both kinds of nodes, of which only the known ones are there.
    assert losses.known.item() == pytest.approx(np.log(2) / 2)
    expected = np.log(15) + 2 * np.log(4) + 3 * 0.25 + 4 * 0.3 + 5 * np.log(5) + 3 * np.log(2)
    assert losses.present.item() == pytest.approx(15 * np.log(2))
    expected += 7 * 15 * np.log(2)
    assert losses.total.item() == pytest.approx(expected)
    nothing = criterion(output, targets, torch.zeros_like(valid), LossWeights())
    assert nothing.total.item() == 0


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda c: [], "expected a JSON object, found list"),
        (lambda c: c | {"width": "wide"}, "width: Input should be a valid integer"),
        (lambda c: c | {"width": -1}, "width: "),
        (lambda c: c | {"dropout": 7.0}, "dropout: "),
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


def test_one_distortion_type_is_too_few(sources):
    one = WORDS.model_copy(update={"distortions": ("noise", "fine")})
    with pytest.raises(RecipeError, match="at least 2 distortion types"):
        stream(sources, recipe=Recipe(vocabulary=one, **LEVELS))


def test_settings_that_came_later_may_be_missing_and_the_first_ones_not(tmp_path):
    network = DistortionGraphNet(SMALL)
    save_network(tmp_path, network, network.state_dict())
    path = tmp_path / "network.json"
    facts = json.loads(path.read_text())
    first = ("vocabulary", "width", "layers", "heads", "dropout")
    path.write_text(json.dumps({name: facts[name] for name in first}))
    assert load_network(tmp_path).config == SMALL
    path.write_text(json.dumps({"model": "panda"} | facts))
    with pytest.raises(ModelError, match="architecture 'panda', expected 'lite0'"):
        load_network(tmp_path)
