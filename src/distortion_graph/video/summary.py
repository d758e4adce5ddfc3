"""What the comparison of two videos comes to, in words and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from distortion_graph.base.counting import counted
from distortion_graph.base.vocabulary import Vocabulary
from distortion_graph.graph import DistortionGraph, RegionComparison
from distortion_graph.report.text import listed
from distortion_graph.report.wording import node_text, printable, score_places, words
from distortion_graph.video.sampling import time_text
from distortion_graph.video.sync import Offset
from distortion_graph.video.timeline import MEANS, Timeline
from distortion_graph.video.worst import WorstMoment


def sentence(found: Timeline) -> str:
    """How many moments were compared, and which video is better in how many."""
    done = found.moments - found.failed
    said = [
        f"{what} in {count}"
        for what, count in (
            ("the anchor is better as a whole", found.better),
            ("the target is better as a whole", found.worse),
            ("both are about equal", found.same),
        )
        if count
    ]
    lost = f"; {found.failed} could not be compared" if found.failed else ""
    span = f"{time_text(found.from_s)} to {time_text(found.to_s)}"
    shares = f": {listed(said)}" if said else ""
    return f"{counted(done, 'moment')} from {span} were compared{shares}{lost}."


def offset_text(offset: Offset) -> str:
    """How the videos' times fit together; empty where they simply do."""
    if offset.confidence is None and not offset.seconds:
        return ""
    late = "later" if offset.seconds > 0 else "earlier"
    said = (
        f"The target shows the same {abs(offset.seconds):.3f} s {late}"
        if offset.seconds
        else "Both videos show the same at the same time"
    )
    if offset.confidence is None:
        return f"{said}, as was given."
    return f"{said}, found by content with a confidence of {offset.confidence:.2f}."


def moment_text(graph: DistortionGraph) -> str:
    """What is wrong in the region that is farthest apart, or with the whole frame."""
    region = farthest(graph)
    vocabulary = graph.vocabulary
    if region is None:
        scene = graph.scene
        label = None if scene is None or scene.comparison is None else scene.comparison.label
        return "" if label is None else f"the anchor as a whole is {words(vocabulary, label)}"
    margin = region.comparison.margin
    apart = "" if margin is None else f" ({margin:+.{score_places(vocabulary)}f})"
    return (
        f"{printable(region.name)}: anchor {node_text(graph, region.anchor)}, target "
        f"{node_text(graph, region.target)}; the anchor is "
        f"{words(vocabulary, region.comparison.label)}{apart}"
    )


def farthest(graph: DistortionGraph) -> RegionComparison | None:
    """The region in which the pictures are farthest apart; None where there are no regions."""
    return max(graph.regions, key=lambda r: abs(r.comparison.margin or 0.0), default=None)


def markdown(
    found: Timeline,
    worst: Sequence[WorstMoment],
    names: Sequence[str],
    vocabulary: Vocabulary,
    offset: Offset,
) -> str:
    """Everything as Markdown, the worst moments first."""
    head = f"Anchor {_cell(names[0])}, target {_cell(names[1])}. {sentence(found)}"
    lines = [f"{head} {offset_text(offset)}".strip(), ""]
    if worst:
        lines += ["**Worst moments**", "", "| time | region farthest apart |", "|---|---|"]
        lines += [f"| {time_text(m.time_s)} | {_cell(moment_text(m.graph))} |" for m in worst]
        lines.append("")
    lines += ["**Means over all moments**", "", "| | |", "|---|---|"]
    lines += [f"| {MEANS[name]} | {value:.3f} |" for name, value in found.means.items()]
    lines.append("")
    rows = distortion_rows(found, vocabulary)
    if rows:
        lines += ["**Share of the regions' area**", "", "| | anchor | target |", "|---|---|---|"]
        lines += [f"| {text} | {100 * a:.1f} % | {100 * t:.1f} % |" for text, a, t in rows]
        lines.append("")
    return "\n".join(lines)


def distortion_rows(found: Timeline, vocabulary: Vocabulary) -> list[tuple[str, float, float]]:
    """Labels that occur, in words, with their share in the anchor and in the target."""
    rows = [
        (
            words(vocabulary, label),
            found.mean_share("anchor", label),
            found.mean_share("target", label),
        )
        for label in vocabulary.distortions
    ]
    return sorted((row for row in rows if max(row[1:]) > 0), key=lambda row: -max(row[1:]))


def _cell(text: str) -> str:
    return printable(text).replace("|", "\\|")
