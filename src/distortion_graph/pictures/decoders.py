"""Which decoder reads which kind of picture file, and decoding that stops at the first damage."""

from __future__ import annotations

import contextlib
import importlib
import io
import logging
import struct
import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DamageError, ImageError
from distortion_graph.pictures.bmff_boxes import boxes, primary_properties
from distortion_graph.pictures.integrity import check_whole
from distortion_graph.pictures.jpeg_decoding import decode_jpeg
from distortion_graph.pictures.quiet_stderr import without_messages
from distortion_graph.pictures.tiff_directories import (
    BITS_PER_SAMPLE,
    FLOATING_POINT,
    SAMPLE_FORMAT,
    SAMPLES_PER_PIXEL,
    directories,
)
from distortion_graph.work.threads import allowed_threads

if TYPE_CHECKING:
    from PIL import Image

FORMATS_EXTRA = "pip install 'distortion-graph[formats]'"
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")
_SHARED_BRANDS = (b"mif1", b"msf1")
_AV1_MORE_THAN_8_BITS, _AV1_12_BITS = 0x40, 0x20
_JXL_HEADS = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
# What lines of libtiff's own begin with: the name Pillow gives every file, or one of its functions.
_LIBTIFF_MARKS = (
    "tempfile.tif", "Decode", "TIFF", "MissingRequired", "JPEG", "LibJpeg", "StripByteCounts",
    "ChopUp", "CheckDirCount", "InitState", "Fax3", "Apparently",
)  # fmt: skip
_JPEG_COLOURS = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}


@dataclass(frozen=True)
class _Kind:
    """A kind of file: how it begins, and the class that opens it; `extra` is not always there.

    `threads` is the module and the name of a decoder's own number of threads, where it has one.
    Opening by kind keeps Pillow's own process-wide size limit and its warning out of the way: the
    limit here is the caller's.
    """

    name: str
    begins: Callable[[bytes], bool]
    module: str
    opener: str
    extra: bool = False
    threads: tuple[str, str] | None = None


def _is_avif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and (
        head[8:12] in (b"avif", b"avis") or (head[8:12] in _SHARED_BRANDS and not _is_heif(head))
    )


def _is_heif(head: bytes) -> bool:
    """By its main brand, or by the brands beside one that both kinds share."""
    if head[4:8] != b"ftyp":
        return False
    end = min(int.from_bytes(head[:4], "big"), len(head))
    beside = {head[at : at + 4] for at in range(16, end, 4)}
    return head[8:12] in _HEIF_BRANDS or (
        head[8:12] in _SHARED_BRANDS and not beside.isdisjoint(_HEIF_BRANDS)
    )


_HEAD_BYTES = 256
_KINDS: tuple[_Kind, ...] = (
    _Kind("JPEG", lambda b: b.startswith(b"\xff\xd8\xff"), "PIL.JpegImagePlugin", "jpeg_factory"),
    _Kind(
        "PNG", lambda b: b.startswith(b"\x89PNG\r\n\x1a\n"), "PIL.PngImagePlugin", "PngImageFile"
    ),
    _Kind("WebP", lambda b: b[:4] + b[8:12] == b"RIFFWEBP", "PIL.WebPImagePlugin", "WebPImageFile"),
    _Kind(
        "TIFF",
        lambda b: b[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        "PIL.TiffImagePlugin",
        "TiffImageFile",
    ),
    _Kind("BMP", lambda b: b.startswith(b"BM"), "PIL.BmpImagePlugin", "BmpImageFile"),
    _Kind(
        "AVIF",
        _is_avif,
        "PIL.AvifImagePlugin",
        "AvifImageFile",
        threads=("PIL.AvifImagePlugin", "DEFAULT_MAX_THREADS"),
    ),
    _Kind("GIF", lambda b: b[:6] in (b"GIF87a", b"GIF89a"), "PIL.GifImagePlugin", "GifImageFile"),
    _Kind(
        "HEIF",
        _is_heif,
        "pillow_heif.as_plugin",
        "HeifImageFile",
        extra=True,
        threads=("pillow_heif.options", "DECODE_THREADS"),
    ),
    _Kind(
        "JPEG XL",
        lambda b: b.startswith(_JXL_HEADS),
        "pillow_jxl.JpegXLImagePlugin",
        "JXLImageFile",
        extra=True,
        threads=("pillow_jxl.JpegXLImagePlugin", "DECODE_THREADS"),
    ),
)


@dataclass(frozen=True)
class Opened:
    """A file's header as a Pillow image, not decoded, its kind and its bytes."""

    image: Image.Image
    kind: str
    data: bytes


@dataclass(frozen=True)
class Decoded:
    """A decoded picture: the Pillow image is loaded, or `values` are its pixels.

    `values`, (H, W, C): 16 bits that Pillow cannot hold, C of 1 … 4, or 8 bits of another decoder,
    C of 1 or 3. `notes` are about the file, without its name.
    """

    image: Image.Image
    values: NDArray[np.uint8] | NDArray[np.uint16] | None
    notes: tuple[str, ...]

    def numbers(self) -> NDArray[Any]:
        """The pixels as stored: (H, W), or (H, W, C) of several channels; palettes by index."""
        if self.values is None:
            return np.asarray(self.image)
        return self.values[..., 0] if self.values.shape[2] == 1 else self.values


def open_header(data: bytes, label: str, max_pixels: int | None = None) -> Opened:
    """Read a picture file's header only; raises ImageError.

    `max_pixels` bounds width × height.
    """
    if not data:
        raise ImageError(f"{label}: the file is empty, expected a picture")
    kind = next((k for k in _KINDS if k.begins(data[:_HEAD_BYTES])), None)
    if kind is None:
        known = ", ".join(k.name for k in _KINDS)
        raise ImageError(f"{label}: not a picture of a known kind, expected one of {known}")
    opener = _opener(kind, label)
    try:
        if kind.name == "TIFF":
            directories(data)  # Pillow warns of bad ones and goes on
        if kind.name == "JPEG XL":  # whose header is read by decoding it all
            check_pixels(_jxl_size(data), max_pixels, label)
        with _opening_quietly(kind):
            image: Image.Image = opener(io.BytesIO(data))
    except ImageError:
        raise
    except Exception as e:  # a damaged header can raise anything in a decoder
        if kind.name == "TIFF":
            _refuse_floating_point(data, label)
        raise damaged(label, kind.name, e) from e
    check_pixels(image.size, max_pixels, label)
    return Opened(image, kind.name, data)


def decode_strictly(opened: Opened, label: str) -> Decoded:
    """Decode an opened picture; raises ImageError where anything of its file is cut or damaged."""
    image, kind, data = opened.image, opened.kind, opened.data
    try:
        notes = frame_notes(image) + check_whole(data, kind)
        if kind == "JPEG":
            return _decode_jpeg(image, data, notes)
        if kind == "HEIF" and image.info.get("bit_depth", 8) > 8:
            return Decoded(image, _deep_heif(data), notes)
        quiet = without_messages(_LIBTIFF_MARKS) if _by_libtiff(image) else contextlib.nullcontext()
        size = image.size
        with no_truncated_images(), quiet:
            image.load()
        if kind == "HEIF" and image.size != size:
            raise DamageError(f"its header says {size}, its pixels {image.size} (width, height)")
    except Exception as e:  # as above: damaged data, not a defect here
        raise damaged(label, kind, e) from e
    deep = _deep_avif(data, image) if kind == "AVIF" else None
    return Decoded(image, deep, notes)


def frame_notes(image: Image.Image) -> tuple[str, ...]:
    """What to say of further frames or pages, of which none is used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd tags; the pages of a TIFF are gone through
        frames = int(getattr(image, "n_frames", 1))
    if frames < 2:
        return ()
    return (f"has {frames} frames, only number {image.tell() + 1} is used",)


def damaged(label: str, kind: str, error: Exception) -> ImageError:
    """The error for a file that contradicts itself, is cut off, or makes its decoder fail."""
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MemoryError):  # which says nothing of the file
        return ImageError(f"{label}: not enough memory to read it; use a smaller picture")
    return ImageError(
        f"{label}: damaged or incomplete {kind} ({reason}), expected a whole picture; fetch the "
        "file again from where it came"
    )


def _opener(kind: _Kind, label: str) -> Callable[[io.BytesIO], Any]:
    try:
        plugin = importlib.import_module(kind.module)
    except ImportError as e:
        if not kind.extra:
            raise
        raise ImageError(
            f"{label}: found {kind.name}, which needs an extra: {FORMATS_EXTRA}; or convert the "
            "picture to PNG"
        ) from e
    if kind.name == "AVIF" and not plugin.SUPPORTED:
        raise ImageError(f"{label}: this Pillow has no AVIF; convert the picture to PNG")
    opener: Callable[[io.BytesIO], Any] = getattr(plugin, kind.opener)
    return opener


def check_pixels(size: tuple[int, int], max_pixels: int | None, label: str) -> None:
    """Raise ImageError unless a picture of this (width, height) has pixels, and not too many."""
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{label}: found {width}×{height} pixels, expected at least one")
    if max_pixels is not None and width * height > max_pixels:
        raise ImageError(
            f"{label}: found {width}×{height} = {width * height} pixels, expected at most "
            f"{max_pixels}; raise --max-pixels (max_pixels) if the file is trusted"
        )


def _refuse_floating_point(data: bytes, label: str) -> None:
    """Say of a TIFF file that Pillow cannot open if that is the reason."""
    try:
        directory = directories(data)[0]
    except (DamageError, IndexError):
        return
    if FLOATING_POINT in directory.get(SAMPLE_FORMAT, ()):
        bits = directory.get(BITS_PER_SAMPLE, (1,))[0]
        channels = directory.get(SAMPLES_PER_PIXEL, (1,))[0]
        raise ImageError(
            f"{label}: found floating-point pixels of {bits} bits, {channels} "
            f"channel{'s' * (channels != 1)}, expected whole numbers of 8 or 16 bits a channel; "
            "scale it to 16 bits first"
        )


def _decode_jpeg(image: Image.Image, data: bytes, notes: tuple[str, ...]) -> Decoded:
    colours = _JPEG_COLOURS.get(image.mode)
    if colours is None:
        raise DamageError(f"pixels of mode {image.mode}")
    pixels, more = decode_jpeg(data, colours)
    notes += more
    if pixels is None or image.mode == "CMYK":  # whose inversion Pillow knows of
        with no_truncated_images():
            image.load()
        return Decoded(image, None, notes)
    return Decoded(image, pixels, notes)


def _deep_heif(data: bytes) -> NDArray[np.uint16]:
    """Pixels of 10 or 12 bits, scaled to 16."""
    import pillow_heif

    opened = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)
    pixels = np.asarray(opened)
    return pixels if pixels.ndim == 3 else pixels[..., None]


def _deep_avif(data: bytes, image: Image.Image) -> NDArray[np.uint16] | None:
    """Pixels of 10 or 12 bits, scaled to 16, of which Pillow keeps 8; None where there are none."""
    try:
        setup = next((b.data for b in primary_properties(data) if b.kind == b"av1C"), None)
    except (DamageError, struct.error, IndexError):
        return None
    if setup is None or len(setup) < 3 or not setup[2] & _AV1_MORE_THAN_8_BITS:
        return None
    import cv2

    decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    eight: NDArray[np.uint8] = np.asarray(image)
    if decoded is None or decoded.dtype != np.uint16 or decoded.shape != eight.shape:
        return None
    bits = 12 if setup[2] & _AV1_12_BITS else 10
    deep = np.asarray(decoded, np.uint16)[..., [2, 1, 0, 3][: decoded.shape[2]]]
    # Both readers must mean the same pixels, up to rounding.
    if np.abs((deep >> (bits - 8)).astype(np.int16) - eight).max() > 1:
        return None
    top = 2**bits - 1
    return np.asarray((deep.astype(np.uint32) * 65535 + top // 2) // top, np.uint16)


def _jxl_size(data: bytes) -> tuple[int, int]:
    """Width and height from a JPEG XL code stream's SizeHeader (ISO/IEC 18181-1, D.2)."""
    if not data.startswith(_JXL_HEADS[0]):
        parts = {box.kind: bytes(box.data[:64]) for box in boxes(data)}
        data = parts.get(b"jxlc") or parts.get(b"jxlp", b"")[4:]
    bits, at = int.from_bytes(data[2:34], "little"), 0

    def take(count: int) -> int:
        nonlocal at
        value = bits >> at & ((1 << count) - 1)
        at += count
        return value

    def side(small: int) -> int:
        return (take(5) + 1) * 8 if small else take((9, 13, 18, 30)[take(2)]) + 1

    small = take(1)
    height = side(small)
    ratio = take(3)
    if ratio == 0:
        return side(small), height
    across, down = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))[ratio - 1]
    return height * across // down, height


def _by_libtiff(image: Image.Image) -> bool:
    return any(tile[0] == "libtiff" for tile in getattr(image, "tile", ()))


_opening = threading.Lock()


@contextlib.contextmanager
def _opening_quietly(kind: _Kind) -> Iterator[None]:
    """Open within the budget of threads, and without Pillow's remarks on EXIF data and the like,
    which are not for users, who cannot act on them.

    Both are settings of the whole process, so one picture at a time is opened.
    """
    logging.getLogger("PIL").addHandler(_UNHEARD)  # a second time it changes nothing
    with _opening, warnings.catch_warnings(), _decoder_threads(kind):
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def _decoder_threads(kind: _Kind) -> Iterator[None]:
    """Decoders that share their work among threads read how many when a file is opened."""
    if kind.threads is None:
        yield
        return
    module, name = kind.threads
    settings = importlib.import_module(module)
    before = getattr(settings, name)
    setattr(settings, name, allowed_threads())
    try:
        yield
    finally:
        setattr(settings, name, before)


_UNHEARD = logging.NullHandler()

_strict_lock = threading.Lock()
_strict: dict[str, Any] = {"users": 0, "before": False}


@contextlib.contextmanager
def no_truncated_images() -> Iterator[None]:
    """Pillow refuses what is cut off, even where the program around has asked it not to.

    That wish is one for the whole process; it is put back when nobody decodes any more.
    """
    from PIL import ImageFile

    with _strict_lock:
        if _strict["users"] == 0:
            _strict["before"] = ImageFile.LOAD_TRUNCATED_IMAGES
            ImageFile.LOAD_TRUNCATED_IMAGES = False
        _strict["users"] += 1
    try:
        yield
    finally:
        with _strict_lock:
            _strict["users"] -= 1
            if _strict["users"] == 0:
                ImageFile.LOAD_TRUNCATED_IMAGES = _strict["before"]
