"""Is a data-set root whole? Every file, label, mask and list, and what they say of each other."""

from distortion_graph.datasets.check.findings import KINDS, CheckReport, Finding
from distortion_graph.datasets.check.run import check_dataset

__all__ = ["KINDS", "CheckReport", "Finding", "check_dataset"]
