"""GeoJSON in pixels: the RFC's own shapes of objects, and QuPath's."""

from __future__ import annotations

import numpy as np
import pytest
from region_files import art, blank, refusal, regions_and_notes, regions_in, written

from distortion_graph.regions.polygons import fill

H, W = 6, 9
PICTURE = blank(H, W, "/photos/a.jpg")
OUTER = [[1, 1], [8, 1], [8, 5], [1, 5], [1, 1]]
HOLE = [[2, 2], [4, 2], [4, 4], [2, 4], [2, 2]]
ISLAND = [[0, 0], [1, 0], [1, 1], [0, 1], [0, 0]]


def feature(geometry, properties=None, **more):
    return {"type": "Feature", "geometry": geometry, "properties": properties} | more


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


def polygon(*rings):
    return {"type": "Polygon", "coordinates": list(rings)}


def test_polygons_have_holes_and_features_several_parts(tmp_path):
    several = {"type": "MultiPolygon", "coordinates": [[OUTER, HOLE], [ISLAND]]}
    joined = {"type": "GeometryCollection", "geometries": [polygon(OUTER, HOLE), polygon(ISLAND)]}
    value = collection(
        feature(polygon(OUTER, HOLE[::-1]), {"name": "lake"}), feature(several), feature(joined)
    )
    found = regions_in(written(tmp_path / "a.geojson", value), PICTURE)
    assert found.names == ("lake", "region 1", "region 2") and found.ids == (0, 1, 2)
    lake = art("......... .#######. .#..####. .#..####. .#######. .........")
    assert (found.mask(0) == lake).all()
    lake[0, 0] = True
    assert (found.mask(1) == lake).all() and (found.mask(2) == lake).all()


def test_a_geometry_and_a_feature_alone_are_one_region(tmp_path):
    ring = [[x, y, 12.5] for x, y in OUTER]  # with heights
    for value in (polygon(ring), feature(polygon(OUTER)), [feature(polygon(OUTER))]):
        found = regions_in(written(tmp_path / "a.json", value), PICTURE)
        assert found.ids == (0,) and found.areas().tolist() == [28]


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ({"label": "x", "name": "sky"}, "sky"),
        ({"name": "", "class": "sky"}, "sky"),
        (
            {"objectType": "annotation", "classification": {"name": "Tumor", "color": [200, 0, 0]}},
            "Tumor",
        ),
        ({"name": 12}, "12"),
        ({"area": 3}, "region 0"),
        (None, "region 0"),
    ],
)
def test_properties_name_a_region(tmp_path, properties, name):
    value = collection(feature(polygon(OUTER), properties))
    assert regions_in(written(tmp_path / "a.json", value), PICTURE).names == (name,)


def test_whole_numbers_number_a_region_and_other_ids_do_not(tmp_path):
    ids = [7, "12", "1a0e6c34-2f9c-4a35", None]
    value = collection(*(feature(polygon(OUTER), None, id=number) for number in ids))
    found = regions_in(written(tmp_path / "a.json", value), PICTURE)
    assert found.ids == (7, 12, 13, 14)
    assert found.names == ("region 7", "region 12", "region 13", "region 14")


def test_an_outline_that_crosses_itself_is_filled_wherever_it_goes_around(tmp_path):
    star = [[4.1, 0.3], [6.4, 5.7], [0.6, 2.2], [8.3, 2.3], [1.9, 5.8], [4.1, 0.3]]
    path = written(tmp_path / "a.json", feature(polygon(star)))
    found, notes = regions_and_notes(path, PICTURE)
    assert notes == [
        f"{path}: 1 shape whose outline crosses itself, all that it goes around is filled: "
        "feature 0"
    ]
    mask = found.mask(0)
    odd = fill([np.array(star)], (H, W), "star", "evenodd").decode()
    assert mask[3, 4] and not odd[3, 4]  # the middle, twice around
    assert (mask >= odd).all()


def test_what_has_no_area_is_left_out_and_said(tmp_path):
    value = collection(
        feature({"type": "Point", "coordinates": [1, 1]}),
        feature(polygon(OUTER)),
        feature({"type": "LineString", "coordinates": [[1, 1], [4, 4]]}),
        feature(None),
    )
    path = written(tmp_path / "a.json", value)
    found, notes = regions_and_notes(path, PICTURE)
    assert found.areas().tolist() == [28]
    assert notes == [
        f"{path}: left out what has no area: 1 Point, 1 LineString, 1 feature without a geometry"
    ]


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (
            collection(feature(polygon(OUTER))) | {"crs": {"type": "name"}},
            "a.json: its `crs` says where on Earth it is, expected pixels",
        ),
        (
            feature(
                polygon([[13.3, 52.4], [13.4, 52.4], [13.4, 52.5], [13.3, 52.4]]), {"name": "B"}
            ),
            "a.json: feature 0 (B): lies at x 13.3…13.4, y 52.4…52.5, outside of the picture's 9×6 "
            "pixels (width × height)",
        ),
        (
            feature({"type": "Circle"}),
            "a.json: feature 0: found a geometry of type 'Circle', expected Polygon or "
            "MultiPolygon",
        ),
        (
            feature({"type": "Polygon"}),
            "a.json: feature 0: found a geometry of type 'Polygon', expected Polygon or "
            "MultiPolygon",
        ),
        (feature(polygon()), "a.json: feature 0: a polygon without coordinates"),
        (
            feature({"type": "MultiPolygon", "coordinates": [[]]}),
            "a.json: feature 0: a polygon without coordinates",
        ),
        (
            feature(polygon([1, 2, 3])),
            "a.json: feature 0: its points must be [[x1, y1], [x2, y2], …] in numbers",
        ),
        (
            feature(polygon([[0, 0], [1e300, 0], [3, 3]])),
            "a.json: feature 0: a point lies at 1e+300, expected pixels of the picture",
        ),
        (collection(), "a.json: no region left, expected at least one"),
        (collection(3), "a.json: feature 0: expected an object, got 3"),
        (
            collection(
                feature(polygon(OUTER), {"name": "a"}, id=3), feature(polygon(HOLE), None, id=3)
            ),
            "a.json: feature 1: the id 3 is also of 'a', expected one name for the parts of a "
            "region; give it another id",
        ),
    ],
)
def test_a_file_that_does_not_serve_is_refused_in_one_line(tmp_path, value, line):
    assert refusal(written(tmp_path / "a.json", value), PICTURE) == line


def test_it_lists_no_pictures_to_choose_from(tmp_path):
    path = written(tmp_path / "a.json", feature(polygon(OUTER)))
    assert refusal(f"{path},image=b.png", PICTURE) == (
        "a.json: lists no pictures, so image=b.png chooses none; leave it out"
    )
