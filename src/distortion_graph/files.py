"""Writing files so that a crash leaves no half file and an existing file is not lost."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import OutputError

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


def atomic_write_bytes(path: str | Path, data: bytes) -> None:
    """Write `data` to `path`: whole or not at all; an existing file stays until then.

    The bytes go to a temporary name in the same folder, reach the disk, and are renamed. A link
    is followed, an existing file keeps its permissions, a device or pipe is written directly.
    Raises OutputError where the folder is missing or not writable, or `path` is a folder.
    """
    shown = str(path)
    try:
        # The link's target is replaced, not the link.
        target = Path(os.path.realpath(path))
        if target.is_dir():
            raise OutputError(f"{shown}: is a folder, expected a file name to write to")
        if not target.parent.is_dir():
            raise OutputError(f"{shown}: the folder {target.parent} does not exist; make it first")
        if target.exists() and not target.is_file():
            target.write_bytes(data)
            return
        _replace(target, data)
    except (OSError, ValueError) as e:
        if isinstance(e, OutputError):
            raise
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise OutputError(f"{shown}: cannot be written ({reason}); choose another place") from e


def atomic_write_text(path: str | Path, text: str) -> None:
    """Write text as UTF-8 with the line ends it has, as `atomic_write_bytes` does."""
    atomic_write_bytes(path, text.encode("utf-8"))


def save_png(path: str | Path, rgb: NDArray[np.uint8]) -> None:
    """Write an (H, W, 3) uint8 picture as PNG under any name. Raises OutputError."""
    atomic_write_bytes(path, _encode(path, rgb, "PNG", 0))


def save_image(path: str | Path, rgb: NDArray[np.uint8], *, quality: int = 95) -> None:
    """Write an (H, W, 3) uint8 picture in the format of the name's suffix.

    Suffixes: png, tif, tiff, bmp (lossless), jpg, jpeg, webp, avif (`quality` 1…100; JPEG keeps
    full colour resolution from quality 90 up). Raises OutputError for another suffix, a quality
    out of range, and as `atomic_write_bytes` does.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _FORMATS:
        offered = ", ".join(s[1:] for s in _FORMATS)
        raise OutputError(f"{path}: unknown picture suffix {suffix!r}, expected one of {offered}")
    if not 1 <= quality <= 100:
        raise OutputError(f"{path}: quality is {quality}, expected 1…100")
    atomic_write_bytes(path, _encode(path, rgb, _FORMATS[suffix], quality))


def _encode(path: str | Path, rgb: NDArray[np.uint8], kind: str, quality: int) -> bytes:
    from PIL import Image

    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.size == 0:
        raise OutputError(
            f"{path}: cannot write an array of shape {rgb.shape} and {rgb.dtype}, expected "
            "(H, W, 3) uint8"
        )
    options: dict[str, Any] = {}
    if kind in ("JPEG", "WEBP", "AVIF"):
        options["quality"] = quality
    if kind == "JPEG" and quality >= _FULL_CHROMA_QUALITY:
        options["subsampling"] = 0
    buffer = io.BytesIO()
    try:
        Image.fromarray(np.ascontiguousarray(rgb)).save(buffer, kind, **options)
    except (OSError, ValueError, KeyError) as e:
        # Too large for the format, or a Pillow built without it.
        raise OutputError(f"{path}: cannot be written as {kind} ({e}); try png") from e
    return buffer.getvalue()


def _replace(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".{secrets.token_hex(8)}.tmp")
    # Created as an ordinary new file would be, so that the umask decides who may read it.
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            temporary.chmod(target.stat().st_mode & 0o7777)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
