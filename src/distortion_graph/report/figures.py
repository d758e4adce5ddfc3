"""What drawings made with matplotlib share: settings, letters, and the bytes of a file.

matplotlib comes with the figures extra. Nothing of its global state is used or left changed, and
the same drawing gives the same bytes.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast, get_args

from distortion_graph.base.errors import DistortionGraphError, OutputError
from distortion_graph.report.palette import Rgb

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FigureKind: TypeAlias = Literal["svg", "png", "pdf"]
"""The kinds of file that a drawing can be."""

INCHES_PER_MM = 1 / 25.4
DPI = 200
"""Of PNG, unless the picture gets too large for matplotlib."""

_LARGEST_PX = 60_000
_POINTS_PER_MM = 72 / 25.4
_TYPEFACE = "DejaVu Sans"  # comes with matplotlib, so that every machine draws the same
_MISSING = "□"
_SETTINGS: Any = {
    "font.family": [_TYPEFACE],
    "font.size": 7,
    "axes.titlesize": "medium",
    "figure.titlesize": "medium",
    "figure.labelsize": "medium",
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "distortion-graph",
    "pdf.fonttype": 42,
}


def figure_kind(path: str | Path) -> FigureKind:
    """The kind that a file's suffix asks for; raises OutputError for another suffix."""
    suffix = Path(path).suffix.lower()
    if suffix[1:] not in get_args(FigureKind):
        offered = ", ".join(get_args(FigureKind))
        raise OutputError(f"{path}: unknown suffix of a drawing {suffix!r}, expected {offered}")
    return cast(FigureKind, suffix[1:])


def need_matplotlib() -> None:
    """Raise one clear line unless the figures extra is there."""
    if find_spec("matplotlib") is None:
        raise DistortionGraphError(
            "matplotlib is not installed: pip install 'distortion-graph[figures]'"
        )


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """The settings to draw and to write under, whatever those of the user are."""
    need_matplotlib()
    import matplotlib

    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_SETTINGS)
        yield


def figure_bytes(figure: Figure, kind: FigureKind) -> bytes:
    """The file of a figure, without a date."""
    metadata: dict[str, Any] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(kind, {})
    dpi = min(DPI, _LARGEST_PX / max(figure.get_size_inches()))
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        if kind == "svg":  # its reader has letters that matplotlib's own typeface lacks
            warnings.filterwarnings("ignore", "Glyph .* missing from")
        figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def drawable(text: str, kind: FigureKind) -> str:
    """The text with a box for every letter that cannot be drawn; in SVG it stays as it is."""
    if kind == "svg":
        return text
    known = _letters()
    return "".join(c if ord(c) in known else _MISSING for c in text)


def width_mm(text: str, points: float, *, bold: bool = False) -> float:
    """Width of a line of text; a letter that cannot be drawn is as wide as high."""
    known = _letters()
    shown = "".join(c for c in text if ord(c) in known)
    font = _font(bold)
    font.set_size(points, 72)
    font.set_text(shown)
    return float(font.get_width_height()[0] / 64 + (len(text) - len(shown)) * points) / (
        _POINTS_PER_MM
    )


def shortened(text: str, room_mm: float, points: float, *, bold: bool = False) -> str:
    """The text, its end cut off where it is wider than the room."""
    if width_mm(text, points, bold=bold) <= room_mm:
        return text
    while text and width_mm(text + "…", points, bold=bold) > room_mm:
        text = text[:-1]
    return text.rstrip() + "…"


def unit(colour: Rgb) -> tuple[float, float, float]:
    """A colour as matplotlib takes it, 0 … 1."""
    red, green, blue = colour
    return red / 255, green / 255, blue / 255


@lru_cache(maxsize=2)
def _font(bold: bool) -> Any:
    from matplotlib.font_manager import FontProperties, findfont
    from matplotlib.ft2font import FT2Font

    return FT2Font(findfont(FontProperties(family=_TYPEFACE, weight="bold" if bold else "normal")))


@lru_cache(maxsize=1)
def _letters() -> frozenset[int]:
    return frozenset(_font(False).get_charmap())
