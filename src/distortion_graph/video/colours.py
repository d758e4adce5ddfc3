"""From a decoded frame of any pixel format to 8-bit sRGB, as its colour tags say.

swscale turns Y'CbCr into R'G'B' by the matrix and the range; where primaries or the transfer
function are not sRGB's, `pictures.colour_spaces` does the rest, as for pictures. The curves of
BT.709 and its kin are taken as players and browsers show them: the numbers as they are.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import VideoError
from distortion_graph.pictures.colour_spaces import (
    PRIMARIES,
    REFERENCE_WHITE_NITS,
    SRGB_PRIMARIES,
    SRGB_TRANSFER,
    TRANSFERS,
    ColourSpace,
    convert,
    space_of,
)
from distortion_graph.pictures.orientations import orient
from distortion_graph.pictures.pixels import to_8_bits

if TYPE_CHECKING:
    from av import VideoFrame
    from av.video.reformatter import VideoReformatter

UNSPECIFIED = 2
_BT709, _BT601 = 1, 6
# H.273 matrix coefficients → swscale's number of the same; 0 is RGB.
_MATRICES = {0: 1, 1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
_SHOWN_AS_THEY_ARE = (1, UNSPECIFIED, 6, 7, 11, 12, 13, 14, 15)
_NARROW, _FULL = 1, 2
_SD_LINES, _SD_COLUMNS = 576, 1024
_KINDS = {"matrix": "matrix", "primaries": "primaries", "transfer": "transfer function"}
_local = threading.local()


@dataclass(frozen=True)
class ColourTags:
    """What a video says of its colours: code points of ITU-T H.273, 2 where it says nothing.

    `full` is whether its numbers use the full range; None where it says nothing. `rgb`: it stores
    RGB. `bits` are those of one component.
    """

    matrix: int
    primaries: int
    transfer: int
    full: bool | None
    rgb: bool
    bits: int


@dataclass(frozen=True)
class Conversion:
    """How the frames of one video become pictures.

    `matrix` is swscale's number; `space` is what is left to do behind it, None for nothing;
    `orientation` (EXIF, 1 … 8) turns the frame upright.
    """

    matrix: int
    full: bool
    deep: bool
    space: ColourSpace | None
    orientation: int = 1

    @property
    def hdr(self) -> str | None:
        """ "PQ" or "HLG" where the video is one of these."""
        return None if self.space is None else self.space.hdr

    def rgb(self, frame: VideoFrame) -> tuple[NDArray[np.uint8], float]:
        """(H, W, 3) sRGB as displayed, and the share of pixels brighter than white (HDR alone)."""
        # Of more than 8 bits swscale rounds the full range to 16 bits better than to 8.
        deep = self.deep and (self.full or self.space is not None)
        values = _reformatted(frame, "rgb48le" if deep else "rgb24", self.matrix, self.full)
        clipped = 0.0
        if self.space is not None:
            values, clipped = convert(values, self.space)
        elif deep:
            values = to_8_bits(np.asarray(values, np.uint16))
        return orient(np.asarray(values, np.uint8), self.orientation), clipped


def settle(
    tags: Sequence[ColourTags], size: tuple[int, int], names: Sequence[str]
) -> tuple[list[ColourTags], list[str]]:
    """The same tags with every gap filled, and what was assumed, a line each.

    Videos of one scene mostly are copies of each other: what one leaves open is taken from the
    first that says it, else from what its size (h, w) makes usual. Raises VideoError for a matrix
    that cannot be converted.
    """
    notes: list[str] = []
    filled = list(tags)
    for field, kind in _KINDS.items():
        said = [getattr(tag, field) for tag in tags if _counts(tag, field)]
        known = next((code for code in said if code != UNSPECIFIED), None)
        if field == "transfer" and known is not None and _is_hdr(known):
            known = None  # HDR has to be said by each video itself
        for k, tag in enumerate(filled):
            if not _counts(tag, field) or getattr(tag, field) != UNSPECIFIED:
                continue
            if known is not None:
                notes.append(f"{names[k]}: does not say its {kind}; taken from the other video")
            elif field == "matrix":
                usual = _usual_matrix(size)
                word = "BT.709" if usual == _BT709 else "BT.601"
                notes.append(f"{names[k]}: does not say its matrix; {word} by its size")
                filled[k] = _with(tag, field, usual)
                continue
            filled[k] = _with(filled[k], field, known or UNSPECIFIED)
    for tag, name in zip(filled, names, strict=True):
        if not tag.rgb and tag.matrix not in _MATRICES:
            raise VideoError(
                f"{name}: its colours have the matrix {tag.matrix} of H.273, expected RGB, BT.601, "
                "BT.709, SMPTE 240M or BT.2020; convert the video first"
            )
    return filled, notes


def conversion(tag: ColourTags, orientation: int = 1) -> Conversion:
    """How frames with such tags, without gaps (`settle`), become pictures."""
    primaries = PRIMARIES.get(tag.primaries, SRGB_PRIMARIES)
    transfer = SRGB_TRANSFER
    if tag.transfer not in _SHOWN_AS_THEY_ARE:
        transfer = TRANSFERS.get(tag.transfer, SRGB_TRANSFER)
    space = space_of(primaries, transfer)
    return Conversion(
        _MATRICES.get(tag.matrix, 1),
        tag.rgb if tag.full is None else tag.full,
        tag.bits > 8,
        None if space.is_srgb() else space,
        orientation,
    )


def hdr_note(name: str, kind: str, clipped: float) -> str:
    """What is said of an HDR video; `clipped` is the largest share of a frame above white."""
    return (
        f"{name}: HDR ({kind}) shown with white at {REFERENCE_WHITE_NITS:.0f} cd/m²; up to "
        f"{100 * clipped:.1f} % of a frame's pixels are brighter and were clipped"
    )


def tags_of(frame: VideoFrame) -> ColourTags:
    """The tags of a decoded frame; unknown codes count as unsaid."""
    name, component = frame.format.name, frame.format.components[0]
    full = {_NARROW: False, _FULL: True}.get(int(frame.color_range))
    rgb = bool(frame.format.is_rgb) or name == "pal8"
    primaries, transfer = int(frame.color_primaries), int(frame.color_trc)
    return ColourTags(
        matrix=0 if rgb else _known(int(frame.colorspace)),
        primaries=primaries if primaries in PRIMARIES else UNSPECIFIED,
        transfer=transfer if transfer in TRANSFERS else UNSPECIFIED,
        full=True if name.startswith(("yuvj", "gray", "ya")) or rgb else full,
        rgb=rgb,
        bits=int(component.bits),
    )


def thumbnail(frame: VideoFrame, width: int, height: int, orientation: int) -> NDArray[np.uint8]:
    """A small grey picture (height, width) of a frame as displayed, for what is found by content.

    Colours need not be exact here.
    """
    turned = orientation >= 5
    size = (height, width) if turned else (width, height)
    small = _reformatter().reformat(
        frame, width=size[0], height=size[1], format="gray", interpolation=_area(), threads=1
    )
    return orient(np.asarray(small.to_ndarray(), np.uint8), orientation)


def _with(tag: ColourTags, field: str, code: int) -> ColourTags:
    codes: dict[str, Any] = {field: code}
    return replace(tag, **codes)


def _counts(tag: ColourTags, field: str) -> bool:
    """Whether a video has the thing at all: RGB has no matrix."""
    return not (tag.rgb and field == "matrix")


def _known(matrix: int) -> int:
    return UNSPECIFIED if matrix in (0, 3) else matrix


def _is_hdr(transfer: int) -> bool:
    return transfer in TRANSFERS and TRANSFERS[transfer].hdr


def _usual_matrix(size: tuple[int, int]) -> int:
    height, width = size
    return _BT709 if height > _SD_LINES or width > _SD_COLUMNS else _BT601


def _reformatted(
    frame: VideoFrame, form: str, matrix: int, full: bool
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    from av.video.reformatter import Interpolation

    exactly = (
        Interpolation.BICUBIC
        | Interpolation.ACCURATE_RND
        | Interpolation.FULL_CHR_H_INT
        | Interpolation.BITEXACT
    )
    shown = _reformatter().reformat(
        frame,
        format=form,
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=_FULL if full else _NARROW,
        dst_color_range=_FULL,
        interpolation=exactly,
        threads=1,
    )
    values: Any = shown.to_ndarray()
    return np.asarray(values)


def _reformatter() -> VideoReformatter:
    """This thread's own: its tables are made once."""
    from av.video.reformatter import VideoReformatter

    if not hasattr(_local, "reformatter"):
        _local.reformatter = VideoReformatter()
    made: VideoReformatter = _local.reformatter
    return made


def _area() -> int:
    from av.video.reformatter import Interpolation

    return int(Interpolation.AREA)
