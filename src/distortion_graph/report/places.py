"""Where the pictures show different things, as people are told: which spots count, and their words.

A distortion all over is not a place. So people are told of the spots of a region only where it was
judged the same in both pictures, with the same distortion or none, or where most of the picture
looks equal.
"""

from __future__ import annotations

from distortion_graph.graph import MOST_SPOTS, Difference, DistortionGraph, RegionComparison, Side
from distortion_graph.report.mapping import laid_of

MOSTLY_EQUAL = 0.8
"""From this share of pixels that look equal on, every spot is a place."""

ALL_OVER = 0.5
"""Beyond this share of pixels that differ visibly, none is."""

Box = tuple[int, int, int, int]
Frame = tuple[float, float, float, float]


def places(graph: DistortionGraph, region: RegionComparison) -> tuple[Box, ...]:
    """The spots of a region that people are told of; boxes in pixels of `region.differs.size`."""
    if region.differs is None or not _speaks(graph, region):
        return ()
    return region.differs.spots


def places_on(graph: DistortionGraph, region: RegionComparison, side: Side) -> tuple[Frame, ...]:
    """The same boxes in pixels of the anchor or the target picture.

    Of pictures that an alignment lays on each other, the boxes around them in the other picture
    than the one they were found in; one that it does not show is left out.
    """
    return (
        ()
        if region.differs is None
        else boxes_on(graph, side, places(graph, region), region.differs)
    )


def boxes_on(
    graph: DistortionGraph, side: Side, boxes: tuple[Box, ...], differs: Difference
) -> tuple[Frame, ...]:
    """Boxes of a difference, in pixels of the anchor or the target picture, as `places_on`."""
    if graph.fit == "crop":  # the common part begins in the same corner of both
        return boxes
    laid = laid_of(graph)
    if laid is not None and graph.alignment is not None and graph.alignment.frame is not None:
        if graph.alignment.frame == side:
            return boxes
        found = (laid.box_on(side, box) for box in boxes)
        return tuple(box for box in found if box is not None)
    height, width = differs.size
    picture = graph.picture_of(side)
    across, down = (picture.width or width) / width, (picture.height or height) / height
    return tuple((x * across, y * down, w * across, h * down) for x, y, w, h in boxes)


def place_text(graph: DistortionGraph, region: RegionComparison, *, short: bool = False) -> str:
    """`differs at 980,600 and 2 more`, in short `≠ at 980,600 +2`; empty where there is no place.

    In pixels of the anchor. The short one fits into a column of 19 letters.
    """
    spots = places(graph, region)
    if not spots or region.differs is None:
        return ""
    corner = _corner(graph, spots[0], region.differs)
    if short:
        return f"≠ at {corner}" + (f" +{len(spots) - 1}" if len(spots) > 1 else "")
    rest = "" if len(spots) == 1 else f" and {len(spots) - 1} more"
    return f"differs at {corner}{rest}"


def differing_share(region: RegionComparison) -> float:
    """The share of a region's pixels that differ visibly; 0 where it was not measured."""
    return 0.0 if region.differs is None else region.differs.share


def most_different(graph: DistortionGraph) -> RegionComparison | None:
    """The region with places that has most of the pixels that differ; None where there is none."""
    with_places = [region for region in graph.regions if places(graph, region)]
    return max(
        with_places,
        key=lambda region: differing_share(region) * (region.area_fraction or 1.0),
        default=None,
    )


def number_of_places(graph: DistortionGraph) -> int:
    """How many places there are in the picture; a graph lists no more than `MOST_SPOTS`."""
    whole = _whole(graph)
    told = [box for region in graph.regions for box in places(graph, region)]
    if whole is None:
        return min(len(told), MOST_SPOTS)
    if _mostly_equal(whole):
        return len(whole.spots)
    return sum(any(_meet(spot, box) for box in told) for spot in whole.spots)


def places_clause(graph: DistortionGraph, region_name: str | None) -> str | None:
    """`they differ in 2 places, most in region 4 at 980,600`; None where there is no place.

    `region_name` is what to call the region of `most_different`, None where there is none.
    """
    number, region = number_of_places(graph), most_different(graph)
    if not number:
        return None
    whole = _whole(graph)
    spots = places(graph, region) if region else whole.spots if whole else ()
    differs = region.differs if region else whole
    where = f"at {_corner(graph, spots[0], differs)}" if differs else ""
    if region_name is not None:
        where = f"in {region_name} {where}"
    if number == 1:
        return f"they differ in one place, {where}"
    many = f"{number} places" + (" or more" if number >= MOST_SPOTS else "")
    return f"they differ in {many}, most {where}"


def _whole(graph: DistortionGraph) -> Difference | None:
    return None if graph.scene is None else graph.scene.differs


def _speaks(graph: DistortionGraph, region: RegionComparison) -> bool:
    whole = _whole(graph)
    if whole is not None and _mostly_equal(whole):
        return True
    vocabulary = graph.vocabulary
    neutral = vocabulary.comparison_labels[vocabulary.neutral_index]
    same = region.comparison.label == neutral
    same &= region.anchor.distortion.label == region.target.distortion.label
    return same and (whole is None or whole.share <= ALL_OVER)


def _mostly_equal(whole: Difference) -> bool:
    return whole.equal > MOSTLY_EQUAL


def _meet(one: Box, two: Box) -> bool:
    return all(max(one[k], two[k]) < min(one[k] + one[k + 2], two[k] + two[k + 2]) for k in (0, 1))


def _corner(graph: DistortionGraph, box: Box, differs: Difference) -> str:
    """The upper left corner of a box, in pixels of the anchor."""
    x, y, *_ = next(iter(boxes_on(graph, "anchor", (box,), differs)), box)
    return f"{round(x)},{round(y)}"
