"""The published table: every distortion type, its sub-types and the five levels of each."""

from __future__ import annotations

import math

from distortion_graph.synth.distort import blur, colour, compression, detail, noise, tone, weather
from distortion_graph.synth.distort.sub_types import SubType
from distortion_graph.synth.distort.support import InBox, Near, WholeFrame

_ITSELF = Near()
_IN_BOX = InBox()

PUBLISHED = (
    SubType(
        "blur",
        "gaussian",
        blur.gaussian,
        (1, 2, 3, 4, 5),
        Near(blur.gaussian_reach_px),
        weakest=0.3,
    ),
    SubType(
        "blur",
        "motion",
        blur.motion,
        ((5, 3), (10, 5), (15, 7), (15, 9), (20, 12)),
        Near(lambda shape: int(shape[0])),
    ),
    SubType("blur", "lens", blur.lens, (2, 3, 4, 6, 8), Near(math.ceil), weakest=0.5),
    SubType("blur", "zoom", blur.zoom, (1.03, 1.06, 1.10, 1.15, 1.21), _IN_BOX),
    SubType(
        "blur",
        "glass",
        blur.glass,
        ((0.7, 1, 1), (0.9, 2, 1), (1.2, 2, 2), (1.4, 3, 2), (1.6, 4, 2)),
        Near(blur.glass_reach_px),
    ),
    SubType("blur", "jitter", blur.jitter, (1, 2, 3, 4, 5), Near(int)),
    SubType(
        "noise",
        "gaussian_rgb",
        noise.gaussian_rgb,
        (0.05, 0.10, 0.15, 0.20, 0.25),
        _ITSELF,
        weakest=0.005,
    ),
    SubType(
        "noise",
        "gaussian_ycrcb",
        noise.gaussian_ycrcb,
        tuple(
            (luma, luma * ratio)
            for luma, ratio in zip(
                (0.05, 0.06, 0.07, 0.08, 0.09), (1, 1.45, 1.9, 2.35, 2.8), strict=True
            )
        ),
        _ITSELF,
        weakest=(0.005, 0.005),
    ),
    SubType(
        "noise", "speckle", noise.speckle, (0.14, 0.21, 0.28, 0.35, 0.42), _ITSELF, weakest=0.015
    ),
    SubType(
        "noise",
        "correlated",
        noise.correlated,
        (0.08, 0.11, 0.14, 0.18, 0.22),
        Near(lambda _: noise.CORRELATED_REACH_PX),
        weakest=0.01,
    ),
    SubType("noise", "poisson", noise.poisson, (80, 60, 40, 25, 15), _ITSELF, weakest=6000),
    SubType(
        "noise", "impulse", noise.impulse, (0.01, 0.03, 0.05, 0.07, 0.10), _ITSELF, weakest=0.0002
    ),
    SubType(
        "compression",
        "jpeg",
        compression.jpeg,
        (25, 18, 12, 8, 5),
        Near(lambda _: compression.JPEG_REACH_PX, compression.JPEG_GRID_PX),
        weakest=90,
    ),
    SubType(
        "compression",
        "jpeg2000",
        compression.jpeg2000,
        compression.JPEG2000_PSNR_DB,
        WholeFrame(compression.jpeg2000_stream),
    ),
    SubType(
        "compression",
        "webp",
        compression.webp,
        (20, 12, 8, 4, 1),
        WholeFrame(),
        drawn=False,
        weakest=85,
    ),
    SubType(
        "compression",
        "avif",
        compression.avif,
        (40, 30, 20, 12, 3),
        WholeFrame(),
        drawn=False,
        weakest=80,
    ),
    SubType(
        "brightness",
        "hsv_shift",
        tone.shift_value,
        (0.1, 0.2, 0.3, 0.4, 0.5),
        _ITSELF,
        weakest=0.01,
    ),
    SubType(
        "brightness",
        "rgb_shift",
        tone.shift_rgb,
        (0.1, 0.15, 0.2, 0.27, 0.35),
        _ITSELF,
        weakest=0.01,
    ),
    SubType(
        "brightness",
        "hsv_gamma",
        tone.gamma_value,
        (0.7, 0.58, 0.47, 0.36, 0.25),
        _ITSELF,
        weakest=0.97,
    ),
    SubType(
        "brightness", "rgb_gamma", tone.gamma_rgb, (0.8, 0.7, 0.6, 0.45, 0.3), _ITSELF, weakest=0.98
    ),
    SubType(
        "darken",
        "hsv_shift",
        tone.shift_value,
        (-0.1, -0.2, -0.3, -0.4, -0.5),
        _ITSELF,
        weakest=-0.01,
    ),
    SubType(
        "darken",
        "rgb_shift",
        tone.shift_rgb,
        (-0.1, -0.15, -0.2, -0.27, -0.35),
        _ITSELF,
        weakest=-0.01,
    ),
    SubType(
        "darken", "hsv_gamma", tone.gamma_value, (1.5, 1.8, 2.2, 2.7, 3.5), _ITSELF, weakest=1.04
    ),
    SubType(
        "darken", "rgb_gamma", tone.gamma_rgb, (1.4, 1.7, 2.1, 2.6, 3.2), _ITSELF, weakest=1.03
    ),
    SubType(
        "contrast_inc",
        "scale",
        tone.scale_about_mean,
        (1.4, 1.7, 2.1, 2.6, 4),
        _IN_BOX,
        weakest=1.03,
    ),
    SubType("contrast_inc", "stretch", tone.stretch, (2, 4, 6, 8, 10), _IN_BOX),
    SubType(
        "contrast_dec",
        "scale",
        tone.scale_about_mean,
        (0.75, 0.6, 0.45, 0.3, 0.2),
        _IN_BOX,
        weakest=0.98,
    ),
    SubType("contrast_dec", "stretch", tone.stretch, (1, 0.9, 0.8, 0.6, 0.4), _IN_BOX),
    SubType(
        "saturate_inc",
        "hsv",
        colour.saturate_hsv,
        (3, 6, 12, 20, 64),
        _ITSELF,
        colour=True,
        weakest=1.1,
    ),
    SubType(
        "saturate_inc",
        "ycrcb",
        colour.saturate_ycrcb,
        (2, 3, 5, 8, 16),
        _ITSELF,
        colour=True,
        weakest=1.05,
    ),
    SubType(
        "saturate_dec",
        "hsv",
        colour.saturate_hsv,
        (0.7, 0.55, 0.4, 0.2, 0),
        _ITSELF,
        colour=True,
        weakest=0.97,
    ),
    SubType(
        "saturate_dec",
        "ycrcb",
        colour.saturate_ycrcb,
        (0.6, 0.4, 0.2, 0.1, 0),
        _ITSELF,
        colour=True,
        weakest=0.97,
    ),
    SubType(
        "oversharpen",
        "unsharp",
        detail.unsharp,
        (2, 2.8, 4, 6, 8),
        Near(lambda _: detail.UNSHARP_REACH_PX),
        weakest=0.2,
    ),
    SubType("pixelate", "block", detail.pixelate, (0.5, 0.4, 0.3, 0.25, 0.2), WholeFrame()),
    SubType(
        "haze",
        "scattering",
        weather.haze,
        (0.6, 0.9, 1.2, 1.6, 2.0),
        _IN_BOX,
        takes_depth=True,
        weakest=0.05,
    ),
    SubType(
        "rain",
        "streaks",
        weather.rain,
        (
            (0.0006, 8, 0),
            (0.001, 12, 0.05),
            (0.0015, 18, 0.1),
            (0.0022, 24, 0.15),
            (0.003, 30, 0.2),
        ),
        _IN_BOX,
        weakest=(0.00005, 4, 0),
    ),
    SubType(
        "snow",
        "flakes",
        weather.snow,
        ((0.0006, 0), (0.0012, 0.03), (0.002, 0.06), (0.003, 0.09), (0.0045, 0.12)),
        _IN_BOX,
        weakest=(0.00005, 0),
    ),
)
