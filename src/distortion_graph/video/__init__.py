"""Frames of two videos of one scene, compared over time."""

from distortion_graph.video.comparing import Comparing
from distortion_graph.video.options import VideoOptions
from distortion_graph.video.run import VideoReport, compare_videos

__all__ = ["Comparing", "VideoOptions", "VideoReport", "compare_videos"]
