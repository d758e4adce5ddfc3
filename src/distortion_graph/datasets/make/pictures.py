"""Encoding the pictures of a data set, and which library decides their bytes."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import OutputError
from distortion_graph.base.files import encode_image
from distortion_graph.synth.distort import find_subtype
from distortion_graph.synth.distort.compression import codec_versions, optional_codec_versions

LOSSLESS = ("png", "webp", "tif", "tiff", "bmp")
LOSSY = ("jpg", "jpeg", "avif")

_WEBP_EFFORT = 2


def check_format(image_format: str, quality: int | None) -> None:
    """Raise OutputError for a format that is not offered or a quality it does not have."""
    if image_format not in LOSSLESS + LOSSY:
        raise OutputError(
            f"unknown image format {image_format!r}, expected one of "
            f"{', '.join(LOSSLESS)} (lossless), {', '.join(LOSSY)}"
        )
    if quality is None:
        return
    if not 1 <= quality <= 100:
        raise OutputError(f"quality is {quality}, expected 1…100")
    if image_format in LOSSLESS and image_format != "webp":
        raise OutputError(f"{image_format} is lossless and has no quality; leave out --quality")


def encode_picture(rgb: NDArray[np.uint8], image_format: str, quality: int | None) -> bytes:
    """The bytes of an (H, W, 3) uint8 picture; the same pixels give the same bytes.

    Lossless where `quality` is None. Raises OutputError where the format cannot hold it.
    """
    name = f"a picture of {rgb.shape[1]}×{rgb.shape[0]}.{image_format}"
    if image_format == "webp" and quality is None:
        return _lossless_webp(rgb, name)
    if quality is None:
        return encode_image(name, rgb, fast=True)
    return encode_image(name, rgb, quality=quality)


def _lossless_webp(rgb: NDArray[np.uint8], name: str) -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    try:
        Image.fromarray(rgb).save(buffer, "WEBP", lossless=True, method=_WEBP_EFFORT, quality=50)
    except (OSError, ValueError, KeyError) as e:
        raise OutputError(f"{name}: cannot be written as WEBP ({e}); try png") from e
    return buffer.getvalue()


def image_codec(image_format: str) -> dict[str, str]:
    """The library and version that decide the bytes of a picture file, by the format's name."""
    import cv2
    from PIL import features

    if image_format == "png":
        return {image_format: f"opencv {cv2.__version__}"}
    library = {"jpg": "libjpeg_turbo", "jpeg": "libjpeg_turbo", "webp": "webp", "avif": "avif"}
    name = library.get(image_format, "pil")
    return {image_format: f"{name} {features.version(name) or 'unknown'}"}


def distortion_codecs(subtypes: set[tuple[str, str]]) -> dict[str, str]:
    """Codecs behind these (type, sub-type) pairs: `compression:jpeg` and the like."""
    known, optional = codec_versions(), optional_codec_versions()
    found = {}
    for distortion, subtype in sorted(subtypes):
        package = optional.get(find_subtype(distortion, subtype).needs or "")
        if package:
            found[f"{distortion}:{subtype}"] = package
        elif distortion == "compression" and subtype in known:
            found[f"{distortion}:{subtype}"] = f"{subtype} {known[subtype]}"
    return found
