"""The distortion graph, its parts, and how it is read and written."""

from __future__ import annotations

from distortion_graph.base.vocabulary import FrozenMap
from distortion_graph.graph.aligned import AlignmentInfo, AnyRegion, RegionAlone, rows_of
from distortion_graph.graph.graph import (
    SCHEMA,
    DistortionGraph,
    graph_from_value,
    json_schema,
    json_schema_text,
    load_graph,
    parse_json,
)
from distortion_graph.graph.judged import Judgement, NodeJudgement
from distortion_graph.graph.judging import judge
from distortion_graph.graph.metrics import MetricInfo
from distortion_graph.graph.parts import (
    MOST_SPOTS,
    SIDES,
    ComparisonBelief,
    Difference,
    Evidence,
    Fitting,
    FurtherDistortion,
    ImageInfo,
    LabelBelief,
    Mask,
    ModelInfo,
    Node,
    RegionComparison,
    Relation,
    Scene,
    SceneNode,
    Side,
    Transparency,
    score_margin,
)
from distortion_graph.graph.referenced import ReferenceInfo, Scores

__all__ = [
    "MOST_SPOTS",
    "SCHEMA",
    "SIDES",
    "AlignmentInfo",
    "AnyRegion",
    "ComparisonBelief",
    "Difference",
    "DistortionGraph",
    "Evidence",
    "Fitting",
    "FrozenMap",
    "FurtherDistortion",
    "ImageInfo",
    "Judgement",
    "LabelBelief",
    "Mask",
    "MetricInfo",
    "ModelInfo",
    "Node",
    "NodeJudgement",
    "ReferenceInfo",
    "RegionAlone",
    "RegionComparison",
    "Relation",
    "Scene",
    "SceneNode",
    "Scores",
    "Side",
    "Transparency",
    "graph_from_value",
    "json_schema",
    "json_schema_text",
    "judge",
    "load_graph",
    "parse_json",
    "rows_of",
    "score_margin",
]
