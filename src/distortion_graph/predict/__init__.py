"""From pictures and regions to the graph, through ONNX Runtime; no torch."""
