"""The wild table: sub-types as cameras, weather and codecs make them, their levels, and level 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.sub_types import SubType
from distortion_graph.synth.distort.support import AnewFrame
from distortion_graph.synth.distort.wild import blur, codecs, noise, video


def _row(
    full_name: str,
    apply_level: Callable[..., Image],
    weakest: float,
    *strengths: float,
    **more: Any,
) -> SubType:
    distortion, _, name = full_name.partition(":")
    return SubType(
        distortion,
        name,
        apply_level,
        strengths,
        AnewFrame(),
        drawn=False,
        weakest=weakest,
        **more,
    )


WILD = (
    _row("blur:shake", blur.shake, 0.8, 4, 8, 13, 20, 32),
    _row("blur:defocus", blur.defocus, 0.5, 1.8, 3, 4.5, 6.5, 10),
    _row("blur:defocus_depth", blur.defocus_depth, 0.5, 2, 3.2, 5, 7.5, 12, takes_depth=True),
    _row("blur:soft", blur.soft, 0.3, 1.2, 2, 3, 4.5, 7),
    _row("blur:enlarged", blur.enlarged, 0.9, 0.42, 0.3, 0.22, 0.15, 0.1),
    _row("noise:sensor", noise.sensor, 0.7, 4, 7, 11, 17, 28),
    _row("noise:coloured", noise.coloured, 1, 5, 9, 14, 22, 36),
    _row("noise:chroma", noise.chroma, 1.5, 7, 13, 20, 30, 42),
    _row("noise:denoised", noise.denoised, 1, 6, 11, 17, 26, 40),
    _row("noise:nlm_denoised", noise.nlm_denoised, 1, 6, 11, 17, 26, 40),
    _row("compression:jpeg_any", codecs.jpeg, 92, 40, 25, 15, 9, 5),
    _row("compression:jpeg_twice", codecs.jpeg_twice, 90, 42, 26, 16, 10, 5),
    _row("compression:jpeg2000_rate", codecs.jpeg2000, 6, 25, 50, 85, 130, 220),
    _row("compression:heic", codecs.heic, 65, 32, 22, 14, 7, 0, needs="pillow_heif"),
    _row("compression:jpeg_xl", codecs.jpeg_xl, 90, 50, 30, 15, 7, 1, needs="pillow_jxl"),
    _row("compression:h264", video.frame_of("h264"), 16, 27, 32, 37, 43, 50, needs="av"),
    _row("compression:hevc", video.frame_of("hevc"), 16, 28, 33, 38, 44, 51, needs="av"),
    _row("compression:vp9", video.frame_of("vp9"), 20, 46, 53, 58, 61, 63, needs="av"),
    _row("compression:av1", video.frame_of("av1"), 20, 42, 50, 56, 60, 63, needs="av"),
)

HELD_OUT = (
    "noise:nlm_denoised",
    "compression:jpeg_xl",
)
"""Sub-types that the recipe `wild` never draws: training does not see them, so they test whether a
model knows the distortion or only the renderers that it has learnt."""
