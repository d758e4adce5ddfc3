"""A data set with nothing wrong has no findings; every kind of damage is told exactly once."""

from __future__ import annotations

import json
import shutil
from typing import Any

import numpy as np
import pytest
from check_roots import (
    FILES,
    REGIONS,
    TAGS,
    TYPES,
    VERSIONS,
    describe,
    edit,
    edit_all,
    pixels,
    sha256,
    stats_file,
    write_index,
    write_root,
)
from PIL import Image

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.check import KINDS, Finding, check_dataset
from distortion_graph.datasets.reader import PandaSet

BLUR_TEST = "stats/test_stats_blur.json"
LABELS = (
    "clean, snow, contrast_inc, compression, brightness, oversharpen, noise, blur, haze, rain, "
    "saturate_inc, saturate_dec, contrast_dec, darken, pixelate"
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_root(tmp_path_factory.mktemp("whole") / "set")


@pytest.fixture
def root(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "set")


def fault(kind, place, text):
    return Finding(kind, "fault", place, text)


def warning(kind, place, text):
    return Finding(kind, "warning", place, text)


def found(root, **options):
    return list(check_dataset(root, **options).findings)


def region(entries, k, **change):
    """Change keys of region k of d.png."""
    entries["d.png"]["regions"][k] |= change


def test_a_whole_root_has_no_findings(root):
    report = check_dataset(root)
    assert report.findings == ()
    assert (report.faults, report.warnings, report.files) == (0, 0, FILES)
    assert report.pictures == {"train": 2, "val": 1, "test": 1}
    assert report.versions == VERSIONS
    # By hand: each type in its own version has severities 1, 2, 3, 1, 2 in each of 4 pictures, and
    # regions 0, 1, 3, 4 of the mixed versions add types 5, 8, 14 mod 14 and 17 mod 14.
    rows = report.balance.regions
    assert rows["clean"] == {"clean": 8, "minor": 0, "moderate": 0, "severe": 0}
    assert rows["blur"] == {"clean": 0, "minor": 8, "moderate": 8, "severe": 4}
    assert rows[TYPES[5]] == {"clean": 0, "minor": 16, "moderate": 8, "severe": 4}
    assert rows[TYPES[3]] == {"clean": 0, "minor": 8, "moderate": 16, "severe": 4}
    # A region each of 4 pictures, in two orders, and the same one both ways.
    assert list(report.balance.hard.values()) == [8, 8, 8, 8, 8]


def test_a_described_root_has_no_findings_either(root):
    describe(root)
    assert found(root) == []
    assert found(root, quick=True) == []


def test_nothing_is_written(root):
    describe(root)
    before = {p: (sha256(p), p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()}
    check_dataset(root)
    assert {p: (sha256(p), p.stat().st_mtime_ns) for p in root.rglob("*") if p.is_file()} == before


# Damage to files and folders.

FILE_DAMAGE = {
    "a version's file is gone": (
        lambda r: (r / "blur/test/d.png").unlink(),
        [
            fault("missing-file", "blur/test/d.png", f"is not there, but {BLUR_TEST} names it"),
            fault(
                "index",
                "pandabench_index.json: easy entry 0 ['blur', 'noise', 'd.png']",
                "blur/test/d.png is not there",
            ),
        ],
    ),
    "a clean file is gone": (
        lambda r: (r / "gt/val/c.png").unlink(),
        [
            fault(
                "missing-file",
                "gt/val/c.png",
                "is not there, but stats/val_stats_snow.json names it",
            )
        ],
    ),
    "a picture without labels": (
        lambda r: Image.fromarray(pixels("z")).save(r / "rain/val/z.png"),
        [fault("extra-file", "rain/val/z.png", "no stats file of val names it")],
    ),
    "a file among clean pictures": (
        lambda r: (r / "gt/val/Thumbs.db").write_bytes(b"x"),
        [
            fault(
                "extra-file",
                "gt/val/Thumbs.db",
                "is no picture; the published loader takes every file here for one",
            )
        ],
    ),
    "a file among a version's pictures": (
        lambda r: (r / "rain/val/notes.txt").write_bytes(b"x"),
        [warning("extra-file", "rain/val/notes.txt", "is no picture")],
    ),
    "a file in the root": (lambda r: (r / "README.md").write_text("hello"), []),
    "a folder in the root": (
        lambda r: (r / "notes").mkdir(),
        [
            fault(
                "extra-folder",
                "notes/",
                "is no version's folder; the published loader stops at other folders in a root",
            )
        ],
    ),
    "a folder for another split": (
        lambda r: (r / "gt/dev").mkdir(),
        [fault("extra-folder", "gt/dev/", "expected only train, val, test here")],
    ),
    "a folder among pictures": (
        lambda r: (r / "gt/val/more").mkdir(),
        [fault("extra-folder", "gt/val/more/", "expected only pictures here")],
    ),
    "a file beside the splits": (
        lambda r: (r / "haze/list.txt").write_text(""),
        [fault("extra-file", "haze/list.txt", "expected only train, val, test here")],
    ),
    "no depth folder": (
        lambda r: (r / "depth").rmdir(),
        [
            fault(
                "missing-folder",
                "depth/",
                "is not there, which the published loader wants, also empty",
            )
        ],
    ),
    "no folder of a version": (
        lambda r: shutil.rmtree(r / "haze"),
        [fault("missing-folder", "haze/", "is not there")],
    ),
    "no split of a version": (
        lambda r: shutil.rmtree(r / "haze/train"),
        [
            fault(
                "missing-folder", "haze/train/", "is not there, but train has labels of 2 pictures"
            )
        ],
    ),
    "labels of an unknown version": (
        lambda r: (r / "stats/test_stats_fog.json").write_text("{}"),
        [
            fault(
                "extra-file",
                "stats/test_stats_fog.json",
                "belongs to no split and version of this data set",
            )
        ],
    ),
    "no labels of a version": (
        lambda r: stats_file(r, "val", "haze").unlink(),
        [
            fault(
                "missing-file",
                "stats/val_stats_haze.json",
                "is not there, but val has labels of other versions",
            )
        ],
    ),
    "no labels of a split": (
        lambda r: [stats_file(r, "val", v).unlink() for v in VERSIONS],
        [
            fault(
                "missing-file",
                "stats/val_stats_*.json",
                "no such file, so nothing is known of 1 clean pictures of val",
            )
        ],
    ),
    "an unfinished build": (
        lambda r: (r / "build.journal.jsonl").write_text(""),
        [
            fault(
                "unfinished",
                "build.journal.jsonl",
                "the build is unfinished; start the same `dataset build` again",
            )
        ],
    ),
    "a link to nothing": (
        lambda r: (r / "gt/val/e.png").symlink_to("nowhere.png"),
        [fault("missing-file", "gt/val/e.png", "is a link to nothing, or no ordinary file")],
    ),
    "a link to itself": (
        lambda r: (r / "gt/val/e.png").symlink_to("e.png"),
        [fault("missing-file", "gt/val/e.png", "is a link to nothing, or no ordinary file")],
    ),
    "a folder that links to itself": (
        lambda r: (shutil.rmtree(r / "haze"), (r / "haze").symlink_to("haze")),  # type: ignore[func-returns-value]
        [fault("missing-folder", "haze/", "is not there")],
    ),
    "another size": (
        lambda r: Image.fromarray(pixels("x")[:, :-1]).save(r / "rain/val/c.png"),
        [
            fault(
                "picture-size",
                "rain/val/c.png",
                "is 29×20, expected the clean picture's 30×20 pixels (width × height)",
            )
        ],
    ),
    "a clean picture turned": (
        lambda r: Image.fromarray(pixels("c.png").swapaxes(0, 1)).save(r / "gt/val/c.png"),
        [
            *(
                fault(
                    "picture-size",
                    f"{version}/val/c.png",
                    "is 30×20, expected the clean picture's 20×30 pixels (width × height)",
                )
                for version in VERSIONS
            ),
            fault(
                "mask-size",
                "stats/val_stats_snow.json: c.png",
                "region 0: its mask is 30×20, expected the picture's 20×30 pixels (width × height) "
                "(in 16 versions)",
            ),
        ],
    ),
    "the same picture in two splits": (
        lambda r: shutil.copy(r / "gt/train/b.png", r / "gt/test/d.png"),
        [fault("duplicate", "gt/test/d.png", "is the same picture as gt/train/b.png")],
    ),
    "nearly the same picture in two splits": (
        lambda r: Image.fromarray(pixels("b.png") ^ 1).save(r / "gt/val/c.png"),
        [warning("near-duplicate", "gt/val/c.png", "looks the same as gt/train/b.png")],
    ),
    "the same picture twice in a split": (
        lambda r: shutil.copy(r / "gt/train/b.png", r / "gt/train/a.png"),
        [],
    ),
}


@pytest.mark.parametrize("name", FILE_DAMAGE)
def test_damage_to_files(root, name):
    damage, expected = FILE_DAMAGE[name]
    damage(root)
    assert found(root) == expected


def test_one_name_in_two_splits(root):
    for version in ("gt", *VERSIONS):
        Image.fromarray(pixels("other", version)).save(root / version / "test/c.png")
    for version in VERSIONS:
        entry = json.loads(stats_file(root, "val", version).read_text())["c.png"]
        edit(root, "test", version, lambda entries, entry=entry: entries.update({"c.png": entry}))
    text = "gt/val/c.png has the same name, so pairs on a list may mean either"
    assert found(root) == [warning("same-name", "gt/test/c.png", text)]


@pytest.mark.parametrize(
    ("damage", "text"),
    [
        (lambda data: data[: len(data) // 2], "damaged"),
        (lambda data: data[:-20], "damaged or incomplete PNG (chunk 'IDAT' at byte"),
        (
            lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
            "damaged",
        ),
        (lambda data: b"", "the file is empty, expected a picture"),
        (lambda data: b"<html>not found</html>", "not a picture of a known kind"),
    ],
)
def test_pictures_that_cannot_be_decoded(root, damage, text):
    path = root / "noise/val/c.png"
    path.write_bytes(damage(path.read_bytes()))
    (finding,) = found(root)
    assert (finding.kind, finding.severity, finding.place) == (
        "picture",
        "fault",
        "noise/val/c.png",
    )
    assert finding.text.startswith(text)


def test_a_truncated_jpeg_is_found_and_by_a_quick_check_not(root):
    path = root / "noise/val/c.png"
    Image.fromarray(pixels("c")).save(path, "JPEG")
    assert found(root) == []  # what it is called does not matter
    whole = path.read_bytes()
    path.write_bytes(whole[:-300])
    (finding,) = found(root)
    assert (finding.kind, finding.place) == ("picture", "noise/val/c.png")
    assert finding.text.startswith("damaged or incomplete JPEG")
    assert found(root, quick=True) == []
    path.write_bytes(whole[:-2])  # without its end marker, which is told
    (finding,) = found(root)
    assert finding.severity == "warning" and "end marker" in finding.text


def test_pictures_whose_name_has_no_suffix_are_known_by_their_labels(root):
    for version in ("gt", *VERSIONS):
        (root / version / "val/c.png").rename(root / version / "val/c")
    edit_all(root, "val", lambda entries: entries.update({"c": entries.pop("c.png")}))
    assert found(root) == []
    (root / "rain/val/c").write_bytes(b"nothing")
    (finding,) = found(root)
    assert (finding.kind, finding.place) == ("picture", "rain/val/c")


# Damage to labels.

PLACE = f"{BLUR_TEST}: d.png"
LABEL_DAMAGE: dict[str, tuple[dict[str, Any], list[Any]]] = {
    "unknown label": (
        {"degradation": "fog"},
        [fault("label", "", f"unknown degradation 'fog', expected one of {LABELS}")],
    ),
    "label is no text": (
        {"degradation": 7},
        [fault("stats", "", "degradation is 7, expected a label")],
    ),
    "unknown severity": ({"severity": 4}, [fault("label", "", "severity is 4, expected 0 … 3")]),
    "severity is no number": (
        {"severity": "minor"},
        [fault("stats", "", "severity is 'minor', expected a whole number")],
    ),
    "degraded without severity": (
        {"severity": 0},
        [
            fault(
                "contradiction",
                "",
                "is 'blur' of severity 0 (clean), expected severity 0 for 'clean' and for nothing "
                "else",
            )
        ],
    ),
    "clean in a single type": (
        {"degradation": "clean", "severity": 0, "score_fr": 1},
        [warning("type", "", "is 'clean' in a version of 'blur' only")],
    ),
    "clean with severity": (
        {"degradation": "clean", "severity": 2, "score_fr": 1},
        [
            fault(
                "contradiction",
                "",
                "is 'clean' of severity 2 (moderate), expected severity 0 for 'clean' and for "
                "nothing else",
            ),
            warning("type", "", "is 'clean' in a version of 'blur' only"),
        ],
    ),
    "another type": (
        {"degradation": "noise"},
        [fault("type", "", "is 'noise' in a version of 'blur' only")],
    ),
    "score above 1": (
        {"score_fr": 1.01},
        [fault("score", "", "score_fr is 1.01, expected a number in [0, 1]")],
    ),
    "score below 0": (
        {"score_fr": -1e-9},
        [fault("score", "", "score_fr is -1e-09, expected a number in [0, 1]")],
    ),
    "score is NaN": (
        {"score_fr": float("nan")},
        [fault("score", "", "score_fr is nan, expected a number in [0, 1]")],
    ),
    "score is infinite": (
        {"score_fr": float("inf")},
        [fault("score", "", "score_fr is inf, expected a number in [0, 1]")],
    ),
    "score beyond numbers": (
        {"score_fr": 10**400},
        [fault("score", "", f"score_fr is {10**39}…, too large for a number")],
    ),
    "no score": ({"score_fr": None}, [fault("score", "", "score_fr is None, expected a number")]),
    "box outside": (
        {"bbox": [24, 2, 7, 12]},
        [
            fault(
                "box",
                "",
                "bbox is [24, 2, 7, 12], expected a box inside 30×20 pixels (width × height)",
            )
        ],
    ),
    "box before the picture": (
        {"bbox": [-1, 2, 7, 12]},
        [fault("box", "", "bbox is [-1, 2, 7, 12], expected x, y ≥ 0 and w, h ≥ 1")],
    ),
    "empty box": (
        {"bbox": [12, 2, 0, 12]},
        [fault("box", "", "bbox is [12, 2, 0, 12], expected x, y ≥ 0 and w, h ≥ 1")],
    ),
    "box is no box": (
        {"bbox": [12, 2, 6]},
        [fault("stats", "", "bbox is [12, 2, 6], expected [x, y, w, h] in pixels")],
    ),
    "box of another region": (
        {"bbox": [0, 2, 6, 12]},
        [
            fault(
                "box-mask",
                "",
                "bbox is [0, 2, 6, 12], but the mask's pixels lie in [12, 2, 6, 12]",
            )
        ],
    ),
    "loose box": (
        {"bbox": [12, 0, 6, 14]},
        [
            warning(
                "box-mask",
                "",
                "bbox is [12, 0, 6, 14], but the mask's pixels lie in [12, 2, 6, 12]",
            )
        ],
    ),
    "rounded box": ({"bbox": [11.4, 2.0, 7, 12.9]}, []),
    "no box": ({"bbox": None}, []),
}


@pytest.mark.parametrize("name", LABEL_DAMAGE)
def test_damage_to_a_region(root, name):
    change, expected = LABEL_DAMAGE[name]
    edit(root, "test", "blur", lambda entries: region(entries, 2, **change))
    place = f"{PLACE}: region 2"
    assert found(root) == [Finding(f.kind, f.severity, place, f.text) for f in expected]


def with_counts(counts, size=(20, 30)):
    return {"segmentation_mask": {"size": list(size), "counts": counts}}


MASK_DAMAGE = {
    "too few pixels": ([1, 2], "RLE counts sum to 3 pixels, expected 600 for size [20, 30]"),
    "too many pixels": (
        [300, 301],
        "RLE counts sum to 601 pixels, expected 600 for size [20, 30]",
    ),
    "negative": ([601, -1], "RLE counts must be a list of whole numbers from 0 up"),
    "fractions": ([300.0, 300], "RLE counts must be a list of whole numbers from 0 up"),
    "truth values": ([True, 599], "RLE counts must be a list of whole numbers from 0 up"),
    "beyond 32 bits": ([2**32, 600], "RLE counts must be a list of whole numbers from 0 up"),
    "beyond 64 bits": ([2**70], "RLE counts must be a list of whole numbers from 0 up"),
    "no list": (None, "RLE counts must be a list of whole numbers from 0 up"),
    "nothing": ([], "RLE counts sum to 0 pixels, expected 600 for size [20, 30]"),
    "damaged text": (
        "é",
        "damaged RLE counts (it has a character outside ASCII), expected compressed COCO RLE",
    ),
}


@pytest.mark.parametrize("name", MASK_DAMAGE)
def test_masks_that_cannot_be_read(root, name):
    counts, text = MASK_DAMAGE[name]
    edit_all(root, "test", lambda entries: region(entries, 2, **with_counts(counts)))
    place = "stats/test_stats_{}.json: d.png: region 2"
    assert found(root) == [fault("mask", place.format(version), text) for version in VERSIONS]


def test_a_mask_without_size(root):
    edit_all(
        root, "test", lambda e: region(e, 2, segmentation_mask={"size": [0, 30], "counts": []})
    )
    findings = found(root)
    assert {f.kind for f in findings} == {"mask"}
    assert {f.text for f in findings} == {'segmentation_mask must be {"size": [h, w], "counts"}'}


def test_a_mask_with_an_impossible_side(root):
    edit(
        root,
        "test",
        "blur",
        lambda entries: region(entries, 2, **with_counts([2**31], size=(2**31, 1))),
    )
    text = 'segmentation_mask must be {"size": [h, w], "counts"}'
    assert fault("mask", f"{PLACE}: region 2", text) in found(root)


def test_an_empty_mask_is_worth_a_look(root):
    edit_all(root, "test", lambda entries: region(entries, 2, **with_counts([600])))
    assert found(root) == [
        warning(
            "empty-mask",
            f"stats/test_stats_{version}.json: d.png: region 2",
            "its mask has no pixel, so readers leave the region out",
        )
        for version in VERSIONS
    ]


def test_masks_of_another_size_than_the_picture(root):
    def change(entries):
        region(entries, 2, bbox=[0, 0, 2, 4])
        region(entries, 2, **with_counts([0, 4, 6, 4, 6], (10, 2)))

    edit_all(root, "test", change)
    text = "region 2: its mask is 2×10, expected the picture's 30×20 pixels (width × height)"
    place = "stats/test_stats_snow.json: d.png"
    assert found(root) == [fault("mask-size", place, f"{text} (in 16 versions)")]


def test_a_box_without_a_mask_that_leaves_the_picture(root):
    edit_all(root, "test", lambda e: region(e, 2, segmentation_mask=None, bbox=[20, 10, 10, 11]))
    text = "region 2: its bbox ends at 30, 21, outside the 30×20 pixels (width × height)"
    place = "stats/test_stats_snow.json: d.png"
    assert found(root) == [fault("box", place, f"{text} (in 16 versions)")]


def test_the_same_mask_written_in_other_ways_is_the_same(root):
    counts = json.loads(stats_file(root, "test", "blur").read_text())["d.png"]["regions"][2]
    runs = counts["segmentation_mask"]["counts"]
    split = [runs[0], 1, 0, runs[1] - 1, *runs[2:], 0, 0]
    edit(root, "test", "blur", lambda entries: region(entries, 2, **with_counts(split)))
    assert found(root) == []


# What versions say of each other.


def test_masks_that_differ_between_versions(root):
    def swap(entries):
        regions = entries["d.png"]["regions"]
        for key in ("segmentation_mask", "bbox"):
            regions[1][key], regions[3][key] = regions[3][key], regions[1][key]

    edit(root, "test", "blur", swap)
    text = "region 1 and 1 more: another mask than in snow"
    assert found(root) == [fault("regions-differ", PLACE, text)]


def test_a_mask_that_only_one_version_lacks(root):
    edit(root, "test", "blur", lambda entries: region(entries, 2, segmentation_mask=None))
    text = "region 2: another mask than in snow"
    assert found(root) == [fault("regions-differ", PLACE, text)]


def test_another_number_of_regions(root):
    edit(root, "test", "blur", lambda entries: entries["d.png"]["regions"].pop())
    expected = [
        fault(
            "relation",
            PLACE,
            "the relation [4, 2, 0] names a region that is not there, expected 0 … 3",
        ),
        fault(
            "regions-differ",
            PLACE,
            "has 4 regions, but 5 in snow; expected the same in every version",
        ),
    ]
    assert found(root) == expected


def test_other_names_and_relations_are_worth_a_look(root):
    edit(root, "test", "blur", lambda entries: region(entries, 2, name="other"))
    edit(root, "test", "noise", lambda entries: entries["d.png"].update(relations=[[]]))
    assert found(root) == [
        warning(
            "regions-differ", "stats/test_stats_noise.json: d.png", "other relations than in snow"
        ),
        warning("regions-differ", PLACE, "other names of regions than in snow"),
    ]


@pytest.mark.parametrize(
    ("relations", "text"),
    [
        (
            [[[0, 5, 1]]],
            "the relation [0, 5, 1] names a region that is not there, expected 0 … 4",
        ),
        (
            [[[-1, 2, 1]]],
            "the relation [-1, 2, 1] names a region that is not there, expected 0 … 4",
        ),
        ([[[0, 1]]], "relations must be [[[subject, object, predicate], …]]"),
        ("none", "relations must be [[[subject, object, predicate], …]]"),
    ],
)
def test_relations_that_do_not_fit(root, relations, text):
    edit_all(root, "test", lambda entries: entries["d.png"].update(relations=relations))
    assert found(root) == [
        fault("relation", f"stats/test_stats_{version}.json: d.png", text) for version in VERSIONS
    ]


@pytest.mark.parametrize("relations", [[], [[]], None])
def test_no_relations_can_be_written_in_several_ways(root, relations):
    edit_all(root, "test", lambda entries: entries["d.png"].update(relations=relations))
    edit(root, "test", "blur", lambda entries: entries["d.png"].update(relations=[[]]))
    assert found(root) == []


def test_a_clean_region_with_a_score_below_1(root):
    edit(root, "test", "mixed", lambda entries: region(entries, 2, score_fr=0.97))
    place = "stats/test_stats_mixed.json: d.png: region 2"
    assert found(root) == [warning("clean-score", place, "is 'clean' with score 0.97, expected 1")]


# Stats files and entries that cannot be read.


def test_after_a_bad_entry_the_others_are_still_read(root):
    def change(entries):
        entries["a.png"] = 7
        entries["b.png"]["regions"][0]["severity"] = 9

    edit(root, "train", "blur", change)
    place = "stats/train_stats_blur.json"
    text = "expected an object with `score_fr` and a list `regions`"
    assert found(root) == [
        fault("stats", f"{place}: a.png", text),
        fault("label", f"{place}: b.png: region 0", "severity is 9, expected 0 … 3"),
    ]


def test_a_region_that_is_no_object(root):
    edit_all(root, "test", lambda entries: entries["d.png"]["regions"].append("x"))
    assert found(root) == [
        fault(
            "stats",
            f"stats/test_stats_{version}.json: d.png: region 5",
            "expected an object, got str",
        )
        for version in VERSIONS
    ]


def test_a_stats_file_that_is_cut_off(root):
    path = stats_file(root, "train", "blur")
    whole = path.read_text()
    path.write_text(whole[: whole.index('"b.png"') + 30])
    (finding,) = found(root)
    assert (finding.kind, finding.place) == ("stats", "stats/train_stats_blur.json")
    assert finding.text.startswith("not a JSON object of pictures (")


@pytest.mark.parametrize("text", ["", "[]", "null", "{} {}", "\xff"])
def test_a_stats_file_that_is_none(root, text):
    stats_file(root, "val", "blur").write_text(text, encoding="latin-1")
    kinds = [(f.kind, f.place) for f in found(root)]
    assert ("stats", "stats/val_stats_blur.json") in kinds
    assert {kind for kind, _ in kinds} <= {"stats"}


def test_names_that_lead_out_of_the_folder(root):
    edit(root, "val", "blur", lambda entries: entries.update({"../../c.png": entries["c.png"]}))
    text = "the picture name '../../c.png' is not the plain name of a file in its folder"
    assert found(root) == [fault("stats", "stats/val_stats_blur.json", text)]


def test_an_entry_that_is_listed_twice(root):
    path = stats_file(root, "val", "blur")
    entry = json.dumps(json.loads(path.read_text())["c.png"])
    path.write_text(f'{{"c.png": {entry}, "c.png": {entry}}}')
    text = "is listed twice, expected one entry for a picture"
    assert found(root) == [fault("stats", "stats/val_stats_blur.json: c.png", text)]


def test_a_picture_that_one_version_has_no_labels_of(root):
    edit(root, "train", "blur", lambda entries: entries.pop("a.png"))
    text = "has no entry here, but 15 other versions have one"
    place = "stats/train_stats_blur.json: a.png"
    assert found(root) == [fault("missing-entry", place, text)]
    (root / "blur/train/a.png").unlink()
    text += ", and blur/train/a.png is not there"
    assert found(root) == [fault("missing-entry", place, text)]


# The lists of a root.

INDEX = "pandabench_index.json"


@pytest.mark.parametrize(
    ("entry", "text"),
    [
        (["blur", "noise", "z.png"], "no split has a picture z.png"),
        (["blur", "fog", "d.png"], "this data set has no version 'fog'"),
        (["blur", "blur", "d.png"], "anchor and target are the same version, expected two"),
    ],
)
def test_pairs_of_the_index_that_are_not_there(root, entry, text):
    write_index(root, {"easy": [["blur", "noise", "d.png"], entry], "medium": []})
    assert found(root) == [fault("index", f"{INDEX}: easy entry 1 {entry}", text)]


def test_a_pair_of_the_index_without_labels(root):
    edit(root, "test", "noise", lambda entries: entries.pop("d.png"))
    place = f"{INDEX}: easy entry 0 ['blur', 'noise', 'd.png']"
    assert fault("index", place, "d.png has no labels in noise of test") in found(root)


def test_pairs_on_the_wrong_list_are_worth_a_look(root):
    entries = [["blur", "mixed", "d.png"], ["rain", "mixed2", "a.png"]]
    write_index(root, {"easy": entries, "medium": entries})
    place = f"{INDEX}: easy entry 0 ['blur', 'mixed', 'd.png'] and 1 more"
    assert found(root) == [warning("index", place, "is no easy pair, which has 0 mixed versions")]


def test_an_index_that_is_not_data_is_not_run(root, tmp_path):
    text = f"import os\nos.mkdir({str(tmp_path / 'owned')!r})\n"
    (root / INDEX).write_text(text)
    (finding,) = found(root)
    assert (finding.kind, finding.place) == ("index", INDEX)
    assert finding.text.startswith("line 1: ")
    assert not (tmp_path / "owned").exists()


def test_the_published_python_index_is_read(root):
    (root / INDEX).write_text("easy = [('blur', 'noise', 'd.png'), ('blur', 'noise', 'q.png')]\n")
    place = f"{INDEX}: easy entry 1 ['blur', 'noise', 'q.png']"
    assert found(root) == [fault("index", place, "no split has a picture q.png")]


def test_files_that_are_not_as_the_manifest_says(root):
    describe(root)
    Image.fromarray(pixels("other") // 9).save(root / "haze/val/c.png")
    flipped = bytearray((root / "rain/val/c.png").read_bytes())
    original = sha256(root / "rain/val/c.png")
    flipped[-5] ^= 1  # in the checksum of the last chunk
    (root / "rain/val/c.png").write_bytes(flipped)
    findings = {(f.kind, f.place): f.text for f in found(root)}
    assert findings.pop(("picture", "rain/val/c.png"))
    own = sha256(root / "rain/val/c.png")
    assert findings.pop(("checksum", "rain/val/c.png")) == (
        f"has SHA-256 {own[:12]}…, but {original[:12]}… in manifest.jsonl"
    )
    size = (root / "haze/val/c.png").stat().st_size
    text = findings.pop(("checksum", "haze/val/c.png"))
    assert text.startswith(f"has {size} bytes, but ")
    assert findings == {}


def test_the_manifest_and_what_is_there(root):
    describe(root)
    path = root / "manifest.jsonl"
    lines = path.read_text().splitlines()
    known = json.loads(lines[1])["file"]
    lines[1] = "{"
    lines[3] = lines[2]
    lost = json.loads(lines[4])["file"]
    lines[4] = lines[4].replace("a.png", "q.png")
    path.write_text("\n".join(lines) + "\n")
    findings = [f for f in found(root) if f.place != "manifest.jsonl"]
    by_place = {f.place: (f.kind, f.text) for f in findings}
    assert by_place["manifest.jsonl: line 2"][0] == "manifest"
    assert by_place["manifest.jsonl: line 4"] == (
        "manifest",
        f"{json.loads(lines[2])['file']} is listed twice, expected one line per file",
    )
    for file in (known, lost):
        assert by_place[file] == ("manifest", "has no line in manifest.jsonl")
    assert by_place[lost.replace("a.png", "q.png")] == (
        "missing-file",
        "is not there, but manifest.jsonl lists it",
    )


def test_labels_that_were_changed_after_the_build(root):
    describe(root)
    was = sha256(stats_file(root, "val", "rain"))
    edit(root, "val", "rain", lambda entries: entries["c.png"].update(score_fr=0.25))
    own = sha256(stats_file(root, "val", "rain"))
    text = f"has SHA-256 {own[:12]}…, but {was[:12]}… in dataset.json"
    assert found(root) == [fault("checksum", "stats/val_stats_rain.json", text)]


def test_counts_that_are_not_those_of_dataset_json(root):
    describe(root)
    value = json.loads((root / "dataset.json").read_text())
    value["splits"]["train"] = {"pictures": 3, "regions": 14}
    del value["splits"]["test"]
    (root / "dataset.json").write_text(json.dumps(value))
    assert [f.text for f in found(root)] == [
        "says that test has 0 pictures, but 1 are there",
        f"says that test has 0 regions, but {REGIONS} are there",
        "says that train has 3 pictures, but 2 are there",
        "says that train has 14 regions, but 10 are there",
    ]


def test_a_damaged_dataset_json_is_a_finding(root):
    (root / "dataset.json").write_text("{}")
    (finding,) = found(root)
    assert (finding.kind, finding.severity, finding.place) == (
        "description",
        "fault",
        "dataset.json",
    )


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("../fog", "'../fog' is no name of a version's folder"),
        ("stats", "'stats' is no version, but another folder's name"),
    ],
)
def test_labels_of_dataset_json_that_would_be_other_folders(root, label, text):
    path = describe(root) / "dataset.json"
    path.write_text(path.read_text().replace('"snow"', json.dumps(label)))
    assert fault("description", "dataset.json", text) in found(root)
    with pytest.raises(DatasetError) as caught:
        PandaSet(root)
    assert str(caught.value) == f"{path}: {text}"


def test_predicates_that_dataset_json_does_not_list(root):
    describe(root)
    value = json.loads((root / "dataset.json").read_text())
    value["predicates"] = ["on", "under", "near"]
    value["build"] = None
    (root / "dataset.json").write_text(json.dumps(value))
    findings = found(root)
    assert len(findings) == len(VERSIONS) * 4
    assert {(f.kind, f.text) for f in findings} == {
        (
            "relation",
            "the relation [0, 1, 3] has a predicate that dataset.json does not list, "
            "expected 0 … 2",
        )
    }


def test_a_version_that_dataset_json_does_not_have(root):
    describe(root)
    value = json.loads((root / "dataset.json").read_text())
    value["versions"].remove("haze")
    value["build"] = None
    (root / "dataset.json").write_text(json.dumps(value))
    kinds = {(f.kind, f.place) for f in found(root)}
    assert ("extra-folder", "haze/") in kinds


def test_labels_that_do_not_occur(root):
    shutil.rmtree(root / "haze")
    for split in TAGS:
        stats_file(root, split, "haze").unlink()
        for version in ("mixed", "mixed2"):

            def change(entries):
                for entry in entries.values():
                    for part in entry["regions"]:
                        part |= {"degradation": "blur", "severity": 1, "score_fr": 0.5}

            edit(root, split, version, change)
    assert found(root) == [
        warning("balance", "stats/", text)
        for text in (
            "no region is 'clean'",
            "no region is 'haze'",
            "no region is 'significantly_worse' between mixed and mixed2",
            "no region is 'slightly_worse' between mixed and mixed2",
            "no region is 'slightly_better' between mixed and mixed2",
            "no region is 'significantly_better' between mixed and mixed2",
        )
    ]


def test_every_kind_of_finding_has_a_heading():
    damages = [*FILE_DAMAGE.values(), *LABEL_DAMAGE.values()]
    assert {f.kind for _, findings in damages for f in findings} < set(KINDS)


def test_processes_find_the_same_in_the_same_order(root):
    for damage in ("another type", "score above 1", "unknown label"):
        change = LABEL_DAMAGE[damage][0]
        edit(
            root, "train", "rain", lambda e, change=change: e["a.png"]["regions"][1].update(change)
        )
    (root / "gt/val/c.png").write_bytes(b"")
    (root / "blur/test/d.png").write_bytes(b"")
    alone, together = check_dataset(root), check_dataset(root, workers=2, few_files=0)
    assert alone == together
    assert len(alone.findings) >= 3


def test_progress_ends_with_everything_done(root):
    told = []
    check_dataset(root, progress=lambda done, total: told.append((done, total)))
    stats = len(VERSIONS) * len(TAGS)
    assert told[-1] == (FILES + stats, FILES + stats)
    assert told == sorted(told)


def test_a_folder_that_is_no_data_set(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    (tmp_path / "packed").mkdir()
    (tmp_path / "packed/shards.json").write_text("{}")
    for name, text in (
        ("nowhere", "no such folder, expected a data set's root"),
        ("file", "cannot be read (Not a directory), expected a folder"),
        ("empty", "not a data set's root (neither gt/ nor stats/ is in it)"),
        ("packed", "a data set in shards; unpack it first (neither gt/ nor stats/ is in it)"),
    ):
        with pytest.raises(DatasetError) as caught:
            check_dataset(tmp_path / name)
        assert str(caught.value) == f"{tmp_path / name}: {text}"


@pytest.mark.parametrize("text", [None, "{}"])
def test_an_empty_data_set_is_not_whole(tmp_path, text):
    for folder in ("gt/val", "blur/val", "stats", "depth"):
        (tmp_path / folder).mkdir(parents=True)
    if text is not None:
        stats_file(tmp_path, "val", "blur").write_text(text)
    told = "no picture is named here, and none is in gt/; the data set is empty"
    faults = [f for f in found(tmp_path) if f.severity == "fault"]
    assert faults == [fault("stats", "stats/", told)]


def test_all_findings_as_json(root):
    edit(root, "test", "blur", lambda entries: region(entries, 2, score_fr=float("nan")))
    value = json.loads(json.dumps(check_dataset(root).to_json(), allow_nan=False))
    assert (value["faults"], value["warnings"], value["files"]) == (1, 0, FILES)
    assert value["findings"] == [
        {
            "kind": "score",
            "severity": "fault",
            "place": f"{PLACE}: region 2",
            "text": "score_fr is nan, expected a number in [0, 1]",
        }
    ]
    assert np.sum([list(row.values()) for row in value["balance"]["regions"].values()]) == (
        4 * REGIONS * len(VERSIONS)
    )


REFUSED = {"stats", "label", "score", "mask"}


@pytest.mark.parametrize("name", [*LABEL_DAMAGE, *MASK_DAMAGE])
def test_what_the_reader_refuses_is_a_fault_and_the_other_way_round(root, name):
    if name in LABEL_DAMAGE:
        change, expected = LABEL_DAMAGE[name]
        refused = any(f.kind in REFUSED for f in expected)
    else:
        change, refused = with_counts(MASK_DAMAGE[name][0]), True
    edit(root, "test", "blur", lambda entries: region(entries, 2, **change))
    reader = PandaSet(root)
    if refused:
        with pytest.raises(DatasetError):
            reader.sample("test", ("blur", "noise", "d.png"))
    else:
        reader.sample("test", ("blur", "noise", "d.png"))
