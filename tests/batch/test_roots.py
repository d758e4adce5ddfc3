"""Pairs of a data-set root: its own lists, with its regions."""

from __future__ import annotations

import pytest
from bench_roots import regions, write_root

from distortion_graph.base.errors import DatasetError
from distortion_graph.batch.pairs import digest
from distortion_graph.batch.results import read_table
from distortion_graph.batch.roots import pairs_of_root
from distortion_graph.cli.main import run as command
from distortion_graph.datasets.reader import PandaSet
from distortion_graph.masks.container import RegionSet
from distortion_graph.pipeline import compare


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return write_root(tmp_path_factory.mktemp("root"))


def test_pairs_are_those_of_the_lists_each_once_with_the_masks_of_the_root(root):
    pairs = pairs_of_root(root)
    data = PandaSet(root)
    keys = [key for name in ("easy", "medium", "hard") for key in data.keys("test", name)]
    assert [pair.id for pair in pairs] == [
        f"test/{a}/{t}/{tag}" for a, t, tag in dict.fromkeys(keys)
    ]
    assert len(pairs) < len(keys)
    assert {pair.regions for pair in pairs} == {data.sample("test", keys[0]).regions}
    assert len({id(pair.regions) for pair in pairs}) == 1
    masks = pairs[0].regions
    assert isinstance(masks, RegionSet) and [m.rle for m in masks] == [m.rle for m in regions()]
    hard = pairs_of_root(root, pairs=["hard"], regions=False, clean_reference=True)
    assert {(p.columns["anchor_version"], p.columns["target_version"]) for p in hard} == {
        ("mixed", "mixed2"),
        ("mixed2", "mixed"),
    }
    assert all(pair.regions is None for pair in hard)
    assert hard[0].reference == str(root / "gt" / "test" / str(hard[0].columns["picture"]))


def test_masks_are_of_what_a_list_of_pairs_says(root):
    with_masks = pairs_of_root(root, pairs=["hard"])
    assert digest(with_masks) == digest(pairs_of_root(root, pairs=["hard"]))
    assert digest(with_masks) != digest(pairs_of_root(root, pairs=["hard"], regions=False))


def test_a_root_is_compared_from_the_command_line(root, tmp_path):
    pytest.importorskip("pyarrow")
    out = tmp_path / "out"
    given = ["batch", "--root", str(root), "--pairs", "hard", "--reference", "clean", "--quiet"]
    assert command([*given, "--workers", "0", "--by", "target_version", "--out", str(out)]) == 0
    pairs, rows = (read_table(out, name).to_pylist() for name in ("pairs", "regions"))
    assert {row["scores"] for row in pairs} == {"measured"}
    assert len(rows) == 3 * len(pairs)
    first = pairs[0]
    graph = compare(
        first["anchor"], first["target"], reference=first["reference"], regions=regions()
    )
    shown = [row["target_score"] for row in rows if row["pair"] == first["id"]]
    assert shown == [region.target.score for region in graph.regions]


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--root", "ROOT", "--split", "val"], "no stats of the split 'val'"),
        (["--root", "nowhere"], "nowhere: is not a folder"),
        (["--root", "ROOT", "--reference", "gt"], "--reference gt: expected clean, anchor or targ"),
        (["a", "b", "--split", "val"], "--split and --pairs are of a data-set root"),
        (["a", "b", "--root", "ROOT"], "expected either folders"),
        ([], "expected either folders"),
    ],
)
def test_a_wrong_root_is_one_line(root, tmp_path, capsys, options, line):
    given = [str(root) if part == "ROOT" else part for part in options]
    assert command(["batch", *given, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err.strip()
    assert line in said and "\n" not in said


def test_an_unknown_list_is_one_line(root):
    with pytest.raises(DatasetError, match="unknown pairs 'har'"):
        pairs_of_root(root, pairs=["har"])
