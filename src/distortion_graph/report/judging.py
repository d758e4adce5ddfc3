"""What a person says of a region, in words."""

from __future__ import annotations

from distortion_graph.graph import SIDES, AnyRegion, DistortionGraph, Judgement, RegionComparison
from distortion_graph.report.wording import marks, printable, rank_of, words


def judgement_of(region: AnyRegion) -> Judgement | None:
    """What a person says of a region; nothing of one that one picture alone has."""
    return region.judged if isinstance(region, RegionComparison) else None


def is_judged(graph: DistortionGraph) -> bool:
    """Whether a person says something of any region."""
    return any(region.judged is not None for region in graph.regions)


def judged_lines(graph: DistortionGraph, judged: Judgement | None) -> tuple[str, ...]:
    """Who judged and when, and a line each for anchor, target and comparison where they are said.

    Such as `judged by ada, 2026-11-30`, `anchor: blur, moderate`, `the anchor is ▲ slightly
    better`. Empty where nobody judged.
    """
    if judged is None:
        return ()
    who = "judged" if judged.by is None else f"judged by {printable(judged.by)}"
    lines = [who if judged.at is None else f"{who}, {judged.at.date().isoformat()}"]
    for side in SIDES:
        said = getattr(judged, side)
        labels = dict.fromkeys(filter(None, (said.distortion, said.severity)))  # clean is in both
        if labels:
            lines.append(f"{side}: {', '.join(words(graph.vocabulary, x) for x in labels)}")
    if judged.comparison is not None:
        mark = marks(rank_of(graph, judged.comparison))
        lines.append(f"the anchor is {mark} {words(graph.vocabulary, judged.comparison)}")
    return tuple(lines)
