"""Small videos for tests, encoded by PyAV: moving photographs with damage where a test wants it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
BY_MILLISECONDS = Fraction(1, 1000)


def encode(
    path: Path,
    frames: Iterable[Rgb | Any],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    *,
    rate: int = 25,
    options: Mapping[str, str] | None = None,
    tags: Mapping[str, int] | None = None,
    milliseconds: Sequence[int] | None = None,
    rotation: tuple[float, bool, bool] | None = None,
) -> Path:
    """Write a video; frames are (H, W, 3) uint8 or PyAV's own.

    `tags` are attributes of the codec's context, such as color_trc; `milliseconds` the times of the
    frames, of a constant rate otherwise; `rotation` degrees counter-clockwise, and whether it is
    flipped left to right or upside down.
    """
    import av

    given = {"crf": "12"} if codec == "libx264" else {}
    with av.open(str(path), "w") as container:
        stream: Any = None
        for number, pixels_of in enumerate(frames):
            frame: Any = pixels_of
            if isinstance(frame, np.ndarray):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")
            if stream is None:
                stream = container.add_stream(
                    codec, rate=rate, options=dict(given if options is None else options)
                )
                stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, pixels
                base = Fraction(1, rate) if milliseconds is None else BY_MILLISECONDS
                stream.codec_context.time_base = base
                for name, value in (tags or {}).items():
                    setattr(stream.codec_context, name, value)
                if rotation is not None:
                    degrees, mirrored, upside_down = rotation
                    stream.set_display_rotation(degrees, hflip=mirrored, vflip=upside_down)
            if milliseconds is not None:
                frame.pts, frame.time_base = milliseconds[number], BY_MILLISECONDS
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return path


def exactly(path: Path, frames: Iterable[Rgb]) -> Path:
    """Write a video without loss."""
    return encode(path, frames, "libx264rgb", "rgb24", options={"qp": "0"})


def moving(count: int, size: tuple[int, int] = (96, 128), speed: float = 3.0) -> list[Rgb]:
    """A view that moves over three photographs in turn, each for a third of the frames."""
    import cv2
    from skimage import data

    height, width = size
    wholes = [
        cv2.resize(getattr(data, name)(), (2 * width, 2 * height), interpolation=cv2.INTER_AREA)
        for name in ("coffee", "astronaut", "chelsea")
    ]
    frames = []
    for k in range(count):
        y = round(height / 2 + height / 3 * np.sin(k * speed / 40))
        x = round(width / 2 + width / 3 * np.cos(k * speed / 57))
        view = wholes[3 * k // count][y : y + height, x : x + width]
        frames.append(np.ascontiguousarray(view, np.uint8))
    return frames


def blurred(frame: Rgb, sigma: float = 3.0) -> Rgb:
    """The same without its fine detail."""
    import cv2

    return np.asarray(cv2.GaussianBlur(frame, (0, 0), sigma), np.uint8)
