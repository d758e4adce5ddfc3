"""A model asked about regions of an aligned pair, by whoever finds regions by its answers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RegionError
from distortion_graph.masks.container import RegionSet
from distortion_graph.pipeline.pair_regions import AlignedPair, PairRegions, laid_on_both
from distortion_graph.predict.asked import AskedPair, read_words
from distortion_graph.predict.predictions import Predictions
from distortion_graph.predict.session import Model
from distortion_graph.predict.sizes import with_pixels
from distortion_graph.regions.carried import on_whole


class AskedAligned:
    """A model asked about regions of what both pictures show, in the frame of the overlap.

    What is believed of many cells is seen in the frame; what people read of a few regions is said
    of each picture's own pixels.
    """

    def __init__(
        self, model: Model, pair: AlignedPair, say: Callable[[PairRegions], Predictions]
    ) -> None:
        """`say` gives what the model says of the pair's regions."""
        self.model, self.pair, self.say = model, pair, say
        first, second = map(with_pixels, pair.pictures, pair.overlap.pair)
        self._frame = AskedPair(model, first, second)

    @property
    def clean(self) -> str:
        """The word where nothing is wrong."""
        return self._frame.clean

    def beliefs(self, regions: RegionSet) -> NDArray[np.float64]:
        """(2, R, D) probabilities of the distortions."""
        return self._frame.beliefs(regions)

    def words(self, regions: RegionSet) -> list[tuple[str, str]]:
        """What people read of each region; clean where the pictures show nothing of it together."""
        nothing = self.clean, self.clean
        frame, window = self.pair.overlap.frame, self.pair.overlap.window
        whole = on_whole(regions, self.pair.pictures[frame].size, window)
        try:
            laid = laid_on_both(whole, frame, self.pair)
        except RegionError:
            return [nothing] * len(regions)
        read = read_words(self.model, self.say(laid))
        by_id = dict(zip(laid.shown.ids, read, strict=True))
        return [by_id.get(number, nothing) for number in regions.ids]
