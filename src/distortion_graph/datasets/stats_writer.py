"""Writing a stats file picture by picture, so that a large one need not be in memory.

One picture stands on one line. The same records give the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

from distortion_graph.base.errors import OutputError
from distortion_graph.datasets.stats import PictureRecord, RegionRecord, picture_to_json
from distortion_graph.masks.rle import Rle, unpack_counts


class MaskTexts:
    """The JSON of masks, made once for a picture whose versions all have the same ones."""

    def __init__(self) -> None:
        self._known: dict[Rle, str] = {}

    def __getitem__(self, mask: Rle) -> str:
        text = self._known.get(mask)
        if text is None:
            counts = unpack_counts(mask.counts).tolist()
            text = _dump({"size": list(mask.size), "counts": counts})
            self._known[mask] = text
        return text


def entry_text(tag: str, record: PictureRecord, masks: MaskTexts | None = None) -> str:
    """`"tag": {…}`, as `datasets.stats.picture_to_json` says, on one line."""
    masks = MaskTexts() if masks is None else masks
    bare = picture_to_json(PictureRecord(record.score, record.relations, ()))
    regions = ",".join(_region_text(region, masks) for region in record.regions)
    return f"{_dump(tag)}:{_dump(bare).removesuffix('[]}')}[{regions}]}}"


def _region_text(region: RegionRecord, masks: MaskTexts) -> str:
    """A region whose mask, the last entry, is taken from `masks`."""
    without = replace(region, mask=None)
    bare = picture_to_json(PictureRecord(None, (), (without,)))["regions"][0]
    if region.mask is None:
        return _dump(bare)
    return _dump(bare).removesuffix("null}") + masks[region.mask] + "}"


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


class StatsWriter:
    """One stats file in the making: under a temporary name in `folder` until `finish`.

    `folder` is on the same disk as `path`. Use it as a context manager: left without `finish`, it
    leaves nothing. Raises OutputError where it cannot be written, ValueError for a score that is
    no finite number.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.path = path
        self._temporary = folder / f".{secrets.token_hex(8)}.tmp"
        self._empty = True
        try:
            self._stream: io.TextIOWrapper | None = self._temporary.open(
                "w", encoding="utf-8", newline="\n"
            )
        except OSError as e:
            raise self._failed(e) from e
        self._write("{")

    def __enter__(self) -> StatsWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            stream, self._stream = self._stream, None
            try:
                stream.close()
            except OSError:
                pass  # what could not be written is thrown away
            finally:
                self._temporary.unlink(missing_ok=True)

    def add(self, tag: str, record: PictureRecord, masks: MaskTexts | None = None) -> None:
        """Write the entry of the next picture."""
        self._add_text(entry_text(tag, record, masks))

    def add_json(self, tag: str, entry: Any) -> None:
        """Write an entry that stood in a stats file, whatever more it says than a record can."""
        self._add_text(f"{_dump(tag)}:{_dump(entry)}")

    def _add_text(self, text: str) -> None:
        self._write(("\n" if self._empty else ",\n") + text)
        self._empty = False

    def finish(self) -> None:
        """Put the file in its place."""
        self._write("\n}\n")
        if self._stream is None:
            raise ValueError("the stats file is already finished")
        try:
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            self._temporary.replace(self.path)
        except OSError as e:
            raise self._failed(e) from e
        self._stream = None

    def _write(self, text: str) -> None:
        if self._stream is None:
            raise ValueError("the stats file is already finished")
        try:
            self._stream.write(text)
        except OSError as e:
            raise self._failed(e) from e

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written ({error.strerror})")
