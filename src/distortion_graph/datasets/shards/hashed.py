"""Files that are hashed while they are written or read."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from distortion_graph.base.errors import DatasetError, OutputError
from distortion_graph.datasets.shards.contents import FileEntry

_COPY_BYTES = 1 << 20


class HashedFile:
    """A file being written, its length and its SHA-256."""

    def __init__(self, path: Path) -> None:
        self._stream = path.open("wb")
        self._hash = hashlib.sha256()
        self.length = 0

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self._stream.write(data)
        self._hash.update(data)
        self.length += len(data)
        return len(data)

    def tell(self) -> int:
        """Number of bytes written."""
        return self.length

    def close(self) -> None:
        """Close the file; raises OSError where the last bytes cannot be written."""
        self._stream.close()

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hex."""
        return self._hash.hexdigest()


class HashedStream:
    """A stream being read, its length and, with `hashed`, its SHA-256; `name` begins errors."""

    def __init__(self, stream: BinaryIO, name: str, *, hashed: bool = True) -> None:
        self._stream, self.name = stream, name
        self._hash = hashlib.sha256() if hashed else None
        self.length = 0

    def read(self, size: int = -1) -> bytes:
        """Up to `size` bytes; raises DatasetError."""
        try:
            data = self._stream.read(size)
        except OSError as e:
            raise DatasetError(f"{self.name}: cannot be read ({e.strerror or e})") from e
        if self._hash is not None:
            self._hash.update(data)
        self.length += len(data)
        return data

    def drain(self) -> None:
        """Read what is left."""
        while self.read(_COPY_BYTES):
            pass

    @property
    def sha256(self) -> str | None:
        """Of what was read so far, in hex; None where that is not computed."""
        return None if self._hash is None else self._hash.hexdigest()

    def __enter__(self) -> HashedStream:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()


@contextlib.contextmanager
def writing(out: Path) -> Iterator[None]:
    """Turn a full disk and the like into one line that names the folder that was asked for."""
    try:
        yield
    except OSError as e:
        raise OutputError(f"{out}: cannot be written ({e.strerror or e})") from e


def copy_file(source: Path, target: Path, out: Path) -> FileEntry:
    """Copy a file and say what it was. Raises DatasetError or, for `out`, OutputError."""
    try:
        stream = HashedStream(source.open("rb"), str(source), hashed=False)
    except OSError as e:
        raise DatasetError(f"{source}: cannot be read ({e.strerror})") from e
    with stream, writing(out):
        copy = HashedFile(target)
        with contextlib.closing(copy):
            while data := stream.read(_COPY_BYTES):
                copy.write(data)
    return FileEntry(name=target.name, bytes=copy.length, sha256=copy.sha256)
