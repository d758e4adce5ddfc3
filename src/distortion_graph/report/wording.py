"""A graph in words for people: labels without underscores, and one sentence about the whole."""

from __future__ import annotations

from collections.abc import Iterable

from distortion_graph.graph import SIDES, DistortionGraph, Evidence, Node, RegionComparison
from distortion_graph.report.places import differing_share, most_different, places_clause

_MARKS = {-1: "▼", 0: "=", 1: "▲"}


UNCERTAIN = "uncertain"
"""What is said of a node that the model itself does not believe to know."""


def is_uncertain(graph: DistortionGraph, node: Node) -> bool:
    """Whether the model of the graph asks not to be believed about a node."""
    threshold = None if graph.model is None else graph.model.known_threshold
    return node.known is not None and threshold is not None and node.known < threshold


def words(label: str) -> str:
    """A label as people write it: `slightly_worse` → `slightly worse`."""
    return printable(label.replace("_", " "))


def printable(text: str) -> str:
    """One line of text without characters that steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def rank_of(graph: DistortionGraph, label: str) -> int:
    """The rank of a comparison label: above 0 the anchor is better, below 0 worse."""
    vocabulary = graph.vocabulary
    return vocabulary.comparisons[vocabulary.comparison_index(label)].rank


def marks(rank: int) -> str:
    """|rank| triangles, up for better and down for worse; an equals sign for 0."""
    return _MARKS[(rank > 0) - (rank < 0)] * max(1, abs(rank))


def evidence_texts(facts: Evidence | None) -> tuple[str, str, str, str]:
    """PSNR in dB, SSIM, HaarPSI and ΔE as text; empty where one was not measured."""
    if facts is None:
        return "", "", "", ""
    # Measured, but without a number: the pixels are identical.
    identical = facts.psnr_db is None and facts.ssim is not None
    psnr = "∞" if identical else "" if facts.psnr_db is None else f"{facts.psnr_db:.1f}"
    unit = ["" if v is None else f"{v:.2f}" for v in (facts.ssim, facts.haarpsi)]
    return psnr, unit[0], unit[1], "" if facts.delta_e is None else f"{facts.delta_e:.1f}"


def score_text(score: float | None) -> str:
    """A quality score with two places; a dash where it is not known."""
    return "–" if score is None else f"{score:.2f}"


def percent(share: float) -> str:
    """A share with one place: `12.5 %`."""
    return f"{100 * share:.1f} %"


def worst_first(graph: DistortionGraph) -> list[RegionComparison]:
    """The distorted regions, worst first; then the clean ones, the most different first.

    The worst is the one with the lowest score in either picture; without a score it is the last.
    Of clean regions that differ alike, the worst is first.
    """
    clean = graph.vocabulary.clean

    def order(region: RegionComparison) -> tuple[bool, float, float]:
        is_clean = all(region.node(side).distortion.label == clean for side in SIDES)
        different = differing_share(region) if is_clean else 0.0
        return is_clean, -different, min(_scores(region), default=2.0)

    return sorted(graph.regions, key=order)


def summary(graph: DistortionGraph) -> str:
    """One plain sentence: which picture is better, where they differ, and the worst region."""
    overall = _overall(graph)
    region = most_different(graph)
    differ = places_clause(graph, None if region is None else _titled(region))
    if differ is not None:
        equal = " are about equal"
        linked = ", but" if equal in overall else ";"
        overall = f"{overall.replace(equal, ' are judged equally good')}{linked} {differ}"
    counted = _counted(graph) if graph.regions else ""
    if differ is not None:  # what differs is not called the same
        counted = counted.replace("the same", "equally good")
    sentence = f"{overall}; {counted}" if counted else overall
    worst = _worst(graph)
    return f"{sentence}; {worst}." if worst else f"{sentence}."


def _overall(graph: DistortionGraph) -> str:
    scene = graph.scene
    if scene is None or scene.comparison is None:
        return "The pictures as wholes were not compared"
    if scene.evidence is not None and scene.evidence.ssim == 1 and scene.evidence.psnr_db is None:
        return "The two pictures are identical, pixel for pixel"
    rank = rank_of(graph, scene.comparison.label)
    scores = [s for s in (scene.anchor.score, scene.target.score) if s is not None]
    shown = f" ({scores[0]:.2f} against {scores[1]:.2f})" if len(scores) == 2 else ""
    if rank == 0:
        return f"As wholes, anchor and target are about equal{shown}"
    return f"As a whole, the anchor is {words(scene.comparison.label)} than the target{shown}"


def _counted(graph: DistortionGraph) -> str:
    ranks = [rank_of(graph, region.comparison.label) for region in graph.regions]
    total = len(ranks)
    better, worse = sum(r > 0 for r in ranks), sum(r < 0 for r in ranks)
    if total == 1:
        word = "better" if better else "worse" if worse else "the same"
        return f"in the one region the anchor is {word}"
    if not better and not worse:
        return f"all {total} regions are the same"
    parts = [f"{word} in {n}" for word, n in (("better", better), ("worse", worse)) if n]
    if total > better + worse:
        parts.append(f"the same in {total - better - worse}")
    return f"of {total} regions the anchor is {_listed(parts)}"


def _worst(graph: DistortionGraph) -> str | None:
    """Where the lowest score is, if that region is distorted at all."""
    clean = graph.vocabulary.clean
    found = [
        (node.score, side, region)
        for region in graph.regions
        for side in SIDES
        if (node := region.node(side)).score is not None and node.distortion.label != clean
    ]
    if not found:
        nodes = (region.node(side) for region in graph.regions for side in SIDES)
        undistorted = graph.regions and all(node.distortion.label == clean for node in nodes)
        return f"every region looks {words(clean)} in both" if undistorted else None
    score, side, region = min(found, key=lambda entry: entry[0])
    node = region.node(side)
    what = f"{words(node.distortion.label)}, {words(node.severity.label)}"
    if is_uncertain(graph, node):
        what = UNCERTAIN
    return f"the worst is {_titled(region)} of the {side}: {what} ({score:.2f})"


def _titled(region: RegionComparison) -> str:
    """`region 3`, or `region 3 (sky)` where it has a name of its own."""
    name = printable(region.name)
    plain = f"region {region.id}"
    return plain if name in ("", plain, str(region.id)) else f"{plain} ({name[:40]})"


def _scores(region: RegionComparison) -> list[float]:
    return [s for s in (region.anchor.score, region.target.score) if s is not None]


def _listed(parts: Iterable[str]) -> str:
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
