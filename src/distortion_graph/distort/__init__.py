"""Synthetic distortions: one pure function per sub-type, and the registry of all of them."""

from distortion_graph.distort.registry import LEVELS, SUBTYPES, SubType, apply, find_subtype

__all__ = ["LEVELS", "SUBTYPES", "SubType", "apply", "find_subtype"]
