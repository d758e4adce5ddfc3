"""Frames as sRGB: against the formulas of the standards, which no decoder takes part in."""

from __future__ import annotations

import numpy as np
import pytest
from video_files import encode, moving

from distortion_graph.base.errors import VideoError
from distortion_graph.video.colours import ColourTags, conversion, settle, tags_of, thumbnail
from distortion_graph.video.reading import Reader, open_video

av = pytest.importorskip("av")

# H.273 matrix coefficients: K_R and K_B.
MATRICES = {1: (0.2126, 0.0722), 4: (0.30, 0.11), 5: (0.299, 0.114), 6: (0.299, 0.114),
            7: (0.212, 0.087), 9: (0.2627, 0.0593)}  # fmt: skip


def by_formula(ycbcr, bits, full, matrix):
    """R'G'B' of 0 … 255 from Y'CbCr code values (ITU-T H.273, 8.3)."""
    kr, kb = MATRICES[matrix]
    y, u, v = ycbcr
    step = 2 ** (bits - 8)
    if full:
        top = 2**bits - 1
        y, u, v = y / top, (u - 128 * step) / top, (v - 128 * step) / top
    else:
        y, u, v = (y / step - 16) / 219, (u / step - 128) / 224, (v / step - 128) / 224
    red, blue = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    green = (y - kr * red - kb * blue) / (1 - kr - kb)
    return np.clip(np.stack([red, green, blue], -1), 0, 1) * 255


def planes(form, bits, seed=0, size=(48, 64)):
    """A frame of smooth random planes, and the planes."""
    rng = np.random.default_rng(seed)
    height, width = size
    frame = av.VideoFrame(width, height, form)
    step, values = 2 ** (bits - 8), []
    for plane, low, high in zip(frame.planes, (30, 100, 100), (220, 156, 156), strict=True):
        coarse = rng.integers(low * step, high * step, (height // 8, width // 8))
        value = np.kron(coarse, np.ones((8, 8), int))
        values.append(value)
        kind = np.uint8 if bits == 8 else np.uint16
        rows = np.zeros((height, plane.line_size // kind().itemsize), kind)
        rows[:, :width] = value
        plane.update(rows.tobytes())
    return frame, values


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("matrix", MATRICES)
@pytest.mark.parametrize(
    ("form", "bits"), [("yuv444p", 8), ("yuv444p10le", 10), ("yuv444p12le", 12)]
)
def test_every_matrix_and_range_is_the_formula_within_a_level(form, bits, matrix, full):
    frame, values = planes(form, bits)
    made = conversion(ColourTags(matrix, 1, 1, full, False, bits))
    rgb, clipped = made.rgb(frame)
    assert clipped == 0
    assert np.abs(rgb - by_formula(values, bits, full, matrix)).max() <= 1


@pytest.mark.parametrize(("pixels", "bits", "bound"), [("yuv420p", 8, 2), ("yuv420p10le", 10, 1)])
def test_flat_colours_through_a_codec_keep_what_the_tags_say(tmp_path, pixels, bits, bound):
    """4:2:0 as it is stored: the tags come from the file, the colour from the formula."""
    step = 2 ** (bits - 8)
    for matrix, full in ((1, False), (6, True), (9, False)):
        y, u, v = 120 * step, 110 * step, 150 * step
        frame = av.VideoFrame(64, 48, pixels)
        for plane, value in zip(frame.planes, (y, u, v), strict=True):
            kind = np.uint8 if bits == 8 else np.uint16
            plane.update(np.full(plane.buffer_size // kind().itemsize, value, kind).tobytes())
        tags = {"colorspace": matrix, "color_range": 2 if full else 1, "color_primaries": 1}
        frame.colorspace, frame.color_range = matrix, 2 if full else 1
        path = encode(tmp_path / f"{matrix}.mkv", [frame], "ffv1", pixels, tags=tags)
        video = open_video(path)
        assert (video.tags.matrix, video.tags.full, video.tags.bits) == (matrix, full, bits)
        made = conversion(video.tags)
        (first,) = Reader(video)
        wanted = by_formula(np.array([y, u, v]), bits, full, matrix)
        assert np.abs(made.rgb(first.image)[0] - wanted).max() <= bound


def test_wide_primaries_become_those_of_srgb():
    """Against the matrix of ITU-R BT.2087 for BT.2020 to BT.709, in light."""
    to_709 = np.array(
        [[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]]
    )
    rng = np.random.default_rng(0)
    colours = rng.integers(90, 170, (1, 64, 3))
    frame = av.VideoFrame.from_ndarray(np.tile(colours, (4, 1, 1)).astype(np.uint8), "rgb24")
    made = conversion(ColourTags(0, 9, 14, True, True, 8))
    light = ((colours / 255 + 0.055) / 1.055) ** 2.4
    shown = np.clip(light @ to_709.T, 0, 1)
    wanted = 255 * np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    assert np.abs(made.rgb(frame)[0] - wanted).max() <= 2


def test_the_curves_of_television_are_shown_as_they_are():
    frame = av.VideoFrame.from_ndarray(moving(1)[0], "rgb24")
    for transfer in (1, 2, 6, 13, 14, 15):
        made = conversion(ColourTags(0, 1, transfer, True, True, 8))
        assert np.array_equal(made.rgb(frame)[0], moving(1)[0])


def test_pq_is_shown_with_white_at_203_nits():
    """ITU-R BT.2408: 58 % of the signal is 203 cd/m²; SMPTE ST 2084 gives 75 % about 983."""
    levels = np.array([0.0, 0.58, 0.75])
    codes = np.repeat(np.round(levels * 65535).astype(np.uint16)[None, :, None], 3, 2)
    frame = av.VideoFrame.from_ndarray(np.tile(codes, (2, 1, 1)), "rgb48le")
    made = conversion(ColourTags(0, 1, 16, True, True, 16))
    rgb, clipped = made.rgb(frame)
    assert made.hdr == "PQ"
    assert rgb[0, 0].tolist() == [0, 0, 0]
    assert abs(int(rgb[0, 1, 0]) - 255) <= 2
    assert rgb[0, 2].tolist() == [255, 255, 255]
    assert clipped == pytest.approx(1 / 3)


def test_what_one_video_leaves_open_is_taken_from_the_other():
    said = ColourTags(9, 9, 14, True, False, 10)
    silent = ColourTags(2, 2, 2, None, False, 8)
    filled, notes = settle([silent, said], (480, 640), ["a.mp4", "b.mp4"])
    assert filled[0] == ColourTags(9, 9, 14, None, False, 8)
    assert filled[1] == said
    assert notes == [
        "a.mp4: does not say its matrix; taken from the other video",
        "a.mp4: does not say its primaries; taken from the other video",
        "a.mp4: does not say its transfer function; taken from the other video",
    ]


@pytest.mark.parametrize(("size", "matrix"), [((480, 640), 6), ((720, 1280), 1), ((1080, 1920), 1)])
def test_where_no_video_says_its_matrix_its_size_does(size, matrix):
    silent = ColourTags(2, 2, 2, None, False, 8)
    filled, notes = settle([silent, silent], size, ["a", "b"])
    assert [tag.matrix for tag in filled] == [matrix, matrix]
    assert len(notes) == 2


def test_hdr_is_never_assumed():
    silent = ColourTags(2, 2, 2, None, False, 10)
    filled, _ = settle([ColourTags(9, 9, 16, False, False, 10), silent], (1080, 1920), ["a", "b"])
    assert [tag.transfer for tag in filled] == [16, 2]


def test_a_matrix_that_cannot_be_converted_is_refused():
    with pytest.raises(VideoError, match=r"^a\.mp4: its colours have the matrix 14 of H\.273"):
        settle([ColourTags(14, 9, 16, True, False, 10)], (1080, 1920), ["a.mp4"])


def test_a_thumbnail_is_the_mean_of_its_parts():
    frame = av.VideoFrame.from_ndarray(moving(1)[0], "rgb24")
    small = thumbnail(frame, 32, 24, 1)
    luma = (moving(1)[0] @ np.array([0.299, 0.587, 0.114])).reshape(24, 4, 32, 4).mean((1, 3))
    assert np.abs(small - luma).mean() < 2
    assert thumbnail(frame, 24, 32, 6).shape == (32, 24)
    assert tags_of(frame).rgb
