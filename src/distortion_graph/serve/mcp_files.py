"""What a client of the MCP server may have read: files, or those below some folders, and data URLs.

Names from outside are turned into real paths here, links resolved, and only these are opened.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from distortion_graph.base.errors import RegionError
from distortion_graph.pictures.images import DEFAULT_MAX_PIXELS, Picture, load_picture
from distortion_graph.regions.coco import panoptic_pictures
from distortion_graph.regions.spec import LOCAL_SPECS_HELP, RegionFiles, RegionSpec
from distortion_graph.serve.access import SHOWN, AccessError

MAX_DATA_BYTES = 20 * 2**20
"""The largest picture that is taken from a data URL, unless the caller allows more."""

_DATA = re.compile(r"data:[^,]*,", re.IGNORECASE)
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)


@dataclass(frozen=True)
class Access:
    """What may be read: any file where there are no `roots`, else files below one of them.

    `roots` are real paths. A relative name starts in the first root that has it, or, without
    roots, in the folder that the server was started in.
    """

    roots: tuple[Path, ...] = ()
    max_pixels: int = DEFAULT_MAX_PIXELS
    max_data_bytes: int = MAX_DATA_BYTES

    @classmethod
    def below(
        cls,
        folders: Sequence[str | Path],
        *,
        max_pixels: int = DEFAULT_MAX_PIXELS,
        max_data_bytes: int = MAX_DATA_BYTES,
    ) -> Access:
        """Access to what these folders hold; to everything where there is none.

        Raises AccessError for one that is no folder.
        """
        roots = tuple(_real(folder) for folder in folders)
        for folder, root in zip(folders, roots, strict=True):
            if not root.is_dir():
                raise AccessError(f"{folder}: no such folder, expected one to read files from")
        return cls(roots, max_pixels, max_data_bytes)

    def picture(self, source: str, side: str) -> Picture:
        """The picture of a path or data URL, which lines call `side`.

        Raises AccessError and ImageError.
        """
        if _DATA.match(source):
            return load_picture(self._data(source, side), max_pixels=self.max_pixels, name=side)
        if source[:5].lower() == "data:" or _ADDRESS.match(source):
            raise AccessError(
                f"{side}: found {source[:SHOWN]!r}, expected a path on this machine or "
                "data:image/…;base64,…; nothing is fetched"
            )
        picture = load_picture(self.path(source, side), max_pixels=self.max_pixels)
        # Under the name that the client knows: of regions for several pictures it chooses some.
        return replace(picture, source=source)

    def regions(self, text: str) -> RegionSpec:
        """The region spec of a text, with real paths in it; raises AccessError, RegionError."""
        spec = RegionSpec.parse(text, lambda name: self.path(name, "regions"), LOCAL_SPECS_HELP)
        missing = spec.hub_name or next((str(f) for f in spec.files if not f.exists()), None)
        if missing is not None:
            raise RegionError(
                f"regions {text[:SHOWN]!r}: no file {missing!r}, expected one of: "
                f"{LOCAL_SPECS_HELP}"
            )
        if self.roots and isinstance(spec, RegionFiles) and spec.picture is None:
            # COCO panoptic names its PNG in the JSON; the one beside it may be a link to elsewhere.
            for table in spec.tables:
                for place in panoptic_pictures(table):
                    self.path(str(place), "regions")
        return spec

    def path(self, name: str, what: str) -> Path:
        """The real path of a file, which need not exist; raises AccessError where it is outside."""
        place = self._find(name)
        if place is None:
            raise AccessError(
                f"{what}: {name[:SHOWN]!r} lies outside of what this server may read, expected a "
                f"file in {' or '.join(map(str, self.roots))}"
            )
        return place

    def _find(self, name: str) -> Path | None:
        """The real path, None outside of the roots; said before it is known whether it exists."""
        places = [_real(name, start) for start in self.roots or (Path.cwd(),)]
        allowed = [path for path in places if self._allows(path)]
        return next((path for path in allowed if os.path.lexists(path)), next(iter(allowed), None))

    def _allows(self, path: Path) -> bool:
        return not self.roots or any(path.is_relative_to(root) for root in self.roots)

    def _data(self, url: str, side: str) -> bytes:
        """The bytes of a data URL."""
        head, _, body = url.partition(",")
        if not head.lower().endswith(";base64"):
            raise AccessError(
                f"{side}: the data URL begins {head[:SHOWN]!r}, expected data:image/…;base64,…"
            )
        size = len(body) * 3 // 4
        if size > self.max_data_bytes:
            raise AccessError(
                f"{side}: the data URL holds about {size} bytes, expected at most "
                f"{self.max_data_bytes}; name a file"
            )
        try:
            return base64.b64decode("".join(body.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise AccessError(
                f"{side}: the data URL is damaged ({error}), expected base64"
            ) from None


def _real(name: str | Path, start: Path = Path()) -> Path:
    """The real path of a name; settings of an assistant know no shell that resolves a ~."""
    try:
        return Path(os.path.realpath(start / Path(name).expanduser()))
    except (OSError, RuntimeError, ValueError) as error:
        raise AccessError(f"{str(name)[:SHOWN]!r}: no name of a file ({error})") from None
