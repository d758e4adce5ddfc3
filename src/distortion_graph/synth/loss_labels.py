"""Labels by loss: what a distorted frame has lost decides what it is called, not what was asked.

A camera has no level that was applied, so a draw is judged as a real picture is: by its loss,
1 − HaarPSI of the whole distorted frame against the clean one, beside the losses of the published
levels (`synth/distort/level_losses.py`).
"""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError
from distortion_graph.measure.quality import HAARPSI, HaarReference, Reference
from distortion_graph.synth.distort.level_losses import level_losses
from distortion_graph.synth.recipes import Draw, Recipe


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
    for (severity, levels), (_, worse) in itertools.pairwise(spans):
        last, first = max(levels), min(worse)
        if last >= first:
            raise RecipeError(
                "labels by loss need severities that rise with their levels, got "
                f"{dict(recipe.severity_levels)}"
            )
        if loss < (row[last - 1] + row[first - 1]) / 2:
            return severity
    return spans[-1][0]


def labelled(
    draw: Draw,
    frame: NDArray[np.uint8],
    clean: NDArray[np.uint8],
    recipe: Recipe,
    reference: Reference | None = None,
) -> Draw:
    """The draw with the labels that its loss earns, where the recipe labels by loss.

    A draw that lost next to nothing is clean; its sub-type, with the type before it, and its level
    still say what was applied.

    Args:
        draw: as `draw_region` gives it.
        frame: the whole picture with the draw's distortion, H×W×3 uint8.
        clean: the picture that was distorted.
        recipe: what it was drawn from.
        reference: `HAARPSI.against(clean)`, where it is there already.
    """
    if recipe.labelled_by == "level" or draw.applied is None:
        return draw
    if not isinstance(reference, HaarReference):
        reference = HAARPSI.against(clean)
    kind, name = draw.applied
    severity = severity_of_loss(kind, 1 - reference.scene_score(frame), recipe)
    if severity != recipe.vocabulary.clean:
        return replace(draw, severity=severity)
    return Draw(severity, severity, f"{kind}:{name}", draw.level)
