"""A graph's pictures are found again, and what is wrong with them is said."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from optional import present
from PIL import Image
from report_samples import photo

from distortion_graph.base.errors import ImageError
from distortion_graph.graph import ImageInfo
from distortion_graph.pictures.images import load_picture
from distortion_graph.report.sources import find_picture


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder `set` with a.png, seen from a folder without it."""
    (tmp_path / "set").mkdir()
    (tmp_path / "elsewhere").mkdir()
    Image.fromarray(photo()).save(tmp_path / "set" / "a.png")
    monkeypatch.chdir(tmp_path / "elsewhere")
    return tmp_path / "set"


def info(folder, source="a.png", **changes):
    data = (folder / "a.png").read_bytes()
    facts = {"width": 64, "height": 48, "sha256_of": "file"}
    facts |= {"sha256": hashlib.sha256(data).hexdigest(), "source": source}
    return ImageInfo(**facts | changes)


def test_it_is_found_beside_the_graph_with_its_bytes(folder):
    found = find_picture(info(folder), folder)
    assert found.problem is None and found.data == (folder / "a.png").read_bytes()
    assert (present(found.picture).rgb == photo()).all()
    assert present(found.picture).source == str(folder / "a.png")


@pytest.mark.parametrize("source", ["../set/a.png", "/gone/with/its/folder/a.png", "x/y/a.png"])
def test_a_folder_that_moved_with_its_graph_is_no_problem(folder, source):
    assert find_picture(info(folder, source), folder).problem is None


def test_the_place_as_given_comes_first_unless_another_is_what_it_was(folder):
    Image.fromarray(photo(seed=1)).save("a.png")
    assert present(find_picture(info(folder), folder).picture).source == str(folder / "a.png")
    unknown = info(folder, sha256=None, sha256_of=None)
    assert present(find_picture(unknown, folder).picture).source == "a.png"
    changed = find_picture(info(folder), None)
    assert changed.problem == "a.png: has changed since the graph was made (another checksum)"
    assert (present(changed.picture).rgb == photo(seed=1)).all()


def test_the_checksum_of_pixels(folder):
    pixels = load_picture(photo())
    told = info(folder, sha256=pixels.sha256, sha256_of="rgb")
    Image.fromarray(photo()).save("other.bmp")
    assert find_picture(told, None, "other.bmp").problem is None
    Image.fromarray(photo(seed=2)).save("other.bmp")
    assert "has changed" in present(find_picture(told, None, "other.bmp").problem)


def test_another_size_is_said_with_both(folder):
    Image.fromarray(photo(24, 32)).save(folder / "a.png")
    found = find_picture(info(folder), folder)
    assert found.problem == f"{folder / 'a.png'}: is 32×24 pixels, the graph is of 64×48"
    assert present(found.picture).size == (24, 32)
    assert find_picture(info(folder, width=None, height=None), folder).problem is None


def test_a_picture_as_displayed_is_compared(folder):
    image = Image.fromarray(photo())
    exif = image.getexif()
    exif[274] = 6
    image.save(folder / "a.jpg", exif=exif)
    told = ImageInfo(width=48, height=64, source="a.jpg")
    assert find_picture(told, folder).problem is None


@pytest.mark.parametrize("source", ["nix.png", "set", "a\0b", "x" * 5000, "new\nline.png"])
def test_a_missing_one_is_one_line_and_not_raised(folder, source):
    found = find_picture(info(folder, source), folder)
    assert found.picture is None and found.data is None
    assert present(found.problem).endswith(": no such file") and "\n" not in present(found.problem)


def test_one_without_a_source_or_without_a_picture_in_it(folder):
    assert find_picture(ImageInfo(), folder).problem == "the graph names no file of this picture"
    (folder / "a.png").write_bytes(b"words")
    found = find_picture(ImageInfo(source="a.png"), folder)
    assert found.picture is None and "not a picture of a known kind" in present(found.problem)
    big = np.zeros((20, 20, 3), np.uint8)
    Image.fromarray(big).save(folder / "a.png")
    found = find_picture(ImageInfo(source="a.png"), folder, max_pixels=100)
    assert found.picture is None and "expected at most 100" in present(found.problem)


def test_a_given_one_that_is_missing_is_an_error(folder):
    with pytest.raises(ImageError, match=r"^nix\.png: no such file"):
        find_picture(info(folder), folder, "nix.png")
