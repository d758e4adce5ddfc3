"""Building a data set: clean pictures with regions in, a root of the published layout out."""

from distortion_graph.data.build.options import SILENT, BuildOptions, BuildReport, Reporter
from distortion_graph.data.build.run import build_dataset
from distortion_graph.data.build.splits import SplitRule, parse_splits

__all__ = [
    "SILENT",
    "BuildOptions",
    "BuildReport",
    "Reporter",
    "SplitRule",
    "build_dataset",
    "parse_splits",
]
