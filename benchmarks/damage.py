"""How much damage to a picture file is noticed, by format: bytes changed one at a time, and cuts.

    python benchmarks/damage.py
    python benchmarks/damage.py --picture photo.png --changes 100 --cuts 20

Every damaged file is read as `compare` reads it. It is refused, or it gives the very pixels of the
whole file, or other ones without a word: what no decoder can notice.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from distortion_graph.errors import ImageError
from distortion_graph.images import Picture, load_picture

_EXAMPLE = Path(__file__).parent.parent / "examples" / "anchor.png"
_SIDE_PX = 192


@dataclass(frozen=True)
class Outcome:
    """What became of damaged files: how many were refused, the same all the same, and wrong."""

    refused: int
    same: int
    unnoticed: int

    @property
    def total(self) -> int:
        """How many files were damaged."""
        return self.refused + self.same + self.unnoticed


def files(picture: Image.Image) -> dict[str, bytes]:
    """The picture in every format that is read, HEIF and JPEG XL only with the extra `formats`."""
    deep = (np.asarray(picture).astype(np.uint16) * 257)[..., 0]
    made: dict[str, Callable[[], bytes]] = {
        "PNG": lambda: _saved(picture, "PNG"),
        "PNG, palette": lambda: _saved(picture.quantize(64), "PNG"),
        "PNG, 16 bits": lambda: _saved(Image.fromarray(deep), "PNG"),
        "PNG, transparent": lambda: _saved(_transparent(picture), "PNG"),
        "JPEG": lambda: _saved(picture, "JPEG", quality=90),
        "JPEG, progressive": lambda: _saved(picture, "JPEG", quality=90, progressive=True),
        "JPEG, restarts": lambda: _saved(picture, "JPEG", quality=90, restart_marker_rows=1),
        "WebP, lossless": lambda: _saved(picture, "WEBP", lossless=True),
        "WebP, lossy": lambda: _saved(picture, "WEBP", quality=90),
        "TIFF, plain": lambda: _saved(picture, "TIFF"),
        "TIFF, LZW": lambda: _saved(picture, "TIFF", compression="tiff_lzw"),
        "TIFF, deflate": lambda: _saved(picture, "TIFF", compression="tiff_adobe_deflate"),
        "BMP": lambda: _saved(picture, "BMP"),
        "GIF": lambda: _saved(picture.quantize(256), "GIF"),
        "AVIF": lambda: _saved(picture, "AVIF", quality=90),
        "HEIF": lambda: _heif(picture),
        "JPEG XL": lambda: _jpeg_xl(picture),
    }
    return {name: data for name, make in made.items() if (data := make())}


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def _transparent(picture: Image.Image) -> Image.Image:
    ramp = np.linspace(0, 255, picture.width).astype(np.uint8)
    out = picture.convert("RGBA")
    out.putalpha(Image.fromarray(np.tile(ramp, (picture.height, 1))))
    return out


def _heif(picture: Image.Image) -> bytes:
    """Nothing where the extra is not installed."""
    try:
        import pillow_heif
    except ImportError:
        return b""
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=90)
    return buffer.getvalue()


def _jpeg_xl(picture: Image.Image) -> bytes:
    try:
        import pillow_jxl  # noqa: F401  registers the format
    except ImportError:
        return b""
    return _saved(picture, "JXL", quality=90)


def changed(data: bytes, rng: np.random.Generator, count: int) -> Iterator[bytes]:
    """The file with one byte changed to another value, `count` times."""
    for _ in range(count):
        damaged = bytearray(data)
        damaged[int(rng.integers(len(data)))] ^= int(rng.integers(1, 256))
        yield bytes(damaged)


def cut(data: bytes, rng: np.random.Generator, count: int) -> Iterator[bytes]:
    """The beginning of the file, of at least one byte and without its last, `count` times."""
    for _ in range(count):
        yield data[: int(rng.integers(1, len(data)))]


def read_all(damaged: Iterable[bytes], whole: Picture) -> Outcome:
    """What becomes of damaged copies of a picture."""
    refused = same = unnoticed = 0
    for data in damaged:
        try:
            found = load_picture(data)
        except ImageError:
            refused += 1
            continue
        if _equal(found, whole):
            same += 1
        else:
            unnoticed += 1
    return Outcome(refused, same, unnoticed)


def _equal(first: Picture, second: Picture) -> bool:
    if (first.alpha is None) != (second.alpha is None):
        return False
    alphas = first.alpha is None or np.array_equal(first.alpha, np.asarray(second.alpha))
    return alphas and np.array_equal(first.rgb, second.rgb)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--picture", type=Path, default=_EXAMPLE, metavar="FILE")
    parser.add_argument("--changes", type=int, default=1000, metavar="N")
    parser.add_argument("--cuts", type=int, default=200, metavar="N")
    arguments = parser.parse_args()
    picture = Image.open(arguments.picture).convert("RGB")
    picture.thumbnail((_SIDE_PX, _SIDE_PX))
    print("| format | bytes | changed: refused | same pixels | unnoticed | cut: refused | same "
          "pixels | unnoticed |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for name, data in files(picture).items():
        whole = load_picture(data)
        rng = np.random.default_rng(0)
        row = [
            read_all(damage(data, rng, count), whole)
            for damage, count in ((changed, arguments.changes), (cut, arguments.cuts))
        ]
        cells = [
            f"{100 * n / outcome.total:.1f} %"
            for outcome in row
            for n in (outcome.refused, outcome.same, outcome.unnoticed)
        ]
        print(f"| {name} | {len(data)} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
