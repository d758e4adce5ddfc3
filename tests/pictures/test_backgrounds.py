"""Transparency: what lies below it, and two pictures that differ in nothing else."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from optional import present
from picture_bytes import encode, refusal
from PIL import Image

from distortion_graph import DistortionGraph, compare
from distortion_graph.base.errors import DistortionGraphWarning, ImageError
from distortion_graph.cli.options import DEFAULT_BACKGROUND as OPTION_DEFAULT
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import Picture, load_picture
from distortion_graph.pictures.pairs import pair_warnings
from distortion_graph.report.sources import find_picture
from distortion_graph.report.wording import summary

GREY = np.full((40, 48, 3), 120, np.uint8)
GREY[10:30, 12:36] = (200, 40, 40)


def icon(colour=255, hole=(slice(4, 20), slice(4, 40)), alpha=0):
    """Grey and red, white in the hole; `alpha` of the hole."""
    rgba = np.dstack([GREY, np.full(GREY.shape[:2], 255, np.uint8)])
    rgba[(*hole, slice(0, 3))] = colour
    rgba[(*hole, 3)] = alpha
    return encode(Image.fromarray(rgba), "PNG")


FULL, GONE = icon(alpha=255), icon(alpha=0)
HOLE = (slice(4, 20), slice(4, 40))


@pytest.mark.parametrize(
    ("background", "expected", "words"),
    [
        ("white", (255, 255, 255), "white"),
        ("BLACK", (0, 0, 0), "black"),
        ("#3366ff", (51, 102, 255), "#3366ff"),
        ("rebeccapurple", (102, 51, 153), "rebeccapurple"),
        ("rgb(1, 2, 3)", (1, 2, 3), "rgb(1, 2, 3)"),
    ],
)
def test_transparent_pixels_take_the_background(background, expected, words):
    picture = load_picture(GONE, name="i.png", background=background)
    assert (picture.rgb[HOLE] == expected).all()
    assert (picture.rgb[30:] == 120).all()
    assert picture.warnings == (f"i.png: transparent pixels were laid on {words}",)
    assert (picture.background, picture.plain) == (background.lower(), False)


def test_half_transparent_pixels_are_mixed():
    picture = load_picture(icon(colour=0, alpha=51), background="#c80000")
    assert (picture.rgb[HOLE] == (160, 0, 0)).all()  # a fifth of black, four of 200


def test_a_checkerboard_has_squares_of_8_px():
    rgb = load_picture(GONE, background="checker").rgb
    assert (rgb[4:8, 4:8] == 255).all() and (rgb[4:8, 8:16] == 204).all()
    assert (rgb[8:16, 8:16] == 255).all() and (rgb[8:16, 4:8] == 204).all()


def test_the_background_lies_as_the_picture_is_displayed():
    """The squares begin at the corner that is seen at the top left."""
    exif = Image.Exif()
    exif[274] = 6
    clear = Image.new("RGBA", (24, 16))
    turned = load_picture(encode(clear, "PNG", exif=exif), background="checker")
    plain = load_picture(encode(clear.rotate(-90, expand=True), "PNG"), background="checker")
    assert turned.orientation == 6 and np.array_equal(turned.rgb, plain.rgb)
    assert turned.rgb[0, 0, 0] == 255


@pytest.mark.parametrize("bad", ["whte", "", "#12", "#11223344", "rgba(1,2,3,4)", "transparent"])
def test_a_background_that_is_none_is_one_line(bad):
    assert refusal(GONE, background=bad) == (
        f"background {bad!r}: not a colour without transparency, expected a CSS name such as "
        "white, #rrggbb, or checker"
    )


def test_opaque_pictures_have_no_background():
    picture = load_picture(FULL, background="black")
    assert (picture.alpha, picture.background, picture.warnings) == (None, None, ())
    assert picture.plain


def test_alpha_is_kept_and_fixed():
    picture = load_picture(GONE)
    assert present(picture.alpha).shape == (40, 48) and (present(picture.alpha)[HOLE] == 0).all()
    with pytest.raises(ValueError, match="read-only"):
        present(picture.alpha)[0, 0] = 3


# ---- two pictures ------------------------------------------------------------------------------


def pair(first, second, **options) -> tuple[Picture, Picture]:
    return load_picture(first, name="a", **options), load_picture(second, name="b", **options)


def test_pictures_that_differ_in_alpha_alone_are_told_apart():
    share = 16 * 36 / (40 * 48)
    assert pair_warnings(*pair(FULL, GONE)) == (
        "b: transparent pixels were laid on white",
        "anchor and target are equal once laid on white; they differ in transparency "
        f"({100 * share:.1f} % of the pixels)",
    )
    for one in (FULL, GONE):
        assert not any("differ" in text for text in pair_warnings(*pair(one, one)))


def test_on_another_background_they_are_seen_to_differ():
    found = pair_warnings(*pair(icon(alpha=0), icon(alpha=90), background="black"))
    assert found[-1].startswith("anchor and target differ in transparency (30.0 % of the pixels); ")
    assert found[-1].endswith("what is compared is what they look like on black")


@pytest.mark.parametrize("first", ["full", "gone"])
def test_the_graph_and_its_sentence_say_so_in_either_order(first):
    sources = (FULL, GONE) if first == "full" else (GONE, FULL)
    with pytest.warns(DistortionGraphWarning, match="they differ in transparency"):
        graph = compare(*sources, regions="whole")
    assert summary(graph).startswith(
        "The two pictures are equal once laid on white; they differ in transparency; "
    )
    assert graph.swapped().swapped() == graph
    assert DistortionGraph.model_validate_json(graph.to_json()) == graph
    told = [info.transparency for info in (graph.anchor, graph.target)]
    assert [t is None for t in told] == ([True, False] if first == "full" else [False, True])


def test_equal_transparency_is_identical():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = compare(GONE, GONE, regions="whole")
    assert summary(graph).startswith("The two pictures are identical, pixel for pixel")


def test_the_background_changes_what_is_compared():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = compare(FULL, GONE, regions="whole", background="black")
    assert present(present(present(graph.scene).evidence).ssim) < 1
    assert present(graph.target.transparency).background == "black"


def test_a_graph_s_picture_is_found_again_on_its_background(tmp_path):
    path = tmp_path / "i.png"
    path.write_bytes(GONE)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = compare(path, path, regions="whole", background="#204060")
    found = find_picture(graph.anchor, None)
    assert found.problem is None and (present(found.picture).rgb[HOLE] == (32, 64, 96)).all()


def test_a_wrong_background_is_found_before_anything_is_read():
    with pytest.raises(ImageError, match="background 'x'"):
        compare("gone.png", "gone.png", background="x")


def test_the_command_and_the_library_have_one_default():
    assert OPTION_DEFAULT == DEFAULT_BACKGROUND
