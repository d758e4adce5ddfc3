"""Whole frames with the distortions of a draw, and the labels that their losses earn.

A camera has no level that was applied, so a recipe may have its draws judged as a real picture is:
by the loss, 1 − HaarPSI of the whole distorted frame against the clean one, beside the losses of
the published levels (`synth/distort/level_losses.py`). Of several distortions in one region the
one whose own loss, applied alone, is largest gives the region its label.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError
from distortion_graph.masks.boxes import Box
from distortion_graph.measure.quality import HAARPSI, HaarReference, Reference
from distortion_graph.synth.distort import Frames, apply
from distortion_graph.synth.distort.level_losses import level_losses
from distortion_graph.synth.recipes import Draw, Recipe

AS_THEY_HAPPEN = (
    *("haze", "rain", "snow", "blur", "brightness", "darken", "noise"),
    *("contrast_inc", "contrast_dec", "saturate_inc", "saturate_dec"),
    *("oversharpen", "pixelate", "compression"),
)
"""Distortion types from the air through lens, sensor and processing to the file."""


def apply_draw(
    image: NDArray[np.uint8],
    draw: Draw,
    rng: np.random.Generator,
    *,
    depth: NDArray[np.float32] | None = None,
) -> NDArray[np.uint8]:
    """The whole frame with the draw's distortion, and with those it also has, as they happen.

    The order is that of `AS_THEY_HAPPEN`. Unchanged where nothing was drawn.
    """
    parts = [(part.applied, part.level) for part in (draw, *draw.also) if part.applied]
    for (kind, name), level in sorted(parts, key=lambda part: AS_THEY_HAPPEN.index(part[0][0])):
        image = apply(image, kind, name, level, rng, depth=depth)
    return image


def labelled_frame(
    draw: Draw,
    frames: Frames,
    recipe: Recipe,
    rng: np.random.Generator,
    *,
    reference: Reference | None = None,
    depth: NDArray[np.float32] | None = None,
) -> tuple[Draw, NDArray[np.uint8]]:
    """A draw as it is to be called, and the whole frame with all of its distortions.

    Each distortion is measured alone. Where the recipe labels by loss, one that lost next to
    nothing is clean, with its sub-type, the type before it, and its level to say what was applied;
    beside others it is left out. The first is the one that lost most, of equal ones that of the
    vocabulary's order.

    Args:
        draw: as `draw_region` gives it.
        frames: of the clean picture.
        recipe: what it was drawn from.
        rng: for the pixels.
        reference: `HAARPSI.against(frames.clean)`, where it is there already.
        depth: H×W, for haze; larger is farther.
    """
    if draw.applied is None:
        return draw, frames.clean
    if not isinstance(reference, HaarReference):
        reference = HAARPSI.against(frames.clean)
    judged: list[tuple[float, Draw, NDArray[np.uint8]]] = []
    whole = Box.whole(frames.clean.shape)
    for part in (replace(draw, also=()), *draw.also):
        frame = frames.part(*(part.applied or ("", "")), part.level, rng, whole, depth=depth)
        loss = 1 - reference.scene_score(frame)
        judged.append((loss, _labelled(part, loss, recipe), frame))
    index = recipe.vocabulary.distortion_index
    judged.sort(key=lambda part: (-part[0], index(part[1].distortion)))
    shown = [part for part in judged if part[1].distortion != recipe.vocabulary.clean]
    if len(shown) < 2:
        _, only, frame = (shown or judged)[0]
        return only, frame
    several = replace(shown[0][1], also=tuple(part[1] for part in shown[1:]))
    return several, apply_draw(frames.clean, several, rng, depth=depth)


def severity_of_loss(distortion: str, loss: float, recipe: Recipe) -> str:
    """The severity of a loss by a distortion type; the vocabulary's clean for next to nothing.

    Clean is under half of level 1's median loss of that type. Between two severities stands the
    middle of two losses: of the last level of the milder and of the first of the worse one.

    Raises RecipeError for an unknown type, or if the recipe's severities share levels or are not
    in the order of their levels.
    """
    losses = level_losses()
    if loss < losses.least(distortion):
        return recipe.vocabulary.clean
    row = losses.by_type[distortion]
    spans = list(recipe.severity_levels.items())
    for (severity, levels), (_, worse) in pairwise(spans):
        last, first = max(levels), min(worse)
        if last >= first:
            raise RecipeError(
                "labels by loss need severities that rise with their levels, got "
                f"{dict(recipe.severity_levels)}"
            )
        if loss < (row[last - 1] + row[first - 1]) / 2:
            return severity
    return spans[-1][0]


def _labelled(draw: Draw, loss: float, recipe: Recipe) -> Draw:
    if recipe.labelled_by == "level" or draw.applied is None:
        return draw
    kind, name = draw.applied
    severity = severity_of_loss(kind, loss, recipe)
    if severity != recipe.vocabulary.clean:
        return replace(draw, severity=severity)
    return Draw(severity, severity, f"{kind}:{name}", draw.level)
