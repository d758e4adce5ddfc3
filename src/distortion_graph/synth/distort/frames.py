"""What the regions and the versions of one clean picture share."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.masks.boxes import Box
from distortion_graph.synth.distort.common import Image
from distortion_graph.synth.distort.registry import (
    apply_in_box,
    check_box,
    check_image,
    find_strength,
)
from distortion_graph.synth.distort.support import WholeFrame

DEFAULT_LIMIT_BYTES = 64 << 20


class Frames:
    """Distorted parts of one clean picture, where whole frames are made once and kept.

    Only sub-types that always make a whole frame, and draw nothing, are kept (JPEG 2000, WebP,
    pixelation); so a part is the same to the bit whether or not anything was kept. The frames used
    last are kept, within `limit_bytes`. The picture must not change. For one thread.
    """

    def __init__(self, clean: Image, *, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        """`clean` is H×W×3 RGB uint8; raises ImageError for another array."""
        check_image(clean)
        self.clean = clean
        self._limit_bytes = limit_bytes
        self._kept: OrderedDict[tuple[str, str, int], Image] = OrderedDict()
        self._kept_bytes = 0
        self._prepared: dict[tuple[str, str], Any] = {}

    def part(
        self,
        distortion: str,
        subtype: str,
        level: int,
        rng: np.random.Generator,
        box: Box,
        *,
        depth: NDArray[np.float32] | None = None,
    ) -> Image:
        """What `apply_in_box` gives for the clean picture, read-only where it was kept.

        Raises as `apply_in_box` does.
        """
        entry, strength = find_strength(distortion, subtype, level)
        support = entry.support
        if not isinstance(support, WholeFrame):
            return apply_in_box(self.clean, distortion, subtype, level, rng, box, depth=depth)
        check_box(box, self.clean)
        key = (distortion, subtype, level)
        frame = self._kept.get(key)
        if frame is None:
            kind = (distortion, subtype)
            if kind not in self._prepared:
                self._prepared[kind] = support.prepare(self.clean)
            frame = entry.apply_level(self._prepared[kind], strength, rng)
            self._keep(key, frame)
        else:
            self._kept.move_to_end(key)
        return frame[box.area]

    def _keep(self, key: tuple[str, str, int], frame: Image) -> None:
        frame.flags.writeable = False
        self._kept[key] = frame
        self._kept_bytes += frame.nbytes
        while self._kept_bytes > self._limit_bytes:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes
