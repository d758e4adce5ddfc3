"""What a matrix-and-curves ICC profile says, for pictures whose bits a colour engine would drop.

LittleCMS, as Pillow has it, takes 8 bits a channel. Profiles with look-up tables are its business.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np

from distortion_graph.colour_spaces import (
    D50_WHITE,
    ColourSpace,
    Floats,
    Transfer,
    space_of_d50,
)

_HEAD_BYTES = 128
# ICC.1:2022, table 68: how many parameters a parametric curve of each type has.
_PARAMETERS = (1, 3, 4, 5, 7)


def cicp_of(profile: bytes) -> tuple[int, int] | None:
    """H.273 primaries and transfer of a profile's `cicp` tag, as HDR pictures have; else None."""
    tag = _tags(profile).get(b"cicp")
    return (tag[8], tag[9]) if tag is not None and len(tag) >= 12 else None


def colour_space_of(profile: bytes, *, channels: int) -> ColourSpace | None:
    """The colour space of an RGB or grey profile made of a matrix and curves; None for others.

    A grey profile is for pictures of one channel, an RGB profile for either.
    """
    tags = _tags(profile)
    if any(name.startswith((b"A2B", b"D2B")) for name in tags):
        return None
    try:
        if profile[16:20] == b"GRAY":
            if channels != 1:
                return None
            curve = _curve(tags[b"kTRC"])
            # Any primaries do that add up to white: R, G and B are equal.
            return space_of_d50(np.diag(D50_WHITE), (curve,) * 3)
        columns = [_xyz(tags[name]) for name in (b"rXYZ", b"gXYZ", b"bXYZ")]
        red, green, blue = (_curve(tags[name]) for name in (b"rTRC", b"gTRC", b"bTRC"))
    except (KeyError, ValueError, struct.error, IndexError):
        return None
    return space_of_d50(np.array(columns).T, (red, green, blue))


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """The tags' data by signature; those that lie outside the profile are left out."""
    try:
        (count,) = struct.unpack_from(">I", profile, _HEAD_BYTES)
        places = [
            struct.unpack_from(">4sII", profile, _HEAD_BYTES + 4 + 12 * k)
            for k in range(min(count, 1000))
        ]
    except struct.error:
        return {}
    return {name: profile[at : at + n] for name, at, n in places if at + n <= len(profile)}


def _xyz(tag: bytes) -> list[float]:
    if tag[:4] != b"XYZ ":
        raise ValueError("not XYZ")
    return [value / 65536 for value in struct.unpack_from(">3i", tag, 8)]


def _curve(tag: bytes) -> Transfer:
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        values = struct.unpack_from(f">{count}H", tag, 12)
        return _sampled(values) if count > 1 else _parametric(0, [values[0] / 256 if count else 1])
    if tag[:4] != b"para":
        raise ValueError("not a curve")
    (kind,) = struct.unpack_from(">H", tag, 8)
    raw = struct.unpack_from(f">{_PARAMETERS[kind]}i", tag, 12)
    return _parametric(kind, [value / 65536 for value in raw])


def _sampled(values: Sequence[int]) -> Transfer:
    y = np.array(values) / 65535
    x = np.linspace(0, 1, len(y))
    return Transfer("table", lambda v: np.interp(v, x, y))


def _parametric(kind: int, parameters: Sequence[float]) -> Transfer:
    """ICC.1:2022, 10.18: Y = (aX + b)^g + e above d, and cX + f below."""
    g, a, b, c, d, e, f = 1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0
    if kind == 0:
        (g,) = parameters
    elif kind in (1, 2):
        g, a, b = parameters[:3]
        d = -b / a
        e = f = parameters[3] if kind == 2 else 0.0
    else:
        g, a, b, c, d = parameters[:5]
        e, f = parameters[5:] if kind == 4 else (0.0, 0.0)

    def to_linear(v: Floats) -> Floats:
        above = np.maximum(a * v + b, 0) ** g + e
        return np.clip(np.where(v >= d, above, c * v + f), 0, 1)

    return Transfer(f"parametric {kind} {tuple(parameters)}", to_linear)
