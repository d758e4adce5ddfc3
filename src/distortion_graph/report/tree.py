"""A graph as a tree on the terminal: the summary, the regions worst first, relations, the scene.

Regions of one picture alone stand after the others.
"""

from __future__ import annotations

import io

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    ComparisonBelief,
    DistortionGraph,
    Evidence,
    FurtherDistortion,
    LabelBelief,
    Node,
    RegionAlone,
    SceneNode,
    Side,
)
from distortion_graph.report.alignment import alignment_detail
from distortion_graph.report.judging import judged_lines
from distortion_graph.report.places import differing_share, place_text
from distortion_graph.report.wording import (
    UNCERTAIN,
    all_regions,
    alone_last,
    alone_text,
    evidence_texts,
    marks,
    metric_texts,
    node_on,
    percent,
    printable,
    quality_text,
    rank_of,
    scene_words,
    shared_text,
    summary,
    words,
)

_COLUMNS = 100
_EVIDENCE = (("PSNR", " dB"), ("SSIM", ""), ("HaarPSI", ""), ("ΔE", ""))


def tree(graph: DistortionGraph) -> Tree:
    """The tree of a graph for rich's console."""
    root = Tree(Text(summary(graph)))
    detail = alignment_detail(graph)
    if detail is not None:
        root.add(Text(detail, "dim"))
    for region in alone_last(graph):
        _add_region(root, graph, region)
    if graph.relations:
        branch = root.add(Text("relations", "bold"))
        titles = {region.id: _title(region) for region in all_regions(graph)}
        for relation in graph.relations:
            ends = titles[relation.subject], titles[relation.object]
            where = "both pictures" if relation.image == "both" else f"the {relation.image}"
            branch.add(Text(f"{ends[0]} – {printable(relation.predicate)} → {ends[1]}, in {where}"))
    if graph.scene is not None:
        branch = root.add(Text("scene", "bold"))
        for side, node in zip(SIDES, (graph.scene.anchor, graph.scene.target), strict=True):
            branch.add(Text(f"{side}: {_scene_node(graph, side, node)}"))
        _add_comparison(branch, graph, graph.scene.comparison, graph.scene.evidence)
    return root


def tree_text(graph: DistortionGraph) -> str:
    """The tree as plain text of at most 100 columns."""
    memory = io.StringIO()
    Console(file=memory, width=_COLUMNS, color_system=None, force_terminal=False).print(tree(graph))
    return "\n".join(line.rstrip() for line in memory.getvalue().splitlines())


def _add_region(root: Tree, graph: DistortionGraph, region: AnyRegion) -> None:
    area = "" if region.area_fraction is None else percent(region.area_fraction)
    facts = [text for text in (area, shared_text(region)) if text]
    branch = root.add(Text(_title(region), "bold").append("".join(f", {f}" for f in facts), "dim"))
    for side in SIDES:
        node = node_on(region, side)
        if node is not None:
            _add_node(branch, graph, side, node)
    if isinstance(region, RegionAlone):
        branch.add(Text(alone_text(region)))
        return
    _add_comparison(branch, graph, region.comparison, region.evidence)
    if place_text(graph, region):
        branch.add(Text(f"{percent(differing_share(region))} {place_text(graph, region)}"))
    who, *said = judged_lines(graph, region.judged) or ("",)
    if said:
        leaf = branch.add(Text(who, "italic"))
        for line in said:
            leaf.add(Text(line, "italic"))


def _add_node(branch: Tree, graph: DistortionGraph, side: Side, node: Node) -> None:
    uncertain = graph.is_uncertain(node)
    said = Text(_node(graph, node), "dim" if uncertain else "")
    leaf = branch.add(Text.assemble(f"{side}: ", said))
    for further in () if uncertain else node.also:
        leaf.add(Text(_further(graph, further)))


def _title(region: AnyRegion) -> str:
    name = printable(region.name)
    return f"{region.id} {name}" if name else str(region.id)


def _node(graph: DistortionGraph, node: Node) -> str:
    score = f"score {quality_text(node, graph.vocabulary)}"
    if graph.is_uncertain(node):
        return f"{UNCERTAIN}, {score}"
    parts = [_belief(graph, node.distortion)]
    if node.severity.label != graph.vocabulary.clean:
        parts.append(_belief(graph, node.severity))
    return ", ".join([*parts, score])


def _further(graph: DistortionGraph, further: FurtherDistortion) -> str:
    severity = words(graph.vocabulary, further.severity)
    return f"also {_belief(graph, further)}, {severity}"


def _scene_node(graph: DistortionGraph, side: Side, node: SceneNode) -> str:
    """The score and the shares of labels, the largest first."""
    shown = [f"{percent(share)} {text}" for text, share in scene_words(graph, side)]
    return ", ".join([f"score {quality_text(node, graph.vocabulary)}", *shown])


def _belief(graph: DistortionGraph, belief: LabelBelief | FurtherDistortion) -> str:
    label = words(graph.vocabulary, belief.label)
    return label if belief.probability is None else f"{label} (p = {belief.probability:.2f})"


def _add_comparison(
    branch: Tree,
    graph: DistortionGraph,
    comparison: ComparisonBelief | None,
    evidence: Evidence | None,
) -> None:
    """Lines of what the anchor is and of what was measured."""
    if comparison is not None:
        mark = marks(rank_of(graph, comparison.label))
        branch.add(Text(f"the anchor is {mark} {_belief(graph, comparison)}"))
    texts = zip(_EVIDENCE, evidence_texts(evidence), strict=True)
    measured = [f"{name} {text}{unit}" for (name, unit), text in texts if text]
    measured += [f"{name} {text}" for name, text in metric_texts(graph, evidence) if text]
    if measured:
        branch.add(Text(", ".join(measured), "dim"))
