"""`rank`: several pictures of one scene in, an order of them in every region out."""

from distortion_graph.ranking.candidates import Loaded, NamedPicture, load_candidates
from distortion_graph.ranking.parts import (
    BdRate,
    Candidate,
    Ladder,
    LeftOut,
    RankedRegion,
    Ranking,
    Rates,
    RegionStanding,
    SceneStanding,
)
from distortion_graph.ranking.ranking import rank, rank_loaded

__all__ = [
    "BdRate",
    "Candidate",
    "Ladder",
    "LeftOut",
    "Loaded",
    "NamedPicture",
    "RankedRegion",
    "Ranking",
    "Rates",
    "RegionStanding",
    "SceneStanding",
    "load_candidates",
    "rank",
    "rank_loaded",
]
