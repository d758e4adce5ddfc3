"""Every kind of picture ends as the same 8-bit sRGB pixels, every bad one in one clear line."""

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
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, features

from distortion_graph.errors import ImageError
from distortion_graph.images import load_picture, orient, rgb_sha256

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (5, 7, 3)).astype(np.uint8)
SMOOTH = np.kron(RGB, np.ones((8, 8, 1), np.uint8))


def encode(image, kind, **options):
    buffer = io.BytesIO()
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(values, colour_type, bits=16, extra=b""):
    """A PNG written by hand, so that no library's idea of 16 bits is its own judge."""

    def chunk(tag, body):
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    h, w = values.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2" if bits == 16 else "u1").tobytes() for row in values)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, bits, colour_type, 0, 0, 0))
        + extra
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def chunk_trns(*key):
    body = struct.pack(f">{len(key)}H", *key)
    return (
        struct.pack(">I", len(body))
        + b"tRNS"
        + body
        + struct.pack(">I", zlib.crc32(b"tRNS" + body))
    )


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


# ---- 16 bits -----------------------------------------------------------------------------------

DEEP = RNG.integers(0, 65536, (6, 9, 4)).astype(np.uint16)
DEEP[0, :4, 0] = [0, 65535, 128, 129]  # 128/257 rounds down to 0, 129/257 up to 1
SCALED = np.floor(DEEP / 257 + 0.5).astype(np.uint8)


def test_16_bits_are_scaled_and_rounded_not_cut():
    assert SCALED[0, :4, 0].tolist() == [0, 255, 0, 1]
    assert (SCALED != DEEP >> 8).any()  # cutting would be seen


@pytest.mark.parametrize(("colour_type", "channels"), [(0, 1), (2, 3)])
def test_16_bit_png(colour_type, channels):
    picture = load_picture(png(DEEP[..., :channels], colour_type))
    assert (picture.rgb == SCALED[..., :channels]).all()


def on_white(rgb, alpha):
    a = alpha[..., None] / 255
    return rgb * a + 255 * (1 - a)


@pytest.mark.parametrize(("colour_type", "colour"), [(4, 1), (6, 3)])
def test_16_bit_png_with_alpha(colour_type, colour):
    values = DEEP[..., [*range(colour), 3]]
    picture = load_picture(png(values, colour_type), name="a.png")
    expected = on_white(SCALED[..., :colour], SCALED[..., 3])
    assert np.abs(picture.rgb - expected).max() <= 0.5 + 1e-9
    assert picture.warnings == ("a.png: transparent pixels were laid on white",)


def test_16_bit_png_with_a_transparent_colour():
    """The key is a 16-bit colour: a neighbour with the same high byte stays opaque."""
    values = np.zeros((1, 3, 3), np.uint16)
    values[0, 0], values[0, 1] = (256, 512, 768), (257, 512, 768)
    rgb = load_picture(png(values, 2, extra=chunk_trns(256, 512, 768))).rgb
    assert rgb[0].tolist() == [[255, 255, 255], [1, 2, 3], [0, 0, 0]]
    grey = load_picture(png(np.array([[256, 257]]), 0, extra=chunk_trns(256))).rgb
    assert grey[0].tolist() == [[255] * 3, [1] * 3]


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_16_bit_tiff(compression, order, orientation):
    tifffile = pytest.importorskip("tifffile")
    for channels in (1, 3, 4):
        values = DEEP[..., 0] if channels == 1 else DEEP[..., :channels].copy()
        if channels == 4:
            values[..., 3] = 65535
        buffer = io.BytesIO()
        tifffile.imwrite(
            buffer,
            values,
            photometric="minisblack" if channels == 1 else "rgb",
            extrasamples=["unassalpha"] if channels == 4 else None,
            compression=compression,
            byteorder=order,
            metadata=None,
            extratags=[(274, "H", 1, orientation, True)],
        )
        picture = load_picture(buffer.getvalue())
        colour = SCALED[..., :1] if channels == 1 else SCALED[..., :3]
        expected = orient(np.broadcast_to(colour, (6, 9, 3)), orientation)
        assert np.array_equal(picture.rgb, expected)
        assert (picture.stored_size, picture.orientation) == ((6, 9), orientation)


@pytest.mark.parametrize(("dtype", "word"), [(np.float32, "floating-point"), (np.int32, "32-bit")])
def test_pixels_without_a_stated_white_are_refused(dtype, word):
    data = encode(Image.fromarray(np.ones((2, 2), dtype)), "TIFF")
    with pytest.raises(ImageError, match=rf"a\.tif: {word}.* pixels, expected 8 or 16 bits a chan"):
        load_picture(data, name="a.tif")


# ---- transparency ------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "tRNS"])
def test_transparency_is_laid_on_white_with_a_warning(mode):
    alpha = np.array([[0, 51, 255]], np.uint8)
    grey = np.full((1, 3), 100, np.uint8)
    if mode == "tRNS":
        data = png(grey, 0, bits=8, extra=chunk_trns(100))
        expected = [255, 255, 255]
    else:
        bands = [grey] * (3 if mode == "RGBA" else 1)
        image = Image.merge(
            "RGBA" if mode == "RGBA" else "LA", [Image.fromarray(b) for b in [*bands, alpha]]
        )
        if mode == "PA":
            image = image.convert("RGBA").quantize(method=Image.Quantize.FASTOCTREE)
        data = encode(image, "PNG")
        expected = [255, 224, 100]  # 255 − 51/255·155 = 224
    picture = load_picture(data, name="logo.png")
    tolerance = 12 if mode == "PA" else 0  # the palette is an approximation
    assert np.abs(picture.rgb[0, :, 0].astype(int) - expected).max() <= tolerance
    assert picture.warnings == ("logo.png: transparent pixels were laid on white",)


def test_opaque_alpha_is_not_worth_a_warning():
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 255, np.uint8)])
    picture = load_picture(encode(rgba, "PNG"))
    assert (picture.rgb == RGB).all() and picture.warnings == ()


# ---- colour profiles ---------------------------------------------------------------------------


def matrix_profile(gamma, swap=False):
    """A minimal ICC v2 RGB profile: the sRGB primaries (red and blue exchanged) and a gamma."""

    def s15(*values):
        return b"".join(struct.pack(">i", round(v * 65536)) for v in values)

    xyz = {
        "r": (0.4360, 0.2225, 0.0139),
        "g": (0.3851, 0.7169, 0.0971),
        "b": (0.1431, 0.0606, 0.7141),
    }
    if swap:
        xyz["r"], xyz["b"] = xyz["b"], xyz["r"]
    text = b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = [(b"desc", text), (b"wtpt", b"XYZ " + bytes(4) + s15(0.9642, 1, 0.8249))]
    tags += [(f"{c}XYZ".encode(), b"XYZ " + bytes(4) + s15(*xyz[c])) for c in "rgb"]
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    tags += [(f"{c}TRC".encode(), curve) for c in "rgb"]
    body, table = b"", struct.pack(">I", len(tags))
    for name, data in tags:
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    head = struct.pack(
        ">I4sI4s4s4s",
        132 + 12 * len(tags) + len(body),
        bytes(4),
        0x02100000,
        b"mntr",
        b"RGB ",
        b"XYZ ",
    )
    head += bytes(12) + b"acsp" + bytes(28) + s15(0.9642, 1, 0.8249)
    return head.ljust(128, b"\0") + table + body


def srgb_of_linear(x):
    return np.where(x <= 0.0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - 0.055)


def test_a_gamma_profile_is_undone():
    """Linear-light pixels with a gamma-1 profile become the sRGB curve of the same light."""
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, 2)
    picture = load_picture(encode(Image.fromarray(ramp), "PNG", icc_profile=matrix_profile(1.0)))
    expected = srgb_of_linear(np.arange(256) / 255) * 255
    assert np.abs(picture.rgb[0].astype(float) - expected[:, None]).max() <= 1.6
    assert np.abs(picture.rgb[0, :, 0].astype(int) - np.arange(256)).max() > 50


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "TIFF"])
def test_exchanged_primaries_exchange_channels(kind):
    options = {"PNG": {}, "JPEG": {"quality": 100, "subsampling": 0}, "WEBP": {"lossless": True}}
    red = np.full((16, 16, 3), (200, 30, 90), np.uint8)
    data = encode(
        Image.fromarray(red),
        kind,
        icc_profile=matrix_profile(2.2, swap=True),
        **options.get(kind, {}),
    )
    found = load_picture(data).rgb[8, 8].astype(int)
    assert np.abs(found - [90, 30, 200]).max() <= 8


def test_an_srgb_profile_changes_no_pixel():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb = RNG.integers(0, 256, (64, 64, 3)).astype(np.uint8)
    assert (load_picture(encode(Image.fromarray(rgb), "PNG", icc_profile=profile)).rgb == rgb).all()


def test_a_grey_picture_with_an_rgb_profile():
    ramp = np.arange(256, dtype=np.uint8)[None]
    picture = load_picture(encode(Image.fromarray(ramp), "PNG", icc_profile=matrix_profile(1.0)))
    expected = srgb_of_linear(np.arange(256) / 255) * 255
    assert np.abs(picture.rgb[0].astype(float) - expected[:, None]).max() <= 1.6


def test_transparent_pixels_are_white_after_the_profile():
    """The profile maps colours; the paper under them stays white."""
    rgba = np.zeros((1, 1, 4), np.uint8)
    profile = matrix_profile(1.0, swap=True)
    assert (
        load_picture(encode(Image.fromarray(rgba), "PNG", icc_profile=profile)).rgb == 255
    ).all()


@pytest.mark.parametrize("profile", [b"rubbish", matrix_profile(1.0)[:200]])
def test_a_broken_profile_is_left_out_with_a_warning(profile):
    picture = load_picture(encode(Image.fromarray(RGB), "PNG", icc_profile=profile), name="p.png")
    assert (picture.rgb == RGB).all()
    (line,) = picture.warnings
    assert line.startswith("p.png: the colour profile cannot be used and was left out")


def test_cmyk_jpeg():
    ink = np.zeros((16, 16, 4), np.uint8)
    ink[..., 1], ink[..., 2] = 255, 255  # magenta and yellow: red
    data = encode(Image.fromarray(ink, "CMYK"), "JPEG", quality=95)
    picture = load_picture(data, name="c.jpg")
    r, g, b = picture.rgb[8, 8].astype(int)
    assert r > 220 and g < 40 and b < 40
    assert picture.warnings == (
        "c.jpg: CMYK pixels without a usable profile, colours are approximate",
    )


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


def refusal(source, **options):
    with pytest.raises(ImageError) as caught:
        load_picture(source, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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
        "expected one of JPEG, PNG, WebP, TIFF, BMP, AVIF, GIF"
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


@settings(max_examples=150, deadline=None)
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
        "raise max_pixels if the file is trusted"
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
        warnings.simplefilter("error")
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
        "import sys, distortion_graph.images\n"
        "print([m for m in ('PIL', 'cv2') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
