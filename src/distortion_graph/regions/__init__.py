"""Every source of the regions of a picture pair: files, specs, and what `segment` finds."""

from __future__ import annotations

from distortion_graph.masks.container import Region, RegionSet, Rle
from distortion_graph.regions.sources import RegionSource, resolve_regions
from distortion_graph.regions.spec import REGION_SPECS_HELP, RegionSpec
from distortion_graph.segment.distortions import Asked

__all__ = [
    "REGION_SPECS_HELP",
    "Asked",
    "Region",
    "RegionSet",
    "RegionSource",
    "RegionSpec",
    "Rle",
    "resolve_regions",
]
