"""Sources: clean pictures and their regions, from folders and annotation files.

`parse_source` makes a `Source` of its spelling on the command line (`SOURCES_HELP`).
"""

from __future__ import annotations

from distortion_graph.datasets.sources.base import Relation, Source, SourceItem, SourcePicture
from distortion_graph.datasets.sources.choice import RegionChoice, choose_regions
from distortion_graph.datasets.sources.parse import SOURCES_HELP, parse_source

__all__ = [
    "SOURCES_HELP",
    "RegionChoice",
    "Relation",
    "Source",
    "SourceItem",
    "SourcePicture",
    "choose_regions",
    "parse_source",
]
