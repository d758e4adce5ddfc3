"""The score on held-out pictures that a checkpoint is chosen by."""

from __future__ import annotations

from collections.abc import Sequence

from distortion_graph.bench.evaluate import run
from distortion_graph.bench.protocol import MIN_SHARE, bench_picture, make_pairs
from distortion_graph.data.pictures import CleanPicture
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
        """Higher is better."""
        pairs = make_pairs("hard", self.pictures, seed=self.seed)
        return run(TorchPredictor(network), pairs, network.config.vocabulary).summary().mean
