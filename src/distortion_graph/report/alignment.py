"""How two pictures lie on each other, in sentences for people; none where there is nothing to say.

What is said is what the graph holds of its alignment: how the target is moved, how much of either
picture the other one shows, and what is in doubt.
"""

from __future__ import annotations

import math

import numpy as np

from distortion_graph.graph import AlignmentInfo, DistortionGraph
from distortion_graph.report.mapping import Laid, jacobian, laid_of, mapped
from distortion_graph.report.text import listed, printable

SURE = 0.5
"""Below this confidence people are told that the alignment is uncertain."""

_SAME_SCALE = 0.01
_LEAST_SHIFT = 0.05  # in pixels, what shows with one decimal
_ALL = 0.995  # a share from here on is 100 %

_DOUBTS = {
    "turned": "The target seems to be turned against the anchor",
    "mirrored": "The target seems to be mirrored",
    "no_overlap": "The target may show another part of the scene",
    "ambiguous": "The target matches the anchor in several places",
}


def alignment_notes(graph: DistortionGraph) -> list[str]:
    """Sentences about how the pictures lie on each other.

    None of pictures that lie on each other as they are without a doubt, or were not aligned.
    """
    info = graph.alignment
    if info is None:
        return []
    notes = [_movement(graph, info), _shares(info), _doubt(info)]
    return [note for note in notes if note]


def alignment_detail(graph: DistortionGraph) -> str | None:
    """One line of what was measured of an alignment; None where there is nothing to say of it."""
    info = graph.alignment
    if info is None or not alignment_notes(graph):
        return None
    facts: list[str] = [info.model]
    if info.residual_px is not None:
        facts.append(f"residual {info.residual_px:.2f} px")
    facts += [f"confidence {info.confidence:.2f}", f"same scene {info.same_scene:.2f}"]
    if info.frame is not None:
        facts.append(f"compared in the pixels of the {info.frame}")
    return f"Alignment: {', '.join(facts)}."


def is_moved(graph: DistortionGraph) -> bool:
    """Whether the pictures were laid on each other otherwise than as they are."""
    info = graph.alignment
    if info is None:
        return False
    still = info.matrix is not None and np.array_equal(info.matrix, np.eye(3))
    return not still or laid_of(graph) is not None


def _movement(graph: DistortionGraph, info: AlignmentInfo) -> str:
    """`The target is shifted by 2.0, 3.0 px against the anchor.`"""
    if not is_moved(graph):
        return ""
    if info.matrix is None:
        return "The target is bent against the anchor: its parts are moved by different amounts."
    laid = laid_of(graph)
    if info.model == "translation":
        parts = [f"shifted by {_pixels(info.matrix[0][2], info.matrix[1][2])}"]
    else:
        bent = ["distorted in perspective"] if info.model == "homography" else []
        parts = [*bent, *([] if laid is None else _changes(laid, even=bool(bent)))]
    said = listed(parts or ["moved a little"])
    return f"The target is {said}{'' if 'anchor' in said else ' against the anchor'}."


def _changes(laid: Laid, *, even: bool) -> list[str]:
    """Turn, scale and shift in the middle of the target, those that show.

    `even`: one scale is said, the mean, where it is another across than down.
    """
    (height, width), (target_height, target_width) = laid.sizes
    middle = target_width / 2, target_height / 2
    steps = jacobian(laid.onto[0], middle)
    parts = []
    # Down is the second axis, so that a positive angle is clockwise: the target's way back.
    turn = math.degrees(math.atan2(steps[1, 0] - steps[0, 1], steps[0, 0] + steps[1, 1]))
    if f"{abs(turn):.1f}" != "0.0":
        way = "anticlockwise" if turn > 0 else "clockwise"
        parts.append(f"turned by {abs(turn):.1f}° {way}")
    across, down = (1 / float(np.hypot(*steps[:, axis])) for axis in (0, 1))
    even = even or abs(math.log(across / down)) < _SAME_SCALE
    scale = f"{math.sqrt(across * down):.2f}" if even else f"{across:.2f} × {down:.2f}"
    if scale != "1.00":
        parts.append(f"shown at {scale} of the anchor's scale")
    (to,) = mapped(laid.onto[0], np.array([middle]))
    shift = to - (width / 2, height / 2)
    if float(np.abs(shift).max()) >= _LEAST_SHIFT:
        parts.append(f"shifted by {_pixels(*shift)} in its middle")
    return parts


def _shares(info: AlignmentInfo) -> str:
    """`The target shows 64 % of the anchor.`; nothing where either shows all of the other."""
    if info.overlap >= _ALL and info.target_overlap >= _ALL:
        return ""
    anchor, target = f"{100 * info.overlap:.0f} %", f"{100 * info.target_overlap:.0f} %"
    if info.target_overlap >= _ALL:
        return f"The target shows {anchor} of the anchor."
    if info.overlap >= _ALL:
        return f"The anchor shows {target} of the target."
    return f"The target shows {anchor} of the anchor, the anchor {target} of the target."


def _doubt(info: AlignmentInfo) -> str:
    """What is in doubt; pictures without structure have nothing to be aligned by."""
    if info.reason == "flat":
        return ""
    if info.reason == "unrelated":
        return (
            "The pictures may not show the same scene (probability "
            f"{info.same_scene:.2f} that they do)."
        )
    if info.reason == "uncertain" or (info.reason is None and info.confidence < SURE):
        said = f"How the pictures lie on each other is uncertain (confidence {info.confidence:.2f})"
    elif info.reason is not None:
        said = _DOUBTS.get(info.reason) or f"Their alignment is in doubt: {printable(info.reason)}"
    else:
        return ""
    as_they_are = info.reason is not None and info.model == "none"
    return f"{said}; they were compared as they are." if as_they_are else f"{said}."


def _pixels(across: float, down: float) -> str:
    """`2.0, 3.0 px`, to the right and down; never −0.0."""
    return ", ".join(f"{round(float(v), 1) + 0.0:.1f}" for v in (across, down)) + " px"
