"""Codec artefacts: a picture written and read back. Output depends on the codec's version."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image as PillowImage
from PIL import features

from distortion_graph.distort.common import Image


def jpeg(image: Image, quality: int, rng: np.random.Generator) -> Image:
    """Baseline JPEG, 4:2:0 chroma, at the given quality."""
    del rng
    return _through_codec(image, "JPEG", quality=quality)


def jpeg2000(image: Image, psnr_db: float, rng: np.random.Generator) -> Image:
    """JPEG 2000 (irreversible wavelet) at a target PSNR in dB."""
    del rng
    return _through_codec(
        image, "JPEG2000", quality_mode="dB", quality_layers=[psnr_db], irreversible=True
    )


def webp(image: Image, quality: int, rng: np.random.Generator) -> Image:
    """Lossy WebP at the given quality."""
    del rng
    return _through_codec(image, "WEBP", quality=quality, method=4)


def codec_versions() -> dict[str, str]:
    """Versions of the libraries that decide the bytes of compressed pictures."""
    names = {"jpeg": "libjpeg_turbo", "jpeg2000": "jpg_2000", "webp": "webp"}
    found = {name: features.version(feature) for name, feature in names.items()}
    return {"pillow": features.version("pil") or "unknown"} | {
        name: version or "unknown" for name, version in found.items()
    }


def _through_codec(image: Image, codec: str, **options: Any) -> Image:
    buffer = io.BytesIO()
    PillowImage.fromarray(image).save(buffer, codec, **options)
    with PillowImage.open(buffer) as decoded:
        return np.asarray(decoded.convert("RGB"))
