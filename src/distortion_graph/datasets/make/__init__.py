"""Building a data set: clean pictures with regions in, a root of the published layout out."""

from distortion_graph.datasets.make.options import SILENT, BuildOptions, BuildReport, Reporter
from distortion_graph.datasets.make.run import build_dataset
from distortion_graph.datasets.make.splits import SplitRule, parse_splits

__all__ = [
    "SILENT",
    "BuildOptions",
    "BuildReport",
    "Reporter",
    "SplitRule",
    "build_dataset",
    "parse_splits",
]
