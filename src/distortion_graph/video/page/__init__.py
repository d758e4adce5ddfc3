"""The page of two videos: the worst moments and the timeline."""

from distortion_graph.video.page.page import ShownMoment, video_page

__all__ = ["ShownMoment", "video_page"]
