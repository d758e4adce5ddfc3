"""Region specs: what a text such as `grid:3x4` or `labels.png,names.json` says of regions.

    RegionSpec.parse("grid:3x4")                  # Grid(rows=3, columns=4)
    RegionSpec.parse("labels.png,names.json")     # RegionFiles(picture=…, tables=(…,))
    RegionSpec.parse("drawing.svg")               # RegionFiles(picture=None, tables=(…,))

Parsing tells names of files from words and options, and for that looks which of them exist. It
opens nothing: masks come of a spec in `resolve_regions`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from distortion_graph.base.errors import DistortionGraphError, RegionError
from distortion_graph.base.files import HeldFile, kind_of
from distortion_graph.pictures.images import PICTURE_SUFFIXES
from distortion_graph.segment.checkpoint import is_hub_name
from distortion_graph.segment.segmenter import PANOPTIC_PREFIX

_SPECS = (
    "auto (found in the pictures); distortions (found by what is wrong in them); whole; "
    "grid:ROWSxCOLS; LABELS.png (0 = unlabelled) or LABELS.png,NAMES.json; "
    "FILE[,image=NAME] (COCO, labelme, CVAT, Label Studio, SVG, GeoJSON, or an earlier graph); "
    "alpha:PICTURE (where it is opaque); "
    "panoptic:FILE.json[,image=NAME] or panoptic:FILE.png,FILE.json[,CATEGORIES.json]; "
)

REGION_SPECS_HELP = (
    f"{_SPECS}panoptic:FOLDER or panoptic:ORG/NAME (found and named by a panoptic model)"
)
"""What a region spec may be, for a command's help."""

LOCAL_SPECS_HELP = f"{_SPECS}panoptic:FOLDER (of a panoptic model)"
"""The same without models of a hub."""

FindPath: TypeAlias = Callable[[str], Path]
"""From a name in a spec to its path; raises DistortionGraphError for one that may not be read."""

_GRID = re.compile(r"grid:(\d{1,6})[xX×](\d{1,6})")
_IMAGE = re.compile(r"(.+?\.(?:json|geojson|xml|svg)),image=(.+)", re.DOTALL | re.IGNORECASE)
_TABLE_SUFFIXES = (".json", ".geojson", ".xml", ".svg")
_ALPHA_PREFIX = "alpha:"
_MOST_FILES = 3
_BEFORE = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
_BEGINS = (b"{", b"[", b"<")


class RegionSpec(ABC):
    """Where regions come from: a class for each kind, such as `Auto`, `Grid` and `RegionFiles`.

    Specs are frozen and compare by value; `parse` reads what `str` gives as an equal spec.
    """

    @staticmethod
    def parse(
        text: str | Path, find: FindPath = Path, expected: str = REGION_SPECS_HELP
    ) -> RegionSpec:
        """The spec that a text stands for.

        Args:
            text: as `REGION_SPECS_HELP` lists them. Commas part names, unless a file or folder
                has the whole text as its name.
            find: gives the path of each name in the text.
            expected: what an error says may be given, for a caller that takes fewer specs.

        Raises RegionError, one line, for a text that is no spec, and what `find` raises. Whether
        the files of a spec exist is found out when they are read.
        """
        text = str(text)
        if text == str(Auto()):
            return Auto()
        if text == str(Distortions()):
            return Distortions()
        if text == str(Whole()):
            return Whole()
        if text.startswith("grid:"):
            return _grid(text)
        if text.startswith(_ALPHA_PREFIX):
            return _alpha(text, find)
        if not text.startswith(PANOPTIC_PREFIX):
            return _files(text, find, expected)
        return _model(text, find) or _files(text, find, expected)

    @abstractmethod
    def __str__(self) -> str:
        """The text of the spec."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that the spec names, or the folder of its model.

        COCO panoptic without a picture reads one more, which the JSON names
        (`regions.coco.panoptic_pictures`).
        """
        return ()

    @property
    def found_in_pictures(self) -> bool:
        """Whether the regions fit any pictures; else they are masks of one size."""
        return True

    @property
    def hub_name(self) -> str | None:
        """The model's name on the Hugging Face hub, from which it may have to be downloaded."""
        return None


@dataclass(frozen=True)
class Auto(RegionSpec):
    """Found by colour and edges, and where the pictures differ."""

    def __str__(self) -> str:
        return "auto"


@dataclass(frozen=True)
class Distortions(RegionSpec):
    """Found by what a model says is wrong."""

    def __str__(self) -> str:
        return "distortions"


@dataclass(frozen=True)
class Whole(RegionSpec):
    """One region, the whole picture."""

    def __str__(self) -> str:
        return "whole"


@dataclass(frozen=True)
class Grid(RegionSpec):
    """Rows of rectangles."""

    rows: int
    columns: int

    def __str__(self) -> str:
        return f"grid:{self.rows}x{self.columns}"


@dataclass(frozen=True)
class RegionFiles(RegionSpec):
    """Masks in files.

    A picture alone or with a table of names is a label map; a table alone is whatever its content
    says: a list of regions, COCO annotations, the export of an annotation tool, a drawing, a graph.
    Where `panoptic` says so, or a table holds `segments_info`, the files are
    COCO panoptic: one table of annotations, perhaps the picture, perhaps tables of names.
    """

    picture: Path | None
    tables: tuple[Path, ...]
    image: str | None = None
    """Which picture of the annotations is meant: its name in the list or its id."""
    panoptic: bool = False

    def __str__(self) -> str:
        chosen = [] if self.image is None else [f"image={self.image}"]
        return PANOPTIC_PREFIX * self.panoptic + ",".join([*map(str, self.files), *chosen])

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture and the tables."""
        return self.tables if self.picture is None else (self.picture, *self.tables)

    @property
    def found_in_pictures(self) -> bool:
        """False."""
        return False


@dataclass(frozen=True)
class HeldRegions(RegionSpec):
    """Masks in files that are in memory, such as ones that were sent.

    They mean what `RegionFiles` of such content mean, and nothing beside them is read.
    """

    picture: HeldFile | None
    tables: tuple[HeldFile, ...]
    image: str | None = None
    """As in `RegionFiles`."""
    panoptic = False

    @classmethod
    def of(cls, files: Sequence[HeldFile], image: str | None = None) -> HeldRegions:
        """Told apart by their content: JSON and XML are tables, the other one is a picture.

        Raises RegionError for more than `RegionFiles` has.
        """
        tables = tuple(file for file in files if file.data.lstrip(_BEFORE).startswith(_BEGINS))
        pictures = [file for file in files if file not in tables]
        if len(pictures) > 1 or len(files) > _MOST_FILES:
            raise RegionError(
                f"regions: found {len(files)} files, {len(pictures)} of them pictures, expected "
                "at most one picture, with one or two tables of names beside it"
            )
        return cls(pictures[0] if pictures else None, tables, image)

    def __str__(self) -> str:
        files = self.tables if self.picture is None else (self.picture, *self.tables)
        chosen = [] if self.image is None else [f"image={self.image}"]
        return ",".join([*map(str, files), *chosen])

    @property
    def found_in_pictures(self) -> bool:
        """False."""
        return False


@dataclass(frozen=True)
class Alpha(RegionSpec):
    """Where a picture is opaque."""

    picture: Path

    def __str__(self) -> str:
        return f"{_ALPHA_PREFIX}{self.picture}"

    @property
    def files(self) -> tuple[Path, ...]:
        """The picture."""
        return (self.picture,)

    @property
    def found_in_pictures(self) -> bool:
        """False."""
        return False


@dataclass(frozen=True)
class PanopticModel(RegionSpec):
    """Found and named by a panoptic model."""

    checkpoint: Path | str
    """Its folder, or its name on the hub."""
    options: tuple[str, ...] = ()
    """Such as "threshold=0.5"; read when the model is loaded."""

    def __str__(self) -> str:
        return PANOPTIC_PREFIX + ",".join([str(self.checkpoint), *self.options])

    @property
    def files(self) -> tuple[Path, ...]:
        """The model's folder; () for a name on the hub."""
        return (self.checkpoint,) if isinstance(self.checkpoint, Path) else ()

    @property
    def hub_name(self) -> str | None:
        """The checkpoint's name, where it is no folder."""
        return self.checkpoint if isinstance(self.checkpoint, str) else None


def _grid(text: str) -> Grid:
    sides = _GRID.fullmatch(text)
    if sides is None:
        raise RegionError(f"regions {text!r}: expected grid:ROWSxCOLS, for example grid:3x4")
    return Grid(int(sides[1]), int(sides[2]))


def _alpha(text: str, find: FindPath) -> Alpha:
    name = text.removeprefix(_ALPHA_PREFIX)
    if not name:
        raise RegionError(f"regions {text!r}: expected alpha:PICTURE, for example alpha:cutout.png")
    return Alpha(find(name))


def _model(text: str, find: FindPath) -> PanopticModel | None:
    """The panoptic model of a spec, None where it names files.

    A folder is a model; an existing file, and a name with a file's suffix, is none; else what has
    the form of a hub name is.
    """
    names = text.removeprefix(PANOPTIC_PREFIX)
    name, *options = names.split(",")
    if not name:
        return None
    if _exists(names, find) and kind_of(find(names)) == "folder":
        return PanopticModel(find(names))
    place = find(name)
    if kind_of(place) == "folder":
        return PanopticModel(place, tuple(options))
    is_file = kind_of(place) is not None or name.lower().endswith(
        (*_TABLE_SUFFIXES, *PICTURE_SUFFIXES)
    )
    if is_file or _exists(names, find) or not is_hub_name(name):
        return None
    return PanopticModel(name, tuple(options))


def _files(text: str, find: FindPath, expected: str) -> RegionFiles:
    names, image = text.removeprefix(PANOPTIC_PREFIX), None
    chosen = None if _exists(names, find) else _IMAGE.fullmatch(names)
    if chosen:
        names, image = chosen[1], chosen[2]
    paths = [find(name) for name in ([names] if _exists(names, find) else names.split(","))]
    # Lossy kinds are among them so that the error can say why they will not do.
    pictures = [path for path in paths if path.suffix.lower() in PICTURE_SUFFIXES]
    tables = [path for path in paths if path.suffix.lower() in _TABLE_SUFFIXES]
    unknown = len(pictures) + len(tables) < len(paths)
    if unknown or len(pictures) > 1 or len(paths) > _MOST_FILES:
        missing = next((path for path in paths if kind_of(path) is None), None)
        problem = "unknown" if missing is None else f"no file {str(missing)!r}"
        raise RegionError(f"regions {text!r}: {problem}, expected one of: {expected}")
    panoptic = text.startswith(PANOPTIC_PREFIX)
    if panoptic and not tables:
        raise RegionError(f"{text}: no JSON, expected panoptic:FILE.png,FILE.json")
    return RegionFiles(pictures[0] if pictures else None, tuple(tables), image, panoptic)


def _exists(name: str, find: FindPath) -> bool:
    """Whether a name may be read and exists."""
    try:
        return kind_of(find(name)) is not None
    except DistortionGraphError:
        return False
