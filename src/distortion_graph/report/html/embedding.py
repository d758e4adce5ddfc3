"""Pictures inside a page: a file that browsers show goes in byte for byte, any other losslessly."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import ImageError
from distortion_graph.images import Picture

LOSSY_QUALITY = 80
"""WebP quality of a page that was asked to be small."""

_WEBP_LARGEST_PX = 16383
_UPRIGHT = 1

# What files of kinds that browsers show have at a place near their beginning.
_SHOWN_AS_THEY_ARE: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypavif", "image/avif"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
)


@dataclass(frozen=True)
class Embedded:
    """A picture as a page holds it.

    `how` says in words what became of the pixels; `exact` is whether they are the picture's own.
    """

    url: str
    how: str
    exact: bool


def embed(picture: Picture, data: bytes | None, *, lossy: bool = False) -> Embedded:
    """The picture as a data: URL.

    Args:
        picture: the pixels as the graph was made from them.
        data: the bytes of its file, where there is one.
        lossy: WebP of quality `LOSSY_QUALITY` instead.

    Returns:
        The file itself where browsers show it as `images` does: JPEG, PNG, WebP, AVIF, GIF and BMP
        of one frame. Files of other kinds, of 16 bits, with transparency, or with colours that not
        every browser converts alike, pictures of several frames, turned pictures other than JPEG,
        and arrays become lossless WebP, or PNG where they are too large for that.

    Raises ImageError where Pillow was built without WebP.
    """
    if lossy:
        how = f"re-encoded with loss (WebP, quality {LOSSY_QUALITY})"
        return Embedded(_url("image/webp", _webp(picture.rgb, lossless=False)), how, exact=False)
    kind = None if data is None else _browser_kind(picture, data)
    if data is not None and kind is not None:
        return Embedded(_url(kind, data), "the file, byte for byte", exact=True)
    if max(picture.size) > _WEBP_LARGEST_PX:
        return Embedded(_url("image/png", _png(picture.rgb)), "lossless PNG", exact=True)
    coded = _webp(picture.rgb, lossless=True)
    return Embedded(_url("image/webp", coded), "lossless WebP", exact=True)


def thumbnail(rgb: NDArray[np.uint8], longest_px: int) -> str:
    """A small picture as a data: URL (WebP), scaled down to `longest_px`, never up."""
    import cv2

    height, width = rgb.shape[:2]
    scale = min(1.0, longest_px / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = rgb if scale == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return _url("image/webp", _webp(np.asarray(small, np.uint8), lossless=False))


def _browser_kind(picture: Picture, data: bytes) -> str | None:
    """The media type under which a browser shows the file with the picture's very pixels."""
    if not picture.plain:
        return None
    for place, mark, kind in _SHOWN_AS_THEY_ARE:
        if data.startswith(mark, place):
            turned = picture.orientation != _UPRIGHT and kind != "image/jpeg"
            return None if turned or _frames(data) > 1 else kind
    return None


def _frames(data: bytes) -> int:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as image:
            # A JPEG's further frames are previews and depth maps that no browser shows.
            return 1 if image.format in ("JPEG", "MPO") else int(getattr(image, "n_frames", 1))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return 2  # better encoded again than shown otherwise than it was read


def _webp(rgb: NDArray[np.uint8], *, lossless: bool) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    # Method 0 takes a quarter of the time; lossless, its files are a few per cent larger.
    options = {"lossless": True, "quality": 20, "method": 0} if lossless else {"method": 4}
    try:
        image = Image.fromarray(np.ascontiguousarray(rgb))
        image.save(buffer, "WEBP", **({"quality": LOSSY_QUALITY} | options))
    except (OSError, ValueError, KeyError) as error:
        raise ImageError(f"report: a picture cannot be written as WebP ({error})") from error
    return buffer.getvalue()


def _png(rgb: NDArray[np.uint8]) -> bytes:
    from distortion_graph.files import encode_image

    return encode_image("picture.png", rgb, fast=True)


def _url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"
