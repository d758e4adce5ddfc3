"""CVAT's XML for images 1.1, as its documentation prints it and its program writes it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from region_files import art, blank, refusal, regions_and_notes, regions_in, written

H, W = 8, 12
PICTURE = blank(H, W, "/photos/b.jpg")
HEAD = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><id>4</id><name>segmentation</name><size>2</size><mode>annotation</mode></task></meta>
"""


def xml(body, name="day/b.jpg", width=W, height=H):
    """A file of two pictures, of which the second one has these shapes."""
    return f"""{HEAD}
  <image id="0" name="day/a.jpg" width="640" height="480">
    <tag label="blurry" source="manual"></tag>
  </image>
  <image id="1" name="{name}" width="{width}" height="{height}">
{body}
  </image>
</annotations>
"""


SHAPES = """
<box label="door" source="manual" occluded="0" xtl="4.60" ytl="3.40" xbr="9.00" ybr="7.20"
     z_order="0"></box>
<polygon label="roof" source="manual" occluded="0" points="1.20,1.10;10.90,1.00;6.00,5.90"
     z_order="0"><attribute name="colour">red</attribute></polygon>
<box label="sign" source="manual" occluded="0" xtl="2.50" ytl="2.50" xbr="5.50" ybr="5.50"
     rotation="45.00" z_order="1"></box>
"""


def test_boxes_polygons_and_turned_boxes_are_their_pixels(tmp_path):
    found = regions_in(written(tmp_path / "annotations.xml", xml(SHAPES)), PICTURE)
    assert found.names == ("door", "roof", "sign") and found.ids == (0, 1, 2)
    drawn = [
        art("""............ ............ ............ .....####... .....####...
               .....####... .....####... ............"""),
        art("""............ ..########.. ...######... ....####.... .....##.....
               ............ ............ ............"""),
        art("""............ ............ ...##....... ..####...... ..####......
               ...##....... ............ ............"""),
    ]
    for mask, expected in zip(found.masks(), drawn, strict=True):
        assert (mask == expected).all()


@pytest.mark.parametrize("rotation", ["", ' rotation="30.00"'])
def test_an_ellipse_turns_clockwise_about_its_centre(tmp_path, rotation):
    body = f'<ellipse label="eye" cx="5.70" cy="4.10" rx="4.30" ry="2.20"{rotation}></ellipse>'
    mask = regions_in(written(tmp_path / "a.xml", xml(body)), PICTURE).mask(0)
    y, x = np.mgrid[:H, :W] + 0.5 - np.array([4.1, 5.7])[:, None, None]
    angle = math.radians(30 if rotation else 0)
    along = x * math.cos(angle) + y * math.sin(angle)
    across = y * math.cos(angle) - x * math.sin(angle)
    assert (mask == ((along / 4.3) ** 2 + (across / 2.2) ** 2 <= 1)).all()


def test_the_mask_of_cvats_documentation(tmp_path):
    """The example of the format's page: 13×15 pixels at 707, 888."""
    runs = (
        "3, 5, 7, 7, 5, 9, 3, 11, 2, 11, 2, 12, 1, 12, 1, 26, 1, 12, 1, 12, 2, 11, 3, 9, 5, 7, 7, "
        "5, 3"
    )
    body = (
        f'<mask label="car" source="manual" occluded="0" rle="{runs}" left="707" top="888" '
        'width="13" height="15" z_order="0"></mask>'
    )
    path = written(tmp_path / "a.xml", xml(body, width=1280, height=960))
    found = regions_in(path, blank(960, 1280, "b.jpg"))
    assert found.boxes_xywh().tolist() == [[707, 888, 13, 15]]
    drawn = """
        ...#####..... ..#######.... .#########... ###########.. ###########..
        ############. ############. ############# ############# .############
        .############ ..########### ...#########. ....#######.. .....#####...
    """
    assert (found.mask(0)[888:903, 707:720] == art(drawn)).all()


def test_shapes_of_one_label_and_group_are_one_region(tmp_path):
    box = '<box label="{}" xtl="{}" ytl="0" xbr="{}" ybr="2"{}></box>'
    body = "".join(
        box.format(label, x, x + 2, group)
        for label, x, group in (
            ("car", 0, ' group_id="1"'),
            ("bus", 3, ' group_id="1"'),
            ("car", 6, ' group_id="1"'),
            ("car", 9, ' group_id="0"'),
        )
    )
    found = regions_in(written(tmp_path / "a.xml", xml(body)), PICTURE)
    assert found.names == ("car", "bus", "car") and found.areas().tolist() == [8, 4, 4]


def test_attributes_number_and_name_a_region_and_join_its_parts(tmp_path):
    box = (
        '<box label="blur" xtl="{0}" ytl="0" xbr="{1}" ybr="2">'
        '<attribute name="region_id">{2}</attribute><attribute name="name">{3}</attribute></box>'
    )
    body = box.format(0, 2, 7, "sky") + box.format(3, 5, "", "sea") + box.format(6, 8, 7, "sky")
    found = regions_in(written(tmp_path / "a.xml", xml(body)), PICTURE)
    assert found.ids == (7, 8) and found.names == ("sky", "sea")
    assert found.areas().tolist() == [8, 4]
    body = box.format(0, 2, 7, "sky") + box.format(3, 5, 7, "sea")
    assert refusal(written(tmp_path / "a.xml", xml(body)), PICTURE) == (
        "a.xml: box 1 (sea): the id 7 is also of 'sky', expected one name for the parts of a "
        "region; give it another id"
    )


def test_what_has_no_area_is_left_out_and_said(tmp_path):
    body = """<points label="nail" points="3.00,4.00"></points>
      <polyline label="rope" points="1.00,1.00;9.00,3.00"></polyline>
      <skeleton label="man"><points label="1" points="1.00,1.00"></points></skeleton>
      <cuboid label="crate" xtl1="1.00" ytl1="2.00"></cuboid><tag label="day"></tag>"""
    path = written(tmp_path / "a.xml", xml(SHAPES + body))
    found, notes = regions_and_notes(path, PICTURE)
    assert len(found) == 3
    assert notes == [
        f"{path}: left out what has no area: 1 points, 1 polyline, 1 skeleton, 1 cuboid, 1 tag"
    ]


def test_the_picture_is_chosen_by_its_name_or_said(tmp_path):
    path = written(tmp_path / "a.xml", xml(SHAPES))
    for source in ("/photos/b.jpg", "b.png", None):
        assert len(regions_in(path, blank(H, W, source))) == 3
    assert len(regions_in(f"{path},image=day/b.jpg", blank(H, W, "c.jpg"))) == 3
    assert len(regions_in(f"{path},image=1", blank(H, W, "c.jpg"))) == 3
    assert refusal(path, blank(H, W, "c.jpg")) == (
        "a.xml: none of 2 pictures is named 'c.jpg': day/a.jpg (id 0), day/b.jpg (id 1); choose "
        f"one, as with --regions {tmp_path.name}".replace(tmp_path.name, "a.xml,image=day/a.jpg")
    )
    assert refusal(f"{path},image=c.jpg", PICTURE) == (
        "a.xml: image=c.jpg: no picture of that name or id, expected one of day/a.jpg (id 0), "
        "day/b.jpg (id 1)"
    )


MASK = '<mask label="m" rle="{}" left="{}" top="1" width="3" height="2"></mask>'


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            xml(SHAPES, width=120),
            "a.xml: found 120×8 pixels (width × height), expected the picture's 12×8",
        ),
        (
            xml(MASK.format("1, 2, 1", 3)),
            "a.xml: mask 0 (m): its runs are 4 pixels, expected 6 for a box of 3×2",
        ),
        (
            xml(MASK.format("1, x", 3)),
            "a.xml: mask 0 (m): its runs are no whole numbers parted by commas",
        ),
        (
            xml(MASK.format("6", 3)),
            "a.xml: mask 0 (m): the mask is empty, expected at least one pixel of the picture",
        ),
        (
            xml(MASK.format("0, 6", 10)),
            "a.xml: mask 0 (m): its box of 3×2 pixels at 10, 1 leaves the picture, which is 12×8",
        ),
        (
            xml('<mask label="m" rle="0, 6" left="1"></mask>'),
            "a.xml: mask 0 (m): expected left, top, width and height as whole numbers",
        ),
        (
            xml('<box label="b" xtl="1" ytl="x" xbr="3" ybr="4"></box>'),
            "a.xml: box 0 (b): xtl, ytl, xbr, ybr are 1, x, 3, 4, expected numbers",
        ),
        (
            xml('<box label="b" xtl="1" ytl="nan" xbr="3" ybr="4"></box>'),
            "a.xml: box 0 (b): xtl, ytl, xbr, ybr are 1, nan, 3, 4, expected numbers",
        ),
        (
            xml('<polygon label="p" points="1,2;3"></polygon>'),
            "a.xml: polygon 0 (p): its points are '1,2;3', expected x1,y1 x2,y2 …",
        ),
        (
            xml('<blob label="p"></blob>'),
            "a.xml: <blob> 0 (p)".replace("<blob>", "blob")
            + ": <blob>, expected box, polygon, ellipse or mask",
        ),
        (
            f'{HEAD}<track id="0" label="car"></track></annotations>',
            "a.xml: found CVAT for video, expected an export as CVAT for images 1.1",
        ),
        (
            f"{HEAD}</annotations>",
            "a.xml: found no image element, expected an export as CVAT for images 1.1",
        ),
        (
            "<annotation><object/></annotation>",
            "a.xml: found XML of <annotation>, expected an SVG or CVAT's <annotations>",
        ),
        (
            HEAD,
            "a.xml: not valid XML (no element found: line 5, column 0)",
        ),
    ],
)
def test_a_file_that_does_not_serve_is_refused_in_one_line(tmp_path, text, line):
    assert refusal(written(tmp_path / "a.xml", text), PICTURE) == line


def test_an_archive_is_to_be_unpacked(tmp_path):
    path = written(tmp_path / "export.xml", b"PK\x03\x04rest")
    assert refusal(path, PICTURE) == (
        "export.xml: found a ZIP archive, expected the file of regions in it; unpack it"
    )
