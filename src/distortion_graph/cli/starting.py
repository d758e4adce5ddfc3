"""What `compare` and `rank` make ready: modules and tables, for `compare` model and pictures too.

One thread at a time runs Python, so importing modules leaves the other cores idle. Meanwhile
another thread has libraries make what they make at their first use.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from distortion_graph.work.threads import allowed_threads, parallel_steps, side_by_side

if TYPE_CHECKING:
    from distortion_graph.pictures.images import Picture
    from distortion_graph.predict.session import Model


def import_all(modules: Sequence[str]) -> None:
    """Import modules of this package, and have OpenCV make its tables of L*a*b* meanwhile.

    It makes them when it first converts a pixel, and takes a tenth of a short run for them.
    """
    import cv2
    import numpy as np

    pixel = np.zeros((1, 1, 3), np.float32)
    tables = partial(cv2.cvtColor, pixel, cv2.COLOR_RGB2LAB)
    side_by_side(tables, lambda: [import_module(f"distortion_graph.{name}") for name in modules])


def read_pair(
    model: Model, anchor: str, target: str, max_pixels: int, background: str
) -> tuple[Picture, Picture]:
    """As `load_pair`, for files alone; the model's networks are opened meanwhile.

    Raises ImageError, and ModelError as `Model.openings` do.
    """
    from distortion_graph.pictures.images import load_picture

    threads = allowed_threads()
    load = partial(load_picture, max_pixels=max_pixels, background=background)
    longest, *others = model.openings(threads)
    steps: list[tuple[int, Callable[[], Any]]] = [(1, longest)]
    steps += [((threads - 1) // 2, partial(load, file)) for file in (anchor, target)]
    _, first, second, *_ = parallel_steps([*steps, *((1, opening) for opening in others)])
    return first, second
