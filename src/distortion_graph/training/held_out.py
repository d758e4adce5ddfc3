"""Which pictures are held out of training, and the score a checkpoint is chosen by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from distortion_graph.bench.evaluate import run
from distortion_graph.bench.protocol import bench_picture, make_pairs
from distortion_graph.data.pictures import CleanPicture
from distortion_graph.errors import DistortionGraphError
from distortion_graph.model.network import DistortionGraphNet
from distortion_graph.model.predict import TorchPredictor


def read_held_out(path: Path) -> frozenset[str]:
    """Names (without suffix) listed in a JSON object of lists."""
    try:
        lists = json.loads(path.read_text())
        return frozenset(
            str(name) for value in lists.values() if isinstance(value, list) for name in value
        )
    except (OSError, ValueError, AttributeError) as problem:
        raise DistortionGraphError(
            f"{path}: expected a JSON object of lists of picture names ({problem})"
        ) from problem


class HeldOutScore:
    """Mean of the four headline figures over hard pairs of held-out pictures."""

    def __init__(self, pictures: Sequence[CleanPicture], *, seed: int = 0) -> None:
        self.pictures = [bench_picture(p) for p in pictures]
        self.seed = seed

    def __call__(self, network: DistortionGraphNet) -> float:
        """Higher is better."""
        pairs = make_pairs("hard", self.pictures, seed=self.seed)
        return run(TorchPredictor(network), pairs, network.config.vocabulary).summary().mean
