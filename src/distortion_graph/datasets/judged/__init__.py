"""Data sets of what people judged: `dataset import-judged`."""

from distortion_graph.datasets.judged.importing import ImportReport, import_judged

__all__ = ["ImportReport", "import_judged"]
