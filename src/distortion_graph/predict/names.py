"""Names and files that the exported model and the runtime agree on."""

from __future__ import annotations

ENCODER_FILE = "encoder.onnx"
POOLING_FILE = "pooling.onnx"
READER_FILE = "reader.onnx"
HEAD_FILE = "head.onnx"
MANIFEST_FILE = "model.json"
MODEL_FILES = (ENCODER_FILE, POOLING_FILE, READER_FILE, HEAD_FILE)
"""Those that the manifest has the hash of, in this order."""

NETWORK_FILE = "network.json"
"""Settings of a network that is not exported, beside its weights."""

PICTURE = "picture"
"""What the encoder takes: one picture."""

MAPS = ("map_4", "map_8", "map_16", "map_32")
"""What the encoder gives: its maps of the picture, in cells of so many pixels' side."""

WEIGHTS = ("weights_4", "weights_8", "weights_16", "weights_32")
"""Shares of cells of so many pixels' side that regions cover."""

POOLING_INPUTS = (*MAPS, *WEIGHTS)
POOLED = ("weight_sum", "sums")
"""What pooling gives: the sums of the weights, and of maps by them."""

MOMENTS = ("weight_sum", "first", "second", "cross")
"""Of a pair: sums of the weights, and by them of both pictures' features, of their squares and of
their products."""
MAP_CHANNELS = (16, 16, 24, 40, 112)
"""Features of each level that has a `weight_sum` of its own: pixel statistics, then the maps."""
COUNTS = ("own_counts", "joint_counts", "detail_counts", "pattern_counts")
STATISTICS = (*COUNTS, "edges")
READING = "reading"
"""What the reader makes of the statistics of regions."""

HEAD_INPUTS = (*MOMENTS, READING, "area", "is_scene")
REGION_AXES = {
    "weight_sum": 0,
    "first": 1,
    "second": 1,
    "cross": 0,
    "own_counts": 1,
    "joint_counts": 0,
    "detail_counts": 0,
    "pattern_counts": 1,
    "edges": 1,
    READING: 1,
    "area": 0,
    "is_scene": 0,
}
"""Which of their axes is the regions'."""

IS_ORIGINAL = "is_original"
"""Of a head that takes a reference: (2,) 1 for the picture that is known to be the original."""

OUTPUTS = ("distortion", "severity_given", "score", "comparison", "known")
PRESENT = "present"
"""Of a head that names further distortions: (2, R, D) probabilities."""
