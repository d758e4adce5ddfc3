"""A source under a name of the user's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distortion_graph.datasets.folders import LeftOut
from distortion_graph.datasets.sources.base import Source, SourceItem, SourcePicture


@dataclass(frozen=True)
class NamedSource:
    """A source called `name`, whose stems begin with that name and "_"."""

    name: str
    source: Source

    @property
    def kind(self) -> str:
        """As the source's."""
        return self.source.kind

    @property
    def predicates(self) -> tuple[str, ...]:
        """As the source's."""
        return self.source.predicates

    @property
    def segmenter(self) -> str | None:
        """As the source's."""
        return self.source.segmenter

    @property
    def tables(self) -> tuple[Path, ...]:
        """As the source's."""
        return self.source.tables

    def items(self) -> Sequence[SourceItem]:
        """The source's items under their longer names, in the same order."""
        return [replace(item, stem=f"{self.name}_{item.stem}") for item in self.source.items()]

    def left_out(self) -> Sequence[LeftOut]:
        """As the source's."""
        return self.source.left_out()

    def load(self, item: SourceItem) -> SourcePicture:
        """As the source does: its loading does not look at stems."""
        return self.source.load(item)
