"""COCO panoptic and PSG: segments, names, relations and splits as the files say, or one line."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data as pictures

from distortion_graph.base.errors import DatasetError, DistortionGraphError, ImageError, RegionError
from distortion_graph.datasets.sources import RegionChoice, choose_regions, parse_source

SAMPLE = Path(__file__).parents[3] / "shared" / "data" / "coco_panoptic_sample"
H, W = 20, 30
RGB = pictures.coffee()[:H, :W]
SKY, MAN, DOG = 70_000, 5, 300  # segment ids, above one byte and above two


def save(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def segment_map():
    ids = np.zeros((H, W), int)
    ids[:6], ids[8:, :10], ids[12:, 20:] = SKY, MAN, DOG
    return ids


def panoptic_png(path, ids=None):
    ids = segment_map() if ids is None else ids
    save(path, np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8))


def refusal(make, kind=DatasetError):
    with pytest.raises(kind) as caught:
        make()
    assert isinstance(caught.value, DistortionGraphError) and "\n" not in str(caught.value)
    return str(caught.value)


def write(path, value):
    path.write_text(json.dumps(value))
    return path


# ---- COCO panoptic -----------------------------------------------------------------------------


def coco_value():
    segments = [
        {"id": SKY, "category_id": 187, "iscrowd": 0, "bbox": [0, 0, 30, 6], "area": 180},
        {"id": MAN, "category_id": 1, "iscrowd": 1, "bbox": [0, 8, 10, 12], "area": 120},
        {"id": DOG, "category_id": 18, "iscrowd": 0, "bbox": [20, 12, 10, 8], "area": 80},
    ]
    return {
        "images": [
            {"id": 9, "file_name": "000000000009.jpg", "height": H, "width": W},
            {"id": 4, "file_name": "000000000004.jpg", "height": H, "width": W},
        ],
        "annotations": [
            {"image_id": 9, "file_name": "000000000009.png", "segments_info": segments},
            {"image_id": 4, "file_name": "000000000004.png", "segments_info": segments[1:]},
        ],
        "categories": [
            {"id": 1, "name": "person", "isthing": 1},
            {"id": 18, "name": "dog", "isthing": 1},
            {"id": 187, "name": "sky", "isthing": 0},
        ],
    }


@pytest.fixture
def coco(tmp_path):
    """Laid out as COCO is: annotations/panoptic_val2017.json, its PNGs beside it, val2017/."""
    notes = tmp_path / "annotations"
    for stem in ("000000000009", "000000000004"):
        save(tmp_path / "val2017" / f"{stem}.jpg", RGB)
    panoptic_png(notes / "panoptic_val2017" / "000000000009.png")
    ids = segment_map()
    ids[ids == SKY] = 0
    panoptic_png(notes / "panoptic_val2017" / "000000000004.png", ids)
    return write(notes / "panoptic_val2017.json", coco_value())


def test_coco_panoptic_where_coco_puts_it(coco):
    source = parse_source(f"coco:{coco}")
    assert (source.kind, source.name, source.segmenter) == ("coco", "panoptic_val2017", None)
    assert source.tables == (coco,) and source.predicates == ()
    first, second = source.items()
    assert (first.stem, second.stem) == ("000000000004", "000000000009")
    assert second.file == "000000000009.jpg" and second.split is None
    assert [p.suffix for p in second.files] == [".jpg", ".png"]
    picture = source.load(second)
    assert picture.regions.ids == (MAN, DOG, SKY)
    assert picture.regions.names == ("person", "dog", "sky")
    assert picture.category_ids == (1, 18, 187) and picture.relations == ()
    assert (picture.regions.label_map() == segment_map()).all()
    assert source.load(first).regions.names == ("person", "dog")


def test_coco_with_everything_elsewhere(coco, tmp_path):
    (tmp_path / "val2017").rename(tmp_path / "pictures, all")
    (tmp_path / "annotations" / "panoptic_val2017").rename(tmp_path / "png")
    names = write(tmp_path / "names.json", {"1": "man", "18": "hound"})
    source = parse_source(
        f"coco:{coco},images={tmp_path}/pictures, all,masks={tmp_path}/png,categories={names}"
    )
    assert source.load(source.items()[1]).regions.names == ("man", "hound", f"region {SKY}")
    assert source.tables == (coco, names)


@pytest.mark.parametrize("place", ["images", "annotations/images", "annotations/val2017"])
def test_coco_pictures_are_sought_beside_the_file(coco, tmp_path, place):
    (tmp_path / "val2017").rename(tmp_path / place)
    assert parse_source(f"coco:{coco}").items()[0].picture.parent == tmp_path / place


def test_coco_folders_that_are_not_the_right_ones(coco, tmp_path):
    (tmp_path / "empty").mkdir()
    assert refusal(lambda: parse_source(f"coco:{coco},images={tmp_path}/empty")) == (
        f"{tmp_path}/empty: has none of the 2 files that {coco} lists, such as 000000000004.jpg; "
        "give the right folder"
    )
    assert refusal(lambda: parse_source(f"coco:{coco},masks={tmp_path}/nix")) == (
        f"{tmp_path}/nix: no such folder; say where they are: "
        "coco:panoptic_val2017.json,masks=FOLDER"
    )
    (tmp_path / "val2017").rename(tmp_path / "else")
    text = refusal(lambda: parse_source(f"coco:{coco}"))
    assert text.startswith(f"{coco.parent}/images: no such folder") and "images=FOLDER" in text


def test_a_picture_or_a_png_that_is_missing_raises_when_it_is_loaded(coco, tmp_path):
    (tmp_path / "val2017" / "000000000004.jpg").unlink()
    (coco.parent / "panoptic_val2017" / "000000000009.png").unlink()
    source = parse_source(f"coco:{coco}")
    first, second = source.items()
    assert "000000000004.jpg: no such file" in refusal(lambda: source.load(first), ImageError)
    assert "000000000009.png: no such file" in refusal(lambda: source.load(second), RegionError)


def test_coco_lists_and_pngs_that_disagree(coco):
    value = coco_value()
    value["annotations"][1]["segments_info"].append({"id": SKY, "category_id": 187})
    del value["annotations"][0]["segments_info"][2]
    source = parse_source(f"coco:{write(coco, value)}")
    first, second = source.items()
    assert f"segment {SKY} (sky) of {coco} is empty" in refusal(
        lambda: source.load(first), RegionError
    )
    assert f"segment {DOG} is not listed in {coco}" in refusal(
        lambda: source.load(second), RegionError
    )
    save(second.files[1], np.zeros((H, W - 1, 3), np.uint8))
    assert "found 29×20 pixels (width × height), expected the picture's 30×20" in refusal(
        lambda: source.load(second), RegionError
    )


def spoilt(change):
    value = coco_value()
    change(value)
    return value


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([], "expected an object, got list"),
        ({"images": []}, "expected a list of objects at 'annotations'"),
        (spoilt(lambda v: v.pop("images")), "expected a list of objects at 'images'"),
        (spoilt(lambda v: v["annotations"].clear()), "lists no picture, expected at least one"),
        (
            spoilt(lambda v: v["annotations"][0].pop("segments_info")),
            "'000000000009.png': no `segments_info`, expected COCO panoptic annotations",
        ),
        (
            spoilt(lambda v: v["annotations"][0].update(image_id=[1])),
            "'000000000009.png': its image_id is not one of `images`",
        ),
        (
            spoilt(lambda v: v["annotations"][0]["segments_info"][0].update(id="x")),
            "'000000000009.png': segments_info without whole-number ids",
        ),
        (
            spoilt(lambda v: v["annotations"][0]["segments_info"][0].update(id=float("inf"))),
            "'000000000009.png': segments_info without whole-number ids",
        ),
        (
            spoilt(lambda v: v["annotations"][0]["segments_info"][0].update(id=MAN)),
            "'000000000009.png': segments_info with an id twice, expected distinct ids",
        ),
        (
            spoilt(lambda v: v["annotations"][0]["segments_info"][0].update(category_id=2**40)),
            "'000000000009.png': segments_info with a number out of range",
        ),
        (
            spoilt(lambda v: v["annotations"].append(v["annotations"][0])),
            "000000000009.jpg and 000000000009.jpg would both be called '000000000009'",
        ),
        (spoilt(lambda v: v.update(categories=[3])), "expected names as"),
    ],
)
def test_coco_files_that_are_none(coco, value, words):
    text = refusal(lambda: parse_source(f"coco:{write(coco, value)}"), DistortionGraphError)
    assert text.startswith(str(coco)) and words in text


OUTSIDE = ["../../etc/x.jpg", "/etc/x.jpg", "a/../../x.jpg", "..\\x.jpg", "C:\\x.jpg", "..", "/"]


@pytest.mark.parametrize("name", OUTSIDE)
def test_names_in_coco_files_stay_in_their_folder(coco, name):
    for value in (
        spoilt(lambda v: v["images"][0].update(file_name=name)),
        spoilt(lambda v: v["annotations"][0].update(file_name=name)),
    ):
        text = refusal(lambda v=value: parse_source(f"coco:{write(coco, v)}"))
        assert f"the file name {name!r} leads out of" in text


@pytest.mark.parametrize("name", ["", 7, "a\nb.jpg", {"x": 1}])
def test_names_in_coco_files_are_text(coco, name):
    value = spoilt(lambda v: v["annotations"][0].update(file_name=name))
    assert "the file name is" in refusal(lambda: parse_source(f"coco:{write(coco, value)}"))


def test_a_pickled_source_leaves_its_list_behind_and_loads(coco):
    source = parse_source(f"coco:{coco}")
    data = pickle.dumps(source)
    assert b"000000000009" not in data
    copy = pickle.loads(data)
    item = pickle.loads(pickle.dumps(source.items()[1]))
    coco_text = coco.read_text()
    coco.unlink()
    assert copy.load(item).regions == source.load(item).regions
    coco.write_text(coco_text)
    assert copy.items() == source.items()


@pytest.mark.skipif(
    not SAMPLE.exists(), reason="the COCO panoptic sample is not beside the project"
)
def test_the_coco_sample():
    source = parse_source(f"coco:{SAMPLE}/panoptic_examples.json")
    truth = json.loads((SAMPLE / "panoptic_examples.json").read_text())
    names = {c["id"]: c["name"] for c in truth["categories"]}
    listed = {e["file_name"][:-4]: e["segments_info"] for e in truth["annotations"]}
    assert [item.stem for item in source.items()] == sorted(listed)
    for item in source.items():
        picture = source.load(item)
        regions = picture.regions
        rows = zip(
            regions.ids,
            regions.names,
            picture.category_ids,
            regions.areas().tolist(),
            regions.boxes_xywh().tolist(),
            strict=True,
        )
        assert sorted(rows) == sorted(
            (s["id"], names[s["category_id"]], s["category_id"], s["area"], s["bbox"])
            for s in listed[item.stem]
        )
    elsewhere = parse_source(
        f"coco:{SAMPLE}/panoptic_examples.json,categories={SAMPLE}/panoptic_coco_categories.json"
    )
    item = source.items()[0]
    assert elsewhere.load(item).regions == source.load(item).regions


# ---- PSG ---------------------------------------------------------------------------------------


def psg_value():
    def entry(image_id, folder, relations):
        return {
            "file_name": f"{folder}/{image_id:0>12}.jpg",
            "pan_seg_file_name": f"panoptic_{folder}/{image_id:0>12}.png",
            "height": H,
            "width": W,
            "image_id": image_id,
            "segments_info": [
                {"id": SKY, "category_id": 2, "iscrowd": 0, "isthing": 0, "area": 180},
                {"id": MAN, "category_id": 0, "iscrowd": 0, "isthing": 1, "area": 120},
                {"id": DOG, "category_id": 1, "iscrowd": 0, "isthing": 1, "area": 80},
            ],
            "annotations": [
                {"bbox": [0, 0, 30, 6], "bbox_mode": 0, "category_id": 2},
                {"bbox": [0, 8, 10, 20], "bbox_mode": 0, "category_id": 0},
                {"bbox": [20, 12, 30, 20], "bbox_mode": 0, "category_id": 1},
            ],
            "relations": relations,
        }

    return {
        "data": [
            entry("31", "val2017", [[1, 2, 1], [1, 0, 0], [1, 2, 1]]),
            entry("30", "train2017", []),
        ],
        "thing_classes": ["person", "dog"],
        "stuff_classes": ["sky-other-merged"],
        "predicate_classes": ["beneath", "walking"],
        "test_image_ids": ["31"],
    }


@pytest.fixture
def psg(tmp_path):
    for folder, stem in (("val2017", "31"), ("train2017", "30")):
        save(tmp_path / "coco" / folder / f"{stem:0>12}.jpg", RGB)
        panoptic_png(tmp_path / "coco" / f"panoptic_{folder}" / f"{stem:0>12}.png")
    return write(tmp_path / "psg.json", psg_value())


def test_psg_names_boxes_relations_and_splits(psg, tmp_path):
    source = parse_source(f"psg:{psg},images={tmp_path}/coco")
    assert (source.kind, source.name, source.predicates) == ("psg", "psg", ("beneath", "walking"))
    train, test = source.items()
    assert (train.stem, train.split, train.file) == (
        "000000000030",
        None,
        "train2017/000000000030.jpg",
    )
    assert (test.stem, test.split) == ("000000000031", "test")
    picture = source.load(test)
    named = dict(zip(picture.regions.ids, picture.regions.names, strict=True))
    assert named == {MAN: "person", DOG: "dog", SKY: "sky-other-merged"}
    assert picture.category_ids == (0, 1, 2)
    assert picture.relations == ((MAN, DOG, 1), (MAN, SKY, 0))
    corners = psg_value()["data"][0]["annotations"]
    boxes = dict(zip(picture.regions.ids, picture.regions.boxes_xywh().tolist(), strict=True))
    for segment, box in zip((SKY, MAN, DOG), corners, strict=True):
        x0, y0, x1, y1 = box["bbox"]
        assert boxes[segment] == [x0, y0, x1 - x0, y1 - y0]
    assert source.load(train).relations == ()


def test_psg_relations_follow_the_regions_that_are_chosen(psg, tmp_path):
    source = parse_source(f"psg:{psg},images={tmp_path}/coco")
    picture = source.load(source.items()[1])
    kept = choose_regions(picture, RegionChoice(max_regions=2))
    assert kept.regions.names == ("person", "sky-other-merged")
    assert kept.category_ids == (0, 2) and kept.relations == ((MAN, SKY, 0),)


def test_psg_masks_elsewhere_and_ids_as_numbers(psg, tmp_path):
    (tmp_path / "png").mkdir()
    for folder in ("panoptic_val2017", "panoptic_train2017"):
        (tmp_path / "coco" / folder).rename(tmp_path / "png" / folder)
    write(psg, psg_value() | {"test_image_ids": [31]})
    source = parse_source(f"psg:{psg},images={tmp_path}/coco,masks={tmp_path}/png")
    assert [item.split for item in source.items()] == [None, "test"]
    assert len(source.load(source.items()[1]).regions) == 3
    assert refusal(lambda: parse_source(f"psg:{psg},images={tmp_path}/coco")).startswith(
        f"{tmp_path}/coco: has none of the 2 files that {psg} lists, such as panoptic_train2017/"
    )


def test_psg_goes_through_pickle(psg, tmp_path):
    source = parse_source(f"psg:{psg},images={tmp_path}/coco")
    copy, items = pickle.loads(pickle.dumps((source, source.items())))
    assert copy.predicates == source.predicates and copy.items() == items == source.items()
    assert copy.load(items[1]).relations == source.load(items[1]).relations


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"predicate_classes": None}, "expected a list of names at 'predicate_classes'; is it a"),
        ({"thing_classes": [1]}, "expected a list of names at 'thing_classes'; is it a PSG file?"),
        ({"data": [3]}, "expected a list of objects at 'data'"),
        ({"data": []}, "lists no picture, expected at least one"),
        ({"test_image_ids": "31"}, "expected a list at 'test_image_ids'"),
        ({"test_image_ids": {"31": True}}, "expected a list at 'test_image_ids'"),
        ({"segments_info": None}, "31.jpg': segments_info without whole-number ids"),
        ({"annotations": []}, "31.jpg': `annotations` do not stand one to one with"),
        ({"relations": [[0, 3, 1]]}, "relation [0, 3, 1] names a segment that is not there"),
        ({"relations": [[-1, 0, 1]]}, "relation [-1, 0, 1] names a segment that is not there"),
        ({"relations": [[0, 1]]}, "relations must be [[subject, object, predicate], …]"),
        ({"relations": {"a": 1}}, "relations must be [[subject, object, predicate], …]"),
        ({"relations": [[0, 1, 2]]}, "31.jpg: predicate 2 is not one of the 2 in"),
        ({"file_name": "../000000000031.jpg"}, "leads out of"),
        ({"pan_seg_file_name": "/000000000031.png"}, "leads out of"),
        ({"pan_seg_file_name": None}, "the file name is None, expected text"),
    ],
)
def test_psg_files_that_are_none(psg, tmp_path, change, words):
    value = psg_value()
    (key,) = change
    (value if key in value else value["data"][0]).update(change)
    write(psg, value)
    text = refusal(lambda: parse_source(f"psg:{psg},images={tmp_path}/coco"), DistortionGraphError)
    assert text.startswith(str(psg)) and words in text


def test_psg_needs_to_know_where_the_pictures_are(psg, tmp_path):
    assert refusal(lambda: parse_source(f"psg:{psg}")) == (
        f"source psg:{psg}: where are the pictures? expected psg:psg.json,images=FOLDER"
    )
    assert refusal(lambda: parse_source(f"psg:{psg},images={tmp_path}/nix")).startswith(
        f"{tmp_path}/nix: no such folder; say where they are: psg:psg.json,images=FOLDER"
    )
