"""Benchmarks: the protocol behind every number, and the metrics."""
