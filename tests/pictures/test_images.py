"""Every kind of picture file is read, every bad one ends in one clear line."""

from __future__ import annotations

import hashlib
import io
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from picture_bytes import DEEP, RGB, SCALED, SMOOTH, encode, png, refusal
from PIL import Image, features

from distortion_graph.base.errors import ImageError
from distortion_graph.pictures.images import displayed_size, load_picture, orient, rgb_sha256

# ---- kinds -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF"])
def test_lossless_kinds_keep_every_pixel(kind):
    rgb = RGB if kind != "GIF" else (RGB > 127).astype(np.uint8) * 255
    picture = load_picture(encode(rgb, kind))
    assert (picture.rgb == rgb).all() and picture.warnings == ()
    assert picture.rgb.dtype == np.uint8 and picture.rgb.flags.c_contiguous


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate", "packbits"])
def test_tiff_compressions(compression):
    assert (load_picture(encode(RGB, "TIFF", compression=compression)).rgb == RGB).all()


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "AVIF"])
def test_lossy_kinds_come_close(kind):
    if not features.check({"JPEG": "jpg"}.get(kind, kind.lower())):
        pytest.skip(f"this Pillow has no {kind}")
    options = {"subsampling": 0} if kind == "JPEG" else {}
    y, x = np.mgrid[:40, :56]
    gradient = np.stack([x * 4, y * 6, 200 - 2 * x], -1).astype(np.uint8)
    picture = load_picture(encode(gradient, kind, quality=98, **options))
    assert np.abs(picture.rgb.astype(int) - gradient).mean() < 3


def test_grey_and_bilevel_and_palette():
    grey = RGB[..., 0]
    assert (load_picture(encode(grey, "PNG")).rgb == grey[..., None]).all()
    bits = Image.fromarray(grey > 127)
    assert (load_picture(encode(bits, "PNG")).rgb == (grey > 127)[..., None] * 255).all()
    palette = Image.fromarray(grey % 3).convert("P")
    palette.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    colours = np.array([[10, 20, 30], [40, 50, 60], [70, 80, 90]])
    assert (load_picture(encode(palette, "PNG")).rgb == colours[grey % 3]).all()


def test_webp_lossless_with_alpha_kept():
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    assert (load_picture(encode(rgba, "WEBP", lossless=True)).rgb == RGB).all()


# ---- orientation -------------------------------------------------------------------------------


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_exif_orientation(kind, orientation):
    """A bright top-left block lands where EXIF says row 0 and column 0 are."""
    stored = np.zeros((16, 32, 3), np.uint8)
    stored[:8, :8] = 255
    exif = Image.Exif()
    exif[274] = orientation
    options = {"lossless": True} if kind == "WEBP" else {}
    picture = load_picture(encode(Image.fromarray(stored), kind, exif=exif, **options))
    turned = orientation >= 5
    assert picture.size == ((32, 16) if turned else (16, 32))
    assert (picture.stored_size, picture.orientation) == ((16, 32), orientation)
    # EXIF: the sides where the stored row 0 and column 0 are shown.
    corner = {1: "tl", 2: "tr", 3: "br", 4: "bl", 5: "tl", 6: "tr", 7: "br", 8: "bl"}[orientation]
    block = picture.rgb[:8] if corner[0] == "t" else picture.rgb[-8:]
    block = block[:, :8] if corner[1] == "l" else block[:, -8:]
    assert block.min() > 200
    assert picture.rgb.mean() == pytest.approx(255 / 8, abs=6)


def test_orient_knows_transposes_from_turns():
    a = np.arange(6).reshape(2, 3)
    assert orient(a, 5).tolist() == a.T.tolist()
    assert orient(a, 6).tolist() == np.rot90(a, -1).tolist()
    assert orient(a, 7).tolist() == np.rot90(a, 2).T.tolist()
    assert orient(a, 8).tolist() == np.rot90(a).tolist()


def test_orientation_beside_16_bits():
    exif = Image.Exif()
    exif[274] = 6
    tag = b"eXIf"
    body = exif.tobytes()[6:]
    extra = struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))
    picture = load_picture(png(DEEP[..., :3], 2, extra=extra))
    assert np.array_equal(picture.rgb, np.rot90(SCALED[..., :3], -1))


# ---- frames, sources, hashes -------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF", "AVIF"])
def test_the_first_frame_is_used_with_a_warning(kind):
    if not features.check({"GIF": "zlib", "PNG": "zlib", "TIFF": "zlib"}.get(kind, kind.lower())):
        pytest.skip(f"this Pillow has no {kind}")
    frames = [Image.new("RGB", (16, 16), (v, v, v)) for v in (255, 0, 99)]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:])
    picture = load_picture(data, name="film")
    assert picture.rgb.min() >= 250
    assert picture.warnings == ("film: has 3 frames, only number 1 is used",)


def test_every_kind_of_source_gives_the_same_pixels(tmp_path):
    data = encode(RGB, "PNG")
    path = tmp_path / "å b.png"
    path.write_bytes(data)
    pictures = [load_picture(s) for s in (path, str(path), data, bytearray(data), RGB)]
    pictures.append(load_picture(Image.open(path)))
    assert all((p.rgb == RGB).all() and p.stored_size == (5, 7) for p in pictures)
    assert [p.source for p in pictures] == [str(path), str(path), None, None, None, None]
    of_file, of_rgb = hashlib.sha256(data).hexdigest(), hashlib.sha256(b"5x7x3\n" + RGB.tobytes())
    assert [p.sha256 for p in pictures] == [of_file] * 4 + [of_rgb.hexdigest()] * 2
    assert [p.sha256_of for p in pictures] == ["file"] * 4 + ["rgb"] * 2
    assert load_picture(pictures[0]) is pictures[0]


def test_the_hash_of_pixels_knows_the_shape():
    assert rgb_sha256(RGB) != rgb_sha256(RGB.reshape(7, 5, 3))


def test_pixels_are_fixed():
    mine = RGB.copy()
    picture = load_picture(mine)
    mine[:] = 0
    assert (picture.rgb == RGB).all()
    for p in (picture, load_picture(encode(RGB, "PNG")), load_picture(mine[:, ::-1])):
        with pytest.raises(ValueError, match="read-only"):
            p.rgb[0, 0, 0] = 1
        assert p.rgb.flags.c_contiguous


# ---- bad input ---------------------------------------------------------------------------------


def test_files_that_are_none(tmp_path):
    gone = tmp_path / "gone.png"
    assert refusal(gone) == f"{gone}: no such file, expected a picture; check the path"
    assert refusal(tmp_path) == f"{tmp_path}: is a folder, expected a picture file"
    assert refusal("/dev/null") == "/dev/null: is not an ordinary file, expected a picture file"
    assert "cannot be read" in refusal("a\0b.png")
    assert "no such file" in refusal("two\nlines.png")
    (tmp_path / "empty.jpg").touch()
    assert refusal(tmp_path / "empty.jpg").endswith("the file is empty, expected a picture")
    (tmp_path / "a.jpg").write_text("hello")
    assert refusal(tmp_path / "a.jpg").endswith(
        "a.jpg: not a picture of a known kind, "
        "expected one of JPEG, PNG, WebP, TIFF, BMP, AVIF, GIF, HEIF, JPEG XL"
    )
    assert "cannot be read" in refusal(tmp_path / ("x" * 300))


def test_an_unreadable_file(tmp_path):
    path = tmp_path / "locked.png"
    path.write_bytes(encode(RGB, "PNG"))
    path.chmod(0)
    try:
        path.read_bytes()
    except PermissionError:
        assert "locked.png: cannot be read (Permission denied)" in refusal(path)
    else:
        pytest.skip("this user may read everything")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "BMP", "AVIF", "GIF"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.9])
def test_truncated_files(kind, share):
    if not features.check({"WEBP": "webp", "AVIF": "avif"}.get(kind, "zlib")):
        pytest.skip(f"this Pillow has no {kind}")
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    data = encode(Image.fromarray(noise), kind)
    text = refusal(data[: max(12, int(len(data) * share))], name="cut")
    assert text.startswith("cut: damaged or incomplete "), text


@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF"]),
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=5),
)
def test_damaged_bytes_give_a_picture_or_an_image_error(kind, hits):
    data = bytearray(encode(SMOOTH, kind))
    for at, value in hits:
        data[at % len(data)] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            picture = load_picture(bytes(data), max_pixels=1_000_000)
        except ImageError as e:
            assert "\n" not in str(e)
        else:
            assert picture.rgb.dtype == np.uint8 and picture.rgb.shape[2] == 3


def bomb(width, height):
    """The header of a PNG far larger than its data."""
    data = bytearray(png(np.zeros((1, 1, 3)), 2, bits=8))
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(bytes(data[12:29])))
    return bytes(data)


def test_a_decompression_bomb_is_refused_by_its_header():
    text = refusal(bomb(50_000, 40_000), name="b.png")
    assert text == (
        "b.png: found 50000×40000 = 2000000000 pixels, expected at most 100000000; "
        "raise --max-pixels (max_pixels) if the file is trusted"
    )
    assert "found 7×5 = 35 pixels, expected at most 34" in refusal(
        encode(RGB, "PNG"), max_pixels=34
    )
    assert load_picture(encode(RGB, "PNG"), max_pixels=35).size == (5, 7)
    assert "at most 34" in refusal(Image.fromarray(RGB), max_pixels=34)


def test_the_limit_is_ours_not_pillows(monkeypatch):
    """Pillow's process-wide limit neither refuses, nor warns, nor is changed."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        assert load_picture(encode(RGB, "PNG")).size == (5, 7)
        assert load_picture(encode(RGB, "JPEG")).size == (5, 7)
    assert Image.MAX_IMAGE_PIXELS == 10


@pytest.mark.parametrize(
    ("array", "found"),
    [
        (np.zeros((4, 5), np.uint8), "shape (4, 5) and uint8"),
        (np.zeros((4, 5, 4), np.uint8), "shape (4, 5, 4) and uint8"),
        (np.zeros((4, 5, 3)), "shape (4, 5, 3) and float64"),
        (np.zeros((0, 5, 3), np.uint8), "shape (0, 5, 3) and uint8"),
        (np.zeros((1, 4, 5, 3), np.uint8), "shape (1, 4, 5, 3) and uint8"),
    ],
)
def test_arrays_of_another_kind(array, found):
    assert refusal(array, name="anchor") == (
        f"anchor: found an array of {found}, expected (H, W, 3) uint8 with at least one pixel"
    )


def test_things_that_are_no_picture_at_all():
    assert refusal(42) == (
        "picture: found int, expected a path, file bytes, a Pillow image or "
        "an (H, W, 3) uint8 array"
    )
    assert refusal(Image.new("RGB", (0, 3))) == "picture: found 0×3 pixels, expected at least one"


def test_importing_loads_no_decoder():
    code = (
        "import sys, distortion_graph.pictures.images\n"
        "print([m for m in ('PIL', 'cv2') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_size_in_the_header_of_a_turned_tiff_is_that_of_its_pixels(orientation):
    stream = io.BytesIO()
    Image.fromarray(RGB).save(stream, "TIFF", tiffinfo={274: orientation})
    data = stream.getvalue()
    assert displayed_size(data, "t.tif") == load_picture(data).size
    assert displayed_size(data, "t.tif") == ((5, 7) if orientation < 5 else (7, 5))
