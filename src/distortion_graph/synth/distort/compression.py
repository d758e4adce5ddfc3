"""Codec artefacts: a picture written and read back. Output depends on the codec's version."""

from __future__ import annotations

import io
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Literal, cast

import numpy as np
import simplejpeg
from PIL import Image as PillowImage
from PIL import features

from distortion_graph.synth.distort.common import Image

Subsampling = Literal["444", "422", "420"]
"""Chroma samples of four pixels in each of two rows."""

JPEG_REACH_PX = 2
"""4:2:0 chroma is interpolated between neighbouring samples, which lie two pixels apart."""

JPEG_GRID_PX = 16
"""Side of JPEG's blocks of 8×8 samples of 4:2:0 chroma; one does not change another."""

JPEG_LONGEST_PX = 65500
"""The longest side that libjpeg takes."""

JPEG2000_PSNR_DB = (29, 27.5, 26, 24.5, 23)
"""Targets of the layers of `jpeg2000_stream`, the best first."""


def jpeg(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """Baseline JPEG, 4:2:0 chroma, at the given quality."""
    del rng
    return through_codec(image, "JPEG", quality=round(quality))


def jpeg_saved(image: Image, quality: int, subsampling: Subsampling) -> Image:
    """A picture saved as JPEG and read back, by the quickest encoder."""
    encoded = simplejpeg.encode_jpeg(np.ascontiguousarray(image), quality, "RGB", subsampling)
    return np.asarray(simplejpeg.decode_jpeg(encoded))


def jpeg2000_stream(image: Image) -> bytes:
    """JPEG 2000 (irreversible wavelet) with a quality layer for each of `JPEG2000_PSNR_DB`."""
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(
        buffer,
        "JPEG2000",
        quality_mode="dB",
        quality_layers=list(reversed(JPEG2000_PSNR_DB)),
        irreversible=True,
    )
    return buffer.getvalue()


def jpeg2000(stream: bytes, psnr_db: float, rng: np.random.Generator) -> Image:
    """The picture of a `jpeg2000_stream` at one of its target PSNR, in dB."""
    del rng
    layers = len(JPEG2000_PSNR_DB) - JPEG2000_PSNR_DB.index(psnr_db)
    with PillowImage.open(io.BytesIO(stream)) as decoded:
        # Pillow's own `layers` has an effect only on pictures that are read reduced.
        codec, reduce, _, *rest = cast(tuple[Any, ...], decoded.tile[0].args)
        decoded.tile = [decoded.tile[0]._replace(args=(codec, reduce, layers, *rest))]
        return np.asarray(decoded.convert("RGB"))


def webp(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """Lossy WebP at the given quality."""
    del rng
    return through_codec(image, "WEBP", quality=round(quality), method=4)


def avif(image: Image, quality: float, rng: np.random.Generator) -> Image:
    """AVIF, 4:2:0 chroma, at the given quality, by the fast preset."""
    del rng
    return through_codec(image, "AVIF", quality=round(quality), speed=9, subsampling="4:2:0")


def codec_versions() -> dict[str, str]:
    """Versions of the libraries that decide the bytes of compressed pictures."""
    names = {"jpeg": "libjpeg_turbo", "jpeg2000": "jpg_2000", "webp": "webp", "avif": "avif"}
    versions = {name: features.version(feature) for name, feature in names.items()}
    return {"pillow": features.version("pil") or "unknown"} | {
        name: text or "unknown" for name, text in versions.items()
    }


def optional_codec_versions() -> dict[str, str]:
    """Name and version of the package behind a Python module, of optional codecs that are there."""
    packages = {"av": "av", "pillow_heif": "pillow-heif", "pillow_jxl": "pillow-jxl-plugin"}
    return {
        module: f"{package} {version(package)}"
        for module, package in packages.items()
        if find_spec(module)
    }


def through_codec(image: Image, codec: str, **options: Any) -> Image:
    """A picture saved by Pillow in a format of that name, and read back."""
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, codec, **options)
    with PillowImage.open(buffer) as decoded:
        return np.asarray(decoded.convert("RGB"))
