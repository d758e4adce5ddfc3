"""labelme's files: shapes as its program writes them, masks drawn by hand and by Pillow."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image
from region_files import art, blank, refusal, regions_and_notes, regions_in, written

from distortion_graph.base.errors import DistortionGraphWarning
from distortion_graph.regions import resolve_regions

H, W = 8, 12
PICTURE = blank(H, W, "/photos/a.jpg")


def shape(label, points, kind="polygon", **more):
    """A shape with every key that labelme 5 writes."""
    return {
        "label": label,
        "points": points,
        "group_id": None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    } | more


def file_of(*shapes, **more):
    """A file with every key that labelme 5 writes."""
    return {
        "version": "5.5.0",
        "flags": {},
        "shapes": list(shapes),
        "imagePath": "..\\photos\\a.jpg",
        "imageData": None,
        "imageHeight": H,
        "imageWidth": W,
    } | more


def png(mask):
    """A mask as labelme stores it: a PNG in base64."""
    buffer = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def test_polygons_and_rectangles_are_their_pixels(tmp_path):
    value = file_of(
        shape("roof", [[1.2, 1.1], [10.9, 1.0], [6.0, 5.9]]),
        shape("door", [[9.0, 7.2], [4.6, 3.4]], "rectangle"),
        shape("sign", [[1.9, 4.0], [4.0, 1.9], [6.1, 4.0], [4.0, 6.1]], "oriented_rectangle"),
    )
    found = regions_in(written(tmp_path / "a.json", value), PICTURE)
    assert found.names == ("roof", "door", "sign") and found.ids == (0, 1, 2)
    drawn = [
        art("""............ ..########.. ...######... ....####.... .....##.....
               ............ ............ ............"""),
        art("""............ ............ ............ .....####... .....####...
               .....####... .....####... ............"""),
        art("""............ ............ ...##....... ..####...... ..####......
               ...##....... ............ ............"""),
    ]
    for mask, expected in zip(found.masks(), drawn, strict=True):
        assert (mask == expected).all()


def test_a_circle_is_a_centre_and_a_point_on_it(tmp_path):
    value = file_of(shape("ball", [[5.8, 4.1], [8.4, 6.0]], "circle"))
    mask = regions_in(written(tmp_path / "a.json", value), PICTURE).mask(0)
    y, x = np.mgrid[:H, :W] + 0.5
    assert (mask == (np.hypot(x - 5.8, y - 4.1) <= math.hypot(2.6, 1.9))).all()


def test_a_mask_lies_at_its_corners(tmp_path):
    ink = art("##.. .##. ...#")
    value = file_of(
        shape("inside", [[3, 2], [6, 4]], "mask", mask=png(ink)),
        shape("between", [[2.6, 1.7], [5.9, 3.4]], "mask", mask=png(ink)),
        shape("over the edge", [[-2, -1], [1, 1]], "mask", mask=png(ink)),
    )
    found = regions_in(written(tmp_path / "a.json", value), PICTURE)
    expected = np.zeros((3, H, W), bool)
    expected[:2, 2:5, 3:7] = ink
    expected[2, :2, :2] = ink[1:, 2:]
    assert (found.masks() == expected).all()


def test_shapes_of_one_label_and_group_are_one_region(tmp_path):
    value = file_of(
        shape("car", [[0, 0], [2, 2]], "rectangle", group_id=3),
        shape("bus", [[4, 0], [6, 2]], "rectangle", group_id=3),
        shape("car", [[8, 0], [10, 2]], "rectangle", group_id=3),
        shape("car", [[0, 4], [2, 6]], "rectangle"),
        shape("car", [[4, 4], [6, 6]], "rectangle"),
    )
    found = regions_in(written(tmp_path / "a.json", value), PICTURE)
    assert found.names == ("car", "bus", "car", "car") and found.ids == (0, 1, 2, 3)
    assert found.areas().tolist() == [8, 4, 4, 4]
    assert found.mask(0)[:2, [0, 1, 8, 9]].all()


def test_what_has_no_area_is_left_out_and_said(tmp_path):
    value = file_of(
        shape("nail", [[3, 3]], "point"),
        shape("box", [[0, 0], [4, 4]], "rectangle"),
        shape("rope", [[0, 0], [9, 5]], "line"),
        shape("nail", [[5, 3]], "point"),
    )
    path = written(tmp_path / "a.json", value)
    found, notes = regions_and_notes(path, PICTURE)
    assert found.names == ("box",)
    line = f"{path}: left out what has no area: 2 point, 1 line"
    assert notes == [line]
    with pytest.warns(DistortionGraphWarning) as told:
        assert resolve_regions(path, PICTURE, PICTURE) == found
    assert [str(warning.message) for warning in told] == [line]


def test_what_is_cut_off_and_what_crosses_itself_is_said(tmp_path):
    value = file_of(
        shape("in", [[1, 1], [W + 0.5, 1], [5, 5]]),  # at the edge, as tools put it
        shape("wide", [[1, 1], [W + 9, 1], [5, 5]]),
        shape("bow", [[1, 1], [9, 7], [9, 1], [1, 7]]),
        shape("round", [[6, 4], [6, -4]], "circle"),
    )
    found, notes = regions_and_notes(written(tmp_path / "a.json", value), PICTURE)
    assert [region.name for region in found] == ["in", "wide", "bow", "round"]
    path = tmp_path / "a.json"
    assert notes == [
        f"{path}: 2 shapes reaching beyond the picture, cut off at its edge: shape 1 (wide), "
        "shape 3 (round)",
        f"{path}: 1 shape whose outline crosses itself, all that it goes around is filled: "
        "shape 2 (bow)",
    ]


def test_older_files_without_size_or_type_are_read_on_the_picture(tmp_path):
    value = {"shapes": [{"label": "", "points": [[0, 0], [4, 0], [4, 4], [0, 4]]}]}
    found = regions_in(written(tmp_path / "a.json", value), PICTURE)
    assert found.names == ("region 0",) and found.areas().tolist() == [16]


def test_a_picture_that_is_named_must_be_the_one(tmp_path):
    path = written(tmp_path / "b.json", file_of(shape("box", [[0, 0], [4, 4]], "rectangle")))
    assert len(regions_in(path, blank(H, W, "/else/b.png"))) == 1
    assert len(regions_in(f"{path},image=../photos/a.jpg", PICTURE)) == 1
    assert refusal(f"{path},image=b.jpg", PICTURE) == (
        "b.json: image=b.jpg: no picture of that name or id, expected one of ..\\photos\\a.jpg "
        "(id 0)"
    )


BOX = [[0, 0], [4, 4]]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (
            file_of(shape("a", BOX, "rectangle"), imageHeight=80),
            "a.json: found 12×80 pixels (width × height), expected the picture's 12×8",
        ),
        (
            file_of(shape("dot", [[20, 1], [30, 5]], "rectangle")),
            "a.json: shape 0 (dot): lies at x 20…30, y 1…5, outside of the picture's 12×8 pixels "
            "(width × height)",
        ),
        (
            file_of(shape("dot", [[1.6, 1.6], [2.4, 2.4]], "rectangle")),
            "a.json: shape 0 (dot): covers the centre of no pixel (x 1.6…2.4, y 1.6…2.4), expected "
            "at least one; remove it or draw it larger",
        ),
        (
            file_of(shape("two", BOX)),
            "a.json: shape 0 (two): a polygon of 2 points, expected at least 3",
        ),
        (
            file_of(shape("one", BOX[:1], "circle")),
            "a.json: shape 0 (one): a circle of 1 points, expected 2",
        ),
        (
            file_of(shape("x", BOX, "cube")),
            "a.json: shape 0 (x): a shape of type 'cube', expected polygon, rectangle, "
            "oriented_rectangle, circle or mask",
        ),
        (
            file_of(shape("x", [[0, 0], ["a", 1]])),
            "a.json: shape 0 (x): its points must be [[x1, y1], [x2, y2], …] in numbers",
        ),
        (
            file_of(shape("x", BOX, "mask", mask=png(np.ones((3, 3), bool)))),
            "a.json: shape 0 (x): its mask is 3×3 pixels, expected 5×5 as its corners say",
        ),
        (
            file_of(shape("x", BOX, "mask", mask="AAAA")),
            "a.json: shape 0 (x): its mask cannot be read (a.json: shape 0 (x): not a picture of a "
            "known kind, expected one of JPEG, PNG, WebP, TIFF, BMP, AVIF, GIF, HEIF, JPEG XL), "
            "expected a PNG",
        ),
        (
            file_of(shape("x", [[0, 0], [4, float("nan")]], "mask", mask=png(np.ones((3, 3))))),
            "a.json: shape 0 (x): its points must be [[x1, y1], [x2, y2], …] in numbers",
        ),
        (
            file_of(shape("x", [[0, 0], [4, 1e308], [0, 9]])),
            "a.json: shape 0 (x): a point lies at 1e+308, expected pixels of the picture",
        ),
        (
            file_of(shape("x", BOX, "mask")),
            "a.json: shape 0 (x): expected a PNG in base64 under `mask`, and two corners",
        ),
        (file_of(shape("p", BOX[:1], "point")), "a.json: no region left, expected at least one"),
        (file_of(7), "a.json: shape 0: expected an object, got 7"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no area")
def test_a_file_that_does_not_serve_is_refused_in_one_line(tmp_path, value, line):
    assert refusal(written(tmp_path / "a.json", value), PICTURE) == line
