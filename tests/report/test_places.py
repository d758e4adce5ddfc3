"""People are told where pictures differ: by the sentence, in every form of the graph, or not."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from rich.console import Console
from test_wording import CLEAN, HAZY, NOISY, graph, node, region

from distortion_graph.graph import Difference, DistortionGraph
from distortion_graph.report.graph_drawing import draw_graph
from distortion_graph.report.html.table import table as html_table
from distortion_graph.report.html.view import view
from distortion_graph.report.overlay import overlay
from distortion_graph.report.palette import PLACE
from distortion_graph.report.places import places, places_on
from distortion_graph.report.table import render
from distortion_graph.report.wording import summary, worst_first

BUTTON, PRICE = (980, 600, 201, 89), (1017, 157, 45, 25)


def differs(*spots, share=0.1, equal=0.89, size=(800, 1280)):
    equal = min(equal, 1 - share)
    return Difference(share=share, equal=equal, size=size, spots=spots)


def different(*pairs, whole=None, scores=(1.0, 1.0)):
    """A graph of regions, each with where it differs; the scene has the spots of all of them."""
    regions = [r.model_copy(update={"differs": d, "area_fraction": 0.25}) for r, d in pairs]
    made = graph(*regions, scores=scores)
    spots = sorted(
        (spot for _, d in pairs if d for spot in d.spots), key=lambda box: -box[2] * box[3]
    )
    scene = made.scene.model_copy(update={"differs": whole or differs(*spots, share=0.01)})
    return DistortionGraph.model_validate(made.model_copy(update={"scene": scene}).model_dump())


def clean(k, name="region"):
    return region(k, CLEAN, CLEAN, f"region {k}" if name == "region" else name)


def test_equal_pictures_that_differ_in_places_are_not_called_the_same():
    made = different(
        (clean(4), differs(BUTTON, share=0.7, equal=0.3)), (clean(2, "price"), differs(PRICE))
    )
    assert summary(made) == (
        "As wholes, anchor and target are judged equally good (1.00 against 1.00), but they differ "
        "in 2 places, most in region 4 at 980,600; all 2 regions are equally good; every region "
        "looks clean in both."
    )
    assert summary(made.swapped()) == summary(made)


def test_one_place_is_said_in_the_singular_and_with_the_region_s_name():
    made = different((clean(4), differs()), (clean(2, "price"), differs(PRICE)))
    assert ", but they differ in one place, in region 2 (price) at 1017,157; all" in summary(made)
    made = different((clean(4), differs(PRICE)), scores=(0.9, 0.5))
    assert summary(made).startswith(
        "As a whole, the anchor is significantly better than the target (0.90 against 0.50); they "
        "differ in one place, in region 4 at 1017,157; in the one region the anchor is equally good"
    )


def test_a_place_outside_all_regions_is_told_too():
    made = different((clean(4), differs()), whole=differs(PRICE, share=0.01, equal=0.99))
    assert ", but they differ in one place, at 1017,157; in" in summary(made)


def test_places_that_a_graph_has_no_room_for_are_counted_as_more():
    spots = [(8 * k, 0, 8, 8) for k in range(8)]
    made = different((clean(0), differs(*spots)), (clean(1), differs()))
    assert "they differ in 8 places or more, most in region 0 at 0,0" in summary(made)


def test_a_distortion_all_over_is_not_a_place():
    blurred = region(0, CLEAN, NOISY)
    all_over = differs(BUTTON, PRICE, share=0.4, equal=0.3)
    made = different((blurred, all_over), (clean(1), differs(equal=0.7)), whole=all_over)
    assert "differ" not in summary(made)
    assert places(made, made.regions[0]) == ()
    slightly = region(1, CLEAN, node("blur", "minor", 0.95))
    assert slightly.comparison.label == "same"
    made = different((blurred, all_over), (slightly, differs(PRICE)), whole=all_over)
    assert "differ" not in summary(made)
    # The same in a region that is judged the same is one, and in a picture that is mostly equal.
    made = different((blurred, all_over), (clean(1), differs(PRICE)), whole=all_over)
    assert ", but they differ in one place, in region 1 at 1017,157; of 2 regions" in summary(made)
    mostly = differs(BUTTON, PRICE, share=0.1, equal=0.81)
    assert "2 places" in summary(different((blurred, all_over), whole=mostly))
    # Noise beside other noise: the same in all regions, and different all over.
    noise = differs(BUTTON, share=0.9, equal=0.02)
    made = different((region(0, NOISY, NOISY), noise), (clean(1), noise), whole=noise)
    assert "differ" not in summary(made)


def test_nothing_is_said_where_nothing_was_measured_or_differs():
    bare = graph(clean(0), clean(1), scores=(1.0, 1.0))
    assert "differ" not in summary(bare)
    assert "differ" not in summary(different((clean(0), differs(share=0.0, equal=1.0))))


def test_the_distorted_stand_first_and_then_those_that_differ_most():
    made = different(
        (clean(0), differs(share=0.0, equal=1.0)),
        (clean(1), differs(PRICE, share=0.2)),
        (region(2, HAZY, CLEAN), differs(share=0.05)),
        (clean(3), differs(BUTTON, share=0.7, equal=0.2)),
        (region(4, NOISY, CLEAN), differs(share=0.01)),
    )
    assert [r.id for r in worst_first(made)] == [4, 2, 3, 1, 0]
    assert [r.id for r in worst_first(made.swapped())] == [4, 2, 3, 1, 0]


@pytest.mark.parametrize("width", [80, 120])
def test_the_tables_and_the_tree_say_where(width):
    made = different((clean(4), differs(BUTTON, PRICE)), (clean(2), differs()))
    memory = io.StringIO()
    Console(width=width, file=memory).print(render(made, width))
    lines = memory.getvalue().splitlines()
    assert sum("≠ at 980,600 +1" in line for line in lines) == 1
    assert max(map(len, lines)) <= width
    assert html_table(made).count("≠ differs at 980,600 and 1 more") == 1
    assert "10.0 % differs at 980,600 and 1 more" in str(made)


def test_the_page_has_the_boxes_on_both_pictures_and_does_not_collapse_them():
    made = different((clean(4), differs(BUTTON, PRICE)), (clean(2), differs()))
    value = made.model_dump()
    value["anchor"] |= {"width": 1280, "height": 800}
    value["target"] |= {"width": 640, "height": 400}
    made = DistortionGraph.model_validate(value)
    data = json.loads(json.dumps(view(made)))
    first, second = data["regions"]
    assert first["differs"]["boxes"] == [
        [[980, 600, 201, 89], [1017, 157, 45, 25]],
        [[490, 300, 100.5, 44.5], [508.5, 78.5, 22.5, 12.5]],
    ]
    assert first["differs"]["share"] == 0.1 and "differs" not in second
    assert places_on(made, made.regions[0], "target")[0] == (490, 300, 100.5, 44.5)


def test_a_region_with_a_place_has_a_row_of_its_own_in_the_drawing():
    pytest.importorskip("matplotlib")
    quiet = [(clean(k, f"quiet{k}"), differs()) for k in range(3)]
    svg = draw_graph(different(*quiet, (clean(7, "loud"), differs(PRICE)))).decode()
    assert "loud" in svg and "quiet1" not in svg and "3 regions: clean in both, same" in svg


def test_the_overlay_frames_the_places_of_both_pictures():
    here = differs((30, 20, 20, 10), size=(60, 100))
    made = different((clean(4), here), whole=here)
    value = made.model_dump()
    for side in ("anchor", "target"):
        value[side] |= {"width": 100, "height": 60}
    rgb = np.full((60, 100, 3), 255, np.uint8)
    drawn = overlay(DistortionGraph.model_validate(value), rgb, rgb)
    value["regions"][0]["differs"] = value["scene"]["differs"] = None
    plain = overlay(DistortionGraph.model_validate(value), rgb, rgb)

    def framed(picture):
        pane = picture[: int(0.9 * len(picture))]  # without the legend
        x = np.nonzero((pane == PLACE).all(-1))[1]
        return len(x), int(x.min(initial=10**6)), int(x.max(initial=0))

    assert framed(plain)[0] == 0
    count, left, right = framed(drawn)
    assert count > 100 and left < drawn.shape[1] / 2 < right
