"""Every source of the regions of a picture pair: files, specs, and what `segment` finds."""

from __future__ import annotations

from distortion_graph.masks.container import Region, RegionSet, Rle
from distortion_graph.regions.sources import REGION_SPECS_HELP, RegionSpec, resolve_regions

__all__ = ["REGION_SPECS_HELP", "Region", "RegionSet", "RegionSpec", "Rle", "resolve_regions"]
