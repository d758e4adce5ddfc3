"""A ranking as one HTML file: order, map, matrix, pictures side by side, rates."""

from distortion_graph.ranking.page.page import RankedPictures, ranking_page

__all__ = ["RankedPictures", "ranking_page"]
