"""LIVE, release 2 (Sheikh, Sabir, Bovik, IEEE Transactions on Image Processing 15(11), 2006).

    dmos.mat            dmos, orgs: 982 values, the kinds one after the other
    dmos_realigned.mat  dmos_new, orgs: taken where it is there, as the owners advise
    refnames_all.mat    refnames_all: the reference's name
    refimgs/bikes.bmp
    jp2k/img1.bmp       so are jpeg, wn, gblur and fastfading

`orgs` is 1 for pictures that are the reference itself; they are passed over. Higher is worse; the
scale has no fixed ends.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.listing import Entry, Listing, number

SCORES, REALIGNED, NAMES = "dmos.mat", "dmos_realigned.mat", "refnames_all.mat"
KINDS = {
    "jp2k": ("jpeg 2000", 227),
    "jpeg": ("jpeg", 233),
    "wn": ("white noise", 174),
    "gblur": ("blur", 174),
    "fastfading": ("transmission errors", 174),
}
"""Folder → kind, and the number of its pictures, in the order of the scores."""


def read_live(folder: Path) -> Listing:
    """The list of the set."""
    realigned = (folder / REALIGNED).is_file()
    path = folder / (REALIGNED if realigned else SCORES)
    scores = _values(path, "dmos_new" if realigned else "dmos")
    original = _values(path, "orgs")
    names = _values(folder / NAMES, "refnames_all")
    pictures = [
        (name, kind, f"{name}/img{number}.bmp")
        for name, (kind, count) in KINDS.items()
        for number in range(1, count + 1)
    ]
    sizes = {len(scores), len(original), len(names)}
    if sizes != {len(pictures)}:
        raise DatasetError(
            f"{path}: found {len(scores)} scores, {len(original)} flags and {len(names)} names of "
            f"references, expected {len(pictures)} each"
        )
    entries = []
    for k, (_, kind, distorted) in enumerate(pictures):
        if number(str(original[k]), "orgs", f"{path}, {distorted}"):
            continue
        reference = str(np.ravel(names[k])[0])
        score = number(str(scores[k]), "dmos", f"{path}, {distorted}")
        entries.append(Entry(str(path), f"refimgs/{reference}", distorted, score, kind, reference))
    return Listing(path, entries, higher_is_worse=True)


def _values(path: Path, name: str) -> NDArray[Any]:
    """A variable of a MATLAB file, in one row; raises DatasetError."""
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        variables = loadmat(path)
    except (OSError, ValueError, IndexError, NotImplementedError, MatReadError) as problem:
        reason = getattr(problem, "strerror", None) or problem
        raise DatasetError(f"{path}: cannot be read ({reason}); expected a MATLAB file") from None
    if name not in variables:
        raise DatasetError(f"{path}: the variable {name!r} is missing")
    return np.ravel(variables[name])
