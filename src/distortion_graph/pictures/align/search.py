"""The search for the mapping between two pictures that are not registered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from distortion_graph.pictures.align.alignment import AlignMode, Model
from distortion_graph.pictures.align.bands import Fitted, Views, fitted_in_bands, fitted_softly
from distortion_graph.pictures.align.blocks import refined_on_blocks
from distortion_graph.pictures.align.channels import in_common_colours, shares_more
from distortion_graph.pictures.align.detail import Pyramid
from distortion_graph.pictures.align.guesses import cheap_guesses, guess_by_features
from distortion_graph.pictures.align.matrices import (
    Matrix,
    corner_distance,
    keeps_frame,
    nearest_shift,
    nearest_similarity,
    scaling,
    shift,
)
from distortion_graph.pictures.align.motions import Motion
from distortion_graph.pictures.align.refine import (
    COARSE_PIXELS,
    FINE_PIXELS,
    FINEST_PIXELS,
    MIDDLE_PIXELS,
    levels_for,
    refined,
)
from distortion_graph.pictures.align.spectra import Shared
from distortion_graph.pictures.align.zooms import with_equal_zoom

_COARSE_STEPS, _MIDDLE_STEPS, _FITTED_STEPS = 15, 10, 4
_FINEST_STEPS = 2
PLAIN_NATS = 300.0  # above it a place has been found
DOUBTFUL_NATS = 150.0  # below it hardly anything is shared
_NEAR_PX = 2.0  # of the coarse level: from there a search ends at the same place
_COLOURS = 3
UNMOVED = 0.82  # of the information that a movement brings; a pixel's shift leaves about as much
_UNMOVED_PX = 3.0  # of the fine level: no blur that is heavier to one side seems to move farther
_SIMPLER = 0.97
_AS_GOOD = 0.99
_SIMPLER_NATS = 3.0
_WHOLE_PX, _MOST_WHOLE_PX = 0.06, 0.25  # of the finest level, and of the picture


class Coarse(NamedTuple):
    """The best guess: picture pixels, `of` to `onto`, and what the pictures share there."""

    matrix: Matrix
    information: float


class Search(NamedTuple):
    """Where the search ended: the model, its mapping, and what the pictures share there.

    `deviation_px` is the standard error of the corners' places at the fine level, None where
    nothing was searched. `coarse_nats` is the best guess's information, `middle` the spectra at the
    middle level.
    """

    model: Model
    matrix: Matrix
    deviation_px: float | None
    coarse_nats: float
    middle: Shared


def coarse_search(onto: Pyramid, of: Pyramid, by_features: bool = True) -> Coarse:
    """The guess at which the reduced pictures share most; features are the last resort."""
    whole = frames(onto, of)
    best = Coarse(whole, _information(onto, of, whole, COARSE_PIXELS))
    best = _better(best, whole, onto, of)
    near = _NEAR_PX / onto.factor_for(COARSE_PIXELS)
    for guess in cheap_guesses(onto, of):
        if corner_distance(guess, best.matrix, of.size) > near:
            best = _better(best, guess, onto, of)
    if by_features and best.information < PLAIN_NATS:
        for guess in guess_by_features(onto, of):
            best = _better(best, guess, onto, of)
    return best


class Alike(NamedTuple):
    """Two pictures as they are best compared, and the mapping from which to search on.

    `views` are the colours in which they are laid on each other.
    """

    onto: Pyramid
    of: Pyramid
    matrix: Matrix
    views: Views


def made_alike(onto: Pyramid, of: Pyramid, coarse: Coarse) -> Alike:
    """Zoom blur of one given to the other, or both in the colours in which they agree."""
    if coarse.information < DOUBTFUL_NATS:  # what is made alike would look like one scene
        return Alike(onto, of, coarse.matrix, _views(onto, of, coarse.matrix))
    rough = refined(onto, of, coarse.matrix, "homography", MIDDLE_PIXELS, _MIDDLE_STEPS)
    found = fitted_in_bands([(onto, of)], rough, "homography", MIDDLE_PIXELS, _FITTED_STEPS)
    matrix = _not_worse(MIDDLE_PIXELS, onto, of, coarse.matrix, found.matrix)
    zoomed = with_equal_zoom(onto, of, matrix)
    if zoomed is not None:
        return Alike(*zoomed, [(zoomed.onto, zoomed.of)])
    views = _views(onto, of, matrix)
    more = shares_more(views[0], (onto, of), matrix, MIDDLE_PIXELS)
    return Alike(*(views[0] if more else (onto, of)), matrix, views)


def _views(onto: Pyramid, of: Pyramid, matrix: Matrix) -> Views:
    views = in_common_colours(onto, of, matrix, MIDDLE_PIXELS, FINEST_PIXELS, _COLOURS)
    return views or [(onto, of)]


def search(alike: Alike, coarse_nats: float, mode: AlignMode) -> Search:
    """From the best guess to the finest level, within the model asked for.

    "auto" and "flow" take the simplest model that explains nearly as much as any: at the middle
    level, and of a large picture, where that level shows small movements no more, at the finest.
    """
    onto, of, start, views = alike
    candidates = _candidates(onto, of, start, views, mode)
    model, matrix, motion = _choice(onto, of, candidates, MIDDLE_PIXELS)
    most = None
    if len(candidates) > 1 and _has_finer(onto, of, matrix, FINEST_PIXELS):
        most = _finer(onto, of, views, candidates[-1].matrix, "homography")
        simpler = _simplified(candidates[0], most.matrix, of)
        model, matrix, motion = _choice(onto, of, simpler, FINEST_PIXELS)
    if motion is None:
        fine = fitted_softly(views, matrix, "translation", FINE_PIXELS, 0)
    else:
        reached = most if motion == "homography" else None
        fine = reached or _finer(onto, of, views, matrix, motion)
        matrix = refined_on_blocks(onto, of, fine.matrix, motion)
    if model == "translation":
        matrix = _whole(matrix, min(_WHOLE_PX / onto.factor_for(FINEST_PIXELS), _MOST_WHOLE_PX))
    middle = levels_for(onto, of, matrix, MIDDLE_PIXELS).shared(matrix)
    return Search(model, matrix, fine.deviation_px, coarse_nats, middle)


class _Candidate(NamedTuple):
    """A model's mapping at the middle level, and the motion to refine it with; None for none."""

    model: Model
    matrix: Matrix
    motion: Motion | None


def _candidates(
    onto: Pyramid, of: Pyramid, start: Matrix, views: Views, mode: AlignMode
) -> list[_Candidate]:
    """The simplest model first."""

    def made(model: Model, motion: Motion, begin: Matrix) -> _Candidate:
        found = fitted_in_bands(views[:1], begin, motion, MIDDLE_PIXELS, _FITTED_STEPS)
        return _Candidate(model, found.matrix, motion)

    moved = (
        ("translation", nearest_shift(start, of.size)),
        ("similarity", nearest_similarity(start, of.size)),
        ("homography", start),
    )
    if mode not in ("auto", "flow"):
        return [made(name, name, begin) for name, begin in moved if name == mode]  # type: ignore[arg-type]
    whole = _Candidate(frame_model(onto, of), frames(onto, of), None)
    return [whole, *(made(name, name, begin) for name, begin in moved)]  # type: ignore[arg-type]


def _simplified(whole: _Candidate, most: Matrix, of: Pyramid) -> list[_Candidate]:
    """The candidates that come of a homography, the simplest first."""
    return [
        whole,
        _Candidate("translation", nearest_shift(most, of.size), "translation"),
        _Candidate("similarity", nearest_similarity(most, of.size), "similarity"),
        _Candidate("homography", most, "homography"),
    ]


def _choice(
    onto: Pyramid, of: Pyramid, candidates: Sequence[_Candidate], pixels: int
) -> _Candidate:
    """The first candidate that explains nearly as much as any at a level.

    A pair is not moved by little for little: a blur that is heavier to one side looks like a shift.
    """
    nats = [_information(onto, of, c.matrix, pixels) for c in candidates]
    most = max(nats)
    best = candidates[int(np.argmax(nats))]
    far = _UNMOVED_PX / onto.factor_for(FINE_PIXELS)
    for candidate, own in zip(candidates, nats, strict=True):
        as_it_is = candidate.model == "none" and _apart(candidate, best, of) <= far
        enough = UNMOVED if as_it_is else _SIMPLER
        if own >= enough * most - _SIMPLER_NATS:
            return candidate
    return best


def _apart(one: _Candidate, other: _Candidate, of: Pyramid) -> float:
    return corner_distance(one.matrix, other.matrix, of.size)


def _finer(onto: Pyramid, of: Pyramid, views: Views, matrix: Matrix, motion: Motion) -> Fitted:
    """The mapping refined at the finer levels, unless the pictures then share less."""
    fine = fitted_softly(views, matrix, motion, FINE_PIXELS, _FITTED_STEPS)
    matrix = _not_worse(FINE_PIXELS, onto, of, matrix, fine.matrix)
    if not fine.softly and _has_finer(onto, of, matrix, FINEST_PIXELS):
        found = fitted_in_bands(views[:1], matrix, motion, FINEST_PIXELS, _FINEST_STEPS)
        matrix = _not_worse(FINEST_PIXELS, onto, of, matrix, found.matrix)
    return fine._replace(matrix=matrix)


def _not_worse(pixels: int, onto: Pyramid, of: Pyramid, matrix: Matrix, found: Matrix) -> Matrix:
    """What was found, unless the pictures then plainly share less, at the middle level and here."""
    for level in (MIDDLE_PIXELS, pixels):
        before, after = (_information(onto, of, m, level) for m in (matrix, found))
        if after >= _AS_GOOD * before:
            return found
    return matrix


def _whole(matrix: Matrix, within: float) -> Matrix:
    """A shift of nearly whole pixels made whole, so that no pixel needs to be resampled."""
    dx, dy = (float(matrix[row, 2]) for row in (0, 1))
    near = max(abs(dx - round(dx)), abs(dy - round(dy))) <= within
    return shift(round(dx), round(dy)) if near else matrix


def _information(onto: Pyramid, of: Pyramid, matrix: Matrix, pixels: int) -> float:
    """What the pictures share at a level, in nats."""
    return levels_for(onto, of, matrix, pixels).shared(matrix).information


def _has_finer(onto: Pyramid, of: Pyramid, matrix: Matrix, pixels: int) -> bool:
    """Whether a level has more pixels to show than the one of a quarter as many."""
    lower, upper = (levels_for(onto, of, matrix, n).onto.detail.size for n in (pixels // 4, pixels))
    return upper > 1.2 * lower


def _better(best: Coarse, guess: Matrix, onto: Pyramid, of: Pyramid) -> Coarse:
    if not keeps_frame(guess, of.size):
        return best
    found = refined(onto, of, guess, "affine", COARSE_PIXELS, _COARSE_STEPS)
    information = _information(onto, of, found, COARSE_PIXELS)
    return Coarse(found, information) if information > best.information else best


def frames(onto: Pyramid, of: Pyramid) -> Matrix:
    """The whole frame of one picture on that of the other."""
    return scaling(onto.size[1] / of.size[1], onto.size[0] / of.size[0])


def frame_model(onto: Pyramid, of: Pyramid) -> Model:
    """What `frames` does: nothing, scale, or scale in two ways."""
    if onto.size == of.size:
        return "none"
    scale = max(a / b for a, b in zip(onto.size, of.size, strict=True))
    same = all(abs(a - b * scale) <= max(scale, 1) for a, b in zip(onto.size, of.size, strict=True))
    return "similarity" if same else "homography"
