"""Small graphs with masks, for the tests of table and overlay."""

from __future__ import annotations

import numpy as np

from distortion_graph.graph import Evidence
from distortion_graph.masks.container import RegionSet
from distortion_graph.synth.pairs import make_pair


def photo(h=48, w=64, seed=0):
    rng = np.random.default_rng(seed)
    blocks = rng.integers(30, 226, (h // 8 + 1, w // 8 + 1, 3))
    return np.kron(blocks, np.ones((8, 8, 1), int))[:h, :w].astype(np.uint8)


def pair(rows=2, cols=3, h=48, w=64, seed=0, **options):
    """A hard synthetic pair on a grid of regions."""
    regions = RegionSet.grid((h, w), rows, cols)
    return make_pair(photo(h, w), regions, tag="sample", seed=seed, **options)


def with_evidence(graph):
    """The graph with the same evidence in every region."""
    facts = Evidence(psnr_db=21.25, ssim=0.5, haarpsi=0.75, delta_e=12.5)
    regions = tuple(r.model_copy(update={"evidence": facts}) for r in graph.regions)
    return graph.model_copy(update={"regions": regions})
