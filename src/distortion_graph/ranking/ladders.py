"""Which candidates are steps of one ladder: by their names, or as they are told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from distortion_graph.base.errors import RankingError

_STEP = re.compile(
    r"(?P<ladder>.*?)(?:[-_. ]+(?:quality|qp|q|crf|cq|distance|d|effort|e|level|l|bpp))?"
    r"[-_. =]*\d+(?:\.\d+)?",
    re.IGNORECASE | re.DOTALL,
)


def ladder_of(name: str) -> str | None:
    """The ladder of a name that ends in a number: `avif-q50` → `avif`, `webp80` → `webp`.

    None for a name without such an end, or with nothing before it.
    """
    found = _STEP.fullmatch(name)
    return (found["ladder"].rstrip("-_. =") or None) if found else None


def ladders_by_name(names: Sequence[str]) -> dict[str, list[str]]:
    """Names by their ladder, those of two steps or more, in the order of their first steps."""
    found: dict[str, list[str]] = {}
    for name in names:
        ladder = ladder_of(name)
        if ladder is not None:
            found.setdefault(ladder, []).append(name)
    return {ladder: steps for ladder, steps in found.items() if len(steps) > 1}


def chosen_ladders(
    wanted: Mapping[str, Sequence[str]], names: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    """The names that belong to each ladder.

    Args:
        wanted: by ladder, names of candidates or patterns such as `avif-*`.
        names: by candidate, everything that it may be called: its name, its file.

    Raises RankingError for a pattern that no candidate fits, and a candidate of two ladders.
    """
    found: dict[str, list[str]] = {}
    taken: dict[str, str] = {}
    for ladder, patterns in wanted.items():
        steps = found.setdefault(ladder, [])
        for pattern in patterns:
            fitting = [name for name, called in names.items() if _fits(called, pattern)]
            if not fitting:
                raise RankingError(
                    f"ladder {ladder!r}: no candidate is called {pattern!r}, expected some of: "
                    f"{', '.join(names)}"
                )
            for name in fitting:
                if taken.setdefault(name, ladder) != ladder:
                    raise RankingError(
                        f"{name}: in the ladders {taken[name]!r} and {ladder!r}, expected one"
                    )
                if name not in steps:
                    steps.append(name)
    return found


def _fits(called: Sequence[str], pattern: str) -> bool:
    return pattern in called or any(fnmatchcase(name, pattern) for name in called)
