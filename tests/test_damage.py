"""A damaged picture file is never used: every format, bytes changed and files cut."""

from __future__ import annotations

import io
import struct
import sys
import threading
import zlib
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from picture_bytes import SMOOTH, encode, png, refusal
from PIL import Image, ImageFile

from distortion_graph.base.errors import DamageError, DatasetError, ImageError, RegionError
from distortion_graph.datasets.decoding import decode_rgb
from distortion_graph.pictures.images import load_picture
from distortion_graph.regions.fitting import read_label_picture

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

import damage

PHOTO = Image.fromarray(
    np.clip(
        np.add.outer(np.arange(48) * 3, np.arange(64) * 2)[..., None] * [0.9, 0.7, 0.5]
        + np.random.default_rng(3).normal(0, 9, (48, 64, 3)),
        0,
        255,
    ).astype(np.uint8)
)


@cache
def files():
    return damage.files(PHOTO)


FORMATS = list(damage.files(Image.new("RGB", (8, 8))))
PNGS = [name for name in FORMATS if name.startswith("PNG")]
DEFLATED = "TIFF, deflate"


@cache
def whole(name):
    return load_picture(files()[name])


def read(data):
    """The picture, or None where it was refused in one line."""
    try:
        return load_picture(data, name="p")
    except ImageError as e:
        assert "\n" not in str(e) and str(e).startswith("p: ")
        return None


# ---- every position ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PNGS)
@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_changed_byte_is_found_where_the_format_has_sums(name, place, change):
    data = bytearray(files()[name])
    data[int(place * len(data))] ^= change
    found = read(bytes(data))
    assert found is None or np.array_equal(found.rgb, whole(name).rgb)


@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_changed_byte_of_deflated_pixels_is_found(place, change):
    """Of a TIFF only the pixels have sums, not what its directory says of them."""
    data = bytearray(files()[DEFLATED])
    with Image.open(io.BytesIO(data)) as image:
        (start,), (length,) = image.tag_v2[273], image.tag_v2[279]  # type: ignore[attr-defined]
    data[start + int(place * length)] ^= change
    found = read(bytes(data))
    assert found is None or np.array_equal(found.rgb, whole(DEFLATED).rgb)


@pytest.mark.parametrize("height", [32, 47, 49, 200])
def test_a_deflated_tiff_of_another_height_than_its_pixels_is_refused(height):
    data = files()[DEFLATED]
    entry = struct.pack("<HHIH", 257, 3, 1, 48), struct.pack("<HHII", 257, 4, 1, 48)
    (found,) = (e for e in entry if e in data)
    other = data.replace(found, found[:8] + struct.pack("<H", height) + found[10:])
    assert other != data and read(other) is None


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=30)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_cut_file_is_refused_in_every_format(name, share):
    data = files()[name]
    found = read(data[: int(share * len(data))])
    # A JPEG without its end marker alone is whole, and says so.
    assert found is None or (
        name.startswith("JPEG") and np.array_equal(found.rgb, whole(name).rgb) and found.warnings
    )


@pytest.mark.parametrize("name", FORMATS)
def test_the_last_bytes_count_too(name):
    data = files()[name]
    for missing in range(1, 9):
        found = read(data[:-missing])
        assert found is None or (name.startswith("JPEG") and missing <= 2), missing


@pytest.mark.parametrize("name", FORMATS)
@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_changed_byte_gives_a_picture_or_one_line(name, place, change):
    data = bytearray(files()[name])
    data[int(place * len(data))] ^= change
    try:
        load_picture(bytes(data), max_pixels=1_000_000)
    except ImageError as e:
        assert "\n" not in str(e)


def test_nothing_but_the_error_is_said(capfd, recwarn):
    """Neither libtiff, libjpeg nor Pillow's warnings and log reach the user."""
    rng = np.random.default_rng(0)
    for name in FORMATS:
        for data in (*damage.changed(files()[name], rng, 25), *damage.cut(files()[name], rng, 8)):
            read(data)
    assert capfd.readouterr() == ("", "")
    assert [str(w.message) for w in recwarn] == []


def test_libtiff_tells_of_damage_and_is_not_heard(capfd):
    data = bytearray(files()["TIFF, LZW"])
    data[200:220] = b"\xff" * 20
    assert "damaged or incomplete TIFF" in refusal(bytes(data))
    assert capfd.readouterr() == ("", "")


# ---- what a library around has asked for -------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_leniency_that_a_program_asked_of_pillow_does_not_reach_pictures(name, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = files()[name]
    assert read(data[: len(data) * 2 // 3]) is None
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


def test_that_wish_is_put_back_whatever_threads_do(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = files()["PNG"]
    threads = [threading.Thread(target=lambda: [read(data) for _ in range(20)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ImageFile.LOAD_TRUNCATED_IMAGES is True


# ---- PNG ---------------------------------------------------------------------------------------


def test_png_damage_is_named():
    data = bytearray(files()["PNG"])
    data[len(data) // 2] ^= 1
    assert refusal(bytes(data), name="a.png") == (
        "a.png: damaged or incomplete PNG (the checksum of chunk 'IDAT' at byte 33 is wrong), "
        "expected a whole picture; fetch the file again from where it came"
    )
    text = refusal(files()["PNG"][:-12], name="a.png")
    assert "(it ends before its end chunk IEND)" in text


def test_damage_behind_the_pixels_counts():
    """A text chunk behind IDAT, one bit of it changed."""
    body = b"tEXtComment\0hello"
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    data = png(SMOOTH, 2, bits=8)
    assert load_picture(data[:-12] + chunk + data[-12:]).warnings == ()
    spoiled = chunk.replace(b"hello", b"hellp")
    assert "checksum of chunk 'tEXt'" in refusal(data[:-12] + spoiled + data[-12:])


def test_pixels_that_are_too_few_are_refused_though_every_sum_is_right():
    def chunk(tag, body):
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    rows = b"".join(b"\0" + row.tobytes() for row in SMOOTH[:-3])
    head = struct.pack(">IIBBBBB", SMOOTH.shape[1], SMOOTH.shape[0], 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
    assert "damaged or incomplete PNG" in refusal(data + chunk(b"IEND", b""))


def test_what_follows_the_end_is_told_and_not_read():
    picture = load_picture(files()["PNG"] + b"more", name="a.png")
    assert picture.warnings == ("a.png: 4 bytes after the end of the picture were not looked at",)
    assert np.array_equal(picture.rgb, whole("PNG").rgb)


# ---- JPEG --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["JPEG", "JPEG, progressive", "JPEG, restarts"])
def test_a_jpeg_without_its_end_marker_is_whole(name):
    data = files()[name]
    assert data.endswith(b"\xff\xd9")
    for lacking in (data[:-2], data[:-1]):
        picture = load_picture(lacking, name="t.jpg")
        assert np.array_equal(picture.rgb, whole(name).rgb)
        assert picture.warnings == ("t.jpg: its end marker is missing, all pixels are there",)


def test_a_progressive_jpeg_cut_between_scans_is_not_whole():
    """Every byte that is there is right, and a decoder has nothing to say of it."""
    data = files()["JPEG, progressive"]
    scans = [k for k in range(len(data) - 1) if data[k : k + 2] == b"\xff\xda"]
    assert len(scans) > 3
    for start in scans[1:]:
        # The tables of a scan stand before it; the cut is before them.
        tables = data.rfind(b"\xff\xc4", 0, start)
        assert "it ends before its last scan" in refusal(data[:tables])


def test_an_unusual_spectrum_of_a_sequential_scan_is_no_damage():
    """As some phones write it; the pixels are all there."""
    data = bytearray(files()["JPEG"])
    scan = data.index(b"\xff\xda")
    (length,) = struct.unpack_from(">H", data, scan + 2)
    end = scan + 2 + length
    assert data[end - 3 : end] == bytes((0, 63, 0))
    data[end - 3 : end] = bytes((0, 0, 0))
    picture = load_picture(bytes(data))
    assert np.array_equal(picture.rgb, whole("JPEG").rgb) and picture.warnings == ()


def test_a_jpeg_of_unusual_sampling_is_read_and_says_what_cannot_be_seen():
    """CMYK with only its magenta and yellow halved: legal, and nameless to the strict decoder."""
    data = encode(PHOTO.convert("CMYK"), "JPEG", quality=90, subsampling="4:2:0")
    assert (
        "o.jpg: its chroma sampling is unusual, damage cannot be noticed"
        in load_picture(data, name="o.jpg").warnings
    )
    plain = encode(PHOTO.convert("CMYK"), "JPEG", quality=90, subsampling="4:4:4")
    assert not any("damage" in text for text in load_picture(plain).warnings)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_strict_pixels_are_those_of_pillow(mode):
    for options in ({}, {"progressive": True}, {"subsampling": 1}, {"quality": 30}):
        data = encode(PHOTO.convert(mode), "JPEG", **options)
        expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
        assert np.array_equal(load_picture(data).rgb, expected)


# ---- where else files are read -----------------------------------------------------------------


LABELS = (np.arange(48 * 64).reshape(48, 64) // 700 + 1).astype(np.uint8)


@pytest.mark.parametrize("kind", ["grey", "palette", "deep", "panoptic"])
@given(place=st.floats(0, 1, exclude_max=True), change=st.integers(1, 255))
def test_a_changed_byte_of_a_label_map_is_refused(kind, place, change, tmp_path_factory):
    image = {
        "grey": Image.fromarray(LABELS),
        "palette": Image.fromarray(LABELS).convert("P"),
        "deep": Image.fromarray(LABELS.astype(np.uint16) * 300),
        "panoptic": Image.fromarray(np.dstack([LABELS, LABELS * 0, LABELS * 0])),
    }[kind]
    data = bytearray(encode(image, "PNG"))
    data[int(place * len(data))] ^= change
    path = tmp_path_factory.mktemp("labels") / "map.png"
    path.write_bytes(data)
    with pytest.raises(RegionError) as caught:
        read_label_picture(path, load_picture(np.zeros((48, 64, 3), np.uint8)))
    assert "\n" not in str(caught.value) and str(caught.value).startswith(str(path))


@pytest.mark.parametrize("name", ["PNG", "JPEG", "JPEG, progressive"])
def test_a_data_set_is_read_as_strictly(name):
    rng = np.random.default_rng(1)
    for data in damage.changed(files()[name], rng, 150):
        strict = read(data)
        if strict is None:
            with pytest.raises(DatasetError, match=r"^x: "):
                decode_rgb(data, "x")
        else:
            assert np.array_equal(decode_rgb(data, "x"), strict.rgb)


@pytest.mark.parametrize("lenient", [False, True])
@pytest.mark.parametrize("name", ["PNG", "TIFF, LZW", "JPEG"])
def test_a_damaged_pillow_image_is_no_picture(name, lenient, monkeypatch):
    """One that was opened and not yet loaded: whoever loads it first must see the damage."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    data = bytearray(files()[name])
    middle = len(data) // 2
    if name == "JPEG":
        del data[middle:]
    else:
        data[middle : middle + 40] = b"\xff" * 40  # no code of LZW yet, and a wrong checksum
    assert "damaged or incomplete" in refusal(Image.open(io.BytesIO(data)))


def test_the_table_of_damage_counts_every_file():
    picture = whole("BMP")
    data = files()["BMP"]
    spoiled = bytearray(data)
    spoiled[-1] ^= 255
    outcome = damage.read_all([data, data[:-1], bytes(spoiled)], picture)
    assert (outcome.refused, outcome.same, outcome.unnoticed, outcome.total) == (1, 1, 1, 3)


# ---- what unpacks to more than it says ---------------------------------------------------------


def test_a_png_is_not_unpacked_beyond_the_pixels_of_its_header():
    """60 kB of them would be 60 MB; a little behind the last row is no damage."""
    from distortion_graph.pictures.png_chunks import check_png

    whole_file: bytes = png(SMOOTH, 2, bits=8)
    rows = b"".join(b"\0" + row.tobytes() for row in SMOOTH)

    def with_rows(behind):
        start, end = whole_file.index(b"IDAT") - 4, whole_file.index(b"IEND") - 4
        body = b"IDAT" + zlib.compress(rows + behind)
        packed = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return whole_file[:start] + packed + whole_file[end:]

    assert check_png(with_rows(bytes(500))) == len(with_rows(bytes(500)))
    with pytest.raises(DamageError, match="more than"):
        check_png(with_rows(bytes(60_000_000)))


def test_a_tiff_whose_strips_lie_on_each_other_is_refused():
    data = bytearray(files()[DEFLATED])
    with Image.open(io.BytesIO(data)) as image:
        (start,), (length,) = image.tag_v2[273], image.tag_v2[279]  # type: ignore[attr-defined]
    count = len(data) // (length - 8) + 2
    lists = len(data)
    data += struct.pack(f"<{count}I", *[start] * count) + struct.pack(
        f"<{count}I", *[length] * count
    )
    for tag, at in ((273, lists), (279, lists + 4 * count)):
        place = next(
            k for kind in (3, 4) if (k := data.find(struct.pack("<HHI", tag, kind, 1))) >= 0
        )
        data[place : place + 12] = struct.pack("<HHII", tag, 4, count, at)
    assert count * length > len(data)
    assert "lie on each other" in refusal(bytes(data))


def test_the_size_of_a_picture_is_bounded_before_anything_is_unpacked():
    """A PNG with words behind its pixels is decoded for its size: not one of any size."""
    from distortion_graph.pictures.images import displayed_size

    large = bytearray(files()["PNG"])
    large[16:24] = struct.pack(">II", 100_000, 100_000)
    large[29:33] = struct.pack(">I", zlib.crc32(large[12:29]))
    with pytest.raises(ImageError, match="expected at most 100000000"):
        displayed_size(bytes(large), "p.png")
