"""Files of a batch wherever they lie: local paths, and URLs that fsspec opens (s3, gs, hf, memory).

fsspec is imported for URLs alone, and reads only what is asked for.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any

from distortion_graph.base.errors import BatchError, ImageError
from distortion_graph.pictures.backgrounds import DEFAULT_BACKGROUND
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS, Picture, load_picture

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_url(name: str) -> bool:
    """Whether a name is a URL, such as s3://bucket/a.png; `C:\\a.png` is none."""
    return _URL.match(name) is not None


def picture_source(name: str) -> str | bytes:
    """What `load_picture` takes: a local path, or the bytes behind a URL.

    Raises ImageError, one line, where a URL cannot be read.
    """
    if not is_url(name):
        return name
    try:
        with _fsspec().open(name, "rb") as stream:
            data: bytes = stream.read()
    except BatchError:
        raise
    except Exception as error:  # every file system raises what it likes
        raise ImageError(f"{name}: cannot be read ({_reason(error)})") from error
    return data


def load_from(
    name: str, *, max_pixels: int = DEFAULT_MAX_PIXELS, background: str = DEFAULT_BACKGROUND
) -> Picture:
    """The picture of a path or URL; raises ImageError."""
    picture = load_picture(
        picture_source(name), max_pixels=max_pixels, name=name, background=background
    )
    return replace(picture, source=name) if is_url(name) else picture


def read_list(name: str) -> bytes:
    """A manifest's bytes; raises BatchError where it cannot be read."""
    if is_url(name):
        try:
            with _fsspec().open(name, "rb") as stream:
                return bytes(stream.read())
        except BatchError:
            raise
        except Exception as error:  # every file system raises what it likes
            raise BatchError(f"{name}: cannot be read ({_reason(error)})") from error
    try:
        return Path(name).read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise BatchError(f"{name}: cannot be read ({reason}), expected a list of pairs") from error


def listed(folder: str) -> list[str]:
    """Names of all files in a folder and below, from the folder on, with "/", sorted.

    Links are followed, each folder once. Raises BatchError for what is no folder.
    """
    if is_url(folder):
        return _listed_behind(folder)
    root = Path(folder)
    if not root.is_dir():
        raise BatchError(f"{folder}: no such folder, expected a folder with pictures")
    names: list[str] = []
    seen: set[tuple[int, int]] = set()
    for place, folders, files in os.walk(root, followlinks=True):
        here = Path(place).stat()
        key = here.st_dev, here.st_ino
        if key in seen:
            folders.clear()
            continue
        seen.add(key)
        names += [(Path(place) / name).relative_to(root).as_posix() for name in files]
    return sorted(names)


def joined(folder: str, name: str) -> str:
    """A name in a folder, which may be a URL; a URL or an absolute path stays what it is."""
    if is_url(name) or not folder:
        return name
    if is_url(folder):
        return f"{folder.rstrip('/')}/{name}"
    return str(Path(folder) / name)


def parent(name: str) -> str:
    """The folder of a file, which may be a URL."""
    if is_url(name):
        scheme, _, rest = name.partition("://")
        return f"{scheme}://{PurePosixPath(rest).parent}"
    return str(Path(name).parent)


def _listed_behind(folder: str) -> list[str]:
    try:
        system, root = _fsspec().core.url_to_fs(folder)
        found = system.find(root)
    except BatchError:
        raise
    except Exception as error:  # every file system raises what it likes
        raise BatchError(f"{folder}: cannot be listed ({_reason(error)})") from error
    start = root.strip("/")
    names = [str(name).strip("/").removeprefix(start).lstrip("/") for name in found]
    if not names:
        raise BatchError(f"{folder}: no files there, expected a folder with pictures")
    return sorted(names)


def _fsspec() -> Any:
    if find_spec("fsspec") is None:
        raise BatchError(
            "URLs need fsspec, not installed: pip install 'distortion-graph[batch]', and the file "
            "system's own package (s3fs, gcsfs, huggingface-hub)"
        )
    import fsspec

    return fsspec


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
