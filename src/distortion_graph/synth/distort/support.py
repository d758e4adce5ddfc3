"""What part of a picture the pixels of a sub-type depend on, so that no more need be worked out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from distortion_graph.synth.distort.common import Image


@dataclass(frozen=True)
class Near:
    """A pixel depends on the pixels within `reach_px` of it, and on no others.

    Then `SubType.apply_level(image, strength, rng)` gets a part of the picture as if it were all
    of it: the wanted box, `reach_px(strength)` more on every side, out to whole `grid_px` of the
    picture's grid. It draws for the part only.
    """

    reach_px: Callable[[Any], int] = lambda _: 0
    grid_px: int = 1


@dataclass(frozen=True)
class InBox:
    """A pixel depends on the whole picture; `SubType.apply_level(image, strength, rng, box)` gets
    it and gives the pixels of the box.
    """


@dataclass(frozen=True)
class WholeFrame:
    """All pixels are made at once and nothing is drawn, so that a result can be used again.

    `SubType.apply_level(prepared, strength, rng)` gives the whole picture. `prepare(image)` is the
    work that all strengths share; without it the image is handed on.
    """

    prepare: Callable[[Image], Any] = lambda image: image


@dataclass(frozen=True)
class AnewFrame:
    """All pixels are made at once from what is drawn: `SubType.apply_level(image, strength, rng)`
    gives the whole picture, another one every time.
    """


Support = Near | InBox | WholeFrame | AnewFrame
