"""`manifest.jsonl`: a line per picture file, with what was done to it, and per skipped picture.

    {"file": "blur/test/x.png", "sha256", "bytes", "picture": "x.png", "split", "version",
     "key": [seed, stem, version], "regions": [region, …], "recipe", "codecs", "metric"}
    {"file": "gt/test/x.png", …, "version": "gt", "source", "source_file", "source_sha256",
     "codecs", "notes": [text, …]}
    {"skipped": stem, "source", "source_file", "reason"}

with region `{"index", "id", "key": [seed, stem, version, id], "distortion", "severity",
"subtype", "level", "score"}`: `index` is its place in the stats file, `id` what its source calls
it. Of another recipe than the published one a version also has `"looks"` and `"warp"`, what its
clean picture went through before anything was distorted (`synth.shots.Shot.facts`), and a region
with several distortions `"also"`, the further ones as `{"distortion", "severity", "subtype",
"level"}`. Lines stand in the order of stems; of one picture the clean file comes first, then the
versions in the vocabulary's order. `notes` are what the reader said of the picture beside its
pixels, and absent where it said nothing. There is nothing of the machine or the time in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.layout import CLEAN_FOLDER, SPLITS, check_tag

_HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class FileLine:
    """One picture file. `version` is `gt` for the clean one; `facts` is all of the line."""

    file: str
    sha256: str
    bytes: int
    picture: str
    split: str
    version: str
    facts: Mapping[str, Any] = field(repr=False)

    @property
    def clean(self) -> bool:
        """Whether this is the clean picture."""
        return self.version == CLEAN_FOLDER


@dataclass(frozen=True)
class SkippedLine:
    """A picture that the build left out, and why."""

    stem: str
    source: str
    source_file: str
    reason: str


def manifest_text(value: Mapping[str, Any]) -> str:
    """A line of the manifest with its line end."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"


def read_manifest(path: Path) -> Iterator[FileLine | SkippedLine]:
    """The lines of a manifest in order, one in memory at a time.

    File names are put together from checked parts and never lead out of the root. Raises
    DatasetError, with file and line, for anything else.
    """
    try:
        with path.open("rb") as stream:
            for number, line in enumerate(stream, start=1):
                yield parse_line(line, f"{path}: line {number}")
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror})") from e


def parse_line(line: bytes, where: str) -> FileLine | SkippedLine:
    """One line of a manifest; `where` begins the error's line. Raises DatasetError."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as e:
        raise DatasetError(f"{where}: is not JSON ({e})") from e
    if isinstance(value, dict) and "skipped" in value:
        parts = [value.get(key) for key in ("skipped", "source", "source_file", "reason")]
        if not all(isinstance(part, str) for part in parts):
            raise DatasetError(f"{where}: expected skipped, source, source_file and reason as text")
        return SkippedLine(*map(str, parts))
    return _file_line(value, where)


def _file_line(value: Any, where: str) -> FileLine:
    names = ("file", "sha256", "picture", "split", "version")
    if not isinstance(value, dict) or not all(isinstance(value.get(n), str) for n in names):
        raise DatasetError(f"{where}: expected a file with {', '.join(names)} and bytes")
    size = value.get("bytes")
    if type(size) is not int or size < 0:
        raise DatasetError(f"{where}: bytes is {size!r:.40}, expected a whole number")
    if len(value["sha256"]) != 64 or not _HEX.issuperset(value["sha256"]):
        raise DatasetError(f"{where}: sha256 is {value['sha256']!r:.80}, expected 64 hex digits")
    tag = check_tag(value["picture"], where)
    folder = check_tag(value["version"], where)
    split = value["split"]
    if split not in SPLITS:
        raise DatasetError(f"{where}: unknown split {split!r:.40}, expected {', '.join(SPLITS)}")
    if value["file"] != f"{folder}/{split}/{tag}":
        raise DatasetError(
            f"{where}: file is {value['file']!r:.120}, expected {folder}/{split}/{tag}"
        )
    return FileLine(value["file"], value["sha256"], size, tag, split, folder, value)
