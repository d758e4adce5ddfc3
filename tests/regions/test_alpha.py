"""The region that transparency cuts out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from region_files import blank, refusal, regions_in

from distortion_graph.pictures.images import load_picture, orient
from distortion_graph.regions import RegionSpec, resolve_regions
from distortion_graph.regions.spec import Alpha

H, W = 6, 9
ALPHA = np.zeros((H, W), np.uint8)
ALPHA[1:4, 2:7], ALPHA[4, 2:7], ALPHA[5, 2:7] = 255, 128, 127
INSIDE = ALPHA >= 128


def saved(folder, name, alpha=ALPHA, **options):
    pixels = np.dstack([np.full((*alpha.shape, 3), 90, np.uint8), alpha])
    Image.fromarray(pixels).save(folder / name, **options)
    return f"alpha:{folder / name}"


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
def test_it_is_where_the_picture_is_opaque_by_half_or_more(tmp_path, name):
    options = {"lossless": True, "exact": True} if name.endswith("webp") else {}
    found = regions_in(saved(tmp_path, name, **options), blank(H, W))
    assert found.ids == (0,) and found.names == ("opaque",)
    assert (found.mask(0) == INSIDE).all()


def test_grey_and_palette_pictures_have_transparency_too(tmp_path):
    grey = np.dstack([np.full((H, W), 90, np.uint8), ALPHA])
    Image.fromarray(grey).save(tmp_path / "grey.png")
    image = Image.frombytes("P", (W, H), (ALPHA > 0).astype(np.uint8).tobytes())
    image.putpalette([0, 0, 0, 255, 255, 255])
    image.save(tmp_path / "palette.png", transparency=0)
    assert (regions_in(f"alpha:{tmp_path}/grey.png", blank(H, W)).mask(0) == INSIDE).all()
    assert (regions_in(f"alpha:{tmp_path}/palette.png", blank(H, W)).mask(0) == (ALPHA > 0)).all()


def test_the_compared_picture_itself_may_be_cut_out(tmp_path):
    spec = saved(tmp_path, "a.png")
    picture = load_picture(tmp_path / "a.png")
    assert (resolve_regions(spec, picture, picture).mask(0) == INSIDE).all()


def test_one_of_the_stored_size_is_turned_with_the_picture(tmp_path):
    spec = saved(tmp_path, "a.png")
    picture = replace(blank(W, H), orientation=6, stored_size=(H, W))
    assert (regions_in(spec, picture).mask(0) == orient(INSIDE, 6)).all()


def test_one_that_does_not_serve_is_refused_in_one_line(tmp_path):
    assert refusal(saved(tmp_path, "full.png", ALPHA | 255), blank(H, W)).endswith(
        "full.png: every pixel is opaque, expected a picture with transparency; for all of the "
        "picture say whole"
    )
    assert refusal(saved(tmp_path, "none.png", ALPHA // 3), blank(H, W)).endswith(
        "none.png: the mask is empty, expected at least one pixel of the picture that is opaque by "
        "half or more"
    )
    assert refusal(saved(tmp_path, "other.png"), blank(H, 5)).endswith(
        "other.png: found 9×6 pixels (width × height), expected the picture's 5×6"
    )
    assert "no.png" in refusal(f"alpha:{tmp_path}/no.png", blank(H, W))
    assert refusal("alpha:", blank(H, W)) == (
        "regions 'alpha:': expected alpha:PICTURE, for example alpha:cutout.png"
    )


def test_the_spec_is_a_value_that_lists_its_file(tmp_path):
    spec = RegionSpec.parse("alpha:cut,out.png", lambda name: tmp_path / name)
    assert isinstance(spec, Alpha) and spec.files == (tmp_path / "cut,out.png",)
    assert not spec.found_in_pictures
    assert RegionSpec.parse(str(spec)) == spec
