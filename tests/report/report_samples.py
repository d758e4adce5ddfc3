"""Small graphs with masks, for the tests of table and overlay."""

from __future__ import annotations

import numpy as np

from distortion_graph.graph import Evidence, MetricInfo
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


METRICS = [
    ("flip", "1.7", "BSD-3-Clause", (0.0, 1.0), "lower_is_better", 0.1875),
    ("ssimulacra2", "2.1", "BSD-3-Clause", (None, 100.0), "higher_is_better", -12.25),
    ("vif", "1", "Apache-2.0", (0.0, 1.0), "higher_is_better", None),
]
"""What `with_metrics` describes, and the value that every region has."""


def with_metrics(graph):
    """The graph with the same evidence in every region, of further metrics too."""
    graph = with_evidence(graph)
    more = {name: value for name, *_, value in METRICS}
    regions = tuple(
        r.model_copy(update={"evidence": r.evidence.model_copy(update={"more": more})})
        for r in graph.regions
    )
    metrics = tuple(
        MetricInfo(name=name, version=version, licence=licence, range=ends, direction=direction)
        for name, version, licence, ends, direction, _ in METRICS
    )
    return graph.model_copy(update={"regions": regions, "metrics": metrics})


def with_evidence(graph):
    """The graph with the same evidence in every region."""
    facts = Evidence(psnr_db=21.25, ssim=0.5, haarpsi=0.75, delta_e=12.5)
    regions = tuple(r.model_copy(update={"evidence": facts}) for r in graph.regions)
    return graph.model_copy(update={"regions": regions})
