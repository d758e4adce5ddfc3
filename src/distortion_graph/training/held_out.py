"""The score on held-out pictures that a checkpoint is chosen by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from distortion_graph.bench.evaluate import predict_all
from distortion_graph.bench.figures import figures_of
from distortion_graph.bench.protocol import MIN_SHARE, bench_picture, samples_of
from distortion_graph.data.pictures import CleanPicture
from distortion_graph.data.reader import PandaSet
from distortion_graph.data.samples import Sample
from distortion_graph.errors import RegionError
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.model.predict import TorchPredictor


class HeldOutScore:
    """Mean of the four headline figures over hard pairs of held-out pictures."""

    def __init__(self, pictures: Sequence[CleanPicture], *, seed: int = 0) -> None:
        self.pictures = [bench_picture(p) for p in pictures]
        if not any(len(p.masks) for p in self.pictures):
            raise RegionError(
                f"none of the {len(pictures)} held-out pictures has a region of at least "
                f"{MIN_SHARE:.1%} of it; hold out others"
            )
        self.seed = seed

    def __call__(self, network: DistortionGraphNet) -> float:
        """Higher is better; NaN where every score is the same."""
        return _score(network, samples_of(self.pictures, "hard", seed=self.seed))


class RootScore:
    """The same over the hard pairs of a data set's split."""

    def __init__(self, data: PandaSet, split: str = "val") -> None:
        """Raises DatasetError where there are no such pairs, RegionError without a region."""
        self.data, self.split, self.keys = data, split, data.keys(split, "hard")
        if not any(len(data.sample(split, key).regions) for key in self.keys):
            raise RegionError(f"{data.root}: no hard pair of {split} has a region to choose on")

    def __call__(self, network: DistortionGraphNet) -> float:
        """Higher is better; NaN where every score is the same."""
        return _score(network, (self.data.sample(self.split, key) for key in self.keys))


def _score(network: DistortionGraphNet, samples: Iterable[Sample]) -> float:
    words = network.config.vocabulary
    truth, answers = predict_all(TorchPredictor(network), samples, words)
    mean = figures_of(truth, answers, words, draws=0).mean
    return math.nan if mean is None else mean
