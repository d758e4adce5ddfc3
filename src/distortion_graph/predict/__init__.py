"""The exported model: sessions of ONNX Runtime, tiles, and labels of its answer; no torch."""
