"""`compare`: two pictures in, a distortion graph out."""

from distortion_graph.pipeline.comparing import compare, compare_pictures

__all__ = ["compare", "compare_pictures"]
