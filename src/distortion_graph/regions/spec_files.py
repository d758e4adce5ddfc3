"""Which files the text of a region spec names."""

from __future__ import annotations


def region_files(spec: str | None) -> list[str]:
    """The files a region spec may name."""
    names = (spec or "").removeprefix("panoptic:")
    return [name for name in {names, *names.split(",")} if name]
