"""The wild table: sub-types as cameras, weather and codecs make them, their levels, and level 0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.sub_types import SubType
from distortion_graph.synth.distort.support import AnewFrame
from distortion_graph.synth.distort.wild import (
    blur,
    codecs,
    colour,
    contrast,
    detail,
    exposure,
    haze,
    noise,
    rain,
    snow,
    video,
)


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
    _row("brightness:overexposed", exposure.overexposed, 0.05, 0.5, 0.9, 1.4, 2, 2.8),
    _row("brightness:flare", exposure.flare, 0.003, 0.04, 0.09, 0.16, 0.28, 0.5),
    _row("brightness:curve", exposure.brighter, 0.97, 0.78, 0.65, 0.52, 0.4, 0.27),
    _row("darken:underexposed", exposure.underexposed, 0.05, 0.7, 1.4, 2.2, 3, 4),
    _row("darken:curve", exposure.darker, 1.03, 1.35, 1.7, 2.2, 2.8, 3.6),
    _row("darken:vignette", exposure.vignette, 0.05, 0.6, 1.1, 1.7, 2.5, 3.6),
    _row("contrast_inc:s_curve", contrast.s_curve, 0.2, 1.2, 1.8, 2.6, 3.6, 6),
    _row("contrast_inc:clahe", contrast.clahe, 0.03, 0.25, 0.45, 0.7, 1, 1.5),
    _row("contrast_inc:levels", contrast.levels, 0.005, 0.06, 0.14, 0.26, 0.4, 0.6),
    _row("contrast_dec:flat", contrast.flat, 0.97, 0.7, 0.54, 0.4, 0.28, 0.18),
    _row("contrast_dec:faded", contrast.faded, 0.03, 0.3, 0.46, 0.6, 0.72, 0.82),
    _row("saturate_inc:lab", colour.lab, 1.06, 1.6, 2.3, 3.5, 5, 8, colour=True),
    _row("saturate_inc:vibrance", colour.vibrance, 1.08, 2, 3, 5, 8, 14, colour=True),
    _row("saturate_inc:filter", colour.filtered, 1.06, 1.7, 2.5, 4, 6.5, 11, colour=True),
    _row("saturate_dec:lab", colour.lab, 0.97, 0.65, 0.45, 0.28, 0.12, 0, colour=True),
    _row("saturate_dec:vibrance", colour.vibrance, 0.97, 0.55, 0.35, 0.18, 0.05, -0.1, colour=True),
    _row("saturate_dec:filter", colour.filtered, 0.97, 0.65, 0.45, 0.28, 0.12, 0, colour=True),
    _row("oversharpen:halo", detail.halo, 0.1, 0.6, 1, 1.5, 2.2, 3.5),
    _row("oversharpen:crisp", detail.crisp, 0.2, 2, 3.2, 5, 8, 14),
    _row("oversharpen:upscaled", detail.upscaled, 0.3, 1.2, 1.8, 2.6, 3.8, 6),
    _row("oversharpen:ringing", detail.ringing, 0.2, 1.5, 2.6, 4, 6, 9),
    _row("pixelate:mosaic", detail.mosaic, 1.15, 2, 2.6, 3.3, 4.4, 6),
    _row("haze:air", haze.air, 0.01, 0.13, 0.24, 0.4, 0.7, 1.7, takes_depth=True),
    _row("haze:mist", haze.mist, 0.01, 0.2, 0.35, 0.55, 0.9, 1.7, takes_depth=True),
    _row("haze:fog", haze.fog, 0.01, 0.1, 0.18, 0.3, 0.5, 1.1, takes_depth=True),
    _row("rain:sheets", rain.sheets, 0.1, 3, 6, 10, 16, 26),
    _row("rain:drops", rain.drops, 0.1, 1.5, 3, 5, 8, 13),
    _row("rain:gusts", rain.gusts, 0.1, 1.5, 3, 5, 8, 13),
    _row("snow:flurry", snow.flurry, 0.1, 5, 10, 18, 30, 50),
    _row("snow:blown", snow.blown, 0.1, 3, 6, 10, 16, 26),
    _row("snow:clumps", snow.clumps, 0.1, 5, 10, 18, 30, 50),
)

HELD_OUT = (
    "noise:nlm_denoised",
    "compression:jpeg_xl",
    "haze:fog",
    "rain:gusts",
    "snow:clumps",
)
"""Sub-types that the recipe `wild` never draws: training does not see them, so they test whether a
model knows the distortion or only the renderers that it has learnt."""
