"""`dataset check` and `dataset info` on the command line: what they print, and how they end."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent.parent / "datasets"))
from check_roots import FILES, edit, edit_all, write_root

from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.cli.tables import comparison_table


@pytest.fixture
def root(tmp_path):
    return write_root(tmp_path / "set")


def test_a_whole_data_set(cli, root):
    ended = cli("dataset", "check", root)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == (
        f"{root}: no fault in 4 pictures, 16 versions (train 2, val 1, test 1, {FILES} files read)"
    )
    assert "fault:" not in ended.out
    rows = {line.split()[0]: line.split()[1:] for line in ended.out.splitlines() if line}
    assert rows["blur"] == ["–", "8", "8", "4", "6.2", "%"]
    assert rows["hard"] == ["20.0", "%"] * 5 + ["40"]


def test_faults_are_grouped_with_some_examples(cli, root):
    edit_all(root, "test", lambda entries: entries["d.png"]["regions"][2].update(score_fr=2))
    (root / "gt/train/a.png").unlink()
    (root / "haze/val/notes.txt").write_text("")
    ended = cli("dataset", "check", root)
    assert ended.code == 2
    assert ended.err == (
        f"distortion-graph: error: {root}: 17 faults, 1 warning in 3 pictures, 16 versions "
        f"(train 1, val 1, test 1, {FILES - 1} files read)\n"
    )
    lines = ended.out.splitlines()
    assert lines[:4] == [
        "fault: missing files (1)",
        "  gt/train/a.png: is not there, but stats/train_stats_snow.json names it",
        "fault: scores that are not in [0, 1] (16)",
        "  stats/test_stats_snow.json: d.png: region 2: score_fr is 2.0, expected a number in "
        "[0, 1]",
    ]
    assert lines[8] == "  … and 11 more (all of them: --verbose or --json)"
    assert "warning: files that do not belong there (1)" in lines
    assert "  haze/val/notes.txt: is no picture" in lines


def test_verbose_tells_all(cli, root):
    edit_all(root, "test", lambda entries: entries["d.png"]["regions"][2].update(score_fr=2))
    ended = cli("dataset", "check", root, "--verbose")
    assert ended.out.count("score_fr is 2.0") == 16
    assert "files read" in ended.err or "pictures read" in ended.err


def test_warnings_do_not_fail(cli, root):
    (root / "haze/val/notes.txt").write_text("")
    ended = cli("dataset", "check", root)
    assert (ended.code, ended.err) == (0, "")
    assert "no fault, 1 warning in 4 pictures" in ended.out


def test_quiet_says_only_how_it_ended(cli, root):
    assert cli("dataset", "check", root, "--quiet") == cli("dataset", "check", root, "-q")
    assert cli("dataset", "check", root, "--quiet").out == ""
    (root / "notes").mkdir()
    assert cli("dataset", "check", root, "--quiet").refusal.startswith(f"{root}: 1 fault in ")


def test_json_has_every_finding(cli, root):
    edit(root, "test", "blur", lambda entries: entries["d.png"]["regions"][2].update(severity=7))
    ended = cli("dataset", "check", root, "--json")
    assert ended.code == 2
    value = json.loads(ended.out)
    assert value["findings"] == [
        {
            "kind": "label",
            "severity": "fault",
            "place": "stats/test_stats_blur.json: d.png: region 2",
            "text": "severity is 7, expected 0 … 3",
        }
    ]
    assert (value["faults"], value["warnings"]) == (1, 0)


def test_quick_says_so(cli, root):
    ended = cli("dataset", "check", root, "--quick")
    assert ended.out.endswith(f"(train 2, val 1, test 1, headers of {FILES} files read)\n")


def test_a_contact_sheet(cli, root, tmp_path):
    sheet = tmp_path / "sheet.png"
    assert cli("dataset", "check", root, "--sheet", sheet, "-q").code == 0
    with Image.open(sheet) as picture:
        assert picture.width == 3000
    (root / "notes").mkdir()
    before = sheet.read_bytes()
    sheet.unlink()
    assert cli("dataset", "check", root, "--sheet", sheet, "-q").code == 2  # and it is there
    assert sheet.read_bytes() == before


@pytest.mark.parametrize(
    ("place", "text"),
    [
        ("set/sheet.png", "--sheet would write into the data set; choose another place"),
        ("sheet.txt", "unknown picture suffix '.txt', expected one of "),
        ("nowhere/sheet.png", "cannot be written"),
    ],
)
def test_places_that_a_sheet_cannot_go_to(cli, root, tmp_path, place, text):
    refusal = cli("dataset", "check", root, "--sheet", tmp_path / place).refusal
    if place.startswith("nowhere"):
        text = f"the folder {tmp_path / 'nowhere'} does not exist; make it first"
    assert refusal.startswith(f"{tmp_path / place}: {text}")
    assert not (tmp_path / place).exists()


@pytest.mark.parametrize("command", ["check", "info"])
def test_a_folder_that_is_no_data_set(cli, tmp_path, command):
    (tmp_path / "x").mkdir()
    assert cli("dataset", command, tmp_path / "x").refusal.startswith(f"{tmp_path / 'x'}: ")


def test_info_as_tables(cli, root):
    ended = cli("dataset", "info", root)
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["train", "2", "34", "10", "5.0", "5", "0", "4"] in lines
    assert ["all", "4", "68", "20", "5.0", "5", "0", "8"] in lines
    assert ["hard", *["20.0", "%"] * 5, "40"] in lines
    assert ["clean", "8", "–", "–", "–", "–", "8"] in lines
    assert "sizes: 30×20 (4)" in ended.out
    assert "relations: 8 of 2 predicates" in ended.out
    assert ended.out.endswith("no dataset.json: nothing is known of licences, seed and metric\n")
    assert all(len(line) <= 80 for line in ended.out.splitlines())


@pytest.mark.parametrize("columns", [80, 60])
def test_comparisons_keep_every_figure_in_narrow_terminals(columns):
    levels = DEFAULT_VOCABULARY.comparison_labels
    counts = dict.fromkeys(levels, 0) | {levels[0]: 1234567890}
    memory = io.StringIO()
    table = comparison_table({"easy": counts, "a_long_name_of_a_list": counts})
    Console(file=memory, width=columns).print(table)
    text = memory.getvalue()
    assert all(len(line) <= columns for line in text.splitlines())
    assert "…" not in text
    if columns == 80:
        assert text.splitlines()[1].split()[-1] == "regions"
        assert "1234567890" in text
    assert text.count("100.0 %") == 2


def test_info_as_json(cli, root):
    value = json.loads(cli("dataset", "info", root, "--json").out)
    assert value["total"]["images"] == FILES
    assert cli("dataset", "info", root, "-q").out == ""


def test_info_of_damaged_labels_is_one_line(cli, root):
    edit(root, "test", "blur", lambda entries: entries["d.png"]["regions"][2].update(severity=7))
    place = root / "stats/test_stats_blur.json"
    assert cli("dataset", "info", root).refusal == (
        f"{place}: d.png: region 2: severity is 7, expected 0 … 3"
    )


def test_faults_are_told_also_where_there_is_no_sheet_to_draw(cli, root, tmp_path):
    for path in (root / "stats").iterdir():
        path.write_text("{")
    ended = cli("dataset", "check", root, "--sheet", tmp_path / "sheet.png")
    assert ended.code == 2
    assert "labels that cannot be read (48)" in ended.out
    assert f"warning: {root}: no labels that can be read, so there is no contact sheet" in ended.err
    assert not (tmp_path / "sheet.png").exists()
