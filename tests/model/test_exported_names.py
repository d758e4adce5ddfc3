"""Names and numbers that the runtime, which knows no torch, shares with the network."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from distortion_graph.model.pair_encoder import PairEncoder
from distortion_graph.predict.names import MAP_CHANNELS


def test_the_runtime_knows_how_many_features_each_level_has():
    assert PairEncoder.channels == MAP_CHANNELS
