"""What is known of every candidate: held against the original, or in pairs with one another.

`see` is the one place where pictures are looked at. With an original n candidates take n
comparisons, without one n·(n − 1)/2; the encoder sees each picture once (`Model.keeping`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from distortion_graph.pictures.images import Picture
from distortion_graph.predict.sizes import with_pixels
from distortion_graph.ranking.against import see_against
from distortion_graph.ranking.pairs import see_pairs
from distortion_graph.ranking.seen import Looking, Seen, Warn
from distortion_graph.regions import RegionSource, RegionSpec, resolve_regions


def see(
    looking: Looking,
    reference: Picture | None,
    candidates: Sequence[Picture],
    source: RegionSource,
    warn: Warn,
) -> Seen:
    """Look at every candidate.

    Those of another size or place are laid on the original, or on the first candidate where there
    is none; one that cannot be is a problem and no error. Regions are given on that picture, or
    found in the original alone, or in the mean of all candidates of the first one's size.

    Raises RegionError as `resolve_regions` does, RecipeError for a metric that leaves [0, 1]; with
    `looking.strict` ImageError for a candidate that cannot be laid. `warn` is told, in lines, what
    else there is to know.
    """
    base = candidates[0] if reference is None else reference
    if isinstance(source, str | Path):
        source = RegionSpec.parse(source)
    found = isinstance(source, RegionSpec) and source.found_in_pictures
    shown = _mean_picture(candidates) if found and reference is None else base
    regions = resolve_regions(source, shown, shown, warn=warn)
    # Each picture that stands in several pairs is seen once.
    often = [c.rgb for c in candidates] if reference is None else [reference.rgb]
    looking = replace(looking, model=looking.model.keeping(often))
    if reference is None:
        return see_pairs(looking, candidates, regions, warn)
    return see_against(looking, reference, candidates, regions, warn)


def _mean_picture(candidates: Sequence[Picture]) -> Picture:
    """The mean of all candidates of the first one's size, the same in any order of these."""
    first = candidates[0]
    alike = [c.rgb for c in candidates if c.size == first.size]
    total = np.full(first.rgb.shape, len(alike) // 2, np.uint32)
    for rgb in alike:
        total += rgb
    return with_pixels(first, (total // len(alike)).astype(np.uint8))
