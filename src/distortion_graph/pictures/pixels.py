"""From a decoded picture of any kind to 8-bit sRGB and alpha: bit depth, colour, transparency."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import ImageError
from distortion_graph.pictures.colour_spaces import REFERENCE_WHITE_NITS, ColourSpace, convert
from distortion_graph.pictures.colour_tags import ColourTag, colour_tag
from distortion_graph.pictures.icc_profiles import colour_space_of
from distortion_graph.pictures.png_chunks import PNG_SIGNATURE
from distortion_graph.pictures.tiff_directories import BITS_PER_SAMPLE

if TYPE_CHECKING:
    from PIL import Image, ImageCms

_N = TypeVar("_N", bound=np.integer)
_PROBE_STEPS = 9
_MODES_OF_PROFILE = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}


@dataclass(frozen=True)
class Shown:
    """A picture's pixels as they are to be seen, but for transparency.

    `rgb`: (H, W, 3) uint8 sRGB. `alpha`: (H, W) uint8, 255 = opaque; None where all of it is.
    `plain`: whether a browser shows the file's bytes with these very pixels. `notes`: what a
    person should know, without the file's name.
    """

    rgb: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None
    plain: bool
    notes: tuple[str, ...]


def to_srgb(
    image: Image.Image,
    data: bytes | None,
    label: str,
    values: NDArray[np.uint8] | NDArray[np.uint16] | None = None,
) -> Shown:
    """8-bit sRGB pixels of a Pillow image.

    The image is loaded, or its pixels are `values`, (H, W, C): C of 1 … 4 with 16 bits, 1 or 3
    with 8. `data` are the file's bytes where there are any: Pillow keeps 8 of 16 bits of a colour
    picture, so those are read again. 16-bit values v without a colour space to convert from become
    round(v / 257). `label` names the picture in errors. Raises ImageError for 32-bit and
    floating-point pixels, whose white nothing states.
    """
    if image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "whole-number"
        raise ImageError(
            f"{label}: found {kind} pixels of 32 bits, 1 channel, expected whole numbers of 8 or "
            "16 bits a channel; scale it to 16 bits first"
        )
    tag = colour_tag(image.info, data)
    if values is None:
        values = _sixteen_bit(image, data, label)
    if values is None:
        shown = _show_8_bits(image, tag, label)
    elif values.dtype == np.uint16:
        shown = _show_deep(image, np.asarray(values, np.uint16), tag)
    else:
        shown = _show_values(np.asarray(values, np.uint8), tag, label)
    opaque = shown.alpha is None or bool(shown.alpha.min() == 255)
    return replace(
        shown,
        alpha=None if opaque else shown.alpha,
        plain=shown.plain and opaque,
        notes=tag.notes + shown.notes,
    )


def to_8_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """16-bit values to 8 bits, scaled and rounded: 65535 → 255 and v → round(v / 257)."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _show_8_bits(image: Image.Image, tag: ColourTag, label: str) -> Shown:
    base, alpha = _split(image, label)
    plain = tag.plain and base.mode in ("RGB", "L")
    notes: list[str] = []
    if tag.icc or base.mode == "LAB":
        try:
            return Shown(_through_profile(base, tag.icc), alpha, plain, ())
        except _profile_errors() as e:
            if base.mode == "LAB":
                raise ImageError(f"{label}: L*a*b* pixels cannot be shown as RGB ({e})") from e
            notes.append(f"the colour profile cannot be used and was left out ({e})")
            plain = False
    if base.mode == "CMYK":
        notes.append("CMYK pixels without a usable profile, colours are approximate")
    rgb = np.asarray(base if base.mode == "RGB" else base.convert("RGB"))
    if tag.space is not None:
        rgb, note = _from_space(rgb, tag.space)
        notes += note
    return Shown(rgb, alpha, plain, tuple(notes))


def _show_values(values: NDArray[np.uint8], tag: ColourTag, label: str) -> Shown:
    """Of opaque 8-bit pixels; without colours to convert, Pillow need not copy them."""
    from PIL import Image

    if tag.icc is None and tag.space is None:
        return Shown(_three_channels(values), None, tag.plain, ())
    return _show_8_bits(
        Image.fromarray(values.squeeze(2) if values.shape[2] == 1 else values), tag, label
    )


def _three_channels(values: NDArray[_N]) -> NDArray[_N]:
    return values if values.shape[2] == 3 else np.repeat(values, 3, axis=2)


def _show_deep(image: Image.Image, deep: NDArray[np.uint16], tag: ColourTag) -> Shown:
    colour, alpha = _split_deep(image, deep)
    space = tag.space
    notes: list[str] = []
    if tag.icc:
        space = colour_space_of(tag.icc, channels=colour.shape[2])
        if space is None:
            return _show_deep_by_8_bits(colour, alpha, tag)
        if _changes_nothing(space):
            space = None
    if space is None:
        rgb = _three_channels(to_8_bits(colour))
    else:
        rgb, notes = _from_space(_three_channels(colour), space)
    return Shown(rgb, alpha, False, tuple(notes))


def _show_deep_by_8_bits(
    colour: NDArray[np.uint16], alpha: NDArray[np.uint8] | None, tag: ColourTag
) -> Shown:
    """Through a profile that only the colour engine understands, which takes 8 bits."""
    from PIL import Image

    eight = to_8_bits(colour)
    small = Image.fromarray(eight[..., 0] if eight.shape[2] == 1 else eight)
    shown = _show_8_bits(small, tag, "")
    note = "16 bits were rounded to 8 before the colour profile was applied"
    return replace(shown, alpha=alpha, plain=False, notes=(*shown.notes, note))


def _from_space(
    values: NDArray[np.integer], space: ColourSpace
) -> tuple[NDArray[np.uint8], list[str]]:
    rgb, clipped = convert(values, space)
    if not space.hdr:
        return rgb, []
    return rgb, [
        f"HDR ({space.hdr}) shown with white at {REFERENCE_WHITE_NITS:.0f} cd/m²; "
        f"{100 * clipped:.1f} % of the pixels are brighter and were clipped"
    ]


def _split(image: Image.Image, label: str) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    """Colour (mode L, RGB, CMYK or LAB) and alpha of an 8-bit image."""
    if image.mode in ("LA", "La") or (image.mode == "L" and image.has_transparency_data):
        grey = image.convert("LA")
        return grey.getchannel("L"), np.asarray(grey.getchannel("A"))
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return rgba.convert("RGB"), np.asarray(rgba.getchannel("A"))
    if image.mode in ("RGB", "L", "CMYK", "LAB"):
        return image, None
    try:
        return image.convert("L" if image.mode == "1" else "RGB"), None
    except ValueError as e:
        raise ImageError(f"{label}: pixels of mode {image.mode} cannot be shown as RGB") from e


def _sixteen_bit(image: Image.Image, data: bytes | None, label: str) -> NDArray[np.uint16] | None:
    """The 16-bit values, (H, W, C) with C of 1 … 4, or None for a picture of fewer bits."""
    if image.mode.startswith("I;16"):
        return np.asarray(image).astype(np.uint16)[..., None]
    if data is None or not _is_deep_colour(image, data):
        return None
    if image.mode in ("RGB", "RGBA"):
        import cv2

        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        eight: NDArray[np.uint8] = np.asarray(image)
        if decoded is not None and decoded.dtype == np.uint16 and decoded.ndim == 3:
            order = [2, 1, 0, 3][: min(eight.shape[2], decoded.shape[2])]
            deep: NDArray[np.uint16] = np.asarray(decoded, np.uint16)[..., order]
            # Both readers must mean the same pixels: a layout that one misreads is refused.
            if np.array_equal(deep >> 8, eight):
                return deep
    raise ImageError(
        f"{label}: 16-bit {image.mode} in a layout that cannot be read without losing bits; "
        "save it as a 16-bit RGB PNG"
    )


def _is_deep_colour(image: Image.Image, data: bytes) -> bool:
    if data.startswith(PNG_SIGNATURE):
        return data[24] == 16
    bits = getattr(image, "tag_v2", {}).get(BITS_PER_SAMPLE, (8,))
    return 16 in (bits if isinstance(bits, tuple) else (bits,))


def _split_deep(
    image: Image.Image, deep: NDArray[np.uint16]
) -> tuple[NDArray[np.uint16], NDArray[np.uint8] | None]:
    """Colour, (H, W, 1 or 3), and alpha of 16-bit values."""
    channels = deep.shape[2]
    key = image.info.get("transparency")
    alpha = None
    if channels in (2, 4):
        alpha = to_8_bits(deep[..., -1])
    elif key is not None:
        # A PNG may name one 16-bit colour as transparent.
        alpha = np.where((deep == np.asarray(key)).all(axis=2), 0, 255).astype(np.uint8)
    return deep[..., : 1 if channels < 3 else 3], alpha


def _profile_errors() -> tuple[type[Exception], ...]:
    from PIL import ImageCms

    return ImageCms.PyCMSError, OSError, ValueError, TypeError


def _through_profile(image: Image.Image, profile: bytes | None) -> NDArray[np.uint8]:
    from PIL import ImageCms

    if image.mode == "LAB":
        source = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    else:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile or b""))
    space = source.profile.xcolor_space
    mode = _MODES_OF_PROFILE.get(space, space)
    if image.mode == "L" and mode == "RGB":
        image = image.convert("RGB")  # a grey picture in an RGB space: common and harmless
    elif image.mode == "RGB" and mode == "L" and _is_grey(image):
        image = image.getchannel("R")
    if image.mode != mode:
        raise ValueError(f"it is for {space.strip()}, the pixels are {image.mode}")
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    if mode == "RGB" and _is_identity(transform):
        return np.asarray(image)
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ValueError("it gave no picture")
    return np.asarray(converted)


def _is_grey(image: Image.Image) -> bool:
    rgb = np.asarray(image)
    return bool((rgb[..., :1] == rgb).all())


def _is_identity(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a profile is sRGB in all but name: such pixels are left as they are, exactly."""
    from PIL import Image, ImageCms

    probe = _probe()
    seen = np.asarray(ImageCms.applyTransform(Image.fromarray(probe), transform))
    return bool(np.abs(seen.astype(int) - probe).max() <= 1)


def _changes_nothing(space: ColourSpace) -> bool:
    """As `_is_identity`, of a colour space."""
    probe = _probe()
    return bool(np.abs(convert(probe, space)[0].astype(int) - probe).max() <= 1)


def _probe() -> NDArray[np.uint8]:
    steps = np.linspace(0, 255, _PROBE_STEPS).round().astype(np.uint8)
    return np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
