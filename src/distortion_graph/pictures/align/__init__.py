"""How two pictures of one scene lie on each other, and pixels carried from one to the other."""

from distortion_graph.pictures.align.alignment import (
    ALIGN_MODES,
    Alignment,
    AlignMode,
    Model,
    Reason,
)
from distortion_graph.pictures.align.overlap import Overlap, coarser, overlap_of
from distortion_graph.pictures.align.places import places_in_anchor, places_in_target
from distortion_graph.pictures.align.registration import align
from distortion_graph.pictures.align.warping import Warped, valid_pixels, warped

__all__ = [
    "ALIGN_MODES",
    "AlignMode",
    "Alignment",
    "Model",
    "Overlap",
    "Reason",
    "Warped",
    "align",
    "coarser",
    "overlap_of",
    "places_in_anchor",
    "places_in_target",
    "valid_pixels",
    "warped",
]
