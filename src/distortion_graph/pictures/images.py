"""Pictures from files, bytes, Pillow images and arrays: always (H, W, 3) uint8 sRGB, or one error.

JPEG, PNG, WebP, TIFF, BMP, GIF and, where Pillow has it, AVIF; HEIF and JPEG XL with the extra
`formats`. The size is read from the header and checked before a pixel is decoded; a damaged file is
refused (`decoders`); the EXIF orientation is applied; bit depth, colours and transparency are
`pixels`' business, what lies below transparent pixels `backgrounds`'.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError, one_line
from distortion_graph.base.files import HeldFile
from distortion_graph.pictures.backgrounds import (
    DEFAULT_BACKGROUND,
    background_words,
    check_background,
    lay_on,
)
from distortion_graph.pictures.decoders import (
    Opened,
    check_pixels,
    damaged,
    decode_strictly,
    frame_notes,
    no_truncated_images,
    open_header,
)
from distortion_graph.pictures.orientations import orient, orientation_of
from distortion_graph.pictures.png_chunks import words_behind_pixels
from distortion_graph.pictures.tiff_directories import ORIENTATION

if TYPE_CHECKING:
    from PIL import Image

    from distortion_graph.pictures.pixels import Shown

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "PICTURE_SUFFIXES",
    "SUFFIXES",
    "ImageSource",
    "Picture",
    "alpha_sha256",
    "displayed_size",
    "load_picture",
    "open_picture_file",
    "orient",
    "picture_bytes",
    "rgb_sha256",
]

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

ImageSource: TypeAlias = "str | Path | bytes | bytearray | memoryview | Image.Image | NDArray[Any]"


@dataclass(frozen=True, eq=False)
class Picture:
    """A picture ready to use; its pixels cannot be changed.

    `rgb`: (H, W, 3) uint8 sRGB, read-only, as displayed. `source`: path, None for data
    without one. `sha256`: hex digest of the file's bytes, or (`sha256_of` "rgb") of size and
    pixels. `stored_size`: (h, w) before `orientation` (EXIF, 1 … 8) was applied. `warnings`: one
    line each. `alpha`: (H, W) uint8 as displayed, 255 = opaque, read-only, and `background`, the
    colour or "checker" that was laid below it; None where every pixel is opaque. `plain`: whether
    browsers show the file's own bytes with these very pixels, orientation aside. `turned`: degrees
    clockwise by which a caller turned it (`pictures.turning`).
    """

    rgb: NDArray[np.uint8]
    source: str | None
    sha256: str
    sha256_of: Literal["file", "rgb"]
    stored_size: tuple[int, int]
    orientation: int = 1
    warnings: tuple[str, ...] = ()
    alpha: NDArray[np.uint8] | None = None
    background: str | None = None
    plain: bool = True
    turned: int = 0

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
    background: str = DEFAULT_BACKGROUND,
) -> Picture:
    """Read a picture from a path, file bytes, a Pillow image or an (H, W, 3) uint8 array.

    `max_pixels` bounds width × height of what has to be decoded. `name` stands for the picture
    in error lines; `source` stays None for what has no path. `background` is what transparent
    pixels are laid on: a CSS colour name, "#rrggbb" or "checker". Of several frames or pages the
    first is taken (of a Pillow image the current one), with a warning. A Pillow image has the
    precision and the colour description Pillow gave it; arrays are copied and taken as sRGB; a
    `Picture` is given back. Raises ImageError, one line: missing or unreadable file, not a picture,
    damaged, too many pixels, wrong array, no such background.
    """
    background = check_background(background)
    if isinstance(source, Picture):
        return source
    if isinstance(source, str | Path):
        label = name or _printable(str(source))
        return _from_bytes(picture_bytes(source, label), label, str(source), max_pixels, background)
    label = name or "picture"
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(bytes(source), label, None, max_pixels, background)
    if isinstance(source, np.ndarray):
        return _from_array(source, label)
    if hasattr(source, "getexif") and hasattr(source, "getbands"):
        return _from_pillow(source, label, max_pixels, background)
    raise ImageError(
        f"{label}: found {type(source).__name__}, expected a path, file bytes, a Pillow image or "
        "an (H, W, 3) uint8 array"
    )


def open_picture_file(path: str | Path | HeldFile, label: str) -> Opened:
    """A file's header as a Pillow image, not decoded, with its bytes; `label` names it in errors.

    For files whose numbers are wanted as stored, such as label maps; `decoders.decode_strictly`
    decodes it. Raises ImageError as `load_picture` does.
    """
    return open_header(picture_bytes(path, label), label)


def displayed_size(
    data: bytes, label: str, max_pixels: int = DEFAULT_MAX_PIXELS
) -> tuple[int, int]:
    """(h, w) in pixels of a picture file's bytes, from its header.

    Only a PNG that may say behind its pixels how it is turned is decoded for that. Raises
    ImageError, also for more pixels than `max_pixels`.
    """
    opened = open_header(data, label, max_pixels)
    width, height = opened.image.size
    if opened.kind == "TIFF":  # which Pillow turns when it opens it, if it is new enough
        tags = getattr(opened.image, "tag_v2", {})
        width, height = tags.get(256, width), tags.get(257, height)
    if opened.kind == "PNG" and words_behind_pixels(data):
        decode_strictly(opened, label)
    turned = _stored_orientation(opened.image, opened.kind) >= 5
    return (width, height) if turned else (height, width)


def alpha_sha256(alpha: NDArray[np.uint8]) -> str:
    """Hex SHA-256 of an (H, W) uint8 alpha plane: of the line "HxW\\n", then its bytes."""
    return _sha256_of(alpha)


def rgb_sha256(rgb: NDArray[np.uint8]) -> str:
    """Hex SHA-256 of an (H, W, 3) uint8 picture: of the line "HxWx3\\n", then the pixel bytes."""
    return _sha256_of(rgb)


def _sha256_of(array: NDArray[np.uint8]) -> str:
    digest = hashlib.sha256("x".join(map(str, array.shape)).encode() + b"\n")
    digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def picture_bytes(source: str | Path | HeldFile, label: str) -> bytes:
    """The bytes of a picture file; `label` names it in errors. Raises ImageError."""
    if isinstance(source, HeldFile):
        return source.data
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


def _from_bytes(
    data: bytes, label: str, source: str | None, max_pixels: int, background: str
) -> Picture:
    opened = open_header(data, label, max_pixels)
    as_stored = _stored_orientation(opened.image, opened.kind)
    # Pixels come first: for EXIF data behind them Pillow would decode by itself, and leniently.
    decoded = decode_strictly(opened, label)
    # Some readers turn the picture while loading and then report nothing left to turn.
    left = _stored_orientation(opened.image, opened.kind)
    shown = _shown(decoded.image, data, label, decoded.values)
    return _picture(
        _turned(shown, left),
        label,
        decoded.notes + shown.notes,
        background,
        source=source,
        sha256=hashlib.sha256(data).hexdigest(),
        orientation=left if as_stored == 1 else as_stored,
    )


def _from_pillow(image: Image.Image, label: str, max_pixels: int, background: str) -> Picture:
    check_pixels(image.size, max_pixels, label)
    kind = getattr(image, "format", None) or "picture"
    as_stored = _stored_orientation(image, kind) if kind == "TIFF" else 1
    try:
        notes = frame_notes(image)
        with no_truncated_images():
            image.load()
    except Exception as e:  # damaged data can raise anything in a decoder
        raise damaged(label, kind, e) from e
    left = _pillow_orientation(image)  # only now, as above
    shown = _shown(image, None, label, None)
    orientation = left if as_stored == 1 else as_stored
    return _picture(
        _turned(shown, left), label, notes + shown.notes, background, orientation=orientation
    )


def _shown(
    image: Image.Image,
    data: bytes | None,
    label: str,
    values: NDArray[np.uint8] | NDArray[np.uint16] | None,
) -> Shown:
    from distortion_graph.pictures.pixels import to_srgb

    try:
        return to_srgb(image, data, label, values)
    except ImageError:
        raise
    except Exception as e:  # as above
        raise damaged(label, getattr(image, "format", None) or "picture", e) from e


def _turned(shown: Shown, orientation: int) -> Shown:
    alpha = None if shown.alpha is None else orient(shown.alpha, orientation)
    return replace(shown, rgb=orient(shown.rgb, orientation), alpha=alpha)


def _picture(
    shown: Shown,
    label: str,
    notes: tuple[str, ...],
    background: str,
    *,
    source: str | None = None,
    sha256: str | None = None,
    orientation: int,
) -> Picture:
    """A picture from pixels as displayed; without the file's hash it gets that of its pixels."""
    rgb = shown.rgb
    if shown.alpha is not None:
        rgb = lay_on(rgb, shown.alpha, background)
        notes += (f"transparent pixels were laid on {background_words(background)}",)
    rgb = _frozen(rgb)
    h, w = rgb.shape[:2]
    return Picture(
        rgb=rgb,
        source=source,
        sha256=sha256 or rgb_sha256(rgb),
        sha256_of="file" if sha256 else "rgb",
        stored_size=(w, h) if orientation >= 5 else (h, w),
        orientation=orientation,
        warnings=tuple(one_line(f"{label}: {note}") for note in notes),
        alpha=None if shown.alpha is None else _frozen(shown.alpha),
        background=None if shown.alpha is None else background,
        plain=shown.plain,
    )


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


def _stored_orientation(image: Image.Image, kind: str) -> int:
    """The EXIF orientation, 1 … 8, in which an opened file's pixels still lie."""
    if kind == "TIFF":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of tags with more values than they should have
            orientation = getattr(image, "tag_v2", {}).get(ORIENTATION, 1)
        return orientation if orientation in range(1, 9) else 1
    # HEIF and JPEG XL say by themselves how they are turned, and their decoders do it; EXIF data
    # count only for a JPEG that was packed as JPEG XL.
    if kind == "HEIF" or (kind == "JPEG XL" and not getattr(image, "jpeg", False)):
        return 1
    return orientation_of(image.info)


def _pillow_orientation(image: Image.Image) -> int:
    try:
        orientation = image.getexif().get(ORIENTATION, 1)
    except Exception:  # broken EXIF data are no reason to refuse good pixels
        return 1
    return orientation if isinstance(orientation, int) and 1 <= orientation <= 8 else 1


def _printable(path: str) -> str:
    """A path as one line."""
    return path if path.isprintable() else repr(path)
