"""Names and files that the exported model and the runtime agree on."""

from __future__ import annotations

ENCODER_FILE = "encoder.onnx"
HEAD_FILE = "head.onnx"
MANIFEST_FILE = "model.json"

NETWORK_FILE = "network.json"
"""Settings of a network that is not exported, beside its weights."""

PIXEL_INPUTS = ("pixel_means", "pixel_squares")
ENCODER_INPUTS = ("images", "weights", *PIXEL_INPUTS)
MOMENTS = ("weight_sum", "first", "second", "cross")
COUNTS = ("own_counts", "joint_counts", "detail_counts")
HEAD_INPUTS = (*MOMENTS, *COUNTS, "area", "is_scene")
OUTPUTS = ("distortion", "severity_given", "score", "comparison", "known")
