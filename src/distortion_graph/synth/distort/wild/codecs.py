"""Compression by many encoders. Strengths are the encoder's own quality unless a name says else.

Output depends on the codecs' versions.
"""

from __future__ import annotations

import io
from typing import Any, cast

import cv2
import numpy as np
import simplejpeg
from PIL import Image as PillowImage
from PIL.JpegImagePlugin import JpegImageFile

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.compression import Subsampling, through_codec

_SUBSAMPLINGS: tuple[Subsampling, ...] = ("444", "422", "420")
_OPENCV_SUBSAMPLING = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "422": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}
_JPEG_BLOCK_PX = 8
_JPEG_MCU_PX = 16


def jpeg(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """JPEG with 4:4:4, 4:2:2 or 4:2:0 chroma by one of four encoders.

    Pillow, OpenCV and simplejpeg use the standard's tables scaled by quality, with exact and fast
    transforms; one has tables of its own, flatter than those, as cameras do.
    """
    subsampling = _SUBSAMPLINGS[int(rng.integers(3))]
    step = round(quality)
    match int(rng.integers(4)):
        case 0:
            return through_codec(
                image, "JPEG", quality=step, subsampling=_SUBSAMPLINGS.index(subsampling)
            )
        case 1:
            return _jpeg_of_opencv(image, step, subsampling)
        case 2:
            return _jpeg_of_simplejpeg(image, step, subsampling, rng)
    tables = _flatter_tables(step, float(rng.uniform(0.2, 0.9)))
    return through_codec(
        image, "JPEG", qtables=tables, subsampling=_SUBSAMPLINGS.index(subsampling)
    )


def jpeg_twice(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """JPEG of the quality, and after a crop, whose grid lies elsewhere, JPEG again, no worse."""
    height, width = image.shape[:2]
    dx, dy = (int(d) for d in rng.integers(1, _JPEG_BLOCK_PX, 2))
    shifted = cv2.copyMakeBorder(image, dy, 0, dx, 0, cv2.BORDER_REPLICATE)
    first = jpeg(np.asarray(shifted, np.uint8), quality, rng)[dy : dy + height, dx : dx + width]
    return jpeg(np.ascontiguousarray(first), rng.uniform(quality, 95), rng)


def jpeg2000(image: Image, ratio: float, rng: np.random.Generator) -> Image:
    """JPEG 2000 at a compression ratio, whole or in tiles."""
    options: dict[str, Any] = {}
    if rng.random() < 0.3:
        options["tile_size"] = (128, 128)
    return through_codec(
        image,
        "JPEG2000",
        quality_mode="rates",
        quality_layers=[ratio],
        irreversible=True,
        **options,
    )


def heic(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """HEIC, intra frames of HEVC, by pillow-heif."""
    del rng
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return through_codec(image, "HEIF", quality=round(quality), enc_params={"preset": "ultrafast"})


def jpeg_xl(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """JPEG XL with variable transforms, by pillow-jxl-plugin."""
    del rng
    import pillow_jxl  # noqa: F401  (it registers the format)

    return through_codec(image, "JXL", quality=round(quality), effort=4)


def _jpeg_of_opencv(image: Image, quality: int, subsampling: Subsampling) -> Image:
    options = [
        cv2.IMWRITE_JPEG_QUALITY,
        quality,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        _OPENCV_SUBSAMPLING[subsampling],
    ]
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(image, cv2.COLOR_RGB2BGR), options)
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), np.uint8)


def _jpeg_of_simplejpeg(
    image: Image, quality: int, subsampling: Subsampling, rng: np.random.Generator
) -> Image:
    fast = bool(rng.random() < 0.5)
    encoded = simplejpeg.encode_jpeg(
        np.ascontiguousarray(image), quality, "RGB", subsampling, fastdct=fast
    )
    return np.asarray(simplejpeg.decode_jpeg(encoded, fastdct=fast, fastupsample=fast))


def _flatter_tables(quality: int, flatness: float) -> list[list[int]]:
    """Quantisation of luma and chroma: the standard's at that quality, mixed with a flat one.

    The flat one has the mean step of the standard's 6×6 lowest frequencies.
    """
    buffer = io.BytesIO()
    PillowImage.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
    with PillowImage.open(buffer) as written:
        quantization = cast(JpegImageFile, written).quantization
        standard = [np.array(quantization[k], np.float64) for k in (0, 1)]
    mixed = []
    for table in standard:
        flat = table.reshape(8, 8)[:6, :6].mean()
        steps = np.rint(table + flatness * (flat - table)).clip(1, 255)
        mixed.append([int(step) for step in steps])
    return mixed
