"""Label Studio's exports, as its documentation prints them and its own encoder packs brushes."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image
from region_files import art, blank, refusal, regions_and_notes, regions_in, written

H, W = 8, 12
PICTURE = blank(H, W, "/photos/b.jpg")


def result(kind, value, number="Dx_aB91ISN", **more):
    """A region with the keys of the documentation's example."""
    return {
        "from_name": "tag",
        "id": number,
        "source": "$image",
        "to_name": "img",
        "type": kind,
        "original_width": W,
        "original_height": H,
        "image_rotation": 0,
        "value": value,
    } | more


def task(*results, image="/data/upload/3/0a1b2c3d-b.jpg", number=7, **annotation):
    """A task with the keys of the documentation's example."""
    return {
        "id": number,
        "created_at": "2021-03-09T21:52:49.513742Z",
        "project": 83,
        "data": {"image": image},
        "annotations": [
            {"id": 1001, "result": list(results), "was_cancelled": False, "ground_truth": False}
            | annotation
        ],
        "predictions": [],
        "file_upload": image.rpartition("/")[2],
    }


def percent(points):
    return [[x / W * 100, y / H * 100] for x, y in points]


def box(x, y, width, height, rotation=0, label="door", kind="rectanglelabels"):
    """A rectangle, given in pixels."""
    (left, top), (across, down) = percent([(x, y), (width, height)])
    value = {"x": left, "y": top, "width": across, "height": down, "rotation": rotation}
    return value | {kind: [label]}


ROOF = {"points": percent([(1.2, 1.1), (10.9, 1.0), (6.0, 5.9)]), "closed": True}


def test_polygons_and_rectangles_are_their_pixels(tmp_path):
    diagonal = math.sqrt(2)
    value = [
        task(
            result("polygonlabels", ROOF | {"polygonlabels": ["roof"]}, "a"),
            result("rectanglelabels", box(4.6, 3.4, 4.4, 3.8), "b"),
            # Turned about its top left corner, which is the uppermost one then.
            result("rectanglelabels", box(4, 1.9, 2.1 * diagonal, 2.1 * diagonal, 45), "c"),
        )
    ]
    found = regions_in(written(tmp_path / "export.json", value), PICTURE)
    assert found.names == ("roof", "door", "door") and found.ids == (0, 1, 2)
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


def test_an_ellipse_turns_about_its_centre_in_pixels_not_in_percent(tmp_path):
    (x, y), (across, down) = percent([(5.7, 4.1), (4.3, 2.2)])
    value = {"x": x, "y": y, "radiusX": across, "radiusY": down, "rotation": 30}
    export = [task(result("ellipselabels", value | {"ellipselabels": ["eye"]}))]
    mask = regions_in(written(tmp_path / "export.json", export), PICTURE).mask(0)
    down_px, right_px = np.mgrid[:H, :W] + 0.5 - np.array([4.1, 5.7])[:, None, None]
    angle = math.radians(30)
    along = right_px * math.cos(angle) + down_px * math.sin(angle)
    over = down_px * math.cos(angle) - right_px * math.sin(angle)
    assert (mask == ((along / 4.3) ** 2 + (over / 2.2) ** 2 <= 1)).all()


BRUSH = [
    *(0, 0, 0, 60, 57, 27, 252, 224, 0, 127, 194, 0, 4, 5, 176, 0, 63, 225, 0, 135, 254, 16, 8),
    *(127, 225, 0, 3, 254, 248, 0, 31, 240, 128, 0, 255, 24, 0),
]
"""What encode_rle of label_studio_sdk (converter/brush.py) packs of 5×3 red pixels: three opaque
ones in a row, one above of alpha 128 and one below of 127. It stores lone values by themselves and
the others as runs."""


def test_a_brush_is_where_its_alpha_is_half_or_more(tmp_path):
    brush = {"format": "rle", "rle": BRUSH, "brushlabels": ["Car"]}
    export = [task(result("brushlabels", brush, original_width=5, original_height=3))]
    mask = regions_in(written(tmp_path / "export.json", export), blank(3, 5)).mask(0)
    assert (mask == art("..#.. .###. .....")).all()


def test_a_bitmask_is_where_its_picture_is_opaque(tmp_path):
    pixels = np.zeros((H, W, 4), np.uint8)  # black on nothing, as its canvas writes it
    pixels[2:5, 3:9, 3] = 255
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    url = "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
    value = {"imageDataURL": url, "bitmasklabels": ["Person"]}
    path = written(tmp_path / "export.json", [task(result("bitmasklabels", value))])
    assert (regions_in(path, PICTURE).mask(0) == (pixels[..., 3] > 0)).all()


def test_labels_of_their_own_control_and_several_labels_name_a_region(tmp_path):
    plain = box(0, 0, 2, 2)
    del plain["rectanglelabels"]
    export = [
        task(
            result("rectangle", plain, "a"),
            result("labels", plain | {"labels": ["car", "old"]}, "a", from_name="label"),
            result("choices", plain | {"choices": ["bad"]}, "a", from_name="quality"),
            result("rectangle", plain, "b"),
            {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
            result("choices", {"choices": ["day"]}, "c", from_name="scene"),
        )
    ]
    found = regions_in(written(tmp_path / "export.json", export), PICTURE)
    assert found.names == ("car, old", "region 1") and found.areas().tolist() == [4, 4]


def test_the_short_form_has_the_same_regions(tmp_path):
    """JSON-MIN: a task's data and, by control, the values alone."""
    entry = {
        "image": "/data/upload/3/0a1b2c3d-b.jpg",
        "id": 7,
        "tag": [
            box(4.6, 3.4, 4.4, 3.8) | {"original_width": W, "original_height": H},
            ROOF | {"polygonlabels": ["roof"], "original_width": W, "original_height": H},
        ],
        "quality": "good",
        "annotator": 1,
        "annotation_id": 1001,
        "created_at": "2021-03-09T22:16:08.728353Z",
        "lead_time": 4.2,
    }
    other = {"image": "/data/upload/3/0a1b2c3d-a.jpg", "id": 6, "annotator": 1}
    short = regions_in(written(tmp_path / "min.json", [other, entry]), PICTURE)
    assert short.names == ("door", "roof")
    value = task(
        result("rectanglelabels", box(4.6, 3.4, 4.4, 3.8), "a"),
        result("polygonlabels", ROOF | {"polygonlabels": ["roof"]}, "b"),
    )
    assert regions_in(written(tmp_path / "one.json", value), PICTURE) == short
    stored = value["annotations"][0] | {"task": {"id": 7, "data": value["data"]}}
    assert regions_in(written(tmp_path / "stored.json", stored), PICTURE) == short


def test_what_has_no_area_is_left_out_and_said(tmp_path):
    point = {"x": 22.6, "y": 31.8, "width": 0.18, "keypointlabels": ["eye"]}
    line = {"vertices": [{"x": 1, "y": 2}], "vectorlabels": ["rope"]}
    results = [
        result("keypointlabels", point, "a"),
        result("rectanglelabels", box(0, 0, 2, 2), "b"),
        result("vectorlabels", line, "c"),
    ]
    path = written(tmp_path / "export.json", [task(*results)])
    found, notes = regions_and_notes(path, PICTURE)
    assert found.names == ("door",)
    assert notes == [f"{path}: left out what has no area: 1 keypoint, 1 vector"]


@pytest.mark.parametrize(
    "image",
    [
        "b.jpg",
        "https://example.com/day/b.jpg?size=full",
        "s3://bucket/day/b.jpg",
        "/data/local-files/?d=day/b.jpg",
        "/data/upload/3/0a1b2c3d-b.jpg",
        "C:\\day\\b.jpg",
    ],
)
def test_the_picture_is_chosen_by_its_name_wherever_it_lay(tmp_path, image):
    door = result("rectanglelabels", box(0, 0, 2, 2))
    other = result("rectanglelabels", box(0, 0, 4, 4, label="other"))
    export = [task(other, image="/data/upload/3/0a1b2c3d-a.jpg", number=6), task(door, image=image)]
    path = written(tmp_path / "export.json", export)
    assert regions_in(path, PICTURE).names == ("door",)
    assert regions_in(f"{path},image=a.jpg".replace("a.jpg", "6"), PICTURE).names == ("other",)


def test_tasks_that_fit_no_picture_are_listed(tmp_path):
    door = result("rectanglelabels", box(0, 0, 2, 2))
    export = [task(door, image=f"/data/upload/3/0a1b2c3d-{c}.jpg", number=c) for c in "ab"]
    path = written(tmp_path / "export.json", export)
    assert refusal(path, blank(H, W, "c.jpg")) == (
        "export.json: none of 2 pictures is named 'c.jpg': a.jpg (id a), b.jpg (id b); choose one, "
        "as with --regions export.json,image=a.jpg"
    )


def test_the_ground_truth_counts_then_people_then_models(tmp_path):
    def work(label, **more):
        value = box(0, 0, 2, 2, label=label)
        return {"id": label, "result": [result("rectanglelabels", value)]} | more

    both = task() | {"annotations": [work("a"), work("b")], "predictions": [work("m")]}
    path = written(tmp_path / "export.json", [both])
    assert refusal(path, PICTURE) == (
        "export.json: 2 annotations of b.jpg (ids a, b), expected one; mark it as the ground "
        "truth, or leave out the others"
    )
    both["annotations"] = [work("a"), work("b", ground_truth=True)]
    assert regions_in(written(path, [both]), PICTURE).names == ("b",)
    both["annotations"] = [work("a"), work("b", was_cancelled=True)]
    assert regions_in(written(path, [both]), PICTURE).names == ("a",)
    both["annotations"] = []
    assert regions_in(written(path, [both]), PICTURE).names == ("m",)
    both["predictions"] = []
    assert refusal(written(path, [both]), PICTURE) == "export.json: nothing is drawn for b.jpg"


def test_work_that_is_no_list_is_none(tmp_path):
    value = task() | {"annotations": 3.5, "predictions": [7]}
    assert refusal(
        written(tmp_path / "export.json", [value | {"annotations": []}, 3]), PICTURE
    ) == ("export.json: task 1: expected an object, got 3")
    path = written(tmp_path / "export.json", [value | {"predictions": []}])
    assert refusal(path, PICTURE) == "export.json: nothing is drawn for b.jpg"


@pytest.mark.parametrize(
    ("results", "line"),
    [
        (
            [result("rectanglelabels", box(0, 0, 2, 2), original_width=1920)],
            "region 0 (door): found 1920×8 pixels (width × height), expected the picture's 12×8",
        ),
        (
            [result("rectanglelabels", box(0, 0, 2, 2), image_rotation=90)],
            "region 0 (door): drawn on a turned picture, or on one of several of a task; expected "
            "one picture per task, as it is",
        ),
        (
            [result("rectanglelabels", box(20, 0, 2, 2))],
            "region 0 (door): lies at x 20…22, y 0…2, outside of the picture's 12×8 pixels (width "
            "× height)",
        ),
        (
            [result("rectanglelabels", box(0, 0, 2, 2) | {"x": None})],
            "region 0 (door): x, y, width, height are None, 0.0, "
            "16.666666666666664, 25.0, expected numbers",
        ),
        (
            [result("brushlabels", {"format": "rle", "rle": BRUSH, "brushlabels": ["Car"]})],
            "region 0 (Car): its brush cannot be read (it has 60 values of 8 bits, expected 384 of "
            "8, those of 12×8 pixels), expected run lengths",
        ),
        (
            [result("brushlabels", {"rle": [0, 0, 1, 128, 57, 27, 252], "brushlabels": ["Car"]})],
            "region 0 (Car): its brush cannot be read (it ends in the middle), expected run "
            "lengths",
        ),
        (
            [result("brushlabels", {"rle": [256], "brushlabels": ["Car"]})],
            "region 0 (Car): its brush cannot be read (bytes must be in range(0, 256)), expected "
            "run lengths",
        ),
        ([], "no region left, expected at least one"),
        ("x", "the result of b.jpg is no list of objects"),
    ],
)
def test_an_export_that_does_not_serve_is_refused_in_one_line(tmp_path, results, line):
    export = [task(result=results)]
    assert refusal(written(tmp_path / "export.json", export), PICTURE) == f"export.json: {line}"
