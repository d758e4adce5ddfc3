"""Stats files entry by entry: their size does not matter, only that of one picture's entry.

The published files are one JSON object of pictures, hundreds of megabytes for a few thousand of
them, and several times that as Python objects.
"""

from __future__ import annotations

import codecs
import json
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from distortion_graph.base.errors import DatasetError
from distortion_graph.datasets.layout import check_tag

CHUNK_BYTES = 1 << 20
"""So much of a file is read at once, or as much again as an entry needs."""

# Where text ends early, the parser stumbles at its end, or at the start of an open string.
_TAIL = 64


class StatsIndex:
    """Where the entry of each picture stands in a stats file; entries are read when asked for.

    Opening reads the file once. Raises DatasetError where it is not a JSON object of pictures.
    Close it, or use it in a `with` block.
    """

    def __init__(self, path: Path, chunk_bytes: int = CHUNK_BYTES) -> None:
        self.path = path
        self._rows: dict[str, int] = {}
        self._bounds = array("q")
        try:
            self._stream: BinaryIO = path.open("rb")
        except OSError as e:
            raise DatasetError(f"{path}: cannot be read ({e.strerror}), expected stats") from e
        try:
            for tag, _, start, end in _entries(self._stream, path, chunk_bytes):
                if tag in self._rows:
                    raise DatasetError(f"{path}: {tag} is listed twice, expected one entry each")
                self._rows[tag] = len(self._rows)
                self._bounds.extend((start, end))
        except BaseException:
            self._stream.close()
            raise

    @property
    def tags(self) -> tuple[str, ...]:
        """The pictures, in the file's order."""
        return tuple(self._rows)

    def __contains__(self, tag: object) -> bool:
        return tag in self._rows

    def entry(self, tag: str) -> Any:
        """The JSON value of a picture that is in the file."""
        row = self._rows[tag]
        start, end = self._bounds[2 * row : 2 * row + 2]
        self._stream.seek(start)
        return json.loads(self._stream.read(end - start))

    def close(self) -> None:
        """Close the file."""
        self._stream.close()

    def __enter__(self) -> StatsIndex:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stream_stats(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Tag and JSON value of every picture in the file's order, one in memory at a time.

    Raises DatasetError where the file is missing or not a JSON object of pictures.
    """
    try:
        with path.open("rb") as stream:
            yield from ((tag, value) for tag, value, _, _ in _entries(stream, path, CHUNK_BYTES))
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror}), expected stats") from e


def stream_values(path: Path) -> Iterator[tuple[Any, Any]]:
    """As `stream_stats`, but names and entries are given as they are, whatever they are.

    For those who report what is wrong with them. Raises DatasetError where the file is not JSON
    to its end; what stands before that place is given first.
    """
    try:
        with path.open("rb") as stream:
            yield from (
                (tag, value) for tag, value, _, _ in _values(_Text(stream, path, CHUNK_BYTES))
            )
    except OSError as e:
        raise DatasetError(f"{path}: cannot be read ({e.strerror}), expected stats") from e


class _Text:
    """The file's text around the place where reading stands; grows at its end as needed."""

    def __init__(self, stream: BinaryIO, path: Path, chunk_bytes: int) -> None:
        self._stream, self._path, self._chunk_bytes = stream, path, chunk_bytes
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._text, self._at = "", 0
        self._known = (0, 0)  # a place in _text, and the byte of the file there
        self._ended = False

    def expect(self, wanted: str) -> str:
        """Pass over white space and one of the characters of `wanted`, and give it."""
        mark = self.next()
        if not mark or mark not in wanted:
            raise self._fault(f"found {mark or 'the end of the file'!r}", self._at)
        self._at += 1
        return mark

    def next(self) -> str:
        """The next character that is no white space, not passed over; "" at the file's end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in " \t\n\r":
                self._at += 1
            if self._at < len(self._text) or self._ended:
                return self._text[self._at : self._at + 1]
            self._grow()

    def end(self) -> None:
        """Nothing but white space may be left."""
        if self.next():
            raise self._fault(f"found {self.next()!r} after its end", self._at)

    def value(self) -> tuple[Any, int, int]:
        """Pass over a JSON value: itself, its first byte and the one after it."""
        self.next()
        while True:
            try:
                value, end = json.JSONDecoder().raw_decode(self._text, self._at)
                break
            except json.JSONDecodeError as e:
                cut_off = e.pos >= len(self._text) - _TAIL or e.msg.startswith("Unterminated")
                if self._ended or not cut_off:
                    raise self._fault(e.msg, e.pos) from e
            except RecursionError as e:
                raise self._fault("nested too deeply", self._at) from e
            except ValueError as e:
                raise self._fault("a number of too many digits", self._at) from e
            self._grow()
        start, self._at = self._byte(self._at), end
        return value, start, self._byte(end)

    def _grow(self) -> None:
        byte = self._byte(self._at)
        self._text, self._at, self._known = self._text[self._at :], 0, (0, byte)
        # As much again as is there: reading a long entry stays linear in its length.
        data = self._stream.read(max(self._chunk_bytes, len(self._text)))
        self._ended = not data
        try:
            self._text += self._decode(data, final=self._ended)
        except UnicodeDecodeError as e:
            raise DatasetError(f"{self._path}: not UTF-8 ({e.reason})") from e

    def _byte(self, position: int) -> int:
        """The byte of the file at a place in the text; quick for one after the last asked for."""
        place, byte = self._known
        if position < place:
            return byte - len(self._text[position:place].encode())
        self._known = position, byte + len(self._text[place:position].encode())
        return self._known[1]

    def _fault(self, what: str, position: int) -> DatasetError:
        return DatasetError(
            f"{self._path}: not a JSON object of pictures ({what} at byte {self._byte(position)})"
        )


def _entries(
    stream: BinaryIO, path: Path, chunk_bytes: int
) -> Iterator[tuple[str, dict[str, Any], int, int]]:
    """Tag, JSON value, first byte and end of every entry."""
    for name, value, start, end in _values(_Text(stream, path, chunk_bytes)):
        tag = check_tag(name, str(path))
        if not isinstance(value, dict):
            raise DatasetError(
                f"{path}: {tag}: expected an object with `score_fr` and `regions`, got "
                f"{type(value).__name__}"
            )
        yield tag, value, start, end


def _values(text: _Text) -> Iterator[tuple[Any, Any, int, int]]:
    """Name, value, first byte and end of everything in the file's object."""
    text.expect("{")
    empty = text.next() == "}"
    while not empty:
        name = text.value()[0]
        text.expect(":")
        value, start, end = text.value()
        yield name, value, start, end
        if text.next() == "}":
            break
        text.expect(",}")
    text.expect("}")
    text.end()
