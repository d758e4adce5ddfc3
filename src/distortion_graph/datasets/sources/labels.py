"""Pictures with label maps: FOLDER/images beside FOLDER/regions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from distortion_graph.base.errors import DatasetError, ImageError
from distortion_graph.datasets.folders import Folder, LeftOut, list_folder
from distortion_graph.datasets.pictures import choose_annotator, no_map, picture_folder, read_map
from distortion_graph.datasets.sources.base import SourceItem, SourcePicture
from distortion_graph.datasets.sources.choice import RegionChoice
from distortion_graph.datasets.sources.names import flat_stem, sorted_by_stem, split_of
from distortion_graph.masks.container import RegionSet
from distortion_graph.pictures.images import load_picture
from distortion_graph.pictures.picture_names import composed
from distortion_graph.regions.coco import names_from
from distortion_graph.regions.readers.documents import read_json

_ANNOTATOR = re.compile(r"(.+)_(\d+)", re.ASCII | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class LabelItem(SourceItem):
    """A picture and the names of its label maps in `map_folder`, in the annotators' order."""

    map_folder: Path
    maps: tuple[str, ...]

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture and its label maps."""
        return (self.picture, *(self.map_folder / name for name in self.maps))


class LabelSource:
    """Pictures below `images` with label maps `<name>_<annotator>.png` or `<name>.png`.

    Maps lie below `regions`, in the same sub-folders or with "_" for "/" in their names. Of several
    the one nearest to what `choice` wants is used (`choose_annotator`). A `names.json` beside the
    folders names the numbers of all maps ({"1": "sky"} or COCO categories), which then are the
    category ids too.
    """

    kind = "labels"
    predicates: tuple[str, ...] = ()
    segmenter: str | None = None

    def __init__(self, folder: Path, *, name: str, choice: RegionChoice) -> None:
        self.name = name
        self.choice = choice
        self.images, self.regions = folder / "images", folder / "regions"
        for place in (self.images, self.regions):
            if not place.is_dir():
                raise DatasetError(
                    f"{place}: no such folder, expected images/ with pictures and regions/ with "
                    "label maps beside each other"
                )
        table = folder / "names.json"
        self.tables = (table,) if table.is_file() else ()
        self.names = names_from(read_json(table), str(table)) if self.tables else {}

    def items(self) -> Sequence[LabelItem]:
        """All pictures, also those that turn out to have no label map when they are loaded."""
        pictures, map_files = self._listed()
        stems = {name: flat_stem(name) for name in pictures.names}
        maps = _maps_by_stem({composed(stem) for stem in stems.values()}, map_files.names)
        items = [
            LabelItem(
                stem,
                self.images / name,
                split_of(name),
                name,
                map_folder=self.regions,
                maps=maps.get(composed(stem), ()),
            )
            for name, stem in stems.items()
        ]
        return sorted_by_stem(items, str(self.images))

    def left_out(self) -> Sequence[LeftOut]:
        """What is no picture in images/, and in regions/ no label map of one of the pictures."""
        pictures, map_files = self._listed()
        stems = {composed(flat_stem(name)) for name in pictures.names}
        maps = _maps_by_stem(stems, map_files.names)
        used = {name for several in maps.values() for name in several}
        reason = f"of no picture in {self.images.name}"
        strays = [LeftOut(self.regions, n, reason) for n in map_files.names if n not in used]
        return (*pictures.left_out, *map_files.left_out, *strays)

    def _listed(self) -> tuple[Folder, Folder]:
        """The files of images/ and of regions/."""
        try:
            return picture_folder(self.images), list_folder(
                self.regions, (".png",), "label maps (.png)"
            )
        except ImageError as e:
            raise DatasetError(str(e)) from e

    def load(self, item: SourceItem) -> SourcePicture:
        """The picture with the regions of one of its label maps; ids are the map's numbers."""
        if not isinstance(item, LabelItem):
            raise TypeError(f"expected one of this source's items, got {type(item).__name__}")
        picture = load_picture(item.picture)
        if not item.maps:
            raise no_map(flat_stem(item.file), item.map_folder)
        paths = item.files[1:]
        maps = [read_map(path, picture) for path in paths]
        chosen = choose_annotator(maps, min_share=self.choice.min_share, wanted=self.choice.wanted)
        regions = RegionSet.from_label_map(maps[chosen], self.names, source=str(paths[chosen]))
        return SourcePicture(
            picture.rgb,
            regions,
            category_ids=tuple(i if i in self.names else None for i in regions.ids),
            descriptions=(None,) * len(regions),
            notes=picture.warnings,
        )


def _maps_by_stem(stems: set[str], names: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Which of the map files belong to which picture, its stem in composed Unicode (NFC).

    Annotators are numbers, so that `a_b_0.png` is a map of `a_b` and not of `a`. A picture `a_2`
    without numbered maps has `a_2.png`, which then is no map of a picture `a`.
    """
    by_stem = {composed(flat_stem(name)): name for name in sorted(names, reverse=True)}
    numbered: dict[str, list[tuple[int, str]]] = {}
    for stem in by_stem:
        parts = _ANNOTATOR.fullmatch(stem)
        if parts and parts[1] in stems:
            numbered.setdefault(parts[1], []).append((int(parts[2]), stem))
    own = {stem for stem in stems if stem not in numbered and stem in by_stem}
    maps = {
        stem: tuple(by_stem[m] for _, m in sorted(several) if m not in own)
        for stem, several in numbered.items()
    }
    for stem in stems:
        if not maps.get(stem) and stem in by_stem:
            maps[stem] = (by_stem[stem],)
    return maps
