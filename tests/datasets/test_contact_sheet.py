"""The contact sheet shows every version of the same pictures at every call, damage or not."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from check_roots import BOXES, SIZE, TAGS, VERSIONS, edit, pixels, stats_file, write_root
from optional import present

from distortion_graph.base.errors import DatasetError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.contact_sheet import (
    SheetPanel,
    SheetPicture,
    choose_pictures,
    draw_sheet,
    make_sheet,
)
from distortion_graph.masks.rle import pack_counts
from distortion_graph.report.palette import severity_colours

V = DEFAULT_VOCABULARY
COLOURS = severity_colours(len(V.severities))


@pytest.fixture
def root(tmp_path):
    return write_root(tmp_path / "set")


def test_the_test_split_is_shown_clean_first_then_every_version(root):
    (picture,) = choose_pictures(root, V, 4)
    assert (picture.tag, picture.split) == ("d.png", "test")
    assert [panel.version for panel in picture.panels] == ["gt", *VERSIONS]
    for panel in picture.panels:
        assert (panel.rgb == pixels("d.png", panel.version)).all()
        assert len(present(panel.record).regions) == len(BOXES)


def test_pictures_are_chosen_by_their_names_hash(root):
    for split in ("val", "test"):
        for version in VERSIONS:
            stats_file(root, split, version).unlink()
    order = sorted(TAGS["train"], key=lambda tag: hashlib.sha256(tag.encode()).hexdigest())
    assert [p.tag for p in choose_pictures(root, V, 4)] == order
    assert [p.tag for p in choose_pictures(root, V, 1)] == order[:1]


def test_the_same_root_gives_the_same_sheet(root):
    sheet = make_sheet(root)
    assert sheet.dtype == np.uint8
    assert (sheet == make_sheet(root)).all()


def flat(grey=128, size=SIZE):
    return np.full((*size, 3), grey, np.uint8)


def has(sheet, colour):
    return bool((sheet == np.array(colour, np.uint8)).all(-1).any())


def test_regions_have_the_colour_of_their_severity(root):
    (picture,) = choose_pictures(root, V, 1)
    shown = {}
    for name in ("gt", "blur", "mixed"):
        panel = next(p for p in picture.panels if p.version == name)
        only = SheetPicture("d.png", "test", [SheetPanel(name, flat(), panel.record)])
        # Below the legend, which has all colours.
        shown[name] = {k for k in range(4) if has(draw_sheet([only], V)[50:], COLOURS[k])}
    assert shown == {"gt": {0}, "blur": {1, 2, 3}, "mixed": {0, 1, 2}}


def test_pixels_are_shown_as_they_are(root):
    rgb = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    sheet = draw_sheet([SheetPicture("x", "val", [SheetPanel("blur", rgb, None)])], V)
    rows = np.flatnonzero((sheet[:, 14 : 14 + 400] == rgb[0]).all((1, 2)))
    assert len(rows) == 1
    y = int(rows[0])
    assert (sheet[y : y + 300, 14:414] == rgb).all()


def test_damage_leaves_an_empty_panel(root):
    (root / "blur/test/d.png").write_bytes(b"")
    (root / "rain/test/d.png").unlink()
    stats_file(root, "test", "noise").write_text("{")
    edit(root, "test", "haze", lambda entries: entries["d.png"].update(regions=7))
    (picture,) = choose_pictures(root, V, 4)
    by_version = {panel.version: panel for panel in picture.panels}
    assert {v for v, p in by_version.items() if p.rgb is None} == {"blur", "rain"}
    assert {v for v, p in by_version.items() if p.record is None} == {"noise", "haze"}
    assert by_version["blur"].note == "no picture that can be read"
    whole = make_sheet(root)
    assert whole.shape[1] == make_sheet(root).shape[1]


def test_unknown_severities_and_masks_of_another_size_are_drawn_all_the_same(root):
    def change(entries):
        regions = entries["d.png"]["regions"]
        regions[0] |= {"severity": 9, "degradation": "fog", "name": "日本"}
        regions[1]["segmentation_mask"] = {"size": [4, 4], "counts": [2, 14]}
        regions[2]["segmentation_mask"] = None
        regions[3]["segmentation_mask"] = {"size": [20, 30], "counts": [600]}

    edit(root, "test", "blur", change)
    assert make_sheet(root).shape[2] == 3


def test_a_mask_larger_than_any_picture_is_not_drawn(root):
    def change(entries):
        mask = {"size": [2**20, 2**20], "counts": pack_counts(np.array([0, 2**40]))}
        entries["d.png"]["regions"][1]["segmentation_mask"] = mask

    edit(root, "test", "blur", change)
    assert make_sheet(root).shape[2] == 3


def test_without_labels_there_is_no_sheet(root):
    for path in (root / "stats").iterdir():
        path.write_text("{}")
    with pytest.raises(DatasetError) as caught:
        make_sheet(root)
    assert str(caught.value) == (
        f"{root}: no labels that can be read, so there is no contact sheet"
    )
