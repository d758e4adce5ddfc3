"""`distortion-graph distort`: what changes, what it says, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from cli_runs import SIZE, contents, photo
from PIL import Image

from distortion_graph.synth.distort import SUBTYPES, apply


def pixels(name):
    with Image.open(name) as picture:
        return np.asarray(picture.convert("RGB"))


def test_a_sub_type_without_chance_is_the_librarys(cli, here):
    ended = cli(
        "distort", "a.png", "--type", "pixelate:block", "--severity", "moderate", "--out", "o.png"
    )
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "whole frame: pixelate:block, moderate, level 3\n"
    expected = apply(photo(), "pixelate", "block", 3, np.random.default_rng(0))
    assert (pixels("o.png") == expected).all()


def test_the_same_call_gives_the_same_bytes_and_another_seed_others(cli, here):
    def noise(seed, out):
        call = ("distort", "a.png", "--type", "noise", "--level", 3, "--seed", seed, "--out", out)
        assert cli(*call).code == 0
        return (here / out).read_bytes()

    assert noise(7, "x.png") == noise(7, "y.png")
    assert noise(7, "x.png") != noise(8, "z.png")
    Image.fromarray(photo()).save("a.bmp")  # another file, the same pixels
    call = ("distort", "a.bmp", "--type", "noise", "--level", 3, "--seed", 7, "--out", "w.png")
    assert cli(*call).code == 0
    assert (here / "w.png").read_bytes() == noise(7, "x.png")


def test_only_the_chosen_region_changes(cli, here):
    call = ("distort", "a.png", "--type", "noise:gaussian_rgb", "--severity", "severe")
    ended = cli(*call, "--regions", "masks.png,names.json", "--only", 2, "--out", "o.png")
    assert ended.out.startswith("region 2 (right): noise:gaussian_rgb, severe, level ")
    changed = (pixels("o.png") != photo()).any(2)
    assert not changed[:, :32].any() and changed[:, 32:].mean() > 0.9


def test_every_region_has_a_draw_of_its_own(cli, here):
    call = ("distort", "a.png", "--type", "blur", "--severity", "minor", "--regions", "grid:4x4")
    lines = cli(*call, "--out", "o.png").out.splitlines()
    assert len(lines) == 16
    assert len({line.split(": ")[1] for line in lines}) > 3
    alone = cli(*call, "--only", 5, "--out", "p.png").out
    assert alone == lines[5] + "\n"  # the draw does not depend on the others


def test_feathering_fades_in_from_the_edge(cli, here):
    call = ("distort", "a.png", "--type", "darken:rgb_shift", "--level", 5, "--only", 2)
    for feather, out in ((0, "hard.png"), (3, "soft.png")):
        more = ("--regions", "masks.png", "--feather", feather, "--out", out)
        assert cli(*call, *more).code == 0
    change = [np.abs(pixels(name).astype(int) - photo()) for name in ("hard.png", "soft.png")]
    assert not change[0][:, :32].any() and not change[1][:, :32].any()
    assert change[1][:, 32:36].sum() < 0.7 * change[0][:, 32:36].sum()
    assert (change[1][:, 50:] == change[0][:, 50:]).all()


def test_haze_is_thicker_where_the_depth_map_is_farther(cli, here):
    Image.fromarray(np.full((*SIZE, 3), 30, np.uint8)).save("flat.png")
    depth = np.zeros(SIZE, np.uint16)
    depth[:, 32:] = 60_000
    Image.fromarray(depth).save("depth.png")
    call = ("distort", "flat.png", "--type", "haze", "--level", 3, "--out", "o.png")
    assert cli(*call, "--depth", "depth.png").code == 0
    hazy = pixels("o.png").astype(int)
    assert hazy[:, 32:].min() > hazy[:, :32].max() + 20


def test_level_alone_tells_the_severity_and_quiet_says_nothing(cli, here):
    call = ("distort", "a.png", "--type", "snow", "--level", 5, "--out", "o.png")
    assert cli(*call).out == "whole frame: snow:flakes, severe, level 5\n"
    assert cli(*call, "-q").out == ""


def test_the_list_has_every_type_and_sub_type(cli):
    ended = cli("distort", "--list")
    assert ended.code == 0
    for distortion, subtypes in SUBTYPES.items():
        assert f"{distortion} " in ended.out
        for name, entry in subtypes.items():
            assert f" {name} {'' if entry.drawn else '*'}" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--type blurr --severity minor", "unknown distortion type 'blurr'"),
        ("--type blurr --severity minor", "did you mean 'blur'?"),
        ("--type clean --severity minor", "unknown distortion type 'clean'"),
        ("--type blur:moton --severity minor", "unknown sub-type of blur 'moton'"),
        ("--type blur: --severity minor", "unknown sub-type of blur ''"),
        ("--type blur --severity hard", "unknown severity 'hard', expected one of minor, "),
        ("--type blur", "--severity (minor, moderate, severe) or --level (1 to 5) is needed"),
        ("--type blur --severity minor --level 5", "--level 5 is not minor, whose levels are 1"),
        ("--type blur --level 6", "Invalid value for '--level': "),
        ("--type blur --level 1 --only 1", "--only and --feather need --regions"),
        ("--type blur --level 1 --feather 3", "--only and --feather need --regions"),
        ("--type blur --level 1 --regions masks.png --only 9", "no region with id 9; expected ids"),
        ("--type blur --level 1 --regions nix.png", "nix.png"),
        ("--type blur --level 1 --depth b.png", "--depth is for haze, not for blur"),
        ("--type haze --level 1 --depth b.png", "b.png: pixels of mode RGB, expected one channel"),
        ("--type haze --level 1 --depth low.png", "low.png: depth map is 8×8, expected the"),
        ("--type haze --level 1 --depth turned.png", "turned.png: found 48×64"),
        ("--type haze --level 1 --depth nix.png", "nix.png: no such file"),
        ("--type haze --level 1 --depth cut.png", "cut.png: damaged or incomplete PNG"),
        ("--type blur --level 1 --out a.png", "a.png: --out would overwrite an input"),
        ("--type blur --level 1 --out no/o.png", "no/o.png: the folder"),
        ("--type blur --level 1 --out o.doc", "o.doc: unknown picture suffix '.doc'"),
        ("--type blur --level 1 --regions masks.png --out masks.png", "would overwrite an input"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(cli, here, options, words):
    Image.fromarray(np.zeros((8, 8), np.uint8)).save("low.png")
    Image.fromarray(np.zeros((64, 48), np.uint8)).save("turned.png")
    (here / "cut.png").write_bytes((here / "masks.png").read_bytes()[:60])
    (here / "o.png").write_text("old")
    before = contents(here)
    parts = options.split()
    out = () if "--out" in parts else ("--out", "o.png")
    assert words in cli("distort", "a.png", *parts, *out).refusal
    assert contents(here) == before


def test_a_missing_picture_is_refused(cli, here):
    line = cli("distort", "nix.png", "--type", "blur", "--level", 1, "--out", "o.png").refusal
    assert line.startswith("nix.png: no such file")
    assert not (here / "o.png").exists()
