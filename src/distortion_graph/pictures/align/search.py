"""The search for the mapping between two pictures that are not registered."""

from __future__ import annotations

from typing import NamedTuple

from distortion_graph.pictures.align.alignment import AlignMode, Model
from distortion_graph.pictures.align.detail import Pyramid
from distortion_graph.pictures.align.guesses import cheap_guesses, guess_by_features
from distortion_graph.pictures.align.matrices import (
    Matrix,
    nearest_shift,
    nearest_similarity,
    scaling,
    shift,
)
from distortion_graph.pictures.align.refine import Motion, levels_for, refined
from distortion_graph.pictures.align.spectra import Shared

COARSE_PIXELS = 12_000
MIDDLE_PIXELS = 40_000
_FINE_PIXELS = 240_000
_FINEST_PIXELS = 1_000_000
_COARSE_STEPS, _MIDDLE_STEPS, _FINE_STEPS, _FINEST_STEPS = 15, 10, 8, 5
_PLAIN_NATS = 600.0
_SIMPLER = 0.97  # of the information that the most general model finds
_SIMPLER_NATS = 3.0
_WHOLE_PX = 0.06


class Coarse(NamedTuple):
    """The best guess: picture pixels, `of` to `onto`, and what the pictures share there."""

    matrix: Matrix
    information: float


class Search(NamedTuple):
    """Where the search ended: the model, its mapping, and what the pictures share there.

    `coarse_nats` is the best guess's information, `middle` the spectra of the level at which the
    model was chosen.
    """

    model: Model
    matrix: Matrix
    coarse_nats: float
    middle: Shared


def coarse_search(onto: Pyramid, of: Pyramid) -> Coarse:
    """The guess at which the reduced pictures share most."""
    best = Coarse(frames(onto, of), -1.0)
    for guess in cheap_guesses(onto, of):
        best = _better(best, guess, onto, of)
    if best.information < _PLAIN_NATS:
        for guess in guess_by_features(onto, of):
            best = _better(best, guess, onto, of)
    return best


def search(onto: Pyramid, of: Pyramid, coarse: Coarse, mode: AlignMode) -> Search:
    """From the best guess to the finest level, within the model asked for.

    "auto" and "flow" take the simplest model that explains nearly as much as any.
    """
    candidates = _candidates(onto, of, coarse.matrix, mode)
    levels = [levels_for(onto, of, c.matrix, MIDDLE_PIXELS) for c in candidates]
    spectra = [level.shared(c.matrix) for level, c in zip(levels, candidates, strict=True)]
    enough = _SIMPLER * max(s.information for s in spectra) - _SIMPLER_NATS
    chosen = next(k for k, s in enumerate(spectra) if s.information >= enough)
    model, matrix, motion = candidates[chosen]
    for pixels, steps in ((_FINE_PIXELS, _FINE_STEPS), (_FINEST_PIXELS, _FINEST_STEPS)):
        if motion and _has_finer(onto, of, matrix, pixels):
            matrix = _improved(onto, of, matrix, motion, pixels, steps)
    if model == "translation":
        matrix = _whole(onto, of, matrix)
    return Search(model, matrix, coarse.information, spectra[chosen])


class _Candidate(NamedTuple):
    """A model's mapping at the middle level, and the motion to refine it with; None for none."""

    model: Model
    matrix: Matrix
    motion: Motion | None


def _candidates(onto: Pyramid, of: Pyramid, start: Matrix, mode: AlignMode) -> list[_Candidate]:
    """The simplest model first."""

    def made(model: Model, motion: Motion, begin: Matrix) -> _Candidate:
        steps = _MIDDLE_STEPS
        found = refined(onto, of, begin, motion, MIDDLE_PIXELS, steps, matched_iterations=steps)
        return _Candidate(model, found, motion)

    moved = (
        ("translation", nearest_shift(start, of.size)),
        ("similarity", nearest_similarity(start, of.size)),
        ("homography", start),
    )
    if mode not in ("auto", "flow"):
        return [made(name, name, begin) for name, begin in moved if name == mode]  # type: ignore[arg-type]
    whole = _Candidate(frame_model(onto, of), frames(onto, of), None)
    return [whole, *(made(name, name, begin) for name, begin in moved)]  # type: ignore[arg-type]


def _improved(
    onto: Pyramid, of: Pyramid, matrix: Matrix, motion: Motion, pixels: int, steps: int
) -> Matrix:
    """The mapping refined at a level, unless the pictures then share less there."""
    found = refined(onto, of, matrix, motion, pixels, steps, matched_iterations=steps)
    levels = levels_for(onto, of, matrix, pixels)
    before, after = (levels.shared(m).information for m in (matrix, found))
    return found if after >= before else matrix


def _whole(onto: Pyramid, of: Pyramid, matrix: Matrix) -> Matrix:
    """A shift of nearly whole pixels made whole, so that no pixel needs to be resampled."""
    dx, dy = (float(matrix[row, 2]) for row in (0, 1))
    near = max(abs(dx - round(dx)), abs(dy - round(dy))) <= _WHOLE_PX
    return shift(round(dx), round(dy)) if near else matrix


def _has_finer(onto: Pyramid, of: Pyramid, matrix: Matrix, pixels: int) -> bool:
    """Whether a level has more pixels to show than the one of a quarter as many."""
    lower, upper = (levels_for(onto, of, matrix, n).onto.detail.size for n in (pixels // 4, pixels))
    return upper > 1.2 * lower


def _better(best: Coarse, guess: Matrix, onto: Pyramid, of: Pyramid) -> Coarse:
    found = refined(onto, of, guess, "affine", COARSE_PIXELS, _COARSE_STEPS)
    levels = levels_for(onto, of, found, COARSE_PIXELS)
    information = levels.shared(found).information
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
