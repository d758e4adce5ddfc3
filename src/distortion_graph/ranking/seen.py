"""What is known of candidates after they were looked at, whatever way that was done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, RegionError
from distortion_graph.graph import AlignmentInfo, DistortionGraph, Node, SceneNode
from distortion_graph.masks.container import RegionSet
from distortion_graph.measure.metrics.metric import MapMetric
from distortion_graph.measure.quality import HAARPSI, FullReferenceMetric
from distortion_graph.pictures.align import AlignMode
from distortion_graph.pictures.align.matrices import scale_of
from distortion_graph.pictures.images import Picture
from distortion_graph.pipeline import compare_pictures
from distortion_graph.pipeline.aligned import compare_aligned
from distortion_graph.pipeline.laying import alignment_info, lay
from distortion_graph.pipeline.pair_regions import AlignedPair
from distortion_graph.predict.session import Model
from distortion_graph.work.threads import allowed_threads

_SMALL_PX = 2_000_000
_SMALLER_FROM = 1.05

Warn: TypeAlias = Callable[[str], object]


@dataclass(frozen=True)
class Looking:
    """How candidates are looked at: as `compare` would.

    `metric` scores them against an original, and `metrics` are measured there besides.
    """

    model: Model
    metric: FullReferenceMetric = HAARPSI
    metrics: Sequence[MapMetric] = ()
    align: AlignMode = "auto"
    strict: bool = False


@dataclass(frozen=True, eq=False)
class SeenCandidate:
    """What is known of one candidate.

    `nodes` by the region's id; a node's mask is null, and so is its box where it is the region's
    own. Regions that the candidate does not show are not among them. `valid` are the shares of
    regions that it shows; None where it lies on the base pixel by pixel. `more` are values of
    further metrics by the region's id, those of the whole picture under None.
    """

    nodes: Mapping[int, Node]
    scene: SceneNode
    valid: Mapping[int, float | None]
    alignment: AlignmentInfo | None
    more: Mapping[int | None, Mapping[str, float | None]] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Seen:
    """What is known of n candidates in R regions.

    Attributes:
        regions: on the base, which is the original, or the first candidate where there is none.
        candidates: None for one that could not be compared.
        problems: by position, why.
        preferred: (1 + R, n, n) probabilities that the candidate of the row is better than that of
            the column, as a whole and in each region; NaN where the two were not compared. None
            where they were held against an original.
        metric: the name of the metric that scored them against the original; None where a model
            predicted their scores.
    """

    regions: RegionSet
    candidates: tuple[SeenCandidate | None, ...]
    problems: Mapping[int, str]
    preferred: NDArray[np.float64] | None = None
    metric: str | None = None


class Compared(NamedTuple):
    """The graph of two pictures, or why there is none, and what else there is to say."""

    graph: DistortionGraph | None
    problem: str
    notes: tuple[str, ...]


def compared(looking: Looking, anchor: Picture, target: Picture, regions: RegionSet) -> Compared:
    """Compare two pictures, the regions given on the anchor.

    Raises ImageError and RegionError with `looking.strict`; else they are the problem.
    """
    notes: list[str] = []
    try:
        alignment, moved = laid(looking, anchor, target, notes.append)
        if moved is not None:
            graph = compare_aligned(looking.model, moved, regions, None, "none", unsaid)
        else:
            graph = compare_pictures(
                anchor, target, regions=regions, model=looking.model, evidence="none", align="none"
            ).model_copy(update={"alignment": alignment})
    except (ImageError, RegionError) as error:
        if looking.strict:
            raise
        return Compared(None, str(error), tuple(notes))
    return Compared(graph, "", tuple(notes))


def laid(
    looking: Looking, base: Picture, candidate: Picture, warn: Warn
) -> tuple[AlignmentInfo | None, AlignedPair | None]:
    """How a candidate lies on another picture; no pair where it does so pixel by pixel.

    Raises ImageError for one that cannot be laid, as `pipeline.laying.lay` does.
    """
    if looking.align == "none" and base.size != candidate.size:
        raise ImageError(
            f"{candidate.source or 'candidate'}: is {candidate.width}×{candidate.height}, expected "
            f"{base.width}×{base.height} as {base.source or 'the picture it is compared with'}; "
            "--align auto (align='auto') lays it there"
        )
    found = lay(
        base, candidate, looking.align, "error", strict=looking.strict, warn=warn, advise=False
    )
    if found is None or found.registered:
        return None if found is None else alignment_info(found, None), None
    pair = AlignedPair.of(base, candidate, found)
    reduced = scale_of(found.matrix, candidate.size)
    if reduced < 1 / _SMALLER_FROM:
        warn(
            f"{candidate.source or 'candidate'}: shows {base.source or 'the other picture'} at "
            f"{1 / reduced:.2f} of its size and is compared in the latter's pixels; what finer "
            "pixels show does not count"
        )
    if reduced > _SMALLER_FROM:
        warn(
            f"{candidate.source or 'candidate'}: shows {base.source or 'the other picture'} at "
            f"{1 / reduced:.2f} of its size and is compared at that; what is lost by it alone does "
            "not count"
        )
    return pair.info, pair


def unsaid(text: str) -> None:
    """For lines on regions that one picture of two alone shows: they are said once, of all."""


def at_once(picture: Picture) -> int:
    """How many pairs of such pictures are compared at a time.

    One of large pictures is divided among the threads itself, and takes memory.
    """
    height, width = picture.size
    return allowed_threads() if height * width <= _SMALL_PX else 1
