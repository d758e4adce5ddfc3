"""The loss of what people judged: a label that nobody said moves nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the train extra")

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY as V  # noqa: E402
from distortion_graph.datasets.layout import PairKey  # noqa: E402
from distortion_graph.datasets.samples import Sample as Pair  # noqa: E402
from distortion_graph.graph.truth import UNSAID, PairLabels  # noqa: E402
from distortion_graph.masks.container import RegionSet  # noqa: E402
from distortion_graph.model.config import NetworkConfig  # noqa: E402
from distortion_graph.model.network import DistortionGraphNet  # noqa: E402
from distortion_graph.training.batch import make_batch  # noqa: E402
from distortion_graph.training.criterion import LossWeights, criterion  # noqa: E402
from distortion_graph.training.extras import IGNORED  # noqa: E402
from distortion_graph.training.pairs_dataset import training_sample  # noqa: E402

SIZE = (32, 48)


def judged_pair(distortion, severity, comparison):
    """A pair of two regions with these labels, positions or UNSAID, and without scores."""
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, *SIZE, 3), dtype=np.uint8)
    regions = RegionSet.grid(SIZE, 1, 2)
    nothing = np.full((2, 2), np.nan)
    labels = PairLabels.of(
        np.array(distortion), np.array(severity), nothing, nothing[0], V, np.array(comparison)
    )
    return Pair(
        PairKey("mixed", "mixed2", "x.png"),
        regions,
        labels,
        (),
        lambda: pictures[0],
        lambda: pictures[1],
        regions.masks,
    )


def losses(pair, weights=None):
    batch = make_batch([training_sample(pair, V, np.random.default_rng(0))], V)
    torch.manual_seed(0)
    network = DistortionGraphNet(NetworkConfig(width=32, layers=1, heads=2)).eval()
    output = network(*batch.inputs)
    found = criterion(output, batch.targets, batch.inputs.valid, weights or LossWeights())
    return batch, output, network, found


def test_what_was_said_is_the_target_and_nothing_else():
    pair = judged_pair([[0, 7], [UNSAID, 6]], [[0, 2], [1, UNSAID]], [3, UNSAID])
    batch, output, network, found = losses(pair)
    targets = batch.targets
    assert targets.distortion[0, :, 1:].tolist() == [[0, 7], [IGNORED, 6]]
    assert targets.severity[0, :, 1:].tolist() == [[0, 2], [1, IGNORED]]
    assert targets.comparison[0].tolist() == [IGNORED, 3, IGNORED]
    assert targets.known[0, :, 1:].tolist() == [[1, 1], [IGNORED, 1]]
    assert targets.score.isnan().all()
    assert found.score == 0 and found.margin == 0 and torch.isfinite(found.total)
    said = output.distortion[0]
    assert found.distortion.item() == pytest.approx(
        -(said[0, 1, 0] + said[0, 2, 7] + said[1, 2, 6]).item() / 3, rel=1e-5
    )
    assert found.comparison.item() == pytest.approx(-output.comparison[0, 1, 3].item(), rel=1e-5)
    # A severity alone is judged under all that the network thinks the distortion may be.
    given = output.severity_given[0].exp()
    alone = (said[1, 1].exp()[:, None] * given[1, 1]).sum(0)[1].log()
    rest = output.severity_given[0, 0, 1, 0, 0] + output.severity_given[0, 0, 2, 7, 2]
    assert found.severity.item() == pytest.approx(-(alone + rest).item() / 3, rel=1e-4)
    found.total.backward()
    grown = [p.grad for p in network.parameters() if p.grad is not None]
    assert grown and all(torch.isfinite(grad).all() for grad in grown)


def test_a_pair_of_which_nobody_says_anything_has_no_loss():
    unsaid = [[UNSAID] * 2] * 2
    _, _, _, found = losses(judged_pair(unsaid, unsaid, [UNSAID] * 2))
    assert found.total.item() == 0


def test_scores_beside_them_still_count():
    pair = judged_pair([[0, 7], [6, 6]], [[0, 2], [1, 1]], [3, 3])
    score = np.array([[1.0, np.nan], [0.5, np.nan]])
    pair = replace(pair, labels=replace(pair.labels, score=score))
    _, output, _, found = losses(pair)
    apart = (output.score[0, :, 1] - torch.tensor([1.0, 0.5])).abs().mean()
    assert found.score.item() == pytest.approx(apart.item(), rel=1e-5)
