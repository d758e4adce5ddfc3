"""The journal of an unfinished build: what was seen, made or skipped, picture by picture."""

from __future__ import annotations

from pathlib import Path

from distortion_graph.datasets.layout import JOURNAL_FILE
from distortion_graph.work.journal import Journal

SCANNED, MADE, SKIPPED = "scanned", "made", "skipped"
"""Kinds of its lines: a picture's fingerprints, its record, and why it is left out."""

_FORM = "distortion-graph build 1"


def build_journal(root: Path) -> Journal:
    """The journal in a root, whose names are the pictures' stems; raises as `Journal` does."""
    return Journal(root / JOURNAL_FILE, _FORM, named="stem", advice="build into a new folder")
