"""Synthetic distortions: one pure function per sub-type, and the registry of all of them."""

from distortion_graph.masks.boxes import Box
from distortion_graph.synth.distort.frames import Frames
from distortion_graph.synth.distort.registry import (
    LEVELS,
    SUBTYPES,
    SubType,
    apply,
    apply_in_box,
    find_subtype,
)

__all__ = [
    "LEVELS",
    "SUBTYPES",
    "Box",
    "Frames",
    "SubType",
    "apply",
    "apply_in_box",
    "find_subtype",
]
