"""Stats files by entry: the same values as json.loads, whatever stands where the chunks end."""

from __future__ import annotations

import json

import pytest

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.stats_stream import StatsIndex

ENTRIES = {
    "a.png": {"score_fr": 0.25, "regions": [{"counts": [1, 22, 333], "name": 'a "{[' + "ä" * 40}]},
    "b ü.png": {"score_fr": 1e-9, "regions": []},
    "c.png": {"text": "\\" * 9 + "}]", "deep": [[[[{"x": None, "y": True}]]]]},
}


def written(path, text):
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("style", [{}, {"indent": 2}, {"separators": (",", ":")}])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_entries_are_those_of_the_whole_file(tmp_path, chunk, style, ascii_only):
    text = json.dumps(ENTRIES, ensure_ascii=ascii_only, **style)
    with StatsIndex(written(tmp_path / "s.json", f" \n{text}\n"), chunk) as index:
        assert index.tags == tuple(ENTRIES)
        for tag in reversed(index.tags):  # in any order
            assert index.entry(tag) == ENTRIES[tag]
        assert "a.png" in index
        assert "z.png" not in index


def test_an_empty_object_has_no_entries(tmp_path):
    with StatsIndex(written(tmp_path / "s.json", "{ }")) as index:
        assert index.tags == ()


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not a JSON object of pictures (found 'the end of the file' at byte 0)"),
        ("[1]", "not a JSON object of pictures (found '[' at byte 0)"),
        ('{"a.png": {}', "not a JSON object of pictures (found 'the end of the file' at byte 12)"),
        ('{"a.png": {}; "b.png": {}}', "not a JSON object of pictures (found ';' at byte 12)"),
        ('{"ä.png" {}}', "not a JSON object of pictures (found '{' at byte 10)"),
        (
            '{"a.png": {"x": }}',
            "not a JSON object of pictures (Expecting value at byte 16)",
        ),
        (
            '{"a.png": {"x": "open',
            "not a JSON object of pictures (Unterminated string starting at at byte 16)",
        ),
        ('{"a.png": {}} {', "not a JSON object of pictures (found '{' after its end at byte 14)"),
        ('{"a.png": {},}', "not a JSON object of pictures (Expecting value at byte 13)"),
        ('{"a.png": 3}', "a.png: expected an object with `score_fr` and `regions`, got int"),
        ('{"a.png": {}, "a.png": {}}', "a.png is listed twice, expected one entry each"),
        (
            '{"../a.png": {}}',
            "the picture name '../a.png' is not the plain name of a file in its folder",
        ),
    ],
)
def test_what_is_no_stats_file_is_refused_with_its_place(tmp_path, text, fault):
    path = written(tmp_path / "s.json", text)
    with pytest.raises(DatasetError) as caught:
        StatsIndex(path)
    assert str(caught.value) == f"{path}: {fault}"


def test_bytes_that_are_no_text_and_missing_files_are_refused(tmp_path):
    path = tmp_path / "s.json"
    path.write_bytes(b'{"a\xff": {}}')
    with pytest.raises(DatasetError, match="not UTF-8"):
        StatsIndex(path)
    path.write_bytes(b'{"a\xc3')
    with pytest.raises(DatasetError, match="not UTF-8"):
        StatsIndex(path)
    with pytest.raises(DatasetError, match="cannot be read"):
        StatsIndex(tmp_path / "none.json")


def test_numbers_of_too_many_digits_are_refused(tmp_path):
    path = written(tmp_path / "s.json", '{"a.png": {"score_fr": ' + "9" * 5000 + "}}")
    with pytest.raises(DatasetError) as caught:
        StatsIndex(path)
    assert str(caught.value) == (
        f"{path}: not a JSON object of pictures (a number of too many digits at byte 10)"
    )


def test_deep_nesting_is_refused(tmp_path):
    path = written(tmp_path / "s.json", '{"a.png": {"x": ' + "[" * 200_000)
    with pytest.raises(DatasetError, match=r"nested too deeply|Expecting value"):
        StatsIndex(path)
