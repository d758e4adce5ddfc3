"""How many of what, in words."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """`1 pair`, `2 pairs`, `0 pairs`; for nouns whose plural ends with an s."""
    return f"{count} {noun}{'s' * (count != 1)}"
