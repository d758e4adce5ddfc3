"""Lines of a manifest come back as they were written, and nothing else is taken for one."""

from __future__ import annotations

import json

import pytest

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.manifest import FileLine, SkippedLine, manifest_text, read_manifest

FILE = {
    "file": "blur/test/ü x.png",
    "sha256": "0" * 63 + "f",
    "bytes": 12,
    "picture": "ü x.png",
    "split": "test",
    "version": "blur",
    "regions": [{"index": 0}],
}
SKIPPED = {"skipped": "b", "source": "lab", "source_file": "b.png", "reason": "b.png: damaged"}


def test_lines_come_back(tmp_path):
    path = tmp_path / "manifest.jsonl"
    clean = FILE | {"file": "gt/test/ü x.png", "version": "gt"}
    path.write_text("".join(map(manifest_text, (clean, FILE, SKIPPED))), "utf-8")  # type: ignore[arg-type]
    first, second, third = read_manifest(path)
    assert isinstance(first, FileLine) and first.clean
    assert isinstance(second, FileLine) and not second.clean
    assert (second.file, second.picture, second.bytes) == ("blur/test/ü x.png", "ü x.png", 12)
    assert second.facts == FILE
    assert third == SkippedLine("b", "lab", "b.png", "b.png: damaged")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"file": "../x.png"}, "file is '../x.png', expected blur/test/ü x.png"),
        ({"picture": "../x.png", "file": "blur/test/../x.png"}, "is not the plain name of a file"),
        ({"version": "..", "file": "../test/ü x.png"}, "is not the plain name of a file"),
        ({"split": "dev"}, "unknown split 'dev'"),
        ({"sha256": "0" * 64 + "0"}, "expected 64 hex digits"),
        ({"sha256": "G" * 64}, "expected 64 hex digits"),
        ({"bytes": -1}, "bytes is -1"),
        ({"bytes": True}, "bytes is True"),
        ({"picture": None}, "expected a file with"),
        ({"skipped": 3}, "expected skipped, source"),
    ],
)
def test_other_lines_are_refused_with_their_number(tmp_path, change, words):
    path = tmp_path / "manifest.jsonl"
    path.write_text(manifest_text(FILE) + json.dumps(FILE | change), "utf-8")
    lines = read_manifest(path)
    next(lines)
    with pytest.raises(DatasetError) as caught:
        next(lines)
    assert words in str(caught.value) and str(caught.value).startswith(f"{path}: line 2")


def test_what_is_no_json_or_not_there_is_refused(tmp_path):
    path = tmp_path / "manifest.jsonl"
    with pytest.raises(DatasetError, match="cannot be read"):
        next(read_manifest(path))
    for text in ("{", "[]", "3", "[" * 100_000):
        path.write_text(text)
        with pytest.raises(DatasetError, match="line 1"):
            next(read_manifest(path))
