"""A graph in words for people: what is said of a label, a node and a scene, and one sentence.

Whatever shows a graph to people takes its words from here, so that all of it tells one story.
"""

from __future__ import annotations

import math
from pathlib import Path

from distortion_graph.base.counting import counted
from distortion_graph.base.vocabulary import UNCERTAIN as UNCERTAIN
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import (
    SIDES,
    AnyRegion,
    DistortionGraph,
    Evidence,
    MetricInfo,
    Node,
    RegionAlone,
    RegionComparison,
    Scene,
    SceneNode,
    Side,
)
from distortion_graph.pictures.backgrounds import background_words
from distortion_graph.report.alignment import alignment_notes, is_moved
from distortion_graph.report.places import differing_share, most_different, places_clause
from distortion_graph.report.text import listed
from distortion_graph.report.text import percent as percent
from distortion_graph.report.text import printable as printable

DIMMED = "dimmed: the other picture does not show it"
"""What the legend of pictures says that are laid on each other."""

_MARKS = {-1: "▼", 0: "=", 1: "▲"}


def words(vocabulary: Vocabulary, label: str) -> str:
    """A label as people read it: `saturate_dec` → `washed-out colours`."""
    return printable(vocabulary.in_words(label))


def node_words(graph: DistortionGraph, node: Node) -> tuple[str, ...]:
    """What people read of a node (`DistortionGraph.in_words`): its distortion, and how severe."""
    return tuple(map(printable, graph.in_words(node)))


def node_text(graph: DistortionGraph, node: Node, joint: str = ", ") -> str:
    """All that people read of a node (`DistortionGraph.text_of`), further distortions too."""
    return printable(graph.text_of(node, joint))


def uncertain_places(graph: DistortionGraph) -> list[str]:
    """Where the model calls its own label unreliable: `region 3 of the anchor`."""
    return [
        f"region {region.id} of the {side}"
        for region in all_regions(graph)
        for side in SIDES
        if (node := node_on(region, side)) is not None and graph.is_uncertain(node)
    ]


def all_regions(graph: DistortionGraph) -> tuple[AnyRegion, ...]:
    """In the graph's order: regions of both pictures, then those of one picture alone."""
    return (*graph.regions, *graph.alone)


def node_on(region: AnyRegion, side: Side) -> Node | None:
    """A region's node in a picture; None where the other picture alone has the region."""
    return region.anchor if side == "anchor" else region.target


def alone_text(region: RegionAlone) -> str:
    """`in the anchor alone`: what stands instead of a comparison."""
    return f"in the {region.side} alone"


def shared_text(region: AnyRegion) -> str:
    """`40.0 % of it in both`; empty where both pictures show all of it, or nobody said."""
    if not region.valid or percent(region.valid) == percent(1):
        return ""
    return f"{percent(region.valid)} of it in both"


def scene_words(graph: DistortionGraph, side: Side) -> list[tuple[str, float]]:
    """What a picture shows, each with its share of the area, the largest first.

    An uncertain region counts as uncertain, with its whole area where it overlaps another.
    """
    scene = graph.scene or Scene()
    shares = dict((scene.anchor if side == "anchor" else scene.target).distortion_share or {})
    uncertain = 0.0
    for region in graph.regions:
        label = region.node(side).distortion.label
        if graph.is_uncertain(region.node(side)) and label in shares:
            moved = min(region.area_fraction or 0.0, shares[label])
            shares[label] -= moved
            uncertain += moved
    said = [(words(graph.vocabulary, label), share) for label, share in shares.items()]
    shown = [(text, share) for text, share in [*said, (UNCERTAIN, uncertain)] if share > 0]
    return sorted(shown, key=lambda entry: -entry[1])


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


def metric_texts(graph: DistortionGraph, facts: Evidence | None) -> list[tuple[str, str]]:
    """Further metrics in the graph's order: their names, and their values as text.

    A value is a dash where the metric says nothing, and empty where it was not measured.
    """
    more = {} if facts is None else facts.more
    texts = []
    for metric in graph.metrics:
        low, high = metric.range
        unit = low is not None and high is not None and high - low <= 2
        value, text = more.get(metric.name), "–" if metric.name in more else ""
        texts.append((metric.name, text if value is None else f"{value:.{3 if unit else 1}f}"))
    return texts


def metric_note(metric: MetricInfo) -> str:
    """What a further metric is: `flip 1.7 (BSD-3-Clause), lower is better`."""
    way = metric.direction.replace("_", " ")
    return printable(f"{metric.name} {metric.version} ({metric.licence}), {way}")


def score_text(score: float | None, vocabulary: Vocabulary | None = None) -> str:
    """A quality score; a dash where it is not known.

    With two places, or as many more as the vocabulary's smallest step asks for.
    """
    places = 2 if vocabulary is None else score_places(vocabulary)
    return "–" if score is None else f"{score:.{places}f}"


def score_places(vocabulary: Vocabulary) -> int:
    """Decimals of a score in which the smallest step of comparisons can be seen; 2 or more."""
    return max(2, math.ceil(-math.log10(vocabulary.thresholds[0])) + 1)


def quality_text(node: Node | SceneNode, vocabulary: Vocabulary | None = None) -> str:
    """The score, and the opinion that people are expected to give where that is known."""
    opinion = "" if node.opinion is None else f", opinion {score_text(node.opinion)}"
    return score_text(node.score, vocabulary) + opinion


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


def alone_last(graph: DistortionGraph) -> list[AnyRegion]:
    """All regions: those of both pictures, `worst_first`, then those of one picture alone.

    Of the latter the distorted stand first, worst first, and those clean last.
    """
    clean = graph.vocabulary.clean

    def order(region: RegionAlone) -> tuple[bool, float]:
        score = region.node.score
        return region.node.distortion.label == clean, 2.0 if score is None else score

    return [*worst_first(graph), *sorted(graph.alone, key=order)]


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
    parts = [overall, counted, _alone(graph), _worst(graph)]
    sentence = "; ".join(part for part in parts if part)
    return " ".join([f"{sentence}.", *fit_notes(graph), *alignment_notes(graph)])


def fit_notes(graph: DistortionGraph) -> list[str]:
    """What was done about pictures of unequal size, in sentences; none where they are equal."""
    part = graph.common_part()
    if _cut_reference(graph):
        size = f"{graph.anchor.width}×{graph.anchor.height}"
        return [f"Of the reference only the top left {size} pixels were taken."]
    if graph.fit == "resize":
        size = f" ({graph.target.width}×{graph.target.height})" if graph.target.width else ""
        return [f"The target{size} was scaled to the anchor's size."]
    if part is None:
        return []
    notes = [f"Only the common part, the top left {part[1]}×{part[0]} pixels, was compared."]
    for side in SIDES:
        info = graph.picture_of(side)
        below, right = (info.height or 0) - part[0], (info.width or 0) - part[1]
        left = [
            f"{counted(count, unit)} {where}"
            for count, unit, where in (
                (below, "row", "at the bottom"),
                (right, "column", "on the right"),
            )
            if count
        ]
        if left:
            notes.append(f"Left out of the {side}: {listed(left)}.")
    return notes


def _cut_reference(graph: DistortionGraph) -> bool:
    """Whether the original is larger than two pictures of one size, which lie on its top left."""
    original = None if graph.reference is None else graph.reference.picture
    if original is None or graph.fit is not None or graph.alignment is not None:
        return False
    sizes = [(info.height, info.width) for info in (original, graph.anchor, graph.target)]
    known = all(None not in size for size in sizes)
    return known and sizes[1] == sizes[2] != sizes[0]


def _overall(graph: DistortionGraph) -> str:
    scene = graph.scene
    if scene is None or scene.comparison is None:
        return "The pictures as wholes were not compared"
    if scene.evidence is not None and scene.evidence.ssim == 1 and scene.evidence.psnr_db is None:
        return _identical(graph)
    rank = rank_of(graph, scene.comparison.label)
    scores = [s for s in (scene.anchor.score, scene.target.score) if s is not None]
    told = [" against ".join(score_text(s, graph.vocabulary) for s in scores)] * (len(scores) == 2)
    told += [measured_text(graph)] * (graph.reference is not None)
    shown = f" ({', '.join(told)})" if told else ""
    if rank == 0:
        return f"As wholes, anchor and target are about equal{shown}"
    said = words(graph.vocabulary, scene.comparison.label)
    return f"As a whole, the anchor is {said} than the target{shown}"


def measured_text(graph: DistortionGraph) -> str:
    """Against what scores were measured, such as `measured against the reference a.png`.

    Empty where they were not.
    """
    reference = graph.reference
    if reference is None:
        return ""
    if reference.picture is None:
        return f"measured against the {reference.role}, which is the reference"
    name = printable(Path(reference.picture.source).name) if reference.picture.source else ""
    return f"measured against the reference {name}".strip()


def _identical(graph: DistortionGraph) -> str:
    """Of equal pixels; alpha that differs cannot be seen in them."""
    whole = graph.fit is None and not is_moved(graph)
    what = "two pictures are" if whole else "compared parts are"
    transparencies = [t for side in SIDES if (t := graph.picture_of(side).transparency) is not None]
    if not transparencies or (
        len(transparencies) == 2 and transparencies[0].sha256 == transparencies[1].sha256
    ):
        return f"The {what} identical, pixel for pixel"
    laid = printable(background_words(transparencies[0].background))
    return f"The {what} equal once laid on {laid}; they differ in transparency"


def _counted(graph: DistortionGraph) -> str:
    ranks = [rank_of(graph, region.comparison.label) for region in graph.regions]
    total, regions = len(ranks), f"{_shared(graph)}regions"
    better, worse = sum(r > 0 for r in ranks), sum(r < 0 for r in ranks)
    if total == 1:
        word = "better" if better else "worse" if worse else "the same"
        return f"in the one {_shared(graph)}region the anchor is {word}"
    if not better and not worse:
        return f"all {total} {regions} are the same"
    parts = [f"{word} in {n}" for word, n in (("better", better), ("worse", worse)) if n]
    if total > better + worse:
        parts.append(f"the same in {total - better - worse}")
    return f"of {total} {regions} the anchor is {listed(parts)}"


def _shared(graph: DistortionGraph) -> str:
    """The word for regions that both pictures have, where there are others."""
    return "shared " if graph.alone else ""


def _alone(graph: DistortionGraph) -> str:
    """`2 regions are in the anchor alone and 1 in the target alone`."""
    counts = [(side, sum(r.side == side for r in graph.alone)) for side in SIDES]
    parts = [f"{count} in the {side} alone" for side, count in counts if count]
    if not parts:
        return ""
    number, _, rest = listed(parts).partition(" ")
    return f"{number} {'region is' if number == '1' else 'regions are'} {rest}"


def _worst(graph: DistortionGraph) -> str | None:
    """Where the lowest score is, if that region is distorted at all."""
    clean = graph.vocabulary.clean
    lowest = [
        (node.score, side, region)
        for region in graph.regions
        for side in SIDES
        if (node := region.node(side)).score is not None and node.distortion.label != clean
    ]
    if not lowest:
        nodes = (region.node(side) for region in graph.regions for side in SIDES)
        undistorted = graph.regions and all(node.distortion.label == clean for node in nodes)
        return _all_clean(graph) if undistorted else None
    score, side, region = min(lowest, key=lambda entry: entry[0])
    what = node_text(graph, region.node(side))
    shown = score_text(score, graph.vocabulary)
    return f"the worst is {_titled(region)} of the {side}: {what} ({shown})"


def _all_clean(graph: DistortionGraph) -> str:
    """What is said where every label is clean: that, but for the regions that are uncertain."""
    clean, total = words(graph.vocabulary, graph.vocabulary.clean), len(graph.regions)
    shared = _shared(graph)
    unsure = sum(any(graph.is_uncertain(r.node(side)) for side in SIDES) for r in graph.regions)
    if not unsure:
        return f"every {shared}region looks {clean} in both"
    if unsure == total:
        return f"{'every' if total > 1 else 'the'} {shared}region is {UNCERTAIN}"
    some = f"1 {shared}region is" if unsure == 1 else f"{unsure} {shared}regions are"
    others = "the other looks" if total - unsure == 1 else "the others look"
    return f"{some} {UNCERTAIN}, {others} {clean} in both"


def _titled(region: RegionComparison) -> str:
    """`region 3`, or `region 3 (sky)` where it has a name of its own."""
    name = printable(region.name)
    plain = f"region {region.id}"
    return plain if name in ("", plain, str(region.id)) else f"{plain} ({name[:40]})"


def _scores(region: RegionComparison) -> list[float]:
    return [s for s in (region.anchor.score, region.target.score) if s is not None]
