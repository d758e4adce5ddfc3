"""What a build writes, and that it goes on, checks, repairs and refuses as it says."""

from __future__ import annotations

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from build_samples import TYPES, contents_of, make_source, photo, quarters
from optional import present
from PIL import Image

from distortion_graph.base.errors import DatasetError, OutputError, RecipeError
from distortion_graph.base.files import encode_image
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.layout import version_names
from distortion_graph.datasets.make import BuildOptions, build_dataset, parse_splits
from distortion_graph.datasets.make import work as work_module
from distortion_graph.datasets.manifest import FileLine, SkippedLine, read_manifest
from distortion_graph.datasets.sources import RegionChoice, parse_source
from distortion_graph.datasets.stats import read_stats
from distortion_graph.measure.quality import get_metric
from distortion_graph.pictures.images import load_picture
from distortion_graph.synth.synthesis import make_version

NAMES = ("a", "b", "c.d", "ü")
OPTIONS = BuildOptions(splits=parse_splits("test"), types=TYPES, workers=0)
TEST = parse_splits("train=.5,test=.5")


class Listener:
    """Keeps what a build tells."""

    def __init__(self):
        self.warnings, self.parts = [], []

    def warn(self, text):
        self.warnings.append(text)

    def detail(self, text):
        pass

    def begin(self, what, total, unit):
        self.parts.append([what, total, 0])

    def advance(self, count):
        self.parts[-1][2] += count

    def end(self):
        pass


@pytest.fixture
def lab(tmp_path):
    return make_source(tmp_path / "lab", NAMES)


def build(folder, out, options=OPTIONS, report=None):
    sources = [parse_source(str(f)) for f in (folder if isinstance(folder, list) else [folder])]
    return build_dataset(sources, out, options, *([report] if report else []))


def test_the_root_has_the_published_layout(tmp_path, lab):
    root = tmp_path / "root"
    report = build(lab, root)
    versions = (*(v for v in version_names(DEFAULT_VOCABULARY) if v in TYPES), "mixed", "mixed2")
    expected = {f"{folder}/test/{name}.png" for folder in ("gt", *versions) for name in NAMES}
    expected |= {f"stats/test_stats_{version}.json" for version in versions}
    expected |= {"dataset.json", "manifest.jsonl", "pandabench_index.json"}
    found = contents_of(root)
    assert {name for name, what in found.items() if what != "folder"} == expected
    assert (root / "depth").is_dir() and not list((root / "depth").iterdir())
    assert {p.name for p in root.iterdir() if p.is_dir()} == {"depth", "stats", "gt", *versions}
    assert dict(report.pictures) == {"test": 4} and report.images == 4 * len(versions)
    index = json.loads((root / "pandabench_index.json").read_text())
    assert {len(pairs) for pairs in index.values()} == {300}
    assert {tag for pairs in index.values() for _, _, tag in pairs} <= {f"{n}.png" for n in NAMES}
    assert {v for pairs in index.values() for a, t, _ in pairs for v in (a, t)} <= set(versions)


def test_pixels_labels_and_scores_are_those_of_synthesis_in_memory(tmp_path, lab):
    root = tmp_path / "root"
    build(lab, root)
    masks = np.stack([quarters() == i for i in (1, 2, 5)])
    for name in NAMES:
        clean = load_picture(lab / "images" / f"{name}.png").rgb
        assert np.array_equal(load_picture(root / "gt" / "test" / f"{name}.png").rgb, clean)
        for version in ("blur", "mixed2"):
            made = make_version(
                clean, masks, [1, 2, 5], version=version, tag=name, seed=0, recipe=OPTIONS.recipe()
            )
            stored = load_picture(root / version / "test" / f"{name}.png").rgb
            assert np.array_equal(stored, made.image)
            entry = read_stats(root / "stats" / f"test_stats_{version}.json")[f"{name}.png"]
            assert entry.score == made.scene_score and entry.relations == ()
            for k, (region, draw) in enumerate(zip(entry.regions, made.draws, strict=True)):
                assert region.degradation == draw.distortion and region.score == made.scores[k]
                assert DEFAULT_VOCABULARY.severities[present(region.severity)] == draw.severity
                assert region.mask is not None and np.array_equal(region.mask.decode(), masks[k])
                x, y, w, h = present(region.bbox_xywh_px)
                assert (x, y, w, h) == cv2.boundingRect(masks[k].astype(np.uint8))


def test_the_manifest_has_a_line_for_every_picture_in_key_order(tmp_path, lab):
    root = tmp_path / "root"
    build(lab, root)
    lines = list(read_manifest(root / "manifest.jsonl"))
    versions = OPTIONS.versions
    assert [line.file for line in lines if isinstance(line, FileLine)] == [
        f"{folder}/test/{name}.png" for name in sorted(NAMES) for folder in ("gt", *versions)
    ]
    found = contents_of(root)
    description = read_description(root)
    assert description is not None and description.build is not None
    for line in lines:
        assert isinstance(line, FileLine)
        assert line.sha256 == found[line.file] and line.bytes == (root / line.file).stat().st_size
        if line.clean:
            assert line.facts["source"] == "lab"
            assert line.facts["source_file"] == line.picture
            continue
        assert line.facts["recipe"] == present(description.recipe).id
        assert line.facts["metric"] == "haarpsi 1"
        stem = line.picture.removesuffix(".png")
        assert line.facts["key"] == [0, stem, line.version]
        entry = read_stats(root / "stats" / f"test_stats_{line.version}.json")[line.picture]
        for region, told in zip(entry.regions, line.facts["regions"], strict=True):
            assert told["key"] == [0, stem, line.version, told["id"]]
            assert (told["distortion"], told["score"]) == (region.degradation, region.score)
        compressed = {
            f"compression:{r['subtype']}"
            for r in line.facts["regions"]
            if r["distortion"] == "compression"
        }
        assert set(line.facts["codecs"]) == {"png"} | compressed
    for name, digest in description.build.files.items():
        assert found[name] == digest
    told = {n for n, what in found.items() if what != "folder"} - {"dataset.json"}
    assert told == {line.file for line in lines if isinstance(line, FileLine)} | set(
        description.build.files
    )


def test_nothing_of_the_machine_or_the_moment_is_written(tmp_path, lab):
    import socket

    (lab / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    root = tmp_path / "root"
    build(lab, root)
    text = "".join(
        path.read_text() for path in [*root.glob("*.json*"), *(root / "stats").glob("*")]
    )
    for word in (str(tmp_path), str(Path.home()), socket.gethostname()):
        assert word not in text
    (tmp_path / "elsewhere" / "deep").mkdir(parents=True)
    shutil.move(lab, tmp_path / "elsewhere" / "deep" / "lab")
    build(tmp_path / "elsewhere" / "deep" / "lab", tmp_path / "again")
    assert contents_of(tmp_path / "again") == contents_of(root)


def test_what_cannot_be_used_is_told_and_listed(tmp_path, lab):
    (lab / "images" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    Image.fromarray(photo(1)).save(lab / "images" / "nomap.png")
    Image.fromarray(photo(2)).save(lab / "images" / "small.png")
    Image.fromarray(quarters((20, 20))).save(lab / "regions" / "small.png")
    Image.fromarray(photo(3)).save(lab / "images" / "tiny.png")
    specks = np.zeros((48, 64), np.uint8)
    specks[3, 3] = 1
    Image.fromarray(specks).save(lab / "regions" / "tiny.png")
    told = Listener()
    report = build(lab, tmp_path / "root", report=told)
    assert (report.skipped, report.made) == (4, 4) and len(told.warnings) == 4
    lines = read_manifest(tmp_path / "root" / "manifest.jsonl")
    skipped = {x.stem: x for x in lines if isinstance(x, SkippedLine)}
    assert sorted(skipped) == ["broken", "nomap", "small", "tiny"]
    assert skipped["tiny"].reason == (
        "tiny.png: none of its 1 regions covers 0.8 % of the picture; lower --min-share to keep it"
    )
    assert skipped["tiny"].source == "lab" and skipped["tiny"].source_file == "tiny.png"
    assert any(str(lab / "images" / "broken.png") in line for line in told.warnings)
    description = read_description(tmp_path / "root")
    assert description is not None
    assert (description.sources[0].pictures, description.sources[0].skipped) == (4, 4)
    assert told.parts == [["building", 40, 40]]


def test_strict_stops_writes_nothing_for_it_and_goes_on_once_it_is_mended(tmp_path, lab):
    (lab / "images" / "b.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    strict = replace(OPTIONS, strict=True)
    with pytest.raises(DatasetError, match=r"images/b\.png: .*--strict stops here"):
        build(lab, tmp_path / "root", strict)
    assert not list((tmp_path / "root").rglob("b.png"))
    shutil.rmtree(lab)
    make_source(lab, NAMES)
    report = build(lab, tmp_path / "root", strict)
    assert (report.kept, report.made, report.skipped) == (1, 3, 0)
    build(lab, tmp_path / "other")
    assert contents_of(tmp_path / "root") == contents_of(tmp_path / "other")


def test_no_usable_picture_is_an_error_and_leaves_no_root(tmp_path, lab):
    for path in (lab / "images").iterdir():
        path.write_bytes(b"no picture")
    told = Listener()
    with pytest.raises(DatasetError, match="none of the pictures can be used"):
        build(lab, tmp_path / "root", report=told)
    assert len(told.warnings) == 4 and not (tmp_path / "root").exists()


class Full:
    """A disk with room for `left` more files of the root."""

    def __init__(self, monkeypatch, left):
        self.left = left
        real = Path.write_bytes

        def write(path, data):
            if self.left <= 0:
                real(path, data[: len(data) // 2])
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self.left -= 1
            return real(path, data)

        monkeypatch.setattr(Path, "write_bytes", write)


@pytest.mark.parametrize("room", [0, 3, 9, 23, 24, 25])
def test_a_full_disk_is_one_line_and_what_is_there_is_whole(tmp_path, lab, monkeypatch, room):
    """24 pictures, then the index, then dataset.json: wherever it is full, the rest can go on."""
    root = tmp_path / "root"
    with monkeypatch.context() as patched:
        Full(patched, room)
        with pytest.raises(OutputError, match="No space left on device") as caught:
            build(lab, root)
    assert str(caught.value).startswith(f"{root}/")
    assert str(caught.value).endswith("start the same command again, and it goes on")
    for path in root.rglob("*.png"):
        assert load_picture(path).size == (48, 64)
    assert not list(root.rglob("*.tmp")) and not (root / "dataset.json").exists()
    report = build(lab, root)
    assert report.kept == room // 6
    build(lab, tmp_path / "other")
    assert contents_of(root) == contents_of(tmp_path / "other")


def test_a_full_disk_in_the_statistics(tmp_path, lab, monkeypatch):

    def full(stream):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    root = tmp_path / "root"
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left on device"):
            build(lab, root)
    assert not (root / "dataset.json").exists()
    build(lab, root)
    build(lab, tmp_path / "other")
    assert contents_of(root) == contents_of(tmp_path / "other")


def test_stopped_at_every_step_it_ends_with_the_same_bytes(tmp_path, lab, monkeypatch):
    """As if it was killed after each file that it puts in place, in one build after another."""
    build(lab, tmp_path / "whole", replace(OPTIONS, splits=TEST))
    root = tmp_path / "root"
    real = work_module.put_file
    for room in (1, 4, 8, 11, 40):
        left = [room]

        def put(*args, left=left):
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            real(*args)

        with monkeypatch.context() as patched:
            patched.setattr(work_module, "put_file", put)
            try:
                build(lab, root, replace(OPTIONS, splits=TEST))
            except KeyboardInterrupt:
                continue
            break
    assert contents_of(root) == contents_of(tmp_path / "whole")


def test_going_on_checks_what_is_there(tmp_path, lab):
    build(lab, tmp_path / "whole")
    root = tmp_path / "root"
    strict = replace(OPTIONS, strict=True)
    saved = (lab / "images" / "ü.png").read_bytes()
    (lab / "images" / "ü.png").write_bytes(b"no")
    with pytest.raises(DatasetError):
        build(lab, root, strict)
    (lab / "images" / "ü.png").write_bytes(saved)
    damaged = root / "blur" / "test" / "a.png"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"x")
    (root / "mixed" / "test" / "b.png").unlink()
    report = build(lab, root, strict)
    assert (report.kept, report.made) == (1, 3)
    assert contents_of(root) == contents_of(tmp_path / "whole")


@pytest.mark.parametrize("part", ["images", "regions"])
def test_a_source_that_changed_meanwhile_is_one_line(tmp_path, lab, part):
    root = tmp_path / "root"
    last = lab / "images" / "ü.png"
    last.write_bytes(b"no")
    with pytest.raises(DatasetError):
        build(lab, root, replace(OPTIONS, strict=True))
    changed = lab / part / "a.png"
    Image.fromarray(photo(99) if part == "images" else quarters()[:, ::-1]).save(changed)
    with pytest.raises(DatasetError) as caught:
        build(lab, root)
    assert str(caught.value) == (
        f"{changed}: has changed since this data set was begun; put the file back, or build into "
        "a new folder"
    )
    Image.fromarray(photo(98)).save(lab / "images" / "new.png")
    with pytest.raises(
        DatasetError, match=r"begun with other pictures .* \(4 pictures then, 5 now\)"
    ):
        build(lab, root)


def test_a_picture_that_changed_after_copies_were_looked_for_is_one_line(tmp_path, lab):
    (lab / "regions" / "a.png").unlink()
    options = replace(OPTIONS, splits=TEST, strict=True)
    with pytest.raises(DatasetError, match="no label map"):
        build(lab, tmp_path / "root", options)
    Image.fromarray(photo(99)).save(lab / "images" / "ü.png")
    with pytest.raises(DatasetError, match=r"ü\.png: has changed since this data set was begun"):
        build(lab, tmp_path / "root", options)


def test_a_complete_root_is_checked_and_mended(tmp_path, lab):
    root = tmp_path / "root"
    build(lab, root)
    before = contents_of(root)
    again = build(lab, root)
    assert again.complete_before and (again.made, again.kept, again.repaired) == (0, 4, 0)
    assert contents_of(root) == before
    (root / "gt" / "test" / "a.png").unlink()
    (root / "noise" / "test" / "c.d.png").write_bytes(b"")
    mended = build(lab, root)
    assert mended.complete_before and mended.repaired == 2
    assert contents_of(root) == before


@pytest.mark.parametrize(
    "name", ["manifest.jsonl", "stats/test_stats_mixed.json", "pandabench_index.json"]
)
def test_a_damaged_list_of_a_complete_root_is_one_line(tmp_path, lab, name):
    root = tmp_path / "root"
    build(lab, root)
    (root / name).write_bytes((root / name).read_bytes() + b"\n")
    with pytest.raises(DatasetError, match=r"is not what was built \(missing or changed\)"):
        build(lab, root)


def test_a_complete_root_of_changed_sources_is_one_line(tmp_path, lab):
    root = tmp_path / "root"
    build(lab, root)
    Image.fromarray(photo(99)).save(lab / "images" / "a.png")
    with pytest.raises(DatasetError, match=r"a\.png: has changed since this data set was begun"):
        build(lab, root)
    (lab / "images" / "a.png").unlink()
    with pytest.raises(DatasetError, match="was made of other pictures or annotations than are"):
        build(lab, root)


def test_changed_annotations_are_one_line(tmp_path, lab):
    (lab / "names.json").write_text('{"1": "sky"}')
    root = tmp_path / "root"
    build(lab, root)
    assert read_stats(root / "stats" / "test_stats_blur.json")["a.png"].regions[0].name == "sky"
    (lab / "names.json").write_text('{"1": "sea"}')
    with pytest.raises(DatasetError, match="was made of other pictures or annotations than are"):
        build(lab, root)


OTHERS: dict[str, dict[str, Any]] = {
    "--seed": {"seed": 1},
    "--split": {"splits": TEST},
    "--types": {"types": ("blur",)},
    "--image-format": {"image_format": "webp"},
    "--severity": {"severity_weights": {"minor": 2, "severe": 1}},
    "--clean-share": {"clean_share": 0.5},
    "--feather": {"feather_px": 1.5},
    "--min-share": {"regions": RegionChoice(min_share=0.01)},
    "--max-regions": {"regions": RegionChoice(max_regions=2)},
    "--max-side": {"regions": RegionChoice(max_side=40)},
    "--licence": {"licences": {"": "CC0"}},
}


def test_other_options_on_the_same_root_are_refused_by_name(tmp_path, lab):
    root = tmp_path / "root"
    build(lab, root)
    before = contents_of(root)
    for option, change in OTHERS.items():
        with pytest.raises(DatasetError) as caught:
            build(lab, root, replace(OPTIONS, **change))
        assert str(caught.value).startswith(f"{root}: was made with {option} "), option
    build(lab, root, replace(OPTIONS, severity_weights={"minor": 1, "moderate": 1, "severe": 1}))
    assert contents_of(root) == before


def test_severities_types_and_shares_are_drawn_as_asked(tmp_path, lab):
    options = replace(
        OPTIONS,
        types=("blur", "noise"),
        severity_weights={"severe": 1},
        severity_levels={"minor": (1,), "moderate": (2, 3), "severe": (5,)},
        clean_share=0.0,
        regions=RegionChoice(max_regions=2),
    )
    build(lab, tmp_path / "root", options)
    lines = read_manifest(tmp_path / "root" / "manifest.jsonl")
    regions = [r for x in lines if isinstance(x, FileLine) for r in x.facts.get("regions", [])]
    assert len(regions) == 4 * 4 * 2
    assert {(r["severity"], r["level"]) for r in regions} == {("severe", 5)}
    assert {r["distortion"] for r in regions} == {"blur", "noise"}
    assert {r["id"] for r in regions} == {1, 2}  # 2 is the largest; 1 and 5 are 768 and 640 px
    description = read_description(tmp_path / "root")
    assert description is not None and description.versions == ("noise", "blur", "mixed", "mixed2")
    assert description.vocabulary == DEFAULT_VOCABULARY


@pytest.mark.parametrize(
    ("image_format", "quality", "same"),
    [("webp", None, True), ("webp", 80, False), ("tif", None, True), ("jpg", None, False)],
)
def test_formats(tmp_path, lab, image_format, quality, same):
    options = replace(OPTIONS, image_format=image_format, quality=quality, types=("blur",))
    build(lab, tmp_path / "root", options)
    stored = load_picture(tmp_path / "root" / "gt" / "test" / f"a.{image_format}").rgb
    assert np.array_equal(stored, load_picture(lab / "images" / "a.png").rgb) == same
    description = read_description(tmp_path / "root")
    assert description is not None and description.image.format == image_format
    assert (description.image.quality is None) == same
    if image_format == "jpg":
        clean = load_picture(lab / "images" / "a.png").rgb
        data = (tmp_path / "root" / "gt" / "test" / "a.jpg").read_bytes()
        assert data == encode_image("a.jpg", clean, quality=95)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"image_format": "gif"}, OutputError, "unknown image format 'gif'"),
        ({"quality": 90}, OutputError, "png is lossless and has no quality"),
        ({"image_format": "jpg", "quality": 0}, OutputError, "quality is 0, expected 1…100"),
        ({"workers": -1}, DatasetError, "workers must be 0 or more"),
        ({"types": ()}, RecipeError, "drawn_types must be different distortion types"),
        ({"types": ("blur", "blur")}, RecipeError, "drawn_types must be different"),
        ({"types": ("clean",)}, RecipeError, "drawn_types must be different distortion types"),
        ({"severity_weights": {"mild": 1}}, RecipeError, "unknown severity 'mild'"),
        ({"severity_weights": {"minor": 0}}, RecipeError, "not all 0"),
        ({"clean_share": 2}, RecipeError, "clean_share must be in"),
    ],
)
def test_options_out_of_range_are_refused(change, error, words):
    with pytest.raises(error, match=words.replace("(", r"\(")):
        replace(OPTIONS, **change)


def test_copies_stand_in_the_same_split(tmp_path):
    lab = make_source(tmp_path / "lab", [f"p{k}" for k in range(9)], (24, 32))
    for k in range(3):
        rgb = load_picture(lab / "images" / f"p{k}.png").rgb
        Image.fromarray(rgb).save(lab / "images" / f"copy{k}.bmp")
        Image.fromarray(quarters((24, 32))).save(lab / "regions" / f"copy{k}.png")
    options = replace(OPTIONS, types=("blur",), splits=TEST)
    report = build(lab, tmp_path / "root", options)
    assert dict(report.pictures) == {"train": 6, "test": 6}
    for k in range(3):
        places = {p.parent for p in (tmp_path / "root" / "gt").rglob(f"*{k}.png")}
        found = {p.parent for p in (tmp_path / "root" / "gt").rglob(f"copy{k}.png")}
        assert len(found) == 1 and found <= places
        assert (next(iter(found)) / f"p{k}.png").exists()


def test_sources_say_their_splits_or_lists_do(tmp_path):
    folder = tmp_path / "photos"
    for name in ("test/a", "b", "val/c"):
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo(len(name))).save(path)
    options = replace(OPTIONS, types=("blur",))
    report = build(folder, tmp_path / "r1", replace(options, splits=parse_splits("source")))
    assert dict(report.pictures) == {"train": 1, "val": 1, "test": 1}
    (tmp_path / "lists.json").write_text('{"val": ["b"]}')
    told = Listener()
    by_list = replace(options, splits=parse_splits(str(tmp_path / "lists.json")))
    report = build(folder, tmp_path / "r2", by_list, told)
    assert dict(report.pictures) == {"val": 1}
    assert told.warnings == ["2 of 3 pictures are on no list and are left out: test_a, val_c"]
    assert len(list(read_manifest(tmp_path / "r2" / "manifest.jsonl"))) == 4


def test_two_pictures_of_one_name_are_refused(tmp_path, lab):
    other = make_source(tmp_path / "more", ["A"])
    with pytest.raises(DatasetError) as caught:
        build([lab, other], tmp_path / "root")
    assert str(caught.value) == (
        f"{other}/images/A.png and {lab}/images/a.png would both be called 'a'; name one of the "
        "sources, as in lab2=SOURCE, to put lab2_ before its pictures' names"
    )
    with pytest.raises(DatasetError, match="two sources are called 'lab'; give one another name"):
        build([lab, lab], tmp_path / "root")
    assert not (tmp_path / "root").exists()
    sources = [parse_source(str(lab)), parse_source(f"more={other}")]
    report = build_dataset(sources, tmp_path / "root", OPTIONS)
    assert report.made == 5
    assert (tmp_path / "root" / "gt" / "test" / "more_A.png").exists()


def test_a_root_among_its_own_sources_is_refused(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(photo(1)).save(folder / "a.png")
    with pytest.raises(DatasetError, match=r"a\.png is a picture of a source and lies in it"):
        build(folder, folder)
    with pytest.raises(DatasetError, match="lies in the source's folder"):
        build(folder, folder / "root")


def test_licences(tmp_path, lab):
    options = replace(OPTIONS, types=("blur",), licences={"": "CC0", "lab": "BSDS terms"})
    build(lab, tmp_path / "root", options)
    description = read_description(tmp_path / "root")
    assert description is not None and description.sources[0].licence == "BSDS terms"
    with pytest.raises(DatasetError, match="no source is called 'lib', expected one of lab"):
        build(lab, tmp_path / "other", replace(OPTIONS, licences={"lib": "CC0"}))
    with pytest.raises(DatasetError, match="no source given"):
        build_dataset([], tmp_path / "other", OPTIONS)


def test_another_metric_is_recorded(tmp_path, lab):
    metric = replace(get_metric("haarpsi"), name="mine", version="3")
    build(lab, tmp_path / "root", replace(OPTIONS, types=("blur",), metric=metric))
    description = read_description(tmp_path / "root")
    assert description is not None and description.metric["name"] == "mine"
    line = (tmp_path / "root" / "manifest.jsonl").read_text().splitlines()[1]
    assert json.loads(line)["metric"] == "mine 3"


def test_relations_are_carried_by_place_in_the_list(tmp_path, lab):
    class Related:
        name, kind, segmenter, tables = "related", "labels", None, ()

        def __init__(self, name, predicates, relations):
            self.name, self.predicates, self.relations = name, predicates, relations
            self.inner = parse_source(str(lab))

        def items(self):
            return [replace(x, stem=f"{self.name}_{x.stem}") for x in self.inner.items()]

        def left_out(self):
            return self.inner.left_out()

        def load(self, item):
            return replace(self.inner.load(item), relations=self.relations)

    first = Related("x", ("on", "under"), ((5, 1, 0), (1, 2, 1)))
    second = Related("y", ("beside", "on"), ((2, 5, 1),))
    build_dataset([first, second], tmp_path / "root", replace(OPTIONS, types=("blur",)))
    description = read_description(tmp_path / "root")
    assert description is not None and description.predicates == ("on", "under", "beside")
    stats = read_stats(tmp_path / "root" / "stats" / "test_stats_mixed.json")
    assert stats["x_a.png"].relations == ((2, 0, 0), (0, 1, 1))
    assert stats["y_a.png"].relations == ((1, 2, 0),)
