"""Names and files that the exported model and the runtime agree on."""

from __future__ import annotations

ENCODER_FILE = "encoder.onnx"
HEAD_FILE = "head.onnx"
MANIFEST_FILE = "model.json"

NETWORK_FILE = "network.json"
"""Settings of a network that is not exported, beside its weights."""

ENCODER_INPUTS = ("images", "weights")
# The encoder's are of its own maps; the head's begin with those of the pixel statistics.
MOMENTS = ("weight_sum", "first", "second", "cross")
COUNTS = ("own_counts", "joint_counts", "detail_counts", "pattern_counts")
STATISTICS = (*COUNTS, "edges")
HEAD_INPUTS = (*MOMENTS, *STATISTICS, "area", "is_scene")
OUTPUTS = ("distortion", "severity_given", "score", "comparison", "known")
