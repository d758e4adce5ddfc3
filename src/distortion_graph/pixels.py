"""From a decoded picture of any kind to 8-bit sRGB: bit depth, colour profile, transparency."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from distortion_graph.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image, ImageCms

_PROBE_STEPS = 9
_PNG_HEADER = b"\x89PNG\r\n\x1a\n"
_BITS_PER_SAMPLE = 258
_MODES_OF_PROFILE = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK", "Lab ": "LAB"}


def to_srgb(
    image: Image.Image, data: bytes | None, label: str
) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """8-bit sRGB pixels (H, W, 3) of a loaded Pillow image, and what a person should know.

    `data` are the file's bytes where there are any: Pillow keeps 8 of 16 bits of a colour
    picture, so those are read again. 16-bit values v become round(v / 257). Transparent pixels
    are laid on white after the colour profile was applied. `label` names the picture in errors.
    Raises ImageError for 32-bit and floating-point pixels, whose white nothing states.
    """
    if image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "32-bit whole-number"
        raise ImageError(
            f"{label}: {kind} pixels, expected 8 or 16 bits a channel; scale it to 16 bits first"
        )
    notes: list[str] = []
    deep = _sixteen_bit(image, data, label)
    if deep is not None:
        base, alpha = _split_deep(image, deep)
    else:
        base, alpha = _split(image, label)
    rgb = _apply_profile(base, image.info.get("icc_profile"), label, notes)
    if alpha is not None and alpha.min() < 255:
        rgb = _on_white(rgb, alpha)
        notes.append(f"{label}: transparent pixels were laid on white")
    return rgb, tuple(notes)


def to_8_bits(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """16-bit values to 8 bits, scaled and rounded: 65535 → 255 and v → round(v / 257)."""
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


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

        found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
        eight: NDArray[np.uint8] = np.asarray(image)
        if found is not None and found.dtype == np.uint16 and found.ndim == 3:
            order = [2, 1, 0, 3][: min(eight.shape[2], found.shape[2])]
            deep: NDArray[np.uint16] = np.asarray(found, np.uint16)[..., order]
            # Both readers must mean the same pixels: a layout that one misreads is refused.
            if np.array_equal(deep >> 8, eight):
                return deep
    raise ImageError(
        f"{label}: 16-bit {image.mode} in a layout that cannot be read without losing bits; "
        "save it as a 16-bit RGB PNG"
    )


def _is_deep_colour(image: Image.Image, data: bytes) -> bool:
    if data.startswith(_PNG_HEADER):
        return data[24] == 16
    bits = getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,))
    return 16 in (bits if isinstance(bits, tuple) else (bits,))


def _split_deep(
    image: Image.Image, deep: NDArray[np.uint16]
) -> tuple[Image.Image, NDArray[np.uint8] | None]:
    from PIL import Image as Pillow

    channels = deep.shape[2]
    eight = to_8_bits(deep)
    key = image.info.get("transparency")
    alpha = None
    if channels == 4:
        alpha = eight[..., 3]
    elif key is not None:
        # A PNG may name one 16-bit colour as transparent.
        alpha = np.where((deep == np.asarray(key)).all(axis=2), 0, 255).astype(np.uint8)
    colour = eight[..., 0] if channels == 1 else np.ascontiguousarray(eight[..., :3])
    return Pillow.fromarray(colour), alpha


def _on_white(rgb: NDArray[np.uint8], alpha: NDArray[np.uint8]) -> NDArray[np.uint8]:
    a = alpha.astype(np.uint32)[..., None]
    return ((rgb * a + 255 * (255 - a) + 127) // 255).astype(np.uint8)


def _apply_profile(
    image: Image.Image, profile: bytes | None, label: str, notes: list[str]
) -> NDArray[np.uint8]:
    """RGB pixels of an L, RGB, CMYK or LAB image, through its colour profile where it has one."""
    if profile or image.mode == "LAB":
        try:
            return _through_profile(image, profile)
        except _profile_errors() as e:
            if image.mode == "LAB":
                raise ImageError(f"{label}: L*a*b* pixels cannot be shown as RGB ({e})") from e
            notes.append(f"{label}: the colour profile cannot be used and was left out ({e})")
    if image.mode == "CMYK":
        notes.append(f"{label}: CMYK pixels without a usable profile, colours are approximate")
    return np.asarray(image.convert("RGB"))


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
    if mode == "RGB" and _changes_nothing(transform):
        return np.asarray(image)
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:
        raise ValueError("it gave no picture")
    return np.asarray(converted)


def _is_grey(image: Image.Image) -> bool:
    rgb = np.asarray(image)
    return bool((rgb[..., :1] == rgb).all())


def _changes_nothing(transform: ImageCms.ImageCmsTransform) -> bool:
    """Whether a profile is sRGB in all but name: such pixels are left as they are, exactly."""
    from PIL import Image, ImageCms

    steps = np.linspace(0, 255, _PROBE_STEPS).round().astype(np.uint8)
    probe = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    seen = np.asarray(ImageCms.applyTransform(Image.fromarray(probe), transform))
    return bool(np.abs(seen.astype(int) - probe).max() <= 1)
