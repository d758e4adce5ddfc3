"""Pieces of sentences that everything shares which is told to people."""

from __future__ import annotations

from collections.abc import Iterable


def printable(text: str) -> str:
    """One line of text without characters that steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text).strip()


def percent(share: float) -> str:
    """A share with one place: `12.5 %`."""
    return f"{100 * share:.1f} %"


def listed(parts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last
