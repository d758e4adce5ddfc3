"""Lists of pairs: how they are drawn, and the two forms of the index file, the second hostile."""

from __future__ import annotations

import json
import sys
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from distortion_graph.base.errors import DatasetError, RecipeError
from distortion_graph.base.vocabulary import DEFAULT_VOCABULARY
from distortion_graph.datasets.layout import PairKey, version_names
from distortion_graph.datasets.pair_lists import (
    PAIRS_PER_LIST,
    IndexLimits,
    all_pairs,
    draw_list,
    draw_lists,
    hard_pairs,
    index_text,
    read_index,
)
from distortion_graph.synth.synthesis import DEFAULT_RECIPE, MIXED

TYPES = DEFAULT_RECIPE.types
PUBLISHED = Path(__file__).parents[3] / "shared" / "data" / "pandabench_index.json"


def test_easy_is_two_types_and_medium_one_mixed():
    stems = [f"p{k}" for k in range(20)]
    easy, medium = (draw_list(name, stems, TYPES) for name in ("easy", "medium"))
    assert len(easy) == len(medium) == PAIRS_PER_LIST == 300
    assert all(a != t and a in TYPES and t in TYPES for a, t, _ in easy)
    assert all((a in MIXED) != (t in MIXED) for a, t, _ in medium)
    assert 100 < sum(a in MIXED for a, _, _ in medium) < 200  # either order, alike often
    for keys in (easy, medium):
        assert {key.tag for key in keys} == set(stems)
    assert draw_list("easy", stems, TYPES) == easy
    assert draw_list("easy", stems, TYPES, seed=1) != easy
    assert draw_list("easy", stems, TYPES, count=7) == easy[:7]
    with pytest.raises(DatasetError, match="no picture to draw easy pairs of"):
        draw_list("easy", [], TYPES)
    with pytest.raises(RecipeError, match="at least 2 distortion types"):
        draw_list("medium", stems, ["blur"])


def test_lists_of_tags_are_those_of_their_stems():
    stems = ["b", "a.1", "c", "a"]
    tags = ["c.jpg", "a.1.png", "b.png", "a.png"]
    lists = draw_lists(tags, TYPES, seed=5)
    by_stem = {"a": "a.png", "a.1": "a.1.png", "b": "b.png", "c": "c.jpg"}
    assert list(lists) == ["easy", "medium"]
    for name, keys in lists.items():
        drawn = draw_list(name, sorted(stems), TYPES, seed=5)  # type: ignore[arg-type]
        assert keys == [key._replace(tag=by_stem[key.tag]) for key in drawn]
    assert draw_lists(tags[::-1], TYPES, seed=5) == lists
    other = {tag: tag.replace("jpg", "png") for tag in tags}
    assert draw_lists(list(other.values()), TYPES, seed=5) == {
        name: [key._replace(tag=other[key.tag]) for key in keys] for name, keys in lists.items()
    }


def test_hard_and_all():
    assert hard_pairs(["x", "y"]) == [
        ("mixed", "mixed2", "x"),
        ("mixed2", "mixed", "x"),
        ("mixed", "mixed2", "y"),
        ("mixed2", "mixed", "y"),
    ]
    versions = version_names(DEFAULT_VOCABULARY)
    every = all_pairs(["x", "y"], versions)
    assert len(every) == 2 * 16 * 15  # as the paper counts
    assert set(every) == {(a, t, tag) for a, t in permutations(versions, 2) for tag in "xy"}
    assert Counter(key.tag for key in every) == {"x": 240, "y": 240}


def test_an_index_can_be_read_back(tmp_path):
    lists = draw_lists(["ä b.png", "x.jpg"], TYPES, seed=0)
    path = tmp_path / "index.json"
    path.write_text(index_text(lists), "utf-8")
    assert read_index(path) == lists
    assert json.loads(path.read_text("utf-8"))["easy"][0] == list(lists["easy"][0])
    assert index_text({"easy": [PairKey("a", "b", "x.png")], "medium": []}) == (
        '{"easy": [["a", "b", "x.png"]], "medium": []}\n'
    )
    as_python = "".join(f"{name} = {[tuple(key) for key in lists[name]]}\n" for name in lists)
    other = tmp_path / "index.py"
    other.write_text(f"# comment\n\n{as_python}", "utf-8")
    assert read_index(other) == lists
    other.write_text("\ufeff" + 'easy=[\n  ["blur", \'noise\', "x.png"],  # first\n]\n\n', "utf-8")
    assert read_index(other) == {"easy": [("blur", "noise", "x.png")]}


@pytest.mark.skipif(
    not PUBLISHED.is_file(), reason="the published lists are not beside the project"
)
def test_the_published_lists():
    lists = read_index(PUBLISHED)
    assert {name: len(keys) for name, keys in lists.items()} == {"easy": 300, "medium": 300}
    known = version_names(DEFAULT_VOCABULARY)
    for name, keys in lists.items():
        for anchor, target, _ in keys:
            assert anchor in known and target in known
            assert ((anchor in MIXED) + (target in MIXED)) == (name == "medium")


PLAIN = 'expected only lines such as easy = [("blur", "noise", "x.png"), …]'
GOOD = "('a', 'b', 'c.png')"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import os", "line 1: 'os' found"),
        (f"easy = [{GOOD}]\nfrom os import system", "line 2: 'os' found"),
        ("easy = [__import__('os')]", "line 1: '__import__' found"),
        ("easy = [('a',\n  'b', open('x'))]", "line 2: 'open' found"),
        ("easy = dict()", "line 1: 'dict' found"),
        ("print()", "line 1: Expr found"),
        ("easy = [f'{1}']", "line 1: "),
        ("easy = [(f'a', 'b', 'c.png')]", "line 1: "),
        ("easy = [('a' % 1, 'b', 'c')]", "line 1: '%' found"),
        ("easy = [x for x in y]", "line 1: 'x' found"),
        ("easy = lambda: 0", "line 1: 'lambda' found"),
        ("easy = {'a': 1}", "line 1: '{' found"),
        ("easy = other", "line 1: 'other' found"),
        ("easy = None", "line 1: 'None' found"),
        ("easy = [1]", "line 1: '1' found"),
        ("easy = [-1]", "line 1: '-' found"),
        ("\neasy = [('a', 'b', 'c\\png')]", "line 2: "),
        ("easy = [b'x']", "line 1: Constant found"),
        ("easy = [...]", "line 1: '...' found"),
        ("easy += []", "line 1: '+=' found"),
        ("easy: list = []", "line 1: ':' found"),
        ("easy = medium = []", "line 1: 'medium' found"),
        ("easy, medium = [], []", "line 1: 'medium' found"),
        ("easy[()] = []", "line 1: no plain name before the `=`"),
        ("(easy) = []", "line 1: 'easy' found"),
        ("easy = () = []", "line 1: Assign found"),
        ("easy[0] = []", "line 1: '0' found"),
        ("easy = [*()]", "line 1: '*' found"),
        ("'words'", "line 1: Expr found"),
        ("del easy", "line 1: 'easy' found"),
        ("pass", "line 1: Pass found"),
        ("global easy", "line 1: 'easy' found"),
        ("@easy\ndef f(): pass", "line 1: '@' found"),
        ("if x: pass", "line 1: 'x' found"),
        (f"easy = [{GOOD}]\n  medium = []", "line 2: '  ' found"),
        ("easy = [[[['a']]]]", "line 1: nested too deeply"),
        ("(" * 100_000, "line 1: nested too deeply"),
        ("easy = [", "line "),  # 1 or 2, as the version of Python counts
        ("easy = ['a", "line 1: "),
        ("easy = '''a", "line 1: "),
        ("easy = [,]", "line 1: "),
        ("easy = $", "line 1: "),
        ("easy\x00 = []", "line 1: "),
        ("x" + " x" * 50_000, "line 1: 'x' found"),
        ("x" + " = ''" * 50_000, "line 1: "),
    ],
)
def test_python_text_that_is_more_than_data_is_refused(tmp_path, text, words):
    path = tmp_path / "index.py"
    path.write_text(text)
    with pytest.raises(DatasetError) as caught:
        read_index(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: {words}") and line.endswith(PLAIN) and "\n" not in line


def test_nothing_in_an_index_is_ever_run(tmp_path):
    trace = tmp_path / "trace"
    evil = f"__import__('pathlib').Path({str(trace)!r}).write_text('x')"
    path = tmp_path / "evil_index.py"
    for text in (evil, f"easy = [{evil}]", f"easy = [f'{{{evil}}}']", f"easy = []; {evil}"):
        path.write_text(text)
        with pytest.raises(DatasetError):
            read_index(path)
    path.write_text(f"easy = [{GOOD}]")
    assert read_index(path) == {"easy": [("a", "b", "c.png")]}
    assert not trace.exists() and "evil_index" not in sys.modules
    assert not (tmp_path / "__pycache__").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no list, expected `easy` and `medium`"),
        ("{}", "holds no list"),
        ("[]", 'expected an object {"easy": […]}, got a list'),
        ('{"easy": 3}', "easy: expected a list of [anchor version, target version, picture], got"),
        ('{"easy": [["a", "b"]]}', "easy: entry 0: ['a', 'b'] found, expected [anchor version"),
        ('{"easy": [["a", "b", 3]]}', "easy: entry 0: the picture name 3 is not the plain name"),
        ('{"easy": [[1, "b", "c.png"]]}', "easy: entry 0: 1 is no name of a version"),
        ('{"easy": [["..", "b", "c.png"]]}', "easy: entry 0: '..' is no name of a version"),
        ('{"easy": [["a/b", "b", "c.png"]]}', "easy: entry 0: 'a/b' is no name of a version"),
        ('{"easy": [["a", "b", "../../c"]]}', "easy: entry 0: the picture name '../../c' is not"),
        ('{"easy": [["a", "b", "\\\\x"]]}', "easy: entry 0: the picture name '\\\\x' is not the"),
        ('{"easy": [["a", "b", "/etc/passwd"]]}', "easy: entry 0: the picture name '/etc/passwd'"),
        (f"easy = [{GOOD},\n ('a', 'b', 'x/y')]", "line 1: easy: entry 1: the picture name 'x/y'"),
        (f"easy = [{GOOD}]\neasy = []", "line 2: 'easy' is there twice, expected each name once"),
        ('{"easy": [], "easy": []}', "a list stands there twice, expected each name once"),
        ('{"easy": [', "line 1: not JSON (Expecting value)"),
        ('{"easy": [],\n}', "line "),
        ('{"easy": ' + "[" * 100_000, "nested too deeply, expected lists of pairs"),
        ('{"easy": ' + "9" * 10_000 + "}", "not JSON ("),
    ],
)
def test_faults_are_one_line(tmp_path, text, words):
    path = tmp_path / "index"
    path.write_text(text)
    with pytest.raises(DatasetError) as caught:
        read_index(path)
    assert str(caught.value).startswith(f"{path}: {words}") and "\n" not in str(caught.value)


def test_files_that_are_no_index(tmp_path):
    with pytest.raises(DatasetError, match=r"nix.json: no such file, expected an index of pairs"):
        read_index(tmp_path / "nix.json")
    with pytest.raises(DatasetError, match="cannot be read"):
        read_index(tmp_path)
    path = tmp_path / "index.json"
    path.write_bytes(b"\xff\xfe{}")
    with pytest.raises(DatasetError, match=r"index.json: not UTF-8 text at byte 0"):
        read_index(path)
    path.write_text(f"easy = [{GOOD}]")
    with pytest.raises(DatasetError, match="Python text of more than 0 MiB; write it as JSON"):
        read_index(path, IndexLimits(text=10))
    with pytest.raises(DatasetError, match="more than 0 MiB, expected an index"):
        read_index(path, IndexLimits(json=12))
