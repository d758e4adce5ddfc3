"""Pictures from files, bytes, Pillow images and arrays: always (H, W, 3) uint8 sRGB, or one error.

JPEG, PNG, WebP, TIFF, BMP, GIF and, where Pillow has it, AVIF. The size is read from the header
and checked before a pixel is decoded; the EXIF orientation is applied; bit depth, colour profile
and transparency are `pixels`' business.
"""

from __future__ import annotations

import hashlib
import importlib
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

DEFAULT_MAX_PIXELS = 100_000_000
"""Pictures of more pixels than this are refused unless the caller allows more."""

SUFFIXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
        "PNG": (".png", ".apng"),
        "WebP": (".webp",),
        "TIFF": (".tif", ".tiff"),
        "BMP": (".bmp", ".dib"),
        "AVIF": (".avif", ".avifs"),
        "GIF": (".gif",),
        "HEIF": (".heic", ".heif", ".hif"),
        "JPEG XL": (".jxl",),
    }
)
"""By the kind of a picture, what its files' names end with; some kinds need the extra `formats`."""

PICTURE_SUFFIXES: tuple[str, ...] = tuple(s for kind in SUFFIXES.values() for s in kind)
"""What is taken for a picture where a folder is listed. Reading looks at the bytes alone."""

_ORIENTATION_TAG = 274
ImageSource: TypeAlias = "str | Path | bytes | bytearray | memoryview | Image.Image | NDArray[Any]"
_P = TypeVar("_P", bound=np.generic)


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture ready to use; its pixels cannot be changed.

    `rgb`: (H, W, 3) uint8 sRGB, read-only, as displayed. `source`: path, None for data
    without one. `sha256`: hex digest of the file's bytes, or (`sha256_of` "rgb") of size and
    pixels. `stored_size`: (h, w) before `orientation` (EXIF, 1 … 8) was applied. `warnings`: one
    line each.
    """

    rgb: NDArray[np.uint8]
    source: str | None
    sha256: str
    sha256_of: Literal["file", "rgb"]
    stored_size: tuple[int, int]
    orientation: int = 1
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(h, w) as displayed, in pixels."""
        h, w, _ = self.rgb.shape
        return h, w

    @property
    def width(self) -> int:
        """Width as displayed, in pixels."""
        return self.size[1]

    @property
    def height(self) -> int:
        """Height as displayed, in pixels."""
        return self.size[0]


def load_picture(
    source: ImageSource | Picture,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    name: str | None = None,
) -> Picture:
    """Read a picture from a path, file bytes, a Pillow image or an (H, W, 3) uint8 array.

    `max_pixels` bounds width × height of what has to be decoded. `name` stands for the picture
    in error lines; `source` stays None for what has no path. Of several frames or pages the first
    is taken (of a Pillow image the current one), with a warning. A Pillow image has the precision
    Pillow gave it; arrays are copied and taken as sRGB. Raises ImageError, one line: missing or
    unreadable file, not a picture, damaged, too many pixels, wrong array.
    """
    if isinstance(source, Picture):
        return source
    if isinstance(source, str | Path):
        label = name or _printable(str(source))
        return _from_bytes(_read(source, label), label, str(source), max_pixels)
    label = name or "picture"
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), label, None, max_pixels)
    if isinstance(source, np.ndarray):
        return _from_array(source, label)
    if hasattr(source, "getexif") and hasattr(source, "getbands"):
        return _from_pillow(source, label, max_pixels)
    raise ImageError(
        f"{label}: found {type(source).__name__}, expected a path, file bytes, a Pillow image or "
        "an (H, W, 3) uint8 array"
    )


def open_picture_file(path: str | Path, label: str) -> tuple[Image.Image, bytes]:
    """A file's header as a Pillow image, not decoded, and its bytes; `label` names it in errors.

    For files whose numbers are wanted as stored, such as label maps. Raises ImageError as
    `load_picture` does; decoding the damaged may raise anything.
    """
    data = _read(path, label)
    return _open(data, label), data


def displayed_size(data: bytes, label: str) -> tuple[int, int]:
    """(h, w) in pixels of a picture file's bytes, from its header; raises ImageError."""
    image = _open(data, label)
    width, height = image.size
    return (width, height) if _orientation(image) >= 5 else (height, width)


def rgb_sha256(rgb: NDArray[np.uint8]) -> str:
    """Hex SHA-256 of an (H, W, 3) uint8 picture: of the line "HxWx3\\n", then the pixel bytes."""
    digest = hashlib.sha256("x".join(map(str, rgb.shape)).encode() + b"\n")
    digest.update(np.ascontiguousarray(rgb).data)
    return digest.hexdigest()


def orient(stored: NDArray[_P], orientation: int) -> NDArray[_P]:
    """Turn an (H, W, …) array as the EXIF orientation 1 … 8 asks; a copy unless it is 1."""
    turns: dict[int, Callable[[NDArray[_P]], NDArray[_P]]] = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: a.swapaxes(0, 1)[:, ::-1],
        7: lambda a: a[::-1, ::-1].swapaxes(0, 1),
        8: lambda a: a.swapaxes(0, 1)[::-1],
    }
    turn = turns.get(orientation)
    return stored if turn is None else turn(stored).copy()


def _read(source: str | Path, label: str) -> bytes:
    try:
        path = Path(source)
        if path.is_dir():
            raise ImageError(f"{label}: is a folder, expected a picture file")
        if path.exists() and not path.is_file():
            raise ImageError(f"{label}: is not an ordinary file, expected a picture file")
        return path.read_bytes()
    except FileNotFoundError as e:
        raise ImageError(f"{label}: no such file, expected a picture; check the path") from e
    except (OSError, ValueError) as e:
        if isinstance(e, ImageError):
            raise
        reason = e.strerror if isinstance(e, OSError) and e.strerror else str(e)
        raise ImageError(f"{label}: cannot be read ({reason}), expected a picture file") from e


def _from_bytes(data: bytes, label: str, source: str | None, max_pixels: int) -> Picture:
    image = _open(data, label)
    rgb, stored, orientation, notes = _decode(image, data, label, max_pixels)
    return Picture(
        rgb=_frozen(rgb),
        source=source,
        sha256=hashlib.sha256(data).hexdigest(),
        sha256_of="file",
        stored_size=stored,
        orientation=orientation,
        warnings=notes,
    )


def _from_pillow(image: Image.Image, label: str, max_pixels: int) -> Picture:
    rgb, stored, orientation, notes = _decode(image, None, label, max_pixels)
    rgb = _frozen(rgb)
    return Picture(rgb, None, rgb_sha256(rgb), "rgb", stored, orientation, notes)


def _from_array(array: NDArray[Any], label: str) -> Picture:
    if array.ndim != 3 or array.shape[2] != 3 or array.dtype != np.uint8 or array.size == 0:
        raise ImageError(
            f"{label}: found an array of shape {array.shape} and {array.dtype}, expected "
            "(H, W, 3) uint8 with at least one pixel"
        )
    # A copy, so that a later change of the caller's array cannot reach the picture.
    rgb = _frozen(array.copy())
    return Picture(rgb, None, rgb_sha256(rgb), "rgb", (rgb.shape[0], rgb.shape[1]))


def _frozen(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    rgb = np.ascontiguousarray(rgb)
    if not rgb.flags.owndata and rgb.flags.writeable:
        rgb = rgb.copy()
    rgb.setflags(write=False)
    return rgb


# What a file begins with → its kind, Pillow's module and opener. Opening by kind keeps Pillow's
# own process-wide size limit and its warning out of the way: the limit here is the caller's.
_KINDS: tuple[tuple[Callable[[bytes], bool], str, str, str], ...] = (
    (lambda b: b.startswith(b"\xff\xd8\xff"), "JPEG", "JpegImagePlugin", "jpeg_factory"),
    (lambda b: b.startswith(b"\x89PNG\r\n\x1a\n"), "PNG", "PngImagePlugin", "PngImageFile"),
    (lambda b: b[:4] + b[8:12] == b"RIFFWEBP", "WebP", "WebPImagePlugin", "WebPImageFile"),
    (
        lambda b: b[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        "TIFF",
        "TiffImagePlugin",
        "TiffImageFile",
    ),
    (lambda b: b.startswith(b"BM"), "BMP", "BmpImagePlugin", "BmpImageFile"),
    (
        lambda b: b[4:8] == b"ftyp" and b[8:12] in (b"avif", b"avis", b"mif1", b"msf1"),
        "AVIF",
        "AvifImagePlugin",
        "AvifImageFile",
    ),
    (lambda b: b[:6] in (b"GIF87a", b"GIF89a"), "GIF", "GifImagePlugin", "GifImageFile"),
)


def _open(data: bytes, label: str) -> Image.Image:
    """Read the header only."""
    if not data:
        raise ImageError(f"{label}: the file is empty, expected a picture")
    found = next((k for k in _KINDS if k[0](data[:16])), None)
    if found is None:
        kinds = ", ".join(k[1] for k in _KINDS)
        raise ImageError(f"{label}: not a picture of a known kind, expected one of {kinds}")
    _, kind, module, opener = found
    try:
        plugin = importlib.import_module(f"PIL.{module}")
        if kind == "AVIF" and not plugin.SUPPORTED:
            raise ImageError(f"{label}: this Pillow has no AVIF; convert the picture to PNG")
        image: Image.Image = getattr(plugin, opener)(io.BytesIO(data))
    except ImageError:
        raise
    except Exception as e:  # a damaged header can raise anything in a decoder
        raise _damaged(label, kind, e) from e
    return image


def _decode(
    image: Image.Image, data: bytes | None, label: str, max_pixels: int
) -> tuple[NDArray[np.uint8], tuple[int, int], int, tuple[str, ...]]:
    """Pixels as displayed, size as stored, orientation and notes of an opened Pillow image."""
    from distortion_graph.pixels import to_srgb

    width, height = image.size
    if width < 1 or height < 1:
        raise ImageError(f"{label}: found {width}×{height} pixels, expected at least one")
    if width * height > max_pixels:
        raise ImageError(
            f"{label}: found {width}×{height} = {width * height} pixels, expected at most "
            f"{max_pixels}; raise --max-pixels (max_pixels) if the file is trusted"
        )
    kind = getattr(image, "format", None) or "picture"
    try:
        # Some readers turn the picture while loading and then report nothing left to turn.
        orientation = _orientation(image)
        notes = _frame_note(image, label)
        image.load()
        left = _orientation(image)
        rgb, more = to_srgb(image, data, label)
    except ImageError:
        raise
    except Exception as e:  # as above: damaged data, not a defect here
        raise _damaged(label, kind, e) from e
    rgb = orient(rgb, left)
    h, w = rgb.shape[:2]
    return rgb, (w, h) if orientation >= 5 else (h, w), orientation, notes + more


def _orientation(image: Image.Image) -> int:
    try:
        found = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # broken EXIF data are no reason to refuse good pixels
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _frame_note(image: Image.Image, label: str) -> tuple[str, ...]:
    try:
        frames = int(getattr(image, "n_frames", 1))
    except (OSError, EOFError, SyntaxError, ValueError):
        return (f"{label}: damaged after the first frame, which is used",)
    if frames < 2:
        return ()
    return (f"{label}: has {frames} frames, only number {image.tell() + 1} is used",)


def _damaged(label: str, kind: str, error: Exception) -> ImageError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return ImageError(f"{label}: damaged or incomplete {kind} ({reason}), expected a whole picture")


def _printable(path: str) -> str:
    """A path as one line."""
    return path if path.isprintable() else repr(path)
