"""How two pictures lie on each other, and what is said where that is in doubt."""

from __future__ import annotations

from collections.abc import Callable

from distortion_graph.base.errors import ImageError
from distortion_graph.graph import SIDES
from distortion_graph.graph.aligned import AlignmentInfo, rows_of
from distortion_graph.pictures.align import Alignment, AlignMode, Model, align
from distortion_graph.pictures.align.matrices import inverted, scaling
from distortion_graph.pictures.images import Picture
from distortion_graph.predict.sizes import Fit, same_shape, size_advice

_SURE = 0.5


def lay(
    anchor: Picture,
    target: Picture,
    mode: AlignMode,
    fit: Fit,
    *,
    strict: bool,
    warn: Callable[[str], object],
    advise: bool = True,
) -> Alignment | None:
    """How the target lies on the anchor; None where nobody asks, or `fit` says it.

    Where the alignment is not to be relied on, pictures of one size are compared as they are, and
    `warn` is told; with `strict` that is refused. Raises ImageError then, for pictures of two sizes
    of which nothing can be relied on, and for a `fit` together with a `mode` other than "auto" and
    "none". `advise`: whether these lines may name the options of `compare` that would help.
    """
    one_size = anchor.size == target.size
    if mode == "none" or (fit != "error" and not one_size and mode == "auto"):
        return None
    if fit != "error" and not one_size:
        raise ImageError(
            f"--fit {fit} and --align {mode} both say how the pictures lie on each other, expected "
            "one of them"
        )
    found = align(anchor.rgb, target.rgb, mode)
    doubt = _doubt(anchor, target, found, mode)
    if doubt is None:
        return found
    line = f"{target.source or 'target'}: {doubt}"
    if advise and found.reason == "turned":
        line += f"; --rotate {found.turned} turns it back"
    if strict or not one_size:
        fitting = advise and not one_size and found.reason not in ("turned", "mirrored")
        raise ImageError(f"{line}; {size_advice(anchor.size, target.size)}" if fitting else line)
    warn(f"{line}; the pictures are compared as they are")
    return found.as_they_are()


def not_moved(anchor: Picture, target: Picture, fit: Fit) -> Alignment:
    """The alignment of two pictures of one size that nobody asked to be aligned.

    Raises ImageError for two sizes: masks of two pictures need to know how these lie.
    """
    if anchor.size != target.size:
        said = "--align none" if fit == "error" else f"--fit {fit}"
        raise ImageError(
            f"{target.source or 'target'}: is {target.width}×{target.height}, but "
            f"{anchor.source or 'anchor'} is {anchor.width}×{anchor.height}; regions of both "
            f"pictures are matched by an alignment, expected --align auto instead of {said}"
        )
    return align(anchor.rgb, target.rgb, "none")


def frame_on_frame(anchor: Picture, target: Picture) -> Alignment:
    """The alignment by which the whole frame of the target lies on that of the anchor.

    For pictures of two sizes of which it is known that they show the same, such as a film and a
    smaller copy of it, where they show too little to find that out.
    """
    matrix = scaling(anchor.width / target.width, anchor.height / target.height)
    model: Model = "similarity" if same_shape(anchor.size, target.size) else "homography"
    if anchor.size == target.size:
        model = "none"
    return Alignment(
        model,
        matrix,
        inverted(matrix),
        anchor.size,
        target.size,
        None,
        confidence=0.0,
        same_scene=0.5,
    )


def off_the_original(picture: Picture, original: Picture, name: str) -> str | None:
    """What to say of a picture that does not lie on its original; None where it does.

    Measured scores compare the two pixel by pixel: what is moved counts as lost.
    """
    found = align(original.rgb, picture.rgb, "auto")
    if found.registered or (found.reason is None and found.confidence < _SURE):
        return None
    if found.reason in ("flat", "ambiguous"):
        return None
    return (
        f"{picture.source or name}: {found.verdict} against its reference; measured scores take "
        "that for a loss"
    )


def _doubt(anchor: Picture, target: Picture, found: Alignment, mode: AlignMode) -> str | None:
    """Why an alignment is not relied on, in words; None where it is."""
    other = anchor.source or "anchor"
    match found.reason:
        case None | "uncertain":
            if found.registered or found.confidence >= _SURE or mode != "auto":
                return None
            return f"{found.verdict} against {other}, with a confidence of {found.confidence:.2f}"
        case "flat":
            # Two pictures of one size have nothing to be aligned by, and nothing to be said.
            return None if anchor.size == target.size else "shows no structure to align it by"
        case "unrelated":
            scene = f"probability {found.same_scene:.2f}"
            return f"may not show the scene of {other} ({scene} that it does)"
        case "turned" | "mirrored":
            return f"is {found.verdict} against {other}"
        case "no_overlap":
            return f"shows another part of the scene than {other}"
        case "ambiguous":
            return f"matches {other} in several places"


def alignment_info(alignment: Alignment, frame: int | None) -> AlignmentInfo:
    """An alignment as part of a graph; `frame` is the picture in whose pixels both are compared."""
    of_matrix = alignment.model != "flow"
    return AlignmentInfo(
        model=alignment.model,
        matrix=rows_of(alignment.matrix) if of_matrix else None,
        inverse=rows_of(alignment.inverse) if of_matrix else None,
        residual_px=None if alignment.residual_px is None else round(alignment.residual_px, 4),
        overlap=round(alignment.overlap, 6),
        target_overlap=round(alignment.swapped().overlap, 6),
        confidence=round(alignment.confidence, 6),
        same_scene=round(alignment.same_scene, 6),
        reason=alignment.reason,
        frame=None if frame is None else SIDES[frame],
    )
