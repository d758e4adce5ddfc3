"""Which of several listed pictures this one is: names as people and systems write them."""

from __future__ import annotations

import json
import os
import unicodedata

import numpy as np
import pytest
from PIL import Image

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import load_picture
from distortion_graph.pictures.picture_names import best_named, file_in, parts_of
from distortion_graph.regions.sources import resolve_regions

H, W = 40, 60
ACCENTS = "café été.png"
APART = unicodedata.normalize("NFD", ACCENTS)


def coco(path, *names):
    """COCO annotations of these pictures: of the k-th, a box of 10 · (k + 1) pixels' width."""
    value = {
        "images": [{"id": k, "file_name": n, "width": W, "height": H} for k, n in enumerate(names)],
        "categories": [{"id": 1, "name": "cup"}],
        "annotations": [
            {"id": k, "image_id": k, "category_id": 1, "bbox": [0, 0, 10 * (k + 1), 10]}
            for k in range(len(names))
        ],
    }
    path.write_text(json.dumps(value))
    return path


def chosen(spec, picture):
    """Which of the pictures of `coco` was taken: its number."""
    loaded = load_picture(picture)
    regions = resolve_regions(str(spec), loaded, loaded)
    return int(regions.areas()[0]) // 100 - 1


@pytest.fixture
def save(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(name):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((H, W, 3), np.uint8)).save(path)
        return name

    return write


def refusal(spec, picture):
    with pytest.raises(RegionError) as caught:
        chosen(spec, picture)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("picture", "listed", "expected"),
    [
        # The same file name wins over the same stem, wherever it stands.
        ("a.png", ("a.jpg", "a.png"), 1),
        ("a.jpg", ("a.jpg", "a.png"), 0),
        ("A.png", ("a.png", "A.png"), 1),
        ("a.PNG", ("b.png", "a.png"), 1),
        ("a.tif", ("b.png", "x/a.png"), 1),
        # Windows folders, and a file that was unpacked with its folders in its name.
        ("a.png", ("train\\a.png", "train\\b.png"), 0),
        ("train\\b.png", ("train/a.png", "train/b.png"), 1),
        ("val/a.png", ("train\\a.png", "val\\a.png"), 1),
        # Composed and decomposed accents.
        (ACCENTS, ("other.png", APART), 1),
        (APART, (ACCENTS, "other.png"), 0),
        (f"{APART}/a.png", (f"{ACCENTS}/a.png", "other/a.png"), 0),
        # Folders decide between equal names, as far as all of them fit.
        ("day/a.png", ("day/a.png", "night/a.png"), 0),
        ("night/a.png", ("day/a.png", "night/a.png"), 1),
        ("x/night/a.png", ("a.png", "night/a.png"), 1),
        ("noon/a.png", ("a.png", "night/a.png"), 0),
        ("x/night/a.png", ("y/night/a.png", "night/a.png"), 1),
    ],
)
def test_the_picture_that_is_meant_is_taken(save, tmp_path, picture, listed, expected):
    path = coco(tmp_path / "c.json", *listed)
    assert chosen(path, save(picture)) == expected
    assert chosen(path, str(tmp_path / picture)) == expected  # as its whole path


def test_the_folder_one_stands_in_counts(save, tmp_path, monkeypatch):
    path = coco(tmp_path / "c.json", "day/a.png", "night/a.png")
    save("night/a.png")
    monkeypatch.chdir(tmp_path / "night")
    assert chosen(path, "a.png") == 1


def test_several_that_fit_are_listed_with_the_option_that_chooses_one(save, tmp_path):
    path = coco(tmp_path / "c.json", "day/a.png", "night/a.png", "b.png")
    said = refusal("c.json", save("a.png"))
    assert said == (
        "c.json: 2 of 3 pictures fit 'a.png' alike: day/a.png (id 0), night/a.png (id 1); choose "
        "one, as with --regions c.json,image=day/a.png"
    )
    assert chosen(f"{path},image=day/a.png", "a.png") == 0
    assert chosen(f"{path},image=night\\a.png", "a.png") == 1
    assert chosen(f"{path},image=1", "a.png") == 1
    assert refusal("c.json,image=noon/a.png", "a.png") == (
        "c.json: image=noon/a.png: no picture of that name or id, expected one of day/a.png (id 0),"
        " night/a.png (id 1), b.png (id 2)"
    )


def test_what_is_proposed_can_be_pasted_into_a_shell(save, tmp_path):
    coco(tmp_path / "c.json", "my day/a.png", "my night/a.png")
    assert "as with --regions 'c.json,image=my day/a.png'" in refusal("c.json", save("a.png"))


def test_pictures_of_one_name_are_chosen_by_their_ids(save, tmp_path):
    coco(tmp_path / "c.json", "a.png", "a.png")
    assert refusal("c.json", save("a.png")) == (
        "c.json: 2 of 2 pictures fit 'a.png' alike: a.png (id 0), a.png (id 1); choose one, as "
        "with --regions c.json,image=0"
    )
    assert chosen("c.json,image=1", "a.png") == 1
    assert "2 pictures have that name, choose one by its id: a" in refusal(
        "c.json,image=a.png", "a.png"
    )


def test_no_other_picture_s_regions_are_taken(save, tmp_path):
    coco(tmp_path / "c.json", "a.png", "b.png")
    assert refusal("c.json", save("c.png")) == (
        "c.json: none of 2 pictures is named 'c.png': a.png (id 0), b.png (id 1); choose one, as "
        "with --regions c.json,image=a.png"
    )
    value = json.loads((tmp_path / "c.json").read_text())
    del value["annotations"][0]
    (tmp_path / "c.json").write_text(json.dumps(value))
    assert refusal("c.json", save("a.png")) == (
        "c.json: has no annotation of 'a.png', expected at least one"
    )


def test_the_only_picture_may_have_been_renamed(save, tmp_path):
    assert chosen(coco(tmp_path / "c.json", "a.png"), save("renamed.png")) == 0


def test_a_plain_list_has_no_pictures_to_choose_from(save, tmp_path):
    (tmp_path / "r.json").write_text(json.dumps([{"bbox": [0, 0, 10, 10]}]))
    assert refusal("r.json,image=a.png", save("a.png")) == (
        "r.json: lists no pictures, so image=a.png chooses none; leave it out"
    )


def panoptic(folder, *names, images=True):
    """COCO panoptic: of the k-th picture one segment of 10 · (k + 1) × 10 pixels."""
    (folder / "p").mkdir()
    value = {"annotations": [], "categories": [{"id": 1, "name": "cup"}]}
    for k, name in enumerate(names):
        png = np.zeros((H, W, 3), np.uint8)
        png[:10, : 10 * (k + 1), 0] = 7
        file = f"{parts_of(name)[-1].rpartition('.')[0]}-{k}.png" if images else name
        Image.fromarray(png).save(folder / "p" / parts_of(file)[-1])
        value["annotations"].append(
            {
                "image_id": k + 5,
                "file_name": file,
                "segments_info": [{"id": 7, "category_id": 1}],
            }
        )
    if images:
        value["images"] = [{"id": k + 5, "file_name": name} for k, name in enumerate(names)]
    (folder / "p.json").write_text(json.dumps(value))


def test_panoptic_annotations_go_by_the_pictures_names(save, tmp_path):
    panoptic(tmp_path, "day/a.jpg", "night/a.jpg")
    assert chosen("panoptic:p.json", save("night/a.jpg")) == 1
    assert refusal("panoptic:p.json", save("a.jpg")) == (
        "p.json: 2 of 2 pictures fit 'a.jpg' alike: day/a.jpg (id 5), night/a.jpg (id 6); choose "
        "one, as with --regions panoptic:p.json,image=day/a.jpg"
    )
    assert chosen("panoptic:p.json,image=day/a.jpg", "a.jpg") == 0
    assert chosen("panoptic:p.json,image=6", "a.jpg") == 1


def test_panoptic_annotations_go_by_their_own_names_too(save, tmp_path):
    panoptic(tmp_path, "train\\a.png", "train\\b.png", images=False)
    assert chosen("panoptic:p.json", save("b.jpg")) == 1
    assert chosen("panoptic:p/a.png,p.json", save("other.jpg")) == 0


def test_a_png_is_found_though_its_accents_are_written_apart(save, tmp_path):
    panoptic(tmp_path, ACCENTS, "b.png", images=False)
    (tmp_path / "p" / ACCENTS).rename(tmp_path / "p" / APART)
    assert chosen("panoptic:p.json", save("café été.jpg")) == 0


def test_a_name_never_leads_out_of_its_folder(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "out.png").write_bytes(b"x")
    (tmp_path / "in" / "a.png").write_bytes(b"x")
    for name in ("../out.png", "..\\out.png", str(tmp_path / "out.png"), "C:\\out.png", "", "\\a"):
        assert file_in(tmp_path / "in", name) is None
    assert file_in(tmp_path / "in", ".\\a.png") == tmp_path / "in" / "a.png"


def test_a_picture_without_a_path_has_no_best_name():
    assert best_named(["a.png", None], None) == []
    assert best_named([None, "a.png"], os.path.join("x", "a.png")) == [1]  # noqa: PTH118
