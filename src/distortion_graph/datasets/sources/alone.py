"""Pictures without masks: a segmenter finds the regions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from distortion_graph.base.errors import DatasetError, ImageError
from distortion_graph.datasets.folders import Folder, LeftOut
from distortion_graph.datasets.pictures import picture_folder
from distortion_graph.datasets.sources.base import SourceItem, SourcePicture
from distortion_graph.datasets.sources.names import flat_stem, sorted_by_stem, split_of
from distortion_graph.pictures.images import load_picture
from distortion_graph.segment.segmenter import check_segmenter, load_segmenter


class PictureSource:
    """Pictures below a folder, at any depth, with the regions that `segmenter` finds in them.

    The segmenter is given as `load_segmenter` takes it and is loaded by the process that first
    needs it, once.
    """

    kind = "pictures"
    predicates: tuple[str, ...] = ()
    tables: tuple[Path, ...] = ()

    def __init__(self, folder: Path, *, name: str, segmenter: str = "auto") -> None:
        if not folder.is_dir():
            raise DatasetError(f"{folder}: no such folder, expected one with pictures")
        self.name = name
        self.folder = folder
        self.finder = check_segmenter(segmenter)

    @property
    def segmenter(self) -> str:
        """Name and version of the segmenter, which is loaded for it."""
        segmenter = load_segmenter(self.finder)
        return f"{segmenter.name} {segmenter.version}"

    def items(self) -> Sequence[SourceItem]:
        """All pictures."""
        names = self._listed().names
        items = [SourceItem(flat_stem(n), self.folder / n, split_of(n), n) for n in names]
        return sorted_by_stem(items, str(self.folder))

    def left_out(self) -> Sequence[LeftOut]:
        """Everything else below the folder."""
        return self._listed().left_out

    def _listed(self) -> Folder:
        try:
            return picture_folder(self.folder)
        except ImageError as e:
            raise DatasetError(str(e)) from e

    def load(self, item: SourceItem) -> SourcePicture:
        """The picture and the regions found in it."""
        picture = load_picture(item.picture)
        regions = load_segmenter(self.finder).segment(picture.rgb).regions
        nothing = (None,) * len(regions)
        return SourcePicture(
            picture.rgb,
            regions,
            category_ids=nothing,
            descriptions=nothing,
            notes=picture.warnings,
        )
