"""SVG drawings, against what a browser fills; what hostile ones are refused for."""

from __future__ import annotations

import numpy as np
import pytest
from region_files import art, blank, refusal, regions_and_notes, regions_in, written

H, W = 16, 24
PICTURE = blank(H, W, "/photos/a.jpg")
SIZED = f'width="{W}" height="{H}" viewBox="0 0 {W} {H}"'

# What Chromium 150 fills of a drawing shown 31 times as large (shape-rendering: crispEdges), at the
# centre of every pixel: bits row by row.
FILLED = {
    "curves": (
        '<path d="M2.3 8.1C4.2-3.1 12.7 3.3 13.1 8.4S20.2 15.7 21.6 9.2L21.6 13.9Q12 17.8 2.3 '
        '13.2Z"/>',
        "0000000000000780000fc0001fe0001ff0001ff8003ff8003ff8003ff8003ffc043ffc043ffe0c1ffffc03fff0"
        "003f00",
    ),
    "relative": (
        '<path d="m3.2 2.1 6.7.4 0 5.1-6.3 2.2zm9.1 1.2h7.7v8.4h-7.7zm2.1 2.3v3.2h3.3v-3.2z"/>',
        "0000000000001fc0001fcff01fcff01fcff01fcc301fcc300e0c30000ff0000ff0000ff0000000000000000000"
        "000000",
    ),
    "even-odd": (
        '<path fill-rule="evenodd" d="M2.2 1.3h18.4v12.9H2.2zM6.1 4.2h9.2v6.1H6.1z"/>',
        "0000003ffff83ffff83ffff83c01f83c01f83c01f83c01f83c01f83c01f83ffff83ffff83ffff83ffff8000000"
        "000000",
    ),
    "one way": (
        '<path d="M2.2 1.3h18.4v12.9H2.2zM6.1 4.2h9.2v6.1H6.1z"/>',
        "0000003ffff83ffff83ffff83ffff83ffff83ffff83ffff83ffff83ffff83ffff83ffff83ffff83ffff8000000"
        "000000",
    ),
    "the other way": (
        '<path d="M2.2 1.3h18.4v12.9H2.2zM6.1 4.2v6.1h9.2V4.2z"/>',
        "0000003ffff83ffff83ffff83c01f83c01f83c01f83c01f83c01f83c01f83ffff83ffff83ffff83ffff8000000"
        "000000",
    ),
    "star": (
        '<polygon points="12.1,0.7 17.3,14.9 3.2,6.1 20.9,6.2 6.9,14.8"/>',
        "000000000000001800001800001800003c000ffff007ffe001ff80007f0000ff0000ff0000e700018180000000"
        "000000",
    ),
    "even-odd star": (
        '<polygon style="fill-rule:evenodd" points="12.1,.7 17.3,14.9 3.2,6.1 20.9,6.2 6.9,14.8"/>',
        "000000000000001800001800001800003c000fc3f007c1e001818000010000c30000ff0000e700018180000000"
        "000000",
    ),
    "arcs": (
        '<path d="M4.3 8.2A6.1 4.2 20 0 1 16.4 6.3A3.3 5.2 0 1 0 18.2 12.1A9 9 0 0 1 4.3 8.2Z"/>',
        "00000000000001e00007f8000ffe000fff000ff8000ff8000ff00007f00003f00001f00000f0000030c0000780"
        "000780",
    ),
    "rounded and turned": (
        '<g transform="translate(11.3 7.2) rotate(25)">'
        '<rect x="-7.2" y="-3.1" width="14.3" height="6.4" rx="2.6"/></g>',
        "00000000000003800007e00007f8000ffe000fff8007ffc003ffc000ffc0001fc0000780000000000000000000"
        "000000",
    ),
    "skewed": (
        '<g transform="skewX(20)"><g transform="scale(1.3 .8) matrix(1 .2 0 1 1.1 .4)">'
        '<rect x="3" y="2" width="9" height="11"/></g></g>',
        "00000000000002000001ff0001ffe001ffe000ffe000fff000fff0007ff0007ff8000ff800000c000000000000"
        "000000",
    ),
    "ellipse": (
        '<ellipse cx="11.4" cy="7.7" rx="9.3" ry="4.6" transform="rotate(-30 11.4 7.7)"/>',
        "000000000000000fe0007ff000fff001fff007ffe007ffe00fffc01fff801ffe001ffc001ff000078000000000"
        "000000",
    ),
    "circle": (
        '<circle cx="9.3" cy="8.4" r="6.35"/>',
        "00000000000001f00007f8000ffc000ffe001ffe001fff001fff001fff001ffe000ffe000ffc0003f80000e000"
        "000000",
    ),
    "smooth": (
        '<path d="M1.2 9.1Q4.3 1.2 8.1 8.3T15.4 8.2 22.7 9.3V14.2H1.2Z"/>',
        "0000000000000000000000000000001c00703e00f83f00fc7f01fc7f81fe7fc3fe7fe7fe7ffffe7ffffe000000"
        "000000",
    ),
    "open": (
        '<polyline points="2.2,13.1 6.4,2.2 13.3,8.4 21.2,1.3 20.1,13.7"/>',
        "00000000000002000803001803803807c07807e1f80ff3f80ffff80ffff01ffff01ffff03ffff00003f0000000"
        "000000",
    ),
}
CIRCLE = '<circle cx="10.3" cy="9.6" r="7.45"/>'
VIEWED = {
    'viewBox="10 5 48 32"': (
        '<circle cx="31.2" cy="18.3" r="9.4"/>',
        "00000000000000f80001fc0003fe0003fe0003fe0003fe0003fe0001fc0000f800000000000000000000000000"
        "000000",
    ),
    'viewBox="0 0 20 20"': (
        CIRCLE,
        "000000000000007e0000ff0001ff8001ffc003ffc003ffc003ffc001ffc001ff8000ff80007f00001c00000000"
        "000000",
    ),
    'viewBox="0 0 20 20" preserveAspectRatio="none"': (
        CIRCLE,
        "00000000000000ff8003ffe007fff00ffff80ffff81ffff80ffff80ffff80ffff007ffe001ffc0003c00000000"
        "000000",
    ),
    'viewBox="0 0 20 20" preserveAspectRatio="xMaxYMin slice"': (
        CIRCLE,
        "00000000000000000000ff0001ffc003ffe007fff00ffff00ffff80ffff81ffff81ffff81ffff80ffff80ffff8"
        "0ffff0",
    ),
}


def svg(body, facts=SIZED, before=""):
    names = 'xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape"'
    return f"{before}<svg {names} {facts}>{body}</svg>"


def bits(text):
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), np.uint8)).reshape(H, W) > 0


@pytest.mark.parametrize("name", FILLED)
def test_every_shape_is_what_a_browser_fills(tmp_path, name):
    body, filled = FILLED[name]
    found = regions_in(written(tmp_path / "a.svg", svg(body)), PICTURE)
    assert (found.mask(0) == bits(filled)).all() and len(found) == 1


@pytest.mark.parametrize("view", VIEWED)
def test_a_view_is_laid_where_a_browser_lays_it(tmp_path, view):
    body, filled = VIEWED[view]
    path = written(tmp_path / "a.svg", svg(body, f'width="{W}" height="{H}" {view}'))
    assert (regions_in(path, PICTURE).mask(0) == bits(filled)).all()


@pytest.mark.parametrize(
    "facts",
    [
        f'width="{W}" height="{H}"',
        f'width="{W}px" height="{H}px"',
        'width="0.25in" height="12pt"',
        f'viewBox="0 0 {W} {H}"',
        f'viewBox="0,0,{W},{H}" width="100%" height="100%"',
        f'viewBox="0 0 {W} {H}" width="210mm" height="140mm"',  # a page of another size
        "",
    ],
)
def test_a_drawing_of_the_pictures_size_is_read_pixel_by_unit(tmp_path, facts):
    path = written(tmp_path / "a.svg", svg('<rect x="2" y="3" width="5" height="4"/>', facts))
    assert regions_in(path, PICTURE).boxes_xywh().tolist() == [[2, 3, 5, 4]]


def test_a_path_of_several_outlines_is_one_region_and_any_spelling_the_same(tmp_path):
    spelled = [
        "M1 1L5 1L5 4L1 4ZM8 2L12 2L12 6L8 6Z",
        "M1,1 5,1 5,4 1,4 M8,2 12,2 12,6 8,6",
        "m1 1h4v3h-4zm7 1h4v4h-4z",
        "M 1e0 1 L 5.0 1 5 4 .1e1 4 z M 8 2 L 12 2 L 12 6 L 8 6 z",
        "M1 1H5V4H1ZM8 2L12 2 12 6 8 6",
    ]
    body = "".join(f'<path d="{text}"/>' for text in spelled)
    found = regions_in(written(tmp_path / "a.svg", svg(body)), PICTURE)
    expected = np.zeros((H, W), bool)
    expected[1:4, 1:5] = expected[2:6, 8:12] = True
    assert len(found) == len(spelled) and all((m == expected).all() for m in found.masks())


def test_after_a_closing_the_path_goes_on_from_its_start(tmp_path):
    body = '<path d="m1 1h4v3h-4zl0 9 3 0 0-5q0 1-3 1z"/>'
    mask = regions_in(written(tmp_path / "a.svg", svg(body)), PICTURE).mask(0)
    assert mask[9, 1] and mask[1:4, 1:5].all()


def test_names_are_what_people_called_it_then_its_group_then_its_id(tmp_path):
    box = '<rect width="3" height="3" {}/>'
    body = (
        box.format('id="rect12" inkscape:label="sky"')
        + '<rect id="rect13" width="3" height="3"><title>sea</title></rect>'
        + box.format('id="tree"')
        + box.format('id="path-7" data-name="My roof"')
        + '<g id="g5" inkscape:label="town"><g id="layer1">'
        + box.format('id="rect1"')
        + box.format('id="church"')
        + "</g></g>"
        + box.format('id="rect9"')
        + box.format("")
    )
    text = svg("<title>Drawing</title>" + body, f'id="svg8" {SIZED}')
    found = regions_in(written(tmp_path / "a.svg", text), PICTURE)
    assert found.ids == tuple(range(8))
    assert found.names == (
        "sky", "sea", "tree", "My roof", "town", "church", "rect9", "region 7",
    )  # fmt: skip


def test_style_sheets_classes_and_groups_say_how_to_fill(tmp_path):
    path = '<path {} d="M2 1h18v12H2zM6 4h9v6H6z"/>'
    body = (
        "<style>/* .b{fill-rule:nonzero} */ .a, .b { fill:#f00; fill-rule: evenodd } #c "
        "{fill-rule:evenodd}</style>"
        + path.format('class="x b"')
        + path.format('id="c"')
        + path.format('class="b" style="fill-rule:nonzero"')
        + '<g fill-rule="evenodd">'
        + path.format("")
        + path.format('fill-rule="nonzero"')
        + "</g>"
    )
    found = regions_in(written(tmp_path / "a.svg", svg(body)), PICTURE)
    solid, holed = 18 * 12, 18 * 12 - 9 * 6
    assert found.areas().tolist() == [holed, holed, solid, holed, solid]


def test_what_draws_no_area_or_is_not_displayed_is_left_out_and_said(tmp_path):
    box = '<rect width="3" height="3" {}/>'
    body = (
        "<defs>" + box.format("") + '<clipPath id="c">' + box.format("") + "</clipPath></defs>"
        '<image href="photo.jpg" width="24" height="16"/><metadata/><!-- note -->'
        '<line x1="1" x2="9"/><text x="3" y="3">sky</text><path d=""/>'
        + box.format('display="none"')
        + '<g style="visibility:hidden">'
        + box.format("")
        + box.format('visibility="visible"')
        + "</g>"
        + box.format('clip-path="url(#c)"')
    )
    path = written(tmp_path / "a.svg", svg(body))
    found, notes = regions_and_notes(path, PICTURE)
    assert found.areas().tolist() == [9, 9]
    assert notes == [
        f"{path}: left out what has no area: 1 line, 1 text, 1 path without data",
        f"{path}: left out what is not displayed: 2 of its elements",
        f"{path}: clip paths and masks cut nothing off its regions",
    ]


def test_deep_groups_are_followed(tmp_path):
    depth = 20_000
    body = '<g transform="translate(0)">' * depth + '<rect width="3" height="2"/>' + "</g>" * depth
    path = written(tmp_path / "a.svg", svg(body))
    assert regions_in(path, PICTURE).areas().tolist() == [6]


BOMB = (
    '<!DOCTYPE svg [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + k)} "{f"&{chr(97 + k)};" * 10}">' for k in range(9))
    + "]>"
)
OUTSIDE = '<!DOCTYPE svg [<!ENTITY secret SYSTEM "file:///etc/passwd">]>'
PUBLIC = (
    '<?xml version="1.0" standalone="no"?>\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" '
    '"http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">\n'
)


@pytest.mark.parametrize(("before", "text"), [(BOMB, "&j;"), (OUTSIDE, "&secret;"), (OUTSIDE, "")])
def test_entities_are_refused(tmp_path, before, text):
    body = f'<title>{text}</title><rect width="3" height="3"/>'
    assert refusal(written(tmp_path / "a.svg", svg(body, before=before)), PICTURE) == (
        "a.svg: XML that declares entities, which are not read; save it without them (in "
        "Illustrator: Save a Copy, SVG, without the Illustrator data)"
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_a_plain_doctype_and_any_encoding_are_read(tmp_path, encoding):
    head = PUBLIC.replace("?>", f' encoding="{encoding}"?>').replace(
        f' standalone="no" encoding="{encoding}"', f' encoding="{encoding}" standalone="no"'
    )
    text = svg('<rect id="straße" width="3" height="3"/>', before=head)
    path = written(tmp_path / "a.svg", text.encode(encoding))
    assert regions_in(path, PICTURE).names == ("straße",)


@pytest.mark.parametrize(
    ("body", "facts", "line"),
    [
        (
            "<rect/>",
            'width="480" height="320"',
            "found 480×320 pixels (width × height), expected the picture's 24×16",
        ),
        (
            "<rect/>",
            'width="10em" height="16"',
            "found the length '10em', expected a number, px, mm or in",
        ),
        (
            "<rect/>",
            'viewBox="0 0 24"',
            "the viewBox is '0 0 24', expected x y width height",
        ),
        (
            '<defs><g id="a"><rect width="3" height="3"/></g></defs><use href="#a"/>',
            SIZED,
            "found <use> in the drawing, expected the shapes themselves; in Inkscape: Edit, Clone, "
            "Unlink Clone",
        ),
        (
            "<svg/>",
            SIZED,
            "found <svg> in the drawing, expected the shapes themselves; in Inkscape: Edit, Clone, "
            "Unlink Clone",
        ),
        (
            '<g transform="turn(3)"/>',
            SIZED,
            "the transform 'turn(3)' cannot be read",
        ),
        (
            '<rect id="roof" transform="rotate(3)" transform-origin="9 9" width="3" height="3"/>',
            SIZED,
            "a transform about another origin than 0, 0, expected shapes moved by plain transforms "
            "of their own or of their groups",
        ),
        (
            '<rect id="roof" x="50%" width="3" height="3"/>',
            SIZED,
            "rect 0 (roof): found the length '50%', expected a number, px, mm or in",
        ),
        (
            '<rect id="roof" x="30" y="2" width="3" height="3"/>',
            SIZED,
            "rect 0 (roof): lies at x 30…33, y 2…5, outside of the picture's 24×16 pixels (width × "
            "height)",
        ),
        (
            '<circle id="dot" cx="3" cy="3" r=".3"/>',
            SIZED,
            "circle 0 (dot): covers the centre of no pixel (x 2.7…3.3, y 2.7…3.3), "
            "expected at least one; remove it or draw it larger",
        ),
        (
            '<polygon id="p" points="1,1 2,2 3"/>',
            SIZED,
            "polygon 0 (p): its points are '1,1 2,2 3', expected x1,y1 x2,y2 …",
        ),
        (
            '<path id="p" d="M1 1 L x 3"/>',
            SIZED,
            "path 0 (p): its path 'M1 1 L x 3' is no path data",
        ),
        (
            '<path id="p" d="M1 1 e5 L3 3"/>',
            SIZED,
            "path 0 (p): its path 'M1 1 e5 L3 3' is no path data",
        ),
        (
            '<path id="p" d="M1 1 C 3 4 5 6"/>',
            SIZED,
            "path 0 (p): its path 'M1 1 C 3 4 5 6' cannot be read",
        ),
        (
            '<path id="p" d="M1 1 A 3 4 0 2 1 5 6"/>',
            SIZED,
            "path 0 (p): its path 'M1 1 A 3 4 0 2 1 5 6' cannot be read",
        ),
        (
            '<path id="p" d="M1 1 2 3 4"/>',
            SIZED,
            "path 0 (p): its path '1 1 2 3 4' is no list of points",
        ),
        (
            '<path id="p" d="M1 1C1e999 3 4 5 6 7Z"/>',
            SIZED,
            "path 0 (p): a point lies at nan, expected pixels of the picture",
        ),
        (
            '<path id="p" d="M1 1A1e300 3 0 0 1 6 7Z"/>',
            SIZED,
            "path 0 (p): a point lies at 1e+300, expected pixels of the picture",
        ),
        (
            '<circle id="c" r="1e300"/>',
            SIZED,
            "circle 0 (c): a point lies at 1e+300, expected pixels of the picture",
        ),
        (
            '<g transform="scale(1e200)"><rect transform="scale(1e200)"/></g>',
            SIZED,
            "transforms that lead beyond all numbers",
        ),
        (
            '<rect transform="scale(1e999)"/>',
            SIZED,
            "the transform 'scale(1e999)' cannot be read",
        ),
        ("<text>sky</text>", SIZED, "no region left, expected at least one"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no area")
def test_a_drawing_that_does_not_serve_is_refused_in_one_line(tmp_path, body, facts, line):
    path = written(tmp_path / "a.svg", svg(body, facts))
    assert refusal(path, PICTURE) == f"a.svg: {line}"


def test_content_decides_and_not_the_name(tmp_path):
    box = svg('<rect width="3" height="3"/>')
    for name in ("a.xml", "a.json", "a.geojson"):
        assert len(regions_in(written(tmp_path / name, box), PICTURE)) == 1
    entries = '[{"bbox": [0, 0, 3, 3]}]'
    assert len(regions_in(written(tmp_path / "b.svg", entries), PICTURE)) == 1
    assert refusal(written(tmp_path / "c.svg", b"\x1f\x8b..."), PICTURE) == (
        "c.svg: found a gzip file, expected the file of regions in it; unpack it"
    )
    assert (regions_in(tmp_path / "a.xml", PICTURE).mask(0)[:3, :3] == art("### ### ###")).all()
