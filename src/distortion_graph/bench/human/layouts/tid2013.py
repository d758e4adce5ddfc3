"""TID2013 (Ponomarenko et al., Signal Processing: Image Communication 30, 2015).

    mos_with_names.txt               5.51429 I01_01_1.bmp
    reference_images/I01.BMP
    distorted_images/i01_01_1.bmp    content, kind, level

Letters are large or small as it comes. The mean opinion score goes from 0 to 9, higher is better.
"""

from __future__ import annotations

from pathlib import Path

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.listing import Entry, Listing, number, read_text

LIST = "mos_with_names.txt"
KINDS = (
    "additive noise",
    "noise stronger in colour",
    "correlated noise",
    "masked noise",
    "high-frequency noise",
    "impulse noise",
    "quantisation noise",
    "blur",
    "denoised",
    "jpeg",
    "jpeg 2000",
    "jpeg transmission errors",
    "jpeg 2000 transmission errors",
    "non-eccentric pattern noise",
    "local blocks",
    "mean shift",
    "contrast",
    "saturation",
    "multiplicative noise",
    "comfort noise",
    "lossy compression of noise",
    "quantisation with dither",
    "chromatic aberration",
    "sparse sampling",
)


def read_tid2013(folder: Path) -> Listing:
    """The list of the set."""
    path = folder / LIST
    entries = []
    for line, text in enumerate(read_text(path, "the scores of TID2013").splitlines(), start=1):
        words, where = text.split(), f"{path}, line {line}"
        if not words:
            continue
        parts = words[-1].partition(".")[0].split("_")
        if len(words) != 2 or len(parts) != 3 or parts[1] not in _NUMBERS:
            raise DatasetError(
                f"{where}: found {text[:60]!r}, expected a score and a name such as i01_08_3.bmp"
            )
        score, (content, kind, _) = number(words[0], "score", where), parts
        reference = f"reference_images/{content}.bmp"
        distorted = f"distorted_images/{words[1]}"
        entries.append(Entry(where, reference, distorted, score, _NUMBERS[kind], content.lower()))
    return Listing(path, entries, scale=(0, 9))


_NUMBERS = {f"{number:02d}": kind for number, kind in enumerate(KINDS, start=1)}
