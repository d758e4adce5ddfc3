"""Data sets to and from the Hugging Face Hub, as roots or as shards; needs the hub extra."""

from __future__ import annotations

from distortion_graph.datasets.hub.pulling import PullReport, pull
from distortion_graph.datasets.hub.pushing import PushReport, push

__all__ = ["PullReport", "PushReport", "pull", "push"]
