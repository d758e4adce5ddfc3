"""Frames of videos: a slow movement coded as H.264, HEVC, VP9 or AV1, of which one frame is kept.

Strengths are constant rate factors, larger is worse. PyAV (`av`) does the work.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import cv2
import numpy as np

from distortion_graph.pictures.quiet_stderr import without_messages
from distortion_graph.synth.distort.common import Image

_FRAMES = 4
_SMALLEST_PX = 64  # encoders refuse smaller frames
_GRID_PX = 8

_ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    # With mbtree x264 gives other bytes in one run of ten, on one thread too.
    "h264": ("libx264", {"preset": "veryfast", "mbtree": "0"}),
    "hevc": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=none:pools=1"}),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "6", "b": "0"}),
    "av1": ("libsvtav1", {"preset": "11", "svtav1-params": "lp=1"}),
}


def frame_of(codec: str) -> Callable[[Image, float, np.random.Generator], Image]:
    """The sub-type's function of a codec: "h264", "hevc", "vp9" or "av1"."""

    def apply_level(image: Image, rate_factor: float, rng: np.random.Generator) -> Image:
        moved_px = rng.uniform(-1.5, 1.5, 2)
        kept = int(rng.integers(_FRAMES))
        frames = [_moved(image, (k - kept) * moved_px) for k in range(_FRAMES)]
        # For root SVT-AV1 turns the thread that calls it into a real-time one, above all others.
        with ThreadPoolExecutor(1) as other_thread:
            coded = other_thread.submit(_coded, frames, codec, round(rate_factor)).result()
        return coded[kept][: image.shape[0], : image.shape[1]]

    return apply_level


def _moved(image: Image, shift_px: np.ndarray[Any, np.dtype[np.float64]]) -> Image:
    """The picture moved, at its lower and right borders continued to a size that encoders take."""
    height, width = (max(_SMALLEST_PX, -(-side // _GRID_PX) * _GRID_PX) for side in image.shape[:2])
    below, right = height - image.shape[0], width - image.shape[1]
    framed = cv2.copyMakeBorder(image, 0, below, 0, right, cv2.BORDER_REPLICATE)
    if not shift_px.any():
        return np.asarray(framed, np.uint8)
    matrix = np.array([[1, 0, shift_px[0]], [0, 1, shift_px[1]]])
    moved = cv2.warpAffine(
        framed, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(moved, np.uint8)


def _coded(frames: list[Image], codec: str, rate_factor: int) -> list[Image]:
    """The frames through an encoder and its decoder, 4:2:0 chroma, on one thread."""
    av: Any = import_module("av")  # an extra, whose types are not always there
    encoder, options = _ENCODERS[codec]
    buffer = io.BytesIO()
    # SVT-AV1 tells of every encoder that it opens.
    with without_messages(("Svt[",)), av.open(buffer, "w", format="matroska") as container:
        stream = container.add_stream(encoder, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = options | {"crf": str(rate_factor)}
        stream.codec_context.thread_count = 1
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode())
    buffer.seek(0)
    with av.open(buffer) as container:
        return [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
