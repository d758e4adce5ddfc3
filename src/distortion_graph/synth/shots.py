"""Shots: the clean pictures that versions are made of, with looks and misalignment of their own.

Two photographs of a scene are seldom developed alike, and seldom lie on each other to the pixel. A
*shot* is the clean picture after such a history (`synth.looks`, `synth.warps`), and still clean: a
version is made of its shot and scored against it, so a look or a shift alone costs nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import RecipeError
from distortion_graph.synth.keys import generator
from distortion_graph.synth.looks import PLAIN, Look, apply_look, draw_look
from distortion_graph.synth.warps import Warp, apply_warp, draw_warp


@dataclass(frozen=True)
class ShotShares:
    """In how many of the pairs the two pictures have a history, each a share in [0, 1].

    In `look_share` both have the same look, in `two_looks_share` one has another look on top, in
    `moved_share` one is moved against the other. Raises RecipeError for other numbers.
    """

    look_share: float = 0.0
    two_looks_share: float = 0.0
    moved_share: float = 0.0

    def __post_init__(self) -> None:
        for name, share in vars(self).items():
            if not 0 <= share <= 1:
                raise RecipeError(f"{name} must be in [0, 1], got {share}")


NO_HISTORY = ShotShares()
"""Every version is made of the clean picture itself, as in the published data."""

WILD_SHOTS = ShotShares(look_share=0.6, two_looks_share=0.12, moved_share=0.33)
"""As often as pictures that people compare differ so."""


@dataclass(frozen=True, eq=False)
class Shot:
    """A clean picture, (H, W, 3) uint8, and what was done to it: looks in their order, a warp."""

    rgb: NDArray[np.uint8]
    looks: tuple[Look, ...] = ()
    warp: Warp | None = None

    def facts(self) -> dict[str, Any]:
        """What was done, ready for JSON; only the steps that were taken."""
        found: dict[str, Any] = {}
        if self.looks:
            found["looks"] = [dict(_steps(look)) for look in self.looks]
        if self.warp is not None:
            motions = [motion._asdict() for motion in self.warp.motions]
            found["warp"] = asdict(self.warp) | {"motions": motions}
        return found


def draw_shots(
    clean: NDArray[np.uint8], shares: ShotShares, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The two clean pictures of a pair of which nothing else is made; one array twice if equal."""
    if rng.random() < shares.look_share:
        clean = apply_look(clean, draw_look(rng), rng)
    shots = [clean, clean]
    if rng.random() < shares.two_looks_share:
        k = int(rng.integers(2))
        shots[k] = apply_look(shots[k], draw_look(rng), rng)
    if rng.random() < shares.moved_share:
        k = int(rng.integers(2))
        shots[k] = apply_warp(shots[k], draw_warp(rng))
    return shots[0], shots[1]


def common_shot(clean: NDArray[np.uint8], shares: ShotShares, *, seed: int, tag: str) -> Shot:
    """What all versions of a picture have in common, drawn from the key (seed, tag, "look")."""
    rng = generator(seed, tag, "look")
    return _looked(Shot(clean), rng) if rng.random() < shares.look_share else Shot(clean)


def version_shot(common: Shot, shares: ShotShares, *, seed: int, tag: str, version: str) -> Shot:
    """What one version is made of, drawn from the key (seed, tag, version, "shot").

    `common` is the picture's `common_shot`, and is given back where the version has nothing of its
    own. Any two versions may be a pair, and in each pair at least one of them is to be different
    as often as the shares say: a version is so with probability 1 − √(1 − share).
    """
    rng = generator(seed, tag, version, "shot")
    shot = common
    if rng.random() < _of_a_version(shares.two_looks_share):
        shot = _looked(shot, rng)
    if rng.random() < _of_a_version(shares.moved_share):
        warp = draw_warp(rng)
        shot = replace(shot, rgb=apply_warp(shot.rgb, warp), warp=warp)
    return shot


def _of_a_version(share_of_pairs: float) -> float:
    return 1 - math.sqrt(1 - share_of_pairs)


def _looked(shot: Shot, rng: np.random.Generator) -> Shot:
    look = draw_look(rng)
    if look == PLAIN:
        return shot
    return replace(shot, rgb=apply_look(shot.rgb, look, rng), looks=(*shot.looks, look))


def _steps(look: Look) -> Iterator[tuple[str, Any]]:
    for name, step in vars(look).items():
        if step not in (None, False):
            yield name, step._asdict() if hasattr(step, "_asdict") else step
