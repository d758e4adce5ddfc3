"""What is read, what is left out, and how candidates are called."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from PIL import Image
from ranked_pictures import jpeg, ladder, scene

from distortion_graph.base.errors import ImageError, RankingError
from distortion_graph.ranking import load_candidates


@pytest.fixture
def root(tmp_path):
    return ladder(tmp_path / "root")


def names(loaded):
    return [candidate.name for candidate in loaded.candidates]


def test_a_folder_is_its_pictures_numbers_in_order_and_sizes_are_the_files(root):
    (root / "encodes" / "notes.txt").write_text("no picture")
    loaded = load_candidates(root / "encodes")
    assert names(loaded) == ["jpeg-q5", "jpeg-q15", "jpeg-q40", "jpeg-q90"]
    assert [c.size_bytes for c in loaded.candidates] == [
        (root / "encodes" / f"{name}.jpg").stat().st_size for name in names(loaded)
    ]
    assert (loaded.reference, loaded.left_out, loaded.notes) == (None, (), ())


def test_equal_stems_are_told_apart_by_as_much_as_it_takes(root):
    other = root / "other"
    shutil.copytree(root / "encodes", other)
    (root / "jpeg-q15.png").write_bytes((root / "original.png").read_bytes())
    paths = [
        root / "encodes" / "jpeg-q5.jpg", other / "jpeg-q5.jpg", other / "jpeg-q15.jpg",
        root / "jpeg-q15.png", other / "jpeg-q90.jpg",
    ]  # fmt: skip
    loaded = load_candidates(paths)
    assert names(loaded) == [
        str(paths[0]), str(paths[1]), "jpeg-q15.jpg", "jpeg-q15.png", "jpeg-q90",
    ]  # fmt: skip
    assert loaded.notes == (f"{paths[0]} and {paths[1]} are equal, pixel for pixel",)


def test_arrays_bytes_and_mappings_have_names_and_no_more_size_than_they_have():
    rgb = scene()
    loaded = load_candidates([rgb, jpeg(rgb, 50), Image.fromarray(255 - rgb)])
    assert names(loaded) == ["candidate 1", "candidate 2", "candidate 3"]
    assert [c.size_bytes for c in loaded.candidates] == [None, len(jpeg(rgb, 50)), None]
    assert names(load_candidates({"mine": rgb, "yours": 255 - rgb})) == ["mine", "yours"]


def test_a_file_twice_counts_once_and_the_reference_is_no_candidate(root, monkeypatch):
    monkeypatch.chdir(root)
    twice = ["encodes/jpeg-q5.jpg", "./encodes/jpeg-q5.jpg", "encodes/jpeg-q15.jpg"]
    loaded = load_candidates([*twice, "original.png"], "../root/original.png")
    assert names(loaded) == ["jpeg-q5", "jpeg-q15"]
    said = [
        "encodes/jpeg-q5.jpg: is given twice and counts once",
        "original.png: is the reference and no candidate",
    ]
    assert list(loaded.notes) == said
    with pytest.raises(RankingError) as refusal:
        load_candidates([*twice, "original.png"], "original.png", strict=True)
    assert str(refusal.value) == f"{said[0]}, expected every picture once (--strict)"


def test_a_copy_of_the_reference_is_a_candidate_that_equals_it(root):
    shutil.copy(root / "original.png", root / "lossless.png")
    paths = [root / "lossless.png", root / "encodes" / "jpeg-q5.jpg"]
    loaded = load_candidates(paths, root / "original.png")
    assert names(loaded) == ["lossless", "jpeg-q5"]
    assert loaded.notes == ("the reference and lossless are equal, pixel for pixel",)


def test_one_unreadable_candidate_is_left_out_or_refused(root):
    bad = root / "encodes" / "jpeg-q30.jpg"
    bad.write_bytes((root / "encodes" / "jpeg-q40.jpg").read_bytes()[:400])
    loaded = load_candidates(root / "encodes")
    assert names(loaded) == ["jpeg-q5", "jpeg-q15", "jpeg-q40", "jpeg-q90"]
    [(name, line)] = loaded.left_out
    assert name == "jpeg-q30" and line.startswith(f"{bad}: ")
    with pytest.raises(ImageError) as refusal:
        load_candidates(root / "encodes", strict=True)
    assert str(refusal.value) == line


def test_fewer_than_two_are_refused_with_why_there_are_no_more(root, tmp_path):
    good = root / "encodes" / "jpeg-q5.jpg"
    with pytest.raises(RankingError) as refusal:
        load_candidates([good, tmp_path / "missing.png", good])
    assert str(refusal.value) == (
        f"1 candidate to rank, expected 2 or more; {good}: is given twice and counts once; "
        f"{tmp_path / 'missing.png'}: no such file, expected a picture; check the path"
    )
    with pytest.raises(RankingError, match=r"^0 candidates to rank, expected 2 or more$"):
        load_candidates([])
    (tmp_path / "empty").mkdir()
    with pytest.raises(RankingError) as refusal:
        load_candidates(tmp_path / "empty")
    assert str(refusal.value) == f"{tmp_path / 'empty'}: holds no picture, expected the candidates"


def test_a_reference_that_cannot_be_read_stops_all(root, tmp_path):
    with pytest.raises(ImageError, match=r"nothing\.png: no such file"):
        load_candidates(root / "encodes", tmp_path / "nothing.png")


def test_what_was_read_cannot_be_changed_afterwards():
    rgb = scene()
    loaded = load_candidates([rgb, 255 - rgb])
    rgb[:] = 0
    assert np.array_equal(loaded.candidates[0].picture.rgb, scene())
