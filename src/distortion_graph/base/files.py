"""Writing files so that a crash leaves no half file and an existing file is not lost."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
import shutil
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import OutputError

# Suffix → Pillow's name of the format.
_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".avif": "AVIF",
}
_FULL_CHROMA_QUALITY = 90


@dataclass(frozen=True)
class HeldFile:
    """A file in memory, such as one that was sent: it stands for a path where files are read.

    `name` is what its sender calls it: it is shown, and never opened.
    """

    name: str
    data: bytes

    def __str__(self) -> str:
        return self.name

    @property
    def suffix(self) -> str:
        """The end of the name, with its dot."""
        return Path(self.name).suffix

    def read_bytes(self) -> bytes:
        """The data."""
        return self.data


def kind_of(path: Path) -> Literal["file", "folder", "other"] | None:
    """What is at a path; None where nothing can be seen, or nothing can have such a name."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):  # a very long name, or one with a zero in it
        return None
    return "file" if S_ISREG(mode) else "folder" if S_ISDIR(mode) else "other"


def atomic_write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`: whole or not at all; an existing file stays until then.

    The bytes go to a temporary name in the same folder, reach the disk, and are renamed. A link
    is followed, an existing file keeps its permissions, a device or pipe is written directly.
    Raises OutputError where the folder is missing or not writable, or `path` is a folder.
    """
    atomic_write_all([(path, data)])


def atomic_write_all(files: Sequence[tuple[str | Path, bytes]]) -> None:
    """Write several files as `atomic_write_bytes` does, all of them or none.

    Nothing is renamed before all of them have reached the disk under temporary names. SIGTERM waits
    until they are in place, where Python lets it (in the main thread).
    """
    staged: list[_Staged] = []
    with _ended_afterwards():
        try:
            for path, data in files:
                with _named(path):
                    staged.append(_stage(_target(path), data))
            for (path, _), file in zip(files, staged, strict=True):
                with _named(path):
                    file.put_in_place()
        finally:
            for file in staged:
                file.forget()


@contextlib.contextmanager
def _ended_afterwards() -> Iterator[None]:
    """Hold SIGTERM back, unless somebody else handles it: it would leave temporary files."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    came: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if came:
            os.kill(os.getpid(), signal.SIGTERM)


def check_output(path: str | Path, *, picture: bool = False) -> None:
    """Raise OutputError now where writing to `path` is sure to fail later.

    Asks for a folder that is there and may be written to and, with `picture`, for a suffix that
    `save_image` knows. What only shows in writing, such as a full disk, is not found here.
    """
    if picture:
        _format_of(path)
    with _named(path):
        target = _target(path)
        if target.exists() and not target.is_file():
            allowed = os.access(target, os.W_OK)
        else:
            allowed = os.access(target.parent, os.W_OK | os.X_OK)
    if not allowed:
        raise OutputError(
            f"{path}: cannot be written (no permission in {target.parent}); choose another place"
        )


def atomic_write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with the line ends it has, as `atomic_write_bytes` does."""
    atomic_write_bytes(path, text.encode("utf-8"))


@contextlib.contextmanager
def new_folder(path: str | Path) -> Iterator[Path]:
    """A folder to fill, under a temporary name beside `path`, that gets its name at the end.

    Left by an error, it is removed with all in it. An empty folder at `path` is replaced. Raises
    OutputError where there is a file or a folder with something in it, or the folder around it is
    missing or not writable.
    """
    target = Path(os.path.realpath(path))
    with _named(path):
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise OutputError(f"{path}: is there already; name a new or an empty folder")
        if not target.parent.is_dir():
            raise OutputError(f"{path}: the folder {target.parent} does not exist; make it first")
        temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
        temporary.mkdir()
    try:
        yield temporary
        with _named(path):
            if target.exists():
                target.rmdir()
            temporary.rename(target)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def save_png(path: str | Path, rgb: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) uint8 picture as PNG under any name. Raises OutputError."""
    atomic_write_bytes(path, _encode(path, rgb, "PNG", 0))


def save_image(path: str | Path, rgb: NDArray[np.uint8], *, quality: int = 95) -> None:
    """Write an (H, W, 3) uint8 picture in the format of the name's suffix.

    Suffixes: png, tif, tiff, bmp (lossless), jpg, jpeg, webp, avif (`quality` 1…100; JPEG keeps
    full colour resolution from quality 90 up). Raises OutputError for another suffix, a quality
    out of range, and as `atomic_write_bytes` does.
    """
    atomic_write_bytes(path, encode_image(path, rgb, quality=quality))


def encode_image(
    path: str | Path, rgb: NDArray[np.uint8], *, quality: int = 95, fast: bool = False
) -> bytes:
    """The bytes that `save_image` would write to `path`; raises OutputError as it does.

    With `fast` a PNG is made in a quarter of the time and somewhat larger, for many pictures; the
    pixels are the same. Other formats have one way only.
    """
    kind = _format_of(path)
    if not 1 <= quality <= 100:
        raise OutputError(f"{path}: quality is {quality}, expected 1…100")
    if fast and kind == "PNG":
        return _encode_fast_png(path, rgb)
    return _encode(path, rgb, kind, quality)


def _format_of(path: str | Path) -> str:
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        offered = ", ".join(s[1:] for s in _FORMATS)
        raise OutputError(f"{path}: unknown picture suffix {suffix!r}, expected one of {offered}")
    return _FORMATS[suffix]


def _check_array(path: str | Path, rgb: NDArray[np.uint8]) -> None:
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise OutputError(
            f"{path}: cannot write an array of shape {rgb.shape} and {rgb.dtype}, expected "
            "(H, W, 3) uint8"
        )


def _encode_fast_png(path: str | Path, rgb: NDArray[np.uint8]) -> bytes:
    import cv2

    _check_array(path, rgb)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    options += [cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_DEFAULT]
    if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # before OpenCV 4.12 every row tries all filters
        options += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB]
    try:
        _, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), options)
    except cv2.error as e:
        raise OutputError(f"{path}: cannot be written as PNG ({e})") from e
    return data.tobytes()


def _encode(path: str | Path, rgb: NDArray[np.uint8], kind: str, quality: int) -> bytes:
    from PIL import Image

    _check_array(path, rgb)
    options: dict[str, Any] = {}
    if kind in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = quality
    if kind == "JPEG" and quality >= _FULL_CHROMA_QUALITY:
        options["subsampling"] = 0
    buffer = io.BytesIO()
    try:
        Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, kind, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as e:
        # Too large for the format, or a Pillow built without it.
        raise OutputError(f"{path}: cannot be written as {kind} ({e}); try png") from e
    return buffer.getvalue()


@contextlib.contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """Turn the system's errors into one line that names `path`."""
    try:
        yield
    except (OSError, ValueError) as e:
        if isinstance(e, OutputError):
            raise
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise OutputError(f"{path}: cannot be written ({reason}); choose another place") from e


def _target(path: str | Path) -> Path:
    """The file that is meant: a link's target is replaced, not the link."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError(f"{path}: is a folder, expected a file name to write to")
    if not target.parent.is_dir():
        raise OutputError(f"{path}: the folder {target.parent} does not exist; make it first")
    return target


@dataclass
class _Staged:
    """Bytes on their way to `target`: in a temporary file, or in memory for a device or pipe."""

    target: Path
    temporary: Path | None = None
    data: bytes = b""

    def put_in_place(self) -> None:
        if self.temporary is None:
            self.target.write_bytes(self.data)
        else:
            self.temporary.replace(self.target)
            self.temporary = None

    def forget(self) -> None:
        """Remove a temporary file that was not put in place."""
        if self.temporary is not None:
            with contextlib.suppress(OSError):
                self.temporary.unlink()


def _stage(target: Path, data: bytes) -> _Staged:
    if target.exists() and not target.is_file():
        return _Staged(target, data=data)
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    file = _Staged(target, temporary)
    try:
        # Created as an ordinary new file would be, so that the umask decides who may read it.
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
    except BaseException:
        file.forget()
        raise
    return file
