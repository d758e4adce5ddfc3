"""Nothing is left out or changed silently: every file of a source is taken, or told with why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_runs import photo
from PIL import Image

from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.manifest import FileLine, read_manifest
from distortion_graph.pictures import decoders
from distortion_graph.pictures.images import PICTURE_SUFFIXES, SUFFIXES, load_picture

BUILD = ("dataset", "build", "photos", "--out", "root", "--split", "test", "--types", "blur,noise")
QUICK = ("--workers", 0)


def build(cli, *options):
    return cli(*BUILD, *QUICK, *options)


@pytest.fixture
def photos(here):
    folder = here / "photos"
    folder.mkdir()
    return folder


def picture(seed):
    return Image.fromarray(photo(seed))


def clean_lines():
    """What the manifest says of the clean pictures, by name."""
    lines = read_manifest(Path("root/manifest.jsonl"))
    return {f.picture: f.facts for f in lines if isinstance(f, FileLine) and f.clean}


def test_every_format_that_is_read_is_taken(cli, photos):
    kinds: dict[str, dict[str, Any]] = {
        "JPEG": {},
        "PNG": {},
        "WEBP": {},
        "TIFF": {},
        "BMP": {},
        "AVIF": {},
        "GIF": {},
    }
    names = {"JPEG": "a.jpg", "PNG": "b.PNG", "WEBP": "c.webp", "TIFF": "d.tiff", "BMP": "e.bmp"}
    names |= {"AVIF": "f.avif", "GIF": "g.gif"}
    for k, kind in enumerate(kinds):
        picture(k).save(photos / names[kind], kind)
    ended = build(cli, "--strict")
    assert (ended.code, ended.err) == (0, "")
    assert "root: 7 pictures in 4 versions (test 7);" in ended.out
    clean = clean_lines().values()
    assert sorted(facts["source_file"] for facts in clean) == sorted(names.values())
    assert not any("notes" in facts for facts in clean)


def test_each_suffix_is_of_one_kind_and_known_to_be_a_picture():
    assert len(set(PICTURE_SUFFIXES)) == len(PICTURE_SUFFIXES)
    assert all(s.startswith(".") and s == s.lower() for s in PICTURE_SUFFIXES)
    assert {".jpg", ".png", ".webp", ".tif", ".bmp", ".gif", ".avif", ".heic", ".jxl"} <= set(
        PICTURE_SUFFIXES
    )
    assert {kind.name for kind in decoders._KINDS} == set(SUFFIXES)


def test_files_that_are_no_pictures_are_named_with_why(cli, photos):
    picture(0).save(photos / "a.png")
    for name in ("notes.txt", "more.txt", "raw.cr2", "README", ".DS_Store", "Thumbs.db"):
        (photos / name).write_text("x")
    (photos / "deep").mkdir()
    (photos / "deep" / "last.txt").write_text("x")
    (photos / "link").symlink_to(photos / "deep")
    ended = build(cli)
    assert ended.code == 0
    start = "distortion-graph: warning: photos: "
    assert sorted(ended.err.splitlines()) == sorted(
        start + line
        for line in (
            "2 files left out (hidden, or of the operating system): .DS_Store, Thumbs.db",
            "1 file left out (without a suffix): README",
            "3 files left out (.txt is no suffix of pictures): deep/last.txt, more.txt, notes.txt",
            "1 file left out (.cr2 is no suffix of pictures): raw.cr2",
            "1 file left out (a link to a folder): link",
        )
    )
    assert "(test 1, 8 other files);" in ended.out
    found = read_description(Path("root"))
    assert found is not None and found.sources[0].left_out == {
        "hidden, or of the operating system": 2,
        "without a suffix": 1,
        ".txt is no suffix of pictures": 3,
        ".cr2 is no suffix of pictures": 1,
        "a link to a folder": 1,
    }
    assert (
        "source photos (pictures): 1 picture, 8 other files; no"
        in cli("dataset", "info", "root").out
    )


def test_many_files_are_counted_and_all_named_with_verbose(cli, photos):
    picture(0).save(photos / "a.png")
    for k in range(7):
        (photos / f"{k}.txt").write_text("x")
    ended = build(cli, "--verbose")
    assert (
        "7 files left out (.txt is no suffix of pictures): 0.txt, 1.txt, 2.txt, 3.txt, 4.txt "
        in (ended.err)
    )
    assert "and 2 more\n" in ended.err
    for k in range(7):
        assert f"distortion-graph: left out: photos/{k}.txt: .txt is no suffix of" in ended.err


def test_strict_stops_at_a_file_that_is_no_picture_and_makes_nothing(cli, photos):
    picture(0).save(photos / "a.png")
    (photos / "notes.txt").write_text("x")
    assert build(cli, "--strict").refusal == (
        "photos: 1 file left out (.txt is no suffix of pictures): notes.txt (--strict stops here; "
        "move what is no picture elsewhere, or leave out --strict)"
    )
    assert not Path("root").exists()
    (photos / "notes.txt").rename(photos / ".DS_Store")  # systems leave this one everywhere
    assert build(cli, "--strict").code == 0


def test_a_folder_with_other_files_alone_says_what_is_there(cli, photos):
    for name in ("a.cr2", "b.cr2", "c.txt"):
        (photos / name).write_text("x")
    assert build(cli).refusal.startswith(
        "photos: no picture found among 3 files (2 .cr2, 1 .txt), expected files .jpg, .jpeg, "
    )


def noted(folder, name):
    """A picture that the reader changes or takes a part of."""
    rgb = photo(3)
    if name == "alpha.png":
        alpha = np.full((*rgb.shape[:2], 1), 255, np.uint8)
        alpha[:9] = 0
        Image.fromarray(np.concatenate([rgb, alpha], 2)).save(folder / name)
    elif name == "cmyk.jpg":
        Image.fromarray(rgb).convert("CMYK").save(folder / name)
    else:
        frames = [picture(k).convert("P") for k in range(4)]
        frames[0].save(folder / name, save_all=True, append_images=frames[1:])
    return load_picture(folder / name)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("alpha.png", "transparent pixels were laid on white"),
        ("cmyk.jpg", "CMYK pixels without a usable profile, colours are approximate"),
        ("moving.gif", "has 4 frames, only number 1 is used"),
    ],
)
def test_what_the_reader_says_is_handed_on_and_strict_stops_at_it(cli, photos, name, said):
    picture(0).save(photos / "plain.png")
    noted(photos, name)
    refusal = build(cli, "--strict").refusal
    assert refusal.startswith(f"photos/{name}: {said} (--strict stops here; ")
    ended = build(cli)
    assert ended.err == f"distortion-graph: warning: photos/{name}: {said}\n"
    assert "(test 2, 1 with notes)" in ended.out
    clean = clean_lines()
    assert clean[f"{Path(name).stem}.png"]["notes"] == [f"{name}: {said}"]
    assert "notes" not in clean["plain.png"]
    again = build(cli)
    assert (again.err, again.code) == ("", 0) and "nothing to do, every file is whole" in again.out
    assert "1 with notes" in cli("dataset", "info", "root").out
    info = json.loads(cli("dataset", "info", "root", "--json").out)
    assert info["facts"]["sources"][0]["noted"] == 1
    Path("root/noise/test/plain.png").unlink()
    (Path("root/gt/test") / f"{Path(name).stem}.png").unlink()
    assert "2 damaged pictures made again" in build(cli).out


def test_of_many_alike_notes_five_are_told_and_the_rest_counted(cli, photos):
    for k in range(7):
        noted(photos, "alpha.png")
        (photos / "alpha.png").rename(photos / f"{k}.png")
    ended = build(cli)
    lines = ended.err.splitlines()
    assert len(lines) == 6
    assert all(line.endswith(": transparent pixels were laid on white") for line in lines[:5])
    assert lines[5] == (
        "distortion-graph: warning: 2 more pictures: transparent pixels were laid on white "
        "(manifest.jsonl has them all)"
    )
    assert "(test 7, 7 with notes)" in ended.out


def test_label_maps_of_no_picture_are_named(cli, here):
    for part in ("lab/images", "lab/regions"):
        (here / part).mkdir(parents=True)
    picture(0).save(here / "lab/images/x.png")
    for name in ("x_0.png", "y_0.png"):
        Image.open("masks.png").save(here / "lab/regions" / name)
    Image.open("masks.png").save(here / "lab/regions/x_1.bmp")
    ended = cli("dataset", "build", "lab", *BUILD[3:], *QUICK)
    assert ended.err.splitlines() == [
        f"distortion-graph: warning: lab/regions: 1 file left out ({why}"
        for why in (
            ".bmp is no suffix of label maps (.png)): x_1.bmp",
            "of no picture in images): y_0.png",
        )
    ]


def panoptic(folder, names):
    """COCO panoptic annotations of these pictures, each with one segment."""
    (folder / "panoptic_small").mkdir(parents=True)
    png = np.zeros((48, 64, 3), np.uint8)
    png[..., 0] = 7
    annotations, images = [], []
    for k, name in enumerate(names):
        Image.fromarray(png).save(folder / "panoptic_small" / f"{Path(name).stem}.png")
        images.append({"id": k, "file_name": name})
        segments = [{"id": 7, "category_id": 1}]
        annotations.append(
            {"image_id": k, "file_name": f"{Path(name).stem}.png", "segments_info": segments}
        )
    value = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "t"}]}
    (folder / "panoptic_small.json").write_text(json.dumps(value))


def test_pictures_that_annotations_do_not_list_are_named_and_no_reason_to_stop(cli, here):
    panoptic(here, ["a.png"])
    (here / "images").mkdir()
    picture(0).save(here / "images" / "a.png")
    picture(1).save(here / "images" / "b.jpg")
    ended = cli("dataset", "build", "coco:panoptic_small.json", *BUILD[3:], *QUICK, "--strict")
    assert ended.code == 0 and ended.err == (
        "distortion-graph: warning: images: 1 file left out (not listed in panoptic_small.json): "
        "b.jpg\n"
    )


def test_check_tells_of_pictures_that_are_not_taken_as_they_are_stored(cli, photos):
    picture(0).save(photos / "plain.png")
    assert build(cli).code == 0
    path = Path("root/blur/test/plain.png")
    rgba = np.dstack([np.asarray(Image.open(path)), np.full((48, 64), 9, np.uint8)])
    Image.fromarray(rgba).save(path)
    found = json.loads(cli("dataset", "check", "root", "--json").out)["findings"]
    (note,) = [finding for finding in found if finding["kind"] == "note"]
    assert (note["place"], note["severity"]) == ("blur/test/plain.png", "warning")
    assert note["text"] == "transparent pixels were laid on white"
