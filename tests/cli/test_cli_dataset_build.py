"""`distortion-graph dataset build`: what it says, makes and refuses."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import numpy as np
import pytest
from cli_runs import photo
from optional import present
from PIL import Image

from distortion_graph.datasets.description import read_description
from distortion_graph.datasets.manifest import FileLine, read_manifest

QUICK = ("--types", "blur,noise", "--workers", 0)


@pytest.fixture
def folders(here):
    """`lab`: two pictures with regions 1 and 2; `alone`: one picture."""
    labels = np.asarray(Image.open("masks.png"))
    for part in ("lab/images", "lab/regions", "alone"):
        (here / part).mkdir(parents=True)
    for k, name in enumerate(("x", "y")):
        Image.fromarray(photo(k)).save(here / "lab" / "images" / f"{name}.png")
        Image.fromarray(labels).save(here / "lab" / "regions" / f"{name}_0.png")
    Image.fromarray(photo(7)).save(here / "alone" / "z.jpg")
    return here


def test_from_pictures_to_a_data_set_and_again(cli, folders):
    call = ("dataset", "build", "lab", "--out", "root", "--split", "test", *QUICK)
    ended = cli(*call)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith("root: 2 pictures in 4 versions (test 2); 8 images made in ")
    again = cli(*call)
    assert (again.code, again.err) == (0, "")
    assert again.out == (
        "root: 2 pictures in 4 versions (test 2); nothing to do, every file is whole\n"
    )
    Path("root/blur/test/x.png").unlink()
    assert "every file checked, 1 damaged picture made again" in cli(*call).out
    assert cli(*call, "--quiet").out == ""
    assert cli(*call, "--seed", 1).refusal.startswith("root: was made with --seed 0, now it is 1;")


def test_every_option_reaches_the_data_set(cli, folders):
    (folders / "lists.json").write_text('{"val": ["lab_x"], "train": ["lab_y"]}')
    ended = cli(
        *("dataset", "build", "lab=lab", "--out", "root", "--split", "lists.json", *QUICK),
        *("--image-format", "webp", "--seed", 5, "--severity", "minor=2,severe=1"),
        *("--levels", "severe=5", "--clean-share", 0.5, "--feather", 1.5, "--min-share", 0.1),
        *("--regions-wanted", 3, "--max-regions", 1, "--max-side", 40, "--strict"),
        *("--licence", "CC0", "--licence", "lab=own = mine", "--metric", "haarpsi"),
    )
    assert ended.code == 0, ended.err
    found = read_description(Path("root"))
    assert found is not None
    recipe = present(found.recipe)
    assert (recipe.seed, recipe.clean_share, recipe.feather_px) == (5, 0.5, 1.5)
    assert recipe.severity_weights == {"minor": 2, "moderate": 0, "severe": 1}
    assert recipe.severity_levels == {"minor": (1, 2), "moderate": (3,), "severe": (5,)}
    assert (recipe.min_share, recipe.max_regions, recipe.max_side_px) == (0.1, 1, 40)
    assert (recipe.wanted_regions, recipe.types) == (3, ("noise", "blur"))
    assert (found.image.format, found.image.quality) == ("webp", None)
    assert found.sources[0].licence == "own = mine" and set(found.splits) == {"train", "val"}
    assert Image.open("root/gt/val/lab_x.webp").size == (40, 30)
    lines = list(read_manifest(Path("root/manifest.jsonl")))
    assert [line.facts["key"] for line in lines[1:2] if isinstance(line, FileLine)] == [
        [5, "lab_x", "noise"]
    ]


def test_regions_found_and_a_lossy_format(cli, folders):
    ended = cli(
        *("dataset", "build", "pictures:alone", "--out", "root", "--image-format", "jpg"),
        *("--licence", "https://example.org/?a=b", *QUICK),
    )
    assert ended.code == 0
    assert ended.err.startswith("distortion-graph: warning: jpg is lossy:")
    assert ended.err.count("\n") == 1
    found = read_description(Path("root"))
    assert found is not None and found.sources[0].segmenter == "auto 1"
    assert found.sources[0].licence == "https://example.org/?a=b"


def test_what_cannot_be_used_is_a_warning_or_with_strict_the_end(cli, folders):
    Path("lab/images/w.png").write_bytes(b"no picture")
    call = ("dataset", "build", "lab", "--out", "root", "--split", "val", *QUICK)
    refusal = cli(*call, "--strict").refusal
    assert refusal.startswith("lab/images/w.png: ") and "--strict stops here" in refusal
    ended = cli(*call)
    assert ended.code == 0 and "(val 2, 1 left out)" in ended.out
    assert ended.err.startswith("distortion-graph: warning: lab/images/w.png: ")
    assert ended.err.endswith("; left out\n") and ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("nix", "source 'nix': no such folder"),
        ("lab alone=lab/images --split dev", "--split dev: expected train=.8"),
        ("lab lab", "two sources are called 'lab'; give one another name: NAME=lab"),
        ("lab --split nix.json", "nix.json: no such file"),
        ("lab --types blurr", "unknown distortion 'blurr'"),
        ("lab --severity minor", "--severity 'minor': expected NAME=VALUE parts"),
        ("lab --severity minor=x", "--severity 'minor=x': expected numbers"),
        ("lab --severity mild=1", "unknown severity 'mild'"),
        ("lab --levels minor=1-2", "--levels 'minor=1-2': expected levels 1 to 5"),
        ("lab --levels minor=7", "levels of 'minor' must be some of 1 to 5"),
        ("lab --levels mild=1", "--levels 'mild=1': unknown severity 'mild'"),
        ("lab --clean-share 2", "clean_share must be in [0, 1]"),
        ("lab --feather nan", "feather_px at least 0"),
        ("lab --min-share 2", "min_share is 2.0"),
        ("lab --max-side 0", "max_side is 0"),
        ("lab --image-format gif", "unknown image format 'gif'"),
        ("lab --quality 50", "png is lossless and has no quality; leave out --quality"),
        ("lab --metric psnr", "unknown metric 'psnr'"),
        ("lab --licence lib=CC0", "no source is called 'lib', expected one of lab"),
        ("lab --segmenter nix", "segmenter 'nix'"),
        ("alone --segmenter nix", "segmenter 'nix'"),
        ("lab --quiet --verbose", "--quiet and --verbose exclude each other"),
    ],
)
def test_bad_options_are_one_line_and_nothing_is_written(cli, folders, options, words):
    refusal = cli("dataset", "build", *options.split(), "--out", "root", "--workers", 0).refusal
    assert words in refusal
    assert not Path("root").exists()


@pytest.mark.parametrize(
    ("out", "words"),
    [
        (".", ".: lab/images/x.png is a picture of a source and lies in it"),
        ("alone", "alone: is not empty ('z.jpg' is there) and no data set of this command"),
        ("a.png", "a.png: is a file, expected a folder"),
        ("lab/images/root", "lab/images/root: lies in the source's folder"),
    ],
)
def test_bad_places_are_one_line(cli, folders, out, words):
    before = sorted(folders.rglob("*"))
    assert cli("dataset", "build", "lab", "--out", out, *QUICK).refusal.startswith(words)
    assert sorted(folders.rglob("*")) == before


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission_is_one_line(cli, folders):
    Path("locked").mkdir(mode=0o500)
    refusal = cli("dataset", "build", "lab", "--out", "locked/root", *QUICK).refusal
    assert "cannot be written (Permission denied)" in refusal


def test_a_full_disk_is_one_line(cli, folders, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    call = ("dataset", "build", "lab", "--out", "root", "--split", "test", *QUICK)
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        refusal = cli(*call).refusal
    assert refusal == (
        "root/gt/test/x.png: cannot be written (No space left on device); what was written is "
        "whole: mend that and start the same command again, and it goes on"
    )
    assert cli(*call).code == 0


def test_a_data_set_that_was_begun_wants_the_same_options(cli, folders):
    Path("lab/images/x.png").write_bytes(b"no picture")
    call = ("dataset", "build", "lab", "--out", "root", *QUICK, "--strict")
    assert cli(*call).code == 2
    assert json.loads(Path("root/build.journal.jsonl").read_text().splitlines()[0])
    refusal = cli(*call, "--types", "blur").refusal
    assert refusal.startswith("root: was begun with --types noise,blur, now it is blur;")


def test_the_wild_recipe_and_its_shares_reach_the_data_set(cli, folders):
    call = ("dataset", "build", "lab", "--split", "test", *QUICK)
    wild = (*call, "--recipe", "wild", "--out", "root")
    assert cli(*wild, "--also-share", 0.5, "--look-share", 0, "--moved-share", 1).code == 0
    recipe = present(present(read_description(Path("root"))).recipe)
    assert (recipe.name, recipe.labelled_by, recipe.also_share) == ("wild", "loss", 0.5)
    # What is not given is the recipe's own.
    assert (recipe.look_share, recipe.two_looks_share, recipe.moved_share) == (0, 0.12, 1)
    assert f"recipe wild {recipe.id}" in cli("dataset", "info", "root").out
    assert cli("dataset", "check", "root").code == 0
    refusal = cli(*wild, "--also-share", 0.4).refusal
    assert refusal.startswith("root: was made with --also-share 0.5, now it is 0.4;")
    assert cli(*call, "--out", "other", "--also-share", 0.5).refusal == (
        "several distortions in a region, looks and misalignment need the recipe wild; the "
        "published one has none of them"
    )
    assert cli(*wild, "--look-share", 2).refusal == "look_share must be in [0, 1], got 2.0"
