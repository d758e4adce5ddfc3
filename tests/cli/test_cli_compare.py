"""`distortion-graph compare`: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from cli_runs import SIZE, contents, photo
from PIL import Image
from rich.cells import cell_len

import distortion_graph
from distortion_graph import DistortionGraph, compare, load_graph
from distortion_graph.base.errors import OutputError, RegionError
from distortion_graph.cli.console import NAME
from distortion_graph.cli.options import DEFAULT_MAX_PIXELS
from distortion_graph.formats import published
from distortion_graph.measure.metrics.registry import BUILT_IN
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS as LIBRARY_MAX_PIXELS
from distortion_graph.pictures.images import load_picture

WEIGHTS = Path(distortion_graph.__file__).parent / "weights"
PAIR = ("compare", "a.png", "b.png", "--regions", "masks.png")


def test_the_table_has_every_region_and_a_sentence_in_80_columns(cli, here, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)
    ended = cli("compare", "a.png", "b.png", "--regions", "masks.png,names.json")
    assert (ended.code, ended.err) == (0, "")
    for word in ("left", "right", "50.0 %", "anchor", "target", "scene", "PSNR SSIM Haar   ΔE"):
        assert word in ended.out, word
    lines = ended.out.splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert "∞" in ended.out  # the left halves are identical
    graph = compare("a.png", "b.png", regions="masks.png,names.json")
    assert all(word in ended.out for word in graph.in_words(graph.regions[1].target))
    assert lines[-1].endswith(".")


def test_json_is_the_graph_and_nothing_else(cli, here):
    ended = cli(*PAIR, "--json")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.count("\n") == 1
    graph = DistortionGraph.model_validate_json(ended.out)
    assert graph == compare("a.png", "b.png", regions="masks.png")
    assert graph.anchor.source == "a.png"
    assert [r.id for r in graph.regions] == [1, 2]


def test_quiet_says_nothing_and_verbose_says_more(cli, here):
    assert cli(*PAIR, "-q") == cli(*PAIR, "--quiet") and cli(*PAIR, "-q").out == ""
    assert cli(*PAIR, "-q", "--json").out == cli(*PAIR, "--json").out
    plain, verbose = cli(*PAIR), cli(*PAIR, "-v", "--out", "g.json")
    assert verbose.out == plain.out
    for word in ("a.png: 64×48 pixels", "model ", "SHA-256", "seconds: ", "wrote g.json"):
        assert word in verbose.err, word
    assert all(line.startswith("distortion-graph: ") for line in verbose.err.splitlines())


def test_warnings_go_to_standard_error_unless_quiet(cli, here):
    rgba = np.dstack([photo(), np.full(SIZE, 128, np.uint8)])
    Image.fromarray(rgba).save("a.png")
    ended = cli(*PAIR, "--json")
    assert ended.err.startswith("distortion-graph: warning: a.png: ") and "white" in ended.err
    DistortionGraph.model_validate_json(ended.out)
    assert cli(*PAIR, "--quiet").err == ""


def test_files_are_what_was_printed(cli, here):
    printed = DistortionGraph.model_validate_json(cli(*PAIR, "--json").out)
    assert cli(*PAIR, "--out", "g.json", "--overlay", "o.png", "-q").code == 0
    assert load_graph("g.json") == printed
    with Image.open("o.png") as picture:
        assert picture.format == "PNG" and picture.width > 2 * 900
    assert cli(*PAIR, "--out", "p.json", "--format", "published", "-q").code == 0
    back = published.loads(Path("p.json").read_text())
    for ours, theirs in zip(printed.regions, back.regions, strict=True):
        assert ours.comparison.label == theirs.comparison.label
        assert ours.target.severity.label == theirs.target.severity.label
    assert {p.name for p in here.iterdir()} == {
        "a.png", "b.png", "masks.png", "names.json", "g.json", "o.png", "p.json",
    }  # fmt: skip


def test_a_map_is_drawn_beside_the_overlay(cli, here):
    ran = cli(*PAIR, "--regions", "distortions", "--overlay", "o.png", "--map", "m.png")
    assert ran.code == 0
    with Image.open("o.png") as one, Image.open("m.png") as other:
        assert one.width == other.width
        drawn, mapped = np.asarray(one), np.asarray(other)
    assert drawn.shape != mapped.shape or (drawn != mapped).any()


def test_an_existing_file_is_replaced_only_by_success(cli, here):
    Path("g.json").write_text("old")
    assert cli(*PAIR, "--out", "g.json", "--regions", "nix.json").code == 2
    assert Path("g.json").read_text() == "old"
    assert cli(*PAIR, "--out", "g.json").code == 0
    assert load_graph("g.json").regions


def test_options_reach_the_comparison(cli, here):
    def graph(*options):
        return DistortionGraph.model_validate_json(cli(*PAIR, "--json", *options).out)

    assert graph("--evidence", "none").regions[0].evidence is None
    fast = graph("--evidence", "fast").regions[1].evidence
    assert fast.delta_e is None and 0 < fast.haarpsi < 1
    assert [r.name for r in graph("--regions", "whole").regions] == ["image"]
    assert graph("--threads", "1", "--provider", "CPUExecutionProvider").regions
    assert graph("--model", WEIGHTS).model == graph().model
    Image.fromarray(photo(2, (24, 32))).save("b.png")
    assert graph("--fit", "resize").target.width == 32


def test_further_metrics_are_measured_and_named(cli, here):
    def graph(*options):
        return DistortionGraph.model_validate_json(cli(*PAIR, "--json", *options).out)

    two = graph("--metric", "vif", "--metric", "flip", "--metric", "vif")
    assert [metric.name for metric in two.metrics] == ["vif", "flip"]
    assert all(list(region.evidence.more) == ["vif", "flip"] for region in two.regions)
    assert two.scene.evidence.psnr_db is not None
    alone = graph("--metric", "flip", "--evidence", "none")
    assert alone.scene.evidence.more == {"flip": two.scene.evidence.more["flip"]}
    assert alone.scene.evidence.psnr_db is None and alone.regions[0].differs is None
    shown = cli(*PAIR, "--metric", "flip").out
    assert f"flip {two.scene.evidence.more['flip']:.3f}" in shown


def test_an_unknown_metric_is_told_before_anything_is_read(cli, here):
    line = cli("compare", "no.png", "b.png", "--metric", "flop").refusal
    known = "flip, gmsd, ms_ssim, ssimulacra2, vif"
    assert line.startswith(f"unknown metric 'flop'; expected one of: {known}")


def test_help_and_the_shell_know_the_names_of_metrics(cli):
    told = cli("compare", "--help").out
    assert all(name in told for name in BUILT_IN)
    asked = {
        "_DISTORTION_GRAPH_COMPLETE": "complete_bash",
        "COMP_WORDS": f"{NAME} compare a.png b.png --metric ",
        "COMP_CWORD": "5",
    }
    command = [sys.executable, "-m", "distortion_graph"]
    ended = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True)
    assert (ended.stdout.split(), ended.stderr) == (list(BUILT_IN), "")


def test_the_pixel_limit_is_the_librarys(cli, here):
    assert DEFAULT_MAX_PIXELS == LIBRARY_MAX_PIXELS
    assert cli(*PAIR, "--max-pixels", 48 * 64, "-q").code == 0
    line = cli(*PAIR, "--max-pixels", 48 * 64 - 1).refusal
    assert line.startswith("a.png: found 64×48 = 3072 pixels, expected at most 3071; raise --max")


def test_swapping_the_pictures_swaps_the_graph(cli, here):
    one = DistortionGraph.model_validate_json(cli(*PAIR, "--json").out)
    other = cli("compare", "b.png", "a.png", "--regions", "masks.png", "--json").out
    assert DistortionGraph.model_validate_json(other).swapped() == one


def test_a_file_name_that_is_no_text_ends_in_json(cli, here):
    name = os.fsdecode(b"\xff\n\x1b[31m.png")
    try:
        shutil.copy("a.png", name)
    except OSError:
        pytest.skip("this file system has only names that are text")
    ended = cli("compare", name, "b.png", "--regions", "whole", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["anchor"]["source"] == "?\n\x1b[31m.png"
    line = cli("compare", name, "nix.png").refusal
    assert line.startswith("nix.png: no such file")
    os.unlink(name)  # noqa: PTH108
    assert "\\x1b" in cli("compare", name, "b.png").refusal


def bomb():
    """A PNG that says it has 50000 × 40000 pixels."""
    size = struct.pack(">IIBBBBB", 50_000, 40_000, 8, 2, 0, 0, 0)
    header = b"IHDR" + size
    return (
        b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header
        + struct.pack(">I", zlib.crc32(header)) + struct.pack(">I", 0) + b"IDAT" + bytes(4)
    )  # fmt: skip


def spoil(folder):
    """Files that are wrong in one way each."""
    good = (folder / "a.png").read_bytes()
    (folder / "cut.png").write_bytes(good[: len(good) // 2])
    (folder / "note.png").write_text("not a picture at all")
    (folder / "empty.png").write_bytes(b"")
    (folder / "bomb.png").write_bytes(bomb())
    (folder / "folder").mkdir()
    Image.fromarray(photo(3, (40, 64))).save(folder / "other.png")
    Image.fromarray(np.zeros((40, 64), np.uint8) + 1).save(folder / "masks-other.png")
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(folder / "masks-zero.png")
    Image.fromarray(photo()).save(folder / "masks-rgb.png")
    Image.fromarray(np.ones(SIZE, np.uint8)).save(folder / "masks.jpg")
    empty = {"name": "sky", "size": list(SIZE), "counts": [SIZE[0] * SIZE[1]]}
    (folder / "empty.json").write_text(json.dumps([empty]))
    small = {"name": "sky", "size": [4, 4], "counts": [0, 16]}
    (folder / "small.json").write_text(json.dumps([small]))
    (folder / "none.json").write_text("[]")
    (folder / "broken.json").write_text("[{")
    shutil.copytree(WEIGHTS, folder / "other-words")
    manifest = json.loads((WEIGHTS / "model.json").read_text())
    manifest["vocabulary"]["distortions"].pop()
    (folder / "other-words" / "model.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("nix.png b.png", ["nix.png: no such file"]),
        ("a.png folder", ["folder: is a folder, expected a picture"]),
        ("cut.png b.png", ["cut.png: damaged or incomplete PNG", "expected a whole picture"]),
        ("a.png note.png", ["note.png: not a picture of a known kind, expected one of JPEG"]),
        ("empty.png b.png", ["empty.png: the file is empty"]),
        ("bomb.png b.png", ["bomb.png: found 50000×40000", "at most 100000000", "--max-pixels"]),
        (
            "a.png other.png --align none",
            ["other.png: is 64×40, expected 64×48 as a.png", "8 rows s"],
        ),
        ("a.png other.png", ["other.png: may not show the scene of a.png (probability 0."]),
        ("a.png b.png --regions masks-other.png", ["masks-other.png: found 64×40", "64×48"]),
        ("a.png b.png --regions masks-zero.png", ["masks-zero.png: no region left"]),
        ("a.png b.png --regions masks-rgb.png", ["masks-rgb.png: found RGB, expected one channel"]),
        ("a.png b.png --regions masks.jpg", ["masks.jpg: found JPEG, which blurs label numbers"]),
        ("a.png b.png --regions empty.json", ["empty.json: region 0 (sky): the mask is empty"]),
        ("a.png b.png --regions small.json", ["small.json: region 0 (sky): found 4×4", "64×48"]),
        ("a.png b.png --regions none.json", ["none.json: no region left"]),
        ("a.png b.png --regions broken.json", ["broken.json: not JSON"]),
        ("a.png b.png --regions nix.png", ["nix.png"]),
        ("a.png b.png --regions grid:0x4", ["grid:0x4: expected 1…48 rows"]),
        ("a.png b.png --regions cloud", ["regions 'cloud'", "grid:ROWSxCOLS"]),
        ("a.png b.png --model other-words", ["other-words: vocabulary mismatch", "15", "14"]),
        ("a.png b.png --model folder", ["folder: no model there, expected a folder with"]),
        ("a.png b.png --provider Gpu", ["execution provider Gpu is not in this ONNX Runtime"]),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(cli, here, arguments, words):
    spoil(here)
    (here / "g.json").write_text("old")
    before = contents(here)
    line = cli("compare", *arguments.split(), "--out", "g.json", "--overlay", "o.png").refusal
    for word in words:
        assert word in line, line
    assert contents(here) == before


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--out no/g.json", "no/g.json: the folder"),
        ("--out folder", "folder: is a folder, expected a file name"),
        ("--out a.png/g.json", "a.png/g.json: "),
        ("--out g.json --overlay no/o.png", "no/o.png: the folder"),
        ("--out g.json --overlay o.xyz", "o.xyz: unknown picture suffix '.xyz', expected one of"),
        ("--out g.json --overlay o", "o: unknown picture suffix ''"),
        ("--out g.json --overlay a.png", "a.png: --overlay would overwrite an input"),
        ("--map b.png", "b.png: --map would overwrite an input"),
        ("--overlay m.png --map m.png", "m.png: --overlay and --map"),
        ("--overlay ./b.png", "b.png: --overlay would overwrite an input"),
        ("--overlay link.png", "link.png: --overlay would overwrite an input"),
        ("--overlay masks.png", "masks.png: --overlay would overwrite an input"),
        ("--out names.json", "names.json: --out would overwrite an input"),
        ("--out x.png --overlay x.png", "x.png: --out is the graph, as JSON"),
        ("--format published", "--format published is the form of --out, expected --out FILE too"),
        ("--out o.jp2 --overlay o.jp2", "unknown picture suffix"),
        ("--out pair --overlay pair.png", "pair.png: --out and --overlay are the same file"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_any_work(
    cli, here, monkeypatch, options, words
):
    (here / "folder").mkdir()
    (here / "g.json").write_text("old")
    (here / "link.png").symlink_to("a.png")
    (here / "pair").symlink_to("pair.png")
    before = contents(here)

    def worked(*_, **__):
        raise AssertionError("the comparison was computed")

    monkeypatch.setattr("distortion_graph.pipeline.compare_pictures", worked)
    pair = ("compare", "a.png", "b.png", "--regions", "masks.png,names.json")
    assert words in cli(*pair, *options.split()).refusal
    assert contents(here) == before


def test_a_folder_without_permission_is_refused(cli, here):
    (here / "locked").mkdir(mode=0o500)
    if os.access(here / "locked", os.W_OK):
        pytest.skip("this user may write everywhere")
    assert "locked/g.json: cannot be written" in cli(*PAIR, "--out", "locked/g.json").refusal


def test_a_failure_while_writing_leaves_no_file_of_the_set(cli, here, monkeypatch):
    Path("g.json").write_text("old")
    before = contents(here)

    def fail(*_):
        raise OutputError("o.png: cannot be drawn")

    with monkeypatch.context() as patch:
        patch.setattr("distortion_graph.report.overlay.overlay", fail)
        line = cli(*PAIR, "--out", "g.json", "--overlay", "o.png").refusal
        assert line == "o.png: cannot be drawn"
    assert contents(here) == before
    calls = []

    def full(_):
        calls.append(1)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    line = cli(*PAIR, "--out", "g.json", "--overlay", "o.png").refusal
    assert line == "o.png: cannot be written (No space left on device); choose another place"
    assert contents(here) == before


def test_masks_that_are_not_binary_are_refused_by_the_library(here):
    masks = np.zeros((1, *SIZE), np.uint8)
    masks[0, :4] = 7
    masks[0, 4:8] = 3
    with warnings.catch_warnings(), pytest.raises(RegionError, match=r"not binary .*0/1 or 0/255"):
        compare("a.png", "b.png", regions=masks)


# --- damage, colour and transparency --------------------------------------------------------------


@pytest.mark.parametrize("which", ["picture", "map"])
def test_a_damaged_file_is_refused_in_one_line(cli, here, which):
    path = here / ("b.png" if which == "picture" else "masks.png")
    data = bytearray(path.read_bytes())
    place = data.index(b"IDAT") + 9
    data[place] ^= 4
    path.write_bytes(bytes(data))
    assert cli(*PAIR, "--out", "g.json").refusal == (
        f"{path.name}: damaged or incomplete PNG (the checksum of chunk 'IDAT' at byte "
        f"{place - 13} is wrong), expected a whole picture; fetch the file again from where it came"
    )
    assert not (here / "g.json").exists()


def test_pictures_that_differ_in_transparency_alone(cli, here):
    rgba = np.dstack([np.full((*SIZE, 3), 255, np.uint8), np.full(SIZE, 255, np.uint8)])
    Image.fromarray(rgba).save(here / "a.png")
    rgba[:24, :, 3] = 0
    Image.fromarray(rgba).save(here / "b.png")
    ended = cli("compare", "a.png", "b.png", "--regions", "whole")
    assert ended.code == 0
    assert ended.err.splitlines() == [
        "distortion-graph: warning: b.png: transparent pixels were laid on white",
        "distortion-graph: warning: a.png and b.png are equal once laid on white; they differ in "
        "transparency (50.0 % of the pixels)",
    ]
    said = " ".join(ended.out.split())
    assert "The two pictures are equal once laid on white; they differ in transparency" in said
    black = cli("compare", "a.png", "b.png", "--regions", "whole", "--background", "#000")
    assert "equal once" not in black.out and "laid on #000" in black.err


def test_a_background_that_is_no_colour_is_refused_before_pictures_are_looked_for(cli, here):
    assert cli("compare", "no.png", "no.png", "--background", "whte").refusal == (
        "background 'whte': not a colour without transparency, expected a CSS name such as white, "
        "#rrggbb, or checker"
    )


def test_both_pictures_are_decoded_side_by_side(cli, here, monkeypatch):
    """Each waits for the other to be at work: one after the other would never end."""
    import threading

    from distortion_graph.pictures import pairs
    from distortion_graph.work.threads import available_cores

    if available_cores() == 1:
        pytest.skip("one processor")
    both = threading.Barrier(2, timeout=600)
    load = load_picture

    def slow(*arguments, **options):
        both.wait()
        return load(*arguments, **options)

    monkeypatch.setattr(pairs, "load_picture", slow)
    assert cli(*PAIR, "-q").code == 0


def test_the_report_shows_what_was_measured(cli, here):
    """A picture whose file browsers may show otherwise is in the page as its pixels were."""
    import base64
    import io
    import re

    data = (here / "b.png").read_bytes()
    body = b"gAMA" + struct.pack(">I", 100_000)
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    (here / "b.png").write_bytes(data[:33] + chunk + data[33:])
    assert cli(*PAIR, "--report", "r.html", "--out", "g.json", "-q").code == 0
    page = (here / "r.html").read_text("utf-8")
    inside = re.findall(r"data:image/(png|webp);base64,([A-Za-z0-9+/=]+)", page)
    shown = [(k, np.asarray(Image.open(io.BytesIO(base64.b64decode(d))).convert("RGB")))
             for k, d in inside]  # fmt: skip
    expected = load_picture(here / "b.png").rgb
    assert any(kind == "webp" and np.array_equal(rgb, expected) for kind, rgb in shown)
