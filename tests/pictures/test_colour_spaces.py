"""Colour is what the file says: PNG, AVIF and HEIF by code points and chromaticities, to sRGB.

Expected values come from published matrices (CSS Color 4, ITU-R BT.2087), from the formulas of the
standards written out here, and from LittleCMS through ICC profiles.
"""

from __future__ import annotations

import io
import struct
import sys
import zlib

import cv2
import numpy as np
import pytest
from picture_bytes import encode, matrix_profile, png, refusal
from PIL import Image, ImageCms, features
from skimage.color import deltaE_ciede2000, rgb2lab

from distortion_graph.pictures.colour_spaces import PRIMARIES, TRANSFERS, convert, power, space_of
from distortion_graph.pictures.images import load_picture

pytest.importorskip("skimage")

P3_TO_SRGB = np.array(  # CSS Color 4, linear light
    [
        [1.2249401762805598, -0.22494017628055996, 0],
        [-0.042056954709688163, 1.0420569547096881, 0],
        [-0.019637554590334432, -0.078636045550631889, 1.0982736001409663],
    ]
)
BT2020_TO_BT709 = np.array(  # ITU-R BT.2407 / BT.2087
    [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
)
rng = np.random.default_rng(5)
# Colours that every space here holds: sRGB, not at its very edge.
SRGB = np.kron(rng.integers(30, 226, (4, 6, 3)), np.ones((4, 4, 1), int)).astype(np.uint8)


def chunk(tag, body):
    return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))


def cicp(primaries, transfer, matrix=0, full=1):
    return chunk(b"cICP", bytes((primaries, transfer, matrix, full)))


def gama(gamma):
    return chunk(b"gAMA", struct.pack(">I", round(gamma * 100_000)))


def chrm(red, green, blue, white):
    values = [v for pair in (white, red, green, blue) for v in pair]
    return chunk(b"cHRM", struct.pack(">8I", *(round(v * 100_000) for v in values)))


def iccp(profile):
    return chunk(b"iCCP", b"p\0\0" + zlib.compress(profile))


def linear(srgb):
    """IEC 61966-2-1 of 8-bit numbers."""
    v = np.asarray(srgb) / 255
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encoded(light):
    """Linear light as 8-bit sRGB, not rounded."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def oetf_srgb(light):
    return encoded(light) / 255


def delta_e(first, second):
    return deltaE_ciede2000(rgb2lab(first), rgb2lab(second))


def in_space(to_srgb, oetf, bits=16):
    """The colours of SRGB as numbers of another space."""
    light = linear(SRGB) @ np.linalg.inv(to_srgb).T
    return np.rint(oetf(np.clip(light, 0, 1)) * (2**bits - 1)).astype(np.uint16)


def oetf_709(light):
    return np.where(light < 0.018, 4.5 * light, 1.099 * light**0.45 - 0.099)


# ---- code points in PNG ------------------------------------------------------------------------


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("primaries", "transfer", "matrix", "oetf"),
    [
        (12, 13, P3_TO_SRGB, oetf_srgb),
        (9, 14, BT2020_TO_BT709, oetf_709),
        (9, 8, BT2020_TO_BT709, lambda light: light),
        (12, 4, P3_TO_SRGB, lambda light: light ** (1 / 2.2)),
        (1, 1, np.eye(3), oetf_709),
        (1, 5, np.eye(3), lambda light: light ** (1 / 2.8)),
        (2, 8, np.eye(3), lambda light: light),
    ],
)
def test_cicp_is_undone(primaries, transfer, matrix, oetf, bits):
    data = png(in_space(matrix, oetf, bits), 2, bits=bits, extra=cicp(primaries, transfer))
    picture = load_picture(data)
    found = delta_e(picture.rgb, SRGB)
    assert found.max() < (0.5 if bits == 16 else 2.5) and found.mean() < (0.2 if bits == 16 else 1)
    assert not picture.plain


def test_narrow_range_is_spread():
    """16 is black and 235 is white, of 8 bits and, 256 times that, of 16."""
    ramp = np.array([[0, 16, 126, 235, 255]])
    picture = load_picture(
        png(np.repeat(ramp[..., None], 3, 2), 2, bits=8, extra=cicp(1, 13, full=0))
    )
    expected = [0, 0, round(255 * 110 / 219), 255, 255]
    assert picture.rgb[0, :, 0].tolist() == expected
    deep = load_picture(
        png(np.repeat(ramp[..., None] * 256, 3, 2), 2, bits=16, extra=cicp(1, 13, full=0))
    )
    assert deep.rgb[0, :, 0].tolist() == expected


def test_cicp_that_says_srgb_or_nothing_changes_no_pixel():
    for tags in (cicp(1, 13), cicp(2, 2)):
        picture = load_picture(png(SRGB, 2, bits=8, extra=tags))
        assert (picture.rgb == SRGB).all() and picture.warnings == () and picture.plain


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        (cicp(99, 13), "its colours (cICP: primaries 99) are not known here and were left out"),
        (
            cicp(3, 77),
            "its colours (cICP: primaries 3 and transfer 77) are not known here and were left out",
        ),
        (cicp(12, 13, matrix=6), "its colours (cICP) have matrix 6 and range 1, expected matrix"),
        (gama(0), "its gamma (gAMA) is 0"),
        (chrm((0.3, 0.3), (0.3, 0.3), (0.3, 0.3), (0.3, 0.3)), "its primaries (cHRM) cannot be"),
    ],
)
def test_what_cannot_be_converted_is_named(tags, said):
    picture = load_picture(png(SRGB, 2, bits=8, extra=tags), name="a.png")
    assert (picture.rgb == SRGB).all()
    (line,) = picture.warnings
    assert line.startswith(f"a.png: {said}")


def test_half_a_description_says_what_was_assumed():
    picture = load_picture(png(SRGB, 2, bits=8, extra=cicp(12, 2)), name="a.png")
    assert picture.warnings == (
        "a.png: its transfer function is left open by cICP and was taken as sRGB's",
    )


def test_a_grey_picture_has_a_transfer_too():
    ramp = np.arange(0, 65536, 257)[None]
    picture = load_picture(png(ramp, 0, extra=cicp(12, 8)))
    expected = encoded(ramp[0] / 65535)
    assert np.abs(picture.rgb[0].astype(float) - expected[:, None]).max() <= 0.51


# ---- HDR ---------------------------------------------------------------------------------------


def pq_code(nits):
    """SMPTE ST 2084, equation for the code of a luminance, as printed there."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    y = (np.asarray(nits) / 10000) ** m1
    return ((c1 + c2 * y) / (1 + c3 * y)) ** m2


def test_pq_has_its_white_at_203_nits():
    assert pq_code(203) == pytest.approx(0.58, abs=0.001)  # ITU-R BT.2408, table 1
    nits = np.array([0, 1, 20.3, 101.5, 203, 400, 10000])
    codes = np.rint(pq_code(nits) * 65535)
    picture = load_picture(
        png(np.repeat(codes[None, :, None], 3, 2), 2, extra=cicp(9, 16)), name="hdr.png"
    )
    expected = encoded(np.minimum(nits / 203, 1))
    assert np.abs(picture.rgb[0] - expected[:, None]).max() <= 0.6
    assert picture.warnings == (
        "hdr.png: HDR (PQ) shown with white at 203 cd/m²; 28.6 % of the pixels are brighter and "
        "were clipped",
    )


def test_hlg_has_its_white_at_three_quarters():
    """BT.2408: reference white is 75 % of HLG's signal; BT.2100: 50 % is 1/12 of the scene."""
    codes = np.array([0, 0.5, 0.75, 1.0])
    picture = load_picture(
        png(np.rint(np.repeat(codes[None, :, None], 3, 2) * 65535), 2, extra=cicp(9, 18)),
        name="hdr.png",
    )
    half = 1000 * (1 / 12) ** 1.2 / 203
    assert picture.rgb[0, :, 0].tolist() == [0, round(float(encoded(half))), 255, 255]
    assert "HDR (HLG) shown with white at 203 cd/m²; 25.0 % of" in picture.warnings[0]


# ---- chromaticities in PNG, and which description wins ------------------------------------------


@pytest.mark.parametrize("gamma", [1 / 1.8, 1.0, 1 / 2.6])
def test_gama_is_undone(gamma):
    values = np.rint(linear(SRGB) ** gamma * 65535)
    picture = load_picture(png(values, 2, extra=gama(gamma)))
    assert np.abs(picture.rgb.astype(int) - SRGB).max() <= 1
    assert not picture.plain


def test_chrm_and_gama_are_undone():
    red, green, blue, white = PRIMARIES[12]
    values = in_space(P3_TO_SRGB, lambda light: light ** (1 / 2.2))
    picture = load_picture(png(values, 2, extra=gama(1 / 2.2) + chrm(red, green, blue, white)))
    assert delta_e(picture.rgb, SRGB).max() < 0.5


def test_the_gamma_that_png_prescribes_beside_srgb_is_srgb():
    srgb = chrm((0.64, 0.33), (0.30, 0.60), (0.15, 0.06), (0.3127, 0.3290))
    for tags in (gama(0.45455), gama(0.45455) + srgb, srgb):
        picture = load_picture(png(SRGB, 2, bits=8, extra=tags))
        assert (picture.rgb == SRGB).all()
        assert not picture.plain  # browsers differ in what they make of it


SWAPPED = matrix_profile(2.2, swap=True)


@pytest.mark.parametrize(
    ("tags", "winner"),
    [
        (cicp(1, 13) + iccp(SWAPPED), "plain"),
        (iccp(SWAPPED) + chunk(b"sRGB", b"\0"), "profile"),
        (iccp(SWAPPED) + gama(1.0), "profile"),
        (chunk(b"sRGB", b"\0") + gama(1.0), "plain"),
        (cicp(99, 99) + iccp(SWAPPED), "profile"),
        (iccp(b"rubbish") + gama(1.0), "gamma"),
        (cicp(1, 8) + chunk(b"sRGB", b"\0"), "gamma"),
    ],
)
def test_the_order_of_precedence_is_the_specification_s(tags, winner):
    rgb = load_picture(png(SRGB, 2, bits=8, extra=tags)).rgb.astype(float)
    expected = {
        "plain": SRGB,
        "profile": load_picture(png(SRGB, 2, bits=8, extra=iccp(SWAPPED))).rgb,
        "gamma": encoded(SRGB / 255),
    }
    distance = {name: np.abs(rgb - value).max() for name, value in expected.items()}
    # A number of 8 bits that goes through a curve is spread by up to a level more.
    most = 1.6 if winner == "gamma" else 0.6
    assert min(distance, key=distance.__getitem__) == winner and distance[winner] <= most


def test_pillow_images_bring_their_gamma_along(tmp_path):
    (tmp_path / "a.png").write_bytes(png(SRGB, 2, bits=8, extra=gama(1.0)))
    from_file = load_picture(tmp_path / "a.png").rgb
    assert np.array_equal(load_picture(Image.open(tmp_path / "a.png")).rgb, from_file)


# ---- 16 bits through ICC profiles --------------------------------------------------------------


def test_16_bits_keep_their_precision_through_a_profile():
    """A linear profile: of 8 bits the darks would be steps of 13 sRGB numbers."""
    ramp = np.arange(0, 2000, 7)[None, :, None].repeat(3, 2)
    picture = load_picture(png(ramp, 2, extra=iccp(matrix_profile(1.0))))
    assert np.abs(picture.rgb[0] - encoded(ramp[0] / 65535)).max() <= 0.6
    assert len(np.unique(picture.rgb)) > 40


@pytest.mark.parametrize("gamma", [1.8, 2.2])
def test_16_bits_through_a_profile_agree_with_littlecms(gamma):
    profile = matrix_profile(gamma, swap=True)
    eight = load_picture(png(SRGB, 2, bits=8, extra=iccp(profile))).rgb
    sixteen = load_picture(png(SRGB.astype(int) * 257, 2, extra=iccp(profile))).rgb
    assert np.abs(eight.astype(int) - sixteen).max() <= 1


def test_16_bits_with_an_srgb_profile_are_only_rounded():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    values = rng.integers(0, 65536, (6, 7, 3))
    picture = load_picture(png(values, 2, extra=iccp(profile)))
    assert np.array_equal(picture.rgb, np.floor(values / 257 + 0.5))
    assert picture.warnings == ()


def test_16_bits_through_a_table_profile_say_that_they_were_rounded():
    """Only LittleCMS understands such a profile, and it takes 8 bits."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    picture = load_picture(png(SRGB.astype(int) * 257, 2, extra=iccp(lab)), name="a.png")
    assert (picture.rgb == SRGB).all()
    assert picture.warnings[-1] == (
        "a.png: 16 bits were rounded to 8 before the colour profile was applied"
    )


# ---- AVIF and HEIF -----------------------------------------------------------------------------


def with_nclx(data, primaries, transfer):
    """The same file with other code points: the pixels stay, their meaning changes."""
    at = data.index(b"colrnclx") + 8
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize(
    ("primaries", "transfer", "matrix", "oetf"),
    [(12, 13, P3_TO_SRGB, oetf_srgb), (9, 14, BT2020_TO_BT709, oetf_709)],
)
def test_avif_code_points_are_undone(primaries, transfer, matrix, oetf):
    values = (in_space(matrix, oetf, 8)).astype(np.uint8)
    data = encode(Image.fromarray(values), "AVIF", quality=100, subsampling="4:4:4")
    picture = load_picture(with_nclx(data, primaries, transfer))
    assert delta_e(picture.rgb, SRGB).mean() < 1.5
    assert not picture.plain
    assert load_picture(with_nclx(data, 1, 13)).plain


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_an_avif_profile_comes_before_its_code_points():
    data = encode(Image.fromarray(SRGB), "AVIF", quality=100, subsampling="4:4:4")
    profiled = encode(
        Image.fromarray(SRGB), "AVIF", quality=100, subsampling="4:4:4", icc_profile=SWAPPED
    )
    assert b"colrprof" in profiled
    plain = load_picture(data).rgb.astype(int)
    for found in (
        (profiled, with_nclx(profiled, 12, 16)) if b"colrnclx" in profiled else (profiled,)
    ):
        assert np.abs(load_picture(found).rgb.astype(int) - plain[..., ::-1]).max() < 16


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")
def test_deep_avif_is_not_cut_to_8_bits():
    cv2 = pytest.importorskip("cv2")
    if not hasattr(cv2, "IMWRITE_AVIF_DEPTH") or not cv2.haveImageWriter("a.avif"):
        pytest.skip("this OpenCV has no AVIF")
    nits = np.linspace(0, 203, 900)
    codes = np.rint(pq_code(nits) * 1023).astype(np.uint16)[None, :, None].repeat(3, 2).repeat(8, 0)
    done, data = cv2.imencode(
        ".avif", codes, [cv2.IMWRITE_AVIF_DEPTH, 10, cv2.IMWRITE_AVIF_QUALITY, 100]
    )
    picture = load_picture(with_nclx(data.tobytes(), 9, 16))
    # 8 bits of PQ have 149 numbers up to the reference white.
    assert done and len(np.unique(picture.rgb)) > 180
    assert np.abs(picture.rgb[0, :, 0] - encoded(nits / 203)).mean() < 1.5


def heif(image, **options):
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the formats extra")
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=-1, chroma=444, **options)
    return buffer.getvalue()


def test_heif_code_points_are_undone():
    values = in_space(P3_TO_SRGB, oetf_srgb, 8).astype(np.uint8)
    data = heif(Image.fromarray(values), color_primaries=12, transfer_characteristics=13)
    assert b"colrnclx" in data
    picture = load_picture(data)
    assert delta_e(picture.rgb, SRGB).mean() < 1.5 and not picture.plain


def test_heif_is_read_as_it_is_displayed():
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs the formats extra")
    pillow_heif.register_heif_opener()
    exif = Image.Exif()
    exif[274] = 6
    picture = load_picture(encode(Image.fromarray(SRGB), "HEIF", exif=exif.tobytes(), quality=95))
    assert picture.size == (SRGB.shape[1], SRGB.shape[0])
    assert np.abs(picture.rgb.astype(int) - np.rot90(SRGB, -1)).mean() < 3


def test_jpeg_xl_is_read():
    pytest.importorskip("pillow_jxl", reason="needs the formats extra")
    picture = load_picture(encode(Image.fromarray(SRGB), "JXL", lossless=True))
    assert np.array_equal(picture.rgb, SRGB)


def test_the_size_of_a_jpeg_xl_is_known_before_it_is_decoded():
    pytest.importorskip("pillow_jxl", reason="needs the formats extra")
    for size in ((24, 16), (17, 1000), (640, 360), (300, 300), (1, 1)):
        for container in (False, True):
            data = encode(Image.new("RGB", size), "JXL", use_container=container)
            width, height = size
            assert refusal(data, max_pixels=width * height - 1, name="a.jxl").startswith(
                f"a.jxl: found {width}×{height} = "
            )
            assert load_picture(data).size == (height, width)


@pytest.mark.parametrize(
    ("data", "kind", "module"),
    [
        (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic" + bytes(40), "HEIF", "pillow_heif"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic" + bytes(40), "HEIF", "pillow_heif"),
        (b"\xff\x0a" + bytes(40), "JPEG XL", "pillow_jxl"),
    ],
)
def test_without_the_extra_the_message_names_it(data, kind, module, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    assert refusal(data, name="a") == (
        f"a: found {kind}, which needs an extra: pip install 'distortion-graph[formats]'; "
        "or convert the picture to PNG"
    )


# ---- the spaces themselves ---------------------------------------------------------------------


@pytest.mark.parametrize("primaries", [k for k in PRIMARIES if k != 10])
def test_white_stays_white_and_grey_stays_grey_in_every_space(primaries):
    greys = np.arange(0, 65536, 4369, dtype=np.uint16)[None, :, None].repeat(3, 2)
    for transfer in TRANSFERS.values():
        rgb, _ = convert(greys, space_of(PRIMARIES[primaries], transfer))
        assert np.ptp(rgb.astype(int), axis=-1).max() <= 1
        assert rgb[0, 0].max() == 0 and rgb[0, -1].min() >= 254
        assert (np.diff(rgb[0, :, 0].astype(int)) >= 0).all()


def test_published_matrices_come_out():
    found = space_of(PRIMARIES[12], TRANSFERS[13]).to_srgb_linear
    assert np.abs(found - P3_TO_SRGB).max() < 2e-4
    found = space_of(PRIMARIES[9], TRANSFERS[14]).to_srgb_linear
    assert np.abs(found - BT2020_TO_BT709).max() < 2e-4


def test_power_of_one_is_light_itself():
    values = np.arange(256, dtype=np.uint8)[None, :, None].repeat(3, 2)
    rgb, clipped = convert(values, space_of(PRIMARIES[1], power(1.0)))
    assert np.abs(rgb[0] - encoded(values[0] / 255)).max() <= 1.51 and clipped == 0
    deep = np.arange(65536, dtype=np.uint16).reshape(256, 256)[..., None].repeat(3, 2)
    rgb, clipped = convert(deep, space_of(PRIMARIES[1], power(1.0)))
    assert np.abs(rgb - encoded(deep / 65535)).max() <= 0.51 and clipped == 0


def test_a_curve_leaves_no_comb_of_empty_levels():
    soft = cv2.GaussianBlur(np.random.default_rng(0).random((240, 320, 3)), (0, 0), 20)
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    stored = np.rint(255 * soft).astype(np.uint8)
    rounded = np.rint(encoded((stored / 255) ** 1.8)).astype(np.uint8)
    rgb, _ = convert(stored, space_of(PRIMARIES[1], power(1.8)))

    def empty(picture):
        counts = np.bincount(picture.ravel(), minlength=256)
        there = np.flatnonzero(counts)
        return int((counts[there[0] : there[-1] + 1] == 0).sum())

    assert empty(rounded) >= 15 and empty(rgb) <= 2
    off = rgb - encoded((stored / 255) ** 1.8)
    assert np.abs(off).max() <= 1.51 and abs(off.mean()) < 0.05
    again, _ = convert(stored.copy(), space_of(PRIMARIES[1], power(1.8)))
    assert np.array_equal(again, rgb)
